/*
 * The HTTP server: libmicrohttpd on our loop, one listener per
 * [unix_http_server]/[inet_http_server].
 *
 * A request that is complete and authorised reaches the handler as an exchange. It is answered at
 * once or later, from the same thread: in between the connection is suspended and costs nothing.
 * See http.c.
 */
#ifndef SV_IO_HTTP_H
#define SV_IO_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "config/config.h"
#include "io/inherit.h"
#include "io/loop.h"

struct sv_http;
struct sv_http_exchange;

typedef void (*sv_http_handler)(void *user, struct sv_http_exchange *exchange);

int sv_http_new(struct sv_loop *loop, sv_http_handler handler, void *user,
                struct sv_http **ret_http);
/* Closes every listener and connection; open exchanges see `closed`. */
void sv_http_free(struct sv_http *http);
/* Opens one listener, or takes its socket out of `inherited`. Negative errno; `ret_error` then has
 * Supervisor's or clearer words. */
int sv_http_listen(struct sv_http *http, const struct sv_http_config *config,
                   struct sv_inherited *inherited, struct sv_str *ret_error);

/*
 * Before svisord executes itself. No listener takes a new connection any more: clients wait in the
 * queues of the sockets.
 */
void sv_http_quiesce(struct sv_http *http);
/* True while an answer that was given is not sent yet. */
bool sv_http_is_answering(const struct sv_http *http);
/* Gives up the sockets of all listeners, which are quiet; to be followed by sv_http_free(). */
int sv_http_hand_over(struct sv_http *http, struct sv_inherited *inherited);

/* Borrowed until the exchange is answered. */
const char *sv_http_method(const struct sv_http_exchange *exchange); /* "POST" */
const char *sv_http_path(const struct sv_http_exchange *exchange);   /* percent-decoded, no query */
const char *sv_http_query(const struct sv_http_exchange *exchange, const char *name); /* or NULL */
/* Each `name=value` of the query, decoded and with their lengths, until `seen` returns false. A
 * name without a value has "". */
typedef bool (*sv_http_query_seen)(void *user, const char *name, size_t name_length,
                                   const char *value, size_t value_length);
void sv_http_each_query(const struct sv_http_exchange *exchange, sv_http_query_seen seen,
                        void *user);
const char *sv_http_header(const struct sv_http_exchange *exchange, const char *name); /* or NULL */
const char *sv_http_body(const struct sv_http_exchange *exchange, size_t *ret_length);

/* Called if the client goes away, or the server stops, before the exchange was answered or while it
 * streams; the exchange is gone after the call. Set it before returning from the handler. */
void sv_http_on_closed(struct sv_http_exchange *exchange, sv_function closed, void *user);

/* One more header of the answer, beside those that every one has; both texts are copied. */
void sv_http_add_header(struct sv_http_exchange *exchange, const char *name, const char *value);

/* Answers; the exchange is gone after the call. The body is copied. */
void sv_http_reply(struct sv_http_exchange *exchange, unsigned status, const char *content_type,
                   const void *body, size_t length);
/* The same with a text for people. */
void sv_http_reply_text(struct sv_http_exchange *exchange, unsigned status, const char *text);

/* Answers piece by piece. Bytes wait in a buffer of SV_HTTP_STREAM_BUFFER_BYTES_MAX for a slow
 * client; write returns -ENOBUFS above it (drop or end, as the caller sees fit). */
void sv_http_stream_begin(struct sv_http_exchange *exchange, unsigned status,
                          const char *content_type);
int sv_http_stream_write(struct sv_http_exchange *exchange, const void *data, size_t length);
void sv_http_stream_end(struct sv_http_exchange *exchange);
/* Called whenever all that was written is on its way to the client; may write more, and not end.
 * Set it before the stream begins. */
void sv_http_on_drained(struct sv_http_exchange *exchange, sv_function drained, void *user);

/*
 * Answers that the connection changes to another protocol: 101. `opened` comes a little later, with
 * the descriptor, which does not wait, and with what the client has sent already; from then on the
 * owner reads and writes, until sv_http_tunnel_end() closes it. If the server stops before, or the
 * client goes before it is opened, there is sv_http_on_closed().
 */
typedef void (*sv_http_tunnel_function)(void *user, int fd, const char *early, size_t early_length);
struct sv_http_upgrade {
    const char *protocol;       /* "websocket" */
    const char *header, *value; /* one more of the answer */
};
void sv_http_upgrade(struct sv_http_exchange *exchange, const struct sv_http_upgrade *upgrade,
                     sv_http_tunnel_function opened, void *user);
void sv_http_tunnel_end(struct sv_http_exchange *exchange);

#endif
