/*
 * What event listeners have not settled yet, over the death of a daemon.
 *
 *     REMEMBER  an event was accepted by a pool      ->  EVENT in the journal
 *     FORGET    it was answered OK, or discarded     ->  SETTLED
 *     deliver   cursor = 0, "BUSY, holds it, cursor" in the journal, then splice() (io/input.h)
 *
 * Each is in the journal before anybody can see it (feed.c), so what the next daemon finds is
 * what was true: an event without its SETTLED waits, or is held by the listener whose record says
 * so, and of that one the cursor tells how many bytes are in its pipe. The rest of them is sent;
 * nothing is sent twice. See core/local/pool.c for the answers.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "base/names.h"
#include "driver/internal.h"
#include "driver/outlive/outlive.h"

/* --- writing --- */

static void encode_event(const char *group, const struct sv_event_view *event, struct sv_str *bytes)
{
    struct sv_journal_entry entry = {
        .kind = SV_JOURNAL_EVENT,
        .group = group,
        .type = sv_notice_name(event->type),
        .serial = event->serial,
        .pool_serial = event->pool_serial,
        .whole_bytes = (uint32_t)event->blob->length,
    };
    do {
        uint32_t left = entry.whole_bytes - entry.part_start;
        entry.payload = event->blob->data + entry.part_start;
        entry.part_bytes = left < SV_JOURNAL_PART_MAX ? left : SV_JOURNAL_PART_MAX;
        sv_journal_encode(&entry, bytes);
        entry.part_start += entry.part_bytes;
    } while (entry.part_start < entry.whole_bytes);
}

static void encode_serials(enum sv_journal_kind kind, const char *group, uint64_t serial,
                           uint64_t pool_serial, struct sv_str *bytes)
{
    struct sv_journal_entry entry = {
        .kind = kind, .group = group, .process = "", .serial = serial, .pool_serial = pool_serial};
    sv_journal_encode(&entry, bytes);
}

void sv_backlog_encode(const struct sv_driver *driver, struct sv_str *bytes)
{
    size_t group_count;
    const struct sv_group_view *groups = sv_core_groups(driver->core, &group_count);
    for (size_t i = 0; i < group_count; i++) {
        const char *name = groups[i].config->name;
        uint64_t next_serial, next_pool_serial;
        if (!sv_core_serials(driver->core, name, &next_serial, &next_pool_serial))
            continue;
        encode_serials(SV_JOURNAL_POOL, name, next_serial, next_pool_serial, bytes);
        struct sv_event_view event;
        for (size_t place = 0; sv_core_next_event(driver->core, name, &place, &event);)
            encode_event(name, &event, bytes);
    }
}

bool sv_backlog_note(struct sv_driver *driver, const struct sv_action *action)
{
    enum sv_action_kind kind = action->kind;
    if (kind != SV_ACTION_REMEMBER && kind != SV_ACTION_FORGET && kind != SV_ACTION_FORGET_POOL)
        return false;
    const char *group = action->deliver.group_name;
    struct sv_event_view event = {
        .type = action->deliver.type,
        .blob = action->deliver.blob,
        .serial = action->deliver.serial,
        .pool_serial = action->deliver.pool_serial,
    };
    struct sv_str *bytes = &driver->handover_scratch;
    sv_str_clear(bytes);
    if (!driver->journal)
        ;
    else if (kind == SV_ACTION_FORGET_POOL)
        encode_serials(SV_JOURNAL_POOL, group, 0, 0, bytes);
    else if (event.blob)
        encode_event(group, &event, bytes);
    else
        encode_serials(SV_JOURNAL_SETTLED, group, event.serial, event.pool_serial, bytes);
    if (driver->journal && sv_str_ok(bytes))
        sv_state_journal_append(driver->journal, bytes);
    sv_blob_unref(event.blob ? action->deliver.blob : NULL);
    return true;
}

int64_t *sv_backlog_cursor(struct sv_unit *unit)
{
    struct sv_driver *driver = unit->driver;
    if (!driver->journal)
        return NULL;
    const char *directory = sv_state_journal_directory(driver->journal);
    if (!driver->cursors && sv_cursors_open(directory, &driver->cursors) < 0)
        return NULL;
    if (unit->cursor == 0)
        unit->cursor = sv_cursors_take(driver->cursors);
    return unit->cursor ? sv_cursors_at(driver->cursors, unit->cursor) : NULL;
}

void sv_backlog_leave(struct sv_unit *unit)
{
    if (unit->cursor)
        sv_cursors_release(unit->driver->cursors, unit->cursor);
    unit->cursor = 0;
}

/* --- taking over --- */

/* One event that waited: its parts, put together. */
struct waiting {
    struct sv_str payload;
    size_t whole_bytes;
    uint64_t serial, pool_serial;
    enum sv_notice_type type;
};

/* What the journal says of one pool. */
struct former_pool {
    struct sv_idmap events; /* by the pool's serial, and 1 */
    uint64_t next_serial, next_pool_serial;
};

static void free_waiting(struct waiting *waiting)
{
    if (!waiting)
        return;
    sv_str_done(&waiting->payload);
    free(waiting);
}

static void forget_events(struct former_pool *pool)
{
    for (size_t i = 0; i < pool->events.slot_count; i++)
        free_waiting(pool->events.slots[i].value);
    sv_idmap_done(&pool->events);
}

void sv_backlog_done(struct sv_map *pools)
{
    sv_map_foreach (item, pools) {
        struct former_pool *pool = item->value;
        forget_events(pool);
        free(pool);
    }
    sv_map_done(pools);
}

