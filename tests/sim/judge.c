/*
 * The judge keeps books of its own, from the notices and the world alone, and compares: one living
 * run per process, Supervisor's arrows, every stop killed in time, the order of a shutdown, every
 * event of a pool accounted for. It knows nothing of the core's insides. Readiness, liveness and
 * the watchdog are in judge_health.c.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <svisor/limits.h>

#include "base/shortage.h"
#include "world_internal.h"

void demand(const struct world *world, bool is_kept, const char *promise, sv_process_id process)
{
    if (is_kept)
        return;
    fprintf(stderr,
            "broken promise: %s (process %u)\n  at step %llu, %.3f s of the life with seed %llu\n"
            "  replay: make sim SEED=%llu STEPS=%llu\n",
            promise, process, (unsigned long long)world->step, (double)world->now_ns / 1e9,
            (unsigned long long)world->seed, (unsigned long long)world->seed,
            (unsigned long long)world->step_count);
    abort();
}

static bool is_arrow(enum sv_process_state from, enum sv_process_state to)
{
    static const struct {
        enum sv_process_state from, to;
    } arrows[] = {
        {SV_PROCESS_STOPPED, SV_PROCESS_STARTING}, {SV_PROCESS_STARTING, SV_PROCESS_RUNNING},
        {SV_PROCESS_STARTING, SV_PROCESS_BACKOFF}, {SV_PROCESS_STARTING, SV_PROCESS_STOPPING},
        {SV_PROCESS_STARTING, SV_PROCESS_UNKNOWN}, {SV_PROCESS_RUNNING, SV_PROCESS_STOPPING},
        {SV_PROCESS_RUNNING, SV_PROCESS_EXITED},   {SV_PROCESS_RUNNING, SV_PROCESS_UNKNOWN},
        {SV_PROCESS_BACKOFF, SV_PROCESS_STARTING}, {SV_PROCESS_BACKOFF, SV_PROCESS_FATAL},
        {SV_PROCESS_BACKOFF, SV_PROCESS_STOPPED},  {SV_PROCESS_STOPPING, SV_PROCESS_STOPPED},
        {SV_PROCESS_STOPPING, SV_PROCESS_UNKNOWN}, {SV_PROCESS_EXITED, SV_PROCESS_STARTING},
        {SV_PROCESS_EXITED, SV_PROCESS_FATAL},     {SV_PROCESS_FATAL, SV_PROCESS_STARTING},
        {SV_PROCESS_UNKNOWN, SV_PROCESS_STOPPED},  {SV_PROCESS_UNKNOWN, SV_PROCESS_EXITED},
    };
    for (size_t i = 0; i < sizeof(arrows) / sizeof(arrows[0]); i++)
        if (arrows[i].from == from && arrows[i].to == to)
            return true;
    return false;
}

/* Nothing that a shutdown has to wait for; what survived SIGKILL for long counts as nothing. */
static bool is_over(const struct world *world, const struct actor *actor)
{
    uint64_t patience_ns = SV_KILL_WAIT_SECONDS * SECOND_NS;
    bool was_stopped_late = /* it had to go before it was stopped */
        actor->state == SV_PROCESS_STOPPING && actor->killed_ns < actor->kill_due_ns;
    bool is_given_up =
        actor->was_killed && (world->now_ns >= actor->killed_ns + patience_ns ||
                              (was_stopped_late && world->now_ns >= actor->kill_due_ns));
    bool is_stopped = sv_process_state_is_stopped(actor->state) || is_given_up;
    bool has_strays =
        actor->has_strays && actor->are_strays_ours &&
        !(actor->strays_killed && world->now_ns >= actor->strays_killed_ns + patience_ns);
    return is_stopped && !has_strays;
}

static bool stops_before(const struct world *world, int a, int b)
{
    if (world->groups[a].priority != world->groups[b].priority)
        return world->groups[a].priority > world->groups[b].priority;
    return world->added_at[a] > world->added_at[b];
}

