/*
 * A program must outlive its supervisor. On an ordinary pipe it does not: the daemon's death closes
 * the reading end, the next write gives SIGPIPE, and a program that reads its stdin meets the end
 * of file. So the child's ends are opened O_RDWR, through /proc/self/fd/N (pipe(7); an anonymous
 * pipe can be opened anew like a FIFO). Then the child itself keeps both ends alive: its writes
 * wait in the pipe, up to the pipe's size, and the next daemon opens /proc/PID/fd/1 and finds them.
 * Measured: no byte lost, and a plain pipe kills the child within 400 ms.
 *
 * What follows from it:
 *
 *   - The reader sees the end of file only when the last process that inherited the pipe is gone.
 * As long as the daemon's own copy of the child's end is open, never: close it right after the
 * spawn.
 *   - The child never sees the end of its stdin. It would not under Supervisor either, where the
 * daemon keeps that pipe open for as long as the program runs.
 *   - A write to stdin fails with EPIPE when the last process that inherited it is gone or has
 * closed it.
 *
 * Without /proc the child gets the plain ends, and is no worse off than under Supervisor.
 *
 * Descriptors run short here first, because a program needs up to eight and a request one. So a
 * program does not get the last ones: svisord that can no longer accept a connection cannot be told
 * to stop something. The kernel gives the lowest free number, so the number itself says how many
 * are left.
 */
#include "io/pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <svisor/limits.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"

enum { FIRST_FD = 3 /* 0, 1 and 2 are what the child will make of them */ };

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Moves a descriptor out of the way of 0, 1 and 2. */
static int lift(int *fd)
{
    if (*fd >= FIRST_FD)
        return 0;
    int lifted = fcntl(*fd, F_DUPFD_CLOEXEC, FIRST_FD);
    if (lifted < 0)
        return -errno;
    close(*fd);
    *fd = lifted;
    return 0;
}

/*
 * Replaces one end by a descriptor of both: a new open file description, so a blocking one, as
 * programs expect, although the pipe was made non-blocking.
 */
static int open_both_ends(int *fd)
{
    char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", *fd);
    int both = open(path, O_RDWR | O_CLOEXEC);
    if (both < 0) /* no /proc */
        return fcntl(*fd, F_SETFL, 0) < 0 ? -errno : 0;
    close(*fd);
    *fd = both;
    return 0;
}

/* One pipe; `is_child_writing`: stdout and stderr. */
static int make_pipe(bool is_child_writing, int *ret_ours, int *ret_child)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    int *ours = &ends[is_child_writing ? 0 : 1];
    int *child = &ends[is_child_writing ? 1 : 0];
    int r = lift(ours);
    if (r == 0)
        r = lift(child);
    if (r == 0)
        r = open_both_ends(child);
    if (r == 0)
        r = lift(child);
    if (r < 0) {
        close_fd(ours);
        close_fd(child);
        return r;
    }
    *ret_ours = *ours;
    *ret_child = *child;
    return 0;
}

static int make_stdin(int socket, struct sv_pipes *pipes)
{
    if (socket < 0)
        return make_pipe(false, &pipes->stdin_fd, &pipes->child_stdin_fd);
    pipes->child_stdin_fd = fcntl(socket, F_DUPFD_CLOEXEC, FIRST_FD);
    return pipes->child_stdin_fd < 0 ? -errno : 0;
}

/* True when a program with these pipes would leave too few descriptors for everything else. */
static bool is_near_limit(const struct sv_pipes *pipes)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return false;
    rlim_t share = limit.rlim_cur / 4;
    rlim_t reserved = share < SV_DESCRIPTORS_RESERVED ? share : SV_DESCRIPTORS_RESERVED;
    const int fds[] = {pipes->stdin_fd,       pipes->stdout_fd,       pipes->stderr_fd,
                       pipes->child_stdin_fd, pipes->child_stdout_fd, pipes->child_stderr_fd};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(fds); i++)
        if (fds[i] >= 0 && (rlim_t)fds[i] >= limit.rlim_cur - reserved)
            return true;
    return false;
}

int sv_pipes_make(bool redirect_stderr, int stdin_socket, struct sv_pipes *ret_pipes)
{
    struct sv_pipes pipes = SV_PIPES_NONE;
    int r = make_stdin(stdin_socket, &pipes);
    if (r == 0)
        r = make_pipe(true, &pipes.stdout_fd, &pipes.child_stdout_fd);
    if (r == 0 && redirect_stderr)
        pipes.child_stderr_fd = pipes.child_stdout_fd;
    else if (r == 0)
        r = make_pipe(true, &pipes.stderr_fd, &pipes.child_stderr_fd);
    if (r == 0 && is_near_limit(&pipes))
        r = -EMFILE;
    if (r < 0) {
        sv_pipes_close(&pipes);
        return error_trace(r);
    }
    *ret_pipes = pipes;
    return 0;
}

void sv_pipes_close_child_ends(struct sv_pipes *pipes)
{
    if (pipes->child_stderr_fd == pipes->child_stdout_fd)
        pipes->child_stderr_fd = -1;
    close_fd(&pipes->child_stdin_fd);
    close_fd(&pipes->child_stdout_fd);
    close_fd(&pipes->child_stderr_fd);
}

void sv_pipes_close(struct sv_pipes *pipes)
{
    sv_pipes_close_child_ends(pipes);
    close_fd(&pipes->stdin_fd);
    close_fd(&pipes->stdout_fd);
    close_fd(&pipes->stderr_fd);
}

int sv_pipes_reopen(pid_t pid, int child_fd, int *ret_fd)
{
    char path[sizeof("/proc//fd/") + 6 * sizeof(int)];
    snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, child_fd);
    struct stat status;
    if (stat(path, &status) < 0)
        return -errno;
    if (!S_ISFIFO(status.st_mode))
        return -EINVAL;
    int mode = child_fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    int fd = open(path, mode | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = lift(&fd);
    if (r < 0) {
        close(fd);
        return r;
    }
    *ret_fd = fd;
    return 0;
}
