/* Groups, order, shutdown, and what the core shows of itself. */
#include "core/core_fixture_test.h"

static void begin_starts_groups_by_priority_and_programs_in_order(void **state)
{
    (void)state;
    static const sv_process_id order[] = {3, 4, 5, 6, 1, 2};
    struct fixture f;
    set_up(&f);
    f.programs[1][0].autostart = false;
    add(&f, 2);
    assert_non_null(find_notice(&f, SV_NOTICE_PROCESS_GROUP_ADDED));
    assert_null(find(&f, SV_ACTION_SPAWN, 0));
    add(&f, 0);
    add(&f, 1);
    step(&f, (struct sv_event){.kind = SV_EVENT_BEGIN});
    assert_int_equal(f.actions.items[0].notice.type, SV_NOTICE_SUPERVISOR_STATE_CHANGE_RUNNING);
    size_t nth = 0;
    for (size_t i = 0; i < 6; i++)
        if (order[i] != 5)
            assert_int_equal(find(&f, SV_ACTION_SPAWN, nth++)->process, order[i]);
    assert_null(find(&f, SV_ACTION_SPAWN, nth));
    tear_down(&f);
}

static void a_group_added_later_starts_at_once(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    step(&f, (struct sv_event){.kind = SV_EVENT_BEGIN});
    add(&f, 1);
    assert_string_equal(find_notice(&f, SV_NOTICE_PROCESS_GROUP_ADDED)->notice.group_name,
                        "middle");
    assert_non_null(find(&f, SV_ACTION_SPAWN, 1));
    add(&f, 1);
    assert_int_equal(f.actions.count, 0);
    tear_down(&f);
}

static void groups_are_shown_by_priority(void **state)
{
    (void)state;
    struct fixture f;
    bring_up(&f);
    size_t count;
    const struct sv_group_view *views = sv_core_groups(f.core, &count);
    assert_int_equal(count, 3);
    assert_ptr_equal(views[0].config, &f.groups[0]);
    assert_ptr_equal(views[1].config, &f.groups[1]);
    assert_ptr_equal(views[2].config, &f.groups[2]);
    assert_int_equal(views[1].processes[1], 6);
    assert_int_equal(sv_core_group(f.core, "high")->processes[0], 1);
    assert_null(sv_core_group(f.core, "none"));
    struct sv_process_view view;
    assert_true(sv_core_process(f.core, 4, &view));
    assert_ptr_equal(view.config, &f.programs[0][1]);
    assert_ptr_equal(view.group, &f.groups[0]);
    assert_int_equal(view.pid, 104);
    assert_int_equal(view.state, SV_PROCESS_RUNNING);
    assert_false(sv_core_process(f.core, 0, &view));
    assert_false(sv_core_process(f.core, 7, &view));
    assert_int_equal(sv_core_wanted_notices(f.core), (sv_notice_set)1 << SV_NOTICE_TICK_5);
    assert_true(sv_core_deadline_ns(f.core) == SV_NEVER);
    tear_down(&f);
}

static void a_removed_group_is_released_and_its_ids_are_not_given_again(void **state)
{
    (void)state;
    struct fixture f;
    bring_up(&f);
    step(&f, (struct sv_event){.kind = SV_EVENT_GROUP_REMOVE, .name = "high"});
    assert_int_equal(f.actions.count, 0); /* it runs */
    exited(&f, 1);
    exited(&f, 2);
    step(&f, (struct sv_event){.kind = SV_EVENT_GROUP_REMOVE, .name = "high"});
    assert_string_equal(find_notice(&f, SV_NOTICE_PROCESS_GROUP_REMOVED)->notice.group_name,
                        "high");
    assert_int_equal(find(&f, SV_ACTION_RELEASE, 0)->process, 1);
    assert_int_equal(find(&f, SV_ACTION_RELEASE, 1)->process, 2);
    struct sv_process_view view;
    assert_false(sv_core_process(f.core, 1, &view));
    assert_true(sv_core_process(f.core, 5, &view));
    add(&f, 2);
    assert_int_equal(sv_core_group(f.core, "high")->processes[0], 7);
    tear_down(&f);
}

static void removing_kills_the_strays_that_are_left(void **state)
{
    (void)state;
    struct fixture f;
    bring_up(&f);
    step(&f, (struct sv_event){
                 .kind = SV_EVENT_EXITED, .process = 1, .run = 1, .exited = {.has_strays = true}});
    exited(&f, 2);
    step(&f, (struct sv_event){.kind = SV_EVENT_GROUP_REMOVE, .name = "high"});
    assert_int_equal(f.actions.items[0].kind, SV_ACTION_KILL_CGROUP);
    assert_int_equal(f.actions.items[0].process, 1);
    assert_true(sv_core_deadline_ns(f.core) == SV_NEVER);
    tear_down(&f);
}

