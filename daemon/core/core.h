/*
 * The core of one node: it is told what happened and says what is to be done.
 *
 *     sv_core_step(core, &event, &actions)
 *
 * is the only way in and `actions` the only way out (after raft_step of cowsql/raft). The core
 * makes no system call, reads no clock and draws no randomness but from its seed, so that any life
 * of it can be replayed from a log of events, and simulated (tests/sim).
 */
#ifndef SV_CORE_CORE_H
#define SV_CORE_CORE_H

#include "port/action.h"
#include "port/event.h"
#include "port/view.h"

#define SV_NEVER UINT64_MAX

struct sv_core;

/* `seed` feeds restart_jitter. NULL without memory. */
struct sv_core *sv_core_new(uint64_t seed);
void sv_core_free(struct sv_core *core);

/* Appends to `actions`; does not clear them. */
void sv_core_step(struct sv_core *core, const struct sv_event *event, struct sv_actions *actions);
/* Every action that it has ever wanted is performed: the names of removed groups are given up. */
void sv_core_settle(struct sv_core *core);
/* When the core wants an SV_EVENT_TIME next; SV_NEVER: only if something happens. */
uint64_t sv_core_deadline_ns(const struct sv_core *core);

/* False when there is no such process (any more). */
bool sv_core_process(const struct sv_core *core, sv_process_id id,
                     struct sv_process_view *ret_view);
/* All groups, by priority, then in the order of their adding. Borrowed until the next step. */
const struct sv_group_view *sv_core_groups(const struct sv_core *core, size_t *ret_count);
/* NULL when there is none. */
const struct sv_group_view *sv_core_group(const struct sv_core *core, const char *name);
/* What the next daemon must know of it. False when there is no such process. */
bool sv_core_record(const struct sv_core *core, sv_process_id id,
                    struct sv_process_record *ret_record);
/* How far its pool has counted, and all pools together. False when the group has no pool. */
bool sv_core_serials(const struct sv_core *core, const char *group_name, uint64_t *ret_next_serial,
                     uint64_t *ret_next_pool_serial);
/* Each event of its pool that the next daemon must know, buffered or held by a listener. `*place`
 * begins with 0; false at the end. */
bool sv_core_next_event(const struct sv_core *core, const char *group_name, size_t *place,
                        struct sv_event_view *ret_event);
/* The event that a listener works on. False when it works on none. */
bool sv_core_held_event(const struct sv_core *core, sv_process_id id,
                        struct sv_event_view *ret_event);
enum sv_supervisor_state sv_core_state(const struct sv_core *core);
/* The event types that at least one pool subscribes to: others need not be rendered. */
sv_notice_set sv_core_wanted_notices(const struct sv_core *core);

#endif
