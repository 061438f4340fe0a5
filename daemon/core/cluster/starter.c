/*
 * Starts (Supvisors 0.19: commander.py, Starter).
 *
 * An order gets its instance when its turn comes, with everything that is on its way counted, by
 * whatever job; only applications of one instance or one node are placed as a whole, before their
 * first program. Then:
 *
 *     PICKED -> SENT -> BEGUN -> done, or -> EXIT -> done      what the target tells decides
 *        \-> HELD (quorum) -> SENT
 *
 * What fails is said (forced FATAL) where the process itself says nothing: no place, no answer in
 * time, a refusal. A failure of something required is the starting failure of its application:
 * ABORT lets what is under way end, STOP stops the application after that, CONTINUE goes on.
 *
 * Where Supvisors does otherwise: its loads do not see what other applications have under way; a
 * timeout is no starting failure; a start of one process of a SINGLE_INSTANCE application needs
 * room for all of it, and may go elsewhere than where the rest runs; on a SINGLE_NODE all are
 * placed by the loads before the first, also where the program is not known.
 */
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "core/cluster/commander.h"

#define NS_PER_SECOND UINT64_C(1000000000)
/* Many starts in one instance take their time: 200 a second is a slow one. */
#define NS_PER_START UINT64_C(5000000)

/* ---- Failures ---- */

static void starting_failure(struct sv_commander *commander, struct sv_job *job,
                             struct sv_member *member)
{
    const char *name = job->application->name;
    if (!member->rules.required) {
        sv_commander_say(commander, SV_LOG_INFO, NULL, "%s goes on starting: %s is not required",
                         name, member->name);
        return;
    }
    switch (member->rules.starting_failure_strategy) {
    case SV_STARTING_FAILURE_STRATEGY_ABORT:
        sv_commander_say(commander, SV_LOG_WARN, NULL,
                         "the start of %s is given up: %s is required, strategy ABORT", name,
                         member->name);
        sv_job_drop_planned(job);
        return;
    case SV_STARTING_FAILURE_STRATEGY_STOP:
        sv_commander_say(commander, SV_LOG_WARN, NULL,
                         "%s will be stopped: %s is required, strategy STOP", name, member->name);
        sv_job_drop_planned(job);
        job->stops_after = true;
        return;
    case SV_STARTING_FAILURE_STRATEGY_CONTINUE:
        sv_commander_say(commander, SV_LOG_INFO, NULL,
                         "%s goes on starting without %s: strategy CONTINUE", name, member->name);
        return;
    }
}

/* The order ends as failed. */
static void fail_order(struct sv_commander *commander, struct sv_order *order)
{
    struct sv_job *job = order->job;
    struct sv_member *member = order->member;
    sv_order_end(order);
    starting_failure(commander, job, member);
}

/* The same where the process itself says nothing of it. */
static void fail_forced(struct sv_commander *commander, struct sv_order *order, const char *reason)
{
    sv_commander_force(commander, order->member, order->target, SV_PROCESS_FATAL, reason);
    fail_order(commander, order);
}

/* ---- The life of an order ---- */

static uint32_t starts_under_way_at(const struct sv_commander *commander, sv_instance_place place)
{
    uint32_t count = 0;
    for (size_t j = 0; j < commander->starts.job_count; j++) {
        const struct sv_job *job = commander->starts.jobs[j];
        for (size_t i = 0; i < job->order_count; i++)
            count += job->orders[i]->stage == SV_ORDER_SENT && job->orders[i]->target == place;
    }
    return count;
}

