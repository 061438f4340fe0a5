/*
 * One life of a core, from a seed.
 *
 * Each step either lets time go on to the next thing that is due, or something happens at once: a
 * request, an event for the listeners, a change of the configuration, a shutdown. What the core
 * asks for is carried out by programs with a character: deaf to signals, stuck in the kernel,
 * leaving strays. Answers come late, some twice, some for a run that is over. Then the world is
 * healed (nothing fails, nothing hangs) and the core must come to rest, stop in order and quit.
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

static void later(struct world *world, uint64_t delay_ns_max, struct sv_event event)
{
    demand(world, world->queue_count < QUEUE_MAX, "the world's queue is large enough", 0);
    world->queue[world->queue_count++] = (struct answer){
        .due_ns = world->now_ns + draw(world, delay_ns_max + 1),
        .sequence = world->sequence++,
        .event = event,
    };
}

static struct answer *next_answer(struct world *world)
{
    struct answer *first = NULL;
    for (size_t i = 0; i < world->queue_count; i++) {
        struct answer *answer = &world->queue[i];
        if (!first || answer->due_ns < first->due_ns ||
            (answer->due_ns == first->due_ns && answer->sequence < first->sequence))
            first = answer;
    }
    return first;
}

static void die(struct world *world, sv_process_id id, int wait_status, uint64_t delay_ns_max)
{
    later(world, delay_ns_max,
          (struct sv_event){
              .kind = SV_EVENT_EXITED,
              .process = id,
              .run = world->actors[id].run,
              .exited = {.wait_status = wait_status},
          });
}

static void empty(struct world *world, sv_process_id id)
{
    later(world, SECOND_NS / 10,
          (struct sv_event){.kind = SV_EVENT_EMPTIED, .process = id, .run = world->actors[id].run});
}

static void perform_spawn(struct world *world, const struct sv_action *action)
{
    struct actor *actor = &world->actors[action->process];
    actor->run = action->run;
    actor->phase = RUN_ASKED;
    actor->has_strays = actor->strays_killed = false;
    actor->is_deaf = !world->is_healed && chance(world, 20);
    actor->is_stuck = !world->is_healed && chance(world, 5);
    world->result.spawn_count++;
    bool has_failed = !world->is_healed && chance(world, 15);
    struct sv_event event = {.process = action->process, .run = action->run};
    if (has_failed) {
        event.kind = SV_EVENT_SPAWN_FAILED;
        event.text = "can't find command 'x'";
    } else {
        event.kind = SV_EVENT_SPAWNED;
        event.pid = (int32_t)(1000 + world->result.spawn_count);
    }
    later(world, SECOND_NS / 5, event);
}

static void perform_signal(struct world *world, const struct sv_action *action)
{
    struct actor *actor = &world->actors[action->process];
    if (action->signal.target == SV_TARGET_CGROUP) {
        if (!actor->is_deaf)
            empty(world, action->process);
        return;
    }
    demand(world, actor->phase == RUN_ALIVE, "signals go to the living", action->process);
    if (!world->is_healed && chance(world, 2)) {
        later(world, SECOND_NS / 100,
              (struct sv_event){.kind = SV_EVENT_SIGNAL_FAILED,
                                .process = action->process,
                                .run = action->run,
                                .text = "Operation not permitted"});
        return;
    }
    bool is_kill = action->signal.number == 9;
    if (is_kill ? !actor->is_stuck : !actor->is_deaf)
        die(world, action->process, action->signal.number, SECOND_NS / (is_kill ? 20 : 1));
}

static void perform_kill_cgroup(struct world *world, const struct sv_action *action)
{
    struct actor *actor = &world->actors[action->process];
    if (actor->is_stuck)
        return;
    if (actor->phase == RUN_ALIVE)
        die(world, action->process, 9, SECOND_NS / 20);
    else if (actor->has_strays)
        empty(world, action->process);
}

/* Answers in time, late, or never; what is healed answers at once that all is well. */
static void perform_probe(struct world *world, const struct sv_action *action)
{
    struct sv_event event = {
        .kind = SV_EVENT_PROBED,
        .process = action->process,
        .run = action->run,
        .probed = {.serial = action->probe.serial, .is_ok = true, .text = "refused"}};
    if (!world->is_healed) {
        event.probed.is_ok = chance(world, 40);
        if (chance(world, 15))
            return;
    }
    later(world, !world->is_healed && chance(world, 15) ? 15 * SECOND_NS : SECOND_NS / 10, event);
}

