/*
 * What may happen: requests of users, words of listeners, and the configuration of a life.
 */
#include "base/names.h"
#include "base/shortage.h"
#include "world_internal.h"

void listener_acts(struct world *world, sv_process_id id)
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

void request(struct world *world)
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
    } else if (kind < 370) {
        struct sv_shortage shortage =
            sv_shortage_of((enum sv_resource)draw(world, SV_RESOURCE_COUNT), 1 + draw(world, 3));
        shortage.is_of_group = chance(world, 30);
        step(world, (struct sv_event){.kind = SV_EVENT_SHORTAGE,
                                      .process = id,
                                      .run = world->actors[id].run,
                                      .shortage = &shortage});
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
        .ready_timeout = chance(world, 10) ? 0 : 1 + (double)draw(world, 8) / 2,
        .liveness = {.kind = life_kinds[draw(world, 3)], .text = "alive"},
        .liveness_period = 2 + (double)draw(world, 8),
        .liveness_timeout = 1 + (double)draw(world, 3),
        .liveness_failures = 1 + (uint32_t)draw(world, 3),
        .liveness_action = actions[draw(world, 5)],
        .watchdog = chance(world, 60) ? 0 : 3 + (double)draw(world, 6),
    };
    return &world->healths[group][index];
}

void draw_program(struct world *world, int group, size_t index)
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

void draw_configuration(struct world *world)
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
