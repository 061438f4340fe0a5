/*
 * Limits that are files of a cgroup, written through the kept descriptors of its directory.
 *
 * A limit is never a reason not to start a program, and never ignored in silence. Three things can
 * be in the way: the controller is missing here (controllers.c says why), the kernel has the
 * controller but not this file, or it refuses the value. The first two concern every program alike
 * and are told once for each key; the third each time.
 *
 * What was written is read back: the kernel takes a cpuset of processors that are not there, and
 * rounds memory down to pages, without a word.
 *
 * libcgroup has cgroup_modify_cgroup() for this. It is not used: it finds a group by its path, not
 * by a descriptor that still means the same directory when somebody has removed and made it anew;
 * it takes 0.5 to 1 ms for a value where a write takes 50 us; it cannot reach io.max of a second
 * device or memory.oom.group on v2; and on a hybrid host it writes to the version 1 hierarchy.
 *
 * O_NONBLOCK: from Linux 6.16 on a memory.max that is lowered below what is in use does not keep
 * the writer (us) busy with reclaiming it; the program does that with its next page. Before, the
 * flag means nothing, and such a write lasts as long as the reclaim.
 */
#include "io/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/log.h"
#include "io/cgroup_names.h"
#include "io/cgroup_walk.h"
#include "io/controllers.h"

enum { VALUE_BYTES = 512, QUOTA_PERIOD_US = 100000 };

/* Before it are the files, from it on what is only watched. */
enum { FIRST_WATCH = SV_LIMIT_PRESSURE_WARN };

struct sv_limiter {
    struct sv_controllers controllers;
    struct {
        bool is_asked;
        char *why; /* inactive; NULL: active */
        const char *remedy;
        char *refused; /* the last value that the kernel did not take; NULL: none */
    } keys[SV_LIMIT_COUNT];
};

/* --- what is written --- */

static void render_number(const struct sv_limit_entry *entry, struct sv_str *out)
{
    if (entry->number == SV_LIMIT_NONE)
        sv_str_add(out, "max");
    else
        sv_str_addf(out, "%llu", (unsigned long long)entry->number);
}

/* The kernel works in pages, and reads back what it works with. */
static void render_memory(const struct sv_limit_entry *entry, struct sv_str *out)
{
    uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    struct sv_limit_entry whole = *entry;
    if (whole.number != SV_LIMIT_NONE)
        whole.number -= whole.number % page_bytes;
    render_number(&whole, out);
}

static void render_quota(const struct sv_limit_entry *entry, struct sv_str *out)
{
    render_number(entry, out);
    sv_str_addf(out, " %d", QUOTA_PERIOD_US);
}

static void render_io_weight(const struct sv_limit_entry *entry, struct sv_str *out)
{
    sv_str_add(out, "default ");
    render_number(entry, out);
}

static void render_text(const struct sv_limit_entry *entry, struct sv_str *out)
{
    sv_str_add(out, entry->text);
}

static void render_policy(const struct sv_limit_entry *entry, struct sv_str *out)
{
    sv_str_add_char(out, entry->number == SV_OOM_KILL ? '1' : '0');
}

static const struct {
    const char *file;
    const char *read_back; /* where the kernel says what it made of it; NULL: nowhere */
    enum sv_controller controller;
    void (*render)(const struct sv_limit_entry *entry, struct sv_str *out);
    const char *reset; /* what a new cgroup has */
    const char *gives;
} files[] = {
    [SV_LIMIT_MEMORY_MAX] = {"memory.max", "memory.max", SV_CONTROLLER_MEMORY, render_memory, "max",
                             "a bound for the memory of a program"},
    [SV_LIMIT_MEMORY_HIGH] = {"memory.high", "memory.high", SV_CONTROLLER_MEMORY, render_memory,
                              "max", "memory is reclaimed above it"},
    [SV_LIMIT_SWAP_MAX] = {"memory.swap.max", "memory.swap.max", SV_CONTROLLER_MEMORY,
                           render_memory, "max", "a bound for swap space"},
    [SV_LIMIT_CPU_WEIGHT] = {"cpu.weight", "cpu.weight", SV_CONTROLLER_CPU, render_number, "100",
                             "shares of processor time"},
    [SV_LIMIT_CPU_QUOTA] = {"cpu.max", "cpu.max", SV_CONTROLLER_CPU, render_quota, "max 100000",
                            "a bound for processor time"},
    [SV_LIMIT_CPUSET] = {"cpuset.cpus", "cpuset.cpus.effective", SV_CONTROLLER_CPUSET, render_text,
                         "\n", "programs bound to processors"},
    [SV_LIMIT_IO_WEIGHT] = {"io.weight", "io.weight", SV_CONTROLLER_IO, render_io_weight,
                            "default 100", "shares of the bandwidth of disks"},
    [SV_LIMIT_IO_MAX] = {"io.max", NULL, SV_CONTROLLER_IO, render_text, "",
                         "bounds for the bandwidth of disks"},
    [SV_LIMIT_TASKS_MAX] = {"pids.max", "pids.max", SV_CONTROLLER_PIDS, render_number, "max",
                            "a bound for processes and threads"},
    [SV_LIMIT_OOM_POLICY] = {"memory.oom.group", "memory.oom.group", SV_CONTROLLER_MEMORY,
                             render_policy, "0", "an out-of-memory kill takes the whole program"},
};
_Static_assert(SV_ARRAY_LENGTH(files) == FIRST_WATCH, "every cgroup limit has a file");

