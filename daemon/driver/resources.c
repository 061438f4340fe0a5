/*
 * Shortages of resources: who is watched for what, what is said when something runs short, and the
 * last of it, for those who ask.
 *
 *     meters, eBPF ──SHORTAGE──> core ──when it is time──> sv_resources_tell(): log, event, memory
 *
 * A program is watched for the limits that it has, and for the bounds that it was given; most have
 * neither and cost nothing. The group's directory has meters of its own, opened with the first run
 * in it and anew when the directory was made anew.
 */
#include "driver/deaths/deaths.h"
#include "driver/internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/shortage.h"
#include "driver/cluster/cluster.h"
#include "driver/live/live.h"
#include "io/cgroup_usage.h"
#include "wire/shortage.h"

enum { NS_PER_SECOND = 1000000000, MENTIONS_MAX = 3 };

/* What was told, the newest last. Made by the first shortage. */
struct sv_shortage_history {
    size_t count;
    struct memory {
        uint32_t run;
        int32_t pid;
        int64_t first_wall_ns, last_wall_ns;
        struct sv_shortage sum;
    } items[SV_RESOURCE_EVENTS_MAX];
};

/* --- what is heard --- */

static void feed(struct sv_driver *driver, sv_process_id process, uint32_t run,
                 const struct sv_shortage *shortage)
{
    sv_driver_feed(driver, (struct sv_event){.kind = SV_EVENT_SHORTAGE,
                                             .process = process,
                                             .run = run,
                                             .shortage = shortage});
}

void sv_resources_heard(struct sv_run *run, const struct sv_shortage *shortage)
{
    feed(run->unit->driver, run->unit->id, run->number, shortage);
}

static void on_run_meter(void *user, const struct sv_shortage *shortage)
{
    struct sv_run *run = user;
    sv_resources_heard(run, shortage);
    if (shortage->resource == SV_RESOURCE_OOM_KILL && run->wants_oom_meter && !run->is_over)
        sv_run_oom_kill(run);
}

static void on_group_meter(void *user, const struct sv_shortage *shortage)
{
    struct sv_unit_group *group = user;
    const struct sv_group_view *view = sv_core_group(group->driver->core, group->config->name);
    if (view)
        feed(group->driver, view->processes[0], 0, shortage);
}

void sv_resources_oom_kill(struct sv_run *run, int32_t victim)
{
    struct sv_cgroup_oom oom = {.limit_bytes = SV_CGROUP_UNKNOWN, .peak_bytes = SV_CGROUP_UNKNOWN};
    struct sv_shortage shortage = sv_shortage_of(SV_RESOURCE_OOM_KILL, 1);
    if (run->leaf)
        sv_cgroup_leaf_oom(run->leaf, &oom);
    shortage.numbers[SV_RESOURCE_NUMBER_victim] = victim;
    shortage.numbers[SV_RESOURCE_NUMBER_limit_bytes] = oom.limit_bytes;
    shortage.numbers[SV_RESOURCE_NUMBER_usage_bytes] = oom.peak_bytes;
    sv_str_done(&oom.path);
    sv_resources_heard(run, &shortage);
}

/* --- who is watched --- */

/* The meters to be, of a run or of a group. */
struct outfit {
    struct sv_driver *driver;
    const struct sv_limits *limits;
    const char *name; /* for the log */
    enum sv_meter_oom oom;
    bool has_tasks;
    struct sv_meters *meters;
};

static bool has_limit(const struct sv_limits *limits, enum sv_limit limit)
{
    const struct sv_limit_entry *entry = sv_limits_find(limits, limit);
    return entry && entry->number != SV_LIMIT_NONE;
}

static bool has_memory_limit(const struct sv_limits *limits)
{
    return has_limit(limits, SV_LIMIT_MEMORY_MAX) || has_limit(limits, SV_LIMIT_MEMORY_HIGH);
}

static bool wants_meters(const struct outfit *outfit)
{
    const struct sv_limits *limits = outfit->limits;
    return outfit->oom == SV_METER_OOM_PROMPT || outfit->has_tasks || has_memory_limit(limits) ||
           has_limit(limits, SV_LIMIT_CPU_QUOTA) || has_limit(limits, SV_LIMIT_PRESSURE_WARN);
}

static void add_meter(const struct outfit *outfit, enum sv_meter meter, enum sv_limit limit)
{
    int r = sv_meters_add(outfit->meters, meter, outfit->oom);
    bool is_told = r == -ENOENT && meter != SV_METER_THROTTLE; /* the limit itself is inactive */
    if (r >= 0 || is_told || outfit->driver->has_told_deaf[meter])
        return;
    sv_log_warn("nobody will know when %s of %s is reached: %s", sv_limit_key(limit), outfit->name,
                sv_errno_text(r));
    outfit->driver->has_told_deaf[meter] = true;
}