static void judge_order(struct world *world, const struct actor *actor, sv_process_id id)
{
    for (sv_process_id other = 1; other <= world->last_id; other++) {
        const struct actor *earlier = &world->actors[other];
        if (!earlier->exists || earlier->was_unknown || !world->is_added[earlier->group])
            continue;
        if (earlier->group != actor->group && stops_before(world, earlier->group, actor->group))
            demand(world, is_over(world, earlier), "groups stop one after the other", id);
        if (earlier->group == actor->group && earlier->program > actor->program)
            demand(world,
                   earlier->state != SV_PROCESS_RUNNING && earlier->state != SV_PROCESS_BACKOFF,
                   "within a group the highest priority is asked first", id);
    }
}

/* Each end is told once, and each failure counted once, over all daemons. */
static void judge_count(struct world *world, struct actor *actor, const struct sv_action *action)
{
    enum sv_process_state to = action->notice.to;
    bool forgets = !sv_restart_remembers(actor->config);
    if (to == SV_PROCESS_EXITED || to == SV_PROCESS_BACKOFF) {
        demand(world, action->run > actor->ended_run, "every end is counted once", action->process);
        actor->ended_run = action->run;
    }
    if (to == SV_PROCESS_BACKOFF) {
        demand(world,
               !forgets || actor->is_reconfigured || action->notice.tries == actor->tries + 1,
               "failures are counted one by one", action->process);
        actor->tries = action->notice.tries;
        actor->retry_due_ns =
            actor->config->restart_delay < 0 ? world->now_ns + actor->tries * SECOND_NS : SV_NEVER;
    }
    if (to == SV_PROCESS_FATAL ||
        (forgets && (to == SV_PROCESS_RUNNING || to == SV_PROCESS_EXITED))) {
        actor->tries = 0;
        actor->is_reconfigured = false;
    }
}

static void judge_transition(struct world *world, const struct sv_action *action)
{
    struct actor *actor = &world->actors[action->process];
    sv_process_id id = action->process;
    enum sv_process_state to = action->notice.to;
    demand(world, actor->exists, "notices are about processes that exist", id);
    demand(world, actor->state == action->notice.from, "a notice starts where the last ended", id);
    demand(world, is_arrow(actor->state, to), "states follow Supervisor's arrows", id);
    demand(world,
           actor->state != SV_PROCESS_EXITED || to != SV_PROCESS_FATAL ||
               actor->config->restart_reset_after >= 0,
           "EXITED becomes FATAL only with restart_reset_after", id);
    demand(world, !world->is_stopping || to != SV_PROCESS_STARTING,
           "nothing is started while stopping", id);
    demand(world,
           to != SV_PROCESS_STARTING || !actor->is_stop_wanted ||
               action->notice.reason == SV_REASON_REQUEST_START,
           "who was stopped by request comes back by request", id);
    judge_count(world, actor, action);
    bool is_shutdown =
        action->notice.reason == SV_REASON_SHUTDOWN || action->notice.reason == SV_REASON_RESTART;
    if (is_shutdown && (to == SV_PROCESS_STOPPING || to == SV_PROCESS_FATAL))
        judge_order(world, actor, id);
    if (to == SV_PROCESS_STOPPED || to == SV_PROCESS_EXITED)
        demand(world, actor->phase == RUN_NONE, "no living process is called ended", id);
    demand(world, !actor->is_stop_asked || to != SV_PROCESS_RUNNING, "no stop is forgotten", id);
    if (to == SV_PROCESS_STOPPED || to == SV_PROCESS_STARTING)
        actor->is_stop_wanted = to == SV_PROCESS_STOPPED && actor->is_stop_asked;
    if (to == SV_PROCESS_STARTING || sv_process_state_is_stopped(to))
        actor->is_stop_asked = actor->is_restart_cancelled = false;
    bool needs_ready = to == SV_PROCESS_RUNNING && decides_ready(actor);
    demand(world, !needs_ready || actor->was_ready, "RUNNING never before ready", id);
    if (to == SV_PROCESS_STARTING)
        actor->was_ready = actor->was_unknown = false;
    actor->was_unknown |= to == SV_PROCESS_UNKNOWN;
    if (to == SV_PROCESS_STARTING || to == SV_PROCESS_STOPPING || to == SV_PROCESS_UNKNOWN)
        actor->is_ended = false;
    if (to == SV_PROCESS_RUNNING)
        actor->watched_from_ns = world->now_ns;
    actor->state = to;
    if (to == SV_PROCESS_STOPPING) {
        actor->kill_due_ns = world->now_ns + actor->config->stopwaitsecs * SECOND_NS;
        actor->is_stop_sent = false;
    }
}