static void say(struct world *world, sv_process_id id, enum sv_event_kind kind, uint64_t delay_ns)
{
    later(world, delay_ns,
          (struct sv_event){.kind = kind, .process = id, .run = world->actors[id].run});
}

/* What a program says by itself, after its start and after each word of it. */
static void speak(struct world *world, const struct sv_event *event)
{
    const struct sv_health_config *health = world->actors[event->process].config->health;
    bool is_silent = !world->is_healed && chance(world, 20);
    if (!health || is_silent)
        return;
    if (event->kind == SV_EVENT_SPAWNED && health->ready.kind == SV_PROBE_NOTIFY)
        say(world, event->process, SV_EVENT_READY,
            world->is_healed ? SECOND_NS / 2 : 6 * SECOND_NS);
    if (event->kind == SV_EVENT_SPAWNED && !world->is_healed && chance(world, 20))
        later(world, 4 * SECOND_NS,
              (struct sv_event){.kind = SV_EVENT_EXTEND,
                                .process = event->process,
                                .run = event->run,
                                .extend_ns = draw(world, 5 * SECOND_NS)});
    uint64_t patience_ns = (uint64_t)(health->watchdog * 1e9);
    if (health->watchdog > 0 &&
        (event->kind == SV_EVENT_SPAWNED || event->kind == SV_EVENT_WATCHDOG))
        say(world, event->process,
            !world->is_healed && chance(world, 2) ? SV_EVENT_WATCHDOG_TRIGGER : SV_EVENT_WATCHDOG,
            world->is_healed ? patience_ns / 2 : patience_ns + SECOND_NS / 2);
    if (health->liveness.kind == SV_PROBE_LOG &&
        (event->kind == SV_EVENT_SPAWNED || event->kind == SV_EVENT_ALIVE))
        say(world, event->process, SV_EVENT_ALIVE,
            (uint64_t)(health->liveness_period * 1e9) / (world->is_healed ? 2 : 1));
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

static void perform(struct world *world, const struct sv_action *action)
{
    digest(world, action);
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
    else if (action->kind == SV_ACTION_NOTICE &&
             action->notice.type == SV_NOTICE_PROCESS_GROUP_REMOVED)
        world->is_added[action->notice.group_name[1] - '0'] = false;
}

static void register_group(struct world *world, int index)
{
    const struct sv_group_view *view = sv_core_group(world->core, world->groups[index].name);
    demand(world, view && view->process_count == world->groups[index].program_count,
           "an added group is there", 0);
    demand(world, view->processes[0] == world->last_id + 1, "ids are never given twice", 0);
    world->is_added[index] = true;
    world->added_at[index] = world->step + 1;
    world->pools[index] = (struct pool_model){0};
    for (size_t i = 0; i < view->process_count; i++) {
        world->last_id = view->processes[i];
        world->actors[world->last_id] = (struct actor){
            .exists = true,
            .group = index,
            .program = i,
            .config = view->config->programs[i],
            .state = SV_PROCESS_STOPPED,
        };
    }
}

/* What follows from an event in the world itself. */
static void live_on(struct world *world, const struct sv_event *event, enum run_phase before)
{
    struct actor *actor = &world->actors[event->process];
    if (!actor->exists || event->run != actor->run)
        return;
    bool is_listener = world->groups[actor->group].kind == SV_GROUP_LISTENER;
    if (event->kind == SV_EVENT_SPAWNED && before == RUN_ASKED && !world->is_healed &&
        !chance(world, is_listener ? 60 : 25)) {
        static const int statuses[] = {0, 0, 1 << 8, 7 << 8, 11};
        die(world, event->process, statuses[draw(world, 5)],
            chance(world, 40) ? 2 * SECOND_NS : 20 * SECOND_NS);
    }
    if (actor->phase == RUN_ALIVE && (event->kind != SV_EVENT_SPAWNED || before == RUN_ASKED))
        speak(world, event);
    if (event->kind == SV_EVENT_EXITED && before == RUN_ALIVE && actor->has_strays &&
        actor->strays_killed && !actor->is_stuck)
        empty(world, event->process);
}

static void step(struct world *world, struct sv_event event)
{
    struct actor *actor = &world->actors[event.process];
    enum run_phase before = actor->phase;
    int added = -1;
    event.now_ns = world->now_ns;
    event.wall_ns = (int64_t)world->now_ns + 1700000000;
    if (event.kind == SV_EVENT_GROUP_ADD)
        added = event.group->name[1] - '0';
    if (event.kind == SV_EVENT_EXITED && before == RUN_ALIVE && event.run == actor->run)
        actor->has_strays = event.exited.has_strays = chance(world, 20);
    judge_event(world, &event);
    sv_core_step(world->core, &event, &world->actions);
    if (added >= 0 && !world->is_added[added])
        register_group(world, added);
    for (size_t i = 0; i < world->actions.count; i++)
        perform(world, &world->actions.items[i]);
    sv_actions_clear(&world->actions);
    live_on(world, &event, before);
    judge_step(world);
    world->step++;
}

static void listener_acts(struct world *world, sv_process_id id)
{
    struct actor *actor = &world->actors[id];
    if (!actor->exists || actor->phase != RUN_ALIVE ||
        world->groups[actor->group].kind != SV_GROUP_LISTENER)
        return;
    struct sv_event event = {.process = id, .run = actor->run};
    if (!world->is_healed && chance(world, 2) && actor->listener != SV_LISTENER_UNKNOWN) {
        event.kind = SV_EVENT_LISTENER_BROKEN;
    } else if (actor->listener == SV_LISTENER_ACKNOWLEDGED) {
        event.kind = SV_EVENT_LISTENER_READY;
    } else if (actor->listener == SV_LISTENER_BUSY) {
        event.kind = SV_EVENT_LISTENER_RESULT;
        event.is_ok = world->is_healed || chance(world, 75);
    } else {
        return;
    }
    step(world, event);
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

static void request(struct world *world)
{
    static const enum sv_notice_type types[] = {SV_NOTICE_TICK_5, SV_NOTICE_PROCESS_GROUP_ADDED};
    sv_process_id id = (sv_process_id)draw(world, world->last_id + 3);
    int group = (int)draw(world, GROUPS);
    uint64_t kind = draw(world, 1000);
    if (kind < 150) {
        step(world, (struct sv_event){.kind = SV_EVENT_START, .process = id});
    } else if (kind < 280) {
        step(world, (struct sv_event){.kind = SV_EVENT_STOP, .process = id});
    } else if (kind < 320) {
        step(world, (struct sv_event){.kind = SV_EVENT_SIGNAL, .process = id, .number = 1});
    } else if (kind < 340) {
        step(world, (struct sv_event){.kind = SV_EVENT_OOM_KILL,
                                      .process = id,
                                      .run = world->actors[id].run,
                                      .oom_policy = (enum sv_oom_policy)draw(world, 3)});
    } else if (kind < 600) {
        step(world, (struct sv_event){.kind = SV_EVENT_PUBLISH,
                                      .publish = {types[draw(world, 2)], world->blob}});
    } else if (kind < 900) {
        for (int i = 0; i < 8; i++)
            listener_acts(world, (sv_process_id)draw(world, world->last_id + 1));
    } else if (kind < 930) {
        step(world,
             (struct sv_event){.kind = SV_EVENT_GROUP_REMOVE, .name = world->groups[group].name});
    } else if (kind < 960) {
        if (!world->is_added[group] && world->last_id + PROGRAMS_MAX < ACTORS_MAX)
            step(world,
                 (struct sv_event){.kind = SV_EVENT_GROUP_ADD, .group = &world->groups[group]});
    } else {
        step(world, (struct sv_event){.kind = SV_EVENT_TIME});
    }
}

static const struct sv_health_config *draw_health(struct world *world, int group, size_t index)
{
    static const enum sv_probe_kind ready_kinds[] = {SV_PROBE_NONE, SV_PROBE_PORT, SV_PROBE_NOTIFY};
    static const enum sv_probe_kind life_kinds[] = {SV_PROBE_NONE, SV_PROBE_EXEC, SV_PROBE_LOG};
    static const int actions[] = {SV_LIVENESS_RESTART, SV_LIVENESS_RESTART, SV_LIVENESS_STOP,
                                  SV_LIVENESS_NONE, 10};
    if (chance(world, 50))
        return NULL;
    world->healths[group][index] = (struct sv_health_config){
        .ready = {.kind = ready_kinds[draw(world, 3)], .text = "ready"},
        .ready_timeout = 1 + (double)draw(world, 8) / 2,
        .liveness = {.kind = life_kinds[draw(world, 3)], .text = "alive"},
        .liveness_period = 2 + (double)draw(world, 8),
        .liveness_timeout = 1 + (double)draw(world, 3),
        .liveness_failures = 1 + (uint32_t)draw(world, 3),
        .liveness_action = actions[draw(world, 5)],
        .watchdog = chance(world, 60) ? 0 : 3 + (double)draw(world, 6),
    };
    return &world->healths[group][index];
}

static void draw_program(struct world *world, int group, size_t index)
{
    static const int exitcodes[] = {0, 7};
    static const char *const names[PROGRAMS_MAX] = {"a", "b", "c", "d"};
    struct sv_program_config *program = &world->programs[group][index];
    *program = (struct sv_program_config){
        .name = names[index],
        .program = names[index],
        .priority = (int32_t)index,
        .autostart = chance(world, 70),
        .autorestart = (enum sv_autorestart)draw(world, 3),
        .startsecs = (uint32_t)draw(world, 4),
        .startretries = chance(world, 10) ? SV_RETRIES_ENDLESS : (uint32_t)draw(world, 4),
        .stopsignal = 15,
        .stopwaitsecs = (uint32_t)draw(world, 6),
        .stopasgroup = chance(world, 30),
        .killasgroup = chance(world, 30),
        .exitcodes = exitcodes,
        .exitcode_count = 2,
        .restart_delay = chance(world, 50) ? -1 : (double)draw(world, 5) / 2,
        .restart_delay_max = 20,
        .restart_jitter = (double)draw(world, 3) / 4,
        .restart_reset_after = chance(world, 60) ? -1 : (double)draw(world, 5),
        .kill_mode = chance(world, 70) ? SV_KILL_CONTROL_GROUP : SV_KILL_PROCESS,
        .health = draw_health(world, group, index),
    };
    world->program_lists[group][index] = program;
}

static void draw_configuration(struct world *world)
{
    static const char *const names[GROUPS] = {"g0", "g1", "g2", "g3", "g4", "g5", "g6"};
    for (int g = 0; g < GROUPS; g++) {
        bool is_listener = g < 2;
        size_t count = 1 + (size_t)draw(world, PROGRAMS_MAX);
        for (size_t i = 0; i < count; i++)
            draw_program(world, g, i);
        world->groups[g] = (struct sv_group_config){
            .kind = is_listener ? SV_GROUP_LISTENER : SV_GROUP_PROGRAM,
            .name = names[g],
            .priority = is_listener ? -1 : (int32_t)draw(world, 4),
            .programs = world->program_lists[g],
            .program_count = count,
            .events = is_listener
                          ? (sv_notice_set)1 << SV_NOTICE_TICK_5 |
                                (sv_notice_set)draw(world, 2) << SV_NOTICE_PROCESS_GROUP_ADDED
                          : 0,
            .buffer_size = 1 + (uint32_t)draw(world, 8),
        };
    }
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
               actor->state != SV_PROCESS_STARTING && actor->state != SV_PROCESS_BACKOFF &&
                   (actor->state != SV_PROCESS_STOPPING || actor->is_stuck),
               "a healed world comes to rest", id);
        demand(world,
               actor->state != SV_PROCESS_EXITED || actor->is_restart_cancelled ||
                   actor->config->autorestart != SV_AUTORESTART_ALWAYS,
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

struct world_result world_run(uint64_t seed, uint64_t step_count)
{
    struct world *world = calloc(1, sizeof(*world));
    if (!world)
        abort();
    world->seed = seed;
    world->step_count = step_count;
    world->random = seed;
    world->now_ns = 1;
    world->core = sv_core_new(seed);
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
        if (world->step >= world->shutdown_step && !world->is_stopping)
            step(world,
                 (struct sv_event){.kind = SV_EVENT_SHUTDOWN, .is_restart = chance(world, 50)});
        else if (chance(world, 60))
            let_time_pass(world);
        else
            request(world);
        if (chance(world, 50))
            world->now_ns += draw(world, SECOND_NS / 50);
        if (world->now_ns >= sv_core_deadline_ns(world->core))
            step(world, (struct sv_event){.kind = SV_EVENT_TIME});
    }
    if (!world->has_quit)
        demand_progress(world);
    world->result.step_count = world->step;
    struct world_result result = world->result;
    sv_core_free(world->core);
    sv_actions_done(&world->actions);
    demand(world, world->blob->reference_count == 1, "no reference is kept", 0);
    sv_blob_unref(world->blob);
    free(world);
    return result;
}
