/*
 * The part of the judge that knows of health: who says when a program is ready, that probes come
 * one at a time and for the living, that every deadline of readiness, liveness and the watchdog is
 * kept, and that what is found wanting is ended as configured.
 */
#include "world_internal.h"

bool decides_ready(const struct actor *actor)
{
    return actor->config->health && actor->config->health->ready.kind != SV_PROBE_NONE;
}

void await_running(const struct world *world, struct actor *actor)
{
    double seconds = actor->config->startsecs;
    if (decides_ready(actor))
        seconds = actor->config->health->ready_timeout;
    bool is_endless = decides_ready(actor) && seconds <= 0;
    uint64_t until_ns = is_endless ? SV_NEVER : world->now_ns + (uint64_t)(seconds * 1e9);
    actor->ready_until_ns = decides_ready(actor) ? until_ns : 0;
    actor->running_due_ns = decides_ready(actor) ? SV_NEVER : until_ns;
}

void judge_probe(struct world *world, const struct sv_action *action)
{
    struct actor *actor = &world->actors[action->process];
    bool is_start = action->kind == SV_ACTION_PROBE_START;
    demand(world, actor->is_probing != is_start, "one probe at a time, and given up once",
           action->process);
    demand(world, action->run == actor->run, "probes are about the current run", action->process);
    actor->is_probing = is_start;
    if (!is_start)
        return;
    demand(world, actor->phase == RUN_ALIVE && !actor->is_ended, "probes ask the living",
           action->process);
    demand(world,
           action->probe.config == (actor->state == SV_PROCESS_STARTING
                                        ? &actor->config->health->ready
                                        : &actor->config->health->liveness),
           "ready while STARTING, alive while RUNNING", action->process);
    actor->probe_serial = action->probe.serial;
}

void judge_finding(struct world *world, const struct sv_action *action)
{
    struct actor *actor = &world->actors[action->process];
    bool is_unready = action->notice.reason == SV_REASON_NOT_READY;
    demand(world,
           actor->state == (is_unready ? SV_PROCESS_STARTING : SV_PROCESS_RUNNING) &&
               !actor->is_ended,
           "health is found wanting once, in the state that it is about", action->process);
    demand(world, !is_unready || world->now_ns >= actor->ready_until_ns,
           "nobody is called not ready before the time is over", action->process);
    actor->watched_from_ns = world->now_ns;
    if (is_unready || actor->config->health->liveness_action == SV_LIVENESS_RESTART) {
        actor->is_ended = true;
        actor->is_stop_sent = false;
        actor->end_due_ns = world->now_ns + actor->config->stopwaitsecs * SECOND_NS;
    }
}

void judge_word(const struct world *world, struct actor *actor, const struct sv_event *event)
{
    bool is_alive = actor->phase == RUN_ALIVE;
    if (event->kind == SV_EVENT_READY && is_alive) {
        actor->was_ready = true;
    } else if (event->kind == SV_EVENT_WATCHDOG && is_alive) {
        actor->watched_from_ns = world->now_ns;
    } else if (event->kind == SV_EVENT_EXTEND && is_alive) {
        uint64_t until_ns = world->now_ns + event->extend_ns;
        if (actor->ready_until_ns < until_ns && !actor->is_ended)
            actor->ready_until_ns = until_ns;
        if (actor->stop_until_ns < until_ns)
            actor->stop_until_ns = until_ns;
    } else if (event->kind == SV_EVENT_PROBED && actor->is_probing &&
               actor->probe_serial == event->probed.serial) {
        actor->is_probing = false;
        if (event->probed.is_ok && actor->state == SV_PROCESS_STARTING)
            actor->was_ready = true;
    }
}

void judge_health(const struct world *world, const struct actor *actor, sv_process_id id)
{
    demand(world, !actor->is_probing || actor->phase == RUN_ALIVE, "no probe outlives its run", id);
    if (!actor->config->health || actor->phase != RUN_ALIVE)
        return;
    if (actor->is_ended) {
        uint64_t until_ns = actor->end_due_ns;
        if (actor->state == SV_PROCESS_STARTING && actor->stop_until_ns > until_ns)
            until_ns = actor->stop_until_ns;
        demand(world, actor->was_killed || world->now_ns < until_ns,
               "what is ended gets its SIGKILL in time", id);
        return;
    }
    if (actor->state == SV_PROCESS_STARTING && decides_ready(actor))
        demand(world, world->now_ns < actor->ready_until_ns, "ready_timeout is kept", id);
    if (actor->state == SV_PROCESS_RUNNING && actor->config->health->watchdog > 0)
        demand(world,
               world->now_ns <
                   actor->watched_from_ns + (uint64_t)(actor->config->health->watchdog * 1e9),
               "a silent watchdog is noticed", id);
}
