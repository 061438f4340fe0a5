/*
 * Running failures (Supvisors 0.19: strategy.py, RunningFailureHandler; statemachine.py).
 *
 * Two things are running failures: a process that crashed by itself, and one that was lost with its
 * instance. Only the Master looks after them.
 *
 *                          crashed                        lost
 *     CONTINUE             nothing                        told
 *     RESTART_PROCESS      the node's own autorestart     started elsewhere
 *     STOP_APPLICATION     the application is stopped
 *     RESTART_APPLICATION  the application is stopped and started
 *     SHUTDOWN, RESTART    the whole cluster              told: it could not help the lost node
 *
 * STOP_APPLICATION covers everything else about the application, RESTART_APPLICATION what concerns
 * the programs of its start sequence. RESTART_PROCESS is promoted to RESTART_APPLICATION when the
 * application has stopped with the loss. Nothing is done while its application has a job.
 *
 * What a Master has begun may end with it. The others keep what failed in mind until it says that
 * it is done (model.h, is_lost); the next one takes it up where it is: also when the process that
 * failed runs again, but its application was being restarted.
 *
 * A start that fails is a running failure as well. There Supvisors restarts the application again
 * and again when it can never start; here once, and a failed start never restarts the cluster.
 */
#include <stdlib.h>

#include "base/choice.h"
#include "core/cluster/commander.h"

static bool has(const struct sv_commander *commander, const struct sv_application *application,
                enum sv_running_failure_strategy strategy)
{
    for (size_t i = 0; i < commander->failure_count; i++)
        if (commander->failures[i].application == application &&
            commander->failures[i].strategy == strategy)
            return true;
    return false;
}

static bool is_in_start_sequence(const struct sv_member *member)
{
    return sv_member_is_sequenced(member) && member->rules.start_sequence > 0;
}

/* Is made superfluous by what is done about the application. */
static bool is_covered(const struct sv_failure *failure, enum sv_running_failure_strategy strategy)
{
    if (strategy == SV_RUNNING_FAILURE_STRATEGY_STOP_APPLICATION)
        return failure->strategy != strategy;
    return failure->strategy == SV_RUNNING_FAILURE_STRATEGY_RESTART_PROCESS &&
           is_in_start_sequence(failure->cause);
}

static void add_application(struct sv_commander *commander, struct sv_member *cause,
                            enum sv_running_failure_strategy strategy)
{
    struct sv_application *application = cause->application;
    size_t kept = 0;
    for (size_t i = 0; i < commander->failure_count; i++) {
        const struct sv_failure *failure = &commander->failures[i];
        if (failure->application != application || !is_covered(failure, strategy))
            commander->failures[kept++] = *failure;
    }
    commander->failure_count = kept;
    if (has(commander, application, strategy))
        return;
    commander->failures = sv_grow(commander->failures, &commander->failure_capacity, kept + 1,
                                  sizeof(*commander->failures));
    commander->failures[commander->failure_count++] =
        (struct sv_failure){.strategy = strategy, .application = application, .cause = cause};
}

static void add_process(struct sv_commander *commander, struct sv_member *member)
{
    for (size_t i = 0; i < commander->failure_count; i++)
        if (commander->failures[i].cause == member &&
            commander->failures[i].strategy == SV_RUNNING_FAILURE_STRATEGY_RESTART_PROCESS)
            return;
    commander->failures = sv_grow(commander->failures, &commander->failure_capacity,
                                  commander->failure_count + 1, sizeof(*commander->failures));
    commander->failures[commander->failure_count++] = (struct sv_failure){
        .strategy = SV_RUNNING_FAILURE_STRATEGY_RESTART_PROCESS,
        .application = member->application,
        .cause = member,
    };
}

/* True: what is done about the application does for the process too. */
static bool is_done_anyway(const struct sv_commander *commander, const struct sv_member *member)
{
    return has(commander, member->application, SV_RUNNING_FAILURE_STRATEGY_STOP_APPLICATION) ||
           (has(commander, member->application, SV_RUNNING_FAILURE_STRATEGY_RESTART_APPLICATION) &&
            is_in_start_sequence(member));
}

static void add_restart_application(struct sv_commander *commander, struct sv_member *member)
{
    if (!has(commander, member->application, SV_RUNNING_FAILURE_STRATEGY_STOP_APPLICATION))
        add_application(commander, member, SV_RUNNING_FAILURE_STRATEGY_RESTART_APPLICATION);
}

