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
 * The events of a pool go with the daemon. A listener that lives on keeps its state: BUSY, it ends
 * what it works on, and its answer is taken. That it was given an event is written down after the
 * event is, so an adopted listener may be said to be READY while it works: then an answer of it is
 * no wrong word, and brings both to the same state again.
 *
 * An event has its serials from its acceptance and keeps them when it is sent again. Supervisor
 * puts a rejected event also into every other pool whose processes have the same priority, a
 * mistake of its __eq__; here it goes back only where it came from.
 */
#include "core/local/pool.h"

#include <assert.h>
#include <stdlib.h>

struct item {
    struct sv_blob *blob; /* NULL: no event */
    uint64_t serial;
    uint64_t pool_serial;
    enum sv_notice_type type;
};

struct listener {
    struct sv_listener_process process;
    enum sv_listener_state state;
    struct item item; /* BUSY: the event that it works on; none if an earlier daemon gave it */
    bool is_adopted;  /* this run was begun under an earlier daemon */
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

struct sv_pool *sv_pool_new(const struct sv_group_config *config, const char *name)
{
    struct sv_pool *pool = calloc(1, sizeof(*pool));
    if (!pool)
        return NULL;
    pool->config = config;
    pool->name = name;
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

void sv_pool_free(struct sv_pool *pool)
{
    if (!pool)
        return;
    for (size_t i = 0; i < pool->count; i++)
        sv_blob_unref(pool->ring[(pool->head + i) % pool->ring_size].blob);
    for (size_t i = 0; pool->listeners && i < pool->listener_count; i++)
        sv_blob_unref(pool->listeners[i].item.blob);
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
    sv_blob_unref(item.blob);
}

void sv_pool_accept(struct sv_pool *pool, enum sv_notice_type type, struct sv_blob *blob,
                    uint64_t serial, struct sv_actions *actions)
{
    make_room(pool, actions);
    pool->ring[(pool->head + pool->count++) % pool->ring_size] = (struct item){
        .blob = sv_blob_ref(blob),
        .serial = serial,
        .pool_serial = pool->next_serial++,
        .type = type,
    };
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
        listener->is_adopted = false;
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

void sv_pool_hear(struct sv_pool *pool, size_t index, enum sv_listener_event event,
                  struct sv_actions *actions)
{
    assert(index < pool->listener_count);
    struct listener *listener = &pool->listeners[index];
    if (!listener->process.is_alive)
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
        sv_blob_unref(listener->item.blob);
        listener->item = (struct item){0};
    }
}

static void deliver(struct sv_pool *pool, struct listener *listener, struct sv_actions *actions)
{
    listener->item = take_head(pool);
    listener->state = SV_LISTENER_BUSY;
    struct sv_action *action = sv_actions_add(actions, SV_ACTION_DELIVER);
    action->process = listener->process.id;
    action->run = listener->process.run;
    action->deliver.blob = sv_blob_ref(listener->item.blob);
    action->deliver.type = listener->item.type;
    action->deliver.serial = listener->item.serial;
    action->deliver.pool_serial = listener->item.pool_serial;
    action->deliver.group_name = pool->name;
}

void sv_pool_dispatch(struct sv_pool *pool, struct sv_actions *actions)
{
    for (size_t i = 0; i < pool->listener_count && pool->count > 0; i++) {
        struct listener *listener = &pool->listeners[i];
        if (listener->process.is_running && listener->state == SV_LISTENER_READY)
            deliver(pool, listener, actions);
    }
}

void sv_pool_restore(struct sv_pool *pool, size_t index, enum sv_listener_state state)
{
    assert(index < pool->listener_count);
    struct listener *listener = &pool->listeners[index];
    if (!listener->process.is_alive)
        return;
    listener->state = state;
    listener->is_adopted = true;
}

enum sv_listener_state sv_pool_listener_state(const struct sv_pool *pool, size_t index)
{
    assert(index < pool->listener_count);
    return pool->listeners[index].state;
}
