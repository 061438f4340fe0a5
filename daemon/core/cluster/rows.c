/*
 * What instances tell of their processes, and what it leads to:
 *
 *     row -> model -> is it what a start or a stop waited for?   starter.c, stopper.c
 *                  -> has it failed by itself?                   failure.c (Master)
 *                  -> do clients hear of it?                     notices
 *                  -> does somebody wait for the end of it?      waiting.c
 *
 * A row comes alone, or in a snapshot. Of a snapshot nothing goes on before all of it is known, and
 * what it does not tell is gone (is_told). An instance that is lost tells nothing any more: its
 * running copies have ended.
 *
 * What is forced on a process is told like a row (forced.c says by whom, and for how long), so it
 * is heard here: the greater serial holds, an end is final, and who hears of what has ended already
 * says so.
 */
#include "core/cluster/commander.h"

/* ---- One row ---- */

/* Everything that holds the member lets it go. True: its application went too. */
static bool forget_member(struct sv_commander *commander, struct sv_member *member)
{
    struct sv_application *application = member->application;
    if (application->member_count == 1)
        sv_waiters_forget_application(commander, application);
    sv_sequencer_forget(commander, &commander->starts, member);
    sv_sequencer_forget(commander, &commander->stops, member);
    sv_failure_forget(commander, member);
    sv_waiters_forget_member(commander, member);
    commander->has_ended = true;
    return sv_model_drop(commander->model, member);
}

static void remove_row(struct sv_commander *commander, struct sv_member *member,
                       sv_instance_place instance)
{
    struct sv_cluster *cluster = commander->cluster;
    struct sv_application *application = member->application;
    bool is_gone = sv_model_untell(commander->model, member, instance);
    sv_starter_news(commander, member, instance);
    sv_stopper_news(commander, member, instance);
    sv_notice_process(cluster, application->name, member->name, instance,
                      is_gone ? SV_PROCESS_NEWS_GONE : SV_PROCESS_NEWS_REMOVED);
    sv_notice_application(cluster, application->name);
    if (!is_gone || !forget_member(commander, member))
        sv_application_refresh(commander->model, application);
}

/* An event of a process, with all that follows but the jobs that may go on now. */
static void hear_row(struct sv_commander *commander, sv_instance_place instance,
                     const struct sv_mesh_process *row)
{
    struct sv_cluster *cluster = commander->cluster;
    struct sv_application *application = sv_model_application(commander->model, row->application);
    struct sv_member *member = application ? sv_application_member(application, row->name) : NULL;
    const struct sv_copy *former = member ? sv_member_copy(member, instance) : NULL;
    bool was_running = former && sv_state_is_running(former->row.state);
    bool is_only_disability =
        former && former->row.state == row->state && former->row.is_disabled != row->is_disabled;
    bool is_snapshot = commander->snapshot == instance;
    enum sv_row_effect effect =
        sv_model_tell(commander->model, instance, row, cluster->now_ns, &member);
    sv_member_copy(member, instance)->is_told = true;
    if (effect == SV_ROW_EVENT) {
        enum sv_start_news start = sv_starter_news(commander, member, instance);
        sv_stopper_news(commander, member, instance);
        if (sv_machine_is_master(cluster) && sv_row_is_crashed(row) &&
            sv_member_is_crashed(member) && (!is_snapshot || was_running))
            sv_failure_crashed(commander, member, start);
        if (row->is_fenced && sv_row_is_crashed(row) && member->running_count == 0)
            sv_member_remember_lost(commander->model, member);
    }
    bool is_news = sv_application_refresh(commander->model, member->application);
    if (effect != SV_ROW_DETAILS || !is_snapshot)
        sv_notice_process(cluster, member->application->name, member->name, instance,
                          sv_row_news(effect, is_snapshot, is_only_disability));
    if (effect != SV_ROW_DETAILS || is_news)
        sv_notice_application(cluster, member->application->name);
}

void sv_model_put(struct sv_cluster *cluster, sv_instance_place instance,
                  const struct sv_mesh_process *row)
{
    struct sv_commander *commander = cluster->commander;
    if (!row->is_removed) {
        hear_row(commander, instance, row);
    } else {
        struct sv_application *application =
            sv_model_application(&cluster->model, row->application);
        struct sv_member *member =
            application ? sv_application_member(application, row->name) : NULL;
        if (member && sv_member_copy(member, instance))
            remove_row(commander, member, instance);
    }
    if (commander->snapshot == SV_INSTANCE_NONE)
        sv_commander_settle(commander);
}