void sv_failure_add(struct sv_commander *commander, struct sv_member *member)
{
    struct sv_application *application = member->application;
    switch (member->rules.running_failure_strategy) {
    case SV_RUNNING_FAILURE_STRATEGY_STOP_APPLICATION:
        add_application(commander, member, SV_RUNNING_FAILURE_STRATEGY_STOP_APPLICATION);
        return;
    case SV_RUNNING_FAILURE_STRATEGY_RESTART_APPLICATION:
        add_restart_application(commander, member);
        return;
    case SV_RUNNING_FAILURE_STRATEGY_RESTART_PROCESS:
        if (is_done_anyway(commander, member))
            return;
        sv_application_refresh(commander->model, application);
        if (application->state == SV_APPLICATION_STATE_STOPPED && is_in_start_sequence(member)) {
            sv_commander_say(commander, SV_LOG_WARN, member,
                             "RESTART_PROCESS becomes RESTART_APPLICATION: all of it has stopped");
            add_restart_application(commander, member);
        } else {
            add_process(commander, member);
        }
        return;
    case SV_RUNNING_FAILURE_STRATEGY_CONTINUE:
    case SV_RUNNING_FAILURE_STRATEGY_SHUTDOWN:
    case SV_RUNNING_FAILURE_STRATEGY_RESTART:
        if (!is_done_anyway(commander, member))
            sv_commander_say(commander, SV_LOG_WARN, member,
                             "nothing is done about its failure: strategy %s",
                             sv_choice_name(SV_CHOICE_RUNNING_FAILURE_STRATEGY,
                                            (int)member->rules.running_failure_strategy));
        return;
    }
}

/* Something of its start sequence is still missing. */
static bool is_incomplete(const struct sv_application *application)
{
    for (size_t i = 0; i < application->member_count; i++) {
        const struct sv_member *member = application->members[i];
        bool has_ended_well = member->rules.wait_exit && member->state == SV_PROCESS_EXITED &&
                              member->is_expected_exit;
        if (is_in_start_sequence(member) && sv_state_is_stopped(member->state) && !has_ended_well)
            return true;
    }
    return false;
}

void sv_failure_take_up(struct sv_commander *commander, struct sv_member *member)
{
    struct sv_application *application = member->application;
    sv_member_update(commander->model, member);
    if (member->command_count > 0) { /* it is being started or stopped */
        struct sv_job *job = sv_sequencer_job(&commander->starts, application);
        if (job && !job->cause)
            job->cause = member;
        return;
    }
    if (!sv_state_is_running(member->state)) {
        sv_failure_add(commander, member);
        return;
    }
    if (member->rules.running_failure_strategy != SV_RUNNING_FAILURE_STRATEGY_RESTART_APPLICATION ||
        application->job_count > 0 || !is_incomplete(application))
        return;
    sv_commander_say(commander, SV_LOG_WARN, member, "the restart of %s is taken up again",
                     application->name);
    struct sv_job *job =
        sv_start_application(commander, application, application->rules.starting_strategy);
    if (job)
        job->cause = member;
}

void sv_failure_crashed(struct sv_commander *commander, struct sv_member *member,
                        enum sv_start_news start)
{
    struct sv_str why = {0};
    enum sv_running_failure_strategy strategy = member->rules.running_failure_strategy;
    if (sv_machine_state(commander->cluster) >= SV_SUPVISORS_STATE_RESTARTING)
        return; /* everything is to stop */
    bool is_endless =
        (strategy == SV_RUNNING_FAILURE_STRATEGY_RESTART && start != SV_START_NEWS_NONE) ||
        (strategy == SV_RUNNING_FAILURE_STRATEGY_RESTART_APPLICATION &&
         start == SV_START_NEWS_FAILED_AGAIN);
    if (is_endless) {
        sv_commander_say(commander, SV_LOG_ERROR, member,
                         "strategy %s is not applied: its start would only fail again",
                         sv_choice_name(SV_CHOICE_RUNNING_FAILURE_STRATEGY, (int)strategy));
        return;
    }
    sv_namespec(&why, member);
    switch (strategy) {
    case SV_RUNNING_FAILURE_STRATEGY_RESTART:
        sv_str_add(&why, " crashed, strategy RESTART");
        sv_machine_restart(commander->cluster,
                           sv_text(commander->cluster, "%s", sv_str_text(&why)));
        break;
    case SV_RUNNING_FAILURE_STRATEGY_SHUTDOWN:
        sv_str_add(&why, " crashed, strategy SHUTDOWN");
        sv_machine_shutdown(commander->cluster,
                            sv_text(commander->cluster, "%s", sv_str_text(&why)));
        break;
    case SV_RUNNING_FAILURE_STRATEGY_STOP_APPLICATION:
    case SV_RUNNING_FAILURE_STRATEGY_RESTART_APPLICATION:
        /* What was forced failed at a start; to start it again would fail again. */
        if (!member->is_forced)
            sv_failure_add(commander, member);
        break;
    case SV_RUNNING_FAILURE_STRATEGY_CONTINUE:
    case SV_RUNNING_FAILURE_STRATEGY_RESTART_PROCESS:
        break;
    }
    sv_str_done(&why);
}

