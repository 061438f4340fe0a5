/* The socket on which programs speak sd_notify(3) to us. See notify_socket.c. */
#ifndef SV_IO_NOTIFY_SOCKET_H
#define SV_IO_NOTIFY_SOCKET_H

#include <sys/types.h>

#include "io/loop.h"
#include "wire/notify_message.h"

struct sv_notify_socket;

struct sv_notify_sender {
    pid_t pid; /* as the kernel says; 0: nobody that we can see */
    uid_t uid;
    int pidfd; /* of `pid`, for the time of the call; -1: this kernel gives none (before 6.5) */
};

/* One message. `message` NULL: it was no message of the protocol. */
typedef void (*sv_notify_function)(void *user, const struct sv_notify_sender *sender,
                                   const struct sv_notify_message *message);

struct sv_notify_origin {
    const char *identifier; /* two daemons of one user should have different ones */
    int fd;                 /* the socket of an earlier daemon, from now on ours; -1: none */
};

int sv_notify_socket_new(struct sv_loop *loop, const struct sv_notify_origin *origin,
                         sv_notify_function function, void *user,
                         struct sv_notify_socket **ret_socket);
/* NULL is allowed. */
void sv_notify_socket_free(struct sv_notify_socket *socket);
/* What programs are told in NOTIFY_SOCKET. */
const char *sv_notify_socket_address(const struct sv_notify_socket *socket);
/* Borrowed, for who keeps a duplicate. */
int sv_notify_socket_fd(const struct sv_notify_socket *socket);
/* Reads what has come, up to a bound: before a silence is held against anybody. */
void sv_notify_socket_drain(struct sv_notify_socket *socket);

#endif
