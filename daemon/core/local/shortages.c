/*
 * Shortages come in bursts, or go on for hours; people want to hear of each of these once.
 *
 * For every program (or group) and every kind of shortage there is a watch, made by the first one:
 *
 *     quiet ──shortage──> gathering ──due──> told, and a pause begins
 *                             ^                   │ shortage
 *                             └───────────────────┘ due when the pause is over
 *
 * The first is told SV_RESOURCE_GATHER_NS later, with all that came until then: a burst is one
 * event with a count. What comes in the pause waits for its end. A pause is
 * SV_RESOURCE_PAUSE_NS_MIN long and twice the one before when something came in that one, so a
 * program that is always short is told of every SV_RESOURCE_PAUSE_NS_MAX; a pause in which nothing
 * came makes the next one short again. Nothing is lost: the counts of all that is told add up to
 * what happened.
 *
 * Example: memory_max is hit 40 times at 0.0 to 0.3 s and once every second from then on. Told at
 * 1 s (41), 11 s (10), 31 s (20), 71 s (40) …
 *
 * A watch is made in a step, against the house rule, because next to no program ever has one. When
 * there is no memory for it the shortage is told at once.
 */
#include "core/local/shortages.h"

#include <stdlib.h>
#include <svisor/limits.h>

#include "base/attr.h"
#include "base/shortage.h"
#include "core/local/restart.h"

struct sv_shortage_watch {
    struct sv_heap_node alarm; /* in the heap exactly when `sum.count` is not 0 */
    sv_process_id process;     /* of the last shortage: a group has many */
    uint32_t run;
    uint64_t key;
    bool was_told;
    uint64_t told_ns, pause_ns;
    uint64_t first_ns; /* of what has gathered */
    int64_t first_wall_ns, last_wall_ns;
    struct sv_shortage sum;
};

static uint64_t key_of(sv_process_id subject, bool is_group, enum sv_resource resource)
{
    return ((uint64_t)subject << 1 | is_group) * SV_RESOURCE_COUNT + resource;
}

static void free_watch(struct sv_shortages *shortages, struct sv_shortage_watch *watch)
{
    if (!watch)
        return;
    sv_heap_remove(&shortages->due, &watch->alarm);
    free(watch);
}

void sv_shortages_done(struct sv_shortages *shortages)
{
    for (size_t i = 0; i < shortages->watches.slot_count; i++)
        free_watch(shortages, shortages->watches.slots[i].value);
    sv_idmap_done(&shortages->watches);
    sv_heap_done(&shortages->due);
}

static struct sv_shortage_watch *watch_of(struct sv_shortages *shortages, uint64_t key)
{
    struct sv_shortage_watch *watch = sv_idmap_get(&shortages->watches, key);
    if (watch)
        return watch;
    watch = calloc(1, sizeof(*watch));
    if (!watch || sv_heap_reserve(&shortages->due, shortages->watches.count + 1) < 0 ||
        sv_idmap_put(&shortages->watches, key, watch) < 0) {
        free(watch);
        return NULL;
    }
    watch->key = key;
    watch->alarm.tie = (uint32_t)key;
    return watch;
}

static void add_action(const struct sv_shortage_watch *watch, struct sv_actions *actions)
{
    struct sv_action *action = sv_actions_add(actions, SV_ACTION_SHORTAGE);
    action->process = watch->process;
    action->run = watch->run;
    action->shortage.sum = watch->sum;
    action->shortage.first_wall_ns = watch->first_wall_ns;
    action->shortage.last_wall_ns = watch->last_wall_ns;
}

static void tell(struct sv_shortages *shortages, struct sv_shortage_watch *watch, uint64_t now_ns,
                 struct sv_actions *actions)
{
    bool goes_on =
        watch->was_told && watch->first_ns < sv_time_after(watch->told_ns, watch->pause_ns);
    uint64_t doubled_ns = 2 * watch->pause_ns;
    if (!goes_on)
        watch->pause_ns = SV_RESOURCE_PAUSE_NS_MIN;
    else
        watch->pause_ns =
            doubled_ns < SV_RESOURCE_PAUSE_NS_MAX ? doubled_ns : SV_RESOURCE_PAUSE_NS_MAX;
    add_action(watch, actions);
    watch->was_told = true;
    watch->told_ns = now_ns;
    watch->sum.count = 0;
    sv_heap_remove(&shortages->due, &watch->alarm);
}

static void begin(struct sv_shortages *shortages, struct sv_shortage_watch *watch,
                  const struct sv_event *event)
{
    watch->sum = *event->shortage;
    watch->first_ns = event->now_ns;
    watch->first_wall_ns = event->wall_ns;
    uint64_t due_ns = sv_time_after(event->now_ns, SV_RESOURCE_GATHER_NS);
    uint64_t pause_end_ns = watch->was_told ? sv_time_after(watch->told_ns, watch->pause_ns) : 0;
    sv_heap_set(&shortages->due, &watch->alarm, due_ns > pause_end_ns ? due_ns : pause_end_ns);
}

void sv_shortages_hear(struct sv_shortages *shortages, const struct sv_event *event,
                       sv_process_id subject, struct sv_actions *actions)
{
    const struct sv_shortage *shortage = event->shortage;
    if (shortage->count == 0)
        return;
    struct sv_shortage_watch alone = {.first_wall_ns = event->wall_ns, .sum = *shortage};
    uint64_t key = key_of(subject, shortage->is_of_group, shortage->resource);
    struct sv_shortage_watch *known = watch_of(shortages, key);
    struct sv_shortage_watch *watch = known ? known : &alone;
    watch->process = event->process;
    watch->run = event->run;
    watch->last_wall_ns = event->wall_ns;
    if (!known)
        add_action(watch, actions);
    else if (watch->sum.count > 0)
        sv_shortage_merge(&watch->sum, shortage);
    else
        begin(shortages, watch, event);
}

void sv_shortages_tell(struct sv_shortages *shortages, uint64_t now_ns, struct sv_actions *actions)
{
    struct sv_heap_node *node;
    while ((node = sv_heap_first(&shortages->due)) && node->key <= now_ns)
        tell(shortages, SV_CONTAINER_OF(node, struct sv_shortage_watch, alarm), now_ns, actions);
}

void sv_shortages_end_run(struct sv_shortages *shortages, sv_process_id process, uint64_t now_ns,
                          struct sv_actions *actions)
{
    for (unsigned i = 0; shortages->due.count > 0 && i < SV_RESOURCE_COUNT; i++) {
        struct sv_shortage_watch *watch =
            sv_idmap_get(&shortages->watches, key_of(process, false, (enum sv_resource)i));
        if (!watch || watch->sum.count == 0)
            continue;
        bool is_in_pause =
            watch->was_told && now_ns < sv_time_after(watch->told_ns, watch->pause_ns);
        if (!is_in_pause)
            tell(shortages, watch, now_ns, actions);
    }
}

void sv_shortages_forget(struct sv_shortages *shortages, sv_process_id subject)
{
    for (unsigned i = 0; shortages->watches.count > 0 && i < 2 * SV_RESOURCE_COUNT; i++) {
        enum sv_resource resource = (enum sv_resource)(i / 2);
        free_watch(shortages,
                   sv_idmap_remove(&shortages->watches, key_of(subject, i % 2, resource)));
    }
}

uint64_t sv_shortages_due_ns(const struct sv_shortages *shortages)
{
    const struct sv_heap_node *first = sv_heap_first(&shortages->due);
    return first ? first->key : SV_NEVER;
}
