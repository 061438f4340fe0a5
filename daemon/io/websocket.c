/*
 * A WebSocket on libwslay, which has no descriptor, no thread and no loop of its own: it asks for
 * bytes, and gives some.
 *
 *     sv_websocket_send() ──> queue of shared messages ──one by one──> wslay ──> socket
 *
 * wslay copies what it is given, so it gets one message at a time; the others wait as references to
 * one text for all clients: SV_EVENTS_WAITING_MAX of them, and SV_EVENTS_WAITING_BYTES_MAX bytes.
 * Nothing is written in sv_websocket_send(): the loop does, at its next turn, so that whoever sends
 * to many never finds one gone meanwhile.
 *
 * What clients say is bounded and thrown away; pings are answered. They are answered by wslay in a
 * queue without a bound, so no more is read while an answer waits.
 *
 * A client that vanished without a word is found by the kernel (keep-alive); one that is there and
 * does not read may stay: it costs its queue.
 *
 * Traps: wslay writes header and body separately, so without TCP_NODELAY a message waits 40 ms for
 * the acknowledgement of the one before.
 */
#include "io/websocket.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <wslay/wslay.h>

#include "base/error.h"
#include "wire/websocket.h"

enum {
    TURN_BYTES_MAX = 16 << 10, /* read of one client, then the loop looks at its other sources */
    TURN_MESSAGES_MAX = 64,
    SHA1_BYTES = 20,
};

struct sv_websocket {
    struct sv_loop *loop;
    struct sv_http_exchange *exchange; /* NULL: the server has closed it */
    struct sv_websocket_handlers handlers;
    struct wslay_event_context *wslay;
    int fd; /* of the exchange; -1: the answer is not sent yet */
    struct sv_source *io;
    uint32_t events; /* that `io` waits for */
    struct sv_str early;
    size_t turn_bytes;
    struct sv_blob *queue[SV_EVENTS_WAITING_MAX]; /* a ring */
    size_t first, count, bytes;
};

/* ---- The bytes that wslay reads and writes ---- */