static void a_shutdown_goes_from_the_highest_group_down(void **state)
{
    (void)state;
    static const sv_process_id order[] = {2, 1, 6, 5, 4, 3};
    struct fixture f;
    bring_up(&f);
    shut_down(&f, false);
    assert_int_equal(f.actions.items[0].notice.type, SV_NOTICE_SUPERVISOR_STATE_CHANGE_STOPPING);
    assert_int_equal(sv_core_state(f.core), SV_SUPERVISOR_SHUTDOWN);
    for (size_t i = 0; i < 6; i += 2) {
        assert_int_equal(find(&f, SV_ACTION_SIGNAL, 0)->process, order[i]);
        assert_int_equal(find(&f, SV_ACTION_SIGNAL, 1)->process, order[i + 1]);
        assert_null(find(&f, SV_ACTION_SIGNAL, 2));
        exited(&f, order[i]);
        assert_null(find(&f, SV_ACTION_SIGNAL, 0));
        assert_null(find(&f, SV_ACTION_QUIT, 0));
        exited(&f, order[i + 1]);
    }
    assert_false(find(&f, SV_ACTION_QUIT, 0)->is_restart);
    assert_true(sv_core_deadline_ns(f.core) == SV_NEVER);
    step(&f, (struct sv_event){.kind = SV_EVENT_TIME});
    assert_int_equal(f.actions.count, 0);
    tear_down(&f);
}

static void a_shutdown_starts_nothing_and_gives_up_what_backs_off(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.programs[2][0].startsecs = 1;
    f.programs[2][1].autorestart = SV_AUTORESTART_ALWAYS;
    add(&f, 2);
    step(&f, (struct sv_event){.kind = SV_EVENT_BEGIN});
    spawned(&f, 1);
    exited(&f, 1);
    spawned(&f, 2);
    shut_down(&f, true);
    assert_int_equal(find_notice(&f, SV_NOTICE_PROCESS_STATE_FATAL)->process, 1);
    step(&f, (struct sv_event){.kind = SV_EVENT_START, .process = 1});
    assert_int_equal(f.actions.count, 0);
    exited(&f, 2);
    assert_null(find(&f, SV_ACTION_SPAWN, 0));
    assert_true(find(&f, SV_ACTION_QUIT, 0)->is_restart);
    tear_down(&f);
}

static void a_shutdown_overrules_a_restart_but_not_the_other_way_round(void **state)
{
    (void)state;
    struct fixture f;
    bring_up(&f);
    shut_down(&f, true);
    assert_int_equal(sv_core_state(f.core), SV_SUPERVISOR_RESTARTING);
    shut_down(&f, false);
    assert_int_equal(sv_core_state(f.core), SV_SUPERVISOR_SHUTDOWN);
    assert_int_equal(f.actions.count, 0);
    shut_down(&f, true);
    assert_int_equal(sv_core_state(f.core), SV_SUPERVISOR_SHUTDOWN);
    tear_down(&f);
}

static void a_shutdown_ends_even_if_nothing_dies(void **state)
{
    (void)state;
    struct fixture f;
    bring_up(&f);
    uint64_t begin_ns = f.now_ns;
    size_t reports = 0;
    shut_down(&f, false);
    while (!find(&f, SV_ACTION_QUIT, 0)) {
        f.now_ns = sv_core_deadline_ns(f.core);
        assert_true(f.now_ns <= begin_ns + 3 * (10 + SV_KILL_WAIT_SECONDS) * SECOND);
        step(&f, (struct sv_event){.kind = SV_EVENT_TIME});
        const struct sv_action *fact = find_notice(&f, SV_NOTICE_EVENT);
        reports += fact && fact->notice.reason == SV_REASON_SHUTDOWN_WAITING;
    }
    assert_true(reports >= 15);
    tear_down(&f);
}

static void an_empty_daemon_quits_at_once(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    step(&f, (struct sv_event){.kind = SV_EVENT_BEGIN});
    shut_down(&f, false);
    assert_non_null(find(&f, SV_ACTION_QUIT, 0));
    tear_down(&f);
}

