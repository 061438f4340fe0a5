/*
 * `/live`: what the dashboard shows, as a model that is always true (docs/live.md).
 *
 *     new client ──> WAITING ──its turn──> SNAPSHOT ──all rows written──> FOLLOWING
 *                       ^                     │                              │
 *                       └── it did not read what it got, and its queue is full
 *
 * A snapshot is a list of keys that is worked off in slices: a row is rendered when its turn comes,
 * and skipped if it has gone by then. What changes meanwhile is sent at once to everybody who has
 * had a `hello`, so that a row which comes while the list is worked off is not missed: what a
 * client has heard last of a row is always the truth.
 *
 * The next slice goes out when the one before has left for the socket, so that a snapshot never
 * fills the queue of a client by itself, and a slow network slows nobody else. Few snapshots are
 * written at the same time; the other clients wait for their turn.
 *
 * A page cannot tell a daemon that has nothing to say from one that is not there any more, and a
 * proxy ends what is silent: so everybody hears a `beat` from time to time.
 *
 * Nothing is rendered while nobody looks.
 */
#include "driver/live/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "driver/state_file.h"

bool sv_live_has_listeners(const struct sv_live *live)
{
    for (const struct sv_live_client *client = sv_clients_first(&live->clients); client;
         client = sv_clients_after(client))
        if (client->phase != SV_LIVE_WAITING)
            return true;
    return false;
}

bool sv_live_has_pages(const struct sv_driver *driver)
{
    return driver->live && sv_clients_first(&driver->live->clients);
}

/* ---- Sending ---- */

/* ["kind", body], malloc()ed; takes `body`. NULL without memory. */
static char *text_of(const char *kind, json_t *body)
{
    json_t *message = body ? json_pack("[s, o]", kind, body) : NULL;
    char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
    json_decref(message);
    return text;
}

static struct sv_blob *message_of(const char *kind, json_t *body)
{
    char *text = text_of(kind, body);
    struct sv_blob *blob = text ? sv_blob_new(text, strlen(text)) : NULL;
    free(text);
    return blob;
}

static void wait_for_snapshot(struct sv_live_client *client)
{
    client->phase = SV_LIVE_WAITING;
    sv_str_done(&client->keys);
    client->written = 0;
    sv_source_enable(client->live->slice, true);
}

static void send_to(struct sv_live_client *client, struct sv_blob *text)
{
    if (client->phase != SV_LIVE_WAITING &&
        (!text || sv_websocket_send(client->websocket, text) < 0))
        wait_for_snapshot(client);
}

void sv_live_broadcast(struct sv_live *live, const char *kind, json_t *body)
{
    struct sv_blob *text = message_of(kind, body);
    for (struct sv_live_client *client = sv_clients_first(&live->clients); client;
         client = sv_clients_after(client))
        send_to(client, text);
    sv_blob_unref(text);
}

void sv_live_begin_anew(struct sv_live *live)
{
    for (struct sv_live_client *client = sv_clients_first(&live->clients); client;
         client = sv_clients_after(client))
        wait_for_snapshot(client);
}

void sv_live_broadcast_record(struct sv_live *live, const struct sv_timeline_record *record)
{
    bool is_wanted = false;
    for (const struct sv_live_client *client = sv_clients_first(&live->clients);
         client && !is_wanted; client = sv_clients_after(client))
        is_wanted = client->phase == SV_LIVE_FOLLOWING;
    struct sv_blob *text = is_wanted ? message_of("timeline", sv_timeline_json(record)) : NULL;
    for (struct sv_live_client *client = sv_clients_first(&live->clients); client;
         client = sv_clients_after(client))
        if (client->phase == SV_LIVE_FOLLOWING)
            send_to(client, text);
    sv_blob_unref(text);
}

static void tell(struct sv_live_client *client, const char *kind, json_t *body)
{
    struct sv_blob *text = message_of(kind, body);
    send_to(client, text);
    sv_blob_unref(text);
}

/* Several in one message, [["kind", body], …]: browsers take as long for a message as for ten rows.
 */
static void send_batch(struct sv_live_client *client, struct sv_str *batch)
{
    if (batch->length == 0)
        return;
    sv_str_add_char(batch, ']');
    struct sv_blob *text = sv_str_ok(batch) ? sv_blob_new(batch->data, batch->length) : NULL;
    send_to(client, text);
    sv_blob_unref(text);
    sv_str_clear(batch);
}

