/* The outside of one process: its logs over all runs, and the signals that are sent to the current
 * one. */
#include "driver/deaths/deaths.h"
#include "driver/internal.h"
#include "driver/outlive/outlive.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/wait_status.h"
#include "driver/cluster/cluster.h"
#include "driver/live/live.h"

static int make_sinks(struct sv_unit *unit)
{
    const struct sv_daemon_config *daemon = &unit->group->owner->daemon;
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&name, "%s:%s", unit->group->config->name, unit->config->name);
    if (!sv_str_ok(&name))
        return -ENOMEM;
    for (int c = 0; c < 2; c++) {
        if (c == SV_STDERR && unit->config->redirect_stderr)
            continue;
        struct sv_sink_options options = {
            .channel = &unit->config->channels[c],
            .which = (enum sv_channel)c,
            .process_name = sv_str_text(&name),
            .identifier = daemon->identifier,
            .childlogdir = daemon->childlogdir,
            .strip_ansi = daemon->strip_ansi,
        };
        int r = sv_sink_new(&options, &unit->sinks[c]);
        if (r < 0)
            return error_trace(r);
    }
    return 0;
}

int sv_unit_new(struct sv_driver *driver, struct sv_unit_group *group, sv_process_id id,
                const struct sv_program_config *config)
{
    struct sv_unit *unit = calloc(1, sizeof(*unit));
    if (!unit)
        return -ENOMEM;
    unit->driver = driver;
    unit->group = group;
    unit->config = config;
    unit->limits = config->limits;
    unit->id = id;
    group->unit_count++;
    int r = make_sinks(unit);
    if (r == 0 && config->kind == SV_PROGRAM_LISTENER) {
        unit->parser = calloc(1, sizeof(*unit->parser));
        r = unit->parser ? 0 : -ENOMEM;
    }
    if (r == 0)
        r = sv_idmap_put(&driver->units, id, unit);
    if (r < 0) {
        sv_unit_free(unit);
        return error_trace(r);
    }
    return 0;
}

void sv_unit_free(struct sv_unit *unit)
{
    if (sv_driver_unit(unit->driver, unit->id) == unit)
        sv_idmap_remove(&unit->driver->units, unit->id);
    sv_deaths_settle(unit->driver);
    if (!unit->driver->is_leaving)
        sv_handover_forget(unit);
    sv_run_free(unit->run);
    sv_runs_forget(unit);
    sv_backlog_leave(unit);
    /* A log of a group that is gone stays, also an AUTO one: the next start of the daemon cleans
     * up. */
    for (int c = 0; c < 2; c++)
        sv_sink_free(unit->sinks[c], false);
    if (unit->parser)
        sv_listener_parser_done(unit->parser);
    free(unit->parser);
    free(unit->status_text);
    free(unit->shortages);
    free(unit->extra_arguments);
    unit->group->unit_count--;
    sv_config_unref(unit->owner);
    free(unit);
}

void sv_unit_changed(struct sv_driver *driver, sv_process_id id)
{
    sv_driver_cluster_changed(driver, id);
    sv_live_process_changed(driver, id);
}

struct sv_unit *sv_driver_unit(struct sv_driver *driver, sv_process_id id)
{
    return sv_idmap_get(&driver->units, id);
}

struct sv_unit *sv_unit_named(struct sv_driver *driver, const char *group, const char *process)
{
    const struct sv_group_view *view = sv_core_group(driver->core, group);
    for (size_t i = 0; view && i < view->process_count; i++)
        if (strcmp(view->programs[i]->name, process) == 0)
            return sv_driver_unit(driver, view->processes[i]);
    return NULL;
}

struct sv_run *sv_unit_run(const struct sv_unit *unit, uint32_t number)
{
    if (unit->run && unit->run->number == number)
        return unit->run;
    for (struct sv_run *run = unit->driver->lingering; run; run = run->next)
        if (run->unit == unit && run->number == number)
            return run;
    return NULL;
}

static int signal_process(const struct sv_run *run, int number)
{
    if (run->is_over)
        return -ESRCH;
    if (run->pidfd >= 0)
        return syscall(SYS_pidfd_send_signal, run->pidfd, number, NULL, 0) < 0 ? -errno : 0;
    /* Without a pidfd the pid is still ours: nobody but run.c reaps it, and it has not. */
    if (run->is_orphan && !sv_run_orphan_lives(run))
        return -ESRCH;
    assert(run->pid > 1);
    return kill(run->pid, number) < 0 ? -errno : 0;
}

