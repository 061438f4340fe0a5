/*
 * sd-event (libsystemd 252).
 *
 * Traps: the default accuracy of timers is 250 ms, so it is always given; a zero timer is no
 * substitute for a defer source (an order of magnitude slower); sd-event unrefs a source that is
 * destroyed inside its own callback only after the callback, but our wrapper is freed at once, so
 * the trampolines copy what they need before they call out.
 */
#include "io/loop.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"

enum { NS_PER_US = 1000 };

struct sv_loop {
    sd_event *event;
    int scratch[2]; /* -1: not made yet */
};

enum source_kind { SOURCE_IO, SOURCE_TIMER, SOURCE_DEFER, SOURCE_SIGNAL };

struct sv_source {
    enum source_kind kind;
    sd_event_source *source;
    void *user;
    int event_fd; /* SOURCE_DEFER; otherwise -1 */
    union {
        sv_io_function io;
        sv_function run;
        sv_signal_function signal;
    };
};

int sv_loop_new(struct sv_loop **ret_loop)
{
    struct sv_loop *loop = calloc(1, sizeof(*loop));
    if (!loop)
        return -ENOMEM;
    loop->scratch[0] = loop->scratch[1] = -1;
    int r = sd_event_new(&loop->event);
    if (r < 0) {
        free(loop);
        return error_trace(r);
    }
    *ret_loop = loop;
    return 0;
}

void sv_loop_free(struct sv_loop *loop)
{
    if (!loop)
        return;
    sd_event_unref(loop->event);
    for (int i = 0; i < 2; i++)
        if (loop->scratch[i] >= 0)
            close(loop->scratch[i]);
    free(loop);
}