static void published_events_reach_subscribed_listeners_only(void **state)
{
    (void)state;
    struct fixture f;
    bring_up(&f);
    struct sv_blob *blob = sv_blob_new("when:5", 6);
    assert_non_null(blob);
    step(&f, (struct sv_event){.kind = SV_EVENT_LISTENER_READY, .process = 3, .run = 1});
    step(&f, (struct sv_event){.kind = SV_EVENT_PUBLISH, .publish = {SV_NOTICE_TICK_60, blob}});
    assert_int_equal(f.actions.count, 0);
    step(&f, (struct sv_event){.kind = SV_EVENT_PUBLISH, .publish = {SV_NOTICE_TICK_5, blob}});
    assert_int_equal(find(&f, SV_ACTION_DELIVER, 0)->process, 3);
    assert_int_equal(find(&f, SV_ACTION_DELIVER, 0)->deliver.serial, 0);
    assert_string_equal(find(&f, SV_ACTION_DELIVER, 0)->deliver.group_name, "low");
    tear_down(&f);
    assert_int_equal(blob->reference_count, 1);
    sv_blob_unref(blob);
}

static void events_about_nobody_and_about_old_runs_are_ignored(void **state)
{
    (void)state;
    struct fixture f;
    bring_up(&f);
    step(&f, (struct sv_event){.kind = SV_EVENT_STOP, .process = 99});
    step(&f, (struct sv_event){.kind = SV_EVENT_EXITED, .process = 99, .run = 1});
    step(&f, (struct sv_event){.kind = SV_EVENT_EXITED, .process = 1, .run = 0});
    step(&f, (struct sv_event){.kind = SV_EVENT_SPAWNED, .process = 1, .run = 1, .pid = 9});
    step(&f, (struct sv_event){.kind = SV_EVENT_LISTENER_READY, .process = 1});
    step(&f, (struct sv_event){.kind = SV_EVENT_GROUP_REMOVE, .name = "none"});
    assert_int_equal(f.actions.count, 0);
    struct sv_process_view view;
    assert_true(sv_core_process(f.core, 1, &view));
    assert_int_equal(view.pid, 101);
    tear_down(&f);
}

/* The driver may have to put actions off for many steps. */
static void the_name_of_a_removed_group_holds_until_all_is_performed(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    for (int i = 0; i < 2; i++)
        f.programs[0][i].autostart = f.programs[2][i].autostart = false;
    add(&f, 0);
    add(&f, 2);
    step(&f, (struct sv_event){.kind = SV_EVENT_BEGIN});
    step(&f, (struct sv_event){.kind = SV_EVENT_GROUP_REMOVE, .name = "low"});
    const char *low = find_notice(&f, SV_NOTICE_PROCESS_GROUP_REMOVED)->notice.group_name;
    assert_string_equal(find(&f, SV_ACTION_FORGET_POOL, 0)->deliver.group_name, "low");
    step(&f, (struct sv_event){.kind = SV_EVENT_GROUP_REMOVE, .name = "high"});
    const char *high = find_notice(&f, SV_NOTICE_PROCESS_GROUP_REMOVED)->notice.group_name;
    add(&f, 0);
    step(&f, (struct sv_event){.kind = SV_EVENT_TIME});
    assert_string_equal(low, "low"); /* the address sanitizer sees more */
    assert_string_equal(high, "high");
    sv_core_settle(f.core);
    tear_down(&f);
}

static void restore(struct fixture *f, sv_process_id id, enum sv_process_state state,
                    enum sv_reason reason)
{
    /* By SIGKILL, or not. */
    uint64_t due_ns = reason == SV_REASON_RESTART ? SECOND : 9 * SECOND;
    bool is_alive = state == SV_PROCESS_STOPPING;
    struct sv_process_record record = {.state = state,
                                       .reason = reason,
                                       .stop_reason = reason,
                                       .main = is_alive ? SV_RECORD_ALIVE : SV_RECORD_NONE,
                                       .run = 1,
                                       .pid = is_alive ? 100 : 0,
                                       .deadline_ns = is_alive ? due_ns : SV_NEVER,
                                       .strays_deadline_ns = SV_NEVER,
                                       .spawnerr = "",
                                       .is_stop_sent = true};
    step(f, (struct sv_event){.kind = SV_EVENT_RESTORE, .process = id, .record = &record});
}

static enum sv_process_state state_of(const struct fixture *f, sv_process_id id)
{
    struct sv_process_view view;
    assert_true(sv_core_process(f->core, id, &view));
    return view.state;
}

