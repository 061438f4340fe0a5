/*
 * The child, from its birth to execve().
 *
 * It may share the parent's whole memory (CLONE_VM), errno and the locks of malloc included, and
 * other threads of the parent run on. So there is no library in here: system calls are made by
 * hand, nothing is allocated, and the only thing written is `struct sv_child`. setuid() and its
 * family must be raw for a second reason: glibc's versions order *every thread of the process* to
 * change too.
 *
 * The order is Supervisor's (process.py, _spawn_as_child): own process group, descriptors, user,
 * directory, umask, execute. Ours adds the signal state before it, and the limits while it is still
 * the daemon's user, who may raise them.
 *
 * A signal that arrives meanwhile stays pending, because the parent blocked all of them; the mask
 * is cleared last, when every disposition is the default one. So a SIGTERM right after the start
 * ends the child, where Supervisor's child still has Supervisor's own handler and swallows it.
 */
#include "io/spawn_child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/limits_process.h"

enum {
    EXIT_NOT_SPAWNED = 127,       /* Supervisor's code */
    CLOSE_ONE_BY_ONE_MAX = 65536, /* kernels before 5.9 only */
};

/* Returns what the kernel returned: a negative errno, with `errno` untouched. */
static long call6(long number, const long a[6])
{
#if defined(__x86_64__)
    long result;
    register long r10 __asm__("r10") = a[3];
    register long r8 __asm__("r8") = a[4];
    register long r9 __asm__("r9") = a[5];
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#else
    /* These machines only come here after fork(), where errno is the child's own. */
    long result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    return result < 0 ? -errno : result;
#endif
}

#define CALL(number, ...) call6((number), (const long[6]){__VA_ARGS__})

static _Noreturn void fail(struct sv_child *child, enum sv_spawn_stage stage, long result)
{
    child->failure.stage = stage;
    child->failure.error = (int)-result;
    child->progress = SV_CHILD_FAILED;
    if (child->error_fd >= 0) {
        struct sv_child_message message = {.failure = child->failure};
        CALL(SYS_write, child->error_fd, (long)&message, sizeof(message));
    }
    for (;;)
        CALL(SYS_exit_group, EXIT_NOT_SPAWNED);
}

/* Also the ignored ones: execve() would keep those, and systemd ignores SIGPIPE for its services.
 */
static void reset_signals(uint64_t signals)
{
    const struct sv_kernel_sigaction standard = {.handler = SIG_DFL};
    for (long number = 1; signals; number++, signals >>= 1)
        if (signals & 1)
            CALL(SYS_rt_sigaction, number, (long)&standard, 0, SV_SIGNAL_SET_BYTES);
}

static void unblock_signals(void)
{
    const unsigned long long none = 0;
    CALL(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, SV_SIGNAL_SET_BYTES);
}

