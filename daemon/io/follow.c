/*
 * Follows a growing file for /logtail and `tail -f` (http.py, tail_f_producer), without polling.
 *
 * Two inotify watches: on the file, for what is written to it, and on its directory, for a new file
 * under its name. Events only wake us; what has happened is read off the files themselves, so that
 * a lost or merged event costs nothing:
 *
 *   the open file is longer than our position    send what is new
 *   it is shorter                                 it was emptied: say so, in Supervisor's words,
 * and begin at 0 the name leads to another file now            it was rotated or cleared: finish
 * the old one, then take the new one from its start the name leads nowhere wait; the old file is
 * still read
 *
 * The old file stays open until then, so its inode number cannot be given to the new one. A file
 * that turns over twice between two looks loses the middle one; it would take maxbytes within one
 * turn of the loop.
 *
 * A turn sends at most SV_OUTPUT_TURN_BYTES_MAX; a defer source continues, so that a large file
 * does not hold up the daemon. Where inotify is not to be had (a user has 128 instances by default)
 * a timer looks ten times a second, as Supervisor does.
 */
#include "io/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define LOOK_PERIOD_NS UINT64_C(100000000)

enum { READ_BYTES = 64 << 10 };

static const char TRUNCATED[] = "==> File truncated <==\n";

struct sv_follow {
    sv_follow_function function;
    void *user;
    char *path;
    int fd;
    int inotify_fd; /* -1: looking by timer */
    int file_watch; /* -1: none */
    uint64_t position;
    struct sv_source *watcher; /* inotify, or the timer */
    int again_fd;              /* eventfd, always readable */
    struct sv_source *again;   /* enabled: there was more than one turn's worth */
    bool is_calling;           /* inside `function` */
    bool is_freed;             /* sv_follow_free() was called inside `function` */
};

static void destroy(struct sv_follow *follow)
{
    sv_source_free(follow->watcher);
    sv_source_free(follow->again);
    if (follow->again_fd >= 0)
        close(follow->again_fd);
    if (follow->inotify_fd >= 0)
        close(follow->inotify_fd);
    if (follow->fd >= 0)
        close(follow->fd);
    free(follow->path);
    free(follow);
}

void sv_follow_free(struct sv_follow *follow)
{
    if (!follow)
        return;
    if (follow->is_calling)
        follow->is_freed = true;
    else
        destroy(follow);
}

/* False: the owner has freed us in the call. */
static bool hand_out(struct sv_follow *follow, const char *data, size_t length)
{
    follow->is_calling = true;
    follow->function(follow->user, data, length);
    follow->is_calling = false;
    return !follow->is_freed;
}

static void watch_file(struct sv_follow *follow)
{
    if (follow->inotify_fd < 0)
        return;
    if (follow->file_watch >= 0)
        inotify_rm_watch(follow->inotify_fd, follow->file_watch);
    follow->file_watch = inotify_add_watch(follow->inotify_fd, follow->path, IN_MODIFY);
}