static ssize_t fail(wslay_event_context_ptr wslay, ssize_t n)
{
    bool is_later = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    wslay_event_set_error(wslay, is_later ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t read_early(struct sv_websocket *websocket, uint8_t *data, size_t length)
{
    size_t n = websocket->early.length < length ? websocket->early.length : length;
    memcpy(data, websocket->early.data, n);
    sv_str_drop_front(&websocket->early, n);
    return (ssize_t)n;
}

static ssize_t on_read(wslay_event_context_ptr wslay, uint8_t *data, size_t length, int flags,
                       void *user)
{
    (void)flags;
    struct sv_websocket *websocket = user;
    if (websocket->early.length > 0)
        return read_early(websocket, data, length);
    if (websocket->turn_bytes >= TURN_BYTES_MAX) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    ssize_t n = recv(websocket->fd, data, length, MSG_DONTWAIT);
    if (n <= 0)
        return fail(wslay, n);
    websocket->turn_bytes += (size_t)n;
    return n;
}

static ssize_t on_write(wslay_event_context_ptr wslay, const uint8_t *data, size_t length,
                        int flags, void *user)
{
    struct sv_websocket *websocket = user;
    int more = flags & WSLAY_MSG_MORE ? MSG_MORE : 0; /* the header waits for its body */
    ssize_t n = send(websocket->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL | more);
    return n < 0 ? fail(wslay, n) : n;
}

/* ---- The queue ---- */

static struct sv_blob *take(struct sv_websocket *websocket)
{
    struct sv_blob *text = websocket->queue[websocket->first];
    websocket->first = (websocket->first + 1) % SV_EVENTS_WAITING_MAX;
    websocket->count--;
    websocket->bytes -= text->length;
    return text;
}

bool sv_websocket_is_drained(const struct sv_websocket *websocket)
{
    return websocket->count == 0 && wslay_event_get_queued_msg_count(websocket->wslay) == 0;
}

static void watch(struct sv_websocket *websocket)
{
    bool has_answers =
        websocket->count == 0 && wslay_event_get_queued_msg_count(websocket->wslay) > 0;
    uint32_t events = (wslay_event_want_read(websocket->wslay) && !has_answers ? EPOLLIN : 0) |
                      (sv_websocket_is_drained(websocket) ? 0 : EPOLLOUT);
    if (websocket->fd < 0 || events == websocket->events)
        return;
    websocket->events = events;
    sv_source_set_events(websocket->io, events);
}

int sv_websocket_send(struct sv_websocket *websocket, struct sv_blob *text)
{
    if (websocket->count == SV_EVENTS_WAITING_MAX ||
        text->length > SV_EVENTS_WAITING_BYTES_MAX - websocket->bytes)
        return -ENOBUFS;
    size_t last = (websocket->first + websocket->count) % SV_EVENTS_WAITING_MAX;
    websocket->queue[last] = sv_blob_ref(text);
    websocket->count++;
    websocket->bytes += text->length;
    watch(websocket);
    return 0;
}

/* Gives wslay the next message. False: it takes no more. */
static bool feed(struct sv_websocket *websocket)
{
    struct sv_blob *text = take(websocket);
    const struct wslay_event_msg message = {
        .opcode = WSLAY_TEXT_FRAME, .msg = (const uint8_t *)text->data, .msg_length = text->length};
    bool is_taken = wslay_event_queue_msg(websocket->wslay, &message) == 0;
    sv_blob_unref(text);
    return is_taken;
}

/* Writes until the socket is full. False: the connection is broken. */
static bool write_some(struct sv_websocket *websocket)
{
    for (int i = 0; i < TURN_MESSAGES_MAX; i++) {
        if (wslay_event_send(websocket->wslay) != 0)
            return false;
        if (wslay_event_get_queued_msg_count(websocket->wslay) > 0 || websocket->count == 0)
            return true;
        if (!feed(websocket))
            return false;
    }
    return true;
}

/* ---- The connection ---- */

static void close_now(struct sv_websocket *websocket)
{
    sv_source_free(sv_steal(&websocket->io));
    websocket->fd = -1;
    websocket->handlers.closed(websocket->handlers.user, websocket);
}

static void on_io(void *user, int fd, uint32_t events)
{
    (void)fd;
    struct sv_websocket *websocket = user;
    websocket->turn_bytes = 0;
    bool was_drained = sv_websocket_is_drained(websocket);
    bool is_alive = true;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) || websocket->early.length > 0)
        is_alive = wslay_event_recv(websocket->wslay) == 0;
    is_alive = is_alive && write_some(websocket);
    bool is_over =
        !wslay_event_want_read(websocket->wslay) && !wslay_event_want_write(websocket->wslay);
    if (!is_alive || is_over || (events & (EPOLLHUP | EPOLLERR))) {
        close_now(websocket);
        return;
    }
    if (!was_drained && sv_websocket_is_drained(websocket))
        websocket->handlers.drained(websocket->handlers.user, websocket);
    watch(websocket);
}

static void set_options(int fd)
{
    const struct {
        int level, name, value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, SV_EVENTS_KEEPALIVE_SECONDS},
        {IPPROTO_TCP, TCP_KEEPINTVL, SV_EVENTS_KEEPALIVE_SECONDS},
        {IPPROTO_TCP, TCP_KEEPCNT, 3},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(options); i++) /* a unix socket needs none */
        (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                         sizeof(options[i].value));
}

static void on_opened(void *user, int fd, const char *early, size_t early_length)
{
    struct sv_websocket *websocket = user;
    websocket->fd = fd;
    set_options(fd);
    sv_str_append(&websocket->early, early, early_length);
    /* EPOLLOUT: a first turn, which also takes what came early. */
    websocket->events = EPOLLIN | EPOLLOUT;
    int r = sv_loop_add_io(websocket->loop, fd, websocket->events, SV_PRIORITY_NORMAL, on_io,
                           websocket, &websocket->io);
    if (r < 0 || !sv_str_ok(&websocket->early))
        close_now(websocket);
}

static void on_server_closed(void *user)
{
    struct sv_websocket *websocket = user;
    websocket->exchange = NULL;
    close_now(websocket);
}

/* ---- Opening ---- */

