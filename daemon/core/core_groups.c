/*
 * Groups that come and go, what an earlier daemon knew of their processes, processes that come to a
 * living group and leave it, and programs that are disabled.
 *
 * A disabled program (Supvisors' supvisors.disable) is not started by anybody, whatever it is that
 * wants it: a request, autostart, autorestart. That is a matter of its name, so that a group that
 * is added later finds it disabled. What runs is not ended by it; who disables a program stops it,
 * too.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "core/core_internal.h"

const struct sv_process_event sv_core_autostart_event = {
    .kind = SV_PROCESS_EVENT_START,
    .reason = SV_REASON_AUTOSTART,
};

bool sv_core_is_shut_down(const struct sv_process *process)
{
    enum sv_reason reason =
        process->reason == SV_REASON_STOP_TIMEOUT ? process->stop_reason : process->reason;
    return process->state == SV_PROCESS_STOPPED &&
           (reason == SV_REASON_SHUTDOWN || reason == SV_REASON_RESTART);
}

void sv_core_autostart(struct sv_core *core, struct sv_group *group, struct sv_step *step)
{
    for (size_t i = 0; i < group->process_count; i++) {
        struct sv_process *process = group->processes[i];
        if (process->config->autostart && (process->run == 0 || sv_core_is_shut_down(process)))
            sv_core_tell(core, group, process, &sv_core_autostart_event, step);
    }
}

static bool is_disabled(const struct sv_core *core, const struct sv_process *process)
{
    return sv_map_has(&core->disabled, process->config->program);
}

void sv_core_on_group_add(struct sv_core *core, const struct sv_event *event, struct sv_step *step)
{
    struct sv_group *group = sv_groups_add(&core->groups, event->group);
    if (!group)
        return;
    for (size_t i = 0; i < group->process_count; i++)
        group->processes[i]->is_disabled = is_disabled(core, group->processes[i]);
    if (sv_heap_reserve(&core->alarms, core->groups.process_count + OWN_ALARMS) < 0)
        abort();
    core->stop_count = core->groups.count;
    sv_core_notice(SV_NOTICE_PROCESS_GROUP_ADDED, SV_REASON_NONE, group->name, step);
    if (core->phase == PHASE_BEGUN)
        sv_core_autostart(core, group, step);
}

void sv_core_on_restore(struct sv_core *core, const struct sv_event *event, struct sv_step *step)
{
    assert(core->phase == PHASE_NEW);
    struct sv_group *group;
    struct sv_process *process = sv_groups_process(&core->groups, event->process, &group);
    if (!process)
        return;
    sv_process_restore(process, event->record, step);
    sv_groups_count(&core->groups, group, process);
    if (!group->pool)
        return;
    sv_core_tell_pool(group, process, step);
    sv_pool_restore(group->pool, process->slot, event->record->listener_state, event->record->held);
}

void sv_core_on_restore_serials(struct sv_core *core, const struct sv_event *event,
                                struct sv_step *step)
{
    (void)step;
    assert(core->phase == PHASE_NEW);
    const struct sv_group *group = sv_groups_find(&core->groups, event->serials.group);
    if (core->next_serial < event->serials.next_serial)
        core->next_serial = event->serials.next_serial;
    if (group && group->pool)
        sv_pool_restore_serial(group->pool, event->serials.next_pool_serial);
}

void sv_core_on_restore_event(struct sv_core *core, const struct sv_event *event,
                              struct sv_step *step)
{
    assert(core->phase == PHASE_NEW);
    const struct sv_group *group = sv_groups_find(&core->groups, event->restored.group);
    struct sv_event_view restored = {
        .type = event->restored.type,
        .serial = event->restored.serial,
        .pool_serial = event->restored.pool_serial,
    };
    if (group && group->pool)
        sv_pool_restore_event(group->pool, &restored, event->restored.blob, step->actions);
}

void sv_core_on_group_remove(struct sv_core *core, const struct sv_event *event,
                             struct sv_step *step)
{
    struct sv_group *group = sv_groups_find(&core->groups, event->name);
    if (!group)
        return;
    for (size_t i = 0; i < group->process_count; i++)
        if (!sv_process_state_is_stopped(group->processes[i]->state))
            return;
    for (size_t i = 0; i < group->process_count; i++)
        sv_process_discard(group->processes[i], step);
    for (size_t i = 0; i < group->process_count; i++)
        sv_shortages_forget(&core->shortages, group->ids[i]);
    sv_shortages_forget(&core->shortages, group->first_id);
    if (group->pool)
        sv_actions_add(step->actions, SV_ACTION_FORGET_POOL)->deliver.group_name = group->name;
    sv_groups_remove(&core->groups, group);
    core->stop_count = core->groups.count;
    sv_core_notice(SV_NOTICE_PROCESS_GROUP_REMOVED, SV_REASON_NONE, group->name, step);
    for (size_t i = 0; i < group->process_count; i++)
        sv_actions_add(step->actions, SV_ACTION_RELEASE)->process = group->ids[i];
}

static void enable(struct sv_core *core, struct sv_group *group, struct sv_process *process,
                   struct sv_step *step)
{
    process->is_disabled = false;
    if (core->phase == PHASE_BEGUN && process->state == SV_PROCESS_STOPPED &&
        process->config->autostart)
        sv_core_tell(core, group, process, &sv_core_autostart_event, step);
}

void sv_core_on_disable(struct sv_core *core, const struct sv_event *event, struct sv_step *step)
{
    static char present; /* the map is a set: its values are only not NULL */
    const char *program = event->program.name;
    if (!event->program.is_disabled)
        sv_map_remove(&core->disabled, program);
    else if (sv_map_put(&core->disabled, program, &present) < 0)
        abort();
    for (size_t g = 0; g < core->groups.count; g++) {
        struct sv_group *group = core->groups.by_priority[g];
        for (size_t i = 0; i < group->process_count; i++) {
            struct sv_process *process = group->processes[i];
            if (strcmp(process->config->program, program) != 0 ||
                process->is_disabled == event->program.is_disabled)
                continue;
            if (event->program.is_disabled)
                process->is_disabled = true;
            else
                enable(core, group, process, step);
        }
    }
}