static bool send_start(struct sv_commander *commander, struct sv_order *order, const char *text)
{
    const char *why = NULL;
    const char *arguments =
        order->extra_arguments ? order->extra_arguments : order->member->extra_arguments;
    order->stage = SV_ORDER_SENT;
    if (commander->run) {
        sv_prediction_start(commander, order);
        return true;
    }
    order->command_id =
        sv_command_start(commander->cluster, order->target, order->member, arguments, text, &why);
    if (order->command_id == 0) {
        sv_commander_say(commander, SV_LOG_ERROR, order->member, "refused by %s: %s",
                         sv_instance_nick(commander->cluster, order->target), why);
        sv_commander_force(commander, order->member, order->target, SV_PROCESS_FATAL, why);
        return false;
    }
    sv_order_arm(order, sv_commander_margin_ns(commander) +
                            NS_PER_START * starts_under_way_at(commander, order->target));
    return true;
}

/* Once, however often it is tried. */
static void say_held(struct sv_commander *commander, struct sv_member *member, const char *hold)
{
    const char *words = sv_text(commander->cluster, "not started yet: %s", hold);
    if (!member->why || strcmp(member->why, words) != 0)
        sv_commander_say(commander, SV_LOG_WARN, member, "%s", words);
}

enum outcome { WAITS, SUCCEEDS, FAILS };

static enum outcome judge(struct sv_order *order, const struct sv_mesh_process *row);

/* Whoever has started it (a job that an election has forgotten): those behind it wait until it is
 * RUNNING. What runs already is done at once, also with wait_exit. */
static bool start_join(struct sv_commander *commander, struct sv_order *order)
{
    const struct sv_member *member = order->member;
    bool is_starting = member->state == SV_PROCESS_STARTING || member->state == SV_PROCESS_BACKOFF;
    if (commander->run || !is_starting || member->running_count != 1)
        return false;
    order->target = member->running[0];
    return judge(order, &sv_member_copy(member, order->target)->row) == WAITS;
}

static bool start_begin(struct sv_commander *commander, struct sv_order *order)
{
    struct sv_member *member = order->member;
    const char *hold = NULL;
    if (!sv_state_is_stopped(member->state))
        return start_join(commander, order);
    if (!commander->run && !sv_quorum_may_start(commander->cluster, member, &hold)) {
        order->stage = SV_ORDER_HELD;
        say_held(commander, member, hold);
        return true;
    }
    struct sv_str why = {0};
    bool is_sent = false;
    if (sv_starter_place(commander, order, &why)) {
        sv_commander_say(commander, SV_LOG_INFO, member, "started on %s: %s",
                         sv_site_name(&commander->sites, order->target), sv_str_text(&why));
        is_sent = send_start(commander, order, sv_str_text(&why));
    } else {
        sv_commander_say(commander, SV_LOG_WARN, member, "not started, no place for it: %s",
                         sv_str_text(&why));
        sv_commander_force(commander, member, SV_INSTANCE_NONE, SV_PROCESS_FATAL,
                           "No resource available");
    }
    sv_str_done(&why);
    if (!is_sent)
        starting_failure(commander, order->job, member);
    return is_sent;
}

static void start_after(struct sv_commander *commander, struct sv_job *job)
{
    if (!job->stops_after)
        return;
    sv_commander_say(commander, SV_LOG_WARN, NULL, "%s is stopped after its failed start",
                     job->application->name);
    sv_stop_application(commander, job->application);
}

static void start_late(struct sv_commander *commander, struct sv_order *order)
{
    bool has_begun = order->stage == SV_ORDER_BEGUN;
    const char *reason = has_begun ? "process RUNNING event not received in time"
                                   : "process STARTING event not received in time";
    sv_commander_say(commander, SV_LOG_ERROR, order->member, "given up on %s: %s",
                     sv_instance_nick(commander->cluster, order->target), reason);
    fail_forced(commander, order, reason);
}

const struct sv_sequencer_kind sv_starter_kind = {
    .before = sv_starter_place_whole,
    .begin = start_begin,
    .after = start_after,
    .late = start_late,
};

/* ---- What the target tells ---- */

/* It counts as started although nobody saw it RUNNING: several rows may come as one. */
static bool lived_long_enough(const struct sv_mesh_process *row)
{
    return row->start_ns > 0 && row->stop_ns >= row->start_ns &&
           row->stop_ns - row->start_ns >= row->startsecs * NS_PER_SECOND;
}

