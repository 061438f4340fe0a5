/*
 * One life of a core, from a seed.
 *
 * Each step either lets time go on to the next thing that is due, or something happens at once: a
 * request, an event for the listeners, a change of the configuration, a shutdown. What the core
 * asks for is carried out by programs with a character: deaf to signals, stuck in the kernel,
 * leaving strays. Answers come late, some twice, some for a run that is over. In two lives of three
 * the daemon dies now and then, and another one is born from its journal (rebirth.c). Then the
 * world is healed (nothing fails, nothing hangs) and the core must come to rest, stop in order and
 * quit.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <svisor/limits.h>

#include "base/names.h"
#include "world_internal.h"

uint64_t draw(struct world *world, uint64_t bound)
{
    struct sv_random random = {world->random};
    uint64_t value = sv_random_next(&random);
    world->random = random.state;
    return value % bound;
}

bool chance(struct world *world, unsigned percent)
{
    return draw(world, 100) < percent;
}

static void mix(struct world *world, uint64_t value)
{
    world->result.digest = (world->result.digest ^ value) * UINT64_C(0x100000001b3);
}

static void digest(struct world *world, const struct sv_action *action)
{
    mix(world, (uint64_t)action->kind);
    mix(world, action->process);
    mix(world, action->run);
    if (action->kind == SV_ACTION_SIGNAL) {
        mix(world, (uint64_t)action->signal.number);
        mix(world, (uint64_t)action->signal.target);
    } else if (action->kind == SV_ACTION_NOTICE) {
        mix(world, (uint64_t)action->notice.type << 32 | (uint64_t)action->notice.reason);
        mix(world, (uint64_t)action->notice.from << 32 | (uint64_t)action->notice.to);
        mix(world, (uint64_t)action->notice.pid << 32 | action->notice.tries);
        mix(world, action->notice.is_expected);
    } else if (action->kind == SV_ACTION_PROBE_START) {
        mix(world, action->probe.serial);
    } else if (action->kind == SV_ACTION_DELIVER) {
        mix(world, action->deliver.serial);
        mix(world, action->deliver.pool_serial);
    }
}

/* Whichever daemon tells it. */
static void hear(struct world *world, const struct sv_action *action)
{
    struct actor *actor = &world->actors[action->process];
    if (action->notice.type == SV_NOTICE_PROCESS_GROUP_REMOVED)
        world->is_added[action->notice.group_name[1] - '0'] = false;
    if (action->notice.type != SV_NOTICE_PROCESS_STATE_EXITED)
        return;
    demand(world, actor->heard_run != actor->run, "an end is told once", action->process);
    actor->heard_run = actor->run;
}

static void perform(struct world *world, const struct sv_action *action)
{
    digest(world, action);
    if (world->is_traced)
        trace_action(world, action);
    world->result.action_count++;
    judge_action(world, action);
    if (action->kind == SV_ACTION_SPAWN)
        perform_spawn(world, action);
    else if (action->kind == SV_ACTION_SIGNAL)
        perform_signal(world, action);
    else if (action->kind == SV_ACTION_KILL_CGROUP)
        perform_kill_cgroup(world, action);
    else if (action->kind == SV_ACTION_PROBE_START)
        perform_probe(world, action);
    else if (action->kind == SV_ACTION_DELIVER)
        world->result.deliver_count++;
    else if (action->kind == SV_ACTION_RELEASE)
        forget(world, action->process);
    else if (action->kind == SV_ACTION_NOTICE)
        hear(world, action);
}

static void register_group(struct world *world, int index)
{
    const struct sv_group_view *view = sv_core_group(world->core, world->groups[index].name);
    demand(world, view && view->process_count == world->groups[index].program_count,
           "an added group is there", 0);
    demand(world, view->processes[0] == world->last_id + 1, "ids are never given twice", 0);
    world->is_added[index] = true;
    world->added_at[index] = ++world->add_count;
    world->pools[index] = (struct pool_model){0};
    for (size_t i = 0; i < view->process_count; i++) {
        world->last_id = view->processes[i];
        if (i == 0)
            world->first_id[index] = world->last_id;
        world->actors[world->last_id] = (struct actor){
            .exists = true,
            .group = index,
            .program = i,
            .config = view->config->programs[i],
            .state = SV_PROCESS_STOPPED,
            .sign_count = 1,
        };
        world->before[world->last_id] = world->actors[world->last_id];
        if (world->is_adopting)
            inherit(world, world->last_id);
    }
}

