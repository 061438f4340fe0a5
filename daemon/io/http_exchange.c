/*
 * One request and its answer.
 *
 *   - READING: headers are there, the body comes in; a body too long is swallowed, not kept.
 *   - OPEN: the handler has it. Not answered when the handler returns: the connection is suspended.
 *   - STREAMING: the answer has begun. Nothing to send: suspended.
 *   - TUNNEL: answered with 101: the connection is the owner's, under another protocol.
 *   - ENDED: answered to the last byte, as far as the owner is concerned; libmicrohttpd sends the
 *     rest.
 *   - GONE: the client left or the server stops: the owner has been told and does not know us any
 *     more.
 *
 * libmicrohttpd owns the exchange through its connection and says when the connection is done with
 * it, on_completed(), in whatever state that is. OPEN and STREAMING have an owner, who is told if
 * they end so.
 *
 * libmicrohttpd does not look at a suspended connection, so it does not notice a client that
 * leaves. We do: while suspended, the descriptor is a source of our own loop, for EPOLLRDHUP alone.
 * A client that only shuts down its sending side counts as gone, as with other servers: over TCP
 * the two look alike. (libmicrohttpd takes a suspended descriptor out of its own epoll set; a
 * descriptor may be in both.)
 *
 * A wrong password and a long body are answered after the body was read: closing a connection with
 * unread input resets it, and the client might never see why. Beyond DISCARD_BYTES_MAX it is just
 * closed.
 *
 * Traps: the content reader must suspend when it returns 0, or libmicrohttpd spins; when it returns
 * END_WITH_ERROR on a connection that was suspended, the descriptor stays open until the server
 * stops (0.9.75), so a stream ends in good order whatever happened; a response may be queued on a
 * suspended connection, but not while the body comes in.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/epoll.h>

#include "base/error.h"
#include "base/log.h"
#include "io/http_internal.h"

enum {
    DISCARD_BYTES_MAX = 4 * SV_HTTP_BODY_BYTES_MAX,
    STREAM_BLOCK_BYTES = 8 << 10, /* what libmicrohttpd asks for at once */
};

enum exchange_state { READING, OPEN, STREAMING, TUNNEL, ENDED, GONE };

struct sv_http_exchange {
    struct sv_http_listener *listener;
    struct MHD_Connection *connection;
    struct sv_http_exchange *previous;
    struct sv_http_exchange *next;
    enum exchange_state state;
    const char *method;
    const char *path;
    struct sv_str body;
    struct sv_str headers;  /* more of them for the answer: name NUL value NUL … */
    size_t discarded_bytes; /* of a body too long, or without permission */
    bool is_allowed;
    bool is_suspended;
    struct sv_source *watch;                  /* of a client that leaves, while suspended */
    struct sv_str stream;                     /* what waits to be sent … */
    size_t sent_bytes;                        /* … after so many bytes that were */
    struct MHD_UpgradeResponseHandle *tunnel; /* NULL: none, or the 101 is not sent yet */
    sv_http_tunnel_function opened;
    void *opened_user;
    sv_function closed;
    void *closed_user;
    sv_function drained;
    void *drained_user;
};

/* ---- Suspending ---- */

static void resume(struct sv_http_exchange *exchange)
{
    if (!exchange->is_suspended)
        return;
    exchange->is_suspended = false;
    sv_source_free(sv_steal(&exchange->watch));
    MHD_resume_connection(exchange->connection);
    sv_http_listener_wake(exchange->listener);
}

static bool has_an_owner(const struct sv_http_exchange *exchange)
{
    return exchange->state == OPEN || exchange->state == STREAMING || exchange->state == TUNNEL;
}

/* The connection of a tunnel is closed by libmicrohttpd at its next turn. */
static void close_tunnel(struct sv_http_exchange *exchange)
{
    if (!exchange->tunnel)
        return;
    MHD_upgrade_action(sv_steal(&exchange->tunnel), MHD_UPGRADE_ACTION_CLOSE);
    sv_http_listener_wake(exchange->listener);
}

/* The exchange can no longer be answered: its owner hears of it, and libmicrohttpd will close. */
static void give_up(struct sv_http_exchange *exchange)
{
    bool has_owner = has_an_owner(exchange);
    exchange->state = GONE;
    if (has_owner && exchange->closed)
        exchange->closed(exchange->closed_user);
    resume(exchange);
    close_tunnel(exchange);
}

static void on_hang_up(void *user, int fd, uint32_t events)
{
    (void)fd;
    (void)events;
    give_up(user);
}

