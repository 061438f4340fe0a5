/*
 * What this instance thinks of the cluster, and what the others say that they think.
 *
 * The local view is one like the others, told as part of our rows. A change of our state, of the
 * Master, the term or the jobs is told at the end of the step; so is an instance that became or
 * ceased to be RUNNING, FAILED or settled, because others wait for that; but not more often than
 * every SV_SIGHT_PAUSE_NS for each instance, so that a thousand that join at once are not a million
 * messages from each. The steps of a handshake in between go with the next message.
 *
 * "Do all agree?" is asked after every message, so each view carries the sum of the hashes of the
 * instances that it sees RUNNING: equal sums, equal sets.
 */
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "core/cluster/members.h"

static bool is_urgent_state(enum sv_instance_state state)
{
    return state != SV_INSTANCE_STATE_CHECKING && state != SV_INSTANCE_STATE_CHECKED;
}

static struct sv_seen *seen_at(struct sv_cluster *cluster, struct sv_view *view,
                               sv_instance_place place)
{
    view->seen =
        sv_grow(view->seen, &view->seen_capacity, cluster->instance_count, sizeof(*view->seen));
    return &view->seen[place];
}

static void count_running(struct sv_view *view, uint64_t hash, bool was_running, bool is_running)
{
    if (was_running == is_running)
        return;
    view->running_hash += is_running ? hash : -hash;
    view->running_count += is_running ? 1 : UINT32_MAX;
}

static void mark(struct sv_cluster *cluster)
{
    cluster->machine->has_news = true;
    sv_machine_wake(cluster);
}

/* With many instances that join at once, one message tells of several. */
static void mark_sight(struct sv_cluster *cluster)
{
    struct sv_machine *machine = cluster->machine;
    uint64_t pause_ns = cluster->instance_count * SV_SIGHT_PAUSE_NS;
    sv_machine_wake(cluster);
    if (machine->has_news || machine->sight_timer.node.place)
        return;
    if (cluster->now_ns - machine->told_ns >= pause_ns)
        machine->has_news = true;
    else
        sv_timer_set(cluster, &machine->sight_timer, machine->told_ns + pause_ns);
}

void sv_modes_see(struct sv_cluster *cluster, const struct sv_instance *instance, bool is_settled)
{
    struct sv_view *view = &sv_local(cluster)->view;
    struct sv_seen *seen = seen_at(cluster, view, instance->place);
    enum sv_instance_state before = (enum sv_instance_state)seen->state;
    if (before == instance->state && seen->is_settled == is_settled)
        return;
    if (seen->is_settled != is_settled ||
        (before != instance->state &&
         (is_urgent_state(instance->state) || is_urgent_state(before))))
        mark_sight(cluster);
    count_running(view, instance->hash, before == SV_INSTANCE_STATE_RUNNING,
                  instance->state == SV_INSTANCE_STATE_RUNNING);
    *seen = (struct sv_seen){
        .state = (uint8_t)instance->state, .is_settled = is_settled, .is_changed = true};
}

void sv_modes_set_state(struct sv_cluster *cluster, enum sv_supvisors_state state)
{
    sv_local(cluster)->view.state = state;
    mark(cluster);
}

static void keep_master(struct sv_cluster *cluster, struct sv_view *view, const char *identifier)
{
    if (view->master_identifier && strcmp(view->master_identifier, identifier) == 0)
        return;
    free(view->master_identifier);
    view->master_identifier = NULL;
    view->master = SV_INSTANCE_NONE;
    if (!*identifier)
        return;
    view->master_identifier = strdup(identifier);
    if (!view->master_identifier)
        abort();
    view->master = sv_instance_find(cluster, identifier);
}

void sv_modes_set_master(struct sv_cluster *cluster, sv_instance_place master, uint64_t term)
{
    struct sv_view *view = &sv_local(cluster)->view;
    if (view->master == master && view->term == term)
        return;
    keep_master(cluster, view,
                master == SV_INSTANCE_NONE ? "" : cluster->instances[master]->identifier);
    view->term = term;
    mark(cluster);
}

