/* Starts one program, straight into its cgroup. See spawn.c for the essay. */
#ifndef SV_IO_SPAWN_H
#define SV_IO_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "config/limits.h"

/* Everything the child needs, prepared before: the child itself may not allocate. */
struct sv_spawn_plan {
    const char *path; /* file to execute, already looked up in PATH */
    char *const *argv;
    char *const *envp;
    const char *directory; /* NULL: stay */
    mode_t umask;          /* meaningful with has_umask */
    bool has_umask;
    bool has_user;
    uid_t uid;
    gid_t gid;
    const gid_t *groups; /* supplementary, looked up before */
    size_t group_count;
    int stdin_fd, stdout_fd, stderr_fd; /* become 0, 1, 2; each >= 3; may be equal to each other */
    int cgroup_fd;                      /* directory of the leaf; -1: stay in the daemon's cgroup */
    uint64_t nofile_soft;               /* RLIMIT_NOFILE to restore in the child; 0: as it is */
    /* The child sets what a process carries: nice, rlimit_*, oom_score_adjust. NULL: nothing. */
    const struct sv_limits *limits;
};

enum sv_spawn_stage {                      /* where the child failed */
                      SV_SPAWN_STAGE_FORK, /* there was no child */
                      SV_SPAWN_STAGE_CGROUP,
                      SV_SPAWN_STAGE_LIMIT,
                      SV_SPAWN_STAGE_USER,
                      SV_SPAWN_STAGE_DIRECTORY,
                      SV_SPAWN_STAGE_EXEC,
};

struct sv_spawned {
    pid_t pid;
    int pidfd; /* close-on-exec; -1 where the kernel has none */
};

struct sv_spawn_failure {
    enum sv_spawn_stage stage;
    enum sv_limit limit; /* LIMIT: which one */
    int error; /* positive errno; ECANCELED with CGROUP: killed at birth, that cgroup is spent */
    pid_t pid; /* of the child that was; 0: there was none */
};

#define SV_SPAWN_FAILED 1

/*
 * A spawn in two steps, so that the caller can do something else while the child executes its file,
 * which takes the longest. One at a time, and not for two threads. What the plan points to stays
 * until the end; the three descriptors and the cgroup may be closed after it. A signal that the
 * daemon ignores is ignored before the first spawn or never.
 */
void sv_spawn_begin(const struct sv_spawn_plan *plan);

/*
 * Waits for the child. 0: it has executed the file. SV_SPAWN_FAILED: it has not, `ret_failure` says
 * where and why, the child is reaped, and Supervisor's words ("supervisor: couldn't exec …:
 * ENOENT\n" and so on) stand in stderr_fd. Negative errno: the daemon's own trouble.
 */
int sv_spawn_end(struct sv_spawned *ret_spawned, struct sv_spawn_failure *ret_failure);

/* Both. */
int sv_spawn(const struct sv_spawn_plan *plan, struct sv_spawned *ret_spawned,
             struct sv_spawn_failure *ret_failure);

/*
 * Which way sv_spawn() takes on this machine, for `svctl kernel`: "clone3 into cgroup", "clone3",
 * "fork". Settled by the first spawns.
 */
const char *sv_spawn_method(void);

#endif
