/*
 * Clients of a stream have two things in common, whatever they are sent: there is a bound on them,
 * so that nobody can make the daemon grow; and they go whenever they like, also while they are
 * written to. Who goes is only marked at first:
 *
 *     added ──> THERE ──sv_client_leave()──> GONE ──next turn of the loop──> released, freed
 *
 * So a loop over them stays whole when one breaks in the middle of it, and a connection may say
 * that it is gone from within a call on it. One that is gone still counts until it is freed.
 *
 *     struct listener {
 *         struct sv_client base;
 *         struct sv_websocket *websocket;
 *     };
 *     for (struct listener *listener = sv_clients_first(&listeners); listener;
 *          listener = sv_clients_after(listener))
 *         sv_websocket_send(listener->websocket, text);
 *
 * How they are opened, what they are sent, and what becomes of one that does not read is for who
 * has them: publish_ws.c, publish_sse.c, driver/live/live.c.
 */
#include "io/clients.h"

#include <stdlib.h>

static void release(struct sv_client *client)
{
    struct sv_clients *clients = client->clients;
    clients->count--;
    clients->released(client);
    free(client);
}

static void on_sweep(void *user)
{
    struct sv_clients *clients = user;
    struct sv_client **link = &clients->first;
    while (*link) {
        struct sv_client *client = *link;
        if (!client->is_gone) {
            link = &client->next;
            continue;
        }
        *link = client->next;
        release(client);
    }
    clients->end = link;
}

int sv_clients_init(struct sv_clients *clients, struct sv_loop *loop, size_t count_max,
                    sv_client_released *released)
{
    *clients = (struct sv_clients){.count_max = count_max, .released = released};
    clients->end = &clients->first;
    return sv_loop_add_defer(loop, SV_PRIORITY_NORMAL, on_sweep, clients, &clients->sweep);
}

void sv_clients_done(struct sv_clients *clients)
{
    while (clients->first) {
        struct sv_client *client = clients->first;
        clients->first = client->next;
        release(client);
    }
    sv_source_free(clients->sweep);
    *clients = (struct sv_clients){0};
}

void *sv_clients_add(struct sv_clients *clients, size_t size_bytes)
{
    struct sv_client *client = clients->count < clients->count_max ? calloc(1, size_bytes) : NULL;
    if (!client)
        return NULL;
    client->clients = clients;
    *clients->end = client;
    clients->end = &client->next;
    clients->count++;
    return client;
}

void sv_client_leave(struct sv_client *client)
{
    client->is_gone = true;
    sv_source_enable(client->clients->sweep, true);
}

/* ---- Who is there ---- */

static struct sv_client *there(struct sv_client *client)
{
    while (client && client->is_gone)
        client = client->next;
    return client;
}

void *sv_clients_first(const struct sv_clients *clients)
{
    return there(clients->first);
}

void *sv_clients_after(const void *client)
{
    return there(((const struct sv_client *)client)->next);
}