static void add_pressure(const struct outfit *outfit, const struct sv_limit_entry *entry)
{
    struct sv_limiter *limiter = outfit->driver->limiter;
    struct sv_pressure_bounds bounds = {0};
    struct sv_str words SV_CLEANUP(sv_str_done) = {0};
    bool is_good = sv_pressure_parse(entry->text, &bounds, &words);
    assert(is_good); /* it is in the form that config gave it */
    for (size_t i = 0; is_good && i < bounds.count; i++) {
        int r = sv_meters_add_pressure(outfit->meters, &bounds.items[i]);
        if (r == -ENOENT || r == -EOPNOTSUPP)
            sv_limiter_watch(limiter, entry->limit, outfit->name,
                             "the kernel tells no pressure (PSI) of this cgroup",
                             "boot with psi=1, on a kernel with CONFIG_PSI, from 5.2 on");
        else if (r == -EINVAL)
            sv_limiter_watch(limiter, entry->limit, outfit->name,
                             "the kernel takes only times that are multiples of 2 s",
                             "write over 2s, 4s, 6s, 8s or 10s, or give svisord CAP_SYS_RESOURCE");
        else
            sv_limiter_watch(limiter, entry->limit, outfit->name, r < 0 ? sv_errno_text(r) : NULL,
                             "start svisord as root, on a kernel from 5.2 on");
    }
}

static void fit_out(const struct outfit *outfit)
{
    const struct sv_limit_entry *pressure = sv_limits_find(outfit->limits, SV_LIMIT_PRESSURE_WARN);
    if (outfit->oom == SV_METER_OOM_PROMPT || has_memory_limit(outfit->limits))
        add_meter(outfit, SV_METER_MEMORY, SV_LIMIT_MEMORY_MAX);
    if (outfit->has_tasks)
        add_meter(outfit, SV_METER_TASKS, SV_LIMIT_TASKS_MAX);
    if (has_limit(outfit->limits, SV_LIMIT_CPU_QUOTA))
        add_meter(outfit, SV_METER_THROTTLE, SV_LIMIT_CPU_QUOTA);
    if (pressure)
        add_pressure(outfit, pressure);
}

/* True when the forks of that cgroup are counted from now on. */
static bool watch_forks(const struct outfit *outfit, uint64_t cgroup_id)
{
    enum { NS_PER_MS = 1000000 };
    const struct sv_limit_entry *entry = sv_limits_find(outfit->limits, SV_LIMIT_FORK_RATE_WARN);
    if (!entry || cgroup_id == 0)
        return false;
    int r = sv_kernel_watch_forks(outfit->driver->kernel, cgroup_id, (uint32_t)entry->number,
                                  entry->hard * NS_PER_MS);
    const char *why = r == -ENOENT ? "eBPF sees no forks" : sv_errno_text(r);
    sv_limiter_watch(outfit->driver->limiter, entry->limit, outfit->name, r < 0 ? why : NULL,
                     "see eBPF fork in `svctl kernel`");
    return r == 0;
}

/* A run without a cgroup has nothing to be watched by. */
static void note_blind(const struct outfit *outfit)
{
    static const enum sv_limit watches[] = {SV_LIMIT_PRESSURE_WARN, SV_LIMIT_FORK_RATE_WARN};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(watches); i++)
        if (has_limit(outfit->limits, watches[i]))
            sv_limiter_watch(outfit->driver->limiter, watches[i], outfit->name,
                             "programs have no cgroup of their own here",
                             "see cgroup2 in `svctl kernel`");
}

void sv_resources_leave_run(struct sv_run *run)
{
    sv_meters_free(sv_steal(&run->meters));
    if (run->has_fork_watch)
        sv_kernel_forget_forks(run->unit->driver->kernel, sv_cgroup_leaf_id(run->leaf));
    run->has_fork_watch = false;
}

void sv_resources_leave_group(struct sv_unit_group *group)
{
    sv_meters_free(sv_steal(&group->meters));
    if (group->fork_watch_id != 0)
        sv_kernel_forget_forks(group->driver->kernel, group->fork_watch_id);
    group->fork_watch_id = 0;
}

static enum sv_meter_oom oom_of(const struct sv_run *run)
{
    if (run->wants_oom_meter)
        return SV_METER_OOM_PROMPT;
    return sv_kernel_tells_oom(run->unit->driver->kernel) ? SV_METER_OOM_UNTOLD : SV_METER_OOM_TOLD;
}

