/* Programs that are disabled, and processes that come to a living group and go. */
#include "core/core_fixture_test.h"

static void disable(struct fixture *f, const char *program, bool is_disabled)
{
    step(f, (struct sv_event){.kind = SV_EVENT_DISABLE, .program = {program, is_disabled}});
}

static void nobody_starts_a_disabled_program(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.programs[1][0].program = "y"; /* 5; its sister 6 is of x */
    f.programs[1][0].autorestart = SV_AUTORESTART_ALWAYS;
    disable(&f, "x", true);
    add(&f, 2);
    add(&f, 0);
    step(&f, (struct sv_event){.kind = SV_EVENT_BEGIN});
    assert_null(find(&f, SV_ACTION_SPAWN, 0));
    add(&f, 1); /* a group that comes later finds it disabled */
    assert_int_equal(find(&f, SV_ACTION_SPAWN, 0)->process, 5);
    assert_null(find(&f, SV_ACTION_SPAWN, 1));
    struct sv_process_view view;
    assert_true(sv_core_process(f.core, 6, &view));
    assert_true(view.is_disabled);
    step(&f, (struct sv_event){.kind = SV_EVENT_START, .process = 6});
    assert_int_equal(f.actions.count, 0);

    spawned(&f, 5);
    disable(&f, "y", true); /* it goes on, and is not restarted */
    assert_null(find(&f, SV_ACTION_SIGNAL, 0));
    exited(&f, 5);
    assert_null(find(&f, SV_ACTION_SPAWN, 0));
    assert_true(sv_core_process(f.core, 5, &view));
    assert_int_equal(view.state, SV_PROCESS_EXITED);
    tear_down(&f);
}

static void what_is_enabled_again_starts_if_it_is_autostart(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.programs[1][1].autostart = false;
    disable(&f, "x", true);
    add(&f, 1);
    step(&f, (struct sv_event){.kind = SV_EVENT_BEGIN});
    disable(&f, "x", false);
    assert_int_equal(find(&f, SV_ACTION_SPAWN, 0)->process, 1);
    assert_null(find(&f, SV_ACTION_SPAWN, 1));
    disable(&f, "x", false);
    assert_int_equal(f.actions.count, 0);
    step(&f, (struct sv_event){.kind = SV_EVENT_START, .process = 2});
    assert_int_equal(find(&f, SV_ACTION_SPAWN, 0)->process, 2);
    tear_down(&f);
}

static const struct sv_action *add_process(struct fixture *f, const char *group,
                                           const struct sv_program_config *program)
{
    step(f, (struct sv_event){.kind = SV_EVENT_PROCESS_ADD, .added = {group, program}});
    return find(f, SV_ACTION_SPAWN, 0);
}

static void retire(struct fixture *f, sv_process_id id, bool is_retired)
{
    step(f, (struct sv_event){.kind = SV_EVENT_RETIRE, .process = id, .is_retired = is_retired});
}

static void a_process_comes_to_a_living_group_in_its_place_and_goes(void **state)
{
    (void)state;
    struct fixture f;
    bring_up(&f);
    struct sv_program_config extra = f.programs[1][0];
    extra.name = "next"; /* between first (5) and second (6) */
    assert_int_equal(add_process(&f, "middle", &extra)->process, 7);
    const struct sv_group_view *view = sv_core_group(f.core, "middle");
    assert_int_equal(view->process_count, 3);
    static const sv_process_id ids[] = {5, 7, 6};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(view->processes[i], ids[i]);
    assert_ptr_equal(view->programs[1], &extra);
    spawned(&f, 7);
    struct sv_process_view process;
    assert_true(sv_core_process(f.core, 7, &process));
    assert_int_equal(process.pid, 107);

    retire(&f, 7, true); /* it runs: nothing happens yet */
    assert_int_equal(f.actions.count, 0);
    exited(&f, 7);
    assert_null(find(&f, SV_ACTION_SPAWN, 0));
    retire(&f, 7, true);
    assert_int_equal(find(&f, SV_ACTION_RELEASE, 0)->process, 7);
    assert_false(sv_core_process(f.core, 7, &process));
    view = sv_core_group(f.core, "middle");
    assert_int_equal(view->process_count, 2);
    assert_int_equal(view->processes[1], 6);
    assert_int_equal(add_process(&f, "middle", &extra)->process, 8); /* ids are not given again */
    assert_null(add_process(&f, "nobody", &extra));
    tear_down(&f);
}

