/*
 * Readiness and liveness of runs, the doing of it: asks when the core says so, listens always.
 *
 * The forms that are asked (port, http, exec) begin with PROBE_START and end with PROBED, or with
 * PROBE_STOP if the core has lost its patience. The forms that speak by themselves (notify, log)
 * are heard from the launch on, before the core knows of the run: what a program writes first may
 * be the very line that is waited for.
 */
#include "driver/internal.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"

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

static void give_up(struct sv_checks *checks)
{
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

static void answer(const struct sv_run *run, uint32_t serial, bool is_ok, const char *words)
{
    sv_driver_feed(run->unit->driver,
                   (struct sv_event){.kind = SV_EVENT_PROBED,
                                     .process = run->unit->id,
                                     .run = run->number,
                                     .probed = {.serial = serial, .is_ok = is_ok, .text = words}});
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
    bool is_started = config->kind == SV_PROBE_EXEC ? start_command(checks, config, &words)
                                                    : start_connection(checks, config, &words);
    if (!is_started)
        answer(run, action->probe.serial, false, sv_str_text(&words));
}

void sv_checks_give_up(struct sv_unit *unit, uint32_t run_number)
{
    if (unit->run && unit->run->number == run_number && unit->run->checks)
        give_up(unit->run->checks);
}