/* What is told goes before what is done: see feed.c. */
static void sort_out(struct world *world, size_t first)
{
    size_t kept = first;
    for (size_t i = first; i < world->actions.count; i++) {
        struct sv_action action = world->actions.items[i];
        if (action.kind == SV_ACTION_NOTICE || action.kind == SV_ACTION_SHORTAGE)
            *sv_actions_add(&world->tellings, action.kind) = action;
        else
            world->actions.items[kept++] = action;
    }
    world->actions.count = kept;
}

/* False: the daemon has died, or there is nothing more. */
static bool do_next(struct world *world, struct sv_actions *list, size_t *done_count)
{
    if (*done_count >= list->count)
        return false;
    struct sv_action action = list->items[*done_count]; /* the list may grow, and move */
    if (!note(world, action.process))
        return false;
    (*done_count)++;
    perform(world, &action);
    if (action.kind == SV_ACTION_DELIVER || action.kind == SV_ACTION_REMEMBER)
        sv_blob_unref(action.deliver.blob);
    return true;
}

void pump(struct world *world)
{
    world->is_performing = true;
    do {
        while (do_next(world, &world->tellings, &world->told_count)) {
        }
        if (!world->is_dead)
            world->told_count = world->tellings.count = 0;
    } while (!world->is_dead && do_next(world, &world->actions, &world->performed_count));
    world->is_performing = false;
    if (world->is_dead)
        return;
    world->performed_count = world->actions.count = 0;
    sv_core_settle(world->core);
}

static bool is_something_done(const struct world *world, size_t first, sv_process_id process)
{
    for (size_t i = first; i < world->actions.count; i++)
        if (world->actions.items[i].process == process)
            return true;
    return false;
}

void feed(struct world *world, struct sv_event event)
{
    if (world->is_dead)
        return;
    struct actor *actor = &world->actors[event.process];
    enum run_phase before = actor->phase;
    size_t action_count = world->actions.count;
    int added = event.kind == SV_EVENT_GROUP_ADD ? event.group->name[1] - '0' : -1;
    event.now_ns = world->now_ns;
    event.wall_ns = (int64_t)world->now_ns + 1700000000;
    if (event.kind == SV_EVENT_EXITED && before == RUN_ALIVE && event.run == actor->run) {
        if (actor->body.is_living)
            end_body(world, actor, event.exited.wait_status);
        event.exited.has_strays = actor->has_strays;
    }
    if (world->is_traced)
        trace_event(world, &event);
    judge_event(world, &event);
    sv_core_step(world->core, &event, &world->actions);
    if (added >= 0 && !world->is_added[added])
        register_group(world, added);
    bool will_be_noted = is_something_done(world, action_count, event.process);
    sort_out(world, action_count);
    live_on(world, &event, before);
    push_signs(world);
    bool is_news = event.process != 0 && event.kind != SV_EVENT_RESTORE;
    if (is_news && !will_be_noted)
        (void)note(world, event.process);
    if (!world->is_performing && !world->is_dead)
        pump(world);
}

void step(struct world *world, struct sv_event event)
{
    if (world->is_dead)
        return;
    begin_turn(world, world->is_healed ? 0 : world->death_permyriad, 8);
    feed(world, event);
    world->is_dead |= world->is_doomed && !world->has_quit;
    if (!world->is_dead)
        judge_step(world);
    world->step++;
}

/* The next deadline or answer; some answers come again, later. */
static void let_time_pass(struct world *world)
{
    struct answer *answer = next_answer(world);
    uint64_t deadline_ns = sv_core_deadline_ns(world->core);
    if (!answer && deadline_ns == SV_NEVER)
        return;
    if (!answer || deadline_ns <= answer->due_ns) {
        world->now_ns = deadline_ns;
        step(world, (struct sv_event){.kind = SV_EVENT_TIME});
        return;
    }
    struct sv_event event = answer->event;
    world->now_ns = answer->due_ns > world->now_ns ? answer->due_ns : world->now_ns;
    *answer = world->queue[--world->queue_count];
    step(world, event);
    if (!world->is_healed && chance(world, 5))
        later(world, 3 * SECOND_NS, event);
}

static void act_as_healed(struct world *world, uint64_t until_ns)
{
    while (world->now_ns < until_ns && !world->has_quit) {
        uint64_t before = world->step;
        for (sv_process_id id = 1; id <= world->last_id; id++)
            listener_acts(world, id);
        if (world->step == before && !next_answer(world) &&
            sv_core_deadline_ns(world->core) == SV_NEVER)
            return;
        let_time_pass(world);
    }
}

