/*
 * What the kernel is told about a program or a group: limits, shares and places.
 *
 * Only what was written is kept, in the order of the table, and all processes of a section share
 * it: a program without limits costs one NULL.
 */
#ifndef SV_CONFIG_LIMITS_H
#define SV_CONFIG_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sv_limit {
#define LIMIT(name, key) SV_LIMIT_##name,
#include "config/limits.def"
#undef LIMIT
    SV_LIMIT_COUNT
};

#define SV_LIMIT_NONE UINT64_MAX /* "max", "unlimited" */

/* What happens to a program when the kernel's OOM killer took one of its processes. */
enum sv_oom_policy {
    SV_OOM_CONTINUE,
    SV_OOM_STOP, /* the rest is stopped, and then the restart policy decides */
    SV_OOM_KILL, /* the kernel kills all of its cgroup together */
};

struct sv_limit_entry {
    enum sv_limit limit;
    const char *text; /* for people, and valid in a configuration file */
    /* Bytes; tasks; weights; of cpu_quota, microseconds in each 100 ms; the policy; a signed number
     * (nice, oom_score_adjust); the soft limit; of count_network 1 or 0. io_max, cpuset and
     * pressure_warn are only text. */
    uint64_t number;
    uint64_t hard; /* rlimit_* */
};

struct sv_limits {
    size_t count;
    struct sv_limit_entry items[]; /* by limit */
};

const char *sv_limit_key(enum sv_limit limit);
/* rlimit_*, nice, oom_score_adjust: carried by each process, not by the cgroup. */
bool sv_limit_is_of_process(enum sv_limit limit);
/* In all of these NULL is: nothing is set. */
const struct sv_limit_entry *sv_limits_find(const struct sv_limits *limits, enum sv_limit limit);
bool sv_limit_entry_equal(const struct sv_limit_entry *a, const struct sv_limit_entry *b);
bool sv_limits_equal(const struct sv_limits *a, const struct sv_limits *b);
enum sv_oom_policy sv_limits_oom_policy(const struct sv_limits *limits);

#endif
