#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <svisor/limits.h>

#include "core/core.h"
#include "core/local/restart.h"
#include "core/program_for_test.h"

#define SECOND SV_NS_PER_SECOND

static void without_options_the_pauses_are_supervisors(void **state)
{
    (void)state;
    struct sv_program_config config = program_named("p");
    struct sv_random random = {1};
    for (uint32_t n = 1; n <= 20; n++)
        assert_int_equal(sv_restart_pause_after_failed_start_ns(&config, n, &random), n * SECOND);
    assert_int_equal(sv_restart_pause_after_exit_ns(&config, 0, 1, &random), 0);
    assert_int_equal(random.state, 1);
}

static void a_delay_doubles_up_to_its_cap(void **state)
{
    (void)state;
    static const uint64_t seconds[] = {1, 2, 4, 8, 10, 10, 10};
    struct sv_program_config config = program_named("p");
    struct sv_random random = {1};
    config.restart_delay = 1;
    config.restart_delay_max = 10;
    for (uint32_t n = 1; n <= 7; n++) {
        uint64_t want = seconds[n - 1] * SECOND;
        assert_int_equal(sv_restart_pause_after_failed_start_ns(&config, n, &random), want);
        assert_int_equal(sv_restart_pause_after_exit_ns(&config, n, 1, &random), want);
    }
    assert_int_equal(sv_restart_pause_after_exit_ns(&config, 0, 1, &random), SECOND);
}

static void a_delay_without_a_cap_stays_finite(void **state)
{
    (void)state;
    struct sv_program_config config = program_named("p");
    struct sv_random random = {1};
    config.restart_delay = 0.5;
    assert_int_equal(sv_restart_pause_after_exit_ns(&config, UINT32_MAX, 1, &random),
                     SV_RESTART_DELAY_SECONDS_MAX * SECOND);
    config.restart_delay = 1e6;
    assert_int_equal(sv_restart_pause_after_exit_ns(&config, 5, 1, &random), 1000000 * SECOND);
    config.restart_delay = 0;
    assert_int_equal(sv_restart_pause_after_exit_ns(&config, UINT32_MAX, 1, &random), 0);
    assert_true(sv_time_after(5, sv_seconds_to_ns(1e300)) >= UINT64_MAX / 2);
    assert_int_equal(sv_time_after(UINT64_MAX - 1, 5), UINT64_MAX);
}

static void jitter_stays_within_its_part_and_uses_it(void **state)
{
    (void)state;
    struct sv_program_config config = program_named("p");
    struct sv_random random = {42};
    config.restart_delay = 4;
    config.restart_jitter = 0.25;
    uint64_t smallest = UINT64_MAX, largest = 0;
    for (int i = 0; i < 10000; i++) {
        uint64_t pause = sv_restart_pause_after_exit_ns(&config, 1, 1, &random);
        smallest = pause < smallest ? pause : smallest;
        largest = pause > largest ? pause : largest;
    }
    assert_true(smallest >= 3 * SECOND && smallest < 3 * SECOND + SECOND / 50);
    assert_true(largest <= 5 * SECOND && largest > 5 * SECOND - SECOND / 50);
}

static void endless_retries_never_run_out(void **state)
{
    (void)state;
    struct sv_program_config config = program_named("p");
    assert_false(sv_restart_is_exhausted(&config, 3));
    assert_true(sv_restart_is_exhausted(&config, 4));
    config.startretries = SV_RETRIES_ENDLESS;
    assert_false(sv_restart_is_exhausted(&config, UINT32_MAX));
}

/* A core with one program that is crashed again and again after `up_seconds` in RUNNING. */
struct crasher {
    struct sv_program_config config;
    const struct sv_program_config *list[1];
    struct sv_group_config group;
    struct sv_core *core;
    struct sv_actions actions;
    uint64_t now_ns;
};

static struct sv_process_view look(const struct crasher *c)
{
    struct sv_process_view view;
    assert_true(sv_core_process(c->core, 1, &view));
    return view;
}

static void step(struct crasher *c, struct sv_event event)
{
    event.now_ns = c->now_ns;
    event.process = 1;
    event.run = look(c).run;
    sv_core_step(c->core, &event, &c->actions);
    sv_actions_clear(&c->actions);
}

static void set_up(struct crasher *c, struct sv_program_config config)
{
    *c = (struct crasher){.config = config};
    c->list[0] = &c->config;
    c->group = (struct sv_group_config){.name = "p", .programs = c->list, .program_count = 1};
    c->core = sv_core_new(1);
    assert_non_null(c->core);
    sv_core_step(c->core, &(struct sv_event){.kind = SV_EVENT_GROUP_ADD, .group = &c->group},
                 &c->actions);
    step(c, (struct sv_event){.kind = SV_EVENT_BEGIN});
}

static void tear_down(struct crasher *c)
{
    sv_core_free(c->core);
    sv_actions_done(&c->actions);
}

