/*
 * A pool of event listeners, after Supervisor's EventListenerPool (process.py) and
 * PEventListenerDispatcher (dispatchers.py).
 *
 * Events wait in a ring of buffer_size; the ring is allocated with the pool, so that a flood of
 * events costs what was configured and no more. An event leaves it for a listener that is READY and
 * RUNNING; the listener is BUSY and holds the event until it answers. OK drops it. FAIL, a broken
 * protocol or death puts it back at the head. When the ring is full, what was at its head is
 * discarded, and said so.
 *
 *                   READY                 DELIVER              OK, FAIL
 *     ACKNOWLEDGED --------> READY ------------------> BUSY ------------> ACKNOWLEDGED
 *          any wrong word --> UNKNOWN, for the rest of the run; a new run is ACKNOWLEDGED
 *
 * The events of a pool outlive the daemon: each is written down when it is accepted (REMEMBER), and
 * again when it is settled or discarded (FORGET). The next daemon is given what is between the two.
 * A listener that lives on keeps its state and what it holds: its answer settles that event, under
 * whichever daemon it comes. Events of an earlier daemon stand in the order of their acceptance. Of
 * what is beyond SV_EVENTS_REMEMBERED_BYTES_MAX only the serials are remembered.
 *
 * A word of a listener is written down before it is taken out of the pipe, so the next daemon may
 * hear it again: such an echo of an adopted listener is no wrong word. It can be told, because an
 * event is delivered only when nothing that was heard is left in the pipe. And a listener that was
 * READY for a daemon of a version that wrote a delivery down afterwards may answer an event that we
 * do not know of.
 *
 * An event has its serials from its acceptance and keeps them when it is sent again. Supervisor
 * puts a rejected event also into every other pool whose processes have the same priority, a
 * mistake of its __eq__; here it goes back only where it came from.
 */
#include "core/local/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <svisor/limits.h>

struct item {
    struct sv_blob *blob; /* NULL: no event */
    uint64_t serial;
    uint64_t pool_serial;
    enum sv_notice_type type;
    bool is_remembered;
};

struct listener {
    struct sv_listener_process process;
    enum sv_listener_state state;
    struct item item; /* BUSY: the event that it works on; none if an earlier daemon gave it */
    uint64_t held;    /* that of its record, until the event is restored; 0: none */
    bool is_adopted;  /* this run was begun under an earlier daemon */
    bool may_echo;    /* and was given nothing by this one */
    bool is_free;     /* nobody has this place any more */
};

struct sv_pool {
    const struct sv_group_config *config;
    const char *name;
    struct item *ring;
    size_t ring_size;
    size_t head; /* the oldest */
    size_t count;
    uint64_t next_serial;
    size_t *remembered_bytes; /* of all pools */
    struct listener *listeners;
    size_t listener_count;
};

enum rejection { KEEPS, DROPS, GIVES_BACK };

static const struct {
    enum sv_listener_state next;
    enum rejection rejection;
} answers[][SV_LISTENER_EVENT_COUNT] = {
    [SV_LISTENER_ACKNOWLEDGED] =
        {
            [SV_LISTENER_SAYS_READY] = {SV_LISTENER_READY, KEEPS},
            [SV_LISTENER_SAYS_OK] = {SV_LISTENER_UNKNOWN, KEEPS},
            [SV_LISTENER_SAYS_FAIL] = {SV_LISTENER_UNKNOWN, KEEPS},
            [SV_LISTENER_IS_BROKEN] = {SV_LISTENER_UNKNOWN, KEEPS},
        },
    [SV_LISTENER_READY] =
        {
            [SV_LISTENER_SAYS_READY] = {SV_LISTENER_UNKNOWN, KEEPS},
            [SV_LISTENER_SAYS_OK] = {SV_LISTENER_UNKNOWN, KEEPS},
            [SV_LISTENER_SAYS_FAIL] = {SV_LISTENER_UNKNOWN, KEEPS},
            [SV_LISTENER_IS_BROKEN] = {SV_LISTENER_UNKNOWN, KEEPS},
        },
    [SV_LISTENER_BUSY] =
        {
            [SV_LISTENER_SAYS_READY] = {SV_LISTENER_UNKNOWN, GIVES_BACK},
            [SV_LISTENER_SAYS_OK] = {SV_LISTENER_ACKNOWLEDGED, DROPS},
            [SV_LISTENER_SAYS_FAIL] = {SV_LISTENER_ACKNOWLEDGED, GIVES_BACK},
            [SV_LISTENER_IS_BROKEN] = {SV_LISTENER_UNKNOWN, GIVES_BACK},
        },
    [SV_LISTENER_UNKNOWN] =
        {
            [SV_LISTENER_SAYS_READY] = {SV_LISTENER_UNKNOWN, KEEPS},
            [SV_LISTENER_SAYS_OK] = {SV_LISTENER_UNKNOWN, KEEPS},
            [SV_LISTENER_SAYS_FAIL] = {SV_LISTENER_UNKNOWN, KEEPS},
            [SV_LISTENER_IS_BROKEN] = {SV_LISTENER_UNKNOWN, KEEPS},
        },
};