void sv_resources_watch_run(struct sv_run *run, bool is_fresh)
{
    const struct sv_unit *unit = run->unit;
    struct sv_driver *driver = unit->driver;
    if (!unit->limits && !unit->group->limits && !run->meters && !run->has_fork_watch)
        return;
    /* On old kernels a run's own file counts what the limit of its group refused. */
    struct outfit outfit = {
        .driver = driver,
        .limits = unit->limits,
        .name = unit->config->name,
        .oom = oom_of(run),
        .has_tasks = has_limit(unit->limits, SV_LIMIT_TASKS_MAX) ||
                     has_limit(unit->group->limits, SV_LIMIT_TASKS_MAX),
    };
    sv_resources_leave_run(run);
    if (!run->leaf) {
        note_blind(&outfit);
        return;
    }
    run->has_fork_watch = watch_forks(&outfit, sv_cgroup_leaf_id(run->leaf));
    if (!wants_meters(&outfit))
        return;
    run->meters = sv_meters_new(driver->loop, run->leaf,
                                is_fresh ? SV_METERS_FRESH : SV_METERS_ADOPTED, on_run_meter, run);
    outfit.meters = run->meters;
    if (run->meters)
        fit_out(&outfit);
}

void sv_resources_watch_group(struct sv_unit_group *group, const struct sv_cgroup_leaf *leaf,
                              bool is_new)
{
    if (!leaf || ((group->meters || group->fork_watch_id != 0) && !is_new))
        return;
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&name, "group %s", group->config->name);
    struct outfit outfit = {
        .driver = group->driver,
        .limits = group->limits,
        .name = sv_str_text(&name),
        .has_tasks = has_limit(group->limits, SV_LIMIT_TASKS_MAX),
    };
    sv_resources_leave_group(group);
    uint64_t id = sv_cgroup_leaf_group_id(leaf);
    group->fork_watch_id = watch_forks(&outfit, id) ? id : 0;
    if (!wants_meters(&outfit))
        return;
    group->meters =
        sv_meters_new(group->driver->loop, leaf, SV_METERS_GROUP, on_group_meter, group);
    outfit.meters = group->meters;
    if (group->meters)
        fit_out(&outfit);
}

/* --- forks --- */

static struct sv_unit_group *group_with_forks(struct sv_driver *driver, uint64_t cgroup_id)
{
    sv_map_foreach (entry, &driver->groups) {
        struct sv_unit_group *group = entry->value;
        if (group->fork_watch_id == cgroup_id)
            return group;
    }
    return NULL;
}

void sv_resources_fork_rate(struct sv_driver *driver, const struct sv_bpf_record *record)
{
    struct sv_run *run = sv_idmap_get(&driver->runs_by_cgroup, record->cgroup_id);
    struct sv_unit_group *group = run ? NULL : group_with_forks(driver, record->cgroup_id);
    const struct sv_limits *limits = run ? run->unit->limits : group ? group->limits : NULL;
    const struct sv_limit_entry *entry = sv_limits_find(limits, SV_LIMIT_FORK_RATE_WARN);
    if (!entry)
        return;
    struct sv_shortage shortage = sv_shortage_of(SV_RESOURCE_FORK_RATE, 1);
    shortage.is_of_group = group != NULL;
    shortage.numbers[SV_RESOURCE_NUMBER_forks] = record->fork_rate.fork_count;
    shortage.numbers[SV_RESOURCE_NUMBER_bound] = (int64_t)entry->number;
    shortage.numbers[SV_RESOURCE_NUMBER_window_ms] = (int64_t)entry->hard;
    if (run)
        sv_resources_heard(run, &shortage);
    else
        on_group_meter(group, &shortage);
}

/* --- what is told --- */

static struct sv_shortage_report report_of(const struct sv_unit *unit, const struct memory *memory)
{
    return (struct sv_shortage_report){
        .group = unit->group->config->name,
        .name = memory->sum.is_of_group ? NULL : unit->config->name,
        .run = memory->run,
        .pid = memory->pid,
        .first_wall_ns = memory->first_wall_ns,
        .last_wall_ns = memory->last_wall_ns,
        .sum = memory->sum,
    };
}

/* The oldest one makes room. Without memory it was told, and is not kept. */
static void remember(struct sv_shortage_history **history, const struct memory *memory)
{
    if (!*history)
        *history = calloc(1, sizeof(**history));
    if (!*history)
        return;
    struct memory *items = (*history)->items;
    if ((*history)->count == SV_RESOURCE_EVENTS_MAX)
        memmove(items, items + 1, --(*history)->count * sizeof(*items));
    items[(*history)->count++] = *memory;
}

