/* Every cell of process.def, against expectations that were written down without looking at it. */
#include "core/local/process_fixture_test.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* For the events of health only: the others meet a program that has none. */
static const struct sv_health_config healthy = {
    .ready = {.kind = SV_PROBE_PORT, .text = "port:1"},
    .ready_timeout = 30,
    .liveness = {.kind = SV_PROBE_PORT, .text = "port:1"},
    .liveness_period = 10,
    .liveness_timeout = 5,
    .liveness_failures = 1,
    .liveness_action = SV_LIVENESS_STOP,
    .watchdog = 7,
};

/* What must be so before an event of that kind can come. */
static void prepare(struct fixture *f, enum sv_process_event_kind kind)
{
    struct sv_process *process = &f->process;
    if (kind == SV_PROCESS_EVENT_SPAWNED || kind == SV_PROCESS_EVENT_SPAWN_FAILED)
        process->main = SV_MAIN_SPAWNING;
    if (kind == SV_PROCESS_EVENT_EMPTIED || kind == SV_PROCESS_EVENT_STRAYS_DEADLINE) {
        process->strays = SV_STRAYS_SIGNALLED;
        process->strays_deadline_ns = f->step.now_ns;
        process->main = process->state == SV_PROCESS_STARTING ? SV_MAIN_HELD : SV_MAIN_NONE;
    }
    if ((kind >= SV_PROCESS_EVENT_READY && kind <= SV_PROCESS_EVENT_PROBED) ||
        kind >= SV_PROCESS_EVENT_CHECK_DEADLINE) {
        f->config.health = &healthy;
        process->health = &f->health;
        f->health = (struct sv_health){.check_ns = SV_NEVER, .watchdog_ns = SV_NEVER};
        f->health.is_probing =
            kind == SV_PROCESS_EVENT_PROBED || kind == SV_PROCESS_EVENT_PROBE_TURN;
    }
}

static const enum sv_process_state all_states[] = {
    SV_PROCESS_STOPPED,  SV_PROCESS_STARTING, SV_PROCESS_RUNNING, SV_PROCESS_BACKOFF,
    SV_PROCESS_STOPPING, SV_PROCESS_EXITED,   SV_PROCESS_FATAL,   SV_PROCESS_UNKNOWN,
};

enum { NO = -1, /* impossible */ AS = -2 /* stays as it is, nothing is asked of the world */ };

#define STOPPED  SV_PROCESS_STOPPED
#define STARTING SV_PROCESS_STARTING
#define RUNNING  SV_PROCESS_RUNNING
#define BACKOFF  SV_PROCESS_BACKOFF
#define STOPPING SV_PROCESS_STOPPING
#define EXITED   SV_PROCESS_EXITED
#define FATAL    SV_PROCESS_FATAL
#define UNKNOWN  SV_PROCESS_UNKNOWN

/* Rows: the event, as in the enum. Columns: the state, as in all_states. The plain program: a
 * second of startsecs, no autorestart, exits with 1; alive where the state says so. For the events
 * of health, with ready=, liveness= (one failure, then stop) and a watchdog. */
