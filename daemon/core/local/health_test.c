/* Liveness and the watchdog: what becomes of a program that runs and does not answer. */
#include "core/local/health_fixture_test.h"

static void bring_up(struct fixture *f, const struct sv_health_config *health)
{
    arrange(f, health);
    f->program.startsecs = 0;
    launch(f);
    assert_int_equal(view_of(f).state, SV_PROCESS_RUNNING);
}

static void fail_probes(struct fixture *f, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(wait_ms(f), 10000);
        answer(f, find(f, SV_ACTION_PROBE_START)->probe.serial, false, "refused");
    }
}

static void failed_checks_in_a_row_restart_even_without_autorestart(void **state)
{
    (void)state;
    struct fixture f;
    bring_up(&f, &alive_port);
    fail_probes(&f, 1);
    assert_int_equal(view_of(&f).probe_failure_count, 1);
    wait_ms(&f);
    answer(&f, find(&f, SV_ACTION_PROBE_START)->probe.serial, true, NULL);
    assert_int_equal(view_of(&f).probe_failure_count, 0);
    fail_probes(&f, 2);
    assert_int_equal(f.actions.items[0].notice.reason, SV_REASON_LIVENESS_FAILED);
    assert_int_equal(find(&f, SV_ACTION_SIGNAL)->signal.number, SIGTERM);
    assert_int_equal(view_of(&f).state, SV_PROCESS_RUNNING);
    end(&f, 0);
    assert_int_equal(f.actions.items[0].notice.to, SV_PROCESS_EXITED);
    assert_int_equal(f.actions.items[0].notice.reason, SV_REASON_LIVENESS_FAILED);
    assert_false(f.actions.items[0].notice.is_expected);
    assert_non_null(find(&f, SV_ACTION_SPAWN));
    clear(&f);
}

static void a_restart_for_liveness_counts_as_a_failure(void **state)
{
    (void)state;
    struct fixture f;
    bring_up(&f, &alive_port);
    f.program.restart_reset_after = 3600;
    f.program.startretries = 0;
    fail_probes(&f, 2);
    end(&f, 0);
    assert_int_equal(view_of(&f).state, SV_PROCESS_FATAL);
    assert_string_equal(view_of(&f).spawnerr, "Liveness check failed: refused");
    clear(&f);
}

static void a_deaf_one_is_killed(void **state)
{
    (void)state;
    struct fixture f;
    bring_up(&f, &alive_port);
    fail_probes(&f, 2);
    assert_int_equal(wait_ms(&f), 10000);
    assert_int_equal(find(&f, SV_ACTION_SIGNAL)->signal.number, SIGKILL);
    assert_non_null(find(&f, SV_ACTION_KILL_CGROUP));
    clear(&f);
}

static void a_hanging_check_fails_at_its_timeout(void **state)
{
    (void)state;
    struct fixture f;
    bring_up(&f, &alive_port);
    wait_ms(&f);
    assert_int_equal(wait_ms(&f), 5000);
    assert_non_null(find(&f, SV_ACTION_PROBE_STOP));
    assert_string_equal(view_of(&f).probe_text, "no answer within 5 s from port:8080");
    assert_int_equal(wait_ms(&f), 10000);
    clear(&f);
}

static void a_check_that_waits_for_its_turn_takes_none_of_its_time(void **state)
{
    (void)state;
    struct fixture f;
    bring_up(&f, &alive_port);
    wait_ms(&f);
    uint32_t serial = find(&f, SV_ACTION_PROBE_START)->probe.serial;
    take_turn(&f, serial, true);
    assert_true(sv_core_deadline_ns(f.core) == SV_NEVER);
    f.now_ns += 100 * SECOND;
    take_turn(&f, serial - 1, false); /* of a former one: stale */
    assert_true(sv_core_deadline_ns(f.core) == SV_NEVER);
    take_turn(&f, serial, false);
    assert_int_equal(wait_ms(&f), 5000);
    assert_string_equal(view_of(&f).probe_text, "no answer within 5 s from port:8080");
    clear(&f);
}

static void liveness_can_stop_signal_or_only_tell(void **state)
{
    (void)state;
    struct fixture f;
    bring_up(&f, &alive_port);
    f.health.liveness_action = SIGUSR1;
    fail_probes(&f, 2);
    assert_int_equal(find(&f, SV_ACTION_SIGNAL)->signal.number, SIGUSR1);
    assert_int_equal(find(&f, SV_ACTION_SIGNAL)->signal.reason, SV_REASON_LIVENESS_FAILED);
    assert_int_equal(view_of(&f).state, SV_PROCESS_RUNNING);
    f.health.liveness_action = SV_LIVENESS_NONE;
    fail_probes(&f, 2);
    assert_null(find(&f, SV_ACTION_SIGNAL));
    assert_int_equal(f.actions.items[0].notice.reason, SV_REASON_LIVENESS_FAILED);
    f.health.liveness_action = SV_LIVENESS_STOP;
    fail_probes(&f, 2);
    assert_int_equal(view_of(&f).state, SV_PROCESS_STOPPING);
    assert_int_equal(view_of(&f).reason, SV_REASON_LIVENESS_FAILED);
    end(&f, SIGTERM);
    assert_int_equal(view_of(&f).state, SV_PROCESS_STOPPED);
    assert_string_equal(view_of(&f).probe_text, "refused");
    clear(&f);
}

