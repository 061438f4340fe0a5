/*
 * The keeper: a tiny process that holds descriptors over the death of the daemon. See keeper.c.
 *
 * What programs wrote and nobody has read yet lives in pipes, and a pipe whose ends are all closed
 * is gone with its bytes. So the reading end of every pipe has a second owner, and so has the pidfd
 * of every program, without which the exit status of somebody else's child cannot be asked for.
 */
#ifndef SV_IO_KEEPER_H
#define SV_IO_KEEPER_H

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

#endif
