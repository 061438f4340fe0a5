/* The listening sockets of the HTTP server. For http.c. */
#ifndef SV_IO_HTTP_LISTEN_H
#define SV_IO_HTTP_LISTEN_H

#include <sys/types.h>

#include "base/str.h"
#include "config/config.h"
#include "io/inherit.h"

struct sv_http_socket {
    int fd;
    char *path; /* of a unix socket: the file is ours, by device and inode */
    dev_t device;
    ino_t inode;
};

/* Opens, binds and listens. Negative errno, and `ret_error` says why. */
int sv_http_socket_open(const struct sv_http_config *config, struct sv_http_socket *ret_socket,
                        struct sv_str *ret_error);
/* "unix:PATH" or "tcp:HOST:PORT"; NULL without memory. */
char *sv_http_socket_address(const struct sv_http_config *config);
/* Takes over the socket that an earlier image of svisord listened on. False: there is none, or its
 * file was removed. */
bool sv_http_socket_inherit(const struct sv_http_config *config, const char *address,
                            struct sv_inherited *inherited, struct sv_http_socket *ret_socket);
/* Removes the socket file unless it is another's by now. Does not close the descriptor. */
void sv_http_socket_done(struct sv_http_socket *socket);

#endif