/* Takes `body`. */
static void add_to_batch(struct sv_live_client *client, struct sv_str *batch, const char *kind,
                         json_t *body)
{
    char *text = text_of(kind, body);
    if (text) {
        sv_str_add_char(batch, batch->length > 0 ? ',' : '[');
        sv_str_add(batch, text);
    } else {
        wait_for_snapshot(client); /* memory is short */
    }
    free(text);
    if (batch->length > SV_LIVE_BATCH_BYTES)
        send_batch(client, batch);
}

/* ---- Snapshots ---- */

static bool is_ready(const struct sv_live_client *client, enum sv_live_phase phase)
{
    return client->phase == phase && sv_websocket_is_drained(client->websocket);
}

static void add_key(void *user, const struct sv_live_row *row)
{
    struct sv_str *keys = user;
    sv_live_key(row, keys);
    sv_str_add_char(keys, '\0');
}

static void begin_snapshot(struct sv_live_client *client)
{
    struct sv_live *live = client->live;
    if (!sv_live_has_listeners(live)) {
        sv_live_forget_changes(live);
        if (live->driver->cluster)
            sv_live_find_conflicts(live);
    }
    client->phase = SV_LIVE_SNAPSHOT;
    client->serial = 0;
    sv_live_each_row(live->driver, add_key, &client->keys);
    if (sv_str_ok(&client->keys))
        tell(client, "hello", sv_live_hello(live->driver));
    else
        wait_for_snapshot(client);
}

static void write_row(struct sv_live_client *client, struct sv_str *batch)
{
    struct sv_str scratch SV_CLEANUP(sv_str_done) = {0};
    const char *key = client->keys.data + client->written;
    const struct sv_live_row row = sv_live_row_of(key, &scratch);
    client->written += strlen(key) + 1;
    json_t *body = sv_live_row_json(client->live, &row);
    if (body)
        add_to_batch(client, batch, sv_live_kind_name(row.kind), body);
}

/* The next record of the timeline, which may have grown meanwhile; then `ready`. */
static void write_record(struct sv_live_client *client, struct sv_str *batch)
{
    const struct sv_timeline *timeline = client->live->timeline;
    size_t index = sv_timeline_after(timeline, client->serial, SV_LIVE_TIMELINE_MAX);
    if (index < sv_timeline_count(timeline)) {
        const struct sv_timeline_record *record = sv_timeline_at(timeline, index);
        client->serial = record->serial;
        add_to_batch(client, batch, "timeline", sv_timeline_json(record));
        return;
    }
    client->phase = SV_LIVE_FOLLOWING;
    sv_str_done(&client->keys);
    add_to_batch(client, batch, "ready", json_object());
}

static void write_slice(struct sv_live_client *client)
{
    struct sv_str batch SV_CLEANUP(sv_str_done) = {0};
    for (int i = 0; i < SV_LIVE_SLICE_ROWS && client->phase == SV_LIVE_SNAPSHOT; i++) {
        if (client->written < client->keys.length)
            write_row(client, &batch);
        else
            write_record(client, &batch);
    }
    send_batch(client, &batch);
}

static void on_slice(void *user)
{
    struct sv_live *live = user;
    int under_way = 0, is_more = 0;
    for (struct sv_live_client *client = sv_clients_first(&live->clients); client;
         client = sv_clients_after(client))
        under_way += client->phase == SV_LIVE_SNAPSHOT;
    for (struct sv_live_client *client = sv_clients_first(&live->clients); client;
         client = sv_clients_after(client)) {
        if (is_ready(client, SV_LIVE_WAITING) && under_way < SV_LIVE_SNAPSHOTS_MAX) {
            under_way++;
            begin_snapshot(client);
        }
        if (is_ready(client, SV_LIVE_SNAPSHOT))
            write_slice(client);
        is_more += is_ready(client, SV_LIVE_SNAPSHOT);
    }
    if (is_more)
        sv_source_enable(live->slice, true);
}

/* ---- Clients ---- */

static void arm_beat(struct sv_live *live)
{
    (void)sv_source_arm(live->beat, sv_now_ns() + SV_LIVE_BEAT_NS);
}

