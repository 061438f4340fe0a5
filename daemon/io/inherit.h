/* What goes through an exec of svisord into itself. See inherit.c. */
#ifndef SV_IO_INHERIT_H
#define SV_IO_INHERIT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/str.h"

struct sv_inherited_socket {
    int fd;
    dev_t device; /* of the socket's file; 0: it has none */
    ino_t inode;
    char *address; /* "unix:PATH" or "tcp:HOST:PORT", as configured */
};

struct sv_inherited {
    char *version; /* of the svisord before; NULL: this one was not executed by itself */
    struct sv_inherited_socket *sockets;
    size_t socket_count;
};

/* At the very start: takes what is there out of the environment, so that no program sees it.
 * Nothing, or nonsense, is no error. -ENOMEM. */
int sv_inherited_read(struct sv_inherited *ret_inherited);
/* Writes all of it into the environment and lets the descriptors through; to be called just before
 * the exec. Negative errno. */
int sv_inherited_write(const struct sv_inherited *inherited);
/* There was no exec after all: takes that back. */
void sv_inherited_unwrite(const struct sv_inherited *inherited);
/* Owns `socket`, also when it fails: -ENOMEM. */
int sv_inherited_add(struct sv_inherited *inherited, const struct sv_inherited_socket *socket);
/* Takes the socket of that address out; its `address` is not set. False: there is none. */
bool sv_inherited_take(struct sv_inherited *inherited, const char *address,
                       struct sv_inherited_socket *ret_socket);
/* Nobody wants the rest: closes the sockets, and removes their files. */
void sv_inherited_done(struct sv_inherited *inherited);

#endif