void sv_modes_set_degraded(struct sv_cluster *cluster, bool is_degraded)
{
    struct sv_view *view = &sv_local(cluster)->view;
    if (view->degraded_mode != is_degraded)
        mark(cluster);
    view->degraded_mode = is_degraded;
}

void sv_modes_set_jobs(struct sv_cluster *cluster)
{
    struct sv_view *view = &sv_local(cluster)->view;
    bool is_starting = sv_commander_is_starting(cluster);
    bool is_stopping = sv_commander_is_stopping(cluster);
    if (view->starting_jobs != is_starting || view->stopping_jobs != is_stopping)
        mark(cluster);
    view->starting_jobs = is_starting;
    view->stopping_jobs = is_stopping;
}

bool sv_modes_is_changed(const struct sv_cluster *cluster)
{
    return cluster->machine->has_news;
}

void sv_modes_told(struct sv_cluster *cluster)
{
    struct sv_view *view = &sv_local(cluster)->view;
    for (sv_instance_place i = 0; i < cluster->instance_count && i < view->seen_capacity; i++)
        view->seen[i].is_changed = false;
    cluster->machine->has_news = false;
    cluster->machine->told_ns = cluster->now_ns;
    sv_timer_cancel(cluster, &cluster->machine->sight_timer);
}

void sv_modes_export(const struct sv_cluster *cluster, const struct sv_view *view, bool everything,
                     struct sv_arena *arena, struct sv_mesh_modes *ret)
{
    size_t known = view->seen_capacity < cluster->instance_count ? view->seen_capacity
                                                                 : cluster->instance_count;
    size_t count = 0;
    for (size_t i = 0; i < known; i++)
        count += everything || view->seen[i].is_changed;
    struct sv_mesh_instance_state *states =
        sv_arena_array(arena, struct sv_mesh_instance_state, count + 1);
    if (!states)
        abort();
    size_t next = 0;
    for (size_t i = 0; i < known; i++)
        if (everything || view->seen[i].is_changed)
            states[next++] = (struct sv_mesh_instance_state){
                .identifier = cluster->instances[i]->identifier,
                .state = (enum sv_instance_state)view->seen[i].state,
                .is_settled = view->seen[i].is_settled,
            };
    *ret = (struct sv_mesh_modes){
        .state = view->state,
        .degraded_mode = view->degraded_mode,
        .discovery_mode = view->discovery_mode,
        .starting_jobs = view->starting_jobs,
        .stopping_jobs = view->stopping_jobs,
        /* its own text: the view's is gone when another Master is followed in the same step */
        .master_identifier =
            view->master == SV_INSTANCE_NONE ? "" : cluster->instances[view->master]->identifier,
        .term = view->term,
        .instance_states = states,
        .instance_count = count,
    };
}

static void forget_seen(struct sv_view *view)
{
    if (view->seen)
        memset(view->seen, 0, view->seen_capacity * sizeof(*view->seen));
    view->running_hash = 0;
    view->running_count = 0;
    view->has_unknown = false;
}

/* The Master has nothing left to do about those that it has lost. */
static void hear_of_losses(struct sv_cluster *cluster, const struct sv_instance *from)
{
    const struct sv_view *view = &from->view;
    if (sv_machine_master(cluster) != from->place || view->master != from->place ||
        view->state != SV_SUPVISORS_STATE_OPERATION || view->starting_jobs || view->stopping_jobs)
        return;
    for (sv_instance_place i = 0; i < cluster->instance_count && i < view->seen_capacity; i++)
        if (view->seen[i].state == SV_INSTANCE_STATE_STOPPED ||
            view->seen[i].state == SV_INSTANCE_STATE_ISOLATED)
            sv_commander_lost_is_handled(cluster, i);
}

