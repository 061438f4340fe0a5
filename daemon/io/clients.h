/*
 * Those who listen to one thing over connections of theirs: no more than may, and nobody is freed
 * while somebody looks at the list. See clients.c.
 */
#ifndef SV_IO_CLIENTS_H
#define SV_IO_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "io/loop.h"

/* The first member of what the owner knows of a client. */
struct sv_client {
    struct sv_clients *clients;
    struct sv_client *next; /* in the order of their coming */
    bool is_gone;           /* and is freed soon */
};

/* Lets go of what the client holds; it has left the list, and its memory goes after the call. */
typedef void sv_client_released(struct sv_client *client);

/* The zero value is an empty list that takes nobody. */
struct sv_clients {
    struct sv_client *first, **end;
    size_t count, count_max;
    sv_client_released *released;
    struct sv_source *sweep;
};

/* 0 or negative errno. The list must stay where it is. */
int sv_clients_init(struct sv_clients *clients, struct sv_loop *loop, size_t count_max,
                    sv_client_released *released);
/* Releases everybody. */
void sv_clients_done(struct sv_clients *clients);

/* One more at the end, zeroed, of so many bytes, which begin with a struct sv_client. NULL: there
 * are as many as may be, or there is no memory. */
void *sv_clients_add(struct sv_clients *clients, size_t size_bytes);
/* It is gone: passed by from now on, and released at a next turn of the loop. */
void sv_client_leave(struct sv_client *client);

/* Those who are there, in the order of their coming; NULL: no more. Anybody may come and leave
 * in between. */
void *sv_clients_first(const struct sv_clients *clients);
void *sv_clients_after(const void *client);

#endif