static struct former_pool *pool_of(struct sv_map *pools, const char *group)
{
    struct former_pool *pool = sv_map_get(pools, group);
    if (pool)
        return pool;
    pool = calloc(1, sizeof(*pool));
    if (pool && sv_map_put(pools, group, pool) < 0) {
        free(pool);
        return NULL;
    }
    return pool;
}

static void take_part(struct former_pool *pool, const struct sv_journal_entry *entry)
{
    struct waiting *waiting = sv_idmap_get(&pool->events, entry->pool_serial + 1);
    if (!waiting) {
        waiting = calloc(1, sizeof(*waiting));
        if (!waiting || !sv_notice_parse(entry->type, &waiting->type) ||
            sv_idmap_put(&pool->events, entry->pool_serial + 1, waiting) < 0) {
            free_waiting(waiting);
            return;
        }
        waiting->serial = entry->serial;
        waiting->pool_serial = entry->pool_serial;
        waiting->whole_bytes = entry->whole_bytes;
    }
    if (waiting->payload.length == entry->part_start)
        sv_str_append(&waiting->payload, entry->payload, entry->part_bytes);
}

static void raise(uint64_t *next, uint64_t used)
{
    if (*next <= used)
        *next = used + 1;
}

void sv_backlog_read(struct sv_map *pools, const struct sv_journal_entry *entry)
{
    struct former_pool *pool = pool_of(pools, entry->group);
    if (!pool)
        return;
    if (entry->kind == SV_JOURNAL_POOL) {
        forget_events(pool);
        pool->next_serial = entry->serial;
        pool->next_pool_serial = entry->pool_serial;
        return;
    }
    raise(&pool->next_serial, entry->serial);
    raise(&pool->next_pool_serial, entry->pool_serial);
    if (entry->kind == SV_JOURNAL_SETTLED)
        free_waiting(sv_idmap_remove(&pool->events, entry->pool_serial + 1));
    else
        take_part(pool, entry);
}

static int by_serial(const void *a, const void *b)
{
    const struct waiting *const *first = a, *const *second = b;
    return (*first)->pool_serial < (*second)->pool_serial ? -1 : 1;
}

/* One whose last part was torn was never told of, and is not there. */
static void restore_event(struct sv_driver *driver, const char *group,
                          const struct waiting *waiting)
{
    struct sv_blob *blob = waiting->payload.length == waiting->whole_bytes
                               ? sv_blob_new(sv_str_text(&waiting->payload), waiting->whole_bytes)
                               : NULL;
    if (!blob)
        return;
    sv_driver_feed(driver, (struct sv_event){.kind = SV_EVENT_RESTORE_EVENT,
                                             .restored = {.group = group,
                                                          .type = waiting->type,
                                                          .blob = blob,
                                                          .serial = waiting->serial,
                                                          .pool_serial = waiting->pool_serial}});
    sv_blob_unref(blob);
}

static void restore_pool(struct sv_driver *driver, const char *group, struct former_pool *pool)
{
    uint64_t serial, pool_serial;
    sv_driver_feed(driver,
                   (struct sv_event){.kind = SV_EVENT_RESTORE_SERIALS,
                                     .serials = {.group = group,
                                                 .next_serial = pool->next_serial,
                                                 .next_pool_serial = pool->next_pool_serial}});
    size_t count = pool->events.count;
    if (count == 0)
        return;
    if (!sv_core_serials(driver->core, group, &serial, &pool_serial)) {
        sv_log_warn("%s is no event listener any more; %zu events for it are gone", group, count);
        return;
    }
    struct waiting **sorted = calloc(count, sizeof(struct waiting *));
    if (!sorted)
        return;
    size_t found = 0;
    for (size_t i = 0; i < pool->events.slot_count; i++)
        if (pool->events.slots[i].value)
            sorted[found++] = pool->events.slots[i].value;
    qsort(sorted, found, sizeof(struct waiting *), by_serial);
    for (size_t i = 0; i < found; i++)
        restore_event(driver, group, sorted[i]);
    free(sorted);
}

void sv_backlog_restore(struct sv_driver *driver, struct sv_map *pools)
{
    sv_map_foreach (item, pools)
        restore_pool(driver, item->key, item->value);
}

void sv_backlog_resume(struct sv_unit *unit, uint32_t cursor)
{
    struct sv_driver *driver = unit->driver;
    struct sv_event_view event;
    const char *directory = driver->journal ? sv_state_journal_directory(driver->journal) : NULL;
    if (cursor == 0 || !directory || !sv_core_held_event(driver->core, unit->id, &event))
        return;
    if (!driver->cursors && sv_cursors_open(directory, &driver->cursors) < 0)
        return;
    if (!sv_cursors_adopt(driver->cursors, cursor))
        return;
    unit->cursor = cursor;
    int64_t *at = sv_cursors_at(driver->cursors, cursor);
    struct sv_str bytes SV_CLEANUP(sv_str_done) = {0};
    sv_listener_render(unit, &event, &bytes);
    int r = unit->run->input && sv_str_ok(&bytes)
                ? sv_input_send(unit->run->input, sv_str_text(&bytes), bytes.length, at)
                : -EPIPE;
    if (r < 0)
        sv_log_warn("%s: the rest of event %llu could not be delivered: %s", unit->config->name,
                    (unsigned long long)event.serial, sv_errno_text(r));
}