static void judge_spawn(struct world *world, const struct sv_action *action)
{
    struct actor *actor = &world->actors[action->process];
    sv_process_id id = action->process;
    demand(world, actor->exists && !world->is_stopping, "only what exists is started", id);
    demand(world, action->run == actor->run + 1, "runs are counted one by one", id);
    demand(world, actor->phase == RUN_NONE && !actor->body.is_living, "one living run at most", id);
    bool is_given_up = actor->strays_killed &&
                       world->now_ns >= actor->strays_killed_ns + SV_KILL_WAIT_SECONDS * SECOND_NS;
    demand(world, !actor->has_strays || !actor->are_strays_ours || is_given_up,
           "no start beside the strays of the former run", id);
    actor->was_killed = actor->is_stop_sent = actor->are_strays_signalled = false;
    actor->stop_until_ns = 0;
    actor->listener = SV_LISTENER_ACKNOWLEDGED;
}

static void judge_delivery(struct world *world, const struct sv_action *action)
{
    struct actor *actor = &world->actors[action->process];
    sv_process_id id = action->process;
    struct pool_model *pool = &world->pools[actor->group];
    demand(world, actor->exists && actor->state == SV_PROCESS_RUNNING,
           "events go to RUNNING listeners", id);
    demand(world, actor->listener == SV_LISTENER_READY, "events go to READY listeners", id);
    demand(world, pool->count > 0 && pool->waiting[0] == action->deliver.pool_serial,
           "the oldest event goes first, and none twice", id);
    pool->count--;
    for (size_t i = 0; i < pool->count; i++)
        pool->waiting[i] = pool->waiting[i + 1];
    actor->listener = SV_LISTENER_BUSY;
    actor->has_event = true;
    actor->event_serial = action->deliver.pool_serial;
}

/* Those of a group are counted with its first process. */
static struct actor *subject_of(struct world *world, sv_process_id id, bool is_of_group)
{
    while (is_of_group && id > 1 && world->actors[id].program > 0)
        id--;
    return &world->actors[id];
}

static void judge_shortage(struct world *world, const struct sv_action *action)
{
    const struct sv_shortage *sum = &action->shortage.sum;
    struct actor *actor = subject_of(world, action->process, sum->is_of_group);
    uint64_t *waiting = &actor->shortages[sum->is_of_group][sum->resource];
    uint64_t *told_ns = &actor->shortage_told_ns[sum->is_of_group][sum->resource];
    demand(world, actor->exists, "shortages are about processes that exist", action->process);
    demand(world, sum->count > 0 && sum->count == *waiting, "every shortage is told once",
           action->process);
    demand(world, *told_ns == 0 || world->now_ns >= *told_ns + SV_RESOURCE_PAUSE_NS_MIN,
           "shortages of a kind are told with a pause between them", action->process);
    *waiting = 0;
    *told_ns = world->now_ns;
}

static void judge_quit(struct world *world, const struct sv_action *action)
{
    demand(world, world->is_stopping && !world->has_quit, "QUIT comes once, when asked for", 0);
    demand(world, action->is_restart == world->is_restart, "a shutdown overrules a restart", 0);
    for (sv_process_id id = 1; id <= world->last_id; id++)
        demand(world, !world->actors[id].exists || is_over(world, &world->actors[id]),
               "QUIT when all have stopped", id);
    world->has_quit = true;
}

