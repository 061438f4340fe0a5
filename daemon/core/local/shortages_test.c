/* When shortages are told, step by step through a whole core. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <svisor/limits.h>

#include "base/shortage.h"
#include "core/core.h"
#include "core/program_for_test.h"

#define SECOND   UINT64_C(1000000000)
#define BEGIN_NS (1000 * SECOND)

struct fixture {
    struct sv_program_config programs[2];
    const struct sv_program_config *list[2];
    struct sv_group_config group;
    struct sv_core *core;
    struct sv_actions actions;
    uint64_t now_ns;
};

static void step(struct fixture *f, struct sv_event event)
{
    event.now_ns = f->now_ns;
    event.wall_ns = (int64_t)f->now_ns;
    sv_actions_clear(&f->actions);
    sv_core_step(f->core, &event, &f->actions);
}

/* Two processes of one group, 1 and 2, both running. */
static void arrange(struct fixture *f)
{
    *f = (struct fixture){.now_ns = BEGIN_NS};
    for (int i = 0; i < 2; i++) {
        f->programs[i] = program_named("p");
        f->programs[i].name = i ? "b" : "a";
        f->programs[i].autorestart = SV_AUTORESTART_NEVER;
        f->programs[i].startsecs = 0;
        f->list[i] = &f->programs[i];
    }
    f->group = (struct sv_group_config){
        .kind = SV_GROUP_PROGRAM, .name = "g", .programs = f->list, .program_count = 2};
    f->core = sv_core_new(1);
    assert_non_null(f->core);
    step(f, (struct sv_event){.kind = SV_EVENT_GROUP_ADD, .group = &f->group});
    step(f, (struct sv_event){.kind = SV_EVENT_BEGIN});
    for (sv_process_id id = 1; id <= 2; id++)
        step(f, (struct sv_event){.kind = SV_EVENT_SPAWNED, .process = id, .run = 1, .pid = 100});
}

static void clear(struct fixture *f)
{
    sv_core_free(f->core);
    sv_actions_done(&f->actions);
}

/* Process `id` runs short at `seconds` after the begin. */
static void run_short_at(struct fixture *f, double seconds, sv_process_id id,
                         const struct sv_shortage *shortage)
{
    f->now_ns = BEGIN_NS + (uint64_t)(seconds * 1e9);
    step(f, (struct sv_event){
                .kind = SV_EVENT_SHORTAGE, .process = id, .run = 1, .shortage = shortage});
}

static const struct sv_action *told(const struct fixture *f)
{
    const struct sv_action *found = NULL;
    for (size_t i = 0; i < f->actions.count; i++) {
        if (f->actions.items[i].kind != SV_ACTION_SHORTAGE)
            continue;
        assert_null(found);
        found = &f->actions.items[i];
    }
    return found;
}

/* The next thing that is told, and that it is told at that time. */
static const struct sv_action *told_at(struct fixture *f, double seconds)
{
    f->now_ns = sv_core_deadline_ns(f->core);
    assert_int_equal(f->now_ns, BEGIN_NS + (uint64_t)(seconds * 1e9));
    step(f, (struct sv_event){.kind = SV_EVENT_TIME});
    const struct sv_action *action = told(f);
    assert_non_null(action);
    return action;
}

static void a_burst_is_told_once_with_its_count_and_numbers(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f);
    struct sv_shortage shortage = sv_shortage_of(SV_RESOURCE_MEMORY_MAX, 1);
    shortage.numbers[SV_RESOURCE_NUMBER_limit_bytes] = 100;
    for (int i = 0; i < 40; i++) {
        shortage.numbers[SV_RESOURCE_NUMBER_usage_bytes] = i == 20 ? 99 : 50;
        run_short_at(&f, 0.005 * i, 1, &shortage);
        assert_null(told(&f));
    }
    const struct sv_action *action = told_at(&f, 1);
    assert_int_equal(action->process, 1);
    assert_int_equal(action->run, 1);
    assert_int_equal(action->shortage.sum.count, 40);
    assert_int_equal(action->shortage.sum.numbers[SV_RESOURCE_NUMBER_limit_bytes], 100);
    assert_int_equal(action->shortage.sum.numbers[SV_RESOURCE_NUMBER_usage_bytes], 99);
    assert_int_equal(action->shortage.sum.numbers[SV_RESOURCE_NUMBER_victim], SV_RESOURCE_UNKNOWN);
    assert_int_equal(action->shortage.first_wall_ns, BEGIN_NS);
    assert_int_equal(action->shortage.last_wall_ns, BEGIN_NS + 195 * SECOND / 1000);
    assert_true(sv_core_deadline_ns(f.core) == SV_NEVER);
    clear(&f);
}

static void what_goes_on_is_told_less_and_less_often(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f);
    struct sv_shortage shortage = sv_shortage_of(SV_RESOURCE_TASKS_MAX, 1);
    double due = 1;
    double pause = 10;
    double at = 0;
    for (int i = 0; i < 10; i++) {
        uint64_t count = 0;
        for (; at < due; at += 0.5, count++)
            run_short_at(&f, at, 2, &shortage);
        assert_int_equal(told_at(&f, due)->shortage.sum.count, count);
        due += pause;
        pause = pause < 300 ? 2 * pause : 600;
    }
    clear(&f);
}

