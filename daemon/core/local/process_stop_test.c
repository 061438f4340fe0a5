/* How a process is stopped, by request and by oom_policy, and what becomes of its strays. */
#include "core/local/process_fixture_test.h"

static void a_stop_during_the_spawn_is_carried_out_at_the_answer(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, SV_PROCESS_STOPPED);
    give(&f, event_of(SV_PROCESS_EVENT_START));
    give(&f, event_of(SV_PROCESS_EVENT_STOP));
    assert_int_equal(f.process.state, SV_PROCESS_STARTING);
    assert_null(last_action(&f, SV_ACTION_SIGNAL));
    give(&f, event_of(SV_PROCESS_EVENT_SPAWNED));
    assert_int_equal(f.process.state, SV_PROCESS_STOPPING);
    assert_int_equal(last_action(&f, SV_ACTION_SIGNAL)->signal.number, 15);
    assert_int_equal(f.process.deadline_ns, f.step.now_ns + 10 * SECOND);
    clear(&f);
}

static void a_stop_during_a_failing_spawn_ends_stopped(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, SV_PROCESS_STOPPED);
    give(&f, event_of(SV_PROCESS_EVENT_START));
    give(&f, event_of(SV_PROCESS_EVENT_STOP));
    give(&f, event_of(SV_PROCESS_EVENT_SPAWN_FAILED));
    assert_int_equal(f.process.state, SV_PROCESS_STOPPED);
    assert_string_equal(f.process.spawnerr, "no such thing");
    assert_int_equal(f.alarms.count, 0);
    clear(&f);
}

static void a_stop_is_signal_then_sigkill_then_the_cgroup(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, SV_PROCESS_RUNNING);
    f.config.stopasgroup = true;
    give(&f, event_of(SV_PROCESS_EVENT_STOP));
    assert_int_equal(last_action(&f, SV_ACTION_SIGNAL)->signal.target, SV_TARGET_PROCESS_GROUP);
    give(&f, event_of(SV_PROCESS_EVENT_DEADLINE));
    assert_int_equal(last_action(&f, SV_ACTION_SIGNAL)->signal.number, 9);
    assert_int_equal(last_action(&f, SV_ACTION_SIGNAL)->signal.target, SV_TARGET_PROCESS);
    assert_non_null(last_action(&f, SV_ACTION_KILL_CGROUP));
    give(&f, event_of(SV_PROCESS_EVENT_EXITED));
    assert_int_equal(f.process.state, SV_PROCESS_STOPPED);
    assert_int_equal(f.process.reason, SV_REASON_STOP_TIMEOUT);
    clear(&f);
}

static void strays_keep_a_stop_going_for_what_is_left_of_stopwaitsecs(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, SV_PROCESS_RUNNING);
    give(&f, event_of(SV_PROCESS_EVENT_STOP));
    uint64_t deadline_ns = f.process.deadline_ns;
    f.step.now_ns += 4 * SECOND;
    struct sv_process_event exited = event_of(SV_PROCESS_EVENT_EXITED);
    exited.has_strays = true;
    give(&f, exited);
    assert_int_equal(f.process.state, SV_PROCESS_STOPPING);
    assert_int_equal(last_action(&f, SV_ACTION_SIGNAL)->signal.target, SV_TARGET_CGROUP);
    assert_int_equal(f.process.strays_deadline_ns, deadline_ns);
    assert_null(last_action(&f, SV_ACTION_KILL_CGROUP));
    give(&f, event_of(SV_PROCESS_EVENT_STRAYS_DEADLINE));
    assert_non_null(last_action(&f, SV_ACTION_KILL_CGROUP));
    assert_int_equal(f.process.state, SV_PROCESS_STOPPING);
    give(&f, event_of(SV_PROCESS_EVENT_EMPTIED));
    assert_int_equal(f.process.state, SV_PROCESS_STOPPED);
    clear(&f);
}

static void a_restart_waits_for_the_strays_of_the_former_run(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, SV_PROCESS_RUNNING);
    f.config.autorestart = SV_AUTORESTART_ALWAYS;
    struct sv_process_event exited = event_of(SV_PROCESS_EVENT_EXITED);
    exited.has_strays = true;
    give(&f, exited);
    assert_int_equal(f.process.state, SV_PROCESS_STARTING);
    assert_null(last_action(&f, SV_ACTION_SPAWN));
    give(&f, event_of(SV_PROCESS_EVENT_EMPTIED));
    assert_int_equal(last_action(&f, SV_ACTION_SPAWN)->run, 2);
    clear(&f);
}

static void kill_mode_process_leaves_strays_alone(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, SV_PROCESS_RUNNING);
    f.config.kill_mode = SV_KILL_PROCESS;
    f.config.autorestart = SV_AUTORESTART_ALWAYS;
    struct sv_process_event exited = event_of(SV_PROCESS_EVENT_EXITED);
    exited.has_strays = true;
    give(&f, exited);
    assert_null(last_action(&f, SV_ACTION_SIGNAL));
    assert_non_null(last_action(&f, SV_ACTION_SPAWN));
    clear(&f);
}