/* ready_timeout=0, and what would make it ready was not said; or it had to go, and cannot. */
static bool waits_for_ever(const struct actor *actor)
{
    return decides_ready(actor) &&
           (actor->ready_until_ns == SV_NEVER || (actor->is_ended && actor->is_stuck));
}

/* Nothing fails any more: whatever was under way must come to its end. */
static void demand_progress(struct world *world)
{
    world->is_healed = true;
    for (sv_process_id id = 1; id <= world->last_id; id++) {
        world->actors[id].is_deaf = false;
        if (world->seed % 4 != 0) /* in one life of four what is stuck never dies */
            world->actors[id].is_stuck = false;
    }
    act_as_healed(world, world->now_ns + 300 * SECOND_NS);
    for (sv_process_id id = 1; id <= world->last_id && !world->is_stopping; id++) {
        const struct actor *actor = &world->actors[id];
        struct sv_process_view view;
        if (!actor->exists)
            continue;
        demand(world,
               (actor->state != SV_PROCESS_STARTING || waits_for_ever(actor)) &&
                   actor->state != SV_PROCESS_BACKOFF &&
                   (actor->state != SV_PROCESS_STOPPING || actor->is_stuck),
               "a healed world comes to rest", id);
        demand(world,
               actor->state != SV_PROCESS_EXITED || actor->is_restart_cancelled ||
                   actor->is_reconfigured || actor->config->autorestart != SV_AUTORESTART_ALWAYS,
               "autorestart=true starts again", id);
        sv_core_process(world->core, id, &view);
        demand(world, view.next_start_wall_ns == 0, "a restart that is due takes place", id);
        demand(world,
               world->groups[actor->group].kind != SV_GROUP_LISTENER ||
                   actor->state != SV_PROCESS_RUNNING || actor->listener == SV_LISTENER_UNKNOWN ||
                   world->pools[actor->group].count == 0,
               "every event reaches a listener in the end", id);
    }
    if (!world->is_stopping)
        step(world, (struct sv_event){.kind = SV_EVENT_SHUTDOWN, .is_restart = true});
    if (!world->has_quit)
        step(world, (struct sv_event){.kind = SV_EVENT_SHUTDOWN});
    act_as_healed(world, world->now_ns + GROUPS * 30 * SECOND_NS);
    demand(world, world->has_quit, "a shutdown ends", 0);
}

struct world_result world_run(uint64_t seed, uint64_t step_count, bool is_traced)
{
    struct world *world = calloc(1, sizeof(*world));
    if (!world)
        abort();
    world->seed = seed;
    world->is_traced = is_traced;
    world->step_count = step_count;
    world->random = seed;
    world->now_ns = 1;
    world->core = sv_core_new(seed);
    world->death_permyriad = chance(world, 33) ? 0 : 1 + (unsigned)draw(world, 100);
    world->blob = sv_blob_new("payload", 7);
    if (!world->core || !world->blob)
        abort();
    draw_configuration(world);
    world->shutdown_step = chance(world, 40) ? draw(world, 3000) : UINT64_MAX;
    for (int g = 0; g < GROUPS; g++)
        if (chance(world, 80))
            step(world, (struct sv_event){.kind = SV_EVENT_GROUP_ADD, .group = &world->groups[g]});
    step(world, (struct sv_event){.kind = SV_EVENT_BEGIN});
    while (world->step < step_count && !world->has_quit) {
        if (world->is_dead) {
            be_reborn(world);
            continue;
        }
        if (world->step >= world->shutdown_step && !world->is_stopping)
            step(world,
                 (struct sv_event){.kind = SV_EVENT_SHUTDOWN, .is_restart = chance(world, 50)});
        else if (chance(world, 60))
            let_time_pass(world);
        else
            request(world);
        if (world->is_dead)
            continue;
        if (chance(world, 50))
            world->now_ns += draw(world, SECOND_NS / 50);
        if (world->now_ns >= sv_core_deadline_ns(world->core))
            step(world, (struct sv_event){.kind = SV_EVENT_TIME});
    }
    for (world->is_healed = true; world->is_dead;)
        be_reborn(world);
    if (!world->has_quit)
        demand_progress(world);
    world->result.step_count = world->step;
    struct world_result result = world->result;
    sv_core_free(world->core);
    sv_actions_done(&world->actions);
    sv_actions_done(&world->tellings);
    sv_str_done(&world->journal);
    sv_str_done(&world->scratch);
    demand(world, world->blob->reference_count == 1, "no reference is kept", 0);
    sv_blob_unref(world->blob);
    free(world);
    return result;
}
