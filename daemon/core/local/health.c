/*
 * Readiness, liveness and watchdog of one process: the cells of process.def that need probes.
 *
 *     STARTING   ready=     asked forms: probe, pause, probe … until one succeeds
 *                           notify, log: READY comes by itself
 *                           ready_timeout over: a failed start
 *     RUNNING    liveness=  asked forms: a probe every liveness_period
 *                           notify, log: a word at least that often
 *                watchdog=  WATCHDOG=1 at least that often
 *
 * The driver only asks: when, how long to wait, and what an answer means is decided here. A probe
 * that does not answer in time is given up (PROBE_STOP) and has failed; the time for which it had
 * to wait for its turn (PROBE_TURN) does not count, but ready_timeout goes on. At most one is under
 * way for a process, and each has a serial, so that an answer that comes late is known as stale.
 * Probes begin on a grid of time: those of many programs share one wake-up.
 *
 * A run that has to go (not ready in time; not alive, with liveness_action=restart) is ended as by
 * a stop: signal, stopwaitsecs, SIGKILL. Meanwhile it stays STARTING or RUNNING with `end_reason`
 * set, and its exit leads to BACKOFF or EXITED as any other failed start or unexpected end. A stop
 * that is requested meanwhile overrules that. A watchdog begins with SIGABRT, as in systemd:
 * whoever hangs may leave a core dump that says where.
 *
 * Example: ready=port:80, ready_timeout=30: SPAWNED at 0 s; probes at 0.02, 0.06, 0.14 s …; the one
 * at 0.62 s is accepted: RUNNING. Never accepted: the stop signal at 30 s, BACKOFF at the exit,
 * with the last probe's words in spawnerr.
 */
#include <signal.h>
#include <stdio.h>

#include "core/local/process_cells.h"

bool sv_health_decides_ready(const struct sv_process *process)
{
    return process->health && process->config->health->ready.kind != SV_PROBE_NONE;
}

enum sv_reason sv_health_end_reason(const struct sv_process *process)
{
    return process->health ? process->health->end_reason : SV_REASON_NONE;
}

void sv_health_reset(struct sv_process *process)
{
    struct sv_health *health = process->health;
    if (!health)
        return;
    uint32_t serial = health->serial; /* goes on: an answer to the former run is not ours */
    *health = (struct sv_health){.check_ns = SV_NEVER,
                                 .watchdog_ns = SV_NEVER,
                                 .serial = serial,
                                 .end_reason = SV_REASON_NONE};
}

int sv_health_stop_signal(const struct sv_process *process, enum sv_reason reason)
{
    return reason == SV_REASON_WATCHDOG_EXPIRED ? SIGABRT : process->config->stopsignal;
}

static uint64_t on_grid(uint64_t time_ns)
{
    uint64_t rest = time_ns % SV_PROBE_GRID_NS;
    return rest == 0 ? time_ns : sv_time_after(time_ns, SV_PROBE_GRID_NS - rest);
}

static uint64_t seconds_from(const struct sv_step *step, double seconds)
{
    return sv_time_after(step->now_ns, sv_seconds_to_ns(seconds));
}

static const struct sv_probe_config *probe_of(const struct sv_process *process)
{
    const struct sv_health_config *config = process->config->health;
    return process->state == SV_PROCESS_STARTING ? &config->ready : &config->liveness;
}

static void note(struct sv_process *process, const char *text)
{
    snprintf(process->health->words, sizeof(process->health->words), "%s", text);
}

/* Probes. */

static double patience_of(const struct sv_process *process)
{
    return process->state == SV_PROCESS_STARTING ? SV_READY_ATTEMPT_SECONDS
                                                 : process->config->health->liveness_timeout;
}

static void start_probe(struct sv_process *process, struct sv_step *step)
{
    struct sv_health *health = process->health;
    health->is_probing = true;
    health->serial++;
    health->check_ns = seconds_from(step, patience_of(process));
    struct sv_action *action = sv_actions_add(step->actions, SV_ACTION_PROBE_START);
    action->process = process->id;
    action->run = process->run;
    action->probe.config = probe_of(process);
    action->probe.serial = health->serial;
}

void sv_cell_probe_turn(struct sv_process *process, const struct sv_process_event *event,
                        struct sv_step *step)
{
    process->health->check_ns =
        event->is_waiting ? SV_NEVER : seconds_from(step, patience_of(process));
}

static void stop_probe(struct sv_process *process, struct sv_step *step)
{
    if (!process->health->is_probing)
        return;
    process->health->is_probing = false;
    struct sv_action *action = sv_actions_add(step->actions, SV_ACTION_PROBE_STOP);
    action->process = process->id;
    action->run = process->run;
}

