/*
 * options.py of Supervisor 4.2.5: set_rlimits_or_exit(), setsignals(), daemonize(),
 * write_pidfile().
 *
 * The order at the start is Supervisor's: user, limits, logger, servers, (background), pid file.
 * Supervisor forks after its servers are open, so that its command fails in the terminal when a
 * port is taken. The loop and the servers would not survive our fork, so we fork first, and the
 * parent waits until the child says that all is open, and the pid file written: the same status for
 * the shell, and what comes after the command in a script finds the daemon.
 *
 * The limits differ in one point. Supervisor raises the soft limit of descriptors to minfds and no
 * further, and so it runs out of them at some 200 programs. We take all that the hard limit allows,
 * and give the children what they are used to: select() fails on descriptors above 1023, so old
 * programs depend on a small soft limit.
 */
#include "io/daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/log.h"

struct limit {
    const char *name;
    __rlimit_resource_t resource;
    const char *what, *program, *option; /* the words in which the two messages differ */
    const char *objects;
};

static const struct limit descriptors = {"RLIMIT_NOFILE", RLIMIT_NOFILE, "file descriptors",
                                         "process",       "minfds",      "file descriptors"};
static const struct limit processes = {"RLIMIT_NPROC", RLIMIT_NPROC, "available processes",
                                       "program",      "minprocs",   "processes"};

static int refuse_limit(const struct limit *limit, uint64_t minimum, rlim_t hard,
                        struct sv_str *ret_text)
{
    const char *usable = limit == &descriptors ? "file descriptors" : "processes";
    sv_str_clear(ret_text);
    sv_str_addf(ret_text,
                "The minimum number of %s required to run this %s is %" PRIu64
                " as per the \"%s\" command-line argument or config file setting. "
                "The current environment will only allow you to open %" PRIu64
                " %s.  Either raise the number of usable %s in your environment (see README.rst) "
                "or lower the %s setting in the config file to allow the %s to start.",
                limit->what, limit->program, minimum, limit->option, (uint64_t)hard, limit->objects,
                usable, limit->option, limit->program);
    return SV_LIMITS_REFUSED;
}

static int raise_limit(const struct limit *limit, uint64_t minimum, struct sv_str *ret_text)
{
    struct rlimit now;
    if (getrlimit(limit->resource, &now) < 0)
        return -errno;
    if (now.rlim_cur == RLIM_INFINITY || now.rlim_cur >= minimum)
        return 0;
    struct rlimit wanted = {.rlim_cur = minimum, .rlim_max = now.rlim_max};
    if (now.rlim_max != RLIM_INFINITY && now.rlim_max < minimum)
        wanted.rlim_max = minimum; /* root may */
    if (setrlimit(limit->resource, &wanted) < 0)
        return refuse_limit(limit, minimum, wanted.rlim_max, ret_text);
    sv_str_addf(ret_text, "Increased %s limit to %" PRIu64 "\n", limit->name, minimum);
    return 0;
}

int sv_limits_raise(uint32_t minfds, uint32_t minprocs, uint64_t *ret_child_nofile,
                    struct sv_str *ret_text)
{
    int r = raise_limit(&descriptors, minfds, ret_text);
    if (r == 0)
        r = raise_limit(&processes, minprocs, ret_text);
    if (r != 0)
        return r;
    struct rlimit nofile;
    if (getrlimit(RLIMIT_NOFILE, &nofile) < 0)
        return -errno;
    uint64_t child = nofile.rlim_cur;
    nofile.rlim_cur = nofile.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &nofile) < 0)
        return -errno;
    *ret_child_nofile = child;
    return 0;
}

void sv_limits_lower(uint64_t child_nofile)
{
    struct rlimit nofile;
    if (child_nofile == 0 || getrlimit(RLIMIT_NOFILE, &nofile) < 0)
        return;
    nofile.rlim_cur = child_nofile;
    (void)setrlimit(RLIMIT_NOFILE, &nofile); /* a soft limit may always be lowered */
}

int sv_signals_prepare(void)
{
    static const int taken[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR2, SIGCHLD};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < SV_ARRAY_LENGTH(taken); i++)
        sigaddset(&set, taken[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (sigaction(SIGPIPE, &ignore, NULL) < 0)
        return -errno;
    /* Started with SIGCHLD ignored (nohup scripts do it), the kernel would reap our children
     * itself. */
    struct sigaction standard = {.sa_handler = SIG_DFL};
    return sigaction(SIGCHLD, &standard, NULL) < 0 ? -errno : 0;
}

static void change_directory(const char *directory)
{
    if (chdir(directory) < 0)
        sv_log_critical("can't chdir into '%s': %s", directory, sv_errno_text(errno));
    else
        sv_log_info("set current directory: '%s'", directory);
}

static void leave_terminal(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) {
        sv_log_critical("cannot open /dev/null: %s; keeping the terminal", sv_errno_text(errno));
        return;
    }
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fd == null)
            (void)fcntl(fd, F_SETFD, 0); /* it was closed before: the new one took its place */
        else
            (void)dup2(null, fd);
    if (null > STDERR_FILENO)
        close(null);
}

/* The parent's end: as the child goes, so does it, and a shell sees the child's refusal. */
__attribute__((noreturn)) static void wait_for_child(pid_t pid, int fd)
{
    char byte;
    ssize_t n;
    do
        n = read(fd, &byte, 1);
    while (n < 0 && errno == EINTR);
    if (n == 1)
        _exit(EXIT_SUCCESS);
    int wait_status = 0;
    if (waitpid(pid, &wait_status, 0) == pid && WIFEXITED(wait_status))
        _exit(WEXITSTATUS(wait_status));
    _exit(EXIT_FAILURE);
}

int sv_daemonize_begin(int *ret_ready_fd)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid < 0) {
        int error = errno;
        close(fds[0]);
        close(fds[1]);
        return -error;
    }
    close(fds[pid > 0]);
    if (pid > 0)
        wait_for_child(pid, fds[0]);
    (void)setsid(); /* cannot fail: a new child leads no group */
    *ret_ready_fd = fds[1];
    return 0;
}

void sv_daemonize_again(const char *directory, uint32_t umask_)
{
    if (directory)
        change_directory(directory);
    umask((mode_t)umask_);
}

void sv_daemonize_settle(const char *directory, uint32_t umask_)
{
    sv_log_info("daemonizing the supervisord process");
    sv_daemonize_again(directory, umask_);
    leave_terminal();
}

void sv_daemonize_ready(int ready_fd)
{
    if (write(ready_fd, "", 1) != 1)
        sv_log_warn("the process that started svisord is gone");
    close(ready_fd);
}

int sv_pidfile_write(const char *path)
{
    char text[32];
    int length = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int error = fd < 0 ? errno : 0;
    if (fd >= 0) {
        ssize_t n = write(fd, text, (size_t)length);
        if (n != length)
            error = n < 0 ? errno : EIO;
        if (close(fd) < 0 && error == 0)
            error = errno;
    }
    if (error) {
        sv_log_critical("could not write pidfile %s: %s", path, sv_errno_text(error));
        return -error;
    }
    sv_log_info("supervisord started with pid %d", (int)getpid());
    return 0;
}

void sv_pidfile_remove(const char *path)
{
    char text[32] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (n > 0 && strtol(text, NULL, 10) == getpid())
        unlink(path);
}
