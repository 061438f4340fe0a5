/*
 * Programs with a character: deaf to signals, stuck in the kernel, leaving strays, slow, silent or
 * talkative. What they do is due at a point of time, whoever listens then.
 */
#include <svisor/limits.h>

#include "world_internal.h"

void later(struct world *world, uint64_t delay_ns_max, struct sv_event event)
{
    demand(world, world->queue_count < QUEUE_MAX, "the world's queue is large enough", 0);
    world->queue[world->queue_count++] = (struct answer){
        .due_ns = world->now_ns + draw(world, delay_ns_max + 1),
        .sequence = world->sequence++,
        .event = event,
    };
}

struct answer *next_answer(struct world *world)
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

void be_born(struct world *world, sv_process_id id, uint32_t run)
{
    struct actor *actor = &world->actors[id];
    demand(world, !actor->body.is_living, "no program ever runs twice", id);
    world->result.spawn_count++;
    actor->body = (struct body){
        .is_living = true, .run = run, .pid = (int32_t)(1000 + world->result.spawn_count)};
    actor->has_strays = actor->strays_killed = false;
    actor->is_deaf = !world->is_healed && chance(world, 20);
    actor->is_stuck = !world->is_healed && chance(world, 5);
}

void end_body(struct world *world, struct actor *actor, int wait_status)
{
    actor->body.is_living = false;
    actor->body.wait_status = wait_status;
    actor->has_strays = chance(world, 20);
}

void perform_spawn(struct world *world, const struct sv_action *action)
{
    struct actor *actor = &world->actors[action->process];
    actor->run = action->run;
    actor->phase = RUN_ASKED;
    actor->has_strays = actor->strays_killed = false;
    struct sv_event event = {
        .kind = SV_EVENT_SPAWN_FAILED, .process = action->process, .run = action->run};
    event.text = "can't find command 'x'";
    if (world->is_healed || !chance(world, 15)) {
        be_born(world, action->process, action->run);
        event.kind = SV_EVENT_SPAWNED;
        event.pid = actor->body.pid;
    }
    if (chance(world, 50))
        feed(world, event); /* as the driver does it */
    else
        later(world, SECOND_NS / 5, event);
}

void perform_signal(struct world *world, const struct sv_action *action)
{
    struct actor *actor = &world->actors[action->process];
    if (action->signal.target == SV_TARGET_CGROUP) {
        if (!actor->is_deaf)
            empty(world, action->process);
        return;
    }
    if (world->is_adopting && actor->phase != RUN_ALIVE)
        return; /* what is owed since RESTORE, to one that has ended meanwhile */
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

void perform_kill_cgroup(struct world *world, const struct sv_action *action)
{
    struct actor *actor = &world->actors[action->process];
    if (actor->is_stuck)
        return;
    if (actor->phase == RUN_ALIVE)
        die(world, action->process, 9, SECOND_NS / 20);
    else if (actor->has_strays)
        empty(world, action->process);
}

static void take_turn(struct world *world, const struct sv_action *action, uint64_t delay_ns)
{
    later(world, delay_ns,
          (struct sv_event){.kind = SV_EVENT_PROBE_TURN,
                            .process = action->process,
                            .run = action->run,
                            .turn = {.serial = action->probe.serial, .is_waiting = delay_ns == 0}});
}

/* Answers in time, late, or never, and may have to wait before; what is healed answers at once that
 * all is well. */
void perform_probe(struct world *world, const struct sv_action *action)
{
    uint64_t wait_ns = !world->is_healed && chance(world, 15) ? 20 * SECOND_NS : 0;
    if (wait_ns > 0) {
        take_turn(world, action, 0);
        take_turn(world, action, wait_ns);
    }
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
    bool is_late = !world->is_healed && chance(world, 15);
    later(world, wait_ns + (is_late ? 15 * SECOND_NS : SECOND_NS / 10), event);
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

void live_on(struct world *world, const struct sv_event *event, enum run_phase before)
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
