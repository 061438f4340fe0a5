/* Tells that the OOM killer took a process of a cgroup, where eBPF does not. See oom_watch.c. */
#ifndef SV_IO_OOM_WATCH_H
#define SV_IO_OOM_WATCH_H

#include "io/cgroup.h"
#include "io/loop.h"

struct sv_oom_watch;

/* Calls `function` when a process of the leaf was taken: also when several were. Negative errno:
 * -ENOENT where the leaf has no memory controller. */
int sv_oom_watch_new(struct sv_loop *loop, const struct sv_cgroup_leaf *leaf,
                     void (*function)(void *user), void *user, struct sv_oom_watch **ret_watch);
void sv_oom_watch_free(struct sv_oom_watch *watch); /* NULL is allowed */

#endif
