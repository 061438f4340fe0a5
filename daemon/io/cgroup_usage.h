/* What a cgroup has used, from its files; and which cgroup an id of the kernel means. See
 * cgroup_usage.c. */
#ifndef SV_IO_CGROUP_USAGE_H
#define SV_IO_CGROUP_USAGE_H

#include <stdint.h>

#include "io/cgroup.h"

#define SV_CGROUP_UNKNOWN  (-1)
#define SV_CGROUP_NO_LIMIT INT64_MAX

/* SV_CGROUP_UNKNOWN wherever the file is not there: an old kernel, or a controller that is not
 * enabled. */
struct sv_cgroup_usage {
    int64_t cpu_us;
    int64_t memory_peak_bytes;
    int64_t memory_max_bytes; /* or SV_CGROUP_NO_LIMIT */
    int64_t oom_count;        /* how often its own limit was reached and nothing could be freed */
    int64_t oom_kill_count;   /* processes in it or below that the OOM killer has ended */
    int64_t pids_peak;
    int64_t cpu_pressure; /* "some", average of 60 s, in hundredths of a percent */
    int64_t memory_pressure;
    int64_t io_pressure;
};

/* `fd` is the directory; O_PATH is enough. */
void sv_cgroup_usage_read(int fd, struct sv_cgroup_usage *ret_usage);

/* What was short when the OOM killer came to a leaf: the nearest cgroup, from the leaf up to the
 * root of the mount, that has reached a limit of its own. */
struct sv_cgroup_oom {
    struct sv_str
        path;    /* as /proc/PID/cgroup shows it; "" when no limit was reached: the machine */
    bool is_own; /* it is the leaf itself */
    int64_t limit_bytes;
    int64_t peak_bytes;
};
void sv_cgroup_leaf_oom(const struct sv_cgroup_leaf *leaf, struct sv_cgroup_oom *ret_oom);

/* The path of the cgroup of that id, as /proc/PID/cgroup shows it. 0, or a negative errno: it is
 * gone (ESTALE), or only root may ask (EPERM). */
int sv_cgroup_tree_path_of(const struct sv_cgroup_tree *tree, uint64_t id, struct sv_str *ret_path);
/* The path of the leaf in the same form. */
void sv_cgroup_leaf_kernel_path(const struct sv_cgroup_leaf *leaf, struct sv_str *ret_path);
/* How many processes live in it, not counting cgroups that the program made below; it stops at
 * `max`. */
int64_t sv_cgroup_leaf_count(const struct sv_cgroup_leaf *leaf, int64_t max);

#endif
