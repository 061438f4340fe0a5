#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "core/program_for_test.h"

#define SECOND UINT64_C(1000000000)

/* A core with one program. */
struct life {
    struct sv_program_config program;
    const struct sv_program_config *list[1];
    struct sv_group_config group;
    struct sv_core *core;
    struct sv_actions actions;
    uint64_t now_ns;
};

static void feed(struct life *life, struct sv_event event)
{
    event.now_ns = life->now_ns;
    event.wall_ns = (int64_t)life->now_ns + 1000;
    if (event.kind != SV_EVENT_GROUP_ADD && event.kind != SV_EVENT_BEGIN)
        event.process = 1;
    if (event.run == 0 && event.process == 1) {
        struct sv_process_view view;
        assert_true(sv_core_process(life->core, 1, &view));
        event.run = view.run;
    }
    sv_core_step(life->core, &event, &life->actions);
}

static void be_born(struct life *life)
{
    *life = (struct life){.now_ns = 5 * SECOND};
    life->program = program_named("p");
    life->program.autorestart = SV_AUTORESTART_ALWAYS;
    life->program.kill_mode = SV_KILL_CONTROL_GROUP;
    life->list[0] = &life->program;
    life->group = (struct sv_group_config){.name = "p", .programs = life->list, .program_count = 1};
    life->core = sv_core_new(1);
    feed(life, (struct sv_event){.kind = SV_EVENT_GROUP_ADD, .group = &life->group});
}

static void die(struct life *life)
{
    sv_core_free(life->core);
    sv_actions_done(&life->actions);
}

/* The ways into the states in which a daemon may die, and what is to happen `later`. */
static void be_starting(struct life *life)
{
    feed(life, (struct sv_event){.kind = SV_EVENT_SPAWNED, .pid = 77});
    life->now_ns += SECOND / 2;
}

static void be_running(struct life *life)
{
    be_starting(life);
    life->now_ns += SECOND;
    feed(life, (struct sv_event){.kind = SV_EVENT_TIME});
}

static void be_stopping(struct life *life)
{
    be_running(life);
    feed(life, (struct sv_event){.kind = SV_EVENT_STOP});
    life->now_ns += 3 * SECOND;
}

static void be_in_backoff(struct life *life)
{
    for (int i = 0; i < 2; i++) {
        feed(life, (struct sv_event){.kind = SV_EVENT_SPAWN_FAILED, .text = "no luck"});
        life->now_ns += 2 * SECOND;
        if (i == 0)
            feed(life, (struct sv_event){.kind = SV_EVENT_TIME});
    }
    life->now_ns -= SECOND;
}

static void wait_for_strays(struct life *life)
{
    be_running(life);
    feed(life, (struct sv_event){.kind = SV_EVENT_EXITED,
                                 .exited = {.wait_status = 3 << 8, .has_strays = true}});
    life->now_ns += SECOND;
}

static void be_spawning(struct life *life)
{
    feed(life, (struct sv_event){.kind = SV_EVENT_STOP}); /* remembered for the answer */
}

static void be_stopped(struct life *life)
{
    be_stopping(life);
    feed(life, (struct sv_event){.kind = SV_EVENT_EXITED, .exited = {.wait_status = SIGTERM}});
}

static void assert_same_actions(const struct sv_actions *a, const struct sv_actions *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_int_equal(a->items[i].kind, b->items[i].kind);
        assert_int_equal(a->items[i].run, b->items[i].run);
        if (a->items[i].kind == SV_ACTION_SIGNAL)
            assert_int_equal(a->items[i].signal.number, b->items[i].signal.number);
        if (a->items[i].kind == SV_ACTION_NOTICE)
            assert_int_equal(a->items[i].notice.to, b->items[i].notice.to);
    }
}