static void after_a_quiet_pause_the_next_one_is_told_soon_again(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f);
    struct sv_shortage shortage = sv_shortage_of(SV_RESOURCE_CPU_THROTTLED, 3);
    run_short_at(&f, 0, 1, &shortage);
    told_at(&f, 1);
    run_short_at(&f, 2, 1, &shortage);
    told_at(&f, 11); /* the pause is 20 s from here */
    run_short_at(&f, 32, 1, &shortage);
    told_at(&f, 33); /* and 10 s from here */
    run_short_at(&f, 34, 1, &shortage);
    told_at(&f, 43);
    clear(&f);
}

static void kinds_processes_and_their_group_do_not_wait_for_each_other(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f);
    struct sv_shortage memory = sv_shortage_of(SV_RESOURCE_MEMORY_MAX, 1);
    struct sv_shortage tasks = sv_shortage_of(SV_RESOURCE_TASKS_MAX, 1);
    struct sv_shortage of_group = sv_shortage_of(SV_RESOURCE_TASKS_MAX, 1);
    of_group.is_of_group = true;
    run_short_at(&f, 0, 1, &memory);
    run_short_at(&f, 0.1, 1, &tasks);
    run_short_at(&f, 0.2, 2, &tasks);
    run_short_at(&f, 0.3, 2, &of_group);
    run_short_at(&f, 0.4, 1, &of_group); /* the same group */
    assert_int_equal(told_at(&f, 1)->shortage.sum.resource, SV_RESOURCE_MEMORY_MAX);
    assert_int_equal(told_at(&f, 1.1)->process, 1);
    assert_int_equal(told_at(&f, 1.2)->process, 2);
    const struct sv_action *action = told_at(&f, 1.3);
    assert_true(action->shortage.sum.is_of_group);
    assert_int_equal(action->shortage.sum.count, 2);
    clear(&f);
}

static void exited(struct fixture *f, double seconds)
{
    f->now_ns = BEGIN_NS + (uint64_t)(seconds * 1e9);
    step(f, (struct sv_event){
                .kind = SV_EVENT_EXITED, .process = 1, .run = 1, .exited = {.wait_status = 9}});
}

static void what_gathers_is_told_before_the_end_of_the_run(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f);
    struct sv_shortage shortage = sv_shortage_of(SV_RESOURCE_OOM_KILL, 1);
    run_short_at(&f, 0, 1, &shortage);
    exited(&f, 0.01);
    assert_int_equal(f.actions.items[0].kind, SV_ACTION_SHORTAGE);
    assert_int_equal(f.actions.items[1].kind, SV_ACTION_NOTICE);
    assert_true(sv_core_deadline_ns(f.core) == SV_NEVER);
    clear(&f);
}

static void a_run_that_ends_in_a_pause_does_not_shorten_it(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f);
    struct sv_shortage shortage = sv_shortage_of(SV_RESOURCE_OOM_KILL, 1);
    run_short_at(&f, 0, 1, &shortage);
    told_at(&f, 1);
    run_short_at(&f, 2, 1, &shortage);
    exited(&f, 3);
    assert_null(told(&f));
    told_at(&f, 11);
    clear(&f);
}

static void nothing_is_told_of_a_group_that_is_gone(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f);
    struct sv_shortage shortage = sv_shortage_of(SV_RESOURCE_OOM_KILL, 1);
    run_short_at(&f, 0, 1, &shortage);
    told_at(&f, 1);
    run_short_at(&f, 2, 1, &shortage);
    shortage.is_of_group = true;
    run_short_at(&f, 2, 1, &shortage);
    for (sv_process_id id = 1; id <= 2; id++)
        step(&f,
             (struct sv_event){
                 .kind = SV_EVENT_EXITED, .process = id, .run = 1, .exited = {.wait_status = 9}});
    step(&f, (struct sv_event){.kind = SV_EVENT_GROUP_REMOVE, .name = "g"});
    assert_null(told(&f));
    assert_true(sv_core_deadline_ns(f.core) == SV_NEVER);
    run_short_at(&f, 3, 1, &shortage);
    assert_true(sv_core_deadline_ns(f.core) == SV_NEVER);
    clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_is_told_once_with_its_count_and_numbers),
        cmocka_unit_test(what_goes_on_is_told_less_and_less_often),
        cmocka_unit_test(after_a_quiet_pause_the_next_one_is_told_soon_again),
        cmocka_unit_test(kinds_processes_and_their_group_do_not_wait_for_each_other),
        cmocka_unit_test(what_gathers_is_told_before_the_end_of_the_run),
        cmocka_unit_test(a_run_that_ends_in_a_pause_does_not_shorten_it),
        cmocka_unit_test(nothing_is_told_of_a_group_that_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