static void on_beat(void *user)
{
    struct sv_live *live = user;
    if (!sv_clients_first(&live->clients))
        return;
    sv_live_broadcast(live, "beat", json_object());
    arm_beat(live);
}

static void on_closed(void *user, struct sv_websocket *websocket)
{
    (void)websocket;
    struct sv_live_client *client = user;
    sv_client_leave(&client->base);
    sv_source_enable(client->live->slice, true); /* for who has waited for its turn */
}

static void on_drained(void *user, struct sv_websocket *websocket)
{
    (void)websocket;
    const struct sv_live_client *client = user;
    sv_source_enable(client->live->slice, true);
}

static void release(struct sv_client *base)
{
    struct sv_live_client *client = (struct sv_live_client *)base;
    sv_websocket_free(client->websocket);
    sv_str_done(&client->keys);
}

static void open_client(struct sv_live *live, struct sv_http_exchange *exchange)
{
    bool is_first = !sv_clients_first(&live->clients);
    struct sv_live_client *client = sv_clients_add(&live->clients, sizeof(*client));
    if (!client) {
        sv_http_reply_text(exchange, 503, "too many pages look at this daemon\n");
        return;
    }
    client->live = live;
    const struct sv_websocket_handlers handlers = {
        .user = client, .closed = on_closed, .drained = on_drained};
    if (sv_websocket_open(live->driver->loop, exchange, &handlers, &client->websocket) == 0) {
        sv_source_enable(live->slice, true);
        if (is_first)
            arm_beat(live);
        return;
    }
    sv_client_leave(&client->base);
    sv_http_reply_text(exchange, 503, "out of memory\n");
}

void sv_live_accept(struct sv_driver *driver, struct sv_http_exchange *exchange)
{
    if (!sv_websocket_is_admitted(exchange, false))
        return;
    if (driver->live)
        open_client(driver->live, exchange);
    else
        sv_http_reply_text(exchange, 503, "the daemon ends\n");
}

/* ---- The whole ---- */

/* For the first daemon, or where the file is lost: greater than those of a daemon before, unless it
 * had more than one record a second. */
static uint64_t first_serial(void)
{
    enum { NS_PER_SECOND = 1000000000, EPOCH = 1767225600 }; /* 2026: 32 bits last for long */
    int64_t seconds = sv_wall_ns() / NS_PER_SECOND;
    return seconds > EPOCH ? (uint64_t)(seconds - EPOCH) : 1;
}

int sv_live_open(struct sv_driver *driver)
{
    struct sv_live *live = driver->live = calloc(1, sizeof(*live));
    if (!live)
        return -ENOMEM;
    live->driver = driver;
    live->happenings_end = &live->happenings;
    live->instances = json_object();
    live->timeline = sv_timeline_new(first_serial());
    int r = live->instances && live->timeline ? sv_live_take_back(live) : -ENOMEM;
    if (r == 0)
        r = sv_loop_add_defer(driver->loop, SV_PRIORITY_NORMAL, sv_live_on_settle, live,
                              &live->settle);
    if (r == 0)
        r = sv_loop_add_defer(driver->loop, SV_PRIORITY_NORMAL, sv_live_on_flush, live,
                              &live->flush);
    if (r == 0) /* behind what programs write: pages can wait */
        r = sv_loop_add_defer(driver->loop, SV_PRIORITY_OUTPUT, on_slice, live, &live->slice);
    if (r == 0)
        r = sv_loop_add_timer(driver->loop, SV_LIVE_BEAT_NS / 10, on_beat, live, &live->beat);
    if (r == 0)
        r = sv_clients_init(&live->clients, driver->loop, SV_LIVE_CLIENTS_MAX, release);
    return r == 0 ? 0 : error_trace(r);
}

void sv_live_close(struct sv_driver *driver)
{
    struct sv_live *live = driver->live;
    if (!live)
        return;
    driver->live = NULL;
    sv_clients_done(&live->clients);
    sv_source_free(live->flush);
    sv_source_free(live->slice);
    sv_source_free(live->beat);
    sv_source_free(live->settle);
    sv_live_forget_changes(live);
    sv_live_drop_happenings(live);
    sv_timeline_free(live->timeline);
    sv_state_file_free(live->file);
    sv_str_done(&live->unwritten);
    free(live->told_states);
    json_decref(live->instances);
    sv_str_done(&live->scratch);
    free(live);
}
