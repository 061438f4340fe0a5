/* What the core shows of itself: nothing here changes it. */
#include "core/core_internal.h"

uint64_t sv_core_deadline_ns(const struct sv_core *core)
{
    const struct sv_heap_node *first = sv_heap_first(&core->alarms);
    return first ? first->key : SV_NEVER;
}

bool sv_core_process(const struct sv_core *core, sv_process_id id, struct sv_process_view *ret_view)
{
    struct sv_group *group;
    const struct sv_process *process = sv_groups_process(&core->groups, id, &group);
    if (!process)
        return false;
    sv_process_show(process, ret_view);
    ret_view->group = group->config;
    if (group->pool)
        ret_view->listener_state = sv_pool_listener_state(group->pool, process->slot);
    return true;
}

bool sv_core_record(const struct sv_core *core, sv_process_id id,
                    struct sv_process_record *ret_record)
{
    struct sv_group *group;
    const struct sv_process *process = sv_groups_process(&core->groups, id, &group);
    if (!process)
        return false;
    sv_process_record(process, ret_record);
    if (group->pool)
        ret_record->listener_state = sv_pool_listener_state(group->pool, process->slot);
    struct sv_event_view held;
    if (group->pool && sv_pool_held_event(group->pool, process->slot, &held))
        ret_record->held = held.pool_serial + 1;
    return true;
}

const struct sv_group_view *sv_core_groups(const struct sv_core *core, size_t *ret_count)
{
    *ret_count = core->groups.count;
    return core->groups.views;
}

const struct sv_group_view *sv_core_group(const struct sv_core *core, const char *name)
{
    const struct sv_group *group = sv_groups_find(&core->groups, name);
    return group ? &group->view : NULL;
}

enum sv_supervisor_state sv_core_state(const struct sv_core *core)
{
    return core->state;
}

sv_notice_set sv_core_wanted_notices(const struct sv_core *core)
{
    return core->groups.wanted;
}

static const struct sv_pool *pool_named(const struct sv_core *core, const char *group_name)
{
    const struct sv_group *group = sv_groups_find(&core->groups, group_name);
    return group ? group->pool : NULL;
}

bool sv_core_serials(const struct sv_core *core, const char *group_name, uint64_t *ret_next_serial,
                     uint64_t *ret_next_pool_serial)
{
    const struct sv_pool *pool = pool_named(core, group_name);
    if (!pool)
        return false;
    *ret_next_serial = core->next_serial;
    *ret_next_pool_serial = sv_pool_next_serial(pool);
    return true;
}

bool sv_core_next_event(const struct sv_core *core, const char *group_name, size_t *place,
                        struct sv_event_view *ret_event)
{
    const struct sv_pool *pool = pool_named(core, group_name);
    return pool && sv_pool_next_event(pool, place, ret_event);
}

bool sv_core_held_event(const struct sv_core *core, sv_process_id id,
                        struct sv_event_view *ret_event)
{
    struct sv_group *group;
    const struct sv_process *process = sv_groups_process(&core->groups, id, &group);
    if (!process || !group->pool)
        return false;
    return sv_pool_held_event(group->pool, process->slot, ret_event);
}
