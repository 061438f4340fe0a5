/*
 * A life told line by line, for whoever looks for what a seed has found (`make sim … TRACE=1`).
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/names.h"
#include "world_internal.h"

static void tell_time(const struct world *world)
{
    printf("%" PRIu64 " %.3f ", world->step, (double)world->now_ns / (double)SECOND_NS);
}

static const char *event_name(enum sv_event_kind kind)
{
    static const char *const names[] = {
        [SV_EVENT_TIME] = "TIME",
        [SV_EVENT_BEGIN] = "BEGIN",
        [SV_EVENT_GROUP_ADD] = "GROUP_ADD",
        [SV_EVENT_GROUP_REMOVE] = "GROUP_REMOVE",
        [SV_EVENT_RESTORE] = "RESTORE",
        [SV_EVENT_START] = "START",
        [SV_EVENT_STOP] = "STOP",
        [SV_EVENT_SIGNAL] = "SIGNAL",
        [SV_EVENT_SPAWNED] = "SPAWNED",
        [SV_EVENT_SPAWN_FAILED] = "SPAWN_FAILED",
        [SV_EVENT_EXITED] = "EXITED",
        [SV_EVENT_EMPTIED] = "EMPTIED",
        [SV_EVENT_SIGNAL_FAILED] = "SIGNAL_FAILED",
        [SV_EVENT_READY] = "READY",
        [SV_EVENT_ALIVE] = "ALIVE",
        [SV_EVENT_WATCHDOG] = "WATCHDOG",
        [SV_EVENT_WATCHDOG_TRIGGER] = "WATCHDOG_TRIGGER",
        [SV_EVENT_EXTEND] = "EXTEND",
        [SV_EVENT_PROBE_TURN] = "PROBE_TURN",
        [SV_EVENT_PROBED] = "PROBED",
        [SV_EVENT_OOM_KILL] = "OOM_KILL",
        [SV_EVENT_SHORTAGE] = "SHORTAGE",
        [SV_EVENT_SHUTDOWN] = "SHUTDOWN",
        [SV_EVENT_PUBLISH] = "PUBLISH",
        [SV_EVENT_LISTENER_READY] = "LISTENER_READY",
        [SV_EVENT_LISTENER_RESULT] = "LISTENER_RESULT",
        [SV_EVENT_LISTENER_BROKEN] = "LISTENER_BROKEN",
    };
    _Static_assert(sizeof(names) / sizeof(*names) == SV_EVENT_COUNT, "every event has a name");
    return names[kind];
}

void trace_event(const struct world *world, const struct sv_event *event)
{
    const struct actor *actor = &world->actors[event->process];
    tell_time(world);
    printf("%s", event_name(event->kind));
    if (event->process)
        printf(" of %u (g%d:%c), run %u of %u", event->process, actor->group,
               'a' + (char)actor->program, event->run, actor->run);
    if (event->kind == SV_EVENT_RESTORE)
        printf(": %s, run %u, main %d, strays %d, %u failures",
               sv_process_state_name(event->record->state), event->record->run,
               (int)event->record->main, (int)event->record->strays, event->record->failure_count);
    printf("\n");
}

void trace_action(const struct world *world, const struct sv_action *action)
{
    static const char *const names[] = {
        [SV_ACTION_SPAWN] = "spawn",
        [SV_ACTION_SIGNAL] = "signal",
        [SV_ACTION_KILL_CGROUP] = "kill cgroup",
        [SV_ACTION_PROBE_START] = "probe",
        [SV_ACTION_PROBE_STOP] = "probe no more",
        [SV_ACTION_NOTICE] = "notice",
        [SV_ACTION_SHORTAGE] = "shortage",
        [SV_ACTION_DELIVER] = "deliver",
        [SV_ACTION_RELEASE] = "release",
        [SV_ACTION_QUIT] = "quit",
    };
    _Static_assert(sizeof(names) / sizeof(*names) == SV_ACTION_COUNT, "every action has a name");
    const struct actor *actor = &world->actors[action->process];
    tell_time(world);
    printf("  %s", names[action->kind]);
    if (action->process)
        printf(" %u (g%d:%c), run %u", action->process, actor->group, 'a' + (char)actor->program,
               action->run);
    if (action->kind == SV_ACTION_SIGNAL)
        printf(": %d to %d", action->signal.number, (int)action->signal.target);
    if (action->kind == SV_ACTION_NOTICE)
        printf(": %s %s, %s -> %s, %u tries", sv_notice_name(action->notice.type),
               sv_reason_name(action->notice.reason), sv_process_state_name(action->notice.from),
               sv_process_state_name(action->notice.to), action->notice.tries);
    printf("\n");
}

void trace_death(const struct world *world)
{
    tell_time(world);
    printf("the daemon has died\n");
}
