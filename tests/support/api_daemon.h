/*
 * A small daemon for the tests of the remote methods: the real core, and a world in which spawns
 * and signals are known to the test only. For api_host.h.
 */
#ifndef SV_TESTS_API_DAEMON_H
#define SV_TESTS_API_DAEMON_H

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/api.h"
#include "core/core.h"

#define SECOND_NS     1000000000ull
#define START_WALL_NS (1795361452 * (int64_t)SECOND_NS) /* 2026-11-22 15:30:52 UTC */

enum { PROGRAMS_MAX = 16 };

/* What becomes of a spawn. */
enum spawn_mode { SPAWN_WORKS, SPAWN_FAILS, SPAWN_LATER };

struct api_host {
    struct sv_api_host host;
    struct sv_core *core;
    struct sv_api *api;
    struct sv_actions actions;
    size_t performed_count;
    bool is_performing;
    uint64_t now_ns;

    struct sv_program_config programs[PROGRAMS_MAX];
    const struct sv_program_config *program_list[PROGRAMS_MAX];
    struct sv_group_config groups[PROGRAMS_MAX];
    const struct sv_group_config *group_list[PROGRAMS_MAX];
    size_t program_count;
    struct sv_config config;

    enum spawn_mode spawn_mode;
    bool ignores_signals;
    bool signals_fail;
    int64_t wall_shift_ns; /* the clock was set by this much after the core saw it last */
    int last_signal;
    int signal_result;
    enum sv_command_check command_check;
    int read_outcome;
    const char *reexec_problem;
    int reexec_count;
    char written[64];
    int write_result;
    bool reread_works;
};

static inline void feed(struct api_host *host, struct sv_event event);

static inline void end_process(struct api_host *host, sv_process_id id, int wait_status)
{
    struct sv_process_view view;
    if (sv_core_process(host->core, id, &view))
        feed(host, (struct sv_event){.kind = SV_EVENT_EXITED,
                                     .process = id,
                                     .run = view.run,
                                     .exited = {.wait_status = wait_status}});
}

/* The answer to a spawn that was put off. */
static inline void answer_spawn(struct api_host *host, sv_process_id id, bool works)
{
    struct sv_process_view view;
    assert_true(sv_core_process(host->core, id, &view));
    struct sv_event event = {.process = id, .run = view.run};
    if (works) {
        event.kind = SV_EVENT_SPAWNED;
        event.pid = 1000 + (int32_t)id;
    } else {
        event.kind = SV_EVENT_SPAWN_FAILED;
        event.text = "unknown error making dispatchers for 'x': EMFILE";
    }
    feed(host, event);
    sv_api_process_changed(host->api, id);
}

static inline void perform(struct api_host *host, const struct sv_action *action)
{
    if (action->kind == SV_ACTION_SPAWN && host->spawn_mode != SPAWN_LATER) {
        answer_spawn(host, action->process, host->spawn_mode == SPAWN_WORKS);
    } else if (action->kind == SV_ACTION_SIGNAL) {
        host->last_signal = action->signal.number;
        if (host->signals_fail)
            feed(host, (struct sv_event){.kind = SV_EVENT_SIGNAL_FAILED,
                                         .process = action->process,
                                         .run = action->run,
                                         .text = "Operation not permitted"});
        else if (!host->ignores_signals)
            end_process(host, action->process, action->signal.number);
    } else if (action->kind == SV_ACTION_NOTICE) {
        sv_api_process_changed(host->api, action->process);
    }
}

static inline void feed(struct api_host *host, struct sv_event event)
{
    event.now_ns = host->now_ns;
    event.wall_ns = START_WALL_NS + (int64_t)host->now_ns;
    sv_core_step(host->core, &event, &host->actions);
    if (host->is_performing)
        return;
    host->is_performing = true;
    while (host->performed_count < host->actions.count) {
        struct sv_action action = host->actions.items[host->performed_count++];
        perform(host, &action);
    }
    host->is_performing = false;
    host->performed_count = 0;
    host->actions.count = 0;
}

static inline void pass_seconds(struct api_host *host, unsigned seconds)
{
    host->now_ns += seconds * SECOND_NS;
    while (sv_core_deadline_ns(host->core) <= host->now_ns)
        feed(host, (struct sv_event){.kind = SV_EVENT_TIME});
}

#endif
