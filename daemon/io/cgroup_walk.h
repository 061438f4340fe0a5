/* What goes through a whole subtree of a cgroup, file by file. See cgroup_walk.c. */
#ifndef SV_IO_CGROUP_WALK_H
#define SV_IO_CGROUP_WALK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct sv_cgroup_subtree {
    int fd;                  /* its directory; O_PATH is enough */
    const char *path;        /* absolute */
    const char *kernel_path; /* as /proc/PID/cgroup shows it */
};

/* Reads `name` of the directory: its length (cut at `size` - 1, NUL added) or a negative errno. */
ssize_t sv_cgroup_read(int fd, const char *name, char *text, size_t size);
/* 0, or the negative errno by which the kernel refuses it. */
int sv_cgroup_write(int fd, const char *name, const char *text);
/* Signals every process in it, and below, once. Returns how many were reached, or a negative errno.
 */
int sv_cgroup_subtree_signal(const struct sv_cgroup_subtree *subtree, int number, pid_t except);
/* Calls `function` once for each, `except` and the daemon left out. Returns how often it was true.
 */
int sv_cgroup_subtree_visit(const struct sv_cgroup_subtree *subtree, pid_t except,
                            bool (*function)(void *user, pid_t pid), void *user);
/* SIGKILL until it is empty, for kernels before 5.14, which have no cgroup.kill. */
int sv_cgroup_subtree_kill(const struct sv_cgroup_subtree *subtree);
/* Removes what programs have made below it, where nobody lives. */
void sv_cgroup_subtree_prune(const char *path);

#endif
