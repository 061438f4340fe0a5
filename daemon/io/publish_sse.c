/*
 * Events as text/event-stream (WHATWG HTML, "Server-sent events"), on the HTTP ports:
 *
 *     GET /events/process/death        Last-Event-ID: 6f1d0c3a9be2475d-1207
 *
 * There is one history for all (wire/event_history.h), and a client is a place in it: it has no
 * queue of its own. One that comes back is put where it was; one that reads slowly falls behind in
 * the history, which is bounded, and hears what was dropped before it came there:
 *
 *     IDLE      has everything; the next event is written at once
 *     WRITING   what was written is on its way; when it has left (on_drained) comes what follows
 *     BEHIND    something was dropped that it wanted: `missed` is the next it gets
 *
 * Nothing is kept, and nothing rendered, before the first client has come; then what any of them
 * has asked for, until SV_EVENTS_KEPT_SECONDS after the last one has gone. The one timer says
 * something to idle clients every SV_EVENTS_KEEPALIVE_SECONDS, so that proxies and kernels notice
 * who is gone, and forgets the history when nobody is left.
 */
#include "io/publish_sse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/random.h>

#include "base/error.h"
#include "base/log.h"
#include "io/clients.h"
#include "wire/event_history.h"

#define NS_PER_SECOND     UINT64_C(1000000000)
#define TIMER_ACCURACY_NS NS_PER_SECOND
enum {
    RETRY_MS = 1000,       /* after which a client whose connection broke comes back */
    TURN_BYTES = 64 << 10, /* written to one client, then it must have read them */
};

struct client {
    struct sv_client base;
    struct sv_publish_sse *publish;
    struct sv_http_exchange *exchange;
    sv_publication_set headers;
    uint64_t place; /* the number of the event that it gets next */
    bool is_idle, is_behind;
    uint64_t missed[SV_PUBLICATION_COUNT];
};

struct sv_publish_sse {
    struct sv_loop *loop;
    struct sv_publisher_settings settings;
    struct sv_event_history *history; /* NULL: nobody has asked */
    struct sv_source *timer;
    struct sv_clients clients;
};

/* ---- One client ---- */

static bool wants(const struct client *client, enum sv_publication header)
{
    return client->headers >> header & 1;
}

static void add_id_line(const struct client *client, struct sv_str *text)
{
    sv_str_add(text, "id: ");
    sv_event_history_add_id(client->publish->history, client->place - 1, text);
    sv_str_add(text, "\n");
}

static void add_missed(const struct client *client, const char *why, struct sv_str *text)
{
    const struct sv_publisher_settings *settings = &client->publish->settings;
    char *body = settings->tell_missed(settings->user, client->missed, why);
    add_id_line(client, text);
    sv_str_addf(text, "event: %s\ndata: %s\n\n", sv_publication_name(SV_PUBLICATION_MISSED),
                body ? body : "{}");
    free(body);
}

static bool write_text(struct client *client, const struct sv_str *text)
{
    return sv_str_ok(text) && sv_http_stream_write(client->exchange, text->data, text->length) == 0;
}

static void tell_missed(struct client *client)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    add_missed(client, "this client has not read for too long", &text);
    if (!write_text(client, &text))
        return; /* without memory; it stays behind, and is told later */
    client->is_behind = false;
    memset(client->missed, 0, sizeof(client->missed));
}

static void lose(struct client *client, enum sv_publication header)
{
    client->is_behind = true;
    client->missed[header]++;
}

/* Writes what follows. Everything that was written before has left. */
static void pump(struct client *client)
{
    const struct sv_event_history *history = client->publish->history;
    const struct sv_past_event *event;
    size_t written = 0;
    client->is_idle = false;
    while (written < TURN_BYTES && (event = sv_event_history_get(history, client->place))) {
        if (client->is_behind)
            tell_missed(client);
        client->place++;
        if (!wants(client, event->header))
            continue;
        const struct sv_blob *text = event->text;
        if (!client->is_behind &&
            sv_http_stream_write(client->exchange, text->data, text->length) == 0)
            written += text->length;
        else
            lose(client, event->header);
    }
    client->is_idle = written == 0;
}

