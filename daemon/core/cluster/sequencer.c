/*
 * Sequences: what starts and stops share (Supvisors 0.19: commander.py, Commander and
 * ApplicationJobs).
 *
 * Jobs that were planned together are a batch. Those with the lowest number (stops: the highest) of
 * their applications are worked off together; the next number begins when all of them are done.
 * Inside of a job the same holds for its orders and the numbers of their programs:
 *
 *     jobs    1: web, db      2: shop         web and db under way, shop waits
 *     orders  1: schema       2: a, b   3: c  schema under way, the others wait
 *
 * Batches do not wait for each other: in Supvisors a request for one application waits until no
 * other has anything under way, which is for ever when that is a wait_exit that does not end.
 *
 * An order that has nothing to do when its turn comes (the process runs already) is done at once.
 * Nothing here waits for a period: sv_sequencer_next() is called after every change.
 */
#include <assert.h>
#include <stdlib.h>

#include "core/cluster/commander.h"

/* ---- Orders ---- */

static void order_free(struct sv_order *order)
{
    struct sv_commander *commander = order->commander;
    if (!commander->run)
        sv_timer_done(commander->cluster, &order->timer);
    if (order->target != SV_INSTANCE_NONE)
        sv_commander_drop_scene(commander);
    assert(order->member->command_count > 0);
    order->member->command_count--;
    commander->has_ended = true;
    free(order->extra_arguments);
    free(order);
}

void sv_order_end(struct sv_order *order)
{
    struct sv_job *job = order->job;
    size_t kept = 0;
    for (size_t i = 0; i < job->order_count; i++)
        if (job->orders[i] != order)
            job->orders[kept++] = job->orders[i];
    assert(kept + 1 == job->order_count);
    job->order_count = kept;
    order_free(order);
}

bool sv_order_is_under_way(const struct sv_order *order)
{
    return order->stage != SV_ORDER_PLANNED;
}

static void order_late(struct sv_cluster *cluster, struct sv_timer *timer)
{
    struct sv_order *order = (struct sv_order *)((char *)timer - offsetof(struct sv_order, timer));
    struct sv_commander *commander = order->commander;
    /* Behind a dead daemon it may live: the members' half tells when that instance is lost. One
     * that has come back has told its rows; while the cluster ends it stays CHECKED. */
    enum sv_instance_state state = sv_instance_state(cluster, order->target);
    if (state != SV_INSTANCE_STATE_RUNNING && state != SV_INSTANCE_STATE_CHECKED) {
        sv_order_arm(order, sv_commander_margin_ns(commander));
        return;
    }
    order->job->kind->late(commander, order);
    sv_commander_settle(commander);
}

void sv_order_arm(struct sv_order *order, uint64_t delay_ns)
{
    struct sv_commander *commander = order->commander;
    if (!commander->run)
        sv_timer_set(commander->cluster, &order->timer, commander->cluster->now_ns + delay_ns);
}

struct sv_order *sv_job_add(struct sv_commander *commander, struct sv_job *job,
                            struct sv_member *member, int32_t sequence)
{
    struct sv_order *order = sv_allocate(1, sizeof(*order));
    *order = (struct sv_order){
        .commander = commander,
        .job = job,
        .member = member,
        .sequence = sequence,
        .target = SV_INSTANCE_NONE,
    };
    if (!commander->run)
        sv_timer_init(commander->cluster, &order->timer, order_late);
    job->orders =
        sv_grow(job->orders, &job->order_capacity, job->order_count + 1, sizeof(*job->orders));
    job->orders[job->order_count++] = order;
    member->command_count++;
    return order;
}

struct sv_order *sv_job_order(const struct sv_job *job, const struct sv_member *member,
                              sv_instance_place target)
{
    for (size_t i = 0; i < job->order_count; i++)
        if (job->orders[i]->member == member &&
            (target == SV_INSTANCE_NONE || job->orders[i]->target == target))
            return job->orders[i];
    return NULL;
}