struct sv_pool *sv_pool_new(const struct sv_group_config *config, const char *name,
                            size_t *remembered_bytes)
{
    struct sv_pool *pool = calloc(1, sizeof(*pool));
    if (!pool)
        return NULL;
    pool->config = config;
    pool->name = name;
    pool->remembered_bytes = remembered_bytes;
    pool->ring_size = config->buffer_size > 0 ? config->buffer_size : 1;
    pool->listener_count = config->program_count;
    pool->ring = calloc(pool->ring_size, sizeof(*pool->ring));
    pool->listeners = calloc(pool->listener_count + 1, sizeof(*pool->listeners));
    if (!pool->ring || !pool->listeners) {
        sv_pool_free(pool);
        return NULL;
    }
    return pool;
}

static void drop(struct sv_pool *pool, struct item *item)
{
    if (item->is_remembered)
        *pool->remembered_bytes -= item->blob->length;
    sv_blob_unref(item->blob);
    *item = (struct item){0};
}

void sv_pool_free(struct sv_pool *pool)
{
    if (!pool)
        return;
    for (size_t i = 0; i < pool->count; i++)
        drop(pool, &pool->ring[(pool->head + i) % pool->ring_size]);
    for (size_t i = 0; pool->listeners && i < pool->listener_count; i++)
        drop(pool, &pool->listeners[i].item);
    free(pool->ring);
    free(pool->listeners);
    free(pool);
}

bool sv_pool_wants(const struct sv_pool *pool, enum sv_notice_type type)
{
    return pool->config->events >> type & 1;
}

static struct sv_action *remark(const struct sv_pool *pool, enum sv_reason reason,
                                struct sv_actions *actions)
{
    struct sv_action *action = sv_actions_add(actions, SV_ACTION_NOTICE);
    action->notice.type = SV_NOTICE_EVENT;
    action->notice.reason = reason;
    action->notice.is_expected = true;
    action->notice.group_name = pool->name;
    return action;
}

static struct sv_action *write_down(const struct sv_pool *pool, enum sv_action_kind kind,
                                    const struct item *item, struct sv_actions *actions)
{
    struct sv_action *action = sv_actions_add(actions, kind);
    action->deliver.type = item->type;
    action->deliver.serial = item->serial;
    action->deliver.pool_serial = item->pool_serial;
    action->deliver.group_name = pool->name;
    return action;
}

/* While there is room for it. */
static void remember(struct sv_pool *pool, struct item *item, struct sv_actions *actions)
{
    struct sv_action *action = write_down(pool, SV_ACTION_REMEMBER, item, actions);
    size_t used = *pool->remembered_bytes;
    item->is_remembered = used < SV_EVENTS_REMEMBERED_BYTES_MAX &&
                          item->blob->length <= SV_EVENTS_REMEMBERED_BYTES_MAX - used;
    if (!item->is_remembered)
        return;
    *pool->remembered_bytes += item->blob->length;
    action->deliver.blob = sv_blob_ref(item->blob);
}

/* Nobody will get it any more. */
static void settle(struct sv_pool *pool, struct item *item, struct sv_actions *actions)
{
    if (item->is_remembered)
        write_down(pool, SV_ACTION_FORGET, item, actions);
    drop(pool, item);
}

static struct item take_head(struct sv_pool *pool)
{
    struct item item = pool->ring[pool->head];
    pool->ring[pool->head] = (struct item){0};
    pool->head = (pool->head + 1) % pool->ring_size;
    pool->count--;
    return item;
}

