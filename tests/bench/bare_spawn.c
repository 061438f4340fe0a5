/*
 * The kernel's own cost of what a supervisor does, with nothing around it, and the programs that
 * the measurements run.
 *
 *   bare_spawn start COUNT PROGRAM...
 *       nanoseconds to start COUNT copies of a program, one after the other
 *   bare_spawn equip COUNT CGROUP PROGRAM...
 *       the same, each with three pipes and a new cgroup below the directory CGROUP, as a program
 *       of svisord has them
 *   bare_spawn burst COUNT PROGRAM...
 *       nanoseconds for COUNT times a program that is started and ends by itself, by the clock
 *       and of processor time
 *   bare_spawn crash COUNT FIFO PROGRAM...
 *       for COUNT kills: nanoseconds from the signal to the replacement's stamp
 *   bare_spawn stamp FIFO
 *       writes "pid nanoseconds\n" as soon as it runs, then sleeps
 *   bare_spawn write BYTES
 *       writes BYTES to the standard output in pieces of 4 KB, then sleeps
 *
 * A child is made as svisord makes one: by clone3() in the parent's memory, on a stack of its own,
 * with a pidfd (CLONE_VM | CLONE_VFORK | CLONE_PIDFD). But it gets no pipes, no cgroup and no
 * signal state, nobody watches it, and the loop holds no descriptor of it: what a supervisor does
 * beyond clone3 and execve is the difference that the measurement is to show.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
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

static _Noreturn void child(void *arguments)
{
    char **argv = arguments;
    execv(argv[0], argv);
    _exit(127);
}

/* The child comes back from the system call on its own stack, so C cannot make this call: see
 * daemon/io/spawn.c. */
static long clone3(struct clone_args *arguments, char **argv)
{
#if defined(__x86_64__)
    long result;
    register void (*function)(void *) __asm__("r8") = child;
    register char **argument __asm__("r9") = argv;
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
    errno = result < 0 ? (int)-result : 0;
    return result;
#else
    arguments->flags &= ~(uint64_t)CLONE_VM; /* then the child may use our frame: it has a copy */
    arguments->stack = arguments->stack_size = 0;
    long result = syscall(SYS_clone3, arguments, sizeof(*arguments));
    if (result == 0)
        child(argv);
    return result;
#endif
}

/* `cgroup_fd` -1: into our own. */
static pid_t spawn(char **argv, int cgroup_fd, int *ret_pidfd)
{
    struct clone_args arguments = {
        .flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | (cgroup_fd < 0 ? 0 : CLONE_INTO_CGROUP),
        .cgroup = cgroup_fd < 0 ? 0 : (unsigned)cgroup_fd,
        .pidfd = (uintptr_t)ret_pidfd,
        .exit_signal = SIGCHLD,
        .stack = (uintptr_t)stack,
        .stack_size = sizeof stack,
    };
    long pid = clone3(&arguments, argv);
    if (pid < 0)
        die("clone3");
    return (pid_t)pid;
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

static void end_all(const pid_t *pids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        /* Nobody has waited for it, so the number is still our child's. */
        int pidfd = (int)syscall(SYS_pidfd_open, pids[i], 0);
        if (pidfd < 0)
            die("pidfd_open");
        end(pidfd);
    }
}

static pid_t start_plain(size_t number, int directory, char **argv)
{
    (void)number;
    (void)directory;
    int pidfd;
    pid_t pid = spawn(argv, -1, &pidfd);
    close(pidfd); /* a thousand of them would make every further clone and exec slower */
    return pid;
}

static void name_cgroup(size_t number, char name[32])
{
    snprintf(name, 32, "program.%zu", number);
}

/* Pipes whose far end is open for both directions (daemon/io/pipes.c), a directory, the child. */
static pid_t start_equipped(size_t number, int directory, char **argv)
{
    int ends[3][2];
    for (int i = 0; i < 3; i++) {
        if (pipe2(ends[i], O_CLOEXEC | O_NONBLOCK) < 0)
            die("pipe2");
        char path[64];
        snprintf(path, sizeof path, "/proc/self/fd/%d", ends[i][1]);
        int both = open(path, O_RDWR | O_CLOEXEC);
        if (both < 0)
            die(path);
        close(ends[i][1]);
        ends[i][1] = both;
    }
    char name[32];
    name_cgroup(number, name);
    if (mkdirat(directory, name, 0755) < 0)
        die(name);
    int cgroup = openat(directory, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (cgroup < 0)
        die(name);
    int pidfd;
    pid_t pid = spawn(argv, cgroup, &pidfd);
    close(pidfd);
    close(cgroup);
    for (int i = 0; i < 3; i++) {
        close(ends[i][0]);
        close(ends[i][1]);
    }
    return pid;
}

static void remove_cgroups(int directory, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char name[32];
        name_cgroup(i, name);
        while (unlinkat(directory, name, AT_REMOVEDIR) < 0 && errno == EBUSY)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); /* its last one still goes */
    }
}

static int start(size_t count, const char *cgroup, char **argv)
{
    pid_t (*start_one)(size_t, int, char **) = cgroup ? start_equipped : start_plain;
    pid_t *pids = calloc(count, sizeof *pids);
    if (pids == NULL)
        die("calloc");
    int directory = cgroup ? open(cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (cgroup && directory < 0)
        die(cgroup);
    uint64_t begin = now_ns();
    for (size_t i = 0; i < count; i++)
        pids[i] = start_one(i, directory, argv);
    printf("%" PRIu64 "\n", now_ns() - begin);
    end_all(pids, count);
    if (cgroup)
        remove_cgroups(directory, count);
    free(pids);
    return 0;
}

/* Of the loop and of the children that it has waited for. */
static uint64_t processor_ns(void)
{
    uint64_t sum = 0;
    for (int who = RUSAGE_CHILDREN; who <= RUSAGE_SELF; who++) {
        struct rusage usage;
        if (getrusage(who, &usage) < 0)
            die("getrusage");
        sum += (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000u +
               (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000u;
    }
    return sum;
}

static int burst(size_t count, char **argv)
{
    uint64_t begin = now_ns();
    for (size_t i = 0; i < count; i++) {
        int pidfd;
        spawn(argv, -1, &pidfd);
        siginfo_t info;
        if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
            die("waitid");
        close(pidfd);
    }
    printf("%" PRIu64 " %" PRIu64 "\n", now_ns() - begin, processor_ns());
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
    spawn(argv, -1, &pidfd);
    read_stamp(fifo);
    for (size_t i = 0; i < count; i++) {
        /* The child goes to sleep first; that is not part of what is measured. */
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        uint64_t begin = now_ns();
        end(pidfd);
        spawn(argv, -1, &pidfd);
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
        return start(count, NULL, argv + 3);
    if (strcmp(mode, "equip") == 0 && argc > 4 && count > 0 && count <= CHILDREN_MAX)
        return start(count, argv[3], argv + 4);
    if (strcmp(mode, "burst") == 0 && argc > 3 && count > 0)
        return burst(count, argv + 3);
    if (strcmp(mode, "crash") == 0 && argc > 4 && count > 0)
        return crash(count, argv[3], argv + 4);
    fprintf(stderr, "usage: bare_spawn start COUNT PROGRAM... | equip COUNT CGROUP PROGRAM..."
                    " | burst COUNT PROGRAM..."
                    " | crash COUNT FIFO PROGRAM... | stamp FIFO | write BYTES\n");
    return 2;
}