static void on_drained(void *user)
{
    pump(user);
}

static void on_closed(void *user)
{
    sv_client_leave(user);
}

static void release(struct sv_client *base)
{
    const struct client *client = (const struct client *)base;
    struct sv_publish_sse *publish = client->publish;
    if (!base->is_gone) {
        sv_http_on_closed(client->exchange, NULL, NULL);
        sv_http_stream_end(client->exchange);
    }
    if (publish->clients.count == 0)
        sv_source_arm(publish->timer, sv_now_ns() + SV_EVENTS_KEPT_SECONDS * NS_PER_SECOND);
}

static void on_timer(void *user)
{
    static const char comment[] = ":\n\n";
    struct sv_publish_sse *publish = user;
    if (publish->clients.count == 0) {
        sv_event_history_free(sv_steal(&publish->history));
        return;
    }
    for (struct client *client = sv_clients_first(&publish->clients); client;
         client = sv_clients_after(client))
        if (client->is_idle &&
            sv_http_stream_write(client->exchange, comment, sizeof(comment) - 1) == 0)
            client->is_idle = false;
    sv_source_arm(publish->timer, sv_now_ns() + SV_EVENTS_KEEPALIVE_SECONDS * NS_PER_SECOND);
}

/* The oldest event goes; for who had not come there yet it is lost. */
static void drop_oldest(struct sv_publish_sse *publish)
{
    enum sv_publication header;
    uint64_t number = sv_event_history_drop(publish->history, &header);
    for (struct client *client = sv_clients_first(&publish->clients); client;
         client = sv_clients_after(client)) {
        if (client->place > number)
            continue;
        client->place = number + 1;
        if (wants(client, header))
            lose(client, header);
    }
}

/* ---- Opening ---- */

/* Its epoch is drawn, so that no other svisord, here or elsewhere, has the same ids. */
static bool is_recorded(struct sv_publish_sse *publish, sv_publication_set headers)
{
    uint64_t epoch;
    if (!publish->history && getrandom(&epoch, sizeof(epoch), 0) == sizeof(epoch))
        publish->history = sv_event_history_new(epoch);
    if (!publish->history)
        return false;
    while (sv_event_history_is_full(publish->history, 0))
        drop_oldest(publish);
    return sv_event_history_record(publish->history, headers) == 0;
}

/* As the header, which a browser sends by itself; or in the query, for who cannot write headers. */
static const char *last_id_of(const struct sv_http_exchange *exchange)
{
    const char *id = sv_http_header(exchange, "Last-Event-ID");
    return id ? id : sv_http_query(exchange, "last_event_id");
}

/* Its place, and the first it hears: an id, so that it can come back even if nothing happens. */
static void greet(struct client *client, const char *last_id, struct sv_str *text)
{
    static const char *const reasons[] = {
        [SV_RESUMPTION_GONE] = "some of what came after this id is no longer kept",
        [SV_RESUMPTION_STRANGER] = "this id is none of this svisord, since it was started",
    };
    const struct sv_event_history *history = client->publish->history;
    enum sv_resumption found = SV_RESUMPTION_WHOLE;
    client->place = sv_event_history_next(history);
    if (last_id && *last_id)
        found = sv_event_history_find(history, last_id, client->headers, &client->place);
    sv_str_addf(text, "retry: %d\n", RETRY_MS);
    add_id_line(client, text);
    sv_str_add(text, "\n");
    if (found != SV_RESUMPTION_WHOLE)
        add_missed(client, reasons[found], text);
}

static void open_stream(struct client *client)
{
    struct sv_http_exchange *exchange = client->exchange;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    greet(client, last_id_of(exchange), &text);
    sv_http_on_closed(exchange, on_closed, client);
    sv_http_on_drained(exchange, on_drained, client);
    sv_http_add_header(exchange, "Cache-Control", "no-store");
    sv_http_add_header(exchange, "X-Content-Type-Options", "nosniff");
    sv_http_stream_begin(exchange, 200, "text/event-stream; charset=utf-8");
    if (!client->base.is_gone && !write_text(client, &text)) { /* without memory: it comes back */
        sv_http_on_closed(exchange, NULL, NULL);
        sv_http_stream_end(exchange);
        on_closed(client);
    }
}

