/*
 * Limits of living programs.
 *
 * A group keeps the configuration that it was made from until `update` replaces it. Its limits are
 * the exception: when the files are read again and a group differs in nothing else, the new limits
 * are taken over at once, into the kernel for what runs and for every later run. So a unit and a
 * group have a pointer of their own to their limits, and the group holds the configuration that
 * they are in.
 */
#include "driver/internal.h"
#include "driver/outlive/outlive.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "io/limits_process.h"

/* --- what is told --- */

static void log_change(const char *prefix, const struct sv_limiter_change *change)
{
    for (unsigned i = 0; i < SV_LIMIT_COUNT; i++) {
        enum sv_limit limit = (enum sv_limit)i;
        const struct sv_limit_entry *before = sv_limits_find(change->before, limit);
        const struct sv_limit_entry *after = sv_limits_find(change->after, limit);
        if (!sv_limit_entry_equal(before, after))
            sv_log_info("%s%s: %s %s -> %s", prefix, change->name, sv_limit_key(limit),
                        before ? before->text : "(none)", after ? after->text : "(none)");
    }
}

/* --- what is done --- */

static struct sv_limiter_change of_group(const struct sv_unit_group *group,
                                         const struct sv_limits *before,
                                         const struct sv_limits *after)
{
    return (struct sv_limiter_change){.before = before,
                                      .after = after,
                                      .name = group->config->name,
                                      .is_own = group->config->kind != SV_GROUP_HETEROGENEOUS};
}

/* oom_policy=stop must hear of a victim, and eBPF is not always there to tell. */
static void want_oom(struct sv_unit *unit, struct sv_run *run)
{
    const struct sv_driver *driver = unit->driver;
    run->wants_oom_meter =
        sv_limits_oom_policy(unit->limits) == SV_OOM_STOP && !sv_kernel_tells_oom(driver->kernel) &&
        sv_limiter_want_oom_events(driver->limiter, run->leaf, unit->config->name);
}

void sv_unit_limits_begin(struct sv_unit *unit, struct sv_run *run)
{
    const struct sv_unit_group *group = unit->group;
    if (!unit->limits && !group->limits)
        return;
    struct sv_limiter_change together = of_group(group, NULL, group->limits);
    struct sv_limiter_change alone = {.after = unit->limits, .name = unit->config->name};
    bool is_new = sv_limiter_begin_run(unit->driver->limiter, run->leaf, &together, &alone);
    want_oom(unit, run);
    sv_network_watch(run);
    if (group->limits)
        sv_resources_watch_group(unit->group, run->leaf, is_new);
}

/*
 * What the journal says was given, and is not asked for any more; NULL: nothing. The numbers do not
 * matter for what is taken back, but the text does: io_max names its disks.
 */
static struct sv_limits *parse_gone(char *lines, const struct sv_limits *wanted)
{
    struct sv_limits *gone = calloc(1, sizeof(*gone) + SV_LIMIT_COUNT * sizeof(gone->items[0]));
    for (char *line = lines, *next; gone && *line; line = next) {
        char *end = line + strcspn(line, "\n"), *value = strchr(line, ' ');
        if (*end != '\n' || !value || value > end || gone->count == SV_LIMIT_COUNT)
            break; /* cut at the bound of the journal's texts */
        next = end + 1;
        *end = *value++ = '\0';
        for (unsigned i = 0; i < SV_LIMIT_COUNT; i++)
            if (strcmp(line, sv_limit_key((enum sv_limit)i)) == 0 &&
                !sv_limits_find(wanted, (enum sv_limit)i))
                gone->items[gone->count++] =
                    (struct sv_limit_entry){.limit = (enum sv_limit)i, .text = value};
    }
    if (gone && gone->count > 0)
        return gone;
    free(gone);
    return NULL;
}

/* The files changed while no daemon ran: what they name no more is taken back, from the group's
 * directory with the first run that is adopted, which knows of it. */
static void take_back(struct sv_unit *unit, struct sv_run *run,
                      const struct sv_journal_entry *entry)
{
    struct sv_limiter *limiter = unit->driver->limiter;
    char *texts[] = {strdup(entry->group_limits), strdup(entry->limits)};
    struct sv_limits *groups = texts[0] ? parse_gone(texts[0], unit->group->limits) : NULL;
    struct sv_limits *of_run = texts[1] ? parse_gone(texts[1], unit->limits) : NULL;
    if (groups) {
        struct sv_limiter_change change = of_group(unit->group, groups, NULL);
        sv_limiter_change_group(limiter, &change);
    }
    if (of_run) {
        struct sv_limiter_change change = {.before = of_run, .name = unit->config->name};
        log_change("", &change);
        sv_limiter_change_run(limiter, run->leaf, &change);
        struct sv_limits_change carried = {.before = of_run,
                                           .name = unit->config->name,
                                           .nofile_soft = unit->driver->options.nofile_soft};
        sv_limits_process_change(&carried, run->pid, run->leaf);
    }
    free(groups);
    free(of_run);
    for (size_t i = 0; i < SV_ARRAY_LENGTH(texts); i++)
        free(texts[i]);
}

