/*
 * What rows and requests lead to: the commander's face for the members' half (internal.h).
 *
 *     row -> model -> is it what a start or a stop waited for?   starter.c, stopper.c
 *                  -> has it failed by itself?                   failure.c (Master)
 *                  -> does somebody wait for the end of it?      waiting.c
 *
 * Every entry ends with sv_commander_settle(), which works off all that can be done now. So there
 * is no period anywhere: an event has all of its consequences in the step that it came in, and what
 * has to be waited for has a deadline of its own.
 */
#include "core/cluster/commander.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define NS_PER_SECOND UINT64_C(1000000000)

/* ---- Shared by the modules ---- */

void sv_namespec(struct sv_str *str, const struct sv_member *member)
{
    const char *group = member->application->name;
    if (strcmp(group, member->name) != 0)
        sv_str_addf(str, "%s:", group);
    sv_str_add(str, member->name);
}

void sv_commander_say(struct sv_commander *commander, enum sv_log_level level,
                      struct sv_member *member, const char *format, ...)
{
    struct sv_str line = {0};
    va_list arguments;
    if (member) {
        sv_namespec(&line, member);
        sv_str_add(&line, ": ");
    }
    size_t begin = line.length;
    va_start(arguments, format);
    sv_str_addv(&line, format, arguments);
    va_end(arguments);
    if (member)
        sv_member_set_why(member, sv_str_text(&line) + begin);
    const struct sv_subject subject = {.instance = SV_INSTANCE_NONE,
                                       .application = member ? member->application->name : "",
                                       .name = member ? member->name : ""};
    if (!commander->run)
        sv_decide_about(commander->cluster, level, &subject, sv_str_text(&line));
    sv_str_done(&line);
}

void sv_commander_force(struct sv_commander *commander, struct sv_member *member,
                        sv_instance_place target, enum sv_process_state state, const char *reason)
{
    struct sv_cluster *cluster = commander->cluster;
    const struct sv_copy *copy = target == SV_INSTANCE_NONE ? NULL : sv_member_copy(member, target);
    uint64_t event_ns = copy ? copy->row.event_ns : 0;
    if (commander->run) {
        struct sv_forced forced = {state, reason, target, cluster->local, event_ns, UINT64_MAX};
        sv_member_force(commander->model, member, &forced, cluster->now_ns);
        return;
    }
    const struct sv_mesh_forced forced = {
        .application = member->application->name,
        .name = member->name,
        .identifier = target == SV_INSTANCE_NONE ? "" : sv_instance_identifier(cluster, target),
        .state = state,
        .reason = reason,
        .event_ns = event_ns,
    };
    sv_forced_say(cluster, &forced);
}

uint64_t sv_commander_margin_ns(const struct sv_commander *commander)
{
    enum { LEAST_SECONDS = 2 };
    double suspect_after = commander->cluster->timing->suspect_after;
    double seconds = suspect_after > LEAST_SECONDS ? suspect_after : LEAST_SECONDS;
    return (uint64_t)(seconds * (double)NS_PER_SECOND);
}

static void tell_machine(struct sv_commander *commander)
{
    bool is_starting = commander->starts.job_count > 0;
    bool is_stopping = commander->stops.job_count > 0;
    bool has_conflict = commander->model->conflict_count > 0;
    bool has_lost = commander->model->lost_count > 0;
    if (is_starting != commander->was_starting || is_stopping != commander->was_stopping ||
        has_conflict != commander->had_conflict || has_lost)
        sv_machine_wake(commander->cluster);
    commander->was_starting = is_starting;
    commander->was_stopping = is_stopping;
    commander->had_conflict = has_conflict;
}

void sv_commander_settle(struct sv_commander *commander)
{
    bool goes_on;
    do {
        goes_on = sv_sequencer_next(commander, &commander->stops);
        goes_on |= sv_sequencer_next(commander, &commander->starts);
        goes_on |= sv_failure_trigger(commander);
    } while (goes_on);
    if (commander->has_ended) {
        commander->has_ended = false;
        sv_waiters_look(commander);
    }
    commander->batch++;
    sv_commander_drop_scene(commander);
    tell_machine(commander);
}

