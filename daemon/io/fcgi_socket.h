/* The listening socket that the processes of a [fcgi-program:x] share as descriptor 0. */
#ifndef SV_IO_FCGI_SOCKET_H
#define SV_IO_FCGI_SOCKET_H

#include "base/str.h"
#include "config/config.h"

struct sv_fcgi_listener;

/* `config` is kept until sv_fcgi_listener_free(). Opens nothing yet. NULL without memory. */
struct sv_fcgi_listener *sv_fcgi_listener_new(const struct sv_fcgi_socket *config);
/* Closes the socket, whoever uses it. NULL is allowed. */
void sv_fcgi_listener_free(struct sv_fcgi_listener *listener);

/*
 * One more process is about to run: the first one creates the socket. 0: `ret_fd` is the socket,
 * which the listener owns; call sv_fcgi_listener_release() when that process is gone (or was not
 * spawned after all). Negative errno: nothing was taken, and `ret_text` says what failed.
 */
int sv_fcgi_listener_acquire(struct sv_fcgi_listener *listener, int *ret_fd,
                             struct sv_str *ret_text);
/* The last one closes the socket and removes its file. */
void sv_fcgi_listener_release(struct sv_fcgi_listener *listener);

#endif