/* Lets it come up, run, and crash; returns the pause before its next start. */
static uint64_t crash_after_ns(struct crasher *c, uint64_t up_ns)
{
    step(c, (struct sv_event){.kind = SV_EVENT_SPAWNED, .pid = 5});
    c->now_ns += c->config.startsecs * SECOND;
    step(c, (struct sv_event){.kind = SV_EVENT_TIME});
    assert_int_equal(look(c).state, SV_PROCESS_RUNNING);
    c->now_ns += up_ns;
    step(c, (struct sv_event){.kind = SV_EVENT_EXITED, .exited = {.wait_status = 1 << 8}});
    if (look(c).state != SV_PROCESS_EXITED)
        return 0;
    uint64_t pause_ns = sv_core_deadline_ns(c->core) - c->now_ns;
    c->now_ns += pause_ns;
    step(c, (struct sv_event){.kind = SV_EVENT_TIME});
    assert_int_equal(look(c).state, SV_PROCESS_STARTING);
    return pause_ns;
}

static void a_crash_loop_that_reaches_running_goes_on_for_ever(void **state)
{
    (void)state;
    struct crasher c;
    set_up(&c, program_named("p"));
    for (int i = 0; i < 100; i++) {
        assert_int_equal(crash_after_ns(&c, SECOND), 0);
        assert_int_equal(look(&c).state, SV_PROCESS_STARTING);
    }
    tear_down(&c);
}

static void a_program_that_always_ends_at_once_is_slowed_to_supervisors_pace(void **state)
{
    (void)state;
    struct sv_program_config config = program_named("p");
    struct crasher c;
    config.startsecs = 0;
    set_up(&c, config);
    for (int i = 0; i < SV_QUICK_ENDS_MAX; i++)
        assert_int_equal(crash_after_ns(&c, SECOND / 1000), 0);
    assert_int_equal(crash_after_ns(&c, SECOND / 1000), SECOND);
    assert_int_equal(crash_after_ns(&c, SECOND / 1000), SECOND);
    assert_int_equal(crash_after_ns(&c, 2 * SECOND), 0);
    assert_int_equal(crash_after_ns(&c, SECOND / 1000), 0);
    tear_down(&c);
}

static void without_reset_after_running_forgets_and_the_pause_is_constant(void **state)
{
    (void)state;
    struct sv_program_config config = program_named("p");
    struct crasher c;
    config.restart_delay = 2;
    set_up(&c, config);
    for (int i = 0; i < 20; i++)
        assert_int_equal(crash_after_ns(&c, SECOND), 2 * SECOND);
    tear_down(&c);
}

static void with_reset_after_a_crash_loop_grows_slower_and_ends_fatal(void **state)
{
    (void)state;
    struct sv_program_config config = program_named("p");
    struct crasher c;
    config.restart_delay = 1;
    config.restart_reset_after = 60;
    set_up(&c, config);
    assert_int_equal(crash_after_ns(&c, SECOND), 1 * SECOND);
    assert_int_equal(crash_after_ns(&c, SECOND), 2 * SECOND);
    assert_int_equal(crash_after_ns(&c, SECOND), 4 * SECOND);
    crash_after_ns(&c, SECOND);
    assert_int_equal(look(&c).state, SV_PROCESS_FATAL);
    assert_int_equal(look(&c).reason, SV_REASON_TOO_MANY_RETRIES);
    tear_down(&c);
}

static void a_good_run_forgets_the_failures(void **state)
{
    (void)state;
    struct sv_program_config config = program_named("p");
    struct crasher c;
    config.restart_delay = 1;
    config.restart_reset_after = 60;
    set_up(&c, config);
    crash_after_ns(&c, SECOND);
    assert_int_equal(crash_after_ns(&c, SECOND), 2 * SECOND);
    assert_int_equal(crash_after_ns(&c, 60 * SECOND), 1 * SECOND);
    assert_int_equal(crash_after_ns(&c, 59 * SECOND), 2 * SECOND);
    tear_down(&c);
}

static void a_stop_request_cancels_a_delayed_restart(void **state)
{
    (void)state;
    struct sv_program_config config = program_named("p");
    struct crasher c;
    config.restart_delay = 5;
    config.startsecs = 0;
    set_up(&c, config);
    step(&c, (struct sv_event){.kind = SV_EVENT_SPAWNED, .pid = 5});
    step(&c, (struct sv_event){.kind = SV_EVENT_EXITED, .exited = {.wait_status = 9}});
    assert_int_equal(look(&c).state, SV_PROCESS_EXITED);
    assert_int_equal(look(&c).next_start_wall_ns, 5 * SECOND);
    step(&c, (struct sv_event){.kind = SV_EVENT_STOP});
    assert_int_equal(look(&c).state, SV_PROCESS_EXITED);
    assert_int_equal(look(&c).next_start_wall_ns, 0);
    assert_true(sv_core_deadline_ns(c.core) == SV_NEVER);
    tear_down(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_options_the_pauses_are_supervisors),
        cmocka_unit_test(a_delay_doubles_up_to_its_cap),
        cmocka_unit_test(a_delay_without_a_cap_stays_finite),
        cmocka_unit_test(jitter_stays_within_its_part_and_uses_it),
        cmocka_unit_test(endless_retries_never_run_out),
        cmocka_unit_test(a_crash_loop_that_reaches_running_goes_on_for_ever),
        cmocka_unit_test(a_program_that_always_ends_at_once_is_slowed_to_supervisors_pace),
        cmocka_unit_test(without_reset_after_running_forgets_and_the_pause_is_constant),
        cmocka_unit_test(with_reset_after_a_crash_loop_grows_slower_and_ends_fatal),
        cmocka_unit_test(a_good_run_forgets_the_failures),
        cmocka_unit_test(a_stop_request_cancels_a_delayed_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
