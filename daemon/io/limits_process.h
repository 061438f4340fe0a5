/* What each process carries: nice, rlimit_*, oom_score_adjust. See limits_process.c. */
#ifndef SV_IO_LIMITS_PROCESS_H
#define SV_IO_LIMITS_PROCESS_H

#include <sys/types.h>

#include "config/limits.h"
#include "io/cgroup.h"

/* RLIMIT_NOFILE for SV_LIMIT_RLIMIT_NOFILE and so on; -1: no such limit. A child may call it. */
int sv_limit_resource(enum sv_limit limit);

/*
 * Gives a living program the limits `after` where they differ from `before` (either may be NULL):
 * its main process, and each other one of `leaf` (NULL: none are known) that has what the main
 * process had. What is no longer given becomes what the daemon hands on: `nofile_soft` is that of
 * RLIMIT_NOFILE (0: the daemon's own). What is refused is logged with `name`; the next run has it.
 */
struct sv_limits_change {
    const struct sv_limits *before;
    const struct sv_limits *after;
    const char *name;
    uint64_t nofile_soft;
};
void sv_limits_process_change(const struct sv_limits_change *change, pid_t pid,
                              const struct sv_cgroup_leaf *leaf);

#endif
