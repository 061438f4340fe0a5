/* The listening socket that the processes of a [fcgi-program:x] share as descriptor 0. */
#ifndef SV_IO_FCGI_SOCKET_H
#define SV_IO_FCGI_SOCKET_H

#include "config/config.h"

struct sv_fcgi_listener;

/* `config` is kept until sv_fcgi_listener_free(). Opens nothing yet. */
int sv_fcgi_listener_new(const struct sv_fcgi_socket *config,
                         struct sv_fcgi_listener **ret_listener);
/* Closes the socket, whoever uses it. NULL is allowed. */
void sv_fcgi_listener_free(struct sv_fcgi_listener *listener);

/*
 * One more process is about to run: the first one creates the socket. 0: `ret_fd` is the socket,
 * which the listener owns; call sv_fcgi_listener_release() when that process is gone (or was not
 * spawned after all). Negative errno: nothing was taken. -ENOTSOCK: a file of that name is no
 * socket, and stays. -EADDRNOTAVAIL: the host cannot be resolved, or is not this one.
 */
int sv_fcgi_listener_acquire(struct sv_fcgi_listener *listener, int *ret_fd);
/* A process of an earlier daemon lives on with the socket: takes over `fd`. Counts as an acquire.
 */
void sv_fcgi_listener_adopt(struct sv_fcgi_listener *listener, int fd);
/* The processes live on without us: the file of the socket stays. */
void sv_fcgi_listener_leave(struct sv_fcgi_listener *listener);
/* The last one closes the socket and removes its file. */
void sv_fcgi_listener_release(struct sv_fcgi_listener *listener);

#endif