void sv_job_drop_planned(struct sv_job *job)
{
    size_t kept = 0;
    for (size_t i = 0; i < job->order_count; i++) {
        if (sv_order_is_under_way(job->orders[i]))
            job->orders[kept++] = job->orders[i];
        else
            order_free(job->orders[i]);
    }
    job->order_count = kept;
}

/* ---- Jobs ---- */

static void job_free(struct sv_commander *commander, struct sv_job *job)
{
    for (size_t i = 0; i < job->order_count; i++)
        order_free(job->orders[i]);
    for (size_t i = 0; i < job->restart_count; i++) {
        struct sv_restart *restart = &job->restarts[i];
        if (restart->member)
            restart->member->command_count--;
        free(restart->extra_arguments);
    }
    free(job->orders);
    free(job->restarts);
    sv_places_done(&job->places);
    job->application->job_count--;
    commander->has_ended = true;
    free(job);
}

void sv_sequencer_done(struct sv_commander *commander, struct sv_sequencer *sequencer)
{
    for (size_t i = 0; i < sequencer->job_count; i++)
        job_free(commander, sequencer->jobs[i]);
    free(sequencer->jobs);
    *sequencer = (struct sv_sequencer){.kind = sequencer->kind};
}

struct sv_job *sv_sequencer_job(const struct sv_sequencer *sequencer,
                                const struct sv_application *application)
{
    struct sv_job *planned = NULL;
    for (size_t i = 0; application->job_count > 0 && i < sequencer->job_count; i++) {
        struct sv_job *job = sequencer->jobs[i];
        if (job->application == application && job->is_current)
            return job;
        if (job->application == application && !planned)
            planned = job;
    }
    return planned;
}

static void job_empty(struct sv_job *job)
{
    for (size_t i = 0; i < job->order_count; i++)
        order_free(job->orders[i]);
    job->order_count = 0;
}

struct sv_job *sv_sequencer_plan(struct sv_commander *commander, struct sv_sequencer *sequencer,
                                 struct sv_application *application, int32_t sequence)
{
    for (size_t i = 0; i < sequencer->job_count; i++) {
        struct sv_job *job = sequencer->jobs[i];
        if (job->application == application && !job->is_current && job->sequence == sequence) {
            job_empty(job);
            return job;
        }
    }
    struct sv_job *job = sv_allocate(1, sizeof(*job));
    job->kind = sequencer->kind;
    job->application = application;
    job->sequence = sequence;
    job->batch = commander->batch;
    application->job_count++;
    sequencer->jobs = sv_grow(sequencer->jobs, &sequencer->job_capacity, sequencer->job_count + 1,
                              sizeof(*sequencer->jobs));
    sequencer->jobs[sequencer->job_count++] = job;
    return job;
}

static bool is_sooner(const struct sv_sequencer_kind *kind, int32_t a, int32_t b)
{
    return kind->is_highest_first ? a > b : a < b;
}

/* The number whose turn it is. False: nothing is planned, or something is under way. */
static bool find_turn(const struct sv_job *job, int32_t *ret_sequence)
{
    bool is_found = false;
    for (size_t i = 0; i < job->order_count; i++) {
        const struct sv_order *order = job->orders[i];
        if (sv_order_is_under_way(order))
            return false;
        if (!is_found || is_sooner(job->kind, order->sequence, *ret_sequence))
            *ret_sequence = order->sequence;
        is_found = true;
    }
    return is_found;
}

/* A failure may drop what is planned behind it, but not what is picked: its turn has come. */
static void job_next(struct sv_commander *commander, struct sv_job *job)
{
    int32_t sequence = 0;
    while (find_turn(job, &sequence)) {
        for (size_t i = 0; i < job->order_count; i++)
            if (job->orders[i]->sequence == sequence)
                job->orders[i]->stage = SV_ORDER_PICKED;
        for (size_t i = 0; i < job->order_count;) {
            struct sv_order *order = job->orders[i];
            size_t count = job->order_count;
            bool stays = order->stage != SV_ORDER_PICKED || job->kind->begin(commander, order);
            bool has_dropped = job->order_count < count;
            if (!stays)
                sv_order_end(order);
            i = has_dropped ? 0 : i + stays;
        }
    }
}