/* What is only watched. */
static const struct {
    const char *gives;
    const char *detail;
} watches[] = {
    [SV_LIMIT_PRESSURE_WARN -
     FIRST_WATCH] = {"events when a program waits too long for a processor, memory or disks",
                     "PSI"},
    [SV_LIMIT_FORK_RATE_WARN -
        FIRST_WATCH] = {"events when a program forks too fast", "eBPF counts"},
    [SV_LIMIT_COUNT_NETWORK -
        FIRST_WATCH] = {"what programs send and receive over the network", "eBPF cgroup_skb"},
};
_Static_assert(SV_ARRAY_LENGTH(watches) == SV_LIMIT_OOM_SCORE_ADJUST - FIRST_WATCH,
               "everything that is watched has a row");

/* What asks for nothing in the cgroup is as good as nothing: only "kill" is a file. */
static const struct sv_limit_entry *find(const struct sv_limits *limits, enum sv_limit limit)
{
    const struct sv_limit_entry *entry = sv_limits_find(limits, limit);
    bool is_no_file = entry && limit == SV_LIMIT_OOM_POLICY && entry->number != SV_OOM_KILL;
    return is_no_file ? NULL : entry;
}

/* --- where it is written --- */

struct target {
    struct sv_limiter *limiter;
    int fd;                        /* -1: there is no cgroup */
    struct sv_cgroup_group *group; /* NULL: the directory is that of a group itself */
    const char *name;
};

static void note_inactive(const struct target *target, enum sv_limit limit, const char *why,
                          const char *remedy)
{
    struct sv_limiter *limiter = target->limiter;
    if (limiter->keys[limit].why)
        return;
    sv_log_warn("%s of %s is inactive: %s; %s", sv_limit_key(limit), target->name, why, remedy);
    limiter->keys[limit].why = strdup(why); /* without memory it is told again */
    limiter->keys[limit].remedy = remedy;
}

static void note_refused(const struct target *target, enum sv_limit limit, const char *text,
                         const char *why)
{
    sv_log_warn("%s of %s is inactive: the kernel does not take '%s': %s", sv_limit_key(limit),
                target->name, text, why);
    struct sv_str words = {0};
    sv_str_addf(&words, "%s: '%s' was refused: %s", target->name, text, why);
    free(target->limiter->keys[limit].refused);
    target->limiter->keys[limit].refused = sv_str_take(&words);
}

/* 0, or a negative errno. */
static int put(const struct target *target, enum sv_limit limit, const char *text)
{
    int r = sv_cgroup_write(target->fd, files[limit].file, text);
    if (r == -ENOENT) {
        struct sv_str why SV_CLEANUP(sv_str_done) = {0};
        sv_str_addf(&why, "this kernel has no %s", files[limit].file);
        note_inactive(target, limit, sv_str_text(&why),
                      limit == SV_LIMIT_IO_WEIGHT
                          ? "a kernel with CONFIG_BLK_CGROUP_IOCOST"
                          : "a newer kernel, or swapaccount=1 at boot for memory.swap.max");
    } else if (r < 0) {
        note_refused(target, limit, text, sv_errno_text(r));
    }
    return r;
}

static void check_written(const struct target *target, enum sv_limit limit, const char *text)
{
    char has[VALUE_BYTES];
    if (!files[limit].read_back ||
        sv_cgroup_read(target->fd, files[limit].read_back, has, sizeof(has)) < 0)
        return;
    has[strcspn(has, "\n")] = '\0';
    if (strcmp(has, text) != 0)
        sv_log_warn("%s of %s: '%s' was asked for, and the kernel made '%s' of it",
                    sv_limit_key(limit), target->name, text, has);
}

/* --- io.max: a line for each device --- */