static const int expected[SV_PROCESS_EVENT_COUNT][8] = {
    [SV_PROCESS_EVENT_START] = {STARTING, AS, AS, AS, AS, STARTING, STARTING, AS},
    [SV_PROCESS_EVENT_STOP] = {AS, STOPPING, STOPPING, STOPPED, STOPPING, AS, AS, UNKNOWN},
    [SV_PROCESS_EVENT_SIGNAL] = {AS, STARTING, RUNNING, AS, STOPPING, AS, AS, AS},
    [SV_PROCESS_EVENT_SHUTDOWN] = {AS, STOPPING, STOPPING, FATAL, AS, AS, AS, UNKNOWN},
    [SV_PROCESS_EVENT_SPAWNED] = {NO, STARTING, NO, NO, NO, NO, NO, NO},
    [SV_PROCESS_EVENT_SPAWN_FAILED] = {NO, BACKOFF, NO, NO, NO, NO, NO, NO},
    [SV_PROCESS_EVENT_EXITED] = {NO, BACKOFF, EXITED, NO, STOPPED, NO, NO, EXITED},
    [SV_PROCESS_EVENT_EMPTIED] = {AS, STARTING, NO, AS, STOPPED, AS, AS, NO},
    [SV_PROCESS_EVENT_SIGNAL_FAILED] = {AS, UNKNOWN, UNKNOWN, AS, UNKNOWN, AS, AS, AS},
    [SV_PROCESS_EVENT_READY] = {NO, RUNNING, AS, NO, AS, NO, NO, AS},
    [SV_PROCESS_EVENT_ALIVE] = {NO, AS, AS, NO, AS, NO, NO, AS},
    [SV_PROCESS_EVENT_WATCHDOG] = {NO, AS, AS, NO, AS, NO, NO, AS},
    [SV_PROCESS_EVENT_WATCHDOG_TRIGGER] = {NO, AS, STOPPING, NO, AS, NO, NO, AS},
    [SV_PROCESS_EVENT_EXTEND] = {NO, AS, AS, NO, AS, NO, NO, AS},
    [SV_PROCESS_EVENT_PROBE_TURN] = {NO, AS, AS, NO, NO, NO, NO, NO},
    [SV_PROCESS_EVENT_PROBED] = {NO, AS, STOPPING, NO, NO, NO, NO, NO},
    [SV_PROCESS_EVENT_CHECK_DEADLINE] = {NO, STARTING, RUNNING, NO, NO, NO, NO, NO},
    [SV_PROCESS_EVENT_WATCHDOG_DEADLINE] = {NO, NO, STOPPING, NO, NO, NO, NO, NO},
    [SV_PROCESS_EVENT_OOM_KILL] = {NO, STARTING, RUNNING, NO, STOPPING, NO, NO, AS},
    [SV_PROCESS_EVENT_DEADLINE] = {STARTING, RUNNING, RUNNING, STARTING, STOPPING, STARTING, NO,
                                   NO},
    [SV_PROCESS_EVENT_STRAYS_DEADLINE] = {STOPPED, STARTING, NO, BACKOFF, STOPPING, EXITED, FATAL,
                                          NO},
};

static void expect_abort(struct fixture *f, const struct sv_process_event *event)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGABRT, SIG_DFL); /* cmocka catches it */
        if (!freopen("/dev/null", "w", stderr))
            _exit(1);
        sv_process_handle(&f->process, event, &f->step);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void every_cell_leads_where_it_should(void **state)
{
    (void)state;
    for (int kind = 0; kind < SV_PROCESS_EVENT_COUNT; kind++) {
        for (size_t s = 0; s < 8; s++) {
            struct fixture f;
            struct sv_process_event event = event_of((enum sv_process_event_kind)kind);
            arrange(&f, all_states[s]);
            prepare(&f, event.kind);
            int want = expected[kind][s];
            enum sv_cell_kind cell = sv_process_cell(all_states[s], event.kind);
            if (want == NO) {
                assert_int_equal(cell, SV_CELL_IMPOSSIBLE);
                expect_abort(&f, &event);
            } else {
                assert_int_not_equal(cell, SV_CELL_IMPOSSIBLE);
                sv_process_handle(&f.process, &event, &f.step);
                if (f.process.state != (want == AS ? all_states[s] : (unsigned)want))
                    fail_msg("event %d in state %d leads to %d", kind, all_states[s],
                             f.process.state);
                if (want == AS)
                    assert_int_equal(f.actions.count, 0);
            }
            clear(&f);
        }
    }
}

static void signals_during_the_spawn_are_sent_at_the_answer(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, SV_PROCESS_STOPPED);
    give(&f, event_of(SV_PROCESS_EVENT_START));
    give(&f, (struct sv_process_event){.kind = SV_PROCESS_EVENT_SIGNAL, .number = 12});
    give(&f, (struct sv_process_event){.kind = SV_PROCESS_EVENT_SIGNAL, .number = 10});
    give(&f, (struct sv_process_event){.kind = SV_PROCESS_EVENT_SIGNAL, .number = 1000});
    assert_null(last_action(&f, SV_ACTION_SIGNAL));
    size_t before = f.actions.count;
    give(&f, event_of(SV_PROCESS_EVENT_SPAWNED));
    assert_int_equal(f.actions.count, before + 2);
    assert_int_equal(f.actions.items[before].signal.number, 10);
    assert_int_equal(f.actions.items[before + 1].signal.number, 12);
    clear(&f);
}

static void giving_up_is_backoff_first_and_fatal_right_after(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, SV_PROCESS_STARTING);
    f.process.failure_count = 3;
    give(&f, event_of(SV_PROCESS_EVENT_EXITED));
    assert_int_equal(f.actions.count, 2);
    assert_int_equal(f.actions.items[0].notice.to, SV_PROCESS_BACKOFF);
    assert_int_equal(f.actions.items[0].notice.tries, 4);
    assert_int_equal(f.actions.items[0].notice.pid, 77);
    assert_int_equal(f.actions.items[1].notice.from, SV_PROCESS_BACKOFF);
    assert_int_equal(f.actions.items[1].notice.to, SV_PROCESS_FATAL);
    assert_string_equal(f.spawnerr, "Exited too quickly (process log may have details)");
    assert_int_equal(f.process.failure_count, 0);
    assert_false(f.process.has_wait_status);
    clear(&f);
}

