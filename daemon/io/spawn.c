/*
 * Starting a program, straight into its cgroup.
 *
 * Three ways, the best one first; the first spawns settle which one this machine allows:
 *
 *   clone3 into cgroup   CLONE_VM | CLONE_PIDFD | CLONE_INTO_CGROUP (Linux 5.7). The child borrows
 * the daemon's memory until execve(), on a stack of its own, so nothing is copied: 70 us from a
 * daemon of 100 MB, against 1,300 us with a copy. It is born inside its cgroup: there is no moment
 * in which it could fork outside. clone3               the same before 5.7; the child
 * writes itself into cgroup.procs first. fork                 no clone3: valgrind, strict seccomp
 * profiles, and every processor but x86-64, for which nobody has tried the assembly below.
 * Sanitizer builds too: their shadow memory does not survive two processes in one address space.
 *
 * CLONE_VFORK is not among them: execve() takes longer than everything else together, and the
 * daemon prepares the next program meanwhile. CLONE_CHILD_CLEARTID says when the child has left our
 * memory, executing its file or dying (mm_release() of the kernel, where vfork() ends, too), so
 * that what it wrote into `struct sv_child` is complete. After fork() the same words come through a
 * close-on-exec pipe. A failed child is reaped here: the caller never sees it as a process.
 *
 * What the shared memory costs, and what is done about it:
 *   - the child has its own stack, allocated once and used again, with a page below it that traps;
 *   - a handler of the daemon must not run in the child: all signals are blocked around the call,
 * and CLONE_CLEAR_SIGHAND (Linux 5.5) takes the handlers away. It leaves what is ignored, which the
 * child resets by itself; which signals those are is asked once. To reset all 64 was 18 us of 250;
 *   - the descriptors are shared too, and the child takes a copy of the lowest few only. So its
 * three are seated at low numbers for the time of the call, on seats that were taken with the first
 * spawn: a daemon of 1,000 programs has 5,000 descriptors;
 *   - a child that changes its user marks *our* memory as not dumpable (commit_creds() in the
 * kernel: rightly so, a process of that user could trace the child and read us). It is set back
 * afterwards, else one spawn with `user=` would cost the daemon its core dumps;
 *   - oom_score_adj is one for all who share a memory (__set_oom_adj() of the kernel), the daemon
 * included, unless the child is a vfork() that is not over: with that limit, it is one.
 *
 * A cgroup that was ever killed by cgroup.kill kills whatever is born into it (6.12 to 6.18 at
 * least). Such a child dies before its first instruction; SV_CHILD_UNBORN tells it apart from one
 * that was killed later. That is why every run has a cgroup of its own.
 */
#include "io/spawn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "io/spawn_child.h"
#include "io/spawn_words.h"

#if defined(__x86_64__) && !defined(SV_SANITIZED)
#define HAS_SHARED_MEMORY_SPAWN 1
#else
#define HAS_SHARED_MEMORY_SPAWN 0
#endif

enum {
    STACK_BYTES = 64 << 10, /* the child uses under 1 KB; execve() runs on the kernel's own stack */
    GUARD_BYTES = 4 << 10,
    SIGNAL_MAX = 64, /* the kernel's _NSIG on every architecture but MIPS */
};

enum method { METHOD_CLONE3_INTO_CGROUP, METHOD_CLONE3, METHOD_FORK, METHOD_COUNT };

static const char *const method_names[] = {
    [METHOD_CLONE3_INTO_CGROUP] = "clone3 into cgroup",
    [METHOD_CLONE3] = "clone3",
    [METHOD_FORK] = "fork",
};
_Static_assert(SV_ARRAY_LENGTH(method_names) == METHOD_COUNT, "every method has a name");

/* What this process has learnt about its kernel: one per process, like the kernel, so no caller
 * holds it. */
static struct {
    enum method method;
    char *stack_top; /* NULL: not allocated yet */
    bool has_seats;
    int seats[3]; /* low descriptors, lent to the child; duplicates of `nobody` between spawns */
    int nobody;
    bool knows_ignored;
    uint64_t ignored; /* bit n - 1: this daemon ignores signal n */

    /* The spawn that is on its way: there is one stack, so there is one. */
    struct sv_spawn_plan plan;
    struct sv_child child;
    struct sv_spawned spawned;
    uint32_t is_in_our_memory; /* a futex; the kernel clears it */
    int message_fd;            /* fork: where the child's word comes from */
    int dumpable;              /* ours, to be set back; -1: it stays */
    int result;                /* 0: there is a child; negative errno: there is none, and why */
} spawner = {.method = HAS_SHARED_MEMORY_SPAWN ? METHOD_CLONE3_INTO_CGROUP : METHOD_FORK};

