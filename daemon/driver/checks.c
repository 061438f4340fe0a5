/*
 * Readiness and liveness of runs, the doing of it: asks when the core says so, listens always.
 *
 * The forms that are asked (port, http, exec) begin with PROBE_START and end with PROBED, or with
 * PROBE_STOP if the core has lost its patience. The forms that speak by themselves (notify, log)
 * are heard from the launch on, before the core knows of the run: what a program writes first may
 * be the very line that is waited for.
 *
 * Commands cost processes: only so many of them live at one moment, over all programs, and the
 * others stand in one queue. The core is told when one has to wait and when its turn has come, so
 * that nobody's command fails because the commands of others are slow.
 */
#include "driver/internal.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "driver/live/live.h"

/* A program that writes such a line with every request need not wake the core with each. */
enum { ALIVE_SHARE = 4 /* of liveness_period */ };

static struct sv_log_watch *watch_of(const struct sv_probe_config *probe, bool *is_short)
{
    if (probe->kind != SV_PROBE_LOG)
        return NULL;
    struct sv_log_watch *watch = sv_log_watch_new(probe->pattern);
    *is_short |= !watch;
    return watch;
}

bool sv_checks_begin(struct sv_run *run)
{
    const struct sv_health_config *health = run->unit->config->health;
    if (!health)
        return true;
    struct sv_checks *checks = calloc(1, sizeof(*checks));
    if (!checks)
        return false;
    bool is_short = false;
    checks->run = run;
    checks->ready_watch = watch_of(&health->ready, &is_short);
    checks->alive_watch = watch_of(&health->liveness, &is_short);
    run->checks = checks;
    return !is_short;
}

static void leave_queue(struct sv_checks *checks)
{
    if (!checks->waiting)
        return;
    struct sv_check_queue *queue = &checks->run->unit->driver->check_queue;
    *(checks->before ? &checks->before->after : &queue->first) = checks->after;
    *(checks->after ? &checks->after->before : &queue->last) = checks->before;
    checks->before = checks->after = NULL;
    checks->waiting = NULL;
}

static void give_up(struct sv_checks *checks)
{
    leave_queue(checks);
    sv_socket_probe_free(sv_steal(&checks->socket));
    sv_child_probe_free(sv_steal(&checks->child));
}

void sv_checks_end(struct sv_run *run)
{
    struct sv_checks *checks = run->checks;
    run->checks = NULL;
    if (!checks)
        return;
    give_up(checks);
    sv_log_watch_free(checks->ready_watch);
    sv_log_watch_free(checks->alive_watch);
    free(checks);
}

static void feed(const struct sv_run *run, enum sv_event_kind kind)
{
    sv_driver_feed(run->unit->driver,
                   (struct sv_event){.kind = kind, .process = run->unit->id, .run = run->number});
}

/* Once in a run. */
static void tell_costly(struct sv_checks *checks, const struct sv_log_watch *watch)
{
    if (!watch || !sv_log_watch_has_given_up(watch) || checks->has_told_costly)
        return;
    checks->has_told_costly = true;
    sv_log_error(
        "%s: its pattern (log:) takes too long on what it writes, and is not looked for any "
        "more in this run; write one that does not have to try so much, without repetitions "
        "of repetitions",
        checks->run->unit->config->name);
}

static bool is_worth_telling(const struct sv_checks *checks)
{
    double period = checks->run->unit->config->health->liveness_period;
    uint64_t pause_ns = (uint64_t)(period * 1e9) / ALIVE_SHARE;
    return sv_now_ns() >= checks->alive_told_ns + pause_ns;
}

void sv_checks_heard(struct sv_run *run, enum sv_channel which, const char *data, size_t length)
{
    struct sv_checks *checks = run->checks;
    if (checks->ready_watch) {
        bool is_found = sv_log_watch_feed(checks->ready_watch, which, data, length);
        tell_costly(checks, checks->ready_watch);
        if (is_found) {
            sv_log_watch_free(sv_steal(&checks->ready_watch));
            feed(run, SV_EVENT_READY);
        }
    }
    if (checks->alive_watch && is_worth_telling(checks)) {
        bool is_found = sv_log_watch_feed(checks->alive_watch, which, data, length);
        tell_costly(checks, checks->alive_watch);
        if (is_found) {
            checks->alive_told_ns = sv_now_ns();
            feed(run, SV_EVENT_ALIVE);
        }
    }
}

/* The run may be gone when this returns. */
static void answer(const struct sv_run *run, uint32_t serial, bool is_ok, const char *words)
{
    struct sv_driver *driver = run->unit->driver;
    sv_process_id id = run->unit->id;
    sv_driver_feed(driver,
                   (struct sv_event){.kind = SV_EVENT_PROBED,
                                     .process = id,
                                     .run = run->number,
                                     .probed = {.serial = serial, .is_ok = is_ok, .text = words}});
    if (!is_ok)
        sv_live_process_changed(driver, id);
}

