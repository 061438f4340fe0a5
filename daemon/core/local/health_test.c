/* Readiness, liveness and watchdog, step by step through a whole core. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <svisor/limits.h>

#include "core/core.h"

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

static void arrange(struct fixture *f, const struct sv_health_config *health)
{
    *f = (struct fixture){.health = *health, .now_ns = 1000 * SECOND, .run = 1};
    f->program = (struct sv_program_config){
        .name = "p",
        .program = "p",
        .autostart = true,
        .autorestart = SV_AUTORESTART_NEVER,
        .startsecs = 1,
        .startretries = 3,
        .stopsignal = SIGTERM,
        .stopwaitsecs = 10,
        .restart_delay = -1,
        .restart_delay_max = -1,
        .restart_reset_after = -1,
        .health = &f->health,
    };
    f->list[0] = &f->program;
    f->group = (struct sv_group_config){
        .kind = SV_GROUP_PROGRAM, .name = "p", .programs = f->list, .program_count = 1};
    f->core = sv_core_new(1);
    assert_non_null(f->core);
}

static void clear(struct fixture *f)
{
    sv_core_free(f->core);
    sv_actions_done(&f->actions);
}

static void step(struct fixture *f, struct sv_event event)
{
    event.now_ns = f->now_ns;
    event.process = 1;
    if (event.kind != SV_EVENT_STOP && event.kind != SV_EVENT_START)
        event.run = f->run;
    sv_actions_clear(&f->actions);
    sv_core_step(f->core, &event, &f->actions);
}

static void say(struct fixture *f, enum sv_event_kind kind)
{
    step(f, (struct sv_event){.kind = kind});
}

/* Until the next deadline; how long that was, in milliseconds. */
static uint64_t wait_ms(struct fixture *f)
{
    uint64_t before_ns = f->now_ns;
    assert_true(sv_core_deadline_ns(f->core) != SV_NEVER);
    f->now_ns = sv_core_deadline_ns(f->core);
    say(f, SV_EVENT_TIME);
    return (f->now_ns - before_ns) / 1000000;
}

static const struct sv_action *find(const struct fixture *f, enum sv_action_kind kind)
{
    for (size_t i = 0; i < f->actions.count; i++)
        if (f->actions.items[i].kind == kind)
            return &f->actions.items[i];
    return NULL;
}

static void answer(struct fixture *f, uint32_t serial, bool is_ok, const char *text)
{
    step(f, (struct sv_event){.kind = SV_EVENT_PROBED,
                              .probed = {.serial = serial, .is_ok = is_ok, .text = text}});
}

static struct sv_process_view view_of(const struct fixture *f)
{
    struct sv_process_view view;
    assert_true(sv_core_process(f->core, 1, &view));
    return view;
}

static void launch(struct fixture *f)
{
    step(f, (struct sv_event){.kind = SV_EVENT_GROUP_ADD, .group = &f->group});
    say(f, SV_EVENT_BEGIN);
    step(f, (struct sv_event){.kind = SV_EVENT_SPAWNED, .pid = 77});
}

static void end(struct fixture *f, int status)
{
    step(f, (struct sv_event){.kind = SV_EVENT_EXITED, .exited = {.wait_status = status}});
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

static void take_turn(struct fixture *f, uint32_t serial, bool is_waiting)
{
    step(f, (struct sv_event){.kind = SV_EVENT_PROBE_TURN,
                              .turn = {.serial = serial, .is_waiting = is_waiting}});
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
        cmocka_unit_test(running_means_ready_and_not_startsecs),
        cmocka_unit_test(startsecs_of_0_waits_for_ready_too),
        cmocka_unit_test(probes_come_with_growing_pauses_until_one_succeeds),
        cmocka_unit_test(a_probe_without_an_answer_is_given_up_and_stale_answers_are_dropped),
        cmocka_unit_test(who_is_not_ready_in_time_is_stopped_and_backs_off),
        cmocka_unit_test(an_end_before_ready_is_a_failed_start_whatever_its_code),
        cmocka_unit_test(a_stop_overrules_the_end_of_a_run_that_was_not_ready),
        cmocka_unit_test(time_can_be_asked_for_but_not_given_back),
        cmocka_unit_test(failed_checks_in_a_row_restart_even_without_autorestart),
        cmocka_unit_test(a_restart_for_liveness_counts_as_a_failure),
        cmocka_unit_test(a_deaf_one_is_killed),
        cmocka_unit_test(a_hanging_check_fails_at_its_timeout),
        cmocka_unit_test(a_check_that_waits_for_its_turn_takes_none_of_its_time),
        cmocka_unit_test(who_waits_for_its_turn_is_not_ready_in_time_all_the_same),
        cmocka_unit_test(liveness_can_stop_signal_or_only_tell),
        cmocka_unit_test(words_are_enough_where_nobody_asks),
        cmocka_unit_test(a_silent_watchdog_begins_with_sigabrt),
        cmocka_unit_test(a_program_can_pull_its_own_trigger),
        cmocka_unit_test(a_stop_gives_up_the_probe_that_is_under_way),
        cmocka_unit_test(an_exit_gives_up_the_probe_that_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