/* Limits belong to whole disks: that of a partition is the directory above it in sysfs. */
static void find_disk(unsigned *major_number, unsigned *minor_number)
{
    char path[64], text[32];
    snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/partition", *major_number, *minor_number);
    if (access(path, F_OK) < 0)
        return;
    snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../dev", *major_number, *minor_number);
    if (sv_cgroup_read(AT_FDCWD, path, text, sizeof(text)) > 0)
        sscanf(text, "%u:%u", major_number, minor_number);
}

/* A device node is itself; a file or directory is the device that it lies on. */
static int find_device(const char *word, unsigned *ret_major, unsigned *ret_minor)
{
    if (*word != '/')
        return sscanf(word, "%u:%u", ret_major, ret_minor) == 2 ? 0 : -EINVAL;
    struct stat status;
    if (stat(word, &status) < 0)
        return -errno;
    dev_t device = S_ISBLK(status.st_mode) ? status.st_rdev : status.st_dev;
    *ret_major = major(device);
    *ret_minor = minor(device);
    find_disk(ret_major, ret_minor);
    return 0;
}

/* Writes every device of `text`, "DEVICE limit limit,DEVICE …"; `is_reset`: without limits. */
static void put_devices(const struct target *target, const char *text, bool is_reset)
{
    while (*text) {
        struct sv_str device SV_CLEANUP(sv_str_done) = {0};
        struct sv_str line SV_CLEANUP(sv_str_done) = {0};
        size_t length = strcspn(text, ",");
        size_t name_length = strcspn(text, " ");
        sv_str_append(&device, text, name_length);
        unsigned major_number = 0, minor_number = 0;
        int r = find_device(sv_str_text(&device), &major_number, &minor_number);
        sv_str_addf(&line, "%u:%u", major_number, minor_number);
        if (is_reset)
            sv_str_add(&line, " rbps=max wbps=max riops=max wiops=max");
        else
            sv_str_append(&line, text + name_length, length - name_length);
        if (r == 0)
            (void)put(target, SV_LIMIT_IO_MAX, sv_str_text(&line));
        else if (!is_reset)
            note_refused(target, SV_LIMIT_IO_MAX, sv_str_text(&device), sv_errno_text(r));
        text += length + (text[length] == ',');
    }
}

/* --- one limit, all limits --- */

/* As a new cgroup has it. A cpuset is not emptied while somebody lives in it (ENOSPC,
 * validate_change() of the kernel): it gets all that the directory above has. */
static void render_reset(const struct target *target, enum sv_limit limit, struct sv_str *out)
{
    char above[VALUE_BYTES];
    if (limit == SV_LIMIT_CPUSET &&
        sv_cgroup_read(target->fd, "../cpuset.cpus.effective", above, sizeof(above)) > 0)
        sv_str_append(out, above, strcspn(above, "\n"));
    else
        sv_str_add(out, files[limit].reset);
}

static void change_one(const struct target *target, enum sv_limit limit,
                       const struct sv_limit_entry *before, const struct sv_limit_entry *after)
{
    target->limiter->keys[limit].is_asked |= after != NULL;
    struct sv_controllers *controllers = &target->limiter->controllers;
    const struct sv_controller_lack *lack =
        sv_controllers_need(controllers, files[limit].controller, target->group);
    if (lack) {
        note_inactive(target, limit, lack->why, lack->remedy);
        return;
    }
    if (limit == SV_LIMIT_IO_MAX) {
        put_devices(target, before ? before->text : "", true);
        put_devices(target, after ? after->text : "", false);
        return;
    }
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    if (after)
        files[limit].render(after, &text);
    else
        render_reset(target, limit, &text);
    if (sv_str_ok(&text) && put(target, limit, sv_str_text(&text)) == 0 && after)
        check_written(target, limit, sv_str_text(&text));
}

static void change_all(const struct target *target, const struct sv_limits *before,
                       const struct sv_limits *after)
{
    for (unsigned i = 0; (before || after) && i < SV_ARRAY_LENGTH(files); i++) {
        enum sv_limit limit = (enum sv_limit)i;
        const struct sv_limit_entry *old = find(before, limit);
        const struct sv_limit_entry *new = find(after, limit);
        if (!sv_limit_entry_equal(old, new))
            change_one(target, limit, old, new);
    }
}

void sv_limiter_change_run(struct sv_limiter *limiter, const struct sv_cgroup_leaf *leaf,
                           const struct sv_limiter_change *change)
{
    struct target target = {.limiter = limiter, .fd = -1, .name = change->name};
    if (leaf) {
        target.fd = sv_cgroup_leaf_fd(leaf);
        target.group = sv_cgroup_leaf_group(leaf);
    } else if (limiter->controllers.tree) {
        return; /* the log has said that this run has no cgroup */
    }
    change_all(&target, change->before, change->after);
}

