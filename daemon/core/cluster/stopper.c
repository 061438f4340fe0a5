/*
 * Stops (Supvisors 0.19: commander.py, Stopper).
 *
 * An order is about one process in one instance. It is done when the process is in one of the
 * stopped states there; if that takes longer than stopwaitsecs and the margin, the process is shown
 * as STOPPED (forced), and the sequence goes on.
 *
 * A restart is a stop job with a start behind it: the application, if it has stopped then, or
 * processes one after the other.
 *
 * Where Supvisors does otherwise: it takes a process that somebody is stopping already for stopped,
 * so that the next number of the sequence, or the start after it, comes too early.
 */
#include "base/names.h"
#include "core/cluster/commander.h"

#define NS_PER_SECOND UINT64_C(1000000000)

static bool is_stopping_at(const struct sv_member *member, sv_instance_place instance)
{
    const struct sv_copy *copy = sv_member_copy(member, instance);
    return copy && copy->row.state == SV_PROCESS_STOPPING;
}

/* STOPPING has been told: the rest is the target's to do. */
static void await_end(struct sv_order *order)
{
    const struct sv_copy *copy = sv_member_copy(order->member, order->target);
    uint64_t stop_ns = copy ? copy->row.stopwaitsecs * NS_PER_SECOND : 0;
    order->stage = SV_ORDER_BEGUN;
    sv_order_arm(order, stop_ns + sv_commander_margin_ns(order->commander));
}

static bool stop_begin(struct sv_commander *commander, struct sv_order *order)
{
    const char *why = NULL;
    struct sv_member *member = order->member;
    if (is_stopping_at(member, order->target)) {
        await_end(order);
        return true;
    }
    if (!sv_member_is_running_on(member, order->target))
        return false;
    order->stage = SV_ORDER_SENT;
    sv_commander_say(commander, SV_LOG_INFO, member, "stopped on %s",
                     sv_instance_nick(commander->cluster, order->target));
    order->command_id = sv_command_stop(commander->cluster, order->target, member, "", &why);
    if (order->command_id == 0) {
        sv_commander_say(commander, SV_LOG_ERROR, member, "not stopped, refused by %s: %s",
                         sv_instance_nick(commander->cluster, order->target), why);
        return false;
    }
    sv_order_arm(order, sv_commander_margin_ns(commander));
    return true;
}

static void stop_late(struct sv_commander *commander, struct sv_order *order)
{
    bool has_begun = order->stage == SV_ORDER_BEGUN;
    const char *reason = has_begun ? "process STOPPED event not received in time"
                                   : "process STOPPING event not received in time";
    sv_commander_say(commander, SV_LOG_ERROR, order->member, "given up on %s: %s",
                     sv_instance_nick(commander->cluster, order->target), reason);
    sv_commander_force(commander, order->member, order->target, SV_PROCESS_STOPPED, reason);
    sv_order_end(order);
}

static void restart_now(struct sv_commander *commander, struct sv_job *job,
                        const struct sv_restart *restart)
{
    struct sv_application *application = job->application;
    struct sv_job *start = NULL;
    sv_application_refresh(commander->model, application);
    if (restart->member)
        start = sv_start_process(commander, restart->member, restart->strategy,
                                 restart->extra_arguments);
    else if (application->state == SV_APPLICATION_STATE_STOPPED)
        start = sv_start_application(commander, application, restart->strategy);
    else
        sv_commander_say(commander, SV_LOG_WARN, NULL,
                         "%s is not started again: it has not stopped", application->name);
    if (start) {
        start->cause = job->cause;
        start->batch = job->batch;
    }
    sv_sequencer_next(commander, &commander->starts);
}

/* The application before its processes, as Supvisors. */
static void stop_after(struct sv_commander *commander, struct sv_job *job)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < job->restart_count; i++)
            if ((pass == 0) == !job->restarts[i].member)
                restart_now(commander, job, &job->restarts[i]);
}

const struct sv_sequencer_kind sv_stopper_kind = {
    .is_highest_first = true,
    .begin = stop_begin,
    .after = stop_after,
    .late = stop_late,
};

/* ---- What the target tells ---- */

void sv_stopper_news(struct sv_commander *commander, struct sv_member *member,
                     sv_instance_place instance)
{
    struct sv_job *job = sv_sequencer_job(&commander->stops, member->application);
    struct sv_order *order = job ? sv_job_order(job, member, instance) : NULL;
    const struct sv_copy *copy = sv_member_copy(member, instance);
    if (!order || order->stage == SV_ORDER_PLANNED)
        return;
    if (!copy || sv_state_is_stopped(copy->row.state))
        sv_order_end(order);
    else if (copy->row.state == SV_PROCESS_STOPPING && order->stage == SV_ORDER_SENT)
        await_end(order);
}