/* Most lists have the same order, so that the next place is that of the next name. */
static sv_instance_place place_of(const struct sv_cluster *cluster, const char *identifier,
                                  sv_instance_place *next)
{
    sv_instance_place place = *next;
    if (place >= cluster->instance_count ||
        strcmp(cluster->instances[place]->identifier, identifier) != 0)
        place = sv_instance_find(cluster, identifier);
    if (place != SV_INSTANCE_NONE)
        *next = place + 1;
    return place;
}

void sv_modes_receive(struct sv_cluster *cluster, struct sv_instance *from,
                      const struct sv_mesh_modes *modes, bool is_snapshot)
{
    struct sv_view *view = &from->view;
    if (is_snapshot)
        forget_seen(view);
    view->is_known = true;
    if (view->starting_jobs != modes->starting_jobs || view->stopping_jobs != modes->stopping_jobs)
        sv_notice_modes(cluster); /* our own state has the jobs of all */
    view->state = modes->state;
    view->degraded_mode = modes->degraded_mode;
    view->discovery_mode = modes->discovery_mode;
    view->starting_jobs = modes->starting_jobs;
    view->stopping_jobs = modes->stopping_jobs;
    view->term = modes->term;
    keep_master(cluster, view, modes->master_identifier ? modes->master_identifier : "");
    sv_instance_place next = 0;
    for (size_t i = 0; i < modes->instance_count; i++) {
        const struct sv_mesh_instance_state *told = &modes->instance_states[i];
        sv_instance_place place =
            told->identifier ? place_of(cluster, told->identifier, &next) : SV_INSTANCE_NONE;
        bool is_running = told->state == SV_INSTANCE_STATE_RUNNING;
        if (place == SV_INSTANCE_NONE) {
            if (view->has_unknown && !is_running)
                sv_replica_resync(cluster, from);
            view->has_unknown |= is_running;
            continue;
        }
        struct sv_seen *seen = seen_at(cluster, view, place);
        count_running(view, cluster->instances[place]->hash,
                      seen->state == SV_INSTANCE_STATE_RUNNING, is_running);
        *seen = (struct sv_seen){.state = (uint8_t)told->state, .is_settled = told->is_settled};
    }
    if (view->term > cluster->machine->term_max)
        cluster->machine->term_max = view->term;
    hear_of_losses(cluster, from);
}

void sv_modes_forget(struct sv_cluster *cluster, struct sv_instance *instance)
{
    (void)cluster;
    struct sv_view *view = &instance->view;
    forget_seen(view);
    free(view->master_identifier);
    *view = (struct sv_view){
        .seen = view->seen, .seen_capacity = view->seen_capacity, .master = SV_INSTANCE_NONE};
}

bool sv_modes_have_jobs(const struct sv_cluster *cluster)
{
    for (sv_instance_place i = 0; i < cluster->instance_count; i++) {
        const struct sv_instance *instance = cluster->instances[i];
        bool has_jobs = i == cluster->local
                            ? sv_commander_is_starting(cluster) || sv_commander_is_stopping(cluster)
                            : instance->view.starting_jobs || instance->view.stopping_jobs;
        if (instance->state == SV_INSTANCE_STATE_RUNNING && has_jobs)
            return true;
    }
    return false;
}

bool sv_modes_is_stable(const struct sv_cluster *cluster)
{
    const struct sv_view *ours = &sv_local(cluster)->view;
    for (sv_instance_place i = 0; i < cluster->instance_count; i++) {
        const struct sv_instance *instance = cluster->instances[i];
        if (instance->state != SV_INSTANCE_STATE_RUNNING)
            continue;
        const struct sv_view *view = &instance->view;
        if (view->running_hash != ours->running_hash ||
            view->running_count != ours->running_count || view->has_unknown)
            return false;
    }
    return ours->running_count > 0;
}