static void an_exit_is_judged_by_its_code(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum sv_reason reason;
        bool is_expected;
        const char *spawnerr;
    } rows[] = {
        {0, SV_REASON_EXIT_EXPECTED, true, ""},
        {2 << 8, SV_REASON_EXIT_EXPECTED, true, ""},
        {1 << 8, SV_REASON_EXIT_UNEXPECTED, false, "Bad exit code 1"},
        {9, SV_REASON_EXIT_SIGNAL, false, "Bad exit code -1"},
    };
    for (size_t i = 0; i < 4; i++) {
        struct fixture f;
        arrange(&f, SV_PROCESS_RUNNING);
        f.config.autorestart = SV_AUTORESTART_UNEXPECTED;
        give(&f,
             (struct sv_process_event){.kind = SV_PROCESS_EVENT_EXITED, .number = rows[i].status});
        assert_int_equal(f.actions.items[0].notice.to, SV_PROCESS_EXITED);
        assert_int_equal(f.actions.items[0].notice.reason, rows[i].reason);
        assert_int_equal(f.actions.items[0].notice.is_expected, rows[i].is_expected);
        assert_int_equal(f.actions.items[0].notice.pid, 77);
        assert_int_equal(f.process.state,
                         rows[i].is_expected ? SV_PROCESS_EXITED : SV_PROCESS_STARTING);
        if (rows[i].is_expected)
            assert_string_equal(f.spawnerr, rows[i].spawnerr);
        clear(&f);
    }
}

static bool awaits(const struct fixture *f, enum sv_process_event_kind kind, uint32_t run)
{
    struct sv_process_event event = event_of(kind);
    return sv_process_awaits(&f->process, &event, run);
}

static void repeated_and_stale_answers_are_not_awaited(void **state)
{
    (void)state;
    struct fixture f;
    arrange(&f, SV_PROCESS_RUNNING);
    assert_false(awaits(&f, SV_PROCESS_EVENT_SPAWNED, 1));
    assert_false(awaits(&f, SV_PROCESS_EVENT_EXITED, 0));
    assert_false(awaits(&f, SV_PROCESS_EVENT_EMPTIED, 1));
    assert_true(awaits(&f, SV_PROCESS_EVENT_EXITED, 1));
    give(&f, event_of(SV_PROCESS_EVENT_EXITED));
    assert_false(awaits(&f, SV_PROCESS_EVENT_EXITED, 1));
    clear(&f);
}

static void a_process_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct sv_process) <= 176);
    assert_true(sizeof(struct sv_process) + sv_process_spawnerr_bytes(&plain) < 300);
}

/* --- the keeper --- */

static void what_the_keeper_has_ended_is_not_started_again_by_itself(void **state)
{
    (void)state;
    static const struct {
        enum sv_process_state before, after;
    } cases[] = {{SV_PROCESS_STARTING, SV_PROCESS_FATAL},
                 {SV_PROCESS_RUNNING, SV_PROCESS_EXITED},
                 {SV_PROCESS_UNKNOWN, SV_PROCESS_EXITED}};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(cases); i++) {
        struct fixture f;
        arrange(&f, cases[i].before);
        f.config.autorestart = SV_AUTORESTART_ALWAYS;
        give(&f, (struct sv_process_event){.kind = SV_PROCESS_EVENT_EXITED,
                                           .number = 9,
                                           .keeper_reason = SV_REASON_KEEPER_GRACE});
        assert_int_equal(f.process.state, cases[i].after);
        assert_int_equal(f.process.reason, SV_REASON_KEEPER_GRACE);
        assert_int_equal(f.process.deadline_ns, SV_NEVER);
        give(&f, (struct sv_process_event){.kind = SV_PROCESS_EVENT_START,
                                           .reason = SV_REASON_REQUEST_START});
        assert_int_equal(f.process.state, SV_PROCESS_STARTING);
        clear(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_leads_where_it_should),
        cmocka_unit_test(signals_during_the_spawn_are_sent_at_the_answer),
        cmocka_unit_test(giving_up_is_backoff_first_and_fatal_right_after),
        cmocka_unit_test(an_exit_is_judged_by_its_code),
        cmocka_unit_test(repeated_and_stale_answers_are_not_awaited),
        cmocka_unit_test(a_process_is_small),
        cmocka_unit_test(what_the_keeper_has_ended_is_not_started_again_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