void sv_resources_tell(struct sv_driver *driver, const struct sv_action *action)
{
    struct sv_unit *unit = sv_driver_unit(driver, action->process);
    if (!unit)
        return;
    struct sv_run *run = sv_unit_run(unit, action->run);
    struct memory memory = {
        .run = action->run,
        .pid = run ? run->pid : 0,
        .first_wall_ns = action->shortage.first_wall_ns,
        .last_wall_ns = action->shortage.last_wall_ns,
        .sum = action->shortage.sum,
    };
    bool is_of_group = memory.sum.is_of_group;
    struct sv_meters *meters = is_of_group ? unit->group->meters : run ? run->meters : NULL;
    uint64_t count = memory.sum.count;
    if (meters)
        sv_meters_catch_up(meters, &memory.sum);
    if (memory.sum.count > count)
        memory.last_wall_ns = sv_wall_ns();
    remember(is_of_group ? &unit->group->shortages : &unit->shortages, &memory);
    struct sv_shortage_report report = report_of(unit, &memory);
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_shortage_sentence(&report, &text);
    sv_log_warn("resources: %s%s: %s", is_of_group ? "group " : "",
                is_of_group ? report.group : report.name, sv_str_text(&text));
    sv_driver_cluster_publish_shortage(driver, &report);
    sv_live_process_changed(driver, unit->id);
    sv_live_shortage(driver, &report);
    enum sv_notice_type type = sv_resource_notice(memory.sum.resource);
    if (!(sv_core_wanted_notices(driver->core) >> type & 1))
        return;
    struct sv_str payload SV_CLEANUP(sv_str_done) = {0};
    sv_shortage_payload(&report, &payload);
    sv_notice_publish(driver, type, &payload);
}

/* --- what is shown --- */

/* Walks through what is known of the process and of its group, the newest first. */
struct walk {
    const struct sv_shortage_history *histories[2];
    size_t left[2];
};

static struct walk walk_of(const struct sv_unit *unit)
{
    struct walk walk = {.histories = {unit->shortages, unit->group->shortages}};
    for (int i = 0; i < 2; i++)
        walk.left[i] = walk.histories[i] ? walk.histories[i]->count : 0;
    return walk;
}

static const struct memory *next_of(struct walk *walk)
{
    const struct memory *heads[2] = {NULL, NULL};
    for (int i = 0; i < 2; i++)
        if (walk->left[i] > 0)
            heads[i] = &walk->histories[i]->items[walk->left[i] - 1];
    bool is_second = !heads[0] || (heads[1] && heads[1]->last_wall_ns > heads[0]->last_wall_ns);
    if (heads[is_second])
        walk->left[is_second]--;
    return heads[is_second];
}

json_t *sv_resources_json(const struct sv_unit *unit)
{
    json_t *rows = json_array();
    struct walk walk = walk_of(unit);
    for (const struct memory *memory = next_of(&walk); rows && memory; memory = next_of(&walk)) {
        struct sv_shortage_report report = report_of(unit, memory);
        json_array_append_new(rows, sv_shortage_json(&report));
    }
    return rows;
}

static void add_ago(struct sv_str *out, int64_t seconds)
{
    if (seconds < 120)
        sv_str_addf(out, "%lld s ago", (long long)(seconds > 0 ? seconds : 0));
    else if (seconds < 7200)
        sv_str_addf(out, "%lld min ago", (long long)seconds / 60);
    else
        sv_str_addf(out, "%lld h ago", (long long)seconds / 3600);
}

void sv_resources_describe(const struct sv_unit *unit, uint32_t run, struct sv_str *text)
{
    uint32_t mentioned = 0; /* bit n: resource n */
    int mention_count = 0;
    struct walk walk = walk_of(unit);
    for (const struct memory *memory = next_of(&walk); memory && mention_count < MENTIONS_MAX;
         memory = next_of(&walk)) {
        bool is_of_group = memory->sum.is_of_group;
        uint32_t bit = UINT32_C(1) << memory->sum.resource;
        if (mentioned & bit || (!is_of_group && memory->run != run))
            continue;
        struct sv_shortage_report report = report_of(unit, memory);
        sv_str_add(text, mention_count > 0 ? "; " : " Of late: ");
        sv_str_add(text, is_of_group ? "of its group, " : "");
        sv_shortage_sentence(&report, text);
        sv_str_add(text, " (");
        add_ago(text, (sv_wall_ns() - memory->last_wall_ns) / NS_PER_SECOND);
        sv_str_add_char(text, ')');
        mentioned |= bit;
        mention_count++;
    }
    if (mention_count > 0)
        sv_str_add_char(text, '.');
}