static enum outcome judge(struct sv_order *order, const struct sv_mesh_process *row)
{
    uint64_t margin_ns = sv_commander_margin_ns(order->commander);
    bool waits_exit = order->member->rules.wait_exit && !order->ignores_wait_exit;
    switch (row->state) {
    case SV_PROCESS_STARTING:
        order->stage = SV_ORDER_BEGUN;
        sv_order_arm(order, row->startsecs * NS_PER_SECOND + margin_ns);
        return WAITS;
    case SV_PROCESS_BACKOFF:
        /* The pause before the next try is the target's; Supvisors waits for two ticks. */
        order->stage = SV_ORDER_BEGUN;
        sv_order_arm(order,
                     (row->startsecs + 2u * SV_SUPVISORS_TICK_SECONDS) * NS_PER_SECOND + margin_ns);
        return WAITS;
    case SV_PROCESS_RUNNING:
        if (!waits_exit)
            return SUCCEEDS;
        order->stage = SV_ORDER_EXIT;
        if (!order->commander->run)
            sv_timer_cancel(order->commander->cluster, &order->timer);
        return WAITS;
    case SV_PROCESS_EXITED:
        if (order->member->rules.wait_exit)
            return row->is_expected ? SUCCEEDS : FAILS;
        return lived_long_enough(row) ? SUCCEEDS : FAILS;
    case SV_PROCESS_STOPPED:
    case SV_PROCESS_STOPPING:
    case SV_PROCESS_FATAL:
    case SV_PROCESS_UNKNOWN:
        return FAILS;
    }
    return FAILS;
}

enum sv_start_news sv_starter_news(struct sv_commander *commander, struct sv_member *member,
                                   sv_instance_place instance)
{
    struct sv_job *job = sv_sequencer_job(&commander->starts, member->application);
    struct sv_order *order = job ? sv_job_order(job, member, instance) : NULL;
    const struct sv_copy *copy = sv_member_copy(member, instance);
    bool is_asked = order && (order->stage == SV_ORDER_SENT || order->stage == SV_ORDER_BEGUN ||
                              order->stage == SV_ORDER_EXIT);
    if (!is_asked)
        return SV_START_NEWS_NONE;
    enum sv_start_news failed = job->cause ? SV_START_NEWS_FAILED_AGAIN : SV_START_NEWS_FAILED;
    if (!copy) {
        sv_commander_say(commander, SV_LOG_ERROR, member, "did not start: %s has it no more",
                         sv_instance_nick(commander->cluster, instance));
        fail_order(commander, order);
        return failed;
    }
    switch (judge(order, &copy->row)) {
    case WAITS:
        return SV_START_NEWS_NONE;
    case SUCCEEDS:
        sv_order_end(order);
        return SV_START_NEWS_NONE;
    case FAILS:
        sv_commander_say(commander, SV_LOG_ERROR, member, "did not start on %s: %s%s%s",
                         sv_instance_nick(commander->cluster, instance),
                         sv_process_state_name(copy->row.state), *copy->row.spawnerr ? ", " : "",
                         copy->row.spawnerr);
        fail_order(commander, order);
        return failed;
    }
    return SV_START_NEWS_NONE;
}

void sv_starter_answered(struct sv_commander *commander, struct sv_order *order, int fault,
                         const char *text)
{
    order->command_id = 0;
    /* It runs there already: its rows tell. */
    if (fault == 0 || fault == SV_CLUSTER_FAULT_ALREADY_STARTED)
        return;
    if (fault == SV_CLUSTER_FAULT_FAILED) { /* not even refused */
        start_late(commander, order);
        return;
    }
    const char *reason =
        sv_text(commander->cluster, "refused by %s: %s",
                sv_instance_nick(commander->cluster, order->target), text ? text : "");
    sv_commander_say(commander, SV_LOG_ERROR, order->member, "%s", reason);
    fail_forced(commander, order, reason);
}