void sv_core_on_process_add(struct sv_core *core, const struct sv_event *event,
                            struct sv_step *step)
{
    struct sv_group *group = sv_groups_find(&core->groups, event->added.group);
    if (!group)
        return;
    struct sv_process *process = sv_groups_add_process(&core->groups, group, event->added.program);
    if (sv_heap_reserve(&core->alarms, core->groups.process_count + OWN_ALARMS) < 0)
        abort();
    process->is_disabled = is_disabled(core, process);
    if (core->phase == PHASE_BEGUN && process->config->autostart)
        sv_core_tell(core, group, process, &sv_core_autostart_event, step);
}

/* What waits for a delayed restart, or backs off, has nobody who would have to be stopped. */
void sv_core_on_retire(struct sv_core *core, const struct sv_event *event, struct sv_step *step)
{
    static const struct sv_process_event stop = {
        .kind = SV_PROCESS_EVENT_STOP,
        .reason = SV_REASON_REQUEST_STOP,
    };
    struct sv_group *group;
    struct sv_process *process = sv_groups_process(&core->groups, event->process, &group);
    if (!process)
        return;
    process->is_retired = event->is_retired;
    if (process->is_retired && process->state == SV_PROCESS_BACKOFF)
        sv_core_tell(core, group, process, &stop, step);
    else if (process->is_retired && sv_process_state_is_stopped(process->state)) {
        sv_process_discard(process, step);
        sv_shortages_forget(&core->shortages, process->id);
        if (group->pool)
            sv_pool_leave(group->pool, process->slot, step->actions);
        sv_actions_add(step->actions, SV_ACTION_RELEASE)->process = process->id;
        sv_groups_remove_process(&core->groups, group, process);
    }
}
