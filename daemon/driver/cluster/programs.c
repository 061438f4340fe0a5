/*
 * The programs of this instance: which of them are disabled, and how many processes they have.
 *
 * New processes of a program are made of the files as they are now, read with another numprocs.
 * The number is forgotten with the daemon, and when the group is made anew: then the files count.
 */
#include "driver/cluster/internal.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "config/check.h"
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
                sv_unit_changed(driver, unit->id);
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

/* --- how many processes --- */

static bool is_of(const struct sv_unit *unit, const char *program)
{
    return unit && strcmp(unit->config->program, program) == 0;
}

/* How many it has, without those that are to go. 0: it is in no group that is in use. */
static uint32_t count_of(struct sv_driver *driver, const char *program)
{
    uint32_t count = 0;
    for (size_t i = 0; i < driver->units.slot_count; i++) {
        const struct sv_unit *unit = driver->units.slots[i].value;
        if (is_of(unit, program) && !unit->is_retired && unit->config->index >= count)
            count = unit->config->index + 1;
    }
    return count;
}

static bool has_program(struct sv_driver *driver, const struct sv_unit_group *group,
                        const char *program)
{
    for (size_t i = 0; i < driver->units.slot_count; i++) {
        const struct sv_unit *unit = driver->units.slots[i].value;
        if (is_of(unit, program) && unit->group == group)
            return true;
    }
    return false;
}

/* Those that go, and have not gone yet, stay instead. */
static int grow_group(struct sv_unit_group *group, struct sv_config *config,
                      const struct sv_group_config *wanted, const char *program)
{
    struct sv_driver *driver = group->driver;
    int r = 0;
    for (size_t i = 0; i < wanted->program_count && r == 0; i++) {
        const struct sv_program_config *process = wanted->programs[i];
        if (strcmp(process->program, program) != 0)
            continue;
        struct sv_unit *present = sv_unit_named(driver, group->config->name, process->name);
        if (!present)
            r = sv_unit_groups_add_process(driver, group, config, process);
        else if (present->is_retired)
            sv_unit_groups_retire(present, false);
    }
    return r;
}

static int grow(struct sv_driver_cluster *cluster, struct sv_config *config, const char *program)
{
    struct sv_driver *driver = cluster->driver;
    int r = 0;
    sv_map_foreach (entry, &driver->groups) {
        struct sv_unit_group *group = entry->value;
        const struct sv_group_config *wanted = sv_config_group(config, entry->key);
        if (wanted && r == 0 && has_program(driver, group, program))
            r = grow_group(group, config, wanted, program);
    }
    sv_api_process_changed(driver->api, 0); /* who waits for one to go waits in vain */
    return r;
}

static int read_and_grow(struct sv_driver_cluster *cluster, const char *program, uint32_t count)
{
    const struct sv_driver *driver = cluster->driver;
    struct sv_config_overrides overrides = {0};
    struct sv_diag diag SV_CLEANUP(sv_diag_done) = {0};
    if (driver->options.overrides)
        overrides = *driver->options.overrides;
    overrides.counted_program = program;
    overrides.numprocs = count;
    struct sv_config *config =
        sv_config_load(driver->config->file, driver->options.host, &overrides, &diag);
    if (!config) {
        struct sv_str text SV_CLEANUP(sv_str_done) = {0};
        sv_diag_render(&diag, &text);
        sv_log_error("program %s cannot have %u processes:\n%s", program, count,
                     sv_str_text(&text));
        return SV_NUMPROCS_E_NOT_APPLICABLE;
    }
    sv_rules_apply(cluster->rules, config);
    int r = grow(cluster, config, program);
    sv_config_unref(config);
    return r;
}

/* The next of the program from that number on which is not going yet. */
static struct sv_unit *excess(struct sv_driver *driver, const char *program, uint32_t count)
{
    for (size_t i = 0; i < driver->units.slot_count; i++) {
        struct sv_unit *unit = driver->units.slots[i].value;
        if (is_of(unit, program) && unit->config->index >= count && !unit->is_retired)
            return unit;
    }
    return NULL;
}

int sv_driver_cluster_set_numprocs(void *user, const char *program, uint32_t count)
{
    struct sv_driver_cluster *cluster = user;
    uint32_t present = count_of(cluster->driver, program);
    if (present == 0 || present == count)
        return 0;
    sv_log_info("program %s gets %u processes instead of %u, by request", program, count, present);
    if (count > present)
        return read_and_grow(cluster, program, count);
    struct sv_unit *unit;
    while ((unit = excess(cluster->driver, program, count)) != NULL)
        sv_unit_groups_retire(unit, true); /* and may be gone with that */
    return 0;
}