static void a_restored_process_goes_on_as_the_one_that_was_recorded(void **state)
{
    (void)state;
    static void (*const ways[])(struct life *) = {be_starting,   be_running,      be_stopping,
                                                  be_in_backoff, wait_for_strays, be_spawning,
                                                  be_stopped};
    for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
        struct life first, second;
        be_born(&first);
        feed(&first, (struct sv_event){.kind = SV_EVENT_BEGIN});
        ways[w](&first);
        struct sv_process_record record;
        assert_true(sv_core_record(first.core, 1, &record));
        record.is_stop_sent = record.are_strays_signalled = true;

        be_born(&second);
        second.now_ns = first.now_ns;
        feed(&second, (struct sv_event){.kind = SV_EVENT_RESTORE, .record = &record});
        sv_actions_clear(&second.actions);
        feed(&second, (struct sv_event){.kind = SV_EVENT_BEGIN});
        assert_int_equal(second.actions.count, 1); /* RUNNING of the daemon, nothing else */

        struct sv_process_view a, b;
        assert_true(sv_core_process(first.core, 1, &a));
        assert_true(sv_core_process(second.core, 1, &b));
        assert_int_equal(a.state, b.state);
        assert_int_equal(a.pid, b.pid);
        assert_int_equal(a.backoff, b.backoff);
        assert_int_equal(a.started_wall_ns, b.started_wall_ns);
        assert_string_equal(a.spawnerr, b.spawnerr);
        assert_int_equal(sv_core_deadline_ns(first.core), sv_core_deadline_ns(second.core));

        sv_actions_clear(&first.actions);
        sv_actions_clear(&second.actions);
        first.now_ns = second.now_ns += 60 * SECOND;
        feed(&first, (struct sv_event){.kind = SV_EVENT_TIME});
        feed(&second, (struct sv_event){.kind = SV_EVENT_TIME});
        assert_same_actions(&first.actions, &second.actions);
        die(&first);
        die(&second);
    }
}

/* What RESTORE itself asks for, of a process that was recorded on the way `way`. */
static struct sv_actions restored(void (*way)(struct life *), bool is_stop_sent)
{
    struct life first, second;
    be_born(&first);
    feed(&first, (struct sv_event){.kind = SV_EVENT_BEGIN});
    way(&first);
    struct sv_process_record record;
    assert_true(sv_core_record(first.core, 1, &record));
    record.is_stop_sent = record.are_strays_signalled = is_stop_sent;
    be_born(&second);
    sv_actions_clear(&second.actions);
    second.now_ns = first.now_ns + 60 * SECOND;
    feed(&second, (struct sv_event){.kind = SV_EVENT_RESTORE, .record = &record});
    feed(&second, (struct sv_event){.kind = SV_EVENT_BEGIN});
    struct sv_actions actions = second.actions;
    second.actions = (struct sv_actions){0};
    die(&first);
    die(&second);
    return actions;
}

static void be_killed(struct life *life)
{
    be_stopping(life);
    life->now_ns += 60 * SECOND;
    feed(life, (struct sv_event){.kind = SV_EVENT_TIME});
}

static void a_signal_that_was_decided_and_not_sent_is_sent_by_the_next_daemon(void **state)
{
    (void)state;
    static const struct {
        void (*way)(struct life *);
        bool is_sent;
        enum sv_action_kind kind;
        int number;
        enum sv_signal_target target;
    } cases[] = {
        {be_stopping, false, SV_ACTION_SIGNAL, SIGTERM, SV_TARGET_PROCESS},
        {be_stopping, true, SV_ACTION_SIGNAL, SIGKILL, SV_TARGET_PROCESS}, /* its time is over */
        {be_killed, true, SV_ACTION_SIGNAL, SIGKILL, SV_TARGET_PROCESS},
        {wait_for_strays, false, SV_ACTION_SIGNAL, SIGTERM, SV_TARGET_CGROUP},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sv_actions actions = restored(cases[i].way, cases[i].is_sent);
        const struct sv_action *first = NULL;
        for (size_t a = 0; a < actions.count && !first; a++)
            if (actions.items[a].kind == SV_ACTION_SIGNAL)
                first = &actions.items[a];
        assert_non_null(first);
        assert_int_equal(first->signal.number, cases[i].number);
        assert_int_equal(first->signal.target, cases[i].target);
        sv_actions_done(&actions);
    }
}

static void kill_strays(struct life *life)
{
    wait_for_strays(life);
    life->now_ns += 20 * SECOND;
    feed(life, (struct sv_event){.kind = SV_EVENT_TIME});
}