void sv_unit_limits_adopt(struct sv_unit *unit, struct sv_run *run,
                          const struct sv_journal_entry *entry)
{
    take_back(unit, run, entry);
    sv_unit_limits_begin(unit, run);
    struct sv_limits_change carried = {.after = unit->limits, .name = unit->config->name};
    if (unit->limits)
        sv_limits_process_change(&carried, run->pid, run->leaf);
    sv_resources_watch_run(run, false);
}

static void change_unit(struct sv_unit *unit, const struct sv_limits *after)
{
    struct sv_limiter_change change = {
        .before = unit->limits, .after = after, .name = unit->config->name};
    log_change("", &change);
    if (unit->run) {
        sv_limiter_change_run(unit->driver->limiter, unit->run->leaf, &change);
        struct sv_limits_change carried = {
            .before = unit->limits,
            .after = after,
            .name = unit->config->name,
            .nofile_soft = unit->driver->options.nofile_soft,
        };
        sv_limits_process_change(&carried, unit->run->pid, unit->run->leaf);
    }
    unit->limits = after;
    if (unit->run) {
        want_oom(unit, unit->run);
        sv_network_watch(unit->run);
        sv_resources_watch_run(unit->run, false);
    }
    sv_handover_note(unit->driver, unit->id);
}

static bool differs(const struct sv_unit_group *group, const struct sv_group_view *view,
                    const struct sv_group_config *config, const struct sv_driver *driver)
{
    if (!sv_limits_equal(group->limits, config->limits))
        return true;
    for (size_t i = 0; i < view->process_count; i++) {
        const struct sv_unit *unit = sv_idmap_get(&driver->units, view->processes[i]);
        if (unit && !sv_limits_equal(unit->limits, config->programs[i]->limits))
            return true;
    }
    return false;
}

/* Of a run that lives; NULL: none does, and the next one looks at the limits anyway. */
static const struct sv_cgroup_leaf *any_leaf(const struct sv_driver *driver,
                                             const struct sv_group_view *view)
{
    for (size_t i = 0; i < view->process_count; i++) {
        const struct sv_unit *unit = sv_idmap_get(&driver->units, view->processes[i]);
        if (unit && unit->run && unit->run->leaf)
            return unit->run->leaf;
    }
    return NULL;
}

static void take_over(struct sv_driver *driver, struct sv_unit_group *group,
                      const struct sv_group_config *config)
{
    const struct sv_group_view *view = sv_core_group(driver->core, group->config->name);
    if (!view || !differs(group, view, config, driver))
        return;
    assert(view->process_count == config->program_count);
    struct sv_limiter_change change = of_group(group, group->limits, config->limits);
    if (!change.is_own) /* else they are its program's, too, and told there */
        log_change("group ", &change);
    sv_limiter_change_group(driver->limiter, &change);
    group->limits = config->limits;
    sv_resources_watch_group(group, any_leaf(driver, view), true);
    for (size_t i = 0; i < view->process_count; i++) {
        struct sv_unit *unit = sv_driver_unit(driver, view->processes[i]);
        if (unit)
            change_unit(unit, config->programs[i]->limits);
    }
    sv_config_unref(group->limits_owner);
    group->limits_owner = sv_config_ref(driver->config);
}

void sv_unit_limits_reread(struct sv_driver *driver)
{
    sv_map_foreach (entry, &driver->groups) {
        struct sv_unit_group *group = entry->value;
        const struct sv_group_config *config = sv_config_group(driver->config, entry->key);
        struct sv_group_config now;
        sv_unit_groups_show(driver, group, &now);
        if (config && sv_group_config_equal(config, &now))
            take_over(driver, group, config);
    }
}

/* The directory may outlive the group, and serve the next one of that name. */
void sv_unit_limits_forget(struct sv_driver *driver, const struct sv_unit_group *group)
{
    struct sv_limiter_change change = of_group(group, group->limits, NULL);
    if (group->limits)
        sv_limiter_change_group(driver->limiter, &change);
}
