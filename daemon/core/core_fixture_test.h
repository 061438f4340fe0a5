/* Three groups for the tests of the core, and what a test does to them and reads of them. */
#ifndef SV_CORE_CORE_FIXTURE_TEST_H
#define SV_CORE_CORE_FIXTURE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <svisor/limits.h>

#include "core/core.h"
#include "core/program_for_test.h"

#define SECOND UINT64_C(1000000000)

enum { GROUPS = 3, PROGRAMS = 2 };

struct fixture {
    struct sv_program_config programs[GROUPS][PROGRAMS];
    const struct sv_program_config *lists[GROUPS][PROGRAMS];
    struct sv_group_config groups[GROUPS];
    struct sv_core *core;
    struct sv_actions actions;
    uint64_t now_ns;
};

/* "low" (a listener pool, priority -1), "middle" (5), "high" (9), two programs each. */
static inline void set_up(struct fixture *f)
{
    static const char *const names[GROUPS] = {"low", "middle", "high"};
    static const int priorities[GROUPS] = {-1, 5, 9};
    *f = (struct fixture){.now_ns = SECOND};
    for (int g = 0; g < GROUPS; g++) {
        for (int p = 0; p < PROGRAMS; p++) {
            f->programs[g][p] = program_named("x");
            f->programs[g][p].name = p ? "second" : "first";
            f->programs[g][p].autorestart = SV_AUTORESTART_NEVER;
            f->programs[g][p].startsecs = 0;
            f->lists[g][p] = &f->programs[g][p];
        }
        f->groups[g] = (struct sv_group_config){
            .kind = g == 0 ? SV_GROUP_LISTENER : SV_GROUP_PROGRAM,
            .name = names[g],
            .priority = priorities[g],
            .programs = f->lists[g],
            .program_count = PROGRAMS,
            .events = g == 0 ? (sv_notice_set)1 << SV_NOTICE_TICK_5 : 0,
            .buffer_size = 10,
        };
    }
    f->core = sv_core_new(1);
    assert_non_null(f->core);
}

static inline void tear_down(struct fixture *f)
{
    sv_core_free(f->core);
    sv_actions_done(&f->actions);
}

static inline void step(struct fixture *f, struct sv_event event)
{
    event.now_ns = f->now_ns;
    sv_actions_clear(&f->actions);
    sv_core_step(f->core, &event, &f->actions);
}

static inline void add(struct fixture *f, int group)
{
    step(f, (struct sv_event){.kind = SV_EVENT_GROUP_ADD, .group = &f->groups[group]});
}

static inline void spawned(struct fixture *f, sv_process_id id)
{
    step(f, (struct sv_event){
                .kind = SV_EVENT_SPAWNED, .process = id, .run = 1, .pid = (int)id + 100});
}

static inline void exited(struct fixture *f, sv_process_id id)
{
    step(f, (struct sv_event){.kind = SV_EVENT_EXITED, .process = id, .run = 1});
}

static inline void shut_down(struct fixture *f, bool is_restart)
{
    step(f, (struct sv_event){.kind = SV_EVENT_SHUTDOWN, .is_restart = is_restart});
}

static inline const struct sv_action *find(const struct fixture *f, enum sv_action_kind kind,
                                           size_t nth)
{
    for (size_t i = 0; i < f->actions.count; i++)
        if (f->actions.items[i].kind == kind && nth-- == 0)
            return &f->actions.items[i];
    return NULL;
}

static inline const struct sv_action *find_notice(const struct fixture *f, enum sv_notice_type type)
{
    for (size_t i = 0; i < f->actions.count; i++)
        if (f->actions.items[i].kind == SV_ACTION_NOTICE && f->actions.items[i].notice.type == type)
            return &f->actions.items[i];
    return NULL;
}

/* high is 1 and 2, low 3 and 4, middle 5 and 6; all running. */
static inline void bring_up(struct fixture *f)
{
    set_up(f);
    add(f, 2);
    add(f, 0);
    add(f, 1);
    step(f, (struct sv_event){.kind = SV_EVENT_BEGIN});
    for (sv_process_id id = 1; id <= 6; id++)
        spawned(f, id);
}

#endif
