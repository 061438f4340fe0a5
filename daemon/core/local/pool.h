/* One pool of event listeners: what is to be told, to whom, and what was not understood. */
#ifndef SV_CORE_LOCAL_POOL_H
#define SV_CORE_LOCAL_POOL_H

#include "port/action.h"
#include "port/view.h"

struct sv_pool;

enum sv_listener_event {
    SV_LISTENER_SAYS_READY,
    SV_LISTENER_SAYS_OK,
    SV_LISTENER_SAYS_FAIL,
    SV_LISTENER_IS_BROKEN,
    SV_LISTENER_EVENT_COUNT
};

/* What the pool must know of one listener before an event is handed out. */
struct sv_listener_process {
    sv_process_id id;
    uint32_t run;
    bool is_alive;   /* its main process */
    bool is_running; /* RUNNING: only then it gets events */
};

/* `config` and `name` are kept, and `remembered_bytes`, which all pools share: the payloads that
 * are written down. NULL without memory. */
struct sv_pool *sv_pool_new(const struct sv_group_config *config, const char *name,
                            size_t *remembered_bytes);
void sv_pool_free(struct sv_pool *pool);
bool sv_pool_wants(const struct sv_pool *pool, enum sv_notice_type type);
/* Buffers an event; keeps a reference of its own to `blob`. */
void sv_pool_accept(struct sv_pool *pool, enum sv_notice_type type, struct sv_blob *blob,
                    uint64_t serial, struct sv_actions *actions);
/* Tells the pool how its listener `index` is now: a new run is ACKNOWLEDGED, a dead one gives back.
 */
void sv_pool_update(struct sv_pool *pool, size_t index, const struct sv_listener_process *process,
                    struct sv_actions *actions);
/* A place for one more listener; false without memory. */
bool sv_pool_join(struct sv_pool *pool, uint32_t *ret_index);
/* The place is free again, and what its listener had not done is given back. */
void sv_pool_leave(struct sv_pool *pool, size_t index, struct sv_actions *actions);
void sv_pool_hear(struct sv_pool *pool, size_t index, enum sv_listener_event event,
                  struct sv_actions *actions);
/* Hands out what is buffered, oldest first, to listeners in the order of their processes. */
void sv_pool_dispatch(struct sv_pool *pool, struct sv_actions *actions);
/* A listener of an earlier daemon goes on in the middle of the conversation. `held` is that of its
 * record. */
void sv_pool_restore(struct sv_pool *pool, size_t index, enum sv_listener_state state,
                     uint64_t held);
/* The pool counts on from there. */
void sv_pool_restore_serial(struct sv_pool *pool, uint64_t next_serial);
/* An event of an earlier daemon: goes to the listener that holds it, else to its place in the ring.
 */
void sv_pool_restore_event(struct sv_pool *pool, const struct sv_event_view *event,
                           struct sv_blob *blob, struct sv_actions *actions);
enum sv_listener_state sv_pool_listener_state(const struct sv_pool *pool, size_t index);
uint64_t sv_pool_next_serial(const struct sv_pool *pool);
/* False: the listener works on nothing that is known. */
bool sv_pool_held_event(const struct sv_pool *pool, size_t index, struct sv_event_view *ret_event);
/* Each event that is written down, held or buffered. `*place` begins with 0; false at the end. */
bool sv_pool_next_event(const struct sv_pool *pool, size_t *place, struct sv_event_view *ret_event);

#endif