static void one_of_the_configured_processes_can_go_too(void **state)
{
    (void)state;
    struct fixture f;
    bring_up(&f);
    step(&f, (struct sv_event){.kind = SV_EVENT_STOP, .process = 6});
    exited(&f, 6);
    retire(&f, 6, true);
    assert_int_equal(find(&f, SV_ACTION_RELEASE, 0)->process, 6);
    struct sv_process_view process;
    assert_false(sv_core_process(f.core, 6, &process));
    assert_true(sv_core_process(f.core, 5, &process));
    retire(&f, 6, true);
    assert_int_equal(f.actions.count, 0);
    shut_down(&f, false); /* and nobody waits for it */
    for (sv_process_id id = 1; id <= 5; id++)
        exited(&f, id);
    assert_int_equal(sv_core_state(f.core), SV_SUPERVISOR_SHUTDOWN);
    assert_non_null(find(&f, SV_ACTION_QUIT, 0));
    tear_down(&f);
}

static void what_is_retired_by_mistake_may_stay(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    f.programs[1][0].autorestart = SV_AUTORESTART_ALWAYS;
    add(&f, 1);
    step(&f, (struct sv_event){.kind = SV_EVENT_BEGIN});
    spawned(&f, 1);
    retire(&f, 1, true);
    retire(&f, 1, false);
    exited(&f, 1);
    assert_int_equal(find(&f, SV_ACTION_SPAWN, 0)->process, 1);
    tear_down(&f);
}

static void a_listener_that_comes_later_hears_and_gives_back_when_it_goes(void **state)
{
    (void)state;
    struct fixture f;
    bring_up(&f);
    struct sv_program_config extra = f.programs[0][0];
    extra.name = "third";
    add_process(&f, "low", &extra);
    spawned(&f, 7);
    struct sv_blob *blob = sv_blob_new("when:5", 6);
    step(&f, (struct sv_event){.kind = SV_EVENT_LISTENER_READY, .process = 7, .run = 1});
    step(&f, (struct sv_event){.kind = SV_EVENT_PUBLISH, .publish = {SV_NOTICE_TICK_5, blob}});
    assert_int_equal(find(&f, SV_ACTION_DELIVER, 0)->process, 7);
    step(&f, (struct sv_event){.kind = SV_EVENT_STOP, .process = 7});
    exited(&f, 7);
    retire(&f, 7, true);
    assert_int_equal(find(&f, SV_ACTION_RELEASE, 0)->process, 7);
    step(&f, (struct sv_event){.kind = SV_EVENT_LISTENER_READY, .process = 3, .run = 1});
    assert_int_equal(find(&f, SV_ACTION_DELIVER, 0)->process, 3);
    add_process(&f, "low", &extra);
    assert_int_equal(find(&f, SV_ACTION_SPAWN, 0)->process, 8);
    tear_down(&f);
    sv_blob_unref(blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_starts_a_disabled_program),
        cmocka_unit_test(what_is_enabled_again_starts_if_it_is_autostart),
        cmocka_unit_test(a_process_comes_to_a_living_group_in_its_place_and_goes),
        cmocka_unit_test(one_of_the_configured_processes_can_go_too),
        cmocka_unit_test(what_is_retired_by_mistake_may_stay),
        cmocka_unit_test(a_listener_that_comes_later_hears_and_gives_back_when_it_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