static void what_does_not_die_of_sigkill_is_given_up(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, SV_PROCESS_STOPPING);
    give(&f, event_of(SV_PROCESS_EVENT_DEADLINE));
    assert_false(sv_process_is_settled(&f.process));
    give(&f, event_of(SV_PROCESS_EVENT_DEADLINE));
    assert_true(sv_process_is_settled(&f.process));
    assert_int_equal(f.process.state, SV_PROCESS_STOPPING);
    give(&f, event_of(SV_PROCESS_EVENT_EXITED));
    assert_int_equal(f.process.state, SV_PROCESS_STOPPED);
    clear(&f);
}

/* --- oom_policy --- */

static const struct sv_process_event taken = {.kind = SV_PROCESS_EVENT_OOM_KILL,
                                              .number = SV_OOM_STOP};
static const struct sv_process_event terminated = {.kind = SV_PROCESS_EVENT_EXITED, .number = 15};

static void an_oom_kill_is_only_told_unless_the_policy_is_stop(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, SV_PROCESS_RUNNING);
    give(&f,
         (struct sv_process_event){.kind = SV_PROCESS_EVENT_OOM_KILL, .number = SV_OOM_CONTINUE});
    assert_int_equal(f.process.state, SV_PROCESS_RUNNING);
    assert_int_equal(f.actions.count, 1);
    assert_int_equal(f.actions.items[0].notice.reason, SV_REASON_OOM_KILL);
    clear(&f);
}

static void oom_stop_stops_and_leaves_the_rest_to_autorestart(void **state)
{
    (void)state;
    static const struct {
        enum sv_autorestart autorestart;
        enum sv_process_state end;
    } cases[] = {{SV_AUTORESTART_NEVER, SV_PROCESS_STOPPED},
                 {SV_AUTORESTART_UNEXPECTED, SV_PROCESS_STARTING},
                 {SV_AUTORESTART_ALWAYS, SV_PROCESS_STARTING}};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(cases); i++) {
        struct fixture f;
        arrange(&f, SV_PROCESS_RUNNING);
        f.config.autorestart = cases[i].autorestart;
        give(&f, taken);
        assert_int_equal(f.process.state, SV_PROCESS_STOPPING);
        assert_int_equal(f.process.reason, SV_REASON_OOM_STOP);
        assert_int_equal(last_action(&f, SV_ACTION_SIGNAL)->signal.number, 15);
        give(&f, terminated);
        assert_int_equal(f.process.state, cases[i].end);
        clear(&f);
    }
}

static void a_stop_by_request_overrules_the_restart_after_an_oom_stop(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, SV_PROCESS_RUNNING);
    f.config.autorestart = SV_AUTORESTART_ALWAYS;
    give(&f, taken);
    give(&f, (struct sv_process_event){.kind = SV_PROCESS_EVENT_STOP,
                                       .reason = SV_REASON_REQUEST_STOP});
    give(&f, terminated);
    assert_int_equal(f.process.state, SV_PROCESS_STOPPED);
    assert_int_equal(f.process.reason, SV_REASON_REQUEST_STOP);
    clear(&f);
}

static void the_restart_after_an_oom_stop_may_have_a_pause_that_a_stop_ends(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, SV_PROCESS_RUNNING);
    f.config.autorestart = SV_AUTORESTART_ALWAYS;
    f.config.restart_delay = 2;
    give(&f, taken);
    give(&f, terminated);
    assert_int_equal(f.process.state, SV_PROCESS_STOPPED);
    assert_int_equal(f.process.deadline_ns, f.step.now_ns + 2 * SECOND);
    give(&f, (struct sv_process_event){.kind = SV_PROCESS_EVENT_STOP,
                                       .reason = SV_REASON_REQUEST_STOP});
    assert_int_equal(f.process.deadline_ns, SV_NEVER);
    assert_int_equal(last_action(&f, SV_ACTION_NOTICE)->notice.reason, SV_REASON_RESTART_CANCELLED);
    clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_during_the_spawn_is_carried_out_at_the_answer),
        cmocka_unit_test(a_stop_during_a_failing_spawn_ends_stopped),
        cmocka_unit_test(a_stop_is_signal_then_sigkill_then_the_cgroup),
        cmocka_unit_test(strays_keep_a_stop_going_for_what_is_left_of_stopwaitsecs),
        cmocka_unit_test(a_restart_waits_for_the_strays_of_the_former_run),
        cmocka_unit_test(kill_mode_process_leaves_strays_alone),
        cmocka_unit_test(what_does_not_die_of_sigkill_is_given_up),
        cmocka_unit_test(an_oom_kill_is_only_told_unless_the_policy_is_stop),
        cmocka_unit_test(oom_stop_stops_and_leaves_the_rest_to_autorestart),
        cmocka_unit_test(a_stop_by_request_overrules_the_restart_after_an_oom_stop),
        cmocka_unit_test(the_restart_after_an_oom_stop_may_have_a_pause_that_a_stop_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