/* The child made itself the leader of a group before it executed anything, so the group is its pid.
 */
static int signal_process_group(const struct sv_run *run, int number)
{
    if (run->is_over || (run->is_orphan && !sv_run_orphan_lives(run)))
        return -ESRCH;
    assert(run->pid > 1);
    return kill(-run->pid, number) < 0 ? -errno : 0;
}

static int signal_cgroup(const struct sv_run *run, int number)
{
    return run->leaf ? sv_cgroup_leaf_signal(run->leaf, number, 0) : 0;
}

static int (*const signallers[])(const struct sv_run *run, int number) = {
    [SV_TARGET_PROCESS] = signal_process,
    [SV_TARGET_PROCESS_GROUP] = signal_process_group,
    [SV_TARGET_CGROUP] = signal_cgroup,
};

static const char *const target_words[] = {
    [SV_TARGET_PROCESS] = "",
    [SV_TARGET_PROCESS_GROUP] = "process group ",
    [SV_TARGET_CGROUP] = "what is left of it ",
};

static void note_deed(struct sv_run *run, const struct sv_action *action)
{
    struct sv_deeds *deeds = &run->deeds;
    bool is_for_strays = action->signal.target == SV_TARGET_CGROUP;
    if (is_for_strays)
        deeds->are_strays_signalled |= run->is_over;
    if (run->is_over || is_for_strays)
        return;
    int number = action->signal.number;
    struct sv_process_view view;
    bool is_ending = sv_core_process(run->unit->driver->core, run->unit->id, &view) &&
                     (view.state == SV_PROCESS_STOPPING || view.end_reason != SV_REASON_NONE);
    deeds->is_escalated |=
        is_ending && number == SIGKILL && run->unit->config->stopsignal != SIGKILL;
    deeds->stop_signal = number;
    deeds->time_ns = sv_now_ns();
    deeds->reason = action->signal.reason;
}

void sv_unit_signal(struct sv_unit *unit, const struct sv_action *action)
{
    struct sv_run *run = sv_unit_run(unit, action->run);
    if (!run)
        return; /* it is over, and its end was told */
    int number = action->signal.number;
    enum sv_signal_target target = action->signal.target;
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    sv_signal_name(number, &name);
    sv_log_debug("sending %s (pid %d) %ssig %s", unit->config->name, (int)run->pid,
                 target_words[target], sv_str_text(&name));
    note_deed(run, action);
    int r = signallers[target](run, number);
    sv_handover_note(unit->driver, unit->id); /* sent: the next daemon does not send it again */
    if (r >= 0 || r == -ESRCH)
        return; /* ESRCH: it has just ended by itself, which its pidfd tells */
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&text, "unknown problem sending sig %s (%s): %s", sv_str_text(&name),
                unit->config->name, sv_errno_name(r));
    sv_log_critical("%s", sv_str_text(&text));
    sv_driver_feed(unit->driver, (struct sv_event){.kind = SV_EVENT_SIGNAL_FAILED,
                                                   .process = unit->id,
                                                   .run = run->number,
                                                   .text = sv_str_text(&text)});
}

void sv_unit_fence(struct sv_unit *unit)
{
    struct sv_run *run = unit->run;
    if (!run || run->is_over)
        return;
    run->keeper_reason = SV_REASON_KEEPER_DEADLINE;
    (void)signal_process(run, SIGKILL); /* what could go wrong is that it has just ended */
    sv_unit_kill_cgroup(unit, run->number);
}

void sv_unit_kill_cgroup(struct sv_unit *unit, uint32_t run_number)
{
    struct sv_run *run = sv_unit_run(unit, run_number);
    if (!run || !run->leaf)
        return;
    run->deeds.are_strays_killed |= run->is_over;
    int r = sv_cgroup_leaf_kill(run->leaf);
    if (r < 0)
        sv_log_error("%s: what is left in %s could not be killed: %s", unit->config->name,
                     sv_cgroup_leaf_path(run->leaf), sv_errno_text(r));
}