bool sv_websocket_is_admitted(struct sv_http_exchange *exchange, bool is_open_to_pages)
{
    const struct sv_websocket_request request = {
        .method = sv_http_method(exchange),
        .upgrade = sv_http_header(exchange, "Upgrade"),
        .connection = sv_http_header(exchange, "Connection"),
        .version = sv_http_header(exchange, "Sec-WebSocket-Version"),
        .key = sv_http_header(exchange, "Sec-WebSocket-Key"),
        .origin = sv_http_header(exchange, "Origin"),
        .host = sv_http_header(exchange, "Host"),
    };
    const char *refusal = sv_websocket_refusal(&request);
    bool is_foreign = !is_open_to_pages && !sv_websocket_is_same_origin(&request);
    if (refusal) { /* RFC 9110, 15.5.22, and RFC 6455, 4.4: what a client may ask for instead */
        sv_http_add_header(exchange, "Upgrade", "websocket");
        sv_http_add_header(exchange, "Sec-WebSocket-Version", "13");
        sv_http_reply_text(exchange, 426, refusal);
    } else if (is_foreign) {
        sv_http_reply_text(exchange, 403, "a page of another origin may not listen here\n");
    }
    return !refusal && !is_foreign;
}

/* RFC 6455, 4.2.2: proves to the client that we have understood. */
static bool accept_key(const char *key, struct sv_str *ret_accept)
{
    static const char fixed[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    unsigned char digest[SHA1_BYTES];
    gnutls_datum_t encoded = {0};
    sv_str_addf(&text, "%s%s", key, fixed);
    const gnutls_datum_t bytes = {.data = digest, .size = sizeof(digest)};
    bool is_good = sv_str_ok(&text) &&
                   gnutls_hash_fast(GNUTLS_DIG_SHA1, text.data, text.length, digest) == 0 &&
                   gnutls_base64_encode2(&bytes, &encoded) == 0;
    if (is_good)
        sv_str_append(ret_accept, encoded.data, encoded.size);
    gnutls_free(encoded.data);
    return is_good && sv_str_ok(ret_accept);
}

int sv_websocket_open(struct sv_loop *loop, struct sv_http_exchange *exchange,
                      const struct sv_websocket_handlers *handlers,
                      struct sv_websocket **ret_websocket)
{
    static const struct wslay_event_callbacks callbacks = {.recv_callback = on_read,
                                                           .send_callback = on_write};
    struct sv_str accept SV_CLEANUP(sv_str_done) = {0};
    struct sv_websocket *websocket = calloc(1, sizeof(*websocket));
    if (!websocket || !accept_key(sv_http_header(exchange, "Sec-WebSocket-Key"), &accept) ||
        wslay_event_context_server_init(&websocket->wslay, &callbacks, websocket) != 0) {
        free(websocket);
        return -ENOMEM;
    }
    wslay_event_config_set_max_recv_msg_length(websocket->wslay, SV_EVENTS_REQUEST_BYTES_MAX);
    websocket->loop = loop;
    websocket->exchange = exchange;
    websocket->handlers = *handlers;
    websocket->fd = -1;
    *ret_websocket = websocket;
    const struct sv_http_upgrade upgrade = {
        .protocol = "websocket", .header = "Sec-WebSocket-Accept", .value = sv_str_text(&accept)};
    sv_http_on_closed(exchange, on_server_closed, websocket);
    sv_http_upgrade(exchange, &upgrade, on_opened, websocket);
    return 0;
}

void sv_websocket_free(struct sv_websocket *websocket)
{
    if (!websocket)
        return;
    if (websocket->fd >= 0 &&
        wslay_event_queue_close(websocket->wslay, WSLAY_CODE_GOING_AWAY, NULL, 0) == 0)
        (void)wslay_event_send(websocket->wslay);
    sv_source_free(websocket->io);
    if (websocket->exchange) {
        sv_http_on_closed(websocket->exchange, NULL, NULL);
        sv_http_tunnel_end(websocket->exchange);
    }
    while (websocket->count > 0)
        sv_blob_unref(take(websocket));
    wslay_event_context_free(websocket->wslay);
    sv_str_done(&websocket->early);
    free(websocket);
}
