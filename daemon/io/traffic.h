/* Bytes and packets of the network, by cgroup: the eBPF programs of bpf/traffic.bpf.c. See
 * traffic.c. */
#ifndef SV_IO_TRAFFIC_H
#define SV_IO_TRAFFIC_H

#include <stdint.h>
#include <svisor/bpf_abi.h>

#include "io/cgroup.h"
#include "io/keeper.h"

struct sv_traffic;

/*
 * Takes over what counts since an earlier daemon, if the keeper holds it, or loads and attaches it
 * anew and gives it to the keeper. `keeper` may be NULL: then the counts end with us. Negative
 * errno: nothing can be counted here.
 */
int sv_traffic_new(const struct sv_cgroup_tree *tree, struct sv_keeper *keeper,
                   struct sv_traffic **ret_traffic);
/* Gives it to the keeper, to another one than before. NULL is allowed for that. */
void sv_traffic_keep(const struct sv_traffic *traffic, struct sv_keeper *keeper);
/* What the keeper holds goes on counting. NULL is allowed. */
void sv_traffic_free(struct sv_traffic *traffic);
/* From now on what sockets of that cgroup send and receive is counted; what was counted for it
 * already stays. Negative errno: -E2BIG when there are too many. */
int sv_traffic_count(struct sv_traffic *traffic, uint64_t cgroup_id);
void sv_traffic_forget(struct sv_traffic *traffic, uint64_t cgroup_id);
/* -ENOENT: it is not counted. */
int sv_traffic_read(const struct sv_traffic *traffic, uint64_t cgroup_id,
                    struct sv_bpf_traffic *ret_sum);

#endif
