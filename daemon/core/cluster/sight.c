/*
 * Sight: how an instance sees the others, and how it says so in few bytes.
 *
 * N instances see N instances each, and all of them want to know it: when a thousand join at once,
 * that would be a million facts for each to send, and nearly all of them old before they are read.
 * So what decisions wait for is told always, at one price for any N: how many are seen RUNNING, and
 * the sum of the hashes of their identifiers (equal sums, equal sets). Who is in which state, and
 * settled, is a list of runs in the order of the identifiers. At rest they are one or two, whatever
 * N is. While they are more than SV_SIGHT_RUNS_MAX they are left out, and are told when nothing has
 * changed for a heartbeat_period.
 *
 * A sight without runs takes back those before it. So what is read here of another's sight has
 * never changed since it was told, or is not known (docs/mesh.md, "settled", rests on that).
 *
 * An instance that became or ceased to be RUNNING, FAILED or settled is told at the end of the
 * step, because others wait for that; but not more often than every SV_SIGHT_PAUSE_NS for each
 * instance. The steps of a handshake in between go with the next message.
 */
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "core/cluster/members.h"

struct sv_sight {
    struct sv_instance **order; /* of their identifiers */
    struct sv_seen *seen;       /* in that order */
    size_t order_capacity, seen_capacity;
    uint64_t known_sum;
    bool is_changed; /* since it was told */
    bool is_owed;    /* it was told without its runs */
    bool has_rested; /* for a heartbeat_period */
    uint64_t told_ns;
    struct sv_timer timer;
};

static void on_timer(struct sv_cluster *cluster, struct sv_timer *timer)
{
    (void)timer;
    cluster->sight->has_rested = !cluster->sight->is_changed;
    cluster->machine->has_news = true;
}

void sv_sight_new(struct sv_cluster *cluster)
{
    cluster->sight = sv_allocate(1, sizeof(*cluster->sight));
    sv_timer_init(cluster, &cluster->sight->timer, on_timer);
}

void sv_sight_free(struct sv_cluster *cluster)
{
    if (!cluster->sight)
        return;
    free(cluster->sight->order);
    free(cluster->sight->seen);
    free(cluster->sight);
}

static size_t rank_of(const struct sv_sight *sight, size_t count, const char *identifier)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(sight->order[middle]->identifier, identifier) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void sv_sight_add(struct sv_cluster *cluster, struct sv_instance *instance)
{
    struct sv_sight *sight = cluster->sight;
    size_t count = cluster->instance_count - 1;
    sight->order =
        sv_grow(sight->order, &sight->order_capacity, count + 1, sizeof(struct sv_instance *));
    sight->seen = sv_grow(sight->seen, &sight->seen_capacity, count + 1, sizeof(*sight->seen));
    size_t rank = rank_of(sight, count, instance->identifier);
    memmove(&sight->order[rank + 1], &sight->order[rank], (count - rank) * sizeof(*sight->order));
    memmove(&sight->seen[rank + 1], &sight->seen[rank], (count - rank) * sizeof(*sight->seen));
    sight->order[rank] = instance;
    sight->seen[rank] = (struct sv_seen){.state = SV_INSTANCE_STATE_STOPPED};
    for (; rank <= count; rank++)
        sight->order[rank]->rank = (uint32_t)rank;
    sight->known_sum += instance->hash;
    sight->is_changed = true;
}

static bool is_urgent_state(enum sv_instance_state state)
{
    return state != SV_INSTANCE_STATE_CHECKING && state != SV_INSTANCE_STATE_CHECKED;
}

/* With many instances that join at once, one message tells of several. */
static void mark(struct sv_cluster *cluster)
{
    struct sv_sight *sight = cluster->sight;
    uint64_t due_ns = sight->told_ns + cluster->instance_count * SV_SIGHT_PAUSE_NS;
    sv_machine_wake(cluster);
    if (cluster->now_ns >= due_ns)
        cluster->machine->has_news = true;
    else
        sv_timer_set(cluster, &sight->timer, due_ns);
}

void sv_sight_see(struct sv_cluster *cluster, const struct sv_instance *instance, bool is_settled)
{
    struct sv_view *view = &sv_local(cluster)->view;
    struct sv_seen *seen = &cluster->sight->seen[instance->rank];
    struct sv_seen before = *seen;
    if (before.state == instance->state && before.is_settled == is_settled)
        return;
    *seen = (struct sv_seen){.state = instance->state, .is_settled = is_settled};
    cluster->sight->is_changed = true;
    if (before.is_settled != is_settled ||
        (before.state != instance->state &&
         (is_urgent_state(instance->state) || is_urgent_state(before.state))))
        mark(cluster);
    bool was_running = before.state == SV_INSTANCE_STATE_RUNNING;
    bool is_running = instance->state == SV_INSTANCE_STATE_RUNNING;
    if (was_running == is_running)
        return;
    view->running_sum += is_running ? instance->hash : -instance->hash;
    view->running_count += is_running ? 1 : UINT32_MAX;
}

