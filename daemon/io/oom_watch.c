/*
 * memory.events of one leaf, polled for EPOLLPRI: "oom_kill N" grows with each process that the OOM
 * killer took in it, 5 to 18 ms before such a process can be reaped. It costs a descriptor, and
 * tells neither who it was nor whose limit; so it is opened only where eBPF tells nothing and
 * somebody wants to know.
 */
#include "io/oom_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/error.h"

enum { EVENTS_BYTES = 256 };

struct sv_oom_watch {
    int fd;
    unsigned long long count;
    struct sv_source *source;
    void (*function)(void *user);
    void *user;
};

static unsigned long long read_count(const struct sv_oom_watch *watch)
{
    char text[EVENTS_BYTES];
    ssize_t length = pread(watch->fd, text, sizeof(text) - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    const char *at = strstr(text, "\noom_kill ");
    return at ? strtoull(at + strlen("\noom_kill "), NULL, 10) : watch->count;
}

static void on_event(void *user, int fd, uint32_t events)
{
    (void)fd;
    (void)events;
    struct sv_oom_watch *watch = user;
    unsigned long long count = read_count(watch);
    bool has_grown = count > watch->count;
    watch->count = count;
    if (has_grown)
        watch->function(watch->user);
}

int sv_oom_watch_new(struct sv_loop *loop, const struct sv_cgroup_leaf *leaf,
                     void (*function)(void *user), void *user, struct sv_oom_watch **ret_watch)
{
    int fd = openat(sv_cgroup_leaf_fd(leaf), "memory.events", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -ENOENT : error_trace(-errno);
    struct sv_oom_watch *watch = calloc(1, sizeof(*watch));
    if (!watch) {
        close(fd);
        return -ENOMEM;
    }
    *watch = (struct sv_oom_watch){.fd = fd, .function = function, .user = user};
    watch->count = read_count(watch); /* before the poll: the first one is ready otherwise */
    int r = sv_loop_add_io(loop, fd, EPOLLPRI, SV_PRIORITY_EXIT, on_event, watch, &watch->source);
    if (r < 0) {
        sv_oom_watch_free(watch);
        return error_trace(r);
    }
    *ret_watch = watch;
    return 0;
}

void sv_oom_watch_free(struct sv_oom_watch *watch)
{
    if (!watch)
        return;
    sv_source_free(watch->source);
    close(watch->fd);
    free(watch);
}
