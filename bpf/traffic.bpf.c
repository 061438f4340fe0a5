/*
 * Bytes and packets of the network, for the cgroups that ask.
 *
 * Attached once, at our root cgroup: what is sent and received by sockets of the rest of the host
 * never comes here. A socket belongs to the cgroup of the process that has opened it, whoever sends
 * through it later. A packet is counted for the leaf and for the group above it, each only if
 * somebody has put it into the map. Nothing is ever dropped: both programs say 1.
 *
 * An object of its own, so that nobody pays for it who does not ask.
 *
 * SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>

#include <svisor/bpf_abi.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum { LEVEL_MAX = 32, GROUP_BELOW_ROOT = 1, LEAF_BELOW_ROOT = 2, PASS = 1 };

/* Set before loading, constant for the verifier. */
const volatile __u64 root_id = 0;
const volatile __u32 root_level = 0; /* SV_BPF_LEVEL_UNKNOWN: look for it */

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, SV_BPF_TRAFFIC_MAX);
    __type(key, __u64); /* id of the cgroup */
    __type(value, struct sv_bpf_traffic);
} traffic SEC(".maps");

static __always_inline void count_for(__u64 cgroup_id, __u64 bytes, bool is_sent)
{
    struct sv_bpf_traffic *sum = bpf_map_lookup_elem(&traffic, &cgroup_id);
    if (!sum)
        return;
    __sync_fetch_and_add(is_sent ? &sum->tx_bytes : &sum->rx_bytes, bytes);
    __sync_fetch_and_add(is_sent ? &sum->tx_packets : &sum->rx_packets, 1);
}

static __always_inline int count(struct __sk_buff *skb, bool is_sent)
{
    __u32 level = root_level;
    if (level == SV_BPF_LEVEL_UNKNOWN)
        for (level = 0; level < LEVEL_MAX; level++)
            if (bpf_skb_ancestor_cgroup_id(skb, level) == root_id)
                break;
    count_for(bpf_skb_ancestor_cgroup_id(skb, level + GROUP_BELOW_ROOT), skb->len, is_sent);
    count_for(bpf_skb_ancestor_cgroup_id(skb, level + LEAF_BELOW_ROOT), skb->len, is_sent);
    return PASS;
}

SEC("cgroup_skb/ingress")
int on_received(struct __sk_buff *skb)
{
    return count(skb, false);
}

SEC("cgroup_skb/egress")
int on_sent(struct __sk_buff *skb)
{
    return count(skb, true);
}
