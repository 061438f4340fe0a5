/*
 * The decision core of one node.
 *
 * A step takes one event, works out what it means for whom, then lets every deadline that is due by
 * the event's time speak (the earliest first, then by process id), then moves a shutdown on as far
 * as it goes, and last hands out events to listeners. So the driver needs one timer, and an idle
 * core with ten thousand processes costs nothing.
 *
 * The daemon's own life is Supervisor's: BEGIN says SUPERVISOR_STATE_CHANGE_RUNNING and starts what
 * is autostart, groups by priority, within a group as configured. SHUTDOWN says …_STOPPING and then
 * stops one group after the other from the highest priority number down (listeners have -1 by
 * default: they hear of everybody's end before their own), within a group all processes at once
 * from the highest number down. The next group is asked when nothing of the former one is left. No
 * process is started any more. When everything is settled comes QUIT, once. A shutdown overrules a
 * restart under way, not the other way round.
 *
 * "Settled" is more than Supervisor's "stopped": what a program left in its cgroup is waited for
 * too. And less: what does not even die of SIGKILL is given up after SV_KILL_WAIT_SECONDS. The time
 * a shutdown takes is therefore bounded: for each group stopwaitsecs and twice that wait.
 *
 * A daemon that dies in the middle of its shutdown leaves one that was cut short. It is over with
 * that daemon, as any shutdown is: what it has stopped is no more stopped by anybody's wish, and
 * the next daemon starts it if it is autostart; what was being stopped is first brought to its end.
 * What it had not come to yet lives on.
 */
#include <assert.h>
#include <stdlib.h>
#include <svisor/limits.h>

#include "base/names.h"
#include "core/core_internal.h"

static bool is_stopping(const struct sv_core *core)
{
    return core->state != SV_SUPERVISOR_RUNNING;
}

static enum sv_reason stop_reason(const struct sv_core *core)
{
    return core->state == SV_SUPERVISOR_RESTARTING ? SV_REASON_RESTART : SV_REASON_SHUTDOWN;
}

void sv_core_notice(enum sv_notice_type type, enum sv_reason reason, const char *group_name,
                    struct sv_step *step)
{
    struct sv_action *action = sv_actions_add(step->actions, SV_ACTION_NOTICE);
    action->notice.type = type;
    action->notice.reason = reason;
    action->notice.is_expected = true;
    action->notice.group_name = group_name;
}

void sv_core_tell_pool(struct sv_group *group, const struct sv_process *process,
                       struct sv_step *step)
{
    struct sv_listener_process listener = {
        .id = process->id,
        .run = process->run,
        .is_alive = process->main == SV_MAIN_ALIVE,
        .is_running = process->state == SV_PROCESS_RUNNING,
    };
    sv_pool_update(group->pool, process->slot, &listener, step->actions);
}

void sv_core_tell(struct sv_core *core, struct sv_group *group, struct sv_process *process,
                  const struct sv_process_event *event, struct sv_step *step)
{
    bool may_start = step->may_start;
    step->may_start = may_start && !process->is_disabled && !process->is_retired;
    sv_process_handle(process, event, step);
    if (core->phase == PHASE_BEGUN && step->may_start && process->config->autostart &&
        sv_core_is_shut_down(process))
        sv_process_handle(process, &sv_core_autostart_event, step);
    step->may_start = may_start;
    sv_groups_count(&core->groups, group, process);
    if (group->pool)
        sv_core_tell_pool(group, process, step);
}

/* Events about the daemon and its groups. */

static void on_time(struct sv_core *core, const struct sv_event *event, struct sv_step *step)
{
    (void)core;
    (void)event;
    (void)step;
}

static void on_begin(struct sv_core *core, const struct sv_event *event, struct sv_step *step)
{
    (void)event;
    assert(core->phase == PHASE_NEW);
    core->phase = PHASE_BEGUN;
    sv_core_notice(SV_NOTICE_SUPERVISOR_STATE_CHANGE_RUNNING, SV_REASON_NONE, NULL, step);
    for (size_t i = 0; i < core->groups.count; i++)
        sv_core_autostart(core, core->groups.by_priority[i], step);
}

