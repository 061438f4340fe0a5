/*
 * What the members' half asks of the commander (internal.h), but for the rows of processes: rows.c.
 *
 * Every entry, here and there, ends with sv_commander_settle(), which works off all that can be
 * done now. So there is no period anywhere: an event has all of its consequences in the step that
 * it came in, and what has to be waited for has a deadline of its own.
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