struct loss {
    struct sv_commander *commander;
    sv_instance_place instance;
};

static void order_lost(struct sv_order *order, void *user)
{
    const struct loss *loss = user;
    struct sv_member *member = order->member;
    bool is_there = order->target == loss->instance;
    /* Its start is asked for, so its loss is no running failure. */
    sv_member_update(loss->commander->model, member);
    if (is_there && order->stage == SV_ORDER_PLANNED) {
        sv_commander_drop_scene(loss->commander);
        order->target = SV_INSTANCE_NONE;
    } else if (is_there) {
        sv_commander_say(loss->commander, SV_LOG_ERROR, member, "did not start: %s was lost",
                         sv_instance_nick(loss->commander->cluster, loss->instance));
        fail_order(loss->commander, order);
    }
}

void sv_starter_lost(struct sv_commander *commander, sv_instance_place instance)
{
    struct loss loss = {commander, instance};
    sv_sequencer_each(&commander->starts, order_lost, &loss);
}

static void order_release(struct sv_order *order, void *user)
{
    struct sv_commander *commander = user;
    if (order->stage != SV_ORDER_HELD)
        return;
    order->stage = SV_ORDER_PICKED;
    if (!start_begin(commander, order))
        sv_order_end(order);
}

void sv_starter_release(struct sv_commander *commander)
{
    sv_sequencer_each(&commander->starts, order_release, commander);
}

/* ---- Plans ---- */

struct sv_job *sv_start_application(struct sv_commander *commander,
                                    struct sv_application *application,
                                    enum sv_starting_strategy strategy)
{
    struct sv_job *job = NULL;
    for (size_t i = 0; i < application->member_count; i++) {
        struct sv_member *member = application->members[i];
        if (!sv_member_is_sequenced(member) || member->rules.start_sequence <= 0)
            continue;
        if (!job)
            job = sv_sequencer_plan(commander, &commander->starts, application,
                                    application->rules.start_sequence);
        sv_job_add(commander, job, member, member->rules.start_sequence)->strategy = strategy;
    }
    if (!job) {
        sv_commander_say(commander, SV_LOG_WARN, NULL,
                         "%s has nothing to start: no program has a start_sequence",
                         application->name);
        return NULL;
    }
    job->strategy = strategy;
    sv_commander_make_scene(commander);
    sv_application_assign(application, &commander->sites);
    return job;
}

void sv_start_all(struct sv_commander *commander)
{
    for (size_t i = 0; i < commander->model->application_count; i++) {
        struct sv_application *application = commander->model->applications[i];
        sv_application_refresh(commander->model, application);
        if (application->rules.start_sequence > 0 &&
            (sv_application_is_untouched(application) || application->has_major_failure ||
             application->has_minor_failure))
            sv_start_application(commander, application, application->rules.starting_strategy);
    }
}

struct sv_job *sv_start_process(struct sv_commander *commander, struct sv_member *member,
                                enum sv_starting_strategy strategy, const char *extra_arguments)
{
    struct sv_application *application = member->application;
    struct sv_job *job = sv_sequencer_job(&commander->starts, application);
    if (!sv_state_is_stopped(member->state))
        return NULL;
    if (job && sv_job_order(job, member, SV_INSTANCE_NONE)) {
        sv_commander_say(commander, SV_LOG_WARN, NULL, "the start of %s is planned already",
                         member->name);
        return job;
    }
    if (!job) {
        job = sv_sequencer_plan(commander, &commander->starts, application,
                                application->rules.start_sequence);
        job->strategy = strategy;
    }
    struct sv_order *order = sv_job_add(commander, job, member, member->rules.start_sequence);
    order->strategy = strategy;
    order->ignores_wait_exit = true;
    order->extra_arguments = sv_text_copy(extra_arguments);
    return job;
}