static void on_shutdown(struct sv_core *core, const struct sv_event *event, struct sv_step *step)
{
    if (is_stopping(core)) {
        if (core->state == SV_SUPERVISOR_RESTARTING && !event->is_restart)
            core->state = SV_SUPERVISOR_SHUTDOWN;
        return;
    }
    core->state = event->is_restart ? SV_SUPERVISOR_RESTARTING : SV_SUPERVISOR_SHUTDOWN;
    core->stop_count = core->groups.count;
    step->may_start = false;
    sv_core_notice(SV_NOTICE_SUPERVISOR_STATE_CHANGE_STOPPING, stop_reason(core), NULL, step);
    sv_heap_set(&core->alarms, &core->report, step->now_ns);
}

/* Events about one process. */

static const enum sv_process_event_kind process_events[SV_EVENT_COUNT] = {
    [SV_EVENT_START] = SV_PROCESS_EVENT_START,
    [SV_EVENT_STOP] = SV_PROCESS_EVENT_STOP,
    [SV_EVENT_SIGNAL] = SV_PROCESS_EVENT_SIGNAL,
    [SV_EVENT_SPAWNED] = SV_PROCESS_EVENT_SPAWNED,
    [SV_EVENT_SPAWN_FAILED] = SV_PROCESS_EVENT_SPAWN_FAILED,
    [SV_EVENT_EXITED] = SV_PROCESS_EVENT_EXITED,
    [SV_EVENT_EMPTIED] = SV_PROCESS_EVENT_EMPTIED,
    [SV_EVENT_SIGNAL_FAILED] = SV_PROCESS_EVENT_SIGNAL_FAILED,
    [SV_EVENT_READY] = SV_PROCESS_EVENT_READY,
    [SV_EVENT_ALIVE] = SV_PROCESS_EVENT_ALIVE,
    [SV_EVENT_WATCHDOG] = SV_PROCESS_EVENT_WATCHDOG,
    [SV_EVENT_WATCHDOG_TRIGGER] = SV_PROCESS_EVENT_WATCHDOG_TRIGGER,
    [SV_EVENT_EXTEND] = SV_PROCESS_EVENT_EXTEND,
    [SV_EVENT_PROBE_TURN] = SV_PROCESS_EVENT_PROBE_TURN,
    [SV_EVENT_PROBED] = SV_PROCESS_EVENT_PROBED,
    [SV_EVENT_OOM_KILL] = SV_PROCESS_EVENT_OOM_KILL,
};

static void on_request(struct sv_core *core, const struct sv_event *event, struct sv_step *step)
{
    struct sv_group *group;
    struct sv_process *process = sv_groups_process(&core->groups, event->process, &group);
    if (!process)
        return;
    struct sv_process_event translated = {
        .kind = process_events[event->kind],
        .reason = event->kind == SV_EVENT_START ? SV_REASON_REQUEST_START : SV_REASON_REQUEST_STOP,
        .number = event->kind == SV_EVENT_SIGNAL ? event->number : 0,
    };
    sv_core_tell(core, group, process, &translated, step);
}

static void on_answer(struct sv_core *core, const struct sv_event *event, struct sv_step *step)
{
    struct sv_group *group;
    struct sv_process *process = sv_groups_process(&core->groups, event->process, &group);
    struct sv_process_event translated = {.kind = process_events[event->kind]};
    if (event->kind == SV_EVENT_PROBED)
        translated.serial = event->probed.serial;
    else if (event->kind == SV_EVENT_PROBE_TURN)
        translated.serial = event->turn.serial;
    if (!process || !sv_process_awaits(process, &translated, event->run))
        return;
    if (event->kind == SV_EVENT_EXITED)
        sv_shortages_end_run(&core->shortages, process->id, step->now_ns, step->actions);
    if (event->kind == SV_EVENT_SPAWNED) {
        translated.number = event->pid;
    } else if (event->kind == SV_EVENT_SPAWN_FAILED) {
        translated.text = event->text;
    } else if (event->kind == SV_EVENT_EXITED) {
        translated.number = event->exited.wait_status;
        translated.has_strays = event->exited.has_strays;
        translated.is_unknown = event->exited.is_unknown;
        translated.keeper_reason = event->exited.keeper_reason;
    } else if (event->kind == SV_EVENT_EXTEND) {
        translated.extend_ns = event->extend_ns;
    } else if (event->kind == SV_EVENT_PROBE_TURN) {
        translated.is_waiting = event->turn.is_waiting;
    } else if (event->kind == SV_EVENT_PROBED) {
        translated.is_ok = event->probed.is_ok;
        translated.text = event->probed.text;
    } else if (event->kind == SV_EVENT_OOM_KILL) {
        translated.number = event->oom_policy;
    }
    sv_core_tell(core, group, process, &translated, step);
}

