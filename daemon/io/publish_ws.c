/*
 * Events for WebSocket clients: the path is the filter, one message is ["header", body].
 *
 *     ws://HOST:EVENT_PORT/supvisors/process     event_link=WS, as with Supvisors
 *     ws://HOST:HTTP_PORT/events/all             with the password of the port
 *
 * A client that does not read loses what comes after its queue is full, and is told so when it has
 * read the rest: ["missed", {…, "counts": {"event": 12}}]. In between it gets nothing at all, so
 * that what it has is always without a gap up to such a message.
 *
 * A browser lets any page open a WebSocket to anywhere, with the password that it knows: on the
 * HTTP ports the page must come from there. The event port has no secrets from whoever reaches it.
 */
#include "io/publish_ws.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "base/error.h"
#include "base/log.h"
#include "io/clients.h"
#include "io/websocket.h"

struct client {
    struct sv_client base;
    struct sv_publish_ws *publish;
    struct sv_websocket *websocket;
    sv_publication_set headers;
    bool is_behind; /* something was lost, and it was not told yet */
    uint64_t missed[SV_PUBLICATION_COUNT];
};

struct sv_publish_ws {
    struct sv_loop *loop;
    struct sv_publisher_settings settings;
    struct sv_http *http; /* of the event port; NULL: none */
    struct sv_clients clients;
};

static struct sv_blob *message_of(enum sv_publication header, const char *body, size_t length)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&text, "[\"%s\", ", sv_publication_name(header));
    sv_str_append(&text, body, length);
    sv_str_add_char(&text, ']');
    return sv_str_ok(&text) ? sv_blob_new(text.data, text.length) : NULL;
}

/* ---- One client ---- */

static void on_closed(void *user, struct sv_websocket *websocket)
{
    (void)websocket;
    sv_client_leave(user);
}

static void on_drained(void *user, struct sv_websocket *websocket)
{
    struct client *client = user;
    const struct sv_publisher_settings *settings = &client->publish->settings;
    if (!client->is_behind)
        return;
    char *body = settings->tell_missed(settings->user, client->missed, NULL);
    struct sv_blob *text = body ? message_of(SV_PUBLICATION_MISSED, body, strlen(body)) : NULL;
    free(body);
    if (!text || sv_websocket_send(websocket, text) < 0) {
        sv_blob_unref(text);
        return; /* it stays behind, and is told after the next loss */
    }
    sv_blob_unref(text);
    client->is_behind = false;
    memset(client->missed, 0, sizeof(client->missed));
}

static void send_to(struct client *client, enum sv_publication header, struct sv_blob *text)
{
    if (!client->is_behind && sv_websocket_send(client->websocket, text) == 0)
        return;
    client->is_behind = true;
    client->missed[header]++;
    if (sv_websocket_is_drained(client->websocket))
        on_drained(client, client->websocket);
}

static void release(struct sv_client *client)
{
    sv_websocket_free(((struct client *)client)->websocket);
}

/* ---- Opening ---- */

static void open_client(struct sv_publish_ws *publish, struct sv_http_exchange *exchange,
                        const char *path)
{
    struct client *client = sv_clients_add(&publish->clients, sizeof(*client));
    if (!client) {
        sv_http_reply_text(exchange, 503, "there are too many WebSocket clients\n");
        return;
    }
    client->publish = publish;
    client->headers = sv_publication_of_path(path);
    const struct sv_websocket_handlers handlers = {
        .user = client, .closed = on_closed, .drained = on_drained};
    if (sv_websocket_open(publish->loop, exchange, &handlers, &client->websocket) == 0)
        return;
    sv_client_leave(&client->base);
    sv_http_reply_text(exchange, 503, "out of memory\n");
}

void sv_publish_ws_accept(struct sv_publish_ws *publish, struct sv_http_exchange *exchange,
                          const char *path)
{
    if (sv_websocket_is_admitted(exchange, false))
        open_client(publish, exchange, path);
}

static void on_request(void *user, struct sv_http_exchange *exchange)
{
    if (sv_websocket_is_admitted(exchange, true))
        open_client(user, exchange, sv_http_path(exchange));
}

int sv_publish_ws_listen(struct sv_publish_ws *publish, uint16_t port, struct sv_str *ret_problem)
{
    const struct sv_http_config config = {.host = "", .port = port};
    int r = sv_http_new(publish->loop, on_request, publish, &publish->http);
    if (r < 0)
        return r;
    r = sv_http_listen(publish->http, &config, NULL, ret_problem);
    if (r == 0)
        return 0;
    sv_str_clear(ret_problem);
    sv_str_addf(ret_problem, "port %u: %s", port, sv_errno_text(r));
    sv_http_free(sv_steal(&publish->http));
    return r;
}

int sv_publish_ws_new(struct sv_loop *loop, const struct sv_publisher_settings *settings,
                      struct sv_publish_ws **ret_publish)
{
    struct sv_publish_ws *publish = calloc(1, sizeof(*publish));
    if (!publish)
        return -ENOMEM;
    publish->loop = loop;
    publish->settings = *settings;
    int r = sv_clients_init(&publish->clients, loop, SV_EVENTS_CLIENTS_MAX, release);
    if (r < 0) {
        free(publish);
        return error_trace(r);
    }
    *ret_publish = publish;
    return 0;
}

void sv_publish_ws_free(struct sv_publish_ws *publish)
{
    if (!publish)
        return;
    sv_clients_done(&publish->clients);
    sv_http_free(publish->http);
    free(publish);
}

/* ---- Events ---- */

sv_publication_set sv_publish_ws_wanted(const struct sv_publish_ws *publish)
{
    sv_publication_set wanted = 0;
    for (const struct client *client = sv_clients_first(&publish->clients); client;
         client = sv_clients_after(client))
        wanted |= client->headers;
    return wanted;
}

void sv_publish_ws_send(struct sv_publish_ws *publish, enum sv_publication header, const char *body,
                        size_t length)
{
    struct sv_blob *text = NULL;
    for (struct client *client = sv_clients_first(&publish->clients); client;
         client = sv_clients_after(client)) {
        if (!(client->headers >> header & 1))
            continue;
        if (!text)
            text = message_of(header, body, length);
        if (!text) {
            sv_log_error("an event %s is lost: out of memory", sv_publication_name(header));
            return;
        }
        send_to(client, header, text);
    }
    sv_blob_unref(text);
}
