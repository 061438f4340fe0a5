/* How the daemon settles in: limits, signals, background, pid file. See daemonize.c for the order.
 */
#ifndef SV_IO_DAEMONIZE_H
#define SV_IO_DAEMONIZE_H

#include <stdint.h>

#include "base/str.h"

#define SV_LIMITS_REFUSED 1 /* ret_text has Supervisor's words: print them and do not start */

/*
 * Raises RLIMIT_NOFILE to `minfds` and RLIMIT_NPROC to `minprocs` as Supervisor does, then the soft
 * limit of descriptors to the hard one, for the daemon only. `ret_child_nofile` is what
 * Supervisor's children would inherit: restore it in every child (sv_spawn_plan.nofile_soft).
 * `ret_text` gets a line for the log per limit that was raised ("Increased RLIMIT_NOFILE limit to
 * 1024\n"), or the reason for the refusal.
 */
int sv_limits_raise(uint32_t minfds, uint32_t minprocs, uint64_t *ret_child_nofile,
                    struct sv_str *ret_text);

/* Gives the soft limit of descriptors back, before an exec of svisord itself. 0: it was not raised.
 */
void sv_limits_lower(uint64_t child_nofile);

/* Ignores SIGPIPE; blocks what sv_loop_add_signal() will take: TERM INT QUIT HUP USR2 CHLD. */
int sv_signals_prepare(void);

/*
 * Goes to the background in three steps. begin: a child with a session of its own returns; the
 * calling process waits for its word. Call it before any sv_loop, thread or library with either
 * exists: they do not survive a fork. settle: the child enters `directory` (NULL: stay), sets
 * `umask`, and gives up the terminal (/dev/null as 0, 1 and 2). ready: the waiting process exits
 * with 0. A child that exits before takes it along, with its own status, so that a refusal is seen
 * on the terminal and by scripts.
 */
int sv_daemonize_begin(int *ret_ready_fd);
void sv_daemonize_settle(const char *directory, uint32_t umask);
void sv_daemonize_ready(int ready_fd);

/* In the background already, after an exec of svisord itself: directory and umask alone. */
void sv_daemonize_again(const char *directory, uint32_t umask);

/* Writes our pid; logs, as Supervisor, success or failure. */
int sv_pidfile_write(const char *path);
/* Removes the file if our pid stands in it: another daemon may have written it meanwhile. */
void sv_pidfile_remove(const char *path);

#endif