/* Of a process, or of the group that it is in. */
static void on_shortage(struct sv_core *core, const struct sv_event *event, struct sv_step *step)
{
    struct sv_group *group;
    struct sv_process *process = sv_groups_process(&core->groups, event->process, &group);
    if (!process)
        return;
    sv_process_id subject = event->shortage->is_of_group ? group->first_id : process->id;
    sv_shortages_hear(&core->shortages, event, subject, step->actions);
}

/* Events of and for listeners. */

static void on_publish(struct sv_core *core, const struct sv_event *event, struct sv_step *step)
{
    if (!(core->groups.wanted >> event->publish.type & 1))
        return;
    uint64_t serial = core->next_serial++;
    for (size_t i = 0; i < core->groups.pool_count; i++) {
        struct sv_pool *pool = core->groups.pools[i]->pool;
        if (sv_pool_wants(pool, event->publish.type))
            sv_pool_accept(pool, event->publish.type, event->publish.blob, serial, step->actions);
    }
}

static void on_listener(struct sv_core *core, const struct sv_event *event, struct sv_step *step)
{
    struct sv_group *group;
    struct sv_process *process = sv_groups_process(&core->groups, event->process, &group);
    if (!process || !group->pool || (event->run != 0 && event->run != process->run))
        return;
    enum sv_listener_event heard = SV_LISTENER_IS_BROKEN;
    if (event->kind == SV_EVENT_LISTENER_READY)
        heard = SV_LISTENER_SAYS_READY;
    else if (event->kind == SV_EVENT_LISTENER_RESULT)
        heard = event->is_ok ? SV_LISTENER_SAYS_OK : SV_LISTENER_SAYS_FAIL;
    sv_pool_hear(group->pool, process->slot, heard, step->actions);
}

static event_function *const handlers[] = {
    [SV_EVENT_TIME] = on_time,
    [SV_EVENT_BEGIN] = on_begin,
    [SV_EVENT_GROUP_ADD] = sv_core_on_group_add,
    [SV_EVENT_GROUP_REMOVE] = sv_core_on_group_remove,
    [SV_EVENT_DISABLE] = sv_core_on_disable,
    [SV_EVENT_PROCESS_ADD] = sv_core_on_process_add,
    [SV_EVENT_RETIRE] = sv_core_on_retire,
    [SV_EVENT_RESTORE] = sv_core_on_restore,
    [SV_EVENT_RESTORE_SERIALS] = sv_core_on_restore_serials,
    [SV_EVENT_RESTORE_EVENT] = sv_core_on_restore_event,
    [SV_EVENT_START] = on_request,
    [SV_EVENT_STOP] = on_request,
    [SV_EVENT_SIGNAL] = on_request,
    [SV_EVENT_SPAWNED] = on_answer,
    [SV_EVENT_SPAWN_FAILED] = on_answer,
    [SV_EVENT_EXITED] = on_answer,
    [SV_EVENT_EMPTIED] = on_answer,
    [SV_EVENT_SIGNAL_FAILED] = on_answer,
    [SV_EVENT_READY] = on_answer,
    [SV_EVENT_ALIVE] = on_answer,
    [SV_EVENT_WATCHDOG] = on_answer,
    [SV_EVENT_WATCHDOG_TRIGGER] = on_answer,
    [SV_EVENT_EXTEND] = on_answer,
    [SV_EVENT_PROBE_TURN] = on_answer,
    [SV_EVENT_PROBED] = on_answer,
    [SV_EVENT_OOM_KILL] = on_answer,
    [SV_EVENT_SHORTAGE] = on_shortage,
    [SV_EVENT_SHUTDOWN] = on_shutdown,
    [SV_EVENT_PUBLISH] = on_publish,
    [SV_EVENT_LISTENER_READY] = on_listener,
    [SV_EVENT_LISTENER_RESULT] = on_listener,
    [SV_EVENT_LISTENER_BROKEN] = on_listener,
};
_Static_assert(SV_ARRAY_LENGTH(handlers) == SV_EVENT_COUNT, "one handler for each event");

/* What time and a shutdown make happen after the event. */

