/* One process of a plain program, in any state that a test wants, and what it asks of the world. */
#ifndef SV_CORE_LOCAL_PROCESS_FIXTURE_TEST_H
#define SV_CORE_LOCAL_PROCESS_FIXTURE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/local/process.h"

#define SECOND SV_NS_PER_SECOND

enum { START_NS = 1000 };

static const int exitcodes[] = {0, 2};
static const struct sv_program_config plain = {
    .name = "p",
    .program = "p",
    .autorestart = SV_AUTORESTART_NEVER,
    .startsecs = 1,
    .startretries = 3,
    .stopsignal = 15,
    .stopwaitsecs = 10,
    .exitcodes = exitcodes,
    .exitcode_count = 2,
    .restart_delay = -1,
    .restart_delay_max = -1,
    .restart_reset_after = -1,
};

struct fixture {
    struct sv_process process;
    struct sv_health health;
    struct sv_program_config config;
    struct sv_actions actions;
    struct sv_heap alarms;
    struct sv_random random;
    struct sv_step step;
    char spawnerr[128];
};

static inline void arrange(struct fixture *f, enum sv_process_state state)
{
    *f = (struct fixture){.config = plain};
    sv_process_init(&f->process, 1, &f->config);
    f->process.spawnerr = f->spawnerr;
    f->process.spawnerr_bytes = sizeof(f->spawnerr);
    assert_int_equal(sv_heap_reserve(&f->alarms, 1), 0);
    f->step = (struct sv_step){
        .now_ns = START_NS * SECOND,
        .wall_ns = 7,
        .actions = &f->actions,
        .alarms = &f->alarms,
        .random = &f->random,
        .may_start = true,
    };
    struct sv_process *process = &f->process;
    process->state = state;
    process->run = 1;
    if (state == SV_PROCESS_STARTING || state == SV_PROCESS_RUNNING ||
        state == SV_PROCESS_STOPPING || state == SV_PROCESS_UNKNOWN) {
        process->main = SV_MAIN_ALIVE;
        process->pid = 77;
    }
    if (state == SV_PROCESS_STARTING)
        process->deadline_ns = f->step.now_ns + 1;
    if (state == SV_PROCESS_STOPPING)
        process->stop_reason = SV_REASON_REQUEST_STOP;
    if (state == SV_PROCESS_BACKOFF)
        process->failure_count = 1;
}

static inline void clear(struct fixture *f)
{
    sv_actions_done(&f->actions);
    sv_heap_done(&f->alarms);
}

static inline struct sv_process_event event_of(enum sv_process_event_kind kind)
{
    struct sv_process_event event = {.kind = kind, .reason = SV_REASON_REQUEST_STOP};
    if (kind == SV_PROCESS_EVENT_START)
        event.reason = SV_REASON_REQUEST_START;
    else if (kind == SV_PROCESS_EVENT_EXITED)
        event.number = 1 << 8;
    else if (kind == SV_PROCESS_EVENT_SPAWNED)
        event.number = 88;
    else if (kind == SV_PROCESS_EVENT_SIGNAL)
        event.number = 1;
    else if (kind == SV_PROCESS_EVENT_SPAWN_FAILED)
        event.text = "no such thing";
    else if (kind == SV_PROCESS_EVENT_PROBED)
        event.text = "refused";
    return event;
}

static inline const struct sv_action *last_action(const struct fixture *f, enum sv_action_kind kind)
{
    for (size_t i = f->actions.count; i > 0; i--)
        if (f->actions.items[i - 1].kind == kind)
            return &f->actions.items[i - 1];
    return NULL;
}

static inline void give(struct fixture *f, struct sv_process_event event)
{
    sv_process_handle(&f->process, &event, &f->step);
}

#endif
