/*
 * Groups: they come and go together with the outside of their processes.
 *
 * The core gives the ids, so a group is added to it first; its actions (autostart) are performed
 * only after the units exist. A group is removed in the core, which then says RELEASE for each
 * process and PROCESS_GROUP_REMOVED, in whichever order; the last of them frees it.
 */
#include "driver/internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "driver/cluster/cluster.h"
#include "driver/live/live.h"

static void free_group(struct sv_unit_group *group)
{
    if (group->fcgi && group->is_left)
        sv_fcgi_listener_leave(group->fcgi);
    sv_fcgi_listener_free(group->fcgi);
    sv_resources_leave_group(group);
    sv_network_leave_group(group);
    free(group->shortages);
    sv_config_unref(group->owner);
    sv_config_unref(group->limits_owner);
    free(group);
}

static void free_if_done(struct sv_unit_group *group)
{
    if (group->is_removed && group->unit_count == 0)
        free_group(group);
}

static int make_units(struct sv_driver *driver, struct sv_unit_group *group)
{
    const struct sv_group_view *view = sv_core_group(driver->core, group->config->name);
    assert(view && view->process_count == group->config->program_count);
    for (size_t i = 0; i < view->process_count; i++) {
        int r = sv_unit_new(driver, group, view->processes[i], group->config->programs[i]);
        if (r < 0)
            return error_trace(r);
        sv_unit_changed(driver, view->processes[i]);
    }
    return 0;
}

static int new_group(struct sv_driver *driver, struct sv_config *owner,
                     const struct sv_group_config *config, struct sv_unit_group **ret_group)
{
    struct sv_unit_group *group = calloc(1, sizeof(*group));
    if (!group)
        return -ENOMEM;
    group->driver = driver;
    group->owner = sv_config_ref(owner);
    group->config = config;
    group->limits_owner = sv_config_ref(owner);
    group->limits = config->limits;
    if (config->kind == SV_GROUP_FCGI) {
        int r = sv_fcgi_listener_new(&config->fcgi, &group->fcgi);
        if (r < 0) {
            free_group(group);
            return error_trace(r);
        }
    }
    *ret_group = group;
    return 0;
}

int sv_unit_groups_add(struct sv_driver *driver, struct sv_config *owner,
                       const struct sv_group_config *config)
{
    struct sv_unit_group *group = NULL;
    int r = new_group(driver, owner, config, &group);
    if (r < 0)
        return r;
    r = sv_map_put(&driver->groups, config->name, group);
    if (r < 0) {
        free_group(group);
        return error_trace(r);
    }
    bool was_performing = driver->is_performing;
    driver->is_performing = true;
    sv_driver_feed(driver, (struct sv_event){.kind = SV_EVENT_GROUP_ADD, .group = config});
    r = make_units(driver, group);
    if (r < 0)
        sv_driver_feed(driver,
                       (struct sv_event){.kind = SV_EVENT_GROUP_REMOVE, .name = config->name});
    driver->is_performing = was_performing;
    sv_source_enable(driver->pump, true);
    sv_ticks_rearm(driver);
    return r;
}

static sv_process_id id_of(const struct sv_driver *driver, const struct sv_unit_group *group,
                           const struct sv_program_config *config)
{
    const struct sv_group_view *view = sv_core_group(driver->core, group->config->name);
    size_t place = 0;
    while (view->programs[place] != config)
        place++;
    return view->processes[place];
}

int sv_unit_groups_add_process(struct sv_driver *driver, struct sv_unit_group *group,
                               struct sv_config *owner, const struct sv_program_config *config)
{
    bool was_performing = driver->is_performing;
    driver->is_performing = true;
    sv_driver_feed(driver, (struct sv_event){.kind = SV_EVENT_PROCESS_ADD,
                                             .added = {group->config->name, config}});
    sv_process_id id = id_of(driver, group, config);
    int r = sv_unit_new(driver, group, id, config);
    if (r == 0) {
        sv_driver_unit(driver, id)->owner = sv_config_ref(owner);
        sv_unit_changed(driver, id);
    } else { /* what it was to do is not done: there is no unit */
        sv_driver_feed(driver, (struct sv_event){.kind = SV_EVENT_STOP, .process = id});
        sv_driver_feed(
            driver, (struct sv_event){.kind = SV_EVENT_RETIRE, .process = id, .is_retired = true});
    }
    driver->is_performing = was_performing;
    sv_source_enable(driver->pump, true);
    return r;
}

void sv_unit_groups_retire(struct sv_unit *unit, bool is_retired)
{
    unit->is_retired = is_retired;
    sv_driver_feed(
        unit->driver,
        (struct sv_event){.kind = SV_EVENT_RETIRE, .process = unit->id, .is_retired = is_retired});
}

void sv_unit_groups_show(const struct sv_driver *driver, const struct sv_unit_group *group,
                         struct sv_group_config *ret_config)
{
    const struct sv_group_view *view = sv_core_group(driver->core, group->config->name);
    *ret_config = *group->config;
    ret_config->programs = view->programs;
    ret_config->program_count = view->process_count;
}

void sv_unit_groups_release(struct sv_driver *driver, sv_process_id id)
{
    struct sv_unit *unit = sv_driver_unit(driver, id);
    if (!unit)
        return;
    struct sv_unit_group *group = unit->group;
    sv_driver_cluster_removed(driver, group->config->name, unit->config->name);
    sv_live_process_removed(unit);
    sv_unit_free(unit);
    free_if_done(group);
}

void sv_unit_groups_removed(struct sv_driver *driver, const char *name)
{
    struct sv_unit_group *group = sv_map_remove(&driver->groups, name);
    if (!group)
        return;
    group->is_removed = true;
    sv_unit_limits_forget(driver, group);
    free_if_done(group);
    sv_runs_tidy(driver);
    sv_ticks_rearm(driver);
}

void sv_unit_groups_free_all(struct sv_driver *driver)
{
    for (size_t i = 0; i < driver->units.slot_count;) {
        struct sv_unit *unit = driver->units.slots[i].value;
        if (unit)
            sv_unit_groups_release(driver, unit->id); /* may move another unit into this slot */
        else
            i++;
    }
    sv_map_foreach (entry, &driver->groups) {
        struct sv_unit_group *group = entry->value;
        group->is_left = driver->is_leaving;
        free_group(group);
    }
    sv_map_done(&driver->groups);
}