/* ---- Life ---- */

void sv_commander_new(struct sv_cluster *cluster, struct sv_rules *rules)
{
    struct sv_commander *commander = sv_allocate(1, sizeof(*commander));
    *commander = (struct sv_commander){
        .cluster = cluster,
        .model = &cluster->model,
        .starts = {.kind = &sv_starter_kind},
        .stops = {.kind = &sv_stopper_kind},
        .snapshot = SV_INSTANCE_NONE,
    };
    sv_model_init(&cluster->model, rules, cluster->supvisors->starting_strategy);
    cluster->model.local = cluster->local;
    cluster->commander = commander;
}

void sv_commander_free(struct sv_cluster *cluster)
{
    struct sv_commander *commander = cluster->commander;
    if (!commander)
        return;
    sv_waiters_done(commander);
    sv_sequencer_done(commander, &commander->starts);
    sv_sequencer_done(commander, &commander->stops);
    sv_commander_drop_scene(commander);
    free(commander->failures);
    free(commander);
    cluster->commander = NULL;
    sv_model_done(&cluster->model);
}

void sv_model_rules(struct sv_cluster *cluster, struct sv_rules *rules)
{
    struct sv_model *model = &cluster->model;
    sv_model_use_rules(model, rules);
    for (size_t i = 0; i < model->application_count; i++)
        if (sv_application_refresh(model, model->applications[i]))
            sv_notice_application(cluster, model->applications[i]->name);
    sv_commander_settle(cluster->commander);
}

/* ---- Rows ---- */

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

/* ---- Instances ---- */