/* Without a watch on its client the exchange is not suspended but given up. */
static void suspend(struct sv_http_exchange *exchange)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    int r = sv_loop_add_io(exchange->listener->http->loop, info->connect_fd, EPOLLRDHUP,
                           SV_PRIORITY_NORMAL, on_hang_up, exchange, &exchange->watch);
    if (r < 0) {
        sv_log_warn("http: a request is dropped: cannot watch its connection: %s",
                    sv_errno_text(r));
        give_up(exchange);
        return;
    }
    MHD_suspend_connection(exchange->connection);
    exchange->is_suspended = true;
}

void sv_http_exchange_abandon(struct sv_http_exchange *exchange)
{
    give_up(exchange);
}

struct sv_http_exchange *sv_http_exchange_next(struct sv_http_exchange *exchange)
{
    return exchange->next;
}

bool sv_http_exchange_is_leaving(const struct sv_http_exchange *exchange)
{
    return exchange->state == ENDED;
}

/* ---- Answers ---- */

void sv_http_add_header(struct sv_http_exchange *exchange, const char *name, const char *value)
{
    sv_str_append(&exchange->headers, name, strlen(name) + 1);
    sv_str_append(&exchange->headers, value, strlen(value) + 1);
}

static bool add_headers(const struct sv_http_exchange *exchange, struct MHD_Response *response)
{
    const char *name = exchange->headers.data;
    const char *end = name + exchange->headers.length;
    while (name < end) {
        const char *value = name + strlen(name) + 1;
        if (MHD_add_response_header(response, name, value) != MHD_YES)
            return false;
        name = value + strlen(value) + 1;
    }
    return sv_str_ok(&exchange->headers);
}

static bool queue(struct sv_http_exchange *exchange, unsigned status, const char *content_type,
                  struct MHD_Response *response)
{
    if (!response)
        return false;
    bool is_queued =
        (!content_type || MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                                  content_type) == MHD_YES) &&
        add_headers(exchange, response) &&
        MHD_queue_response(exchange->connection, status, response) == MHD_YES;
    MHD_destroy_response(response);
    return is_queued;
}

/* Supervisor's words, medusa/http_server.py. */
static enum MHD_Result refuse(struct sv_http_exchange *exchange, unsigned status)
{
    struct sv_str page = {0};
    sv_str_addf(&page,
                "<head>\r\n<title>Error response</title>\r\n</head>\r\n<body>\r\n"
                "<h1>Error response</h1>\r\n<p>Error code %u.\r\n<p>Message: %s.\r\n</body>",
                status, MHD_get_reason_phrase_for(status));
    struct MHD_Response *response = NULL;
    if (sv_str_ok(&page))
        response = MHD_create_response_from_buffer(page.length, page.data, MHD_RESPMEM_MUST_COPY);
    if (response && status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                                "Basic realm=\"default\"");
    else if (response)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    sv_str_done(&page);
    exchange->state = ENDED;
    return queue(exchange, status, "text/html", response) ? MHD_YES : MHD_NO;
}

void sv_http_reply(struct sv_http_exchange *exchange, unsigned status, const char *content_type,
                   const void *body, size_t length)
{
    assert(exchange->state == OPEN);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, (void *)body, MHD_RESPMEM_MUST_COPY);
    /* Without memory for an answer the connection is closed: on_request() sees GONE. */
    exchange->state = queue(exchange, status, content_type, response) ? ENDED : GONE;
    resume(exchange);
}

void sv_http_reply_text(struct sv_http_exchange *exchange, unsigned status, const char *text)
{
    sv_http_reply(exchange, status, "text/plain; charset=utf-8", text, strlen(text));
}

static ssize_t read_stream(void *cls, uint64_t position, char *buffer, size_t size)
{
    (void)position;
    struct sv_http_exchange *exchange = cls;
    bool is_drained = exchange->stream.length == exchange->sent_bytes;
    if (is_drained && exchange->state == STREAMING && exchange->drained)
        exchange->drained(exchange->drained_user);
    size_t waiting = exchange->stream.length - exchange->sent_bytes;
    if (exchange->state == GONE || (waiting == 0 && exchange->state == ENDED))
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (waiting == 0) {
        suspend(exchange);
        return exchange->is_suspended ? 0 : MHD_CONTENT_READER_END_OF_STREAM;
    }
    size_t count = waiting < size ? waiting : size;
    memcpy(buffer, exchange->stream.data + exchange->sent_bytes, count);
    exchange->sent_bytes += count;
    if (exchange->sent_bytes == exchange->stream.length) {
        sv_str_done(&exchange->stream); /* a quiet stream holds no memory */
        exchange->sent_bytes = 0;
    }
    return (ssize_t)count;
}