const char *sv_spawn_method(void)
{
    return method_names[spawner.method];
}

#if HAS_SHARED_MEMORY_SPAWN

static int prepare_stack(void)
{
    if (spawner.stack_top)
        return 0;
    char *memory = mmap(NULL, GUARD_BYTES + STACK_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (memory == MAP_FAILED)
        return error_trace(-errno);
    if (mprotect(memory, GUARD_BYTES, PROT_NONE) < 0) {
        int error = -errno;
        munmap(memory, GUARD_BYTES + STACK_BYTES);
        return error_trace(error);
    }
    spawner.stack_top = memory + GUARD_BYTES + STACK_BYTES;
    return 0;
}

static int take_seats(void)
{
    int fds[4]; /* the last one is `nobody` */
    int count = 0;
    int nobody = eventfd(0, EFD_CLOEXEC);
    while (nobody >= 0 && count < 4) {
        fds[count] = fcntl(nobody, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (fds[count] < 0)
            break;
        count++;
    }
    int error = errno;
    if (nobody >= 0)
        close(nobody);
    if (count == 4) {
        for (int i = 0; i < 3; i++)
            spawner.seats[i] = fds[i];
        spawner.nobody = fds[3];
        spawner.has_seats = true;
        return 0;
    }
    while (count > 0)
        close(fds[--count]);
    return error_trace(-error);
}

/* What stays on a seat would keep a pipe open that the caller closes. */
static void leave_seats(void)
{
    for (int i = 0; i < 3; i++)
        dup3(spawner.nobody, spawner.seats[i], O_CLOEXEC);
}

static int sit_down(const struct sv_spawn_plan *plan, struct sv_child *child)
{
    int r = spawner.has_seats ? 0 : take_seats();
    if (r < 0)
        return r;
    const int fds[3] = {plan->stdin_fd, plan->stdout_fd, plan->stderr_fd};
    for (int i = 0; i < 3; i++) {
        if (dup3(fds[i], spawner.seats[i], O_CLOEXEC) < 0) {
            r = -errno;
            leave_seats();
            return error_trace(r);
        }
        child->fds[i] = spawner.seats[i];
    }
    child->shares_descriptors = true;
    return 0;
}

/* The kernel is asked, not sigaction(): that refuses the two signals which glibc keeps for itself,
 * and whoever was started by posix_spawn() ignores both (glibc 2.36, __spawni_child()). */
static uint64_t ignored_signals(void)
{
    for (int number = 1; number <= SIGNAL_MAX && !spawner.knows_ignored; number++) {
        struct sv_kernel_sigaction now;
        if (syscall(SYS_rt_sigaction, number, NULL, &now, SV_SIGNAL_SET_BYTES) == 0 &&
            now.handler == SIG_IGN)
            spawner.ignored |= UINT64_C(1) << (number - 1);
    }
    spawner.knows_ignored = true;
    return spawner.ignored;
}

/*
 * glibc 2.36 has no wrapper, and could have none in C: the child comes back from the system call on
 * another stack, where the caller's frame is not. So the call to the child's function is part of
 * the assembly, with the frame pointer zeroed to end a debugger's walk. The two values that the
 * child needs are in registers that the kernel keeps.
 */
static long clone3_and_run(struct clone_args *arguments, struct sv_child *child)
{
    long result;
    register void (*function)(void *) __asm__("r8") = sv_child_main;
    register struct sv_child *argument __asm__("r9") = child;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "mov %%r9, %%rdi\n\t"
                     "call *%%r8\n\t"
                     "ud2\n"
                     "1:"
                     : "=a"(result)
                     : "0"((long)SYS_clone3), "D"(arguments), "S"(sizeof(*arguments)),
                       "r"(function), "r"(argument)
                     : "rcx", "r11", "memory", "cc");
    return result;
}

static int begin_by_clone3(struct sv_child *child, bool is_into_cgroup)
{
    int r = prepare_stack();
    if (r == 0)
        r = sit_down(child->plan, child);
    if (r < 0)
        return r;
    int pidfd = -1;
    bool has_oom_score = child->oom_score[0] != '\0';
    struct clone_args arguments = {
        .flags = CLONE_VM | CLONE_FILES | CLONE_PIDFD | CLONE_CLEAR_SIGHAND | CLONE_CHILD_CLEARTID |
                 (is_into_cgroup ? CLONE_INTO_CGROUP : 0) | (has_oom_score ? CLONE_VFORK : 0),
        .pidfd = (uintptr_t)&pidfd, /* the kernel makes it close-on-exec */
        .child_tid = (uintptr_t)&spawner.is_in_our_memory,
        .exit_signal = SIGCHLD,
        .stack = (uintptr_t)(spawner.stack_top - STACK_BYTES),
        .stack_size = STACK_BYTES,
        .cgroup = is_into_cgroup ? (unsigned)child->plan->cgroup_fd : 0,
    };
    child->signals_to_reset = ignored_signals();
    spawner.dumpable = child->plan->has_user ? prctl(PR_GET_DUMPABLE) : -1;
    __atomic_store_n(&spawner.is_in_our_memory, 1, __ATOMIC_RELEASE);
    long result = clone3_and_run(&arguments, child);
    if (result < 0) {
        leave_seats();
        return (int)result;
    }
    spawner.spawned = (struct sv_spawned){.pid = (pid_t)result, .pidfd = pidfd};
    return 0;
}

static bool is_dead(int pidfd)
{
    struct pollfd exit = {.fd = pidfd, .events = POLLIN};
    return poll(&exit, 1, 0) == 1;
}

/* Kernels before 5.17 leave the word as it is when the child dies with a core dump: hence the
 * second look. */
static void end_by_clone3(void)
{
    const struct timespec second_look = {.tv_sec = 1};
    while (__atomic_load_n(&spawner.is_in_our_memory, __ATOMIC_ACQUIRE) &&
           (syscall(SYS_futex, &spawner.is_in_our_memory, FUTEX_WAIT, 1, &second_look) == 0 ||
            errno != ETIMEDOUT || !is_dead(spawner.spawned.pidfd)))
        continue;
    leave_seats();
    if (spawner.dumpable == 1)
        prctl(PR_SET_DUMPABLE, 1);
}

#else

static int begin_by_clone3(struct sv_child *child, bool is_into_cgroup)
{
    (void)child;
    (void)is_into_cgroup;
    return -ENOSYS;
}

static void end_by_clone3(void)
{
}

#endif

/* Waits for the child's word. The end of the pipe is execve(), or its death. */
static void read_message(int fd, struct sv_child *child)
{
    struct sv_child_message message;
    ssize_t length;
    do
        length = read(fd, &message, sizeof(message));
    while (length < 0 && errno == EINTR);
    child->progress = SV_CHILD_EXECUTES;
    if (length == (ssize_t)sizeof(message)) {
        child->progress = SV_CHILD_FAILED;
        child->failure = message.failure;
    }
}

static int begin_by_fork(struct sv_child *child)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return error_trace(-errno);
    /* Above the three that the child fills: a daemon may have been started with them closed. */
    child->error_fd = fcntl(fds[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    int error = errno;
    close(fds[1]);
    if (child->error_fd < 0) {
        close(fds[0]);
        return error_trace(-error);
    }
    pid_t pid = fork();
    if (pid == 0)
        sv_child_main(child);
    error = errno;
    close(child->error_fd);
    if (pid < 0) {
        close(fds[0]);
        return -error;
    }
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    spawner.spawned = (struct sv_spawned){.pid = pid, .pidfd = pidfd < 0 ? -1 : pidfd};
    spawner.message_fd = fds[0];
    return 0;
}

static void end_by_fork(struct sv_child *child)
{
    read_message(spawner.message_fd, child);
    close(spawner.message_fd);
}

static int begin_by(enum method method, struct sv_child *child)
{
    bool has_cgroup = child->plan->cgroup_fd >= 0;
    child->joins_cgroup = has_cgroup && method != METHOD_CLONE3_INTO_CGROUP;
    child->progress = SV_CHILD_UNBORN;
    child->error_fd = -1;
    if (method == METHOD_FORK) {
        const struct sv_spawn_plan *plan = child->plan;
        child->shares_descriptors = false;
        child->signals_to_reset = UINT64_MAX;
        child->fds[0] = plan->stdin_fd;
        child->fds[1] = plan->stdout_fd;
        child->fds[2] = plan->stderr_fd;
        return begin_by_fork(child);
    }
    return begin_by_clone3(child, has_cgroup && method == METHOD_CLONE3_INTO_CGROUP);
}

/* Errors that say "I do not know this call", not "it went wrong": ENOSYS by old kernels and
 * valgrind, EPERM by seccomp profiles, EINVAL and E2BIG by kernels that know a shorter clone_args.
 */
static bool is_unsupported(int error)
{
    return error == -ENOSYS || error == -EPERM || error == -EINVAL || error == -E2BIG;
}

static int begin_by_best(struct sv_child *child)
{
    for (enum method method = spawner.method; method < METHOD_COUNT; method++) {
        int r = begin_by(method, child);
        if (r == 0)
            spawner.method = method; /* only a success proves that the one before is missing */
        if (!is_unsupported(r) || method == METHOD_FORK)
            return r;
    }
    assert(!"the last method returns");
    return -ENOSYS;
}

static void reap(const struct sv_spawned *spawned)
{
    int status;
    while (waitpid(spawned->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (spawned->pidfd >= 0)
        close(spawned->pidfd);
}

/* clone3() itself refused. What concerns the cgroup, by cgroup_css_set_fork() of the kernel. */
static int refused(const struct sv_spawn_plan *plan, int error,
                   struct sv_spawn_failure *ret_failure)
{
    static const int cgroup_errors[] = {EBADF, EBUSY, EACCES, ENODEV, ENOENT, EOPNOTSUPP};
    enum sv_spawn_stage stage = SV_SPAWN_STAGE_FORK;
    for (size_t i = 0; plan->cgroup_fd >= 0 && i < SV_ARRAY_LENGTH(cgroup_errors); i++)
        if (error == -cgroup_errors[i])
            stage = SV_SPAWN_STAGE_CGROUP;
    if (stage == SV_SPAWN_STAGE_FORK && error != -EAGAIN && error != -ENOMEM)
        return error_trace(error);
    *ret_failure = (struct sv_spawn_failure){.stage = stage, .error = -error};
    sv_spawn_write_words(plan, ret_failure);
    return SV_SPAWN_FAILED;
}

/* By hand: sigprocmask() leaves out the two signals that glibc keeps for itself. Returns the old
 * mask. */
static uint64_t set_signal_mask(uint64_t mask)
{
    uint64_t before = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, &before, sizeof(mask));
    return before;
}

static int fill_child(const struct sv_spawn_plan *plan, struct sv_child *child)
{
    *child = (struct sv_child){.plan = plan};
    const struct sv_limit_entry *oom = sv_limits_find(plan->limits, SV_LIMIT_OOM_SCORE_ADJUST);
    if (oom)
        snprintf(child->oom_score, sizeof(child->oom_score), "%d", (int)(int64_t)oom->number);
    if (plan->nofile_soft) {
        if (getrlimit(RLIMIT_NOFILE, &child->nofile) < 0)
            return error_trace(-errno);
        child->nofile.rlim_cur =
            plan->nofile_soft < child->nofile.rlim_max ? plan->nofile_soft : child->nofile.rlim_max;
    }
    return 0;
}

void sv_spawn_begin(const struct sv_spawn_plan *plan)
{
    spawner.plan = *plan;
    spawner.result = fill_child(&spawner.plan, &spawner.child);
    if (spawner.result < 0)
        return;
    uint64_t mask = set_signal_mask(UINT64_MAX);
    spawner.result = begin_by_best(&spawner.child);
    set_signal_mask(mask);
}

int sv_spawn_end(struct sv_spawned *ret_spawned, struct sv_spawn_failure *ret_failure)
{
    const struct sv_spawn_plan *plan = &spawner.plan;
    struct sv_child *child = &spawner.child;
    if (spawner.result < 0)
        return refused(plan, spawner.result, ret_failure);
    if (spawner.method == METHOD_FORK)
        end_by_fork(child);
    else
        end_by_clone3();
    if (child->progress == SV_CHILD_UNBORN)
        child->failure =
            (struct sv_spawn_failure){.stage = SV_SPAWN_STAGE_CGROUP, .error = ECANCELED};
    else if (child->progress != SV_CHILD_FAILED) {
        *ret_spawned = spawner.spawned;
        return 0;
    }
    child->failure.pid = spawner.spawned.pid;
    reap(&spawner.spawned);
    *ret_failure = child->failure;
    sv_spawn_write_words(plan, ret_failure);
    return SV_SPAWN_FAILED;
}

int sv_spawn(const struct sv_spawn_plan *plan, struct sv_spawned *ret_spawned,
             struct sv_spawn_failure *ret_failure)
{
    sv_spawn_begin(plan);
    return sv_spawn_end(ret_spawned, ret_failure);
}