static void words_are_enough_where_nobody_asks(void **state)
{
    (void)state;
    struct sv_health_config health = alive_port;
    health.liveness = (struct sv_probe_config){.kind = SV_PROBE_LOG, .text = "log:beat"};
    struct fixture f;
    bring_up(&f, &health);
    f.now_ns += 9 * SECOND;
    say(&f, SV_EVENT_ALIVE);
    say(&f, SV_EVENT_WATCHDOG); /* not what was asked for */
    assert_int_equal(wait_ms(&f), 10000);
    assert_int_equal(view_of(&f).probe_failure_count, 1);
    assert_string_equal(view_of(&f).probe_text, "no log:beat within 10 s");
    say(&f, SV_EVENT_ALIVE);
    assert_int_equal(view_of(&f).probe_failure_count, 0);
    clear(&f);
}

static void a_silent_watchdog_begins_with_sigabrt(void **state)
{
    (void)state;
    struct sv_health_config health = ready_notify;
    health.watchdog = 3;
    struct fixture f;
    arrange(&f, &health);
    launch(&f);
    f.now_ns += 20 * SECOND; /* it counts from RUNNING on */
    say(&f, SV_EVENT_READY);
    f.now_ns += 2 * SECOND;
    say(&f, SV_EVENT_WATCHDOG);
    assert_int_equal(wait_ms(&f), 3000);
    assert_int_equal(f.actions.items[0].notice.reason, SV_REASON_WATCHDOG_EXPIRED);
    assert_int_equal(find(&f, SV_ACTION_SIGNAL)->signal.number, SIGABRT);
    end(&f, SIGABRT);
    assert_int_equal(f.actions.items[0].notice.reason, SV_REASON_WATCHDOG_EXPIRED);
    assert_non_null(find(&f, SV_ACTION_SPAWN));
    clear(&f);
}

static void a_program_can_pull_its_own_trigger(void **state)
{
    (void)state;
    struct sv_health_config health = {.watchdog = 3, .liveness_action = SV_LIVENESS_STOP};
    struct fixture f;
    bring_up(&f, &health);
    say(&f, SV_EVENT_WATCHDOG_TRIGGER);
    assert_int_equal(view_of(&f).state, SV_PROCESS_STOPPING);
    assert_int_equal(find(&f, SV_ACTION_SIGNAL)->signal.number, SIGABRT);
    clear(&f);
}

static void a_stop_gives_up_the_probe_that_is_under_way(void **state)
{
    (void)state;
    struct fixture f;
    bring_up(&f, &alive_port);
    wait_ms(&f);
    say(&f, SV_EVENT_STOP);
    assert_non_null(find(&f, SV_ACTION_PROBE_STOP));
    answer(&f, 1, false, "refused");
    assert_int_equal(f.actions.count, 0);
    assert_true(sv_core_deadline_ns(f.core) == f.now_ns + 10 * SECOND);
    clear(&f);
}

static void an_exit_gives_up_the_probe_that_is_under_way(void **state)
{
    (void)state;
    struct fixture f;
    bring_up(&f, &alive_port);
    wait_ms(&f);
    end(&f, 0);
    assert_non_null(find(&f, SV_ACTION_PROBE_STOP));
    assert_int_equal(view_of(&f).state, SV_PROCESS_EXITED);
    assert_true(sv_core_deadline_ns(f.core) == SV_NEVER);
    clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failed_checks_in_a_row_restart_even_without_autorestart),
        cmocka_unit_test(a_restart_for_liveness_counts_as_a_failure),
        cmocka_unit_test(a_deaf_one_is_killed),
        cmocka_unit_test(a_hanging_check_fails_at_its_timeout),
        cmocka_unit_test(a_check_that_waits_for_its_turn_takes_none_of_its_time),
        cmocka_unit_test(liveness_can_stop_signal_or_only_tell),
        cmocka_unit_test(words_are_enough_where_nobody_asks),
        cmocka_unit_test(a_silent_watchdog_begins_with_sigabrt),
        cmocka_unit_test(a_program_can_pull_its_own_trigger),
        cmocka_unit_test(a_stop_gives_up_the_probe_that_is_under_way),
        cmocka_unit_test(an_exit_gives_up_the_probe_that_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
