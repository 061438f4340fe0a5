/* Runs of check commands: watched, heard, and ended with everything that they have started. See
 * probe_child.c. */
#ifndef SV_IO_PROBE_CHILD_H
#define SV_IO_PROBE_CHILD_H

#include <sys/types.h>

#include "io/cgroup.h"
#include "io/loop.h"
#include "io/probe_socket.h"

/* All that are alive, also those that were given up and are not reaped yet. */
struct sv_child_probes;
struct sv_child_probe;

/* A command that was started. */
struct sv_probe_spawned {
    pid_t pid;
    int pidfd;                   /* -1: this kernel has none */
    int output_fd;               /* reading end of its stdout and stderr, non-blocking */
    struct sv_cgroup_leaf *leaf; /* its own; NULL: no cgroup */
};

/* `over` is called when one is gone: there is room for another, and its directory may be left to
 * remove. It may not start the other one: it is called in the middle of something. */
int sv_child_probes_new(struct sv_loop *loop, sv_function over, void *user,
                        struct sv_child_probes **ret_probes);
/* Kills what is left. NULL is allowed. */
void sv_child_probes_free(struct sv_child_probes *probes);
/* Below SV_PROBE_CHILDREN_MAX. Those that were killed count until they are reaped: who cannot be
 * killed, because the kernel waits for a dead disk, shall not become many. */
bool sv_child_probes_have_room(const struct sv_child_probes *probes);
/* SIGCHLD: `pid` has ended. True when it is one of ours; it is reaped then. */
bool sv_child_probes_reap(struct sv_child_probes *probes, pid_t pid);

/* Owns what is in `spawned`, also when it fails; the command is killed then. */
int sv_child_probe_new(struct sv_child_probes *probes, const struct sv_probe_spawned *spawned,
                       sv_probe_function function, void *user, struct sv_child_probe **ret_probe);
/* No result is wanted any more: kills what is alive of it, and frees it when that is reaped. Also
 * to be called after the result. NULL is allowed. */
void sv_child_probe_free(struct sv_child_probe *probe);

#endif
