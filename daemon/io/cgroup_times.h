/* The processor time of all cgroups of a tree, by eBPF. See cgroup_times.c. */
#ifndef SV_IO_CGROUP_TIMES_H
#define SV_IO_CGROUP_TIMES_H

#include <stdbool.h>
#include <stdint.h>

#include "io/cgroup.h"

struct sv_cgroup_times;

/* Loads what is needed, some 30 ms. Negative errno: this kernel, or this user, cannot. */
int sv_cgroup_times_new(const struct sv_cgroup_tree *tree, struct sv_cgroup_times **ret_times);
void sv_cgroup_times_free(struct sv_cgroup_times *times); /* NULL is allowed */
/* Reads them all anew. Negative errno: none is known then. */
int sv_cgroup_times_read(struct sv_cgroup_times *times);
/* When that was; CLOCK_MONOTONIC. */
uint64_t sv_cgroup_times_ns(const struct sv_cgroup_times *times);
/* What that cgroup and all below it had used when they were read. False: it is not known. */
bool sv_cgroup_times_of(const struct sv_cgroup_times *times, uint64_t cgroup_id, uint64_t *ret_ns);

#endif
