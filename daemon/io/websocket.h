/*
 * One WebSocket client, which is sent text messages. See websocket.c.
 *
 * It is opened on an exchange of the HTTP server, and belongs to whoever has opened it.
 */
#ifndef SV_IO_WEBSOCKET_H
#define SV_IO_WEBSOCKET_H

#include "base/blob.h"
#include "io/http.h"

struct sv_websocket;

struct sv_websocket_handlers {
    void *user;
    /* The client is gone. Free the WebSocket later: not in this call. */
    void (*closed)(void *user, struct sv_websocket *websocket);
    /* All that was sent has left. */
    void (*drained)(void *user, struct sv_websocket *websocket);
};

/* The request asks for a WebSocket, and no page of another origin has made it, unless
 * `is_open_to_pages`. False: it was refused. */
bool sv_websocket_is_admitted(struct sv_http_exchange *exchange, bool is_open_to_pages);
/* Answers 101 to a request that was admitted. On failure, -ENOMEM, the exchange is still open. */
int sv_websocket_open(struct sv_loop *loop, struct sv_http_exchange *exchange,
                      const struct sv_websocket_handlers *handlers,
                      struct sv_websocket **ret_websocket);
/* NULL is allowed. Not inside of `drained`. Says goodbye as far as that goes without waiting. */
void sv_websocket_free(struct sv_websocket *websocket);

/* Queues a text message; a reference of the blob is taken. -ENOBUFS: the client does not read, and
 * as many wait for it as may. */
int sv_websocket_send(struct sv_websocket *websocket, struct sv_blob *text);
/* Nothing waits to be sent. */
bool sv_websocket_is_drained(const struct sv_websocket *websocket);

#endif