/* The next run waits for their death, and nobody counts the time in which no daemon was there. */
static void strays_that_were_to_be_killed_are_not_given_up_before_they_are(void **state)
{
    (void)state;
    struct sv_actions actions = restored(kill_strays, true);
    size_t kill_count = 0;
    for (size_t i = 0; i < actions.count; i++) {
        kill_count += actions.items[i].kind == SV_ACTION_KILL_CGROUP;
        assert_int_not_equal(actions.items[i].kind, SV_ACTION_SPAWN);
    }
    assert_int_equal(kill_count, 1);
    sv_actions_done(&actions);
}

/* With ready= and not ready in time: it was told to go, and the daemon dies before it does. */
static void a_run_that_has_to_go_has_to_go_for_the_next_daemon_too(void **state)
{
    (void)state;
    static const struct sv_health_config health = {
        .ready = {.kind = SV_PROBE_NOTIFY, .text = "notify"}, .ready_timeout = 2};
    struct life first, second;
    be_born(&first);
    sv_core_free(first.core);
    first.program.health = &health;
    first.core = sv_core_new(1);
    feed(&first, (struct sv_event){.kind = SV_EVENT_GROUP_ADD, .group = &first.group});
    feed(&first, (struct sv_event){.kind = SV_EVENT_BEGIN});
    feed(&first, (struct sv_event){.kind = SV_EVENT_SPAWNED, .pid = 77});
    first.now_ns += 2 * SECOND;
    feed(&first, (struct sv_event){.kind = SV_EVENT_TIME}); /* SIGTERM */
    struct sv_process_record record;
    assert_true(sv_core_record(first.core, 1, &record));
    assert_int_equal(record.end_reason, SV_REASON_NOT_READY);
    record.is_stop_sent = true;

    second = first;
    second.actions = (struct sv_actions){0};
    second.core = sv_core_new(1);
    second.list[0] = &second.program;
    second.group.programs = second.list;
    feed(&second, (struct sv_event){.kind = SV_EVENT_GROUP_ADD, .group = &second.group});
    feed(&second, (struct sv_event){.kind = SV_EVENT_RESTORE, .record = &record});
    feed(&second, (struct sv_event){.kind = SV_EVENT_BEGIN});
    assert_int_equal(sv_core_deadline_ns(second.core), sv_core_deadline_ns(first.core));
    feed(&second, (struct sv_event){.kind = SV_EVENT_READY}); /* too late */
    feed(&second, (struct sv_event){.kind = SV_EVENT_EXITED, .exited = {.wait_status = SIGTERM}});
    struct sv_process_view view;
    assert_true(sv_core_process(second.core, 1, &view));
    assert_int_equal(view.state, SV_PROCESS_BACKOFF);
    assert_int_equal(view.reason, SV_REASON_NOT_READY);
    assert_string_equal(view.spawnerr, "not ready within 2 s");
    die(&first);
    die(&second);
}

static void an_end_that_nobody_saw_is_an_unexpected_one(void **state)
{
    (void)state;
    struct life life;
    be_born(&life);
    feed(&life, (struct sv_event){.kind = SV_EVENT_BEGIN});
    be_running(&life);
    feed(&life, (struct sv_event){.kind = SV_EVENT_EXITED, .exited = {.is_unknown = true}});
    bool was_told = false;
    for (size_t i = 0; i < life.actions.count; i++)
        if (life.actions.items[i].kind == SV_ACTION_NOTICE &&
            life.actions.items[i].notice.type == SV_NOTICE_PROCESS_STATE_EXITED) {
            was_told = true;
            assert_false(life.actions.items[i].notice.is_expected);
            assert_int_equal(life.actions.items[i].notice.reason, SV_REASON_EXIT_UNKNOWN);
        }
    assert_true(was_told);
    die(&life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restored_process_goes_on_as_the_one_that_was_recorded),
        cmocka_unit_test(a_signal_that_was_decided_and_not_sent_is_sent_by_the_next_daemon),
        cmocka_unit_test(strays_that_were_to_be_killed_are_not_given_up_before_they_are),
        cmocka_unit_test(a_run_that_has_to_go_has_to_go_for_the_next_daemon_too),
        cmocka_unit_test(an_end_that_nobody_saw_is_an_unexpected_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
