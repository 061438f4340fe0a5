/* Every cell of process.def, against expectations that were written down without looking at it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void arrange(struct fixture *f, enum sv_process_state state)
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

static void clear(struct fixture *f)
{
    sv_actions_done(&f->actions);
    sv_heap_done(&f->alarms);
}

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

static struct sv_process_event event_of(enum sv_process_event_kind kind)
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

static const struct sv_action *last_action(const struct fixture *f, enum sv_action_kind kind)
{
    for (size_t i = f->actions.count; i > 0; i--)
        if (f->actions.items[i - 1].kind == kind)
            return &f->actions.items[i - 1];
    return NULL;
}

static void give(struct fixture *f, struct sv_process_event event)
{
    sv_process_handle(&f->process, &event, &f->step);
}

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
        cmocka_unit_test(an_oom_kill_is_only_told_unless_the_policy_is_stop),
        cmocka_unit_test(oom_stop_stops_and_leaves_the_rest_to_autorestart),
        cmocka_unit_test(a_stop_by_request_overrules_the_restart_after_an_oom_stop),
        cmocka_unit_test(the_restart_after_an_oom_stop_may_have_a_pause_that_a_stop_ends),
        cmocka_unit_test(a_stop_during_the_spawn_is_carried_out_at_the_answer),
        cmocka_unit_test(a_stop_during_a_failing_spawn_ends_stopped),
        cmocka_unit_test(signals_during_the_spawn_are_sent_at_the_answer),
        cmocka_unit_test(giving_up_is_backoff_first_and_fatal_right_after),
        cmocka_unit_test(an_exit_is_judged_by_its_code),
        cmocka_unit_test(a_stop_is_signal_then_sigkill_then_the_cgroup),
        cmocka_unit_test(strays_keep_a_stop_going_for_what_is_left_of_stopwaitsecs),
        cmocka_unit_test(a_restart_waits_for_the_strays_of_the_former_run),
        cmocka_unit_test(kill_mode_process_leaves_strays_alone),
        cmocka_unit_test(what_does_not_die_of_sigkill_is_given_up),
        cmocka_unit_test(repeated_and_stale_answers_are_not_awaited),
        cmocka_unit_test(a_process_is_small),
        cmocka_unit_test(what_the_keeper_has_ended_is_not_started_again_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
