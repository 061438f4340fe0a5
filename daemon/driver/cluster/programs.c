/* The programs of this instance: which of them are disabled. */
#include "driver/cluster/internal.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "io/disabilities.h"

static void disable(void *user, const char *program)
{
    struct sv_driver_cluster *cluster = user;
    sv_driver_feed(cluster->driver,
                   (struct sv_event){.kind = SV_EVENT_DISABLE, .program = {program, true}});
}

int sv_driver_cluster_open_programs(struct sv_driver_cluster *cluster, struct sv_str *ret_error)
{
    int r =
        sv_disabilities_open(cluster->config->disabilities_file, ret_error, &cluster->disabilities);
    if (r == SV_DISABILITIES_E_BROKEN)
        return SV_DRIVER_REFUSED;
    if (r == 0)
        sv_disabilities_tell(cluster->disabilities, disable, cluster);
    return r;
}

static int save(struct sv_driver_cluster *cluster)
{
    int r = sv_disabilities_save(cluster->disabilities);
    if (r < 0)
        sv_log_error("disabilities_file %s cannot be written: %s",
                     cluster->config->disabilities_file, sv_errno_text(r));
    return r;
}

void sv_driver_cluster_note_programs(struct sv_driver_cluster *cluster,
                                     const struct sv_config *config)
{
    for (size_t g = 0; g < config->group_count; g++)
        for (size_t i = 0; i < config->groups[g]->program_count; i++)
            if (sv_disabilities_know(cluster->disabilities,
                                     config->groups[g]->programs[i]->program) < 0)
                sv_log_error("out of memory for the disabilities_file");
    (void)save(cluster);
}

static bool group_has_program(const struct sv_group_config *group, const char *program)
{
    for (size_t i = 0; i < group->program_count; i++)
        if (strcmp(group->programs[i]->program, program) == 0)
            return true;
    return false;
}

bool sv_driver_cluster_knows_program(void *user, const char *program)
{
    const struct sv_driver_cluster *cluster = user;
    const struct sv_config *config = cluster->driver->config;
    for (size_t g = 0; g < config->group_count; g++)
        if (group_has_program(config->groups[g], program))
            return true;
    sv_map_foreach (entry, &cluster->driver->groups) {
        const struct sv_unit_group *group = entry->value;
        if (group_has_program(group->config, program))
            return true;
    }
    return false;
}

static void tell_rows(struct sv_driver *driver, const char *program)
{
    size_t count;
    const struct sv_group_view *groups = sv_core_groups(driver->core, &count);
    for (size_t g = 0; g < count; g++)
        for (size_t i = 0; i < groups[g].process_count; i++) {
            const struct sv_unit *unit = sv_driver_unit(driver, groups[g].processes[i]);
            if (unit && strcmp(unit->config->program, program) == 0)
                sv_driver_cluster_changed(driver, unit->id);
        }
}

int sv_driver_cluster_set_disabled(void *user, const char *program, bool is_disabled)
{
    struct sv_driver_cluster *cluster = user;
    bool was_disabled = sv_disabilities_has(cluster->disabilities, program);
    int r = sv_disabilities_put(cluster->disabilities, program, is_disabled);
    if (r == 0)
        r = save(cluster);
    if (r < 0) {
        (void)sv_disabilities_put(cluster->disabilities, program, was_disabled);
        return r;
    }
    if (was_disabled != is_disabled)
        sv_log_info("program %s is %s by request", program, is_disabled ? "disabled" : "enabled");
    sv_driver_feed(cluster->driver,
                   (struct sv_event){.kind = SV_EVENT_DISABLE, .program = {program, is_disabled}});
    tell_rows(cluster->driver, program);
    return 0;
}