void judge_action(struct world *world, const struct sv_action *action)
{
    struct actor *actor = &world->actors[action->process];
    switch (action->kind) {
    case SV_ACTION_SPAWN:
        judge_spawn(world, action);
        break;
    case SV_ACTION_SIGNAL:
        demand(world, action->run == actor->run, "signals go to the current run", action->process);
        if (action->signal.target == SV_TARGET_CGROUP)
            actor->are_strays_signalled = true;
        else if (actor->state == SV_PROCESS_STOPPING || actor->is_ended)
            actor->is_stop_sent = true;
        if (action->signal.number == SIGKILL &&
            (actor->state == SV_PROCESS_STOPPING || actor->is_ended) && !actor->was_killed) {
            actor->was_killed = true;
            actor->killed_ns = world->now_ns;
        }
        break;
    case SV_ACTION_KILL_CGROUP:
        demand(world, actor->config->kill_mode == SV_KILL_CONTROL_GROUP || actor->is_reconfigured,
               "kill_mode=process leaves the cgroup alone", action->process);
        if (!actor->strays_killed) {
            actor->strays_killed = true;
            actor->strays_killed_ns = world->now_ns;
        }
        break;
    case SV_ACTION_PROBE_START:
    case SV_ACTION_PROBE_STOP:
        judge_probe(world, action);
        break;
    case SV_ACTION_NOTICE:
        if (action->notice.type == SV_NOTICE_EVENT &&
            (action->notice.reason == SV_REASON_NOT_READY ||
             action->notice.reason == SV_REASON_LIVENESS_FAILED ||
             action->notice.reason == SV_REASON_WATCHDOG_EXPIRED))
            judge_finding(world, action);
        if (action->notice.type == SV_NOTICE_EVENT) {
            if (action->notice.reason == SV_REASON_LISTENER_OVERFLOW)
                for (int g = 0; g < GROUPS; g++)
                    if (world->is_added[g] && action->notice.group_name[1] == '0' + g)
                        world->pools[g].lost_reported++;
        } else if (sv_notice_set_of(SV_NOTICE_PROCESS_STATE) >> action->notice.type & 1) {
            judge_transition(world, action);
        }
        break;
    case SV_ACTION_SHORTAGE:
        judge_shortage(world, action);
        break;
    case SV_ACTION_DELIVER:
        judge_delivery(world, action);
        break;
    case SV_ACTION_REMEMBER:
    case SV_ACTION_FORGET:
    case SV_ACTION_FORGET_POOL:
        break;
    case SV_ACTION_RELEASE:
        demand(world, sv_process_state_is_stopped(actor->state), "only stopped ones are released",
               action->process);
        actor->exists = false;
        break;
    case SV_ACTION_QUIT:
        judge_quit(world, action);
        break;
    case SV_ACTION_COUNT:
        demand(world, false, "actions have a kind", 0);
    }
}

static void make_room(struct world *world, int group)
{
    struct pool_model *pool = &world->pools[group];
    if (pool->count < world->groups[group].buffer_size)
        return;
    pool->lost_expected++;
    pool->count--;
    for (size_t i = 0; i < pool->count; i++)
        pool->waiting[i] = pool->waiting[i + 1];
}

static void give_back(struct world *world, struct actor *actor)
{
    if (!actor->has_event)
        return;
    make_room(world, actor->group);
    struct pool_model *pool = &world->pools[actor->group];
    for (size_t i = pool->count; i > 0; i--)
        pool->waiting[i] = pool->waiting[i - 1];
    pool->waiting[0] = actor->event_serial;
    pool->count++;
    actor->has_event = false;
}

