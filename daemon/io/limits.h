/* Limits in the kernel: the files of the cgroups of groups and runs. See limits.c. */
#ifndef SV_IO_LIMITS_H
#define SV_IO_LIMITS_H

#include <jansson.h>

#include "config/limits.h"
#include "io/cgroup.h"

struct sv_limiter;

/* `tree` NULL: no cgroups; every limit of a cgroup is then inactive. Borrowed. 0 or -ENOMEM. */
int sv_limiter_new(struct sv_cgroup_tree *tree, struct sv_limiter **ret_limiter);
void sv_limiter_free(struct sv_limiter *limiter);

/* Whose limits change, and how. NULL limits: none. */
struct sv_limiter_change {
    const struct sv_limits *before;
    const struct sv_limits *after;
    const char *name; /* of the process or group, for the log */
    bool is_own;      /* the group is that of one section: the log means its program */
};
/*
 * Writes what differs into the files of a run. What cannot be is logged: a controller or a file
 * that is missing once for each key, what the kernel refuses each time. `leaf` NULL: the run has
 * no cgroup.
 */
void sv_limiter_change_run(struct sv_limiter *limiter, const struct sv_cgroup_leaf *leaf,
                           const struct sv_limiter_change *change);
/*
 * The same for the directory that all runs of a group share, found by the group's name. It is made
 * with the first run, and anew when it was empty and removed: sv_limiter_begin_run() writes all of
 * it then, before the first process is born in it.
 */
void sv_limiter_change_group(struct sv_limiter *limiter, const struct sv_limiter_change *change);
/* True when the directory of the group was made, or made anew, for this run. */
bool sv_limiter_begin_run(struct sv_limiter *limiter, const struct sv_cgroup_leaf *leaf,
                          const struct sv_limiter_change *group,
                          const struct sv_limiter_change *run);

/* What is only watched was asked for by `name`, and cannot be had. `why` NULL: it can. Told and
 * reported as limits that are inactive are. */
void sv_limiter_watch(struct sv_limiter *limiter, enum sv_limit limit, const char *name,
                      const char *why, const char *remedy);

/* The leaf is to have memory.events: oom_policy=stop wants it where eBPF tells nothing. False: it
 * has not, which is logged like a limit that is inactive. */
bool sv_limiter_want_oom_events(struct sv_limiter *limiter, const struct sv_cgroup_leaf *leaf,
                                const char *name);

/* Adds a row of the kernel report for every key that was asked for. */
void sv_limiter_report(const struct sv_limiter *limiter, json_t *rows);

#endif
