/* The child's side of a spawn: what runs between the birth and execve(). See spawn_child.c. */
#ifndef SV_IO_SPAWN_CHILD_H
#define SV_IO_SPAWN_CHILD_H

#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>

#include "io/spawn.h"

enum { SV_SIGNAL_SET_BYTES = 8 }; /* the kernel's sigset_t, not glibc's */

/* The kernel's struct sigaction, which is not glibc's either: only the first word is asked for, and
 * the rest is long enough for every architecture. All zero is SIG_DFL, no flags, an empty mask. */
struct sv_kernel_sigaction {
    sighandler_t handler;
    unsigned long rest[7];
};

/* How far the child has come. Written by the child, read by the parent after it. */
enum sv_child_progress {
    SV_CHILD_UNBORN, /* not one instruction of it has run */
    SV_CHILD_RUNS,
    SV_CHILD_EXECUTES, /* execve() was called: no word after this means that it worked */
    SV_CHILD_FAILED,
};

/* One page of paper between parent and child: shared memory with CLONE_VM, a copy after fork(). */
struct sv_child {
    const struct sv_spawn_plan *plan;
    struct rlimit nofile;      /* meaningful with plan->nofile_soft */
    char oom_score[8];         /* what plan->limits say of it, as text; "": nothing */
    int fds[3];                /* become 0, 1, 2; close-on-exec */
    bool joins_cgroup;         /* the kernel did not do it at birth */
    bool shares_descriptors;   /* with the parent, so far: `fds` are low numbers then */
    uint64_t signals_to_reset; /* bit n - 1: signal n may be ignored or handled, and is reset */
    int error_fd; /* close-on-exec pipe for `progress` and `failure`; -1: memory is shared */

    volatile enum sv_child_progress progress;
    struct sv_spawn_failure failure; /* meaningful with SV_CHILD_FAILED */
};

/* What goes through `error_fd`. */
struct sv_child_message {
    struct sv_spawn_failure failure;
};

/* Never returns: it becomes the program, or exits with status 127. */
_Noreturn void sv_child_main(void *child);

#endif