static void note_silence(struct sv_process *process, double seconds)
{
    char words[SV_PROBE_WORDS_BYTES_MAX];
    snprintf(words, sizeof(words), "no answer within %g s from %s", seconds,
             probe_of(process)->text);
    note(process, words);
}

void sv_health_end(struct sv_process *process, struct sv_step *step)
{
    if (!process->health)
        return;
    stop_probe(process, step);
    process->health->check_ns = SV_NEVER;
    process->health->watchdog_ns = SV_NEVER;
}

void sv_health_forgive(struct sv_process *process)
{
    if (process->health)
        process->health->end_reason = SV_REASON_NONE;
}

void sv_health_end_run(struct sv_process *process, enum sv_reason reason, struct sv_step *step)
{
    const struct sv_program_config *config = process->config;
    sv_health_end(process, step);
    process->health->end_reason = reason;
    process->deadline_ns = sv_time_after(step->now_ns, config->stopwaitsecs * SV_NS_PER_SECOND);
    sv_process_signal(process, sv_health_stop_signal(process, reason),
                      config->stopasgroup ? SV_TARGET_PROCESS_GROUP : SV_TARGET_PROCESS, reason,
                      step);
}

/* Readiness. */

static void pause_before_next(struct sv_process *process, struct sv_step *step)
{
    uint64_t pause_ns = SV_READY_PAUSE_NS_MIN;
    for (uint32_t n = 0; n < process->health->failure_count && pause_ns < SV_READY_PAUSE_NS_MAX;
         n++)
        pause_ns *= 2;
    if (pause_ns > SV_READY_PAUSE_NS_MAX)
        pause_ns = SV_READY_PAUSE_NS_MAX;
    process->health->check_ns = on_grid(sv_time_after(step->now_ns, pause_ns));
}

static void fail_ready(struct sv_process *process, struct sv_step *step)
{
    if (process->health->failure_count < UINT32_MAX)
        process->health->failure_count++;
    pause_before_next(process, step);
}

void sv_health_begin_ready(struct sv_process *process, struct sv_step *step)
{
    const struct sv_health_config *config = process->config->health;
    process->deadline_ns =
        config->ready_timeout > 0 ? seconds_from(step, config->ready_timeout) : SV_NEVER;
    if (sv_probe_is_asked(&config->ready))
        pause_before_next(process, step); /* it has hardly begun: nobody can answer yet */
}

void sv_health_note_unready(struct sv_process *process)
{
    struct sv_health *health = process->health;
    const struct sv_probe_config *ready = &process->config->health->ready;
    if (health->is_probing && health->check_ns == SV_NEVER)
        snprintf(health->words, sizeof(health->words), "too many checks run, and %s still waits",
                 ready->text);
    else if (health->is_probing)
        snprintf(health->words, sizeof(health->words), "no answer from %s", ready->text);
    else if (ready->kind == SV_PROBE_NOTIFY)
        note(process, "it did not say READY=1");
    else if (ready->kind == SV_PROBE_LOG)
        note(process, "it wrote no line that matches");
}

static void become_ready(struct sv_process *process, struct sv_step *step)
{
    sv_health_end(process, step);
    process->health->words[0] = '\0';
    sv_process_become_running(process, SV_REASON_READY, step);
}

void sv_cell_ready(struct sv_process *process, const struct sv_process_event *event,
                   struct sv_step *step)
{
    (void)event;
    if (sv_health_decides_ready(process) && process->health->end_reason == SV_REASON_NONE)
        become_ready(process, step);
}

void sv_cell_probed_ready(struct sv_process *process, const struct sv_process_event *event,
                          struct sv_step *step)
{
    process->health->is_probing = false;
    if (event->is_ok) {
        become_ready(process, step);
        return;
    }
    note(process, event->text);
    fail_ready(process, step);
}

void sv_cell_check_ready(struct sv_process *process, const struct sv_process_event *event,
                         struct sv_step *step)
{
    (void)event;
    if (!process->health->is_probing) {
        start_probe(process, step);
        return;
    }
    stop_probe(process, step);
    note_silence(process, SV_READY_ATTEMPT_SECONDS);
    fail_ready(process, step);
}

/* Never less time than it had; and none for a run that has to go and does not. */
void sv_cell_extend(struct sv_process *process, const struct sv_process_event *event,
                    struct sv_step *step)
{
    uint64_t extend_ns =
        event->extend_ns < SV_EXTEND_TIMEOUT_NS_MAX ? event->extend_ns : SV_EXTEND_TIMEOUT_NS_MAX;
    uint64_t until_ns = sv_time_after(step->now_ns, extend_ns);
    bool is_counting = process->state == SV_PROCESS_STOPPING || sv_health_decides_ready(process);
    if (is_counting && !process->was_killed && process->deadline_ns != SV_NEVER &&
        process->deadline_ns < until_ns)
        process->deadline_ns = until_ns;
}

