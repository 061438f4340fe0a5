/* One program with health options in a whole core, step by step. */
#ifndef SV_CORE_LOCAL_HEALTH_FIXTURE_TEST_H
#define SV_CORE_LOCAL_HEALTH_FIXTURE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>

#include "core/core.h"
#include "core/program_for_test.h"

#define SECOND UINT64_C(1000000000)

struct fixture {
    struct sv_health_config health;
    struct sv_program_config program;
    const struct sv_program_config *list[1];
    struct sv_group_config group;
    struct sv_core *core;
    struct sv_actions actions;
    uint64_t now_ns;
    uint32_t run;
};

static inline void arrange(struct fixture *f, const struct sv_health_config *health)
{
    *f = (struct fixture){.health = *health, .now_ns = 1000 * SECOND, .run = 1};
    f->program = program_named("p");
    f->program.autorestart = SV_AUTORESTART_NEVER;
    f->program.health = &f->health;
    f->list[0] = &f->program;
    f->group = (struct sv_group_config){
        .kind = SV_GROUP_PROGRAM, .name = "p", .programs = f->list, .program_count = 1};
    f->core = sv_core_new(1);
    assert_non_null(f->core);
}

static inline void clear(struct fixture *f)
{
    sv_core_free(f->core);
    sv_actions_done(&f->actions);
}

static inline void step(struct fixture *f, struct sv_event event)
{
    event.now_ns = f->now_ns;
    event.process = 1;
    if (event.kind != SV_EVENT_STOP && event.kind != SV_EVENT_START)
        event.run = f->run;
    sv_actions_clear(&f->actions);
    sv_core_step(f->core, &event, &f->actions);
}

static inline void say(struct fixture *f, enum sv_event_kind kind)
{
    step(f, (struct sv_event){.kind = kind});
}

/* Until the next deadline; how long that was, in milliseconds. */
static inline uint64_t wait_ms(struct fixture *f)
{
    uint64_t before_ns = f->now_ns;
    assert_true(sv_core_deadline_ns(f->core) != SV_NEVER);
    f->now_ns = sv_core_deadline_ns(f->core);
    say(f, SV_EVENT_TIME);
    return (f->now_ns - before_ns) / 1000000;
}

static inline const struct sv_action *find(const struct fixture *f, enum sv_action_kind kind)
{
    for (size_t i = 0; i < f->actions.count; i++)
        if (f->actions.items[i].kind == kind)
            return &f->actions.items[i];
    return NULL;
}

static inline void answer(struct fixture *f, uint32_t serial, bool is_ok, const char *text)
{
    step(f, (struct sv_event){.kind = SV_EVENT_PROBED,
                              .probed = {.serial = serial, .is_ok = is_ok, .text = text}});
}

static inline struct sv_process_view view_of(const struct fixture *f)
{
    struct sv_process_view view;
    assert_true(sv_core_process(f->core, 1, &view));
    return view;
}

static inline void launch(struct fixture *f)
{
    step(f, (struct sv_event){.kind = SV_EVENT_GROUP_ADD, .group = &f->group});
    say(f, SV_EVENT_BEGIN);
    step(f, (struct sv_event){.kind = SV_EVENT_SPAWNED, .pid = 77});
}

static inline void end(struct fixture *f, int status)
{
    step(f, (struct sv_event){.kind = SV_EVENT_EXITED, .exited = {.wait_status = status}});
}

static inline void take_turn(struct fixture *f, uint32_t serial, bool is_waiting)
{
    step(f, (struct sv_event){.kind = SV_EVENT_PROBE_TURN,
                              .turn = {.serial = serial, .is_waiting = is_waiting}});
}

static const struct sv_health_config ready_port = {
    .ready = {.kind = SV_PROBE_PORT, .text = "port:8080"}, .ready_timeout = 30};
static const struct sv_health_config ready_notify = {
    .ready = {.kind = SV_PROBE_NOTIFY, .text = "notify"}, .ready_timeout = 30};
static const struct sv_health_config alive_port = {
    .liveness = {.kind = SV_PROBE_PORT, .text = "port:8080"},
    .liveness_period = 10,
    .liveness_timeout = 5,
    .liveness_failures = 2,
};

#endif