static void trigger(struct sv_commander *commander, const struct sv_failure *failure)
{
    struct sv_application *application = failure->application;
    enum sv_starting_strategy strategy = application->rules.starting_strategy;
    struct sv_job *job;
    /* While it had to wait, somebody else has seen to it. */
    if (failure->strategy != SV_RUNNING_FAILURE_STRATEGY_STOP_APPLICATION &&
        sv_state_is_running(failure->cause->state) &&
        (failure->strategy == SV_RUNNING_FAILURE_STRATEGY_RESTART_PROCESS ||
         !is_incomplete(application)))
        return;
    if (failure->strategy == SV_RUNNING_FAILURE_STRATEGY_RESTART_PROCESS) {
        if (sv_state_is_running(failure->cause->state))
            return; /* what was done about another one has started it as well */
        sv_commander_say(commander, SV_LOG_WARN, failure->cause, "restarted after its failure");
        job = sv_restart_process(commander, failure->cause, strategy, NULL);
    } else if (failure->strategy == SV_RUNNING_FAILURE_STRATEGY_STOP_APPLICATION) {
        sv_commander_say(commander, SV_LOG_WARN, failure->cause, "%s is stopped after its failure",
                         application->name);
        job = sv_stop_application(commander, application);
    } else {
        sv_commander_say(commander, SV_LOG_WARN, failure->cause,
                         "%s is restarted after its failure", application->name);
        job = sv_restart_application(commander, application, strategy);
    }
    if (job)
        job->cause = failure->cause;
}

bool sv_failure_trigger(struct sv_commander *commander)
{
    /* Stops, then restarts, then processes; of one kind in the order in which they happened. */
    static const enum sv_running_failure_strategy order[] = {
        SV_RUNNING_FAILURE_STRATEGY_STOP_APPLICATION,
        SV_RUNNING_FAILURE_STRATEGY_RESTART_APPLICATION,
        SV_RUNNING_FAILURE_STRATEGY_RESTART_PROCESS,
    };
    size_t count = commander->failure_count;
    struct sv_failure *ready = count > 0 ? sv_allocate(count, sizeof(*ready)) : NULL;
    size_t ready_count = 0;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const struct sv_failure failure = commander->failures[i];
        if (failure.application->job_count > 0)
            commander->failures[kept++] = failure;
        else
            ready[ready_count++] = failure;
    }
    commander->failure_count = kept;
    for (size_t o = 0; o < sizeof(order) / sizeof(order[0]); o++)
        for (size_t i = 0; i < ready_count; i++)
            if (ready[i].strategy == order[o])
                trigger(commander, &ready[i]);
    free(ready);
    return ready_count > 0;
}

/* What was to be started again, and is not yet: the next Master will. */
static void remember_job(struct sv_commander *commander, const struct sv_job *job)
{
    bool is_unfinished = job->restart_count > 0;
    for (size_t i = 0; i < job->restart_count; i++)
        if (job->restarts[i].member)
            sv_member_remember_lost(commander->model, job->restarts[i].member);
    for (size_t i = 0; i < job->order_count; i++) {
        const struct sv_order *order = job->orders[i];
        is_unfinished |= order->stage < SV_ORDER_SENT;
        if (job->kind == &sv_starter_kind && order->member->running_count == 0)
            sv_member_remember_lost(commander->model, order->member);
    }
    if (is_unfinished)
        sv_member_remember_lost(commander->model, job->cause);
}

/* Everybody sees then that it does not run as it should, whoever is Master next. */
static void show_given_up(struct sv_commander *commander, const struct sv_job *job)
{
    const char *const given_up = "its restart was given up for an election";
    for (size_t i = 0; i < job->application->member_count; i++) {
        struct sv_member *member = job->application->members[i];
        const struct sv_order *order = sv_job_order(job, member, SV_INSTANCE_NONE);
        bool was_to_start = job->restart_count > 0 ? is_in_start_sequence(member)
                                                   : order && order->stage < SV_ORDER_SENT;
        if (!was_to_start || !sv_state_is_stopped(member->state) || member->is_forced)
            continue;
        sv_commander_say(commander, SV_LOG_WARN, member, "%s", given_up);
        sv_commander_force(commander, member, SV_INSTANCE_NONE, SV_PROCESS_FATAL, given_up);
    }
}

void sv_failure_abort(struct sv_commander *commander)
{
    const struct sv_sequencer *const sequencers[] = {&commander->starts, &commander->stops};
    for (size_t i = 0; i < commander->failure_count; i++)
        sv_member_remember_lost(commander->model, commander->failures[i].cause);
    commander->failure_count = 0;
    for (size_t s = 0; s < sizeof(sequencers) / sizeof(sequencers[0]); s++)
        for (size_t j = 0; j < sequencers[s]->job_count; j++) {
            const struct sv_job *job = sequencers[s]->jobs[j];
            if (!job->cause)
                continue;
            remember_job(commander, job);
            if (job->kind == &sv_starter_kind || job->restart_count > 0)
                show_given_up(commander, job);
        }
}

void sv_failure_forget(struct sv_commander *commander, const struct sv_member *member)
{
    size_t kept = 0;
    for (size_t i = 0; i < commander->failure_count; i++)
        if (commander->failures[i].cause != member)
            commander->failures[kept++] = commander->failures[i];
    commander->failure_count = kept;
}
