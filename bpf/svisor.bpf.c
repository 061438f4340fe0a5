/*
 * What happens to the processes of svisor's cgroups: facts, no policy.
 *
 * Every program first asks whether the process is below our root cgroup, by (level, id) of that
 * ancestor, and leaves at once if not: that is all the rest of the host pays. A record goes into
 * one ring buffer. EXIT and OOM wake the daemon; the others wait there until it wakes, or the ring
 * is a quarter full, because what costs is the waking (docs/kernel.md). The last quarter is kept
 * for EXIT and OOM. A record that finds no room is counted by kind, never lost in silence.
 *
 * The union of a record is read as 32-bit halves by nobody: each record is zeroed before it is
 * filled.
 *
 * SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 */
#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "svisor_kernel.h"
#include <svisor/bpf_abi.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum {
    LEVEL_MAX = 32,       /* of cgroups, where a cgroup namespace hides our own depth */
    GROUP_BELOW_ROOT = 1, /* <root>/<group>/<process>.<run> */
    LEAF_BELOW_ROOT = 2,
    NUMBER_CHLD = 17, /* these say nothing about a death, and there are many of them */
    NUMBER_CONT = 18,
    NUMBER_URG = 23,
    NUMBER_WINCH = 28,
    SENT = 0,              /* enum of trace/events/signal.h: delivered … */
    SENT_WITHOUT_INFO = 4, /* … and delivered, but the queue was full */
    CODE_KERNEL = 0x80,
};

/* Set before loading, constant for the verifier. */
const volatile __u64 root_id = 0;
const volatile __u32 root_level = 0; /* SV_BPF_LEVEL_UNKNOWN: look for it */
const volatile __u32 page_bytes = 4096;
const volatile __u32 ring_bytes = SV_BPF_RING_BYTES;

/* Read and written by the daemon while the programs run. */
__u64 lost_count[SV_BPF_KIND_COUNT] = {0};
const struct sv_bpf_record *record_layout =
    0;               /* puts the type into the BTF: tests/bpf reads it there */
__u32 pid_level = 0; /* of the daemon's pid namespace: records speak its numbers */

__u32 fork_watch_count = 0; /* 0: no fork looks into the map */

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, SV_BPF_FORK_WATCHES_MAX);
    __type(key, __u64); /* id of the cgroup */
    __type(value, struct sv_bpf_fork_watch);
} fork_watches SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, SV_BPF_RING_BYTES);
} ring SEC(".maps");

/* --- which cgroup --- */

/* The leaf that the current process lives in; 0: it is not ours. */
static __always_inline __u64 current_leaf_id(void)
{
    if (root_level != SV_BPF_LEVEL_UNKNOWN) {
        if (bpf_get_current_ancestor_cgroup_id(root_level) != root_id)
            return 0;
        __u64 id = bpf_get_current_ancestor_cgroup_id(root_level + LEAF_BELOW_ROOT);
        return id ? id : bpf_get_current_cgroup_id();
    }
    for (int level = 0; level < LEVEL_MAX; level++)
        if (bpf_get_current_ancestor_cgroup_id(level) == root_id)
            return bpf_get_current_ancestor_cgroup_id(level + LEAF_BELOW_ROOT);
    return 0;
}

static __always_inline __u64 ancestor_id(struct cgroup *cgroup, __u32 level)
{
    struct cgroup *ancestor = NULL;
    void *place =
        (void *)cgroup + bpf_core_field_offset(struct cgroup, ancestors) + level * sizeof(ancestor);
    bpf_probe_read_kernel(&ancestor, sizeof(ancestor), place);
    return BPF_CORE_READ(ancestor, kn, id);
}

/* The same for another process than the current one; with GROUP_BELOW_ROOT its group. */
static __always_inline __u64 home_id(struct task_struct *task, __u32 below_root)
{
    struct cgroup *cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp);
    __u32 depth = BPF_CORE_READ(cgroup, level);
    __u32 level = root_level;
    if (level == SV_BPF_LEVEL_UNKNOWN)
        for (level = 0; level < LEVEL_MAX; level++)
            if (level > depth || ancestor_id(cgroup, level) == root_id)
                break;
    if (level > depth || ancestor_id(cgroup, level) != root_id)
        return 0;
    __u32 home_level = level + below_root;
    return home_level <= depth ? ancestor_id(cgroup, home_level) : BPF_CORE_READ(cgroup, kn, id);
}

