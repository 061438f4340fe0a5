/*
 * /proc, and the pidfd as a witness.
 *
 * The headers of Debian 12 do not know PIDFD_GET_INFO (Linux 6.13), so the struct is written down
 * here as include/uapi/linux/pidfd.h of Linux 6.15 has it; the kernel fills as much as the size in
 * the request says, and sets in `mask` what it has filled.
 */
#include "io/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct pidfd_info {
    uint64_t mask;
    uint64_t cgroup_id;
    uint32_t pid, tgid, ppid;
    uint32_t ids[8];
    int32_t exit_code;
};

#define PIDFD_GET_INFO_ _IOWR(0xFF, 11, struct pidfd_info)

enum { INFO_EXIT = 1 << 3 };

/* A spawn takes a millisecond, on a machine that is overloaded some hundred. */
enum { LOCK_WAIT_MS = 2000, LOCK_STEP_MS = 5 };

static void read_line(const char *path, struct sv_str *ret_text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    char text[1024];
    ssize_t n = read(fd, text, sizeof(text));
    close(fd);
    const char *end = n > 0 ? memchr(text, '\n', (size_t)n) : NULL;
    if (n > 0)
        sv_str_append(ret_text, text, end ? (size_t)(end - text) : (size_t)n);
}

void sv_boot_id(struct sv_str *ret_id)
{
    read_line("/proc/sys/kernel/random/boot_id", ret_id);
}

/* Field `number` (from 3) of a line of /proc/PID/stat. The command in field 2 may hold anything, so
 * the count begins after its last parenthesis. NULL: the line has no such field. */
static const char *stat_field(const struct sv_str *line, int number)
{
    const char *field = line->length > 0 ? strrchr(line->data, ')') : NULL;
    for (int i = 2; field && i < number; i++)
        field = strchr(field + 1, ' ');
    return field ? field + 1 : NULL;
}

static void read_stat(pid_t pid, struct sv_str *ret_line)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    read_line(path, ret_line);
}

unsigned long long sv_process_start_ticks(pid_t pid)
{
    struct sv_str line SV_CLEANUP(sv_str_done) = {0};
    read_stat(pid, &line);
    const char *field = stat_field(&line, 22);
    return field ? strtoull(field, NULL, 10) : 0;
}

void sv_process_set_title(const char *title)
{
    struct sv_str line SV_CLEANUP(sv_str_done) = {0};
    read_stat(getpid(), &line);
    const char *start_field = stat_field(&line, 48);
    const char *end_field = stat_field(&line, 49);
    uintptr_t start = start_field ? strtoull(start_field, NULL, 10) : 0;
    uintptr_t end = end_field ? strtoull(end_field, NULL, 10) : 0;
    if (start == 0 || end <= start)
        return;
    size_t room = end - start;
    size_t length = strlen(title) < room - 1 ? strlen(title) : room - 1;
    memset((void *)start, '\0', room);
    memcpy((void *)start, title, length);
}

int sv_zombie_wait_status(pid_t pid, int *ret_status)
{
    struct sv_str line SV_CLEANUP(sv_str_done) = {0};
    read_stat(pid, &line);
    const char *state = stat_field(&line, 3);
    const char *status = stat_field(&line, 52);
    if (!state || *state != 'Z' || !status)
        return 0;
    *ret_status = (int)strtol(status, NULL, 10);
    return 1;
}

int sv_lock_directory(int fd)
{
    for (int waited_ms = 0;; waited_ms += LOCK_STEP_MS) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return 0;
        if (errno != EWOULDBLOCK || waited_ms >= LOCK_WAIT_MS)
            return -errno;
        (void)poll(NULL, 0, LOCK_STEP_MS);
    }
}

pid_t sv_pidfd_pid(int pidfd)
{
    char path[48];
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char text[512];
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0)
        close(fd);
    text[n < 0 ? 0 : n] = '\0';
    const char *at = strstr(text, "\nPid:");
    long pid = at ? strtol(at + strlen("\nPid:"), NULL, 10) : 0;
    return pid > 0 ? (pid_t)pid : 0;
}

int sv_pidfd_wait_status(int pidfd, int *ret_status)
{
    struct pidfd_info info = {.mask = INFO_EXIT};
    if (ioctl(pidfd, PIDFD_GET_INFO_, &info) < 0)
        return errno == ESRCH ? 0 : -errno;
    if (!(info.mask & INFO_EXIT))
        return 0;
    *ret_status = info.exit_code;
    return 1;
}

int sv_pidfd_await_status(int pidfd, int wait_ms, int *ret_status)
{
    int r = sv_pidfd_wait_status(pidfd, ret_status);
    for (int i = 0; i < wait_ms && r == 0; i++) {
        (void)poll(NULL, 0, 1);
        r = sv_pidfd_wait_status(pidfd, ret_status);
    }
    return r;
}