void sv_commander_instance_failed(struct sv_cluster *cluster, sv_instance_place instance)
{
    struct sv_commander *commander = cluster->commander;
    struct sv_sequencer *const sequencers[] = {&commander->starts, &commander->stops};
    for (size_t s = 0; s < sizeof(sequencers) / sizeof(sequencers[0]); s++)
        for (size_t j = 0; j < sequencers[s]->job_count; j++)
            for (size_t i = 0; i < sequencers[s]->jobs[j]->order_count; i++) {
                struct sv_order *order = sequencers[s]->jobs[j]->orders[i];
                if (order->target == instance && order->stage >= SV_ORDER_SENT)
                    sv_commander_say(commander, SV_LOG_WARN, order->member,
                                     "waits: %s does not answer",
                                     sv_instance_nick(cluster, instance));
            }
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

void sv_commander_instance_running(struct sv_cluster *cluster, sv_instance_place instance)
{
    (void)instance;
    sv_commander_settle(cluster->commander);
}

static void each_lost(struct sv_cluster *cluster,
                      void (*visit)(struct sv_commander *commander, struct sv_member *member,
                                    sv_instance_place instance),
                      sv_instance_place instance)
{
    const struct sv_model *model = &cluster->model;
    for (size_t a = 0; model->lost_count > 0 && a < model->application_count; a++) {
        const struct sv_application *application = model->applications[a];
        for (size_t i = 0; i < application->member_count; i++)
            if (application->members[i]->is_lost)
                visit(cluster->commander, application->members[i], instance);
    }
}

static void handle(struct sv_commander *commander, struct sv_member *member,
                   sv_instance_place instance)
{
    (void)instance;
    sv_failure_take_up(commander, member);
}

void sv_commander_handle_lost(struct sv_cluster *cluster)
{
    each_lost(cluster, handle, SV_INSTANCE_NONE);
    sv_commander_settle(cluster->commander);
}

static void forget_loss(struct sv_commander *commander, struct sv_member *member,
                        sv_instance_place instance)
{
    if (member->lost_with == instance)
        sv_member_update(commander->model, member);
}

void sv_commander_lost_is_handled(struct sv_cluster *cluster, sv_instance_place instance)
{
    each_lost(cluster, forget_loss, instance);
}

bool sv_model_has_failure(const struct sv_cluster *cluster, sv_instance_place instance)
{
    for (size_t a = 0; a < cluster->model.application_count; a++) {
        const struct sv_application *application = cluster->model.applications[a];
        for (size_t i = 0; i < application->member_count; i++) {
            const struct sv_copy *copy = sv_member_copy(application->members[i], instance);
            if (copy && sv_row_is_crashed(&copy->row))
                return true;
        }
    }
    return false;
}

uint32_t sv_model_load(const struct sv_cluster *cluster, sv_instance_place instance)
{
    return instance < cluster->model.load_count ? cluster->model.loads[instance] : 0;
}

bool sv_model_has_conflict(const struct sv_cluster *cluster)
{
    return cluster->model.conflict_count > 0;
}

bool sv_model_is_managed(const struct sv_cluster *cluster, const char *application)
{
    const struct sv_application *found = sv_model_application(&cluster->model, application);
    return found && found->rules.is_managed;
}

/* ---- What the state machine asks for ---- */

void sv_commander_start_applications(struct sv_cluster *cluster)
{
    sv_start_all(cluster->commander);
    sv_commander_settle(cluster->commander);
}

void sv_commander_stop_applications(struct sv_cluster *cluster)
{
    sv_stop_all(cluster->commander);
    sv_commander_settle(cluster->commander);
}

void sv_commander_abort(struct sv_cluster *cluster)
{
    struct sv_commander *commander = cluster->commander;
    sv_failure_abort(commander);
    sv_waiters_abort(commander);
    sv_sequencer_done(commander, &commander->starts);
    sv_sequencer_done(commander, &commander->stops);
    sv_commander_settle(commander);
}

bool sv_commander_is_starting(const struct sv_cluster *cluster)
{
    return cluster->commander->starts.job_count > 0;
}

bool sv_commander_is_stopping(const struct sv_cluster *cluster)
{
    return cluster->commander->stops.job_count > 0;
}

void sv_commander_conciliate(struct sv_cluster *cluster)
{
    sv_conciliate(cluster->commander, cluster->supvisors->conciliation_strategy);
    sv_commander_settle(cluster->commander);
}

/* ---- Commands ---- */

static struct sv_order *find_order(const struct sv_sequencer *sequencer, uint64_t id)
{
    for (size_t j = 0; id > 0 && j < sequencer->job_count; j++)
        for (size_t i = 0; i < sequencer->jobs[j]->order_count; i++)
            if (sequencer->jobs[j]->orders[i]->command_id == id)
                return sequencer->jobs[j]->orders[i];
    return NULL;
}

void sv_commander_answered(struct sv_cluster *cluster, uint64_t id, int fault, const char *text)
{
    struct sv_commander *commander = cluster->commander;
    struct sv_order *order = find_order(&commander->starts, id);
    if (order)
        sv_starter_answered(commander, order, fault, text);
    else if ((order = find_order(&commander->stops, id)))
        sv_stopper_answered(commander, order, fault, text);
    sv_commander_settle(commander);
}

void sv_commander_may_start(struct sv_cluster *cluster)
{
    sv_starter_release(cluster->commander);
    sv_commander_settle(cluster->commander);
}

void sv_commander_request_gone(struct sv_cluster *cluster, uint64_t id)
{
    sv_waiters_forget_request(cluster->commander, id);
}

void sv_commander_state_changed(struct sv_cluster *cluster, enum sv_supvisors_state before)
{
    bool is_begun = before == SV_SUPVISORS_STATE_DISTRIBUTION &&
                    sv_machine_state(cluster) == SV_SUPVISORS_STATE_OPERATION;
    /* Another Master has distributed what was to be distributed. */
    if (is_begun && !sv_machine_is_master(cluster))
        sv_commander_lost_is_handled(cluster, SV_INSTANCE_NONE);
    sv_commander_settle(cluster->commander);
}