/* "0" is the writer itself. */
static long join_cgroup(int cgroup_fd)
{
    long fd = CALL(SYS_openat, cgroup_fd, (long)"cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return fd;
    long result = CALL(SYS_write, fd, (long)"0", 1);
    CALL(SYS_close, fd);
    return result < 0 ? result : 0;
}

static void close_from(long first)
{
    if (CALL(SYS_close_range, first, (long)~0u, 0) != -ENOSYS)
        return;
    for (long fd = first; fd < CLOSE_ONE_BY_ONE_MAX; fd++)
        CALL(SYS_close, fd);
}

/*
 * The parent has several descriptors for each program. They are not copied for the child, only to
 * be closed one after the other: both share one table until here, and close_range() makes a copy of
 * what is below `first` only. With 1,000 programs that is a fifth of the time of a spawn.
 */
static long stop_sharing(long first)
{
    if (CALL(SYS_close_range, first, (long)~0u, CLOSE_RANGE_UNSHARE) == 0)
        return 0;
    return CALL(SYS_unshare, CLONE_FILES); /* before 5.9 */
}

/*
 * Lifts the three above 2 first, so that no dup lands on one that is still needed (the contract
 * says they are; a daemon started with closed standard streams is where it went wrong in other
 * programs), and so that dup3() always makes a new descriptor, without close-on-exec.
 */
static long place_descriptors(struct sv_child *child)
{
    long fds[3] = {child->fds[0], child->fds[1], child->fds[2]};
    long highest = fds[0] > fds[1] ? fds[0] : fds[1];
    highest = highest > fds[2] ? highest : fds[2];
    long shared = child->shares_descriptors ? stop_sharing(highest + 1) : 0;
    if (shared < 0)
        return shared;
    for (int i = 0; i < 3; i++) {
        if (fds[i] <= STDERR_FILENO)
            fds[i] = CALL(SYS_fcntl, fds[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (fds[i] < 0)
            return fds[i];
    }
    for (int i = 0; i < 3; i++) {
        long result = CALL(SYS_dup3, fds[i], i, 0);
        if (result < 0)
            return result;
    }
    long first = STDERR_FILENO + 1;
    if (child->error_fd >= 0) {
        if (child->error_fd != first)
            CALL(SYS_dup3, child->error_fd, first, O_CLOEXEC);
        child->error_fd = (int)first++;
    }
    close_from(first);
    return 0;
}

/* Supervisor leaves a process alone that already is the wanted user. */
static long become_user(const struct sv_spawn_plan *plan)
{
    if (!plan->has_user || CALL(SYS_getuid, 0) == (long)plan->uid)
        return 0;
    long result = CALL(SYS_setgroups, (long)plan->group_count, (long)plan->groups);
    if (result >= 0)
        result = CALL(SYS_setgid, (long)plan->gid);
    if (result >= 0)
        result = CALL(SYS_setuid, (long)plan->uid);
    return result;
}

static long write_oom_score(const char *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    long fd = CALL(SYS_openat, AT_FDCWD, (long)"/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return fd;
    long result = CALL(SYS_write, fd, (long)text, (long)length);
    CALL(SYS_close, fd);
    return result < 0 ? result : 0;
}

static long set_limit(const struct sv_child *child, const struct sv_limit_entry *entry)
{
    if (entry->limit == SV_LIMIT_OOM_SCORE_ADJUST)
        return write_oom_score(child->oom_score);
    if (entry->limit == SV_LIMIT_NICE)
        return CALL(SYS_setpriority, PRIO_PROCESS, 0, (long)entry->number);
    const struct rlimit limit = {.rlim_cur = entry->number, .rlim_max = entry->hard};
    return CALL(SYS_prlimit64, 0, sv_limit_resource(entry->limit), (long)&limit, 0);
}

/* In the order of the table: the file is opened before the number of descriptors is limited. */
static void set_limits(struct sv_child *child)
{
    const struct sv_limits *limits = child->plan->limits;
    for (size_t i = 0; limits && i < limits->count; i++) {
        const struct sv_limit_entry *entry = &limits->items[i];
        long result = sv_limit_is_of_process(entry->limit) ? set_limit(child, entry) : 0;
        if (result >= 0)
            continue;
        child->failure.limit = entry->limit;
        fail(child, SV_SPAWN_STAGE_LIMIT, result);
    }
}

_Noreturn void sv_child_main(void *argument)
{
    struct sv_child *child = argument;
    const struct sv_spawn_plan *plan = child->plan;
    child->progress = SV_CHILD_RUNS;
    reset_signals(child->signals_to_reset);

    long result = child->joins_cgroup ? join_cgroup(plan->cgroup_fd) : 0;
    if (result < 0)
        fail(child, SV_SPAWN_STAGE_CGROUP, result);
    CALL(SYS_setpgid, 0, 0);
    result = place_descriptors(child);
    if (result < 0)
        fail(child, SV_SPAWN_STAGE_EXEC, result);
    set_limits(child);
    result = become_user(plan);
    if (result < 0)
        fail(child, SV_SPAWN_STAGE_USER, result);
    result = plan->directory ? CALL(SYS_chdir, (long)plan->directory) : 0;
    if (result < 0)
        fail(child, SV_SPAWN_STAGE_DIRECTORY, result);
    if (plan->has_umask)
        CALL(SYS_umask, (long)plan->umask);
    /* After close_from(): descriptors above a lowered limit could not be closed one by one. */
    if (plan->nofile_soft)
        CALL(SYS_prlimit64, 0, RLIMIT_NOFILE, (long)&child->nofile, 0);

    unblock_signals();
    child->progress = SV_CHILD_EXECUTES;
    result = CALL(SYS_execve, (long)plan->path, (long)plan->argv, (long)plan->envp);
    fail(child, SV_SPAWN_STAGE_EXEC, result);
}