void judge_event(struct world *world, const struct sv_event *event)
{
    struct actor *actor = &world->actors[event->process];
    bool is_current = actor->exists && event->run == actor->run;
    if (is_current)
        judge_word(world, actor, event);
    if (event->kind == SV_EVENT_PUBLISH) {
        for (int g = 0; g < GROUPS; g++) {
            if (!world->is_added[g] || !(world->groups[g].events >> event->publish.type & 1))
                continue;
            make_room(world, g);
            world->pools[g].waiting[world->pools[g].count++] = world->pools[g].next++;
        }
    } else if (event->kind == SV_EVENT_SHORTAGE && actor->exists) {
        const struct sv_shortage *shortage = event->shortage;
        subject_of(world, event->process, shortage->is_of_group)
            ->shortages[shortage->is_of_group][shortage->resource] += shortage->count;
    } else if (event->kind == SV_EVENT_STOP && actor->exists) {
        actor->is_stop_asked = sv_process_state_is_running(actor->state);
        actor->is_restart_cancelled = actor->state == SV_PROCESS_EXITED;
    } else if (event->kind == SV_EVENT_SPAWNED && is_current && actor->phase == RUN_ASKED) {
        actor->phase = RUN_ALIVE;
        await_running(world, actor);
    } else if (event->kind == SV_EVENT_SPAWN_FAILED && is_current && actor->phase == RUN_ASKED) {
        actor->phase = RUN_NONE;
    } else if (event->kind == SV_EVENT_EXITED && is_current && actor->phase == RUN_ALIVE) {
        actor->phase = RUN_NONE;
        actor->are_strays_ours = actor->config->kill_mode == SV_KILL_CONTROL_GROUP;
        give_back(world, actor);
    } else if (event->kind == SV_EVENT_EMPTIED && is_current) {
        actor->has_strays = false;
    } else if (event->kind == SV_EVENT_LISTENER_READY) {
        actor->listener = SV_LISTENER_READY;
    } else if (event->kind == SV_EVENT_LISTENER_RESULT) {
        actor->listener = SV_LISTENER_ACKNOWLEDGED;
        if (event->is_ok)
            actor->has_event = false;
        give_back(world, actor);
    } else if (event->kind == SV_EVENT_LISTENER_BROKEN) {
        actor->listener = SV_LISTENER_UNKNOWN;
        give_back(world, actor);
    } else if (event->kind == SV_EVENT_SHUTDOWN) {
        world->is_restart = event->is_restart && (!world->is_stopping || world->is_restart);
        world->is_stopping = true;
    }
}

/* The core's process is the world's, and no deadline of its state is forgotten. */
static void judge_life(const struct world *world, const struct actor *actor,
                       const struct sv_process_view *view)
{
    demand(world, (view->pid != 0) == (actor->phase == RUN_ALIVE), "a pid is a living run",
           view->id);
    demand(world, view->pid == 0 || view->pid == actor->body.pid, "nobody else is taken for ours",
           view->id);
    demand(world, !actor->body.is_living || actor->phase != RUN_NONE, "no program is lost",
           view->id);
    bool has_to_go = actor->state == SV_PROCESS_STOPPING || actor->is_ended;
    demand(world, !has_to_go || actor->phase != RUN_ALIVE || actor->is_stop_sent,
           "who has to go is told so", view->id);
    if (actor->state == SV_PROCESS_STOPPING && actor->phase == RUN_ALIVE)
        demand(world,
               actor->was_killed || world->now_ns < actor->stop_until_ns ||
                   world->now_ns < actor->kill_due_ns,
               "every stop gets its SIGKILL in time", view->id);
    if (actor->state == SV_PROCESS_STARTING && actor->phase == RUN_ALIVE)
        demand(world, world->now_ns < actor->running_due_ns, "startsecs is kept", view->id);
    if (actor->state == SV_PROCESS_BACKOFF && !world->is_stopping)
        demand(world, world->now_ns < actor->retry_due_ns, "a failed start is tried again in time",
               view->id);
}

void judge_step(struct world *world)
{
    uint64_t deadline_ns = sv_core_deadline_ns(world->core);
    demand(world, deadline_ns > world->now_ns, "no deadline is left behind", 0);
    for (sv_process_id id = 1; id <= world->last_id; id++) {
        struct actor *actor = &world->actors[id];
        struct sv_process_view view;
        demand(world, sv_core_process(world->core, id, &view) == actor->exists,
               "the core knows who exists", id);
        if (!actor->exists)
            continue;
        demand(world, view.state == actor->state, "the view is what the notices said", id);
        demand(world, view.run == actor->run, "the view counts the runs", id);
        judge_health(world, actor, id);
        judge_life(world, actor, &view);
        if (world->groups[actor->group].kind == SV_GROUP_LISTENER)
            demand(world,
                   actor->state != SV_PROCESS_RUNNING || actor->listener != SV_LISTENER_READY ||
                       world->pools[actor->group].count == 0,
                   "nothing waits while a listener is ready", id);
    }
    for (int g = 0; g < GROUPS; g++)
        demand(world, world->pools[g].lost_expected == world->pools[g].lost_reported,
               "every lost event is reported", 0);
}
