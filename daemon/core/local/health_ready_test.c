/* Readiness: when STARTING becomes RUNNING, and what if it does not. */
#include "core/local/health_fixture_test.h"

#include <svisor/limits.h>

static void running_means_ready_and_not_startsecs(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, &ready_notify);
    launch(&f);
    assert_int_equal(view_of(&f).state, SV_PROCESS_STARTING);
    assert_true(sv_core_deadline_ns(f.core) == f.now_ns + 30 * SECOND);
    f.now_ns += 5 * SECOND;
    say(&f, SV_EVENT_TIME);
    assert_int_equal(view_of(&f).state, SV_PROCESS_STARTING);
    say(&f, SV_EVENT_READY);
    assert_int_equal(view_of(&f).state, SV_PROCESS_RUNNING);
    assert_int_equal(view_of(&f).reason, SV_REASON_READY);
    assert_true(sv_core_deadline_ns(f.core) == SV_NEVER);
    clear(&f);
}

static void startsecs_of_0_waits_for_ready_too(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, &ready_notify);
    f.program.startsecs = 0;
    launch(&f);
    assert_int_equal(view_of(&f).state, SV_PROCESS_STARTING);
    clear(&f);
}

static void probes_come_with_growing_pauses_until_one_succeeds(void **state)
{
    (void)state;
    static const uint64_t pauses_ms[] = {20, 40, 80, 160, 320, 640, 1000, 1000};
    struct fixture f;
    arrange(&f, &ready_port);
    launch(&f);
    assert_null(find(&f, SV_ACTION_PROBE_START));
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(wait_ms(&f), pauses_ms[i]);
        const struct sv_action *probe = find(&f, SV_ACTION_PROBE_START);
        assert_non_null(probe);
        assert_ptr_equal(probe->probe.config, &f.health.ready);
        assert_int_equal(probe->probe.serial, i + 1);
        answer(&f, (uint32_t)i + 1, i == 7, "refused");
    }
    assert_int_equal(view_of(&f).state, SV_PROCESS_RUNNING);
    assert_string_equal(view_of(&f).probe_text, "");
    clear(&f);
}

static void a_probe_without_an_answer_is_given_up_and_stale_answers_are_dropped(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, &ready_port);
    launch(&f);
    wait_ms(&f);
    assert_int_equal(wait_ms(&f), SV_READY_ATTEMPT_SECONDS * 1000);
    assert_non_null(find(&f, SV_ACTION_PROBE_STOP));
    assert_string_equal(view_of(&f).probe_text, "no answer within 10 s from port:8080");
    answer(&f, 1, true, NULL);
    assert_int_equal(view_of(&f).state, SV_PROCESS_STARTING);
    wait_ms(&f);
    answer(&f, 1, true, NULL); /* the second is under way */
    assert_int_equal(view_of(&f).state, SV_PROCESS_STARTING);
    answer(&f, 2, true, NULL);
    assert_int_equal(view_of(&f).state, SV_PROCESS_RUNNING);
    clear(&f);
}

static void who_is_not_ready_in_time_is_stopped_and_backs_off(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, &ready_port);
    f.health.ready_timeout = 0.5;
    launch(&f);
    uint64_t begin_ns = f.now_ns;
    for (int i = 0; i < 20 && !find(&f, SV_ACTION_SIGNAL); i++) {
        wait_ms(&f);
        if (find(&f, SV_ACTION_PROBE_START))
            answer(&f, find(&f, SV_ACTION_PROBE_START)->probe.serial, false, "refused");
    }
    assert_true(f.now_ns == begin_ns + SECOND / 2);
    assert_int_equal(find(&f, SV_ACTION_SIGNAL)->signal.number, SIGTERM);
    assert_int_equal(f.actions.items[0].notice.reason, SV_REASON_NOT_READY);
    say(&f, SV_EVENT_READY); /* too late */
    assert_int_equal(view_of(&f).state, SV_PROCESS_STARTING);
    assert_string_equal(view_of(&f).spawnerr, "");
    assert_int_equal(wait_ms(&f), 10000);
    assert_int_equal(find(&f, SV_ACTION_SIGNAL)->signal.number, SIGKILL);
    assert_non_null(find(&f, SV_ACTION_KILL_CGROUP));
    end(&f, SIGKILL);
    assert_int_equal(view_of(&f).state, SV_PROCESS_BACKOFF);
    assert_int_equal(view_of(&f).reason, SV_REASON_NOT_READY);
    assert_string_equal(view_of(&f).spawnerr, "not ready within 0.5 s: refused");
    f.run = 2;
    assert_int_equal(wait_ms(&f), 1000);
    assert_non_null(find(&f, SV_ACTION_SPAWN));
    assert_string_equal(view_of(&f).probe_text, "");
    clear(&f);
}