/* Liveness. */

static void await_life(struct sv_process *process, struct sv_step *step)
{
    const struct sv_health_config *config = process->config->health;
    if (config->liveness.kind == SV_PROBE_NONE)
        return;
    process->health->check_ns = seconds_from(step, config->liveness_period);
    if (sv_probe_is_asked(&config->liveness))
        process->health->check_ns = on_grid(process->health->check_ns);
}

static void await_watchdog(struct sv_process *process, struct sv_step *step)
{
    double watchdog = process->config->health->watchdog;
    process->health->watchdog_ns = watchdog > 0 ? seconds_from(step, watchdog) : SV_NEVER;
}

void sv_health_begin_liveness(struct sv_process *process, struct sv_step *step)
{
    if (!process->health)
        return;
    process->health->failure_count = 0;
    await_life(process, step);
    await_watchdog(process, step);
}

/* It is not alive: what the configuration wants done. */
static void act(struct sv_process *process, enum sv_reason reason, struct sv_step *step)
{
    int action = process->config->health->liveness_action;
    sv_process_remark(process, reason, step);
    if (action == SV_LIVENESS_RESTART) {
        sv_health_end_run(process, reason, step);
        return;
    }
    if (action == SV_LIVENESS_STOP) {
        sv_process_begin_stop(process, reason, step);
        return;
    }
    if (action > 0)
        sv_process_signal(process, action, SV_TARGET_PROCESS, reason, step);
    stop_probe(process, step);
    sv_health_begin_liveness(process, step);
}

static void fail_life(struct sv_process *process, struct sv_step *step)
{
    process->health->failure_count++;
    if (process->health->failure_count >= process->config->health->liveness_failures)
        act(process, SV_REASON_LIVENESS_FAILED, step);
    else
        await_life(process, step);
}

static void live(struct sv_process *process, struct sv_step *step)
{
    process->health->failure_count = 0;
    process->health->words[0] = '\0';
    await_life(process, step);
}

static bool is_ending(const struct sv_process *process)
{
    return process->health->end_reason != SV_REASON_NONE;
}

void sv_cell_alive(struct sv_process *process, const struct sv_process_event *event,
                   struct sv_step *step)
{
    (void)event;
    if (!is_ending(process) && process->config->health->liveness.kind == SV_PROBE_LOG)
        live(process, step);
}

void sv_cell_watchdog(struct sv_process *process, const struct sv_process_event *event,
                      struct sv_step *step)
{
    (void)event;
    if (is_ending(process))
        return;
    await_watchdog(process, step);
    if (process->config->health->liveness.kind == SV_PROBE_NOTIFY)
        live(process, step);
}

void sv_cell_watchdog_expired(struct sv_process *process, const struct sv_process_event *event,
                              struct sv_step *step)
{
    const struct sv_health_config *config = process->config->health;
    if (is_ending(process) || !(config->watchdog > 0 || config->liveness.kind == SV_PROBE_NOTIFY))
        return;
    char words[SV_PROBE_WORDS_BYTES_MAX];
    if (event->kind == SV_PROCESS_EVENT_WATCHDOG_TRIGGER)
        snprintf(words, sizeof(words), "it said WATCHDOG=trigger");
    else
        snprintf(words, sizeof(words), "no WATCHDOG=1 within %g s", config->watchdog);
    note(process, words);
    act(process, SV_REASON_WATCHDOG_EXPIRED, step);
}

void sv_cell_probed_alive(struct sv_process *process, const struct sv_process_event *event,
                          struct sv_step *step)
{
    process->health->is_probing = false;
    if (event->is_ok) {
        live(process, step);
        return;
    }
    note(process, event->text);
    fail_life(process, step);
}

void sv_cell_check_alive(struct sv_process *process, const struct sv_process_event *event,
                         struct sv_step *step)
{
    (void)event;
    const struct sv_health_config *config = process->config->health;
    if (process->health->is_probing) {
        stop_probe(process, step);
        note_silence(process, config->liveness_timeout);
        fail_life(process, step);
    } else if (sv_probe_is_asked(&config->liveness)) {
        start_probe(process, step);
    } else {
        char words[SV_PROBE_WORDS_BYTES_MAX];
        snprintf(words, sizeof(words), "no %s within %g s",
                 config->liveness.kind == SV_PROBE_NOTIFY ? "WATCHDOG=1" : config->liveness.text,
                 config->liveness_period);
        note(process, words);
        fail_life(process, step);
    }
}