int sv_loop_scratch_pipe(struct sv_loop *loop, int ret_fds[2])
{
    if (loop->scratch[0] < 0 && pipe2(loop->scratch, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    ret_fds[0] = loop->scratch[0];
    ret_fds[1] = loop->scratch[1];
    return 0;
}

int sv_loop_run(struct sv_loop *loop)
{
    return sd_event_loop(loop->event);
}

int sv_loop_turn(struct sv_loop *loop, uint64_t timeout_ns)
{
    return sd_event_run(loop->event, timeout_ns / NS_PER_US);
}

void sv_loop_quit(struct sv_loop *loop, int code)
{
    sd_event_exit(loop->event, code);
}

static struct timespec now_of(clockid_t clock)
{
    struct timespec now;
    int r = clock_gettime(clock, &now);
    assert(r == 0);
    return now;
}

uint64_t sv_now_ns(void)
{
    struct timespec now = now_of(CLOCK_MONOTONIC);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int64_t sv_wall_ns(void)
{
    struct timespec now = now_of(CLOCK_REALTIME);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int on_io(sd_event_source *event_source, int fd, uint32_t events, void *user)
{
    (void)event_source;
    struct sv_source *source = user;
    source->io(source->user, fd, events);
    return 0;
}

static int on_timer(sd_event_source *event_source, uint64_t usec, void *user)
{
    (void)event_source;
    (void)usec;
    struct sv_source *source = user;
    source->run(source->user);
    return 0;
}

static void clear(int event_fd)
{
    uint64_t count;
    ssize_t n = read(event_fd, &count, sizeof(count));
    assert(n == sizeof(count) || errno == EAGAIN);
}

static int on_defer(sd_event_source *event_source, int fd, uint32_t events, void *user)
{
    (void)event_source;
    (void)events;
    struct sv_source *source = user;
    clear(fd);
    source->run(source->user);
    return 0;
}

static int on_signal(sd_event_source *event_source, const struct signalfd_siginfo *info, void *user)
{
    (void)event_source;
    struct sv_source *source = user;
    source->signal(source->user, (int)info->ssi_signo);
    return 0;
}

static struct sv_source *new_source(enum source_kind kind, void *user)
{
    struct sv_source *source = calloc(1, sizeof(*source));
    if (!source)
        return NULL;
    source->kind = kind;
    source->user = user;
    source->event_fd = -1;
    return source;
}

static int finish(struct sv_source *source, int r, struct sv_source **ret_source)
{
    if (r < 0) {
        sv_source_free(source);
        return error_trace(r);
    }
    *ret_source = source;
    return 0;
}

int sv_loop_add_io(struct sv_loop *loop, int fd, uint32_t events, enum sv_priority priority,
                   sv_io_function function, void *user, struct sv_source **ret_source)
{
    struct sv_source *source = new_source(SOURCE_IO, user);
    if (!source)
        return -ENOMEM;
    source->io = function;
    int r = sd_event_add_io(loop->event, &source->source, fd, events, on_io, source);
    if (r >= 0)
        r = sd_event_source_set_priority(source->source, priority);
    return finish(source, r, ret_source);
}

int sv_source_set_events(struct sv_source *source, uint32_t events)
{
    assert(source->kind == SOURCE_IO);
    return sd_event_source_set_io_events(source->source, events);
}

int sv_loop_add_timer(struct sv_loop *loop, uint64_t accuracy_ns, sv_function function, void *user,
                      struct sv_source **ret_source)
{
    struct sv_source *source = new_source(SOURCE_TIMER, user);
    if (!source)
        return -ENOMEM;
    source->run = function;
    uint64_t accuracy_us = accuracy_ns < NS_PER_US ? 1 : accuracy_ns / NS_PER_US;
    int r = sd_event_add_time(loop->event, &source->source, CLOCK_MONOTONIC, UINT64_MAX,
                              accuracy_us, on_timer, source);
    if (r >= 0)
        r = sd_event_source_set_enabled(source->source, SD_EVENT_OFF);
    return finish(source, r, ret_source);
}

int sv_source_arm(struct sv_source *source, uint64_t deadline_ns)
{
    assert(source->kind == SOURCE_TIMER);
    if (deadline_ns == UINT64_MAX)
        return sd_event_source_set_enabled(source->source, SD_EVENT_OFF);
    /* Rounded up: a timer that fires before its deadline would find nothing due and spin. */
    int r = sd_event_source_set_time(source->source, (deadline_ns + NS_PER_US - 1) / NS_PER_US);
    if (r < 0)
        return r;
    return sd_event_source_set_enabled(source->source, SD_EVENT_ONESHOT);
}

int sv_loop_add_defer(struct sv_loop *loop, enum sv_priority priority, sv_function function,
                      void *user, struct sv_source **ret_source)
{
    struct sv_source *source = new_source(SOURCE_DEFER, user);
    if (!source)
        return -ENOMEM;
    source->run = function;
    source->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = source->event_fd < 0 ? -errno
                                 : sd_event_add_io(loop->event, &source->source, source->event_fd,
                                                   EPOLLIN, on_defer, source);
    if (r >= 0)
        r = sd_event_source_set_priority(source->source, priority);
    return finish(source, r, ret_source);
}

int sv_loop_add_signal(struct sv_loop *loop, int number, sv_signal_function function, void *user,
                       struct sv_source **ret_source)
{
    struct sv_source *source = new_source(SOURCE_SIGNAL, user);
    if (!source)
        return -ENOMEM;
    source->signal = function;
    int r = sd_event_add_signal(loop->event, &source->source, number, on_signal, source);
    return finish(source, r, ret_source);
}

int sv_source_enable(struct sv_source *source, bool is_enabled)
{
    if (source->kind != SOURCE_DEFER)
        return sd_event_source_set_enabled(source->source, is_enabled ? SD_EVENT_ON : SD_EVENT_OFF);
    if (!is_enabled) {
        clear(source->event_fd);
        return 0;
    }
    uint64_t one = 1;
    return write(source->event_fd, &one, sizeof(one)) < 0 ? -errno : 0;
}

void sv_source_free(struct sv_source *source)
{
    if (!source)
        return;
    sd_event_source_disable_unref(source->source);
    if (source->event_fd >= 0)
        close(source->event_fd);
    free(source);
}
