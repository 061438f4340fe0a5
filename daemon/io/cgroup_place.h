/* Where cgroup2 is mounted and where in it this daemon may build. See cgroup_place.c. */
#ifndef SV_IO_CGROUP_PLACE_H
#define SV_IO_CGROUP_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define SV_CGROUP_BASE_MAX 4
/* Where the process lives that keeps a delegated cgroup, which must not have one itself. */
#define SV_CGROUP_HOLDER_LEAF "holder"

/* A directory below which the tree may go, best one first. */
struct sv_cgroup_base {
    char path[PATH_MAX]; /* absolute */
    const char *why;
};

struct sv_cgroup_place {
    char mount_point[PATH_MAX];
    char mount_root[PATH_MAX]; /* which cgroup is mounted there: "/" unless somebody cut it out */
    char own[PATH_MAX];  /* the daemon's own cgroup as a path of the file system; "": not visible */
    bool is_delegated;   /* `own`, by systemd */
    bool is_level_known; /* false in a cgroup namespace, which hides what is above */
    struct sv_cgroup_base bases[SV_CGROUP_BASE_MAX];
    unsigned base_count;
};

/* 0, or a negative errno with words for people in `ret_reason`. */
int sv_cgroup_place_find(struct sv_cgroup_place *ret_place, struct sv_str *ret_reason);
/* Adds a base that is better than all others. `path` is as /proc/PID/cgroup shows it. False: it is
 * not below what is mounted. */
bool sv_cgroup_place_prefer(struct sv_cgroup_place *place, const char *kernel_path,
                            const char *why);
/* The path that /proc/PID/cgroup shows for a directory below the mount point. */
void sv_cgroup_place_kernel_path(const struct sv_cgroup_place *place, const char *path,
                                 struct sv_str *out);
/* How deep a directory is below the v2 root; UINT32_MAX when a namespace hides it. */
uint32_t sv_cgroup_place_level(const struct sv_cgroup_place *place, const char *path);

#endif