static void report_waiting(struct sv_core *core, struct sv_step *step)
{
    if (core->groups.unsettled_count > 0)
        sv_core_notice(SV_NOTICE_EVENT, SV_REASON_SHUTDOWN_WAITING, NULL, step);
    sv_heap_set(&core->alarms, &core->report,
                sv_time_after(step->now_ns, SV_SHUTDOWN_REPORT_SECONDS * SV_NS_PER_SECOND));
}

static void await_shortage(struct sv_core *core)
{
    uint64_t due_ns = sv_shortages_due_ns(&core->shortages);
    if (due_ns == SV_NEVER)
        sv_heap_remove(&core->alarms, &core->shortage);
    else
        sv_heap_set(&core->alarms, &core->shortage, due_ns);
}

static void expire(struct sv_core *core, struct sv_step *step)
{
    struct sv_heap_node *node;
    while ((node = sv_heap_first(&core->alarms)) && node->key <= step->now_ns) {
        if (node == &core->report) {
            report_waiting(core, step);
            continue;
        }
        if (node == &core->shortage) {
            sv_shortages_tell(&core->shortages, step->now_ns, step->actions);
            await_shortage(core);
            continue;
        }
        struct sv_process *due = SV_CONTAINER_OF(node, struct sv_process, alarm);
        struct sv_group *group;
        struct sv_process *process = sv_groups_process(&core->groups, due->id, &group);
        assert(process == due);
        struct sv_process_event event = {.kind = sv_process_due(process, step->now_ns)};
        sv_core_tell(core, group, process, &event, step);
    }
}

static void stop_group(struct sv_core *core, struct sv_group *group, struct sv_step *step)
{
    struct sv_process_event stop = {
        .kind = SV_PROCESS_EVENT_SHUTDOWN,
        .reason = stop_reason(core),
    };
    group->is_stop_sent = true;
    for (size_t i = group->process_count; i > 0; i--)
        sv_core_tell(core, group, group->processes[i - 1], &stop, step);
}

/* True when a group was asked to stop, so that new deadlines may be due. */
static bool advance_shutdown(struct sv_core *core, struct sv_step *step)
{
    bool has_asked = false;
    while (core->stop_count > 0) {
        struct sv_group *group = core->groups.by_priority[core->stop_count - 1];
        if (!group->is_stop_sent) {
            stop_group(core, group, step);
            has_asked = true;
        }
        if (group->unsettled_count > 0)
            return has_asked;
        core->stop_count--;
    }
    if (core->groups.unsettled_count == 0) {
        core->phase = PHASE_OVER;
        sv_heap_remove(&core->alarms, &core->report);
        sv_actions_add(step->actions, SV_ACTION_QUIT)->is_restart =
            core->state == SV_SUPERVISOR_RESTARTING;
    }
    return has_asked;
}

void sv_core_step(struct sv_core *core, const struct sv_event *event, struct sv_actions *actions)
{
    assert((unsigned)event->kind < SV_EVENT_COUNT);
    assert(event->now_ns >= core->last_now_ns);
    core->last_now_ns = event->now_ns;
    struct sv_step step = {
        .now_ns = event->now_ns,
        .wall_ns = event->wall_ns,
        .actions = actions,
        .alarms = &core->alarms,
        .random = &core->random,
        .may_start = !is_stopping(core),
    };
    handlers[event->kind](core, event, &step);
    await_shortage(core);
    if (core->phase == PHASE_NEW)
        return; /* what is restored comes to life at BEGIN, when all of it is known */
    do
        expire(core, &step);
    while (is_stopping(core) && core->phase != PHASE_OVER && advance_shutdown(core, &step));
    for (size_t i = 0; i < core->groups.pool_count; i++)
        sv_pool_dispatch(core->groups.pools[i]->pool, actions);
}

struct sv_core *sv_core_new(uint64_t seed)
{
    struct sv_core *core = calloc(1, sizeof(*core));
    if (!core)
        return NULL;
    if (sv_heap_reserve(&core->alarms, OWN_ALARMS) < 0) {
        free(core);
        return NULL;
    }
    core->random.state = seed;
    core->state = SV_SUPERVISOR_RUNNING;
    return core;
}

void sv_core_settle(struct sv_core *core)
{
    sv_groups_forget(&core->groups);
}

void sv_core_free(struct sv_core *core)
{
    if (!core)
        return;
    sv_shortages_done(&core->shortages);
    sv_groups_done(&core->groups);
    sv_map_done(&core->disabled);
    sv_heap_done(&core->alarms);
    free(core);
}
