/*
 * Signals and removals that must look at each process or directory.
 *
 * Most leaves have no cgroup below them; st_nlink says so (kernfs counts 2 + subdirectories), and
 * then one read of cgroup.procs is all. A program may have made cgroups of its own below: fts(3)
 * finds them.
 *
 * A pid that was read from cgroup.procs may have died, and its number been given to a stranger,
 * before the signal leaves. So: open a pidfd, then ask /proc/PID/cgroup whether that number is one
 * of ours. If it is, the pidfd means this process, or an earlier one that is dead and cannot be
 * hit.
 *
 * Who forks between the reading of cgroup.procs and the signal leaves a child that was not in the
 * list, and a program that keeps forking and ending ("changes its pid") would be missed for ever. A
 * fork that comes after the signal fails. So the list is read again until nobody new is in it.
 */
#include "io/cgroup_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/idmap.h"
#include "base/str.h"

enum {
    KILL_ROUNDS_MAX = 1000,
    KILL_PAUSE_NS = 1000000, /* between two looks at the dying: only where cgroup.kill is missing */
    LINE_BYTES = 4608,       /* PATH_MAX and the controllers' names of hybrid hosts before it */
    PROCS_PART_BYTES = 16384,
    SIGNAL_ROUNDS_MAX = 32, /* looks at a family that grows; what escapes meets cgroup.kill later */
};

ssize_t sv_cgroup_read(int fd, const char *name, char *text, size_t size)
{
    int file = openat(fd, name, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return -errno;
    ssize_t length = read(file, text, size - 1);
    int error = -errno;
    close(file);
    if (length < 0)
        return error;
    text[length] = '\0';
    return length;
}

/* O_NONBLOCK: what the kernel would do before it answers, it lets others do: limits.c. */
int sv_cgroup_write(int fd, const char *name, const char *text)
{
    int file = openat(fd, name, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return -errno;
    ssize_t length = write(file, text, strlen(text));
    int error = -errno;
    close(file);
    return length < 0 ? error : 0;
}

/* Is this process in the cgroup, or below it, now? */
static bool is_member(pid_t pid, const char *kernel_path)
{
    char name[32];
    snprintf(name, sizeof(name), "/proc/%d/cgroup", pid);
    FILE *file = fopen(name, "re");
    if (!file)
        return false;
    char line[LINE_BYTES];
    size_t length = strlen(kernel_path);
    bool is_found = false;
    while (!is_found && fgets(line, sizeof(line), file)) {
        const char *path = line + 3;
        is_found = strncmp(line, "0::", 3) == 0 && strncmp(path, kernel_path, length) == 0 &&
                   (path[length] == '\n' || path[length] == '/' || path[length] == ' ');
    }
    fclose(file);
    return is_found;
}

static bool signal_one(pid_t pid, int number, const char *kernel_path)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0 && errno != ENOSYS)
        return false;
    bool is_sent = false;
    if (is_member(pid, kernel_path))
        is_sent = pidfd >= 0 ? syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0) == 0
                             : kill(pid, number) == 0; /* before 5.3; `pid` is above 1 here */
    if (pidfd >= 0)
        close(pidfd);
    return is_sent;
}