static __always_inline __u64 leaf_id(struct task_struct *task)
{
    return home_id(task, LEAF_BELOW_ROOT);
}

/* The thread group's number as the daemon would say it; 0: not visible in its namespace. */
static __always_inline __u32 process_id(struct task_struct *task)
{
    if (pid_level == 0)
        return BPF_CORE_READ(task, tgid);
    struct pid *pid = BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]);
    if (!pid || BPF_CORE_READ(pid, level) < pid_level)
        return 0;
    struct upid number = {0};
    void *place = (void *)pid + bpf_core_field_offset(struct pid, numbers) +
                  pid_level * bpf_core_type_size(struct upid);
    bpf_core_read(&number.nr, sizeof(number.nr), &((struct upid *)place)->nr);
    return number.nr;
}

/* --- records --- */

static __always_inline bool is_urgent(enum sv_bpf_kind kind)
{
    return kind == SV_BPF_EXIT || kind == SV_BPF_OOM || kind == SV_BPF_FORK_RATE;
}

static __always_inline struct sv_bpf_record *reserve(enum sv_bpf_kind kind, __u64 cgroup_id)
{
    struct sv_bpf_record *record = NULL;
    if (is_urgent(kind) || bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) < ring_bytes / 4 * 3)
        record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
    if (!record) {
        __sync_fetch_and_add(&lost_count[kind], 1);
        return NULL;
    }
    __builtin_memset(record, 0, sizeof(*record));
    record->kind = kind;
    record->time_ns = bpf_ktime_get_boot_ns();
    record->cgroup_id = cgroup_id;
    return record;
}

