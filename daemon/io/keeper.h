/*
 * The keeper: a tiny process that holds descriptors over the death of the daemon. See keeper.c.
 *
 * What programs wrote and nobody has read yet lives in pipes, and a pipe whose ends are all closed
 * is gone with its bytes. So the reading end of every pipe has a second owner, and so has the pidfd
 * of every program, without which the exit status of somebody else's child cannot be asked for.
 *
 * And it keeps a promise to the other instances of a cluster, who cannot see whether programs live
 * on behind a daemon that is silent: it ends those that are managed, by itself, at the time when
 * the others begin to count on it.
 */
#ifndef SV_IO_KEEPER_H
#define SV_IO_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

struct sv_keeper;

/* Of the notify socket, kept in the place of stdin. Runs have keys made of a time. */
#define SV_KEEPER_NOTIFY_KEY (UINT64_C(1) << 63)

/* What is kept under one key, of a run; -1: nothing. (io/kernel.h keeps four others the same way.)
 */
struct sv_kept {
    int pidfd;
    int stdin_fd;
    int stdout_fd;
    int stderr_fd;
};

#define SV_KEPT_NONE ((struct sv_kept){-1, -1, -1, -1})

/* Why the keeper has ended a run. The numbers go through the socket. */
enum sv_keeper_cause {
    SV_KEEPER_DID_NOT,
    SV_KEEPER_GRACE_PASSED,    /* no daemon has come back */
    SV_KEEPER_DEADLINE_PASSED, /* the daemon did not renew it */
    SV_KEEPER_CAUSES
};

#define SV_KEEPER_NEVER UINT64_MAX

/* Finds the keeper that lives at `directory`, or starts one. Negative errno. */
int sv_keeper_open(const char *directory, struct sv_keeper **ret_keeper);
/* Lets the keeper live on without us: the next daemon finds it. NULL is allowed. */
void sv_keeper_leave(struct sv_keeper *keeper);
/* The programs have all stopped: the keeper ends, too. */
void sv_keeper_end(struct sv_keeper *keeper);
/* A key that this keeper does not know yet. Never 0. */
uint64_t sv_keeper_next_key(struct sv_keeper *keeper);
/* Gives it duplicates of the descriptors, beside those that it has under that key. Negative errno
 * when it is gone or full. */
int sv_keeper_put(struct sv_keeper *keeper, uint64_t key, const struct sv_kept *kept);
/* The same, with the next message or sv_keeper_flush(), so that it wakes nobody of its own. The
 * descriptors stay open until then. */
int sv_keeper_put_later(struct sv_keeper *keeper, uint64_t key, const struct sv_kept *kept);
void sv_keeper_flush(struct sv_keeper *keeper);
/* Duplicates of what it holds, close-on-exec; -ENOENT when it does not know the key. */
int sv_keeper_get(struct sv_keeper *keeper, uint64_t key, struct sv_kept *ret_kept);
void sv_keeper_drop(struct sv_keeper *keeper, uint64_t key);
/* Into another cgroup: `procs_fd` is its cgroup.procs, open for writing. */
void sv_keeper_move(struct sv_keeper *keeper, int procs_fd);
/* Everything that nobody asked for since the daemon connected: closed. */
void sv_keeper_drop_unclaimed(struct sv_keeper *keeper);

/* Polls EPOLLHUP when the keeper has ended. Another one after sv_keeper_renew(). */
int sv_keeper_fd(const struct sv_keeper *keeper);
/* Begins a keeper in place of the one that has ended, or that is to: an empty one, which wants
 * everything put anew, under the old keys. Negative errno: there is none now. */
int sv_keeper_renew(struct sv_keeper *keeper);

/* False: it is of an older svisord, and passes over the following; sv_keeper_renew() helps. */
bool sv_keeper_can_promise(const struct sv_keeper *keeper);
/* The promise is about this run, also if nothing is kept of it yet. `kill_fd`: cgroup.kill of its
 * cgroup, open for writing; -1: it has none, then its main process is ended alone. */
int sv_keeper_manage(struct sv_keeper *keeper, uint64_t key, int kill_fd);
void sv_keeper_release(struct sv_keeper *keeper, uint64_t key);
/* Counts from the end of our connection, until a daemon connects. SV_KEEPER_NEVER: for ever. */
void sv_keeper_promise_grace(struct sv_keeper *keeper, uint64_t grace_ns);
/* CLOCK_MONOTONIC; SV_KEEPER_NEVER: none. When it has passed, everything that is managed is ended,
 * and so is what is managed later, until a later deadline is given. */
void sv_keeper_promise_deadline(struct sv_keeper *keeper, uint64_t deadline_ns);
/* Whether it has ended that run, why, and when (CLOCK_MONOTONIC). */
enum sv_keeper_cause sv_keeper_ask(struct sv_keeper *keeper, uint64_t key, uint64_t *ret_time_ns);

#endif