void sv_stopper_answered(struct sv_commander *commander, struct sv_order *order, int fault,
                         const char *text)
{
    order->command_id = 0;
    if (fault == 0)
        return;
    /* Its rows tell what is true; what they tell already counts. */
    sv_commander_say(commander, SV_LOG_WARN, order->member, "not stopped by %s: %s",
                     sv_instance_nick(commander->cluster, order->target), text ? text : "");
    if (!sv_member_is_running_on(order->member, order->target))
        sv_order_end(order);
}

struct loss {
    struct sv_commander *commander;
    sv_instance_place instance;
};

static void order_lost(struct sv_order *order, void *user)
{
    const struct loss *loss = user;
    /* Its end is asked for, so its loss is no failure. */
    sv_member_update(loss->commander->model, order->member);
    if (order->target == loss->instance && order->stage != SV_ORDER_PLANNED)
        sv_order_end(order);
}

void sv_stopper_lost(struct sv_commander *commander, sv_instance_place instance)
{
    struct loss loss = {commander, instance};
    sv_sequencer_each(&commander->stops, order_lost, &loss);
}

/* ---- Plans ---- */

static void add_stop(struct sv_commander *commander, struct sv_job *job, struct sv_member *member,
                     sv_instance_place instance)
{
    if (!sv_job_order(job, member, instance))
        sv_job_add(commander, job, member, member->rules.stop_sequence)->target = instance;
}

static struct sv_job *plan_stop(struct sv_commander *commander, struct sv_application *application)
{
    struct sv_job *job = sv_sequencer_plan(commander, &commander->stops, application,
                                           application->rules.stop_sequence);
    for (size_t i = 0; i < application->member_count; i++) {
        struct sv_member *member = application->members[i];
        for (size_t r = 0; r < member->running_count; r++)
            add_stop(commander, job, member, member->running[r]);
    }
    return job;
}

struct sv_job *sv_stop_application(struct sv_commander *commander,
                                   struct sv_application *application)
{
    return sv_application_has_running(application) ? plan_stop(commander, application) : NULL;
}

void sv_stop_all(struct sv_commander *commander)
{
    for (size_t i = 0; i < commander->model->application_count; i++)
        sv_stop_application(commander, commander->model->applications[i]);
}

static struct sv_job *job_for(struct sv_commander *commander, struct sv_application *application)
{
    struct sv_job *job = sv_sequencer_job(&commander->stops, application);
    return job ? job
               : sv_sequencer_plan(commander, &commander->stops, application,
                                   application->rules.stop_sequence);
}

void sv_stop_process(struct sv_commander *commander, struct sv_member *member,
                     sv_instance_place spared)
{
    for (size_t r = 0; r < member->running_count; r++) {
        sv_instance_place place = member->running[r];
        if (place != spared && !is_stopping_at(member, place))
            add_stop(commander, job_for(commander, member->application), member, place);
    }
}

static void add_restart(struct sv_job *job, struct sv_member *member,
                        enum sv_starting_strategy strategy, const char *extra_arguments)
{
    for (size_t i = 0; i < job->restart_count; i++)
        if (job->restarts[i].member == member)
            return;
    job->restarts = sv_grow(job->restarts, &job->restart_capacity, job->restart_count + 1,
                            sizeof(*job->restarts));
    job->restarts[job->restart_count++] = (struct sv_restart){
        .member = member,
        .strategy = strategy,
        .extra_arguments = sv_text_copy(extra_arguments),
    };
    if (member)
        member->command_count++;
}

struct sv_job *sv_restart_application(struct sv_commander *commander,
                                      struct sv_application *application,
                                      enum sv_starting_strategy strategy)
{
    if (sv_application_has_running(application)) {
        struct sv_job *job = plan_stop(commander, application);
        add_restart(job, NULL, strategy, NULL);
        return job;
    }
    sv_application_refresh(commander->model, application);
    return application->state == SV_APPLICATION_STATE_STOPPED
               ? sv_start_application(commander, application, strategy)
               : NULL;
}

struct sv_job *sv_restart_process(struct sv_commander *commander, struct sv_member *member,
                                  enum sv_starting_strategy strategy, const char *extra_arguments)
{
    if (member->running_count == 0)
        return sv_start_process(commander, member, strategy, extra_arguments);
    struct sv_job *job = job_for(commander, member->application);
    for (size_t r = 0; r < member->running_count; r++)
        add_stop(commander, job, member, member->running[r]);
    add_restart(job, member, strategy, extra_arguments);
    return job;
}
