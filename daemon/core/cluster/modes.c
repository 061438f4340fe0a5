/*
 * What this instance thinks of the cluster, and what the others say that they think.
 *
 * The local view is one like the others, told as part of our rows. A change of our state, of the
 * Master, the term or the jobs is told at the end of the step; how we see the others is sight.c.
 *
 * "Do all agree?" is asked after every message, and nearly always the answer is no because of the
 * same one: it is remembered, and asked first. So all are only looked at when all may agree.
 */
#include <stdlib.h>
#include <string.h>

#include "core/cluster/members.h"

static void mark(struct sv_cluster *cluster)
{
    cluster->machine->has_news = true;
    sv_machine_wake(cluster);
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
    cluster->machine->naming_count -= view->master_identifier != NULL;
    free(view->master_identifier);
    view->master_identifier = NULL;
    view->master = SV_INSTANCE_NONE;
    if (!*identifier)
        return;
    cluster->machine->naming_count++;
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
    cluster->machine->has_news = false;
}

void sv_modes_export(const struct sv_cluster *cluster, const struct sv_view *view,
                     struct sv_mesh_modes *ret)
{
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
    };
}

/* The Master has nothing left to do about those that it has lost. */
static void hear_of_losses(struct sv_cluster *cluster, const struct sv_instance *from)
{
    const struct sv_view *view = &from->view;
    if (sv_machine_master(cluster) != from->place || view->master != from->place ||
        view->state != SV_SUPVISORS_STATE_OPERATION || view->starting_jobs || view->stopping_jobs)
        return;
    struct sv_seen seen;
    for (sv_instance_place i = 0; i < cluster->instance_count; i++)
        if (sv_sight_of(cluster, from, i, &seen) &&
            (seen.state == SV_INSTANCE_STATE_STOPPED || seen.state == SV_INSTANCE_STATE_ISOLATED))
            sv_commander_lost_is_handled(cluster, i);
}

void sv_modes_receive(struct sv_cluster *cluster, struct sv_instance *from,
                      const struct sv_mesh_modes *modes)
{
    struct sv_view *view = &from->view;
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
    if (modes->sight)
        sv_sight_receive(view, modes->sight);
    if (view->term > cluster->machine->term_max)
        cluster->machine->term_max = view->term;
    hear_of_losses(cluster, from);
}

void sv_modes_forget(struct sv_cluster *cluster, struct sv_instance *instance)
{
    keep_master(cluster, &instance->view, "");
    free(instance->view.runs);
    instance->view = (struct sv_view){.master = SV_INSTANCE_NONE};
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

/* All that are RUNNING, beginning with the one that did not when this was last asked. */
static bool all_agree(const struct sv_cluster *cluster,
                      bool (*agrees)(const struct sv_view *ours, const struct sv_view *theirs),
                      sv_instance_place *other)
{
    const struct sv_view *ours = &sv_local(cluster)->view;
    sv_instance_place count = cluster->instance_count;
    for (sv_instance_place i = *other, left = count; left > 0; i++, left--) {
        const struct sv_instance *instance = cluster->instances[i < count ? i : i - count];
        if (instance->state == SV_INSTANCE_STATE_RUNNING && !agrees(ours, &instance->view)) {
            *other = instance->place;
            return false;
        }
    }
    return true;
}

static bool have_one_sight(const struct sv_view *ours, const struct sv_view *theirs)
{
    return theirs->running_sum == ours->running_sum && theirs->running_count == ours->running_count;
}

bool sv_modes_is_stable(const struct sv_cluster *cluster)
{
    return sv_local(cluster)->view.running_count > 0 &&
           all_agree(cluster, have_one_sight, &cluster->machine->other_sight);
}

static bool have_one_master(const struct sv_view *ours, const struct sv_view *theirs)
{
    return theirs->master == ours->master && theirs->term == ours->term;
}

bool sv_modes_have_one_master(const struct sv_cluster *cluster)
{
    return all_agree(cluster, have_one_master, &cluster->machine->other_master);
}