static int read_procs(int fd, struct sv_str *text)
{
    int file = openat(fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return -errno;
    for (;;) {
        char *at = sv_str_reserve(text, PROCS_PART_BYTES);
        ssize_t length = at ? read(file, at, PROCS_PART_BYTES) : -1;
        int error = at ? -errno : -ENOMEM;
        if (length <= 0) {
            close(file);
            return length < 0 ? error : 0;
        }
        sv_str_grew(text, (size_t)length);
    }
}

/* One message, usually a signal, on its way through a subtree. */
struct pass {
    const struct sv_cgroup_subtree *subtree;
    bool (*function)(void *user, pid_t pid);
    void *user;
    pid_t except;
    struct sv_idmap seen; /* pids that have had it: nobody gets it twice */
};

/* True when `pid` has not been met before, and was reached now. */
static bool visit_new(struct pass *pass, pid_t pid)
{
    if (sv_idmap_get(&pass->seen, (uint64_t)pid))
        return false;
    if (sv_idmap_put(&pass->seen, (uint64_t)pid, pass) < 0)
        return false; /* without memory: cgroup.kill, later, needs none */
    return pass->function(pass->user, pid);
}

/*
 * One directory's own processes. 0 stands for a process of another pid namespace; 1 is init and the
 * daemon may be in a container where that is itself: neither is ever a target.
 */
static int visit_directory(struct pass *pass, int fd)
{
    struct sv_str text = {0};
    int r = read_procs(fd, &text);
    int count = 0;
    char *end;
    for (const char *at = sv_str_text(&text); r == 0; at = end) {
        long pid = strtol(at, &end, 10);
        if (end == at)
            break;
        if (pid > 1 && pid <= INT32_MAX && pid != pass->except && pid != getpid())
            count += visit_new(pass, (pid_t)pid);
    }
    sv_str_done(&text);
    return r < 0 ? r : count;
}

static FTS *open_walk(const char *path)
{
    char *copy = strdup(path);
    char *paths[] = {copy, NULL};
    FTS *walk = copy ? fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL) : NULL;
    free(copy);
    return walk;
}

static int visit_round(struct pass *pass)
{
    const struct sv_cgroup_subtree *subtree = pass->subtree;
    int count = visit_directory(pass, subtree->fd);
    struct stat status;
    if (count < 0 || fstat(subtree->fd, &status) < 0 || status.st_nlink <= 2)
        return count;
    FTS *walk = open_walk(subtree->path);
    if (!walk)
        return error_trace(-errno);
    for (FTSENT *entry = fts_read(walk); entry; entry = fts_read(walk)) {
        if (entry->fts_info != FTS_D || entry->fts_level == 0)
            continue;
        int fd = open(entry->fts_accpath, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            continue; /* removed meanwhile: nobody lives there */
        int found = visit_directory(pass, fd);
        count += found > 0 ? found : 0;
        close(fd);
    }
    fts_close(walk);
    return count;
}

int sv_cgroup_subtree_visit(const struct sv_cgroup_subtree *subtree, pid_t except,
                            bool (*function)(void *user, pid_t pid), void *user)
{
    struct pass pass = {.subtree = subtree, .function = function, .user = user, .except = except};
    int total = 0, r = 0;
    for (int round = 0; round < SIGNAL_ROUNDS_MAX; round++) {
        size_t known_count = pass.seen.count;
        r = visit_round(&pass);
        if (r < 0 || pass.seen.count == known_count)
            break;
        total += r;
    }
    sv_idmap_done(&pass.seen);
    return r < 0 ? r : total;
}

struct signal_order {
    int number;
    const char *kernel_path;
};

static bool signal_member(void *user, pid_t pid)
{
    const struct signal_order *order = user;
    return signal_one(pid, order->number, order->kernel_path);
}

int sv_cgroup_subtree_signal(const struct sv_cgroup_subtree *subtree, int number, pid_t except)
{
    struct signal_order order = {number, subtree->kernel_path};
    return sv_cgroup_subtree_visit(subtree, except, signal_member, &order);
}

int sv_cgroup_subtree_kill(const struct sv_cgroup_subtree *subtree)
{
    for (int round = 0; round < KILL_ROUNDS_MAX; round++) {
        int count = sv_cgroup_subtree_signal(subtree, SIGKILL, 0);
        if (count <= 0)
            return count;
        nanosleep(&(struct timespec){.tv_nsec = KILL_PAUSE_NS}, NULL);
    }
    return -EBUSY;
}

void sv_cgroup_subtree_prune(const char *path)
{
    FTS *walk = open_walk(path);
    if (!walk)
        return;
    for (FTSENT *entry = fts_read(walk); entry; entry = fts_read(walk))
        if (entry->fts_info == FTS_DP && entry->fts_level > 0)
            rmdir(entry->fts_accpath);
    fts_close(walk);
}