static bool are_alike(struct sv_seen one, struct sv_seen other)
{
    return one.state == other.state && one.is_settled == other.is_settled;
}

static size_t count_runs(const struct sv_cluster *cluster)
{
    const struct sv_seen *seen = cluster->sight->seen;
    size_t count = 1;
    for (size_t i = 1; i < cluster->instance_count; i++)
        count += !are_alike(seen[i - 1], seen[i]);
    return count;
}

static const struct sv_mesh_run *list_runs(struct sv_cluster *cluster, size_t count)
{
    const struct sv_seen *seen = cluster->sight->seen;
    struct sv_mesh_run *runs = sv_arena_array(&cluster->texts, struct sv_mesh_run, count);
    if (!runs)
        abort();
    size_t next = 0;
    for (size_t i = 0; i < cluster->instance_count; i++) {
        if (i == 0 || !are_alike(seen[i - 1], seen[i]))
            runs[next++] =
                (struct sv_mesh_run){.state = seen[i].state, .is_settled = seen[i].is_settled};
        runs[next - 1].count++;
    }
    return runs;
}

static const struct sv_mesh_sight *describe(struct sv_cluster *cluster, bool is_at_rest)
{
    const struct sv_view *view = &sv_local(cluster)->view;
    struct sv_mesh_sight *told = sv_arena_new(&cluster->texts, struct sv_mesh_sight);
    if (!told)
        abort();
    *told = (struct sv_mesh_sight){.running_sum = view->running_sum,
                                   .running_count = view->running_count,
                                   .known_sum = cluster->sight->known_sum};
    size_t count = count_runs(cluster);
    if (!is_at_rest && count > SV_SIGHT_RUNS_MAX)
        return told;
    told->runs = list_runs(cluster, count);
    told->run_count = count;
    return told;
}

const struct sv_mesh_sight *sv_sight_change(struct sv_cluster *cluster)
{
    struct sv_sight *sight = cluster->sight;
    const struct sv_mesh_sight *told = NULL;
    if (sight->is_changed || sight->has_rested) {
        told = describe(cluster, !sight->is_changed);
        sight->is_owed = told->run_count == 0;
    }
    sight->is_changed = sight->has_rested = false;
    sight->told_ns = cluster->now_ns;
    if (sight->is_owed)
        sv_timer_set(cluster, &sight->timer, cluster->now_ns + cluster->times->heartbeat_ns);
    else
        sv_timer_cancel(cluster, &sight->timer);
    return told;
}

const struct sv_mesh_sight *sv_sight_snapshot(struct sv_cluster *cluster)
{
    struct sv_sight *sight = cluster->sight;
    const struct sv_mesh_sight *told = describe(cluster, !sight->is_changed && !sight->is_owed);
    if (told->run_count == 0)
        sight->is_owed = true;
    if (sight->is_owed && !sight->timer.node.place)
        sv_timer_set(cluster, &sight->timer, cluster->now_ns + cluster->times->heartbeat_ns);
    return told;
}

void sv_sight_receive(struct sv_view *view, const struct sv_mesh_sight *told)
{
    view->running_sum = told->running_sum;
    view->running_count = told->running_count;
    view->known_sum = told->known_sum;
    free(view->runs);
    view->runs = NULL;
    view->run_count = told->run_count;
    if (told->run_count == 0)
        return;
    view->runs = sv_allocate(told->run_count, sizeof(*view->runs));
    memcpy(view->runs, told->runs, told->run_count * sizeof(*view->runs));
}

bool sv_sight_of(const struct sv_cluster *cluster, const struct sv_instance *from,
                 sv_instance_place place, struct sv_seen *ret)
{
    uint32_t rank = cluster->instances[place]->rank;
    if (from->place == cluster->local) {
        *ret = cluster->sight->seen[rank];
        return true;
    }
    const struct sv_view *view = &from->view;
    if (view->known_sum != cluster->sight->known_sum)
        return false;
    for (size_t i = 0; i < view->run_count; rank -= view->runs[i++].count)
        if (rank < view->runs[i].count) {
            *ret = (struct sv_seen){view->runs[i].state, view->runs[i].is_settled};
            return true;
        }
    return false;
}