/* ---- All rows of an instance ---- */

void sv_model_begin_snapshot(struct sv_cluster *cluster, sv_instance_place instance)
{
    cluster->commander->snapshot = instance;
    for (size_t a = 0; a < cluster->model.application_count; a++) {
        const struct sv_application *application = cluster->model.applications[a];
        for (size_t i = 0; i < application->member_count; i++) {
            struct sv_copy *copy = sv_member_copy(application->members[i], instance);
            if (copy)
                copy->is_told = false;
        }
    }
}

/* Backwards: a removal moves what is behind it. */
void sv_model_end_snapshot(struct sv_cluster *cluster, sv_instance_place instance)
{
    struct sv_commander *commander = cluster->commander;
    for (size_t a = cluster->model.application_count; a-- > 0;) {
        const struct sv_application *application = cluster->model.applications[a];
        for (size_t i = application->member_count; i-- > 0;) {
            struct sv_member *member = application->members[i];
            const struct sv_copy *copy = sv_member_copy(member, instance);
            if (copy && !copy->is_told)
                remove_row(commander, member, instance);
        }
    }
    commander->snapshot = SV_INSTANCE_NONE;
    sv_commander_settle(commander);
}

void sv_model_lose(struct sv_cluster *cluster, sv_instance_place instance)
{
    struct sv_commander *commander = cluster->commander;
    struct sv_model *model = &cluster->model;
    const char *identifier = sv_instance_identifier(cluster, instance);
    sv_model_orphan_forced(cluster, instance);
    for (size_t a = 0; a < model->application_count; a++) {
        struct sv_application *application = model->applications[a];
        for (size_t i = 0; i < application->member_count; i++) {
            struct sv_member *member = application->members[i];
            if (sv_member_lose(model, member, instance, identifier, cluster->now_ns))
                sv_notice_process(cluster, application->name, member->name, instance,
                                  SV_PROCESS_NEWS_LOST);
        }
        if (application->is_stale) {
            sv_application_refresh(model, application);
            sv_notice_application(cluster, application->name);
        }
    }
    sv_starter_lost(commander, instance);
    sv_stopper_lost(commander, instance);
    sv_commander_settle(commander);
}

/* ---- Forced states ---- */

static bool lift(struct sv_cluster *cluster, struct sv_member *member, uint64_t serial)
{
    bool was_forced = member->is_forced && member->forced_serial <= serial;
    if (was_forced)
        sv_member_unforce(&cluster->model, member);
    if (!member->is_forced && member->forced_serial < serial)
        member->forced_serial = serial;
    return was_forced;
}

void sv_model_force(struct sv_cluster *cluster, sv_instance_place from,
                    const struct sv_mesh_forced *forced)
{
    struct sv_model *model = &cluster->model;
    struct sv_application *application = sv_model_application(model, forced->application);
    struct sv_member *member =
        application ? sv_application_member(application, forced->name) : NULL;
    if (!member)
        return;
    const struct sv_forced change = {
        .state = forced->state,
        .reason = forced->reason,
        .target =
            *forced->identifier ? sv_instance_find(cluster, forced->identifier) : SV_INSTANCE_NONE,
        .by = from,
        .event_ns = forced->event_ns,
        .serial = forced->serial,
    };
    if (forced->serial > model->forced_serial)
        model->forced_serial = forced->serial;
    if (!forced->is_lifted && !member->is_forced && sv_member_knows_end(member, forced->serial))
        sv_forced_contradict(cluster, member);
    bool is_news = forced->is_lifted ? lift(cluster, member, forced->serial)
                                     : sv_member_force(model, member, &change, cluster->now_ns);
    if (!is_news)
        return;
    sv_application_refresh(model, application);
    sv_notice_process(cluster, application->name, member->name, SV_INSTANCE_NONE,
                      SV_PROCESS_NEWS_FORCED);
    sv_notice_application(cluster, application->name);
}

void sv_model_orphan_forced(struct sv_cluster *cluster, sv_instance_place from)
{
    for (size_t a = 0; a < cluster->model.application_count; a++) {
        const struct sv_application *application = cluster->model.applications[a];
        for (size_t i = 0; i < application->member_count; i++)
            if (application->members[i]->is_forced && application->members[i]->forced_by == from)
                sv_member_orphan(&cluster->model, application->members[i]);
    }
}
