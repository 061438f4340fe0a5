/*
 * The records that the eBPF programs put into the ring buffer: fixed width, explicit pads, zeroed.
 * Included by bpf/ and by daemon/io; tests/bpf holds both to the same layout.
 *
 * SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause
 */
#ifndef SVISOR_BPF_ABI_H
#define SVISOR_BPF_ABI_H

#include <linux/types.h>

#define SV_BPF_ABI_VERSION 1
#define SV_BPF_COMM_BYTES  16

/* 5,900 records: the last words of 1,000 programs that are killed at once, while the daemon is
 * busy. A power of two and whole pages, as the kernel demands. */
#define SV_BPF_RING_BYTES (512 * 1024)

/* `code` of a signal that came without siginfo. kill() and its sisters always have one, so it is
 * the kernel that speaks: cgroup.kill, SIGPIPE, SIGXFSZ, PR_SET_PDEATHSIG. No si_code is that
 * large. */
#define SV_BPF_CODE_NO_INFO 0x10000

/* For the level of our root cgroup, where a cgroup namespace hides it. */
#define SV_BPF_LEVEL_UNKNOWN 0xffffffffu

enum sv_bpf_kind {
    SV_BPF_FORK,
    SV_BPF_EXEC,
    SV_BPF_EXIT,      /* the last thread is dying, and why; not yet dead: FACTS E, docs/kernel.md */
    SV_BPF_SIGNAL,    /* somebody sent a signal to a process of ours */
    SV_BPF_OOM,       /* the OOM killer chose a process of ours */
    SV_BPF_FORK_RATE, /* more forks in a watched cgroup than its bound; once in a window */
    SV_BPF_KIND_COUNT
};

struct sv_bpf_record {
    __u32 kind;
    __u32 pid;       /* thread group id that the record is about */
    __u64 time_ns;   /* bpf_ktime_get_boot_ns() */
    __u64 cgroup_id; /* the leaf of that process; FORK_RATE: the cgroup that is watched */
    union {
        struct {
            __u32 parent_pid;
            __u32 pad;
        } fork;
        struct {
            __u32 wait_status;
            __u32 pad;
            __u64 max_rss_bytes;
        } exit;
        struct {
            __u32 number;
            __s32 code; /* si_code */
            __u32 sender_pid;
            __u32 sender_uid;
            __u64 sender_cgroup_id;
        } signal;
        struct {
            __u32 fork_count; /* in the window before, or in this one until now if that is more */
            __u32 pad;
        } fork_rate;
        __u64 raw[3];
    };
    char comm[SV_BPF_COMM_BYTES];        /* of the process that it is about */
    char sender_comm[SV_BPF_COMM_BYTES]; /* SIGNAL only */
};

/* The value of a cgroup whose forks are watched; the daemon writes the first two. */
struct sv_bpf_fork_watch {
    __u64 window_ns;
    __u32 bound;
    __u32 fork_count; /* in the window that began at start_ns */
    __u64 start_ns;
    __u32 former_count; /* in the window just before that */
    __u32 is_told;      /* of this window */
};

/* All programs of a large machine: 10,000 and their groups. Memory is taken for those that are
 * watched. */
#define SV_BPF_FORK_WATCHES_MAX 16384
#define SV_BPF_TRAFFIC_MAX      16384
#define SV_BPF_CGROUP_TIMES_MAX 16384

/* The value of a cgroup whose traffic is counted: of IPv4 and IPv6, with their headers. */
struct sv_bpf_traffic {
    __u64 rx_bytes;
    __u64 rx_packets;
    __u64 tx_bytes;
    __u64 tx_packets;
};

/* What a cgroup and those below it have used of processors, ever: usage_usec of cpu.stat. */
struct sv_bpf_cgroup_time {
    __u64 cgroup_id;
    __u64 cpu_ns;
};

#endif