/* Forced, not left to the kernel: it wakes only a reader that has read everything before. */
static __always_inline void submit(struct sv_bpf_record *record)
{
    bool wakes =
        is_urgent(record->kind) || bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > ring_bytes / 4;
    bpf_ringbuf_submit(record, wakes ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

/* --- hooks --- */

static __always_inline int record_exit(struct task_struct *task)
{
    __u64 leaf = current_leaf_id();
    if (!leaf || BPF_CORE_READ(task, signal, live.counter) != 0)
        return 0; /* not ours, or not the last thread */
    struct sv_bpf_record *record = reserve(SV_BPF_EXIT, leaf);
    if (!record)
        return 0;
    record->pid = process_id(task);
    record->exit.wait_status = BPF_CORE_READ(task, exit_code);
    record->exit.max_rss_bytes = BPF_CORE_READ(task, signal, maxrss) * page_bytes;
    BPF_CORE_READ_STR_INTO(&record->comm, task, comm);
    submit(record);
    return 0;
}

/* do_exit() calls it after signal->live is decremented and exit_code is set: the one place where
 * the whole process is known to end and its cgroup is still its own. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
    return record_exit(task);
}

/* The same where the kernel refuses programs of the tracing type. */
SEC("raw_tp/sched_process_exit")
int on_exit_raw(struct bpf_raw_tracepoint_args *context)
{
    return record_exit((struct task_struct *)context->args[0]);
}

/* Counts a fork of a watched cgroup, and tells when it is one too many for this window. Two
 * processors may count at once: a fork may be missed or a window told twice, which harms nobody. */
static __always_inline void count_fork(__u64 cgroup_id, struct task_struct *parent)
{
    struct sv_bpf_fork_watch *watch = bpf_map_lookup_elem(&fork_watches, &cgroup_id);
    if (!watch)
        return;
    __u64 age_ns = bpf_ktime_get_boot_ns() - watch->start_ns;
    if (age_ns >= watch->window_ns) {
        watch->former_count = age_ns < 2 * watch->window_ns ? watch->fork_count : 0;
        watch->start_ns += age_ns;
        watch->fork_count = 0;
        watch->is_told = 0;
    }
    __sync_fetch_and_add(&watch->fork_count, 1);
    __u32 fork_count = watch->fork_count;
    if (fork_count <= watch->bound || watch->is_told)
        return;
    watch->is_told = 1;
    struct sv_bpf_record *record = reserve(SV_BPF_FORK_RATE, cgroup_id);
    if (!record)
        return;
    record->pid = process_id(parent);
    record->fork_rate.fork_count =
        watch->former_count > fork_count ? watch->former_count : fork_count;
    BPF_CORE_READ_STR_INTO(&record->comm, parent, comm);
    submit(record);
}

/* kernel_clone() calls it in the parent. With CLONE_INTO_CGROUP the child is where the parent is
 * not, so the child's cgroup is asked; it is final here. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
    if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid))
        return 0; /* a thread */
    __u64 leaf = leaf_id(child);
    if (leaf && fork_watch_count > 0) {
        count_fork(leaf, parent);
        count_fork(home_id(child, GROUP_BELOW_ROOT), parent);
    }
    struct sv_bpf_record *record = leaf ? reserve(SV_BPF_FORK, leaf) : NULL;
    if (!record)
        return 0;
    record->pid = process_id(child);
    record->fork.parent_pid = process_id(parent);
    BPF_CORE_READ_STR_INTO(&record->comm, child, comm);
    submit(record);
    return 0;
}

/* begin_new_exec() is past its point of no return and `comm` is the new one. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task)
{
    __u64 leaf = current_leaf_id();
    struct sv_bpf_record *record = leaf ? reserve(SV_BPF_EXEC, leaf) : NULL;
    if (!record)
        return 0;
    record->pid = process_id(task);
    BPF_CORE_READ_STR_INTO(&record->comm, task, comm);
    submit(record);
    return 0;
}

static __always_inline bool is_dull(int number)
{
    return number == NUMBER_CHLD || number == NUMBER_CONT || number == NUMBER_URG ||
           number == NUMBER_WINCH;
}

/* __send_signal_locked() calls it in the sender: the only moment at which the kernel knows who it
 * is. */
SEC("tp_btf/signal_generate")
int BPF_PROG(on_signal, int number, struct kernel_siginfo *info, struct task_struct *task,
             int group, int result)
{
    if (is_dull(number) || (result != SENT && result != SENT_WITHOUT_INFO))
        return 0;
    __u64 leaf = leaf_id(task);
    struct sv_bpf_record *record = leaf ? reserve(SV_BPF_SIGNAL, leaf) : NULL;
    if (!record)
        return 0;
    record->pid = process_id(task);
    record->signal.number = number;
    /* 0 and 1 are not addresses: SEND_SIG_NOINFO, which says "a user" also where it is the kernel
     * that sends, and SEND_SIG_PRIV. */
    unsigned long address = (unsigned long)info;
    if (address > 1)
        record->signal.code = BPF_CORE_READ(info, si_code);
    else
        record->signal.code = address ? CODE_KERNEL : SV_BPF_CODE_NO_INFO;
    record->signal.sender_pid = process_id((struct task_struct *)bpf_get_current_task());
    record->signal.sender_uid = (__u32)bpf_get_current_uid_gid();
    record->signal.sender_cgroup_id = bpf_get_current_cgroup_id();
    bpf_get_current_comm(record->sender_comm, sizeof(record->sender_comm));
    BPF_CORE_READ_STR_INTO(&record->comm, task, comm);
    submit(record);
    return 0;
}

/* __oom_kill_process() calls it before the SIGKILL. Kernels before 6.8 or so give a number instead
 * of the task; the verifier refuses this program there, and memory.events must do. */
SEC("tp_btf/mark_victim")
int BPF_PROG(on_oom, struct task_struct *task)
{
    __u64 leaf = leaf_id(task);
    struct sv_bpf_record *record = leaf ? reserve(SV_BPF_OOM, leaf) : NULL;
    if (!record)
        return 0;
    record->pid = process_id(task);
    BPF_CORE_READ_STR_INTO(&record->comm, task, comm);
    submit(record);
    return 0;
}

/* Run once by the daemon (BPF_PROG_TEST_RUN), never attached: how deep its pid namespace is. */
SEC("raw_tp")
int learn_namespace(void *context)
{
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    pid_level = BPF_CORE_READ(task, thread_pid, level);
    return 0;
}