/* False: there was none. */
static bool end_one_job(struct sv_commander *commander, struct sv_sequencer *sequencer)
{
    for (size_t i = 0; i < sequencer->job_count; i++) {
        struct sv_job *job = sequencer->jobs[i];
        if (!job->is_current || job->order_count > 0)
            continue;
        for (size_t k = i; k + 1 < sequencer->job_count; k++)
            sequencer->jobs[k] = sequencer->jobs[k + 1];
        sequencer->job_count--;
        sequencer->kind->after(commander, job);
        job_free(commander, job);
        return true;
    }
    return false;
}

/* Nothing of its batch is under way or has a sooner number, and nothing is done about its
 * application already. */
static bool is_turn_of(const struct sv_sequencer *sequencer, const struct sv_job *job)
{
    for (size_t i = 0; i < sequencer->job_count; i++) {
        const struct sv_job *other = sequencer->jobs[i];
        bool is_same = other->application == job->application && other != job;
        if (is_same && (other->is_current || other->is_next))
            return false;
        if (other->batch == job->batch &&
            (other->is_current || is_sooner(job->kind, other->sequence, job->sequence)))
            return false;
    }
    return true;
}

/* False: there was none to begin. */
static bool begin_jobs(struct sv_commander *commander, struct sv_sequencer *sequencer)
{
    bool has_any = false;
    for (size_t i = 0; i < sequencer->job_count; i++)
        sequencer->jobs[i]->is_next =
            !sequencer->jobs[i]->is_current && is_turn_of(sequencer, sequencer->jobs[i]);
    for (size_t i = 0; i < sequencer->job_count; i++) {
        struct sv_job *job = sequencer->jobs[i];
        if (!job->is_next)
            continue;
        has_any = true;
        job->is_next = false;
        job->is_current = true;
        if (sequencer->kind->before)
            sequencer->kind->before(commander, job);
        job_next(commander, job);
    }
    return has_any;
}

bool sv_sequencer_next(struct sv_commander *commander, struct sv_sequencer *sequencer)
{
    bool has_done = false;
    bool goes_on;
    do {
        for (size_t i = 0; i < sequencer->job_count; i++)
            if (sequencer->jobs[i]->is_current)
                job_next(commander, sequencer->jobs[i]);
        goes_on = false;
        while (end_one_job(commander, sequencer))
            goes_on = true;
        goes_on |= begin_jobs(commander, sequencer);
        has_done |= goes_on;
    } while (goes_on);
    return has_done;
}

/* ---- All of them ---- */

void sv_sequencer_each(struct sv_sequencer *sequencer,
                       void (*visit)(struct sv_order *order, void *user), void *user)
{
    for (size_t j = 0; j < sequencer->job_count; j++) {
        struct sv_job *job = sequencer->jobs[j];
        for (size_t i = 0; i < job->order_count;) {
            struct sv_order *order = job->orders[i];
            size_t count = job->order_count;
            visit(order, user);
            bool is_many = count - job->order_count > 1;
            i = is_many ? 0 : i + (i < job->order_count && job->orders[i] == order);
        }
    }
}

void sv_sequencer_forget(struct sv_commander *commander, struct sv_sequencer *sequencer,
                         const struct sv_member *member)
{
    bool is_last = member->application->member_count == 1;
    size_t kept = 0;
    for (size_t j = 0; j < sequencer->job_count; j++) {
        struct sv_job *job = sequencer->jobs[j];
        struct sv_order *order;
        job->cause = job->cause == member ? NULL : job->cause;
        while ((order = sv_job_order(job, member, SV_INSTANCE_NONE)))
            sv_order_end(order);
        for (size_t i = 0; i < job->restart_count;) {
            struct sv_restart *restart = &job->restarts[i];
            if (restart->member != member) {
                i++;
                continue;
            }
            restart->member->command_count--;
            free(restart->extra_arguments);
            *restart = job->restarts[--job->restart_count];
        }
        if (is_last && job->application == member->application)
            job_free(commander, job);
        else
            sequencer->jobs[kept++] = job;
    }
    sequencer->job_count = kept;
}
