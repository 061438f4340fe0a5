/* The pipes of one run of a program: see pipes.c for why both ends are open in the child. */
#ifndef SV_IO_PIPES_H
#define SV_IO_PIPES_H

#include <stdbool.h>
#include <sys/types.h>

/* Every descriptor is close-on-exec and >= 3, or -1. */
struct sv_pipes {
    int stdin_fd, stdout_fd, stderr_fd;                   /* ours; non-blocking */
    int child_stdin_fd, child_stdout_fd, child_stderr_fd; /* for sv_spawn_plan */
};

#define SV_PIPES_NONE ((struct sv_pipes){-1, -1, -1, -1, -1, -1})

/*
 * `redirect_stderr`: stderr_fd is -1 and child_stderr_fd is the number of child_stdout_fd.
 * `stdin_socket` >= 0 (fcgi): the child's stdin is a duplicate of it, and stdin_fd is -1.
 * 0, or a negative errno with nothing left open: -EMFILE also when a few are left, which are kept
 * for connections, logs and cgroups (SV_DESCRIPTORS_RESERVED).
 */
int sv_pipes_make(bool redirect_stderr, int stdin_socket, struct sv_pipes *ret_pipes);
/* After the spawn, whatever came of it. An end that stays open here would hide the end of file. */
void sv_pipes_close_child_ends(struct sv_pipes *pipes);
/* Everything that is still in the struct. Set a descriptor to -1 when another owner took it. */
void sv_pipes_close(struct sv_pipes *pipes);

/*
 * For a program that an earlier daemon started: opens our end of its descriptor 0, 1 or 2 anew,
 * with what waits in the pipe. -EINVAL when it is no pipe. The caller has made sure that `pid` is
 * still that program.
 */
int sv_pipes_reopen(pid_t pid, int child_fd, int *ret_fd);

#endif