static void an_end_before_ready_is_a_failed_start_whatever_its_code(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, &ready_notify);
    f.program.startsecs = 0;
    launch(&f);
    f.now_ns += 20 * SECOND;
    end(&f, 0);
    assert_int_equal(view_of(&f).state, SV_PROCESS_BACKOFF);
    assert_int_equal(view_of(&f).reason, SV_REASON_EXITED_BEFORE_READY);
    assert_string_equal(view_of(&f).spawnerr,
                        "Exited before it was ready (process log may have details)");
    clear(&f);
}

static void a_stop_overrules_the_end_of_a_run_that_was_not_ready(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, &ready_notify);
    launch(&f);
    assert_int_equal(wait_ms(&f), 30000);
    assert_string_equal(view_of(&f).probe_text, "it did not say READY=1");
    say(&f, SV_EVENT_STOP);
    assert_int_equal(view_of(&f).state, SV_PROCESS_STOPPING);
    end(&f, SIGTERM);
    assert_int_equal(view_of(&f).state, SV_PROCESS_STOPPED);
    assert_string_equal(view_of(&f).spawnerr, "");
    assert_true(sv_core_deadline_ns(f.core) == SV_NEVER);
    clear(&f);
}

static void time_can_be_asked_for_but_not_given_back(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, &ready_notify);
    launch(&f);
    f.now_ns += 10 * SECOND;
    step(&f, (struct sv_event){.kind = SV_EVENT_EXTEND, .extend_ns = SECOND});
    assert_true(sv_core_deadline_ns(f.core) == f.now_ns + 20 * SECOND);
    step(&f, (struct sv_event){.kind = SV_EVENT_EXTEND, .extend_ns = 90 * SECOND});
    assert_true(sv_core_deadline_ns(f.core) == f.now_ns + 90 * SECOND);
    step(&f, (struct sv_event){.kind = SV_EVENT_EXTEND, .extend_ns = UINT64_MAX});
    assert_true(sv_core_deadline_ns(f.core) == f.now_ns + SV_EXTEND_TIMEOUT_NS_MAX);
    say(&f, SV_EVENT_STOP);
    step(&f, (struct sv_event){.kind = SV_EVENT_EXTEND, .extend_ns = 60 * SECOND});
    assert_int_equal(wait_ms(&f), 60000);
    assert_int_equal(find(&f, SV_ACTION_SIGNAL)->signal.number, SIGKILL);
    step(&f, (struct sv_event){.kind = SV_EVENT_EXTEND, .extend_ns = 60 * SECOND});
    assert_true(sv_core_deadline_ns(f.core) < f.now_ns + 60 * SECOND);
    clear(&f);
}

static void who_waits_for_its_turn_is_not_ready_in_time_all_the_same(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, &ready_port);
    launch(&f);
    wait_ms(&f);
    take_turn(&f, find(&f, SV_ACTION_PROBE_START)->probe.serial, true);
    wait_ms(&f);
    assert_true(find(&f, SV_ACTION_PROBE_STOP) != NULL);
    assert_int_equal(find(&f, SV_ACTION_SIGNAL)->signal.reason, SV_REASON_NOT_READY);
    assert_string_equal(view_of(&f).probe_text, "too many checks run, and port:8080 still waits");
    clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(running_means_ready_and_not_startsecs),
        cmocka_unit_test(startsecs_of_0_waits_for_ready_too),
        cmocka_unit_test(probes_come_with_growing_pauses_until_one_succeeds),
        cmocka_unit_test(a_probe_without_an_answer_is_given_up_and_stale_answers_are_dropped),
        cmocka_unit_test(who_is_not_ready_in_time_is_stopped_and_backs_off),
        cmocka_unit_test(an_end_before_ready_is_a_failed_start_whatever_its_code),
        cmocka_unit_test(a_stop_overrules_the_end_of_a_run_that_was_not_ready),
        cmocka_unit_test(time_can_be_asked_for_but_not_given_back),
        cmocka_unit_test(who_waits_for_its_turn_is_not_ready_in_time_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