/* Takes the file that the name leads to now. False: it is the one we have, or there is none. */
static bool switch_file(struct sv_follow *follow)
{
    struct stat old;
    struct stat new;
    if (fstat(follow->fd, &old) < 0 || stat(follow->path, &new) < 0 ||
        (old.st_ino == new.st_ino &&old.st_dev == new.st_dev))
        return false;
    int fd = open(follow->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    close(follow->fd);
    follow->fd = fd;
    follow->position = 0;
    watch_file(follow);
    return true;
}

static bool was_emptied(const struct sv_follow *follow)
{
    struct stat status;
    return fstat(follow->fd, &status) == 0 && (uint64_t)status.st_size < follow->position;
}

/* Sends up to one turn's worth of the open file. Returns the bytes sent, -1 when we are freed. */
static ssize_t send_new(struct sv_follow *follow)
{
    char data[READ_BYTES];
    size_t sent = 0;
    while (sent < SV_OUTPUT_TURN_BYTES_MAX) {
        ssize_t n = pread(follow->fd, data, sizeof(data), (off_t)follow->position);
        if (n <= 0)
            break;
        follow->position += (uint64_t)n;
        sent += (size_t)n;
        if (!hand_out(follow, data, (size_t)n))
            return -1;
    }
    return (ssize_t)sent;
}

/* One look at the files. */
static void look(void *user)
{
    struct sv_follow *follow = user;
    (void)sv_source_enable(follow->again, false);
    bool is_alive = true;
    if (was_emptied(follow)) {
        follow->position = 0;
        is_alive = hand_out(follow, TRUNCATED, sizeof(TRUNCATED) - 1);
    }
    ssize_t sent = is_alive ? send_new(follow) : -1;
    if (sent < 0) {
        destroy(follow);
        return;
    }
    bool has_more = sent >= (ssize_t)SV_OUTPUT_TURN_BYTES_MAX;
    if (has_more || switch_file(follow))
        (void)sv_source_enable(follow->again, true);
    else if (follow->inotify_fd < 0)
        (void)sv_source_arm(follow->watcher, sv_now_ns() + LOOK_PERIOD_NS);
}

static void on_inotify(void *user, int fd, uint32_t events)
{
    (void)events;
    char records[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    while (read(fd, records, sizeof(records)) > 0)
        ; /* what happened is looked up, not read from here */
    look(user);
}

static void on_again(void *user, int fd, uint32_t events)
{
    (void)fd;
    (void)events;
    look(user);
}

static int watch_by_inotify(struct sv_follow *follow, struct sv_loop *loop)
{
    follow->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (follow->inotify_fd < 0)
        return -errno;
    char *slash = strrchr(follow->path, '/');
    char *directory =
        slash ? strndup(follow->path, (size_t)(slash - follow->path) + 1) : strdup(".");
    if (!directory)
        return -ENOMEM;
    int watch =
        inotify_add_watch(follow->inotify_fd, directory, IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
    int r = watch < 0 ? -errno : 0;
    free(directory);
    if (r < 0)
        return r;
    watch_file(follow);
    if (follow->file_watch < 0)
        return -errno;
    return sv_loop_add_io(loop, follow->inotify_fd, EPOLLIN, SV_PRIORITY_OUTPUT, on_inotify, follow,
                          &follow->watcher);
}

static int watch_by_timer(struct sv_follow *follow, struct sv_loop *loop)
{
    if (follow->inotify_fd >= 0)
        close(follow->inotify_fd);
    follow->inotify_fd = -1;
    follow->file_watch = -1;
    return sv_loop_add_timer(loop, LOOK_PERIOD_NS / 10, look, follow, &follow->watcher);
}

static int start(struct sv_follow *follow, struct sv_loop *loop, uint64_t head_bytes)
{
    follow->fd = open(follow->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (follow->fd < 0)
        return -errno;
    struct stat status;
    if (fstat(follow->fd, &status) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EINVAL;
    uint64_t size = (uint64_t)status.st_size;
    follow->position = size >= head_bytes ? size - head_bytes : 0;

    follow->again_fd = eventfd(1, EFD_CLOEXEC);
    if (follow->again_fd < 0)
        return -errno;
    /* Enabled from birth: the first look is at the next turn. */
    int r = sv_loop_add_io(loop, follow->again_fd, EPOLLIN, SV_PRIORITY_OUTPUT, on_again, follow,
                           &follow->again);
    if (r == 0 && watch_by_inotify(follow, loop) < 0)
        r = watch_by_timer(follow, loop);
    return r;
}

int sv_follow_new(struct sv_loop *loop, const char *path, uint64_t head_bytes,
                  sv_follow_function function, void *user, struct sv_follow **ret_follow)
{
    struct sv_follow *follow = calloc(1, sizeof(*follow));
    if (!follow)
        return -ENOMEM;
    follow->function = function;
    follow->user = user;
    follow->fd = -1;
    follow->inotify_fd = -1;
    follow->again_fd = -1;
    follow->file_watch = -1;
    follow->path = strdup(path);
    int r = follow->path ? start(follow, loop, head_bytes) : -ENOMEM;
    if (r < 0) {
        destroy(follow);
        return error_trace(r);
    }
    *ret_follow = follow;
    return 0;
}