/* NULL: there are too many, or there is no memory. */
static struct client *admit(struct sv_publish_sse *publish, sv_publication_set headers)
{
    struct client *client = sv_clients_add(&publish->clients, sizeof(*client));
    if (!client)
        return NULL;
    client->publish = publish;
    if (!is_recorded(publish, headers)) {
        sv_client_leave(&client->base);
        return NULL;
    }
    client->headers = headers; /* from here on: what is_recorded() has dropped it never missed */
    return client;
}

static void open_client(struct sv_publish_sse *publish, struct sv_http_exchange *exchange,
                        sv_publication_set headers)
{
    struct client *client = admit(publish, headers);
    if (!client) {
        sv_http_add_header(exchange, "Retry-After", "10");
        sv_http_reply_text(exchange, 503,
                           "there are too many streams of events, or there is no memory\n");
        return;
    }
    client->exchange = exchange;
    if (publish->clients.count == 1)
        sv_source_arm(publish->timer, sv_now_ns() + SV_EVENTS_KEEPALIVE_SECONDS * NS_PER_SECOND);
    open_stream(client);
}

void sv_publish_sse_accept(struct sv_publish_sse *publish, struct sv_http_exchange *exchange,
                           const char *path)
{
    sv_publication_set headers =
        sv_publication_of_path(path) & ~sv_publication_bit(SV_PUBLICATION_MISSED);
    const char *method = sv_http_method(exchange);
    bool is_head = strcmp(method, "HEAD") == 0;
    if (!is_head && strcmp(method, "GET") != 0) {
        sv_http_add_header(exchange, "Allow", "GET, HEAD");
        sv_http_reply_text(exchange, 405, "events are read with GET\n");
    } else if (headers == 0) {
        sv_http_reply_text(exchange, 404,
                           "the path names no header of events, such as /events/process\n");
    } else if (is_head) {
        sv_http_reply(exchange, 200, "text/event-stream; charset=utf-8", "", 0);
    } else {
        open_client(publish, exchange, headers);
    }
}

int sv_publish_sse_new(struct sv_loop *loop, const struct sv_publisher_settings *settings,
                       struct sv_publish_sse **ret_publish)
{
    struct sv_publish_sse *publish = calloc(1, sizeof(*publish));
    if (!publish)
        return -ENOMEM;
    publish->loop = loop;
    publish->settings = *settings;
    int r = sv_loop_add_timer(loop, TIMER_ACCURACY_NS, on_timer, publish, &publish->timer);
    if (r == 0)
        r = sv_clients_init(&publish->clients, loop, SV_EVENTS_CLIENTS_MAX, release);
    if (r < 0) {
        sv_publish_sse_free(publish);
        return error_trace(r);
    }
    *ret_publish = publish;
    return 0;
}

void sv_publish_sse_free(struct sv_publish_sse *publish)
{
    if (!publish)
        return;
    sv_clients_done(&publish->clients);
    sv_event_history_free(publish->history);
    sv_source_free(publish->timer);
    free(publish);
}

/* ---- Events ---- */

sv_publication_set sv_publish_sse_wanted(const struct sv_publish_sse *publish)
{
    return publish->history ? sv_event_history_recorded(publish->history) : 0;
}

void sv_publish_sse_send(struct sv_publish_sse *publish, enum sv_publication header,
                         const char *body, size_t length)
{
    if (!(sv_publish_sse_wanted(publish) >> header & 1))
        return;
    while (sv_event_history_is_full(publish->history, length))
        drop_oldest(publish);
    int r = sv_event_history_add(publish->history, header, body, length);
    if (r < 0)
        sv_log_error("an event %s is lost: %s", sv_publication_name(header), sv_errno_text(r));
    for (struct client *client = sv_clients_first(&publish->clients); client;
         client = sv_clients_after(client)) {
        if (!wants(client, header))
            continue;
        if (r < 0)
            lose(client, header);
        else if (client->is_idle)
            pump(client);
    }
}