static void change_directory(struct sv_limiter *limiter, struct sv_cgroup_group *group,
                             const struct sv_limiter_change *change)
{
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&name, "%s%s", change->is_own ? "" : "group ", change->name);
    struct target target = {
        .limiter = limiter, .fd = group ? group->fd : -1, .name = sv_str_text(&name)};
    change_all(&target, change->before, change->after);
    if (group)
        group->is_limited = change->after != NULL;
}

void sv_limiter_change_group(struct sv_limiter *limiter, const struct sv_limiter_change *change)
{
    struct sv_cgroup_tree *tree = limiter->controllers.tree;
    struct sv_str escaped SV_CLEANUP(sv_str_done) = {0};
    sv_cgroup_name_escape(change->name, SV_CGROUP_NAME_GROUP, &escaped);
    struct sv_cgroup_group *group = tree ? sv_map_get(&tree->groups, sv_str_text(&escaped)) : NULL;
    if (group)
        change_directory(limiter, group, change);
}

bool sv_limiter_begin_run(struct sv_limiter *limiter, const struct sv_cgroup_leaf *leaf,
                          const struct sv_limiter_change *group,
                          const struct sv_limiter_change *run)
{
    struct sv_cgroup_group *directory = leaf ? sv_cgroup_leaf_group(leaf) : NULL;
    bool is_possible = leaf || !limiter->controllers.tree;
    bool is_new = group->after && is_possible && !(directory && directory->is_limited);
    if (is_new)
        change_directory(limiter, directory, group);
    if (run->after)
        sv_limiter_change_run(limiter, leaf, run);
    return is_new;
}

void sv_limiter_watch(struct sv_limiter *limiter, enum sv_limit limit, const char *name,
                      const char *why, const char *remedy)
{
    struct target target = {.limiter = limiter, .name = name};
    limiter->keys[limit].is_asked = true;
    if (why)
        note_inactive(&target, limit, why, remedy);
}

bool sv_limiter_want_oom_events(struct sv_limiter *limiter, const struct sv_cgroup_leaf *leaf,
                                const char *name)
{
    struct target target = {.limiter = limiter, .name = name};
    limiter->keys[SV_LIMIT_OOM_POLICY].is_asked = true;
    const struct sv_controller_lack *lack = sv_controllers_need(
        &limiter->controllers, SV_CONTROLLER_MEMORY, leaf ? sv_cgroup_leaf_group(leaf) : NULL);
    if (lack)
        note_inactive(&target, SV_LIMIT_OOM_POLICY, lack->why, lack->remedy);
    return !lack && leaf;
}

/* --- life and report --- */

int sv_limiter_new(struct sv_cgroup_tree *tree, struct sv_limiter **ret_limiter)
{
    struct sv_limiter *limiter = calloc(1, sizeof(*limiter));
    if (!limiter)
        return -ENOMEM;
    limiter->controllers.tree = tree;
    *ret_limiter = limiter;
    return 0;
}

void sv_limiter_free(struct sv_limiter *limiter)
{
    if (!limiter)
        return;
    for (unsigned i = 0; i < SV_LIMIT_COUNT; i++) {
        free(limiter->keys[i].why);
        free(limiter->keys[i].refused);
    }
    sv_controllers_done(&limiter->controllers);
    free(limiter);
}

void sv_limiter_report(const struct sv_limiter *limiter, json_t *rows)
{
    for (unsigned i = 0; i < SV_LIMIT_OOM_SCORE_ADJUST; i++) {
        if (!limiter->keys[i].is_asked)
            continue;
        bool is_file = i < FIRST_WATCH;
        const char *gives = is_file ? files[i].gives : watches[i - FIRST_WATCH].gives;
        const char *detail = is_file ? files[i].file : watches[i - FIRST_WATCH].detail;
        struct sv_str name SV_CLEANUP(sv_str_done) = {0};
        sv_str_addf(&name, "limit %s", sv_limit_key((enum sv_limit)i));
        bool is_active = limiter->keys[i].why == NULL;
        const char *refused = limiter->keys[i].refused;
        json_t *row = json_pack(
            "{s:s, s:b, s:s, s:s, s:s, s:s}", "name", sv_str_text(&name), "active", is_active,
            "gives", gives, "missing", is_active ? "" : limiter->keys[i].why, "remedy",
            is_active ? "" : limiter->keys[i].remedy, "detail", refused ? refused : detail);
        if (row)
            json_array_append_new(rows, row);
    }
}
