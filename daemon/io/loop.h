/*
 * The event loop: sd-event behind names of ours, so that no other file includes it.
 *
 * Callbacks only translate what happened into an event for the driver and return; they run one at a
 * time, lowest priority number first. A source belongs to whoever added it: sv_source_free() it,
 * also inside its own callback. Everything returns 0 or a negative errno.
 */
#ifndef SV_IO_LOOP_H
#define SV_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct sv_loop;
struct sv_source;

/* Which ready source runs first. */
enum sv_priority {
    SV_PRIORITY_KERNEL = -20, /* exit and OOM records, before the pidfd of the same process */
    SV_PRIORITY_EXIT = -10,   /* pidfds */
    SV_PRIORITY_NORMAL = 0,   /* requests, timers, signals */
    SV_PRIORITY_OUTPUT = 10,  /* what programs write */
    SV_PRIORITY_IDLE = 100,
};

/* `events` are EPOLLIN, EPOLLOUT, EPOLLPRI, EPOLLHUP, EPOLLERR. */
typedef void (*sv_io_function)(void *user, int fd, uint32_t events);
typedef void (*sv_function)(void *user);
typedef void (*sv_signal_function)(void *user, int number);

int sv_loop_new(struct sv_loop **ret_loop);
void sv_loop_free(struct sv_loop *loop);
/*
 * A pipe that everybody on this loop may use within one callback, and leaves empty: [0] reads, [1]
 * writes, both without waiting. Made at the first call. Negative errno.
 */
int sv_loop_scratch_pipe(struct sv_loop *loop, int ret_fds[2]);
/* Runs until sv_loop_quit(); returns its code or a negative errno. */
int sv_loop_run(struct sv_loop *loop);
/* One turn: waits up to `timeout_ns` for something and runs it. 1, 0 after the time, or negative
 * errno. */
int sv_loop_turn(struct sv_loop *loop, uint64_t timeout_ns);
void sv_loop_quit(struct sv_loop *loop, int code);

/* CLOCK_MONOTONIC and CLOCK_REALTIME, read anew at each call. */
uint64_t sv_now_ns(void);
int64_t sv_wall_ns(void);

int sv_loop_add_io(struct sv_loop *loop, int fd, uint32_t events, enum sv_priority priority,
                   sv_io_function function, void *user, struct sv_source **ret_source);
int sv_source_set_events(struct sv_source *source, uint32_t events);
/* A timer is born disarmed and fires once for each arming. `accuracy_ns` lets the kernel join
 * wake-ups. */
int sv_loop_add_timer(struct sv_loop *loop, uint64_t accuracy_ns, sv_function function, void *user,
                      struct sv_source **ret_source);
int sv_source_arm(struct sv_source *source, uint64_t deadline_ns);
/* Runs at a next turn of the loop after sv_source_enable(…, true), in its place among the other
 * sources of its priority; may enable itself again without starving them. Born disabled. */
int sv_loop_add_defer(struct sv_loop *loop, enum sv_priority priority, sv_function function,
                      void *user, struct sv_source **ret_source);
/* The signal must be blocked in every thread. */
int sv_loop_add_signal(struct sv_loop *loop, int number, sv_signal_function function, void *user,
                       struct sv_source **ret_source);
int sv_source_enable(struct sv_source *source, bool is_enabled);
/* NULL is allowed. Does not close the descriptor. */
void sv_source_free(struct sv_source *source);

#endif