static void a_shutdown_that_was_cut_short_is_over_with_its_daemon(void **state)
{
    (void)state;
    static const enum sv_reason reasons[] = {SV_REASON_SHUTDOWN, SV_REASON_RESTART};
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        set_up(&f);
        f.programs[2][1].autostart = false;
        add(&f, 2);
        add(&f, 1);
        restore(&f, 1, SV_PROCESS_STOPPED, reasons[i]);
        restore(&f, 2, SV_PROCESS_STOPPED, reasons[i]);
        restore(&f, 3, SV_PROCESS_STOPPED, SV_REASON_REQUEST_STOP);
        restore(&f, 4, SV_PROCESS_STOPPING, reasons[i]);
        step(&f, (struct sv_event){.kind = SV_EVENT_BEGIN});
        assert_int_equal(state_of(&f, 1), SV_PROCESS_STARTING);
        assert_int_equal(state_of(&f, 2), SV_PROCESS_STOPPED); /* not autostart */
        assert_int_equal(state_of(&f, 3), SV_PROCESS_STOPPED); /* somebody has asked for it */
        assert_int_equal(state_of(&f, 4), SV_PROCESS_STOPPING);
        exited(&f, 4);
        assert_int_equal(state_of(&f, 4), SV_PROCESS_STARTING);
        assert_int_equal(find(&f, SV_ACTION_SPAWN, 0)->run, 2);
        tear_down(&f);
    }
}

static void a_stop_by_request_overrules_a_shutdown_that_was_cut_short(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    add(&f, 1);
    restore(&f, 1, SV_PROCESS_STOPPING, SV_REASON_SHUTDOWN);
    step(&f, (struct sv_event){.kind = SV_EVENT_BEGIN});
    step(&f, (struct sv_event){.kind = SV_EVENT_STOP, .process = 1});
    exited(&f, 1);
    assert_int_equal(state_of(&f, 1), SV_PROCESS_STOPPED);
    tear_down(&f);
}

static void the_serials_of_events_go_on_from_those_of_an_earlier_daemon(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    add(&f, 0);
    struct sv_blob *blob = sv_blob_new("when:5", 6);
    assert_non_null(blob);
    step(&f, (struct sv_event){.kind = SV_EVENT_RESTORE_SERIALS, .serials = {"low", 40, 20}});
    step(&f, (struct sv_event){.kind = SV_EVENT_RESTORE_EVENT,
                               .restored = {"low", SV_NOTICE_TICK_5, blob, 38, 19}});
    step(&f, (struct sv_event){.kind = SV_EVENT_RESTORE_EVENT,
                               .restored = {"gone", SV_NOTICE_TICK_5, blob, 39, 0}});
    step(&f, (struct sv_event){.kind = SV_EVENT_BEGIN});
    step(&f, (struct sv_event){.kind = SV_EVENT_PUBLISH, .publish = {SV_NOTICE_TICK_5, blob}});
    const struct sv_action *action = find(&f, SV_ACTION_REMEMBER, 0);
    assert_int_equal(action->deliver.serial, 40);
    assert_int_equal(action->deliver.pool_serial, 20);
    size_t place = 0;
    struct sv_event_view event;
    assert_true(sv_core_next_event(f.core, "low", &place, &event));
    assert_int_equal(event.serial, 38);
    assert_true(sv_core_next_event(f.core, "low", &place, &event));
    assert_int_equal(event.serial, 40);
    assert_false(sv_core_next_event(f.core, "low", &place, &event));
    uint64_t serial, pool_serial;
    assert_true(sv_core_serials(f.core, "low", &serial, &pool_serial));
    assert_int_equal(serial, 41);
    assert_int_equal(pool_serial, 21);
    assert_false(sv_core_serials(f.core, "gone", &serial, &pool_serial));
    tear_down(&f);
    assert_int_equal(blob->reference_count, 1);
    sv_blob_unref(blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begin_starts_groups_by_priority_and_programs_in_order),
        cmocka_unit_test(a_group_added_later_starts_at_once),
        cmocka_unit_test(groups_are_shown_by_priority),
        cmocka_unit_test(a_removed_group_is_released_and_its_ids_are_not_given_again),
        cmocka_unit_test(removing_kills_the_strays_that_are_left),
        cmocka_unit_test(a_shutdown_goes_from_the_highest_group_down),
        cmocka_unit_test(a_shutdown_starts_nothing_and_gives_up_what_backs_off),
        cmocka_unit_test(a_shutdown_overrules_a_restart_but_not_the_other_way_round),
        cmocka_unit_test(a_shutdown_ends_even_if_nothing_dies),
        cmocka_unit_test(an_empty_daemon_quits_at_once),
        cmocka_unit_test(published_events_reach_subscribed_listeners_only),
        cmocka_unit_test(events_about_nobody_and_about_old_runs_are_ignored),
        cmocka_unit_test(the_name_of_a_removed_group_holds_until_all_is_performed),
        cmocka_unit_test(a_shutdown_that_was_cut_short_is_over_with_its_daemon),
        cmocka_unit_test(a_stop_by_request_overrules_a_shutdown_that_was_cut_short),
        cmocka_unit_test(the_serials_of_events_go_on_from_those_of_an_earlier_daemon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