void sv_http_stream_begin(struct sv_http_exchange *exchange, unsigned status,
                          const char *content_type)
{
    assert(exchange->state == OPEN);
    struct MHD_Response *response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, read_stream, exchange, NULL);
    if (response) /* as Supervisor: a proxy in between must not wait for more */
        MHD_add_response_header(response, "X-Accel-Buffering", "no");
    exchange->state = STREAMING;
    if (queue(exchange, status, content_type, response))
        resume(exchange);
    else
        give_up(exchange);
}

int sv_http_stream_write(struct sv_http_exchange *exchange, const void *data, size_t length)
{
    assert(exchange->state == STREAMING);
    size_t waiting = exchange->stream.length - exchange->sent_bytes;
    if (length > SV_HTTP_STREAM_BUFFER_BYTES_MAX ||
        waiting > SV_HTTP_STREAM_BUFFER_BYTES_MAX - length)
        return -ENOBUFS;
    if (exchange->sent_bytes > waiting) { /* moves each byte once, on average */
        sv_str_drop_front(&exchange->stream, exchange->sent_bytes);
        exchange->sent_bytes = 0;
    }
    size_t before = exchange->stream.length;
    sv_str_append(&exchange->stream, data, length);
    if (!sv_str_ok(&exchange->stream)) {
        exchange->stream.has_failed = false;
        sv_str_truncate(&exchange->stream, before);
        return -ENOMEM;
    }
    if (length > 0)
        resume(exchange);
    return 0;
}

void sv_http_stream_end(struct sv_http_exchange *exchange)
{
    assert(exchange->state == STREAMING);
    exchange->state = ENDED;
    resume(exchange);
}

void sv_http_on_closed(struct sv_http_exchange *exchange, sv_function closed, void *user)
{
    exchange->closed = closed;
    exchange->closed_user = user;
}

void sv_http_on_drained(struct sv_http_exchange *exchange, sv_function drained, void *user)
{
    exchange->drained = drained;
    exchange->drained_user = user;
}

/* ---- Another protocol ---- */

static void on_upgraded(void *cls, struct MHD_Connection *connection, void *request_cls,
                        const char *early, size_t early_length, MHD_socket fd,
                        struct MHD_UpgradeResponseHandle *handle)
{
    (void)connection;
    (void)request_cls;
    struct sv_http_exchange *exchange = cls;
    exchange->tunnel = handle;
    if (exchange->state == TUNNEL)
        exchange->opened(exchange->opened_user, fd, early, early_length);
    else
        close_tunnel(exchange); /* it was ended before it began */
}

void sv_http_upgrade(struct sv_http_exchange *exchange, const struct sv_http_upgrade *upgrade,
                     sv_http_tunnel_function opened, void *user)
{
    assert(exchange->state == OPEN);
    struct MHD_Response *response = MHD_create_response_for_upgrade(on_upgraded, exchange);
    exchange->state = TUNNEL;
    exchange->opened = opened;
    exchange->opened_user = user;
    bool is_good =
        response &&
        MHD_add_response_header(response, MHD_HTTP_HEADER_UPGRADE, upgrade->protocol) == MHD_YES &&
        MHD_add_response_header(response, upgrade->header, upgrade->value) == MHD_YES;
    if (!is_good || !queue(exchange, MHD_HTTP_SWITCHING_PROTOCOLS, NULL, response))
        give_up(exchange);
}

void sv_http_tunnel_end(struct sv_http_exchange *exchange)
{
    assert(exchange->state == TUNNEL);
    exchange->state = ENDED;
    close_tunnel(exchange);
}

/* ---- Requests ---- */

const char *sv_http_method(const struct sv_http_exchange *exchange)
{
    return exchange->method;
}

const char *sv_http_path(const struct sv_http_exchange *exchange)
{
    return exchange->path;
}

const char *sv_http_query(const struct sv_http_exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);
}

struct query_walk {
    sv_http_query_seen seen;
    void *user;
};

static enum MHD_Result on_query(void *cls, enum MHD_ValueKind kind, const char *name,
                                size_t name_length, const char *value, size_t value_length)
{
    (void)kind;
    const struct query_walk *walk = cls;
    bool goes_on = walk->seen(walk->user, name ? name : "", name_length, value ? value : "",
                              value ? value_length : 0);
    return goes_on ? MHD_YES : MHD_NO;
}