static void make_room(struct sv_pool *pool, struct sv_actions *actions)
{
    if (pool->count < pool->ring_size)
        return;
    struct item item = take_head(pool);
    remark(pool, SV_REASON_LISTENER_OVERFLOW, actions)->notice.serial = item.serial;
    settle(pool, &item, actions);
}

void sv_pool_accept(struct sv_pool *pool, enum sv_notice_type type, struct sv_blob *blob,
                    uint64_t serial, struct sv_actions *actions)
{
    make_room(pool, actions);
    struct item *item = &pool->ring[(pool->head + pool->count++) % pool->ring_size];
    *item = (struct item){
        .blob = sv_blob_ref(blob),
        .serial = serial,
        .pool_serial = pool->next_serial++,
        .type = type,
    };
    remember(pool, item, actions);
}

static void give_back(struct sv_pool *pool, struct listener *listener, struct sv_actions *actions)
{
    if (!listener->item.blob)
        return;
    make_room(pool, actions);
    pool->head = (pool->head + pool->ring_size - 1) % pool->ring_size;
    pool->ring[pool->head] = listener->item;
    pool->count++;
    listener->item = (struct item){0};
}

void sv_pool_update(struct sv_pool *pool, size_t index, const struct sv_listener_process *process,
                    struct sv_actions *actions)
{
    assert(index < pool->listener_count);
    struct listener *listener = &pool->listeners[index];
    bool is_new_run = process->run != listener->process.run;
    listener->process = *process;
    if (is_new_run || !process->is_alive)
        give_back(pool, listener, actions);
    if (is_new_run) {
        listener->state = SV_LISTENER_ACKNOWLEDGED;
        listener->is_adopted = listener->may_echo = false;
        listener->held = 0;
    }
}

bool sv_pool_join(struct sv_pool *pool, uint32_t *ret_index)
{
    size_t index = 0;
    while (index < pool->listener_count && !pool->listeners[index].is_free)
        index++;
    if (index == pool->listener_count) {
        struct listener *listeners =
            realloc(pool->listeners, (pool->listener_count + 1) * sizeof(*listeners));
        if (!listeners)
            return false;
        pool->listeners = listeners;
        pool->listener_count++;
    }
    pool->listeners[index] = (struct listener){0};
    *ret_index = (uint32_t)index;
    return true;
}

void sv_pool_leave(struct sv_pool *pool, size_t index, struct sv_actions *actions)
{
    assert(index < pool->listener_count);
    give_back(pool, &pool->listeners[index], actions);
    pool->listeners[index] = (struct listener){.is_free = true};
}

/* The daemon before had heard it, and died before it had taken it out of the pipe. */
static bool is_echo(const struct listener *listener, enum sv_listener_event event)
{
    bool is_answer = event == SV_LISTENER_SAYS_OK || event == SV_LISTENER_SAYS_FAIL;
    return listener->may_echo &&
           ((listener->state == SV_LISTENER_READY && event == SV_LISTENER_SAYS_READY) ||
            (listener->state == SV_LISTENER_ACKNOWLEDGED && is_answer));
}

void sv_pool_hear(struct sv_pool *pool, size_t index, enum sv_listener_event event,
                  struct sv_actions *actions)
{
    assert(index < pool->listener_count);
    struct listener *listener = &pool->listeners[index];
    if (!listener->process.is_alive || is_echo(listener, event))
        return;
    enum sv_listener_state before = listener->state;
    bool is_answer = event == SV_LISTENER_SAYS_OK || event == SV_LISTENER_SAYS_FAIL;
    if (listener->is_adopted && is_answer && before == SV_LISTENER_READY) {
        listener->state = SV_LISTENER_ACKNOWLEDGED;
        return;
    }
    listener->state = answers[before][event].next;
    if (answers[before][event].rejection != KEEPS && event == SV_LISTENER_SAYS_FAIL)
        remark(pool, SV_REASON_LISTENER_REJECTED, actions)->process = listener->process.id;
    if (listener->state == SV_LISTENER_UNKNOWN && before != SV_LISTENER_UNKNOWN)
        remark(pool, SV_REASON_LISTENER_BROKEN, actions)->process = listener->process.id;
    if (answers[before][event].rejection == GIVES_BACK) {
        give_back(pool, listener, actions);
    } else if (answers[before][event].rejection == DROPS) {
        settle(pool, &listener->item, actions);
    }
}

