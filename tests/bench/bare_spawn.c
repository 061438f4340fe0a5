/*
 * The kernel's own cost of what a supervisor does, with nothing around it, and the programs that
 * the measurements run.
 *
 *   bare_spawn start COUNT PROGRAM...       nanoseconds to start COUNT copies of a program, one
 * after the other bare_spawn crash COUNT FIFO PROGRAM...  for COUNT kills: nanoseconds from the
 * signal to the replacement's stamp bare_spawn stamp FIFO                   writes "pid
 * nanoseconds\n" as soon as it runs, then sleeps bare_spawn write BYTES                  writes
 * BYTES to the standard output in pieces of 4 KB, then sleeps
 *
 * A child is made as svisord makes one: in the parent's memory, on a stack of its own, with a pidfd
 * (CLONE_VM | CLONE_VFORK | CLONE_PIDFD), but in no cgroup of its own. glibc's clone() is used
 * because it brings the child to its function; the kernel does the same work for clone3.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHILDREN_MAX = 100000, PIECE_BYTES = 4096 };

static char stack[64 * 1024] __attribute__((aligned(16)));

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int child(void *arguments)
{
    char **argv = arguments;
    execv(argv[0], argv);
    _exit(127);
}

static pid_t spawn(char **argv, int *ret_pidfd)
{
    pid_t pid = clone(child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD,
                      argv, ret_pidfd);
    if (pid < 0)
        die("clone");
    return pid;
}

/* Signals through the pidfd: a number could be anybody's, a pidfd is our child. */
static void end(int pidfd)
{
    if (syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) < 0)
        die("pidfd_send_signal");
    siginfo_t info;
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
        die("waitid");
    close(pidfd);
}

static int start(size_t count, char **argv)
{
    int *pidfds = calloc(count, sizeof *pidfds);
    if (pidfds == NULL)
        die("calloc");
    uint64_t begin = now_ns();
    for (size_t i = 0; i < count; i++)
        spawn(argv, &pidfds[i]);
    printf("%" PRIu64 "\n", now_ns() - begin);
    for (size_t i = 0; i < count; i++)
        end(pidfds[i]);
    free(pidfds);
    return 0;
}

static uint64_t read_stamp(int fifo)
{
    char line[64];
    ssize_t length = read(fifo, line, sizeof line - 1);
    if (length <= 0)
        die("read");
    line[length] = '\0';
    char *space = strchr(line, ' ');
    return space == NULL ? 0 : strtoull(space, NULL, 10);
}

static int crash(size_t count, const char *path, char **argv)
{
    int fifo = open(path, O_RDWR | O_CLOEXEC);
    if (fifo < 0)
        die(path);
    int pidfd = -1;
    spawn(argv, &pidfd);
    read_stamp(fifo);
    for (size_t i = 0; i < count; i++) {
        /* The child goes to sleep first; that is not part of what is measured. */
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        uint64_t begin = now_ns();
        end(pidfd);
        spawn(argv, &pidfd);
        printf("%" PRIu64 "\n", read_stamp(fifo) - begin);
    }
    end(pidfd);
    return 0;
}

static _Noreturn void stamp(const char *path)
{
    uint64_t now = now_ns();
    int fifo = open(path, O_WRONLY | O_CLOEXEC);
    if (fifo < 0)
        die(path);
    char line[64];
    int length = snprintf(line, sizeof line, "%d %" PRIu64 "\n", (int)getpid(), now);
    if (write(fifo, line, (size_t)length) != length)
        die(path);
    for (;;)
        pause();
}

static _Noreturn void write_bytes(uint64_t bytes)
{
    static char piece[PIECE_BYTES];
    for (size_t i = 0; i < sizeof piece; i++)
        piece[i] = i % 80 == 79 ? '\n' : 'x';
    while (bytes > 0) {
        size_t wanted = bytes < sizeof piece ? (size_t)bytes : sizeof piece;
        ssize_t done = write(STDOUT_FILENO, piece, wanted);
        if (done < 0 && errno != EINTR)
            die("write");
        if (done > 0)
            bytes -= (uint64_t)done;
    }
    for (;;)
        pause();
}

int main(int argc, char **argv)
{
    const char *mode = argc > 2 ? argv[1] : "";
    if (strcmp(mode, "stamp") == 0)
        stamp(argv[2]);
    if (strcmp(mode, "write") == 0)
        write_bytes(strtoull(argv[2], NULL, 10));
    size_t count = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    if (strcmp(mode, "start") == 0 && argc > 3 && count > 0 && count <= CHILDREN_MAX)
        return start(count, argv + 3);
    if (strcmp(mode, "crash") == 0 && argc > 4 && count > 0)
        return crash(count, argv[3], argv + 4);
    fprintf(stderr,
            "usage: bare_spawn start COUNT PROGRAM... | crash COUNT FIFO PROGRAM... | stamp FIFO"
            " | write BYTES\n");
    return 2;
}