static void on_probed(void *user, bool is_ok, const char *words)
{
    struct sv_checks *checks = user;
    /* Both are freed after the core has heard: the words are theirs. */
    struct sv_socket_probe *socket = sv_steal(&checks->socket);
    struct sv_child_probe *child = sv_steal(&checks->child);
    sv_log_debug("%s: probe %u: %s", checks->run->unit->config->name, checks->serial,
                 is_ok ? "ok" : words);
    answer(checks->run, checks->serial, is_ok, words);
    sv_socket_probe_free(socket);
    sv_child_probe_free(child);
}

static void tell_turn(const struct sv_checks *checks, bool is_waiting)
{
    const struct sv_run *run = checks->run;
    sv_driver_feed(run->unit->driver,
                   (struct sv_event){.kind = SV_EVENT_PROBE_TURN,
                                     .process = run->unit->id,
                                     .run = run->number,
                                     .turn = {.serial = checks->serial, .is_waiting = is_waiting}});
}

static void enter_queue(struct sv_checks *checks, const struct sv_probe_config *config)
{
    struct sv_check_queue *queue = &checks->run->unit->driver->check_queue;
    checks->waiting = config;
    checks->before = queue->last;
    *(queue->last ? &queue->last->after : &queue->first) = checks;
    queue->last = checks;
    if (queue->told_ns == 0 || sv_now_ns() - queue->told_ns >= SV_PROBE_WAIT_TOLD_NS) {
        sv_log_warn(
            "%s: its check (%s) has to wait: %d commands of checks run already, and no more "
            "do at once; make them quicker, or ask more seldom",
            checks->run->unit->config->name, config->text, SV_PROBE_CHILDREN_MAX);
        queue->told_ns = sv_now_ns();
    }
    tell_turn(checks, true);
}

/* True when the answer will come. */
static bool start_command(struct sv_checks *checks, const struct sv_probe_config *config,
                          struct sv_str *words)
{
    struct sv_unit *unit = checks->run->unit;
    struct sv_probe_spawned spawned;
    if (!sv_launch_check(unit, config->argv, checks->serial, &spawned, words))
        return false;
    int r =
        sv_child_probe_new(unit->driver->child_probes, &spawned, on_probed, checks, &checks->child);
    if (r < 0)
        sv_str_addf(words, "the check cannot be watched: %s", sv_errno_text(r));
    return r == 0;
}

static bool start_connection(struct sv_checks *checks, const struct sv_probe_config *config,
                             struct sv_str *words)
{
    int r = sv_socket_probe_new(checks->run->unit->driver->loop, config, on_probed, checks,
                                &checks->socket, words);
    if (r < 0)
        sv_str_add(words, sv_errno_text(r));
    return r == 0;
}

static bool has_to_wait(const struct sv_driver *driver, const struct sv_probe_config *config)
{
    return config->kind == SV_PROBE_EXEC &&
           (driver->check_queue.first || !sv_child_probes_have_room(driver->child_probes));
}

void sv_checks_probe(struct sv_unit *unit, const struct sv_action *action)
{
    struct sv_run *run = unit->run;
    if (!run || run->number != action->run || !run->checks)
        return; /* it is over, and its end was told */
    const struct sv_probe_config *config = action->probe.config;
    struct sv_checks *checks = run->checks;
    struct sv_str words SV_CLEANUP(sv_str_done) = {0};
    give_up(checks);
    checks->serial = action->probe.serial;
    if (has_to_wait(unit->driver, config)) {
        enter_queue(checks, config);
        return;
    }
    bool is_started = config->kind == SV_PROBE_EXEC ? start_command(checks, config, &words)
                                                    : start_connection(checks, config, &words);
    if (!is_started)
        answer(run, action->probe.serial, false, sv_str_text(&words));
}

/* What is told may end the run that it is about, so it is told last. */
void sv_checks_take_turns(void *user)
{
    struct sv_driver *driver = user;
    while (driver->check_queue.first && sv_child_probes_have_room(driver->child_probes)) {
        struct sv_checks *checks = driver->check_queue.first;
        const struct sv_probe_config *config = checks->waiting;
        struct sv_str words SV_CLEANUP(sv_str_done) = {0};
        leave_queue(checks);
        if (start_command(checks, config, &words))
            tell_turn(checks, false);
        else
            answer(checks->run, checks->serial, false, sv_str_text(&words));
    }
}

void sv_checks_give_up(struct sv_unit *unit, uint32_t run_number)
{
    if (unit->run && unit->run->number == run_number && unit->run->checks)
        give_up(unit->run->checks);
}