static void deliver(struct sv_pool *pool, struct listener *listener, struct sv_actions *actions)
{
    listener->item = take_head(pool);
    listener->state = SV_LISTENER_BUSY;
    listener->may_echo = false;
    struct sv_action *action = write_down(pool, SV_ACTION_DELIVER, &listener->item, actions);
    action->process = listener->process.id;
    action->run = listener->process.run;
    action->deliver.blob = sv_blob_ref(listener->item.blob);
}

void sv_pool_dispatch(struct sv_pool *pool, struct sv_actions *actions)
{
    for (size_t i = 0; i < pool->listener_count && pool->count > 0; i++) {
        struct listener *listener = &pool->listeners[i];
        if (listener->process.is_running && listener->state == SV_LISTENER_READY)
            deliver(pool, listener, actions);
    }
}

void sv_pool_restore(struct sv_pool *pool, size_t index, enum sv_listener_state state,
                     uint64_t held)
{
    assert(index < pool->listener_count);
    struct listener *listener = &pool->listeners[index];
    if (!listener->process.is_alive)
        return;
    listener->state = state;
    listener->held = state == SV_LISTENER_BUSY ? held : 0;
    listener->is_adopted = listener->may_echo = true;
}

void sv_pool_restore_serial(struct sv_pool *pool, uint64_t next_serial)
{
    if (pool->next_serial < next_serial)
        pool->next_serial = next_serial;
}

/* Where it stood: behind all that were accepted before it. */
static void put_in_order(struct sv_pool *pool, const struct item *item)
{
    size_t place = pool->count++;
    for (; place > 0; place--) {
        const struct item *before = &pool->ring[(pool->head + place - 1) % pool->ring_size];
        if (before->pool_serial < item->pool_serial)
            break;
        pool->ring[(pool->head + place) % pool->ring_size] = *before;
    }
    pool->ring[(pool->head + place) % pool->ring_size] = *item;
}

void sv_pool_restore_event(struct sv_pool *pool, const struct sv_event_view *event,
                           struct sv_blob *blob, struct sv_actions *actions)
{
    struct item item = {
        .blob = sv_blob_ref(blob),
        .serial = event->serial,
        .pool_serial = event->pool_serial,
        .type = event->type,
        .is_remembered = true,
    };
    *pool->remembered_bytes += blob->length;
    sv_pool_restore_serial(pool, event->pool_serial + 1);
    for (size_t i = 0; i < pool->listener_count; i++) {
        struct listener *listener = &pool->listeners[i];
        if (listener->held == event->pool_serial + 1 && !listener->item.blob) {
            listener->item = item;
            listener->held = 0;
            return;
        }
    }
    make_room(pool, actions); /* buffer_size may be smaller now */
    put_in_order(pool, &item);
}

enum sv_listener_state sv_pool_listener_state(const struct sv_pool *pool, size_t index)
{
    assert(index < pool->listener_count);
    return pool->listeners[index].state;
}

uint64_t sv_pool_next_serial(const struct sv_pool *pool)
{
    return pool->next_serial;
}

static bool show(const struct item *item, struct sv_event_view *ret_event)
{
    if (!item->blob)
        return false;
    *ret_event = (struct sv_event_view){
        .type = item->type,
        .blob = item->blob,
        .serial = item->serial,
        .pool_serial = item->pool_serial,
    };
    return true;
}

bool sv_pool_held_event(const struct sv_pool *pool, size_t index, struct sv_event_view *ret_event)
{
    assert(index < pool->listener_count);
    return show(&pool->listeners[index].item, ret_event);
}

bool sv_pool_next_event(const struct sv_pool *pool, size_t *place, struct sv_event_view *ret_event)
{
    while (*place < pool->listener_count + pool->count) {
        size_t at = (*place)++;
        const struct item *item =
            at < pool->listener_count
                ? &pool->listeners[at].item
                : &pool->ring[(pool->head + at - pool->listener_count) % pool->ring_size];
        if (item->is_remembered)
            return show(item, ret_event);
    }
    return false;
}
