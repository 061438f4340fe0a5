/*
 * The few fields of the kernel's structs that svisor.bpf.c reads. Offsets come from the running
 * kernel's BTF (CO-RE), so only names and types must agree; a vmlinux.h dump would be three
 * megabytes of the rest.
 *
 * SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
 */
#ifndef SVISOR_KERNEL_H
#define SVISOR_KERNEL_H

#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernfs_node {
    __u64 id;
};

struct cgroup {
    int level;
    struct kernfs_node *kn;
    struct cgroup *ancestors[];
};

struct css_set {
    struct cgroup *dfl_cgrp;
};

struct upid {
    int nr;
};

struct pid {
    unsigned int level;
    struct upid numbers[];
};

typedef struct {
    int counter;
} atomic_t;

struct signal_struct {
    atomic_t live;
    unsigned long maxrss;
    struct pid *pids[4];
};

struct task_struct {
    int pid;
    int tgid;
    int exit_code;
    struct signal_struct *signal;
    struct css_set *cgroups;
    struct pid *thread_pid;
    char comm[16];
};

struct kernel_siginfo {
    int si_code;
};

#pragma clang attribute pop

#define PIDTYPE_TGID 1 /* of enum pid_type: unchanged since 4.19 */

#endif