void sv_http_each_query(const struct sv_http_exchange *exchange, sv_http_query_seen seen,
                        void *user)
{
    struct query_walk walk = {.seen = seen, .user = user};
    MHD_get_connection_values_n(exchange->connection, MHD_GET_ARGUMENT_KIND, on_query, &walk);
}

const char *sv_http_header(const struct sv_http_exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

const char *sv_http_body(const struct sv_http_exchange *exchange, size_t *ret_length)
{
    *ret_length = exchange->body.length;
    return sv_str_text(&exchange->body);
}

/* The headers of a request are there. */
static enum MHD_Result begin(struct sv_http_listener *listener, struct MHD_Connection *connection,
                             const char *url, const char *method,
                             struct sv_http_exchange **ret_exchange)
{
    struct sv_http_exchange *exchange = calloc(1, sizeof(*exchange));
    if (!exchange)
        return MHD_NO;
    exchange->listener = listener;
    exchange->connection = connection;
    exchange->method = method;
    exchange->path = url;
    exchange->is_allowed = sv_http_auth_allows(
        &listener->auth, sv_http_header(exchange, MHD_HTTP_HEADER_AUTHORIZATION));
    exchange->next = listener->http->exchanges;
    if (exchange->next)
        exchange->next->previous = exchange;
    listener->http->exchanges = exchange;
    *ret_exchange = exchange;

    const char *length = sv_http_header(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);
    const char *expect = sv_http_header(exchange, MHD_HTTP_HEADER_EXPECT);
    unsigned long long bytes = length ? strtoull(length, NULL, 10) : 0;
    if (expect && !exchange->is_allowed)
        return refuse(exchange, MHD_HTTP_UNAUTHORIZED);
    if (bytes > DISCARD_BYTES_MAX || (expect && bytes > SV_HTTP_BODY_BYTES_MAX))
        return refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE);
    return MHD_YES;
}

static enum MHD_Result take_body(struct sv_http_exchange *exchange, const char *data, size_t length)
{
    bool is_kept = exchange->is_allowed && exchange->discarded_bytes == 0 &&
                   length <= SV_HTTP_BODY_BYTES_MAX - exchange->body.length;
    if (is_kept) {
        sv_str_append(&exchange->body, data, length);
        return MHD_YES;
    }
    sv_str_done(&exchange->body);
    exchange->discarded_bytes += length;
    return exchange->discarded_bytes <= DISCARD_BYTES_MAX ? MHD_YES : MHD_NO;
}

/* The request is whole. */
static enum MHD_Result handle(struct sv_http_exchange *exchange)
{
    if (!exchange->is_allowed)
        return refuse(exchange, MHD_HTTP_UNAUTHORIZED);
    if (exchange->discarded_bytes > 0)
        return refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE);
    if (!sv_str_ok(&exchange->body))
        return refuse(exchange, MHD_HTTP_SERVICE_UNAVAILABLE);
    struct sv_http *http = exchange->listener->http;
    exchange->state = OPEN;
    http->handler(http->user, exchange);
    if (exchange->state == OPEN)
        suspend(exchange);
    return exchange->state == GONE ? MHD_NO : MHD_YES;
}

enum MHD_Result sv_http_on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                   const char *method, const char *version, const char *upload_data,
                                   size_t *upload_size, void **exchange)
{
    (void)version;
    if (!*exchange)
        return begin(cls, connection, url, method, (struct sv_http_exchange **)exchange);
    struct sv_http_exchange *known = *exchange;
    if (known->state == GONE)
        return MHD_NO;
    if (known->state != READING)
        return MHD_YES;
    if (*upload_size == 0)
        return handle(known);
    size_t length = *upload_size;
    *upload_size = 0;
    return take_body(known, upload_data, length);
}

void sv_http_on_completed(void *cls, struct MHD_Connection *connection, void **exchange,
                          enum MHD_RequestTerminationCode code)
{
    (void)connection;
    (void)code;
    struct sv_http_listener *listener = cls;
    struct sv_http_exchange *done = *exchange;
    if (!done)
        return;
    *exchange = NULL;
    done->tunnel = NULL; /* it went with the connection */
    if (has_an_owner(done))
        give_up(done);
    if (done->previous)
        done->previous->next = done->next;
    else
        listener->http->exchanges = done->next;
    if (done->next)
        done->next->previous = done->previous;
    sv_source_free(done->watch);
    sv_str_done(&done->body);
    sv_str_done(&done->headers);
    sv_str_done(&done->stream);
    free(done);
}
