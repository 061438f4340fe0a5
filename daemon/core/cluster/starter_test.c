#include "core/cluster/commander_fixture_test.h"

#define P(name, elements) "<program name='" name "'>" elements "</program>"
#define SEQ(n)            "<start_sequence>" #n "</start_sequence>"
#define REQUIRED          "<required>true</required>"
#define LOAD(n)           "<expected_loading>" #n "</expected_loading>"
#define WAIT_EXIT         "<wait_exit>true</wait_exit>"
#define APP(name, elements, programs)                                                              \
    "<application name='" name "'>" elements "<programs>" programs "</programs></application>"

#define SHOP                                                                                       \
    APP("shop", SEQ(1),                                                                            \
        P("web", SEQ(3)) P("db", SEQ(1)) P("job", SEQ(2) WAIT_EXIT) P("api", SEQ(3))               \
            P("tool", ""))

static struct played played;

static void programs_start_by_their_numbers(void **state)
{
    (void)state;
    played_init(&played, SHOP, "shop:web shop:db shop:job shop:api shop:tool");
    sv_commander_start_applications(&played.cluster);
    played_expect(&played, "+db@left");
    assert_true(sv_commander_is_starting(&played.cluster));
    played.command_count = 0;
    played_tell(&played, LEFT, "shop", "db", SV_PROCESS_STARTING);
    played_expect(&played, "");
    played_tell(&played, LEFT, "shop", "db", SV_PROCESS_RUNNING);
    played_expect(&played, "+job@left");
    played.command_count = 0;
    played_tell(&played, LEFT, "shop", "job", SV_PROCESS_STARTING);
    played_tell(&played, LEFT, "shop", "job", SV_PROCESS_RUNNING);
    played_wait(&played, 1000); /* an exit is awaited without limit */
    played_expect(&played, "");
    played_tell(&played, LEFT, "shop", "job", SV_PROCESS_EXITED);
    played_expect(&played, "+web@left +api@left");
    played_run(&played);
    assert_false(sv_commander_is_starting(&played.cluster));
    played_done(&played);
}

static void applications_start_by_their_numbers(void **state)
{
    (void)state;
    played_init(&played,
                APP("c", SEQ(2), P("x", SEQ(1))) APP("b", SEQ(1), P("y", SEQ(1)) P("z", SEQ(2)))
                    APP("a", SEQ(1), P("v", SEQ(5))) APP("never", "", P("n", SEQ(1))),
                "c:x b:y b:z a:v never:n other:o");
    sv_commander_start_applications(&played.cluster);
    played_expect(&played, "+y@left +v@left");
    played_run(&played);
    played_expect(&played, "+z@left +x@left");
    played_done(&played);
}

static void what_runs_is_left_alone_and_what_was_stopped_stays_so(void **state)
{
    (void)state;
    played_init(&played, SHOP APP("idle", SEQ(1), P("i", SEQ(1))), "shop:db shop:web idle:i");
    played_tell(&played, RIGHT, "shop", "db", SV_PROCESS_STARTING);
    played_tell(&played, RIGHT, "shop", "db", SV_PROCESS_RUNNING);
    played_tell(&played, FAR, "idle", "i", SV_PROCESS_STARTING);
    played_tell(&played, FAR, "idle", "i", SV_PROCESS_STOPPING);
    played_tell(&played, FAR, "idle", "i", SV_PROCESS_STOPPED);
    sv_commander_start_applications(&played.cluster);
    played_expect(&played, ""); /* shop is neither untouched nor in failure */
    played_tell(&played, LEFT, "shop", "web", SV_PROCESS_FATAL);
    sv_commander_start_applications(&played.cluster);
    played_expect(&played, "+web@left");
    played_done(&played);
}

static void what_somebody_else_has_begun_has_its_turn_until_it_runs(void **state)
{
    (void)state;
    played_init(&played, SHOP, "shop:db shop:job shop:web");
    played_tell(&played, LEFT, "shop", "web", SV_PROCESS_FATAL);
    played_tell(&played, RIGHT, "shop", "db", SV_PROCESS_STARTING);
    sv_commander_start_applications(&played.cluster);
    played_expect(&played, "");
    assert_true(sv_commander_is_starting(&played.cluster));
    played_tell(&played, RIGHT, "shop", "db", SV_PROCESS_RUNNING);
    played_expect(&played, "+job@left");
    played_done(&played);
}

static void all_jobs_see_the_load_of_all_that_is_on_its_way(void **state)
{
    (void)state;
    const char *rules = APP("a", SEQ(1), P("a1", SEQ(1) LOAD(60)) P("a2", SEQ(1) LOAD(60)))
        APP("b", SEQ(1), P("b1", SEQ(1) LOAD(60)) P("b2", SEQ(1) LOAD(30) REQUIRED));
    played_init(&played, rules, "a:a1 a:a2 b:b1 b:b2");
    sv_commander_start_applications(&played.cluster);
    played_expect(&played, "+a1@left +a2@right +b1@far +b2@left");
    played_run(&played);
    /* Nothing is left anywhere for 60 more. */
    played_done(&played);
    played_init(&played, rules, "a:a1 a:a2 b:b1 b:b2");
    played.states[FAR] = SV_INSTANCE_STATE_STOPPED;
    sv_commander_start_applications(&played.cluster);
    assert_non_null(strstr(sv_str_text(&played.log),
                           "b:b1: not started, no place for it: left refused: load 60 + 60 > 100; "
                           "right refused: load 60 + 60 > 100; far refused: it is STOPPED"));
    played_expect(&played, "+a1@left +a2@right !b1=FATAL +b2@left");
    struct sv_member *b1 = played_member(&played, "b", "b1");
    assert_string_equal(b1->forced_reason, "No resource available");
    played_done(&played);
}

static void what_is_asked_for_one_after_the_other_counts_as_well(void **state)
{
    (void)state;
    played_init(&played,
                APP("a", "", P("a1", SEQ(1) LOAD(60)) P("a2", SEQ(2) LOAD(60)))
                    APP("b", "", P("b1", SEQ(1) LOAD(60))),
                "a:a1 a:a2 b:b1");
    played_ask(&played, SV_REQUEST_START_APPLICATION, "a");
    played_ask(&played, SV_REQUEST_START_PROCESS, "b:b1");
    played_expect(&played, "+a1@left +b1@right"); /* before anything has begun */
    played_tell(&played, LEFT, "a", "a1", SV_PROCESS_STARTING);
    played_tell(&played, LEFT, "a", "a1", SV_PROCESS_RUNNING);
    played_expect(&played, "+a2@far");
    played_done(&played);
}

struct failure_case {
    const char *strategy, *required, *trace;
};

static void a_starting_failure_has_its_strategy(void **state)
{
    (void)state;
    static const struct failure_case cases[] = {
        {"ABORT", "true", "+good@left +bad@left"},
        {"STOP", "true", "+good@left +bad@left -good@left"},
        {"CONTINUE", "true", "+good@left +bad@left +last@left"},
        {"ABORT", "false", "+good@left +bad@left +last@left"},
    };
    for (size_t c = 0; c < SV_ARRAY_LENGTH(cases); c++) {
        struct sv_str rules = {0};
        sv_str_addf(&rules,
                    APP("shop", SEQ(1) "<starting_failure_strategy>%s</starting_failure_strategy>",
                        P("good", SEQ(1)) P("bad", SEQ(1) "<required>%s</required>")
                            P("last", SEQ(2))),
                    cases[c].strategy, cases[c].required);
        played_init(&played, sv_str_text(&rules), "shop:good shop:bad shop:last");
        sv_commander_start_applications(&played.cluster);
        played_run(&played);
        played_expect(&played, cases[c].trace);
        assert_false(sv_commander_is_starting(&played.cluster));
        assert_false(sv_commander_is_stopping(&played.cluster));
        played_done(&played);
        sv_str_done(&rules);
    }
}

static void a_timeout_is_a_starting_failure_too(void **state)
{
    (void)state;
    played_init(&played, APP("shop", SEQ(1), P("mute", SEQ(1) REQUIRED) P("last", SEQ(2))),
                "shop:mute shop:last");
    sv_commander_start_applications(&played.cluster);
    played_run(&played);
    played_wait(&played, 1);
    played_expect(&played, "+mute@left");
    played_wait(&played, 2);
    played_expect(&played, "!mute=FATAL");
    struct sv_member *mute = played_member(&played, "shop", "mute");
    assert_string_equal(mute->forced_reason, "process STARTING event not received in time");
    assert_int_equal(mute->state, SV_PROCESS_STOPPED);
    assert_false(sv_commander_is_starting(&played.cluster));
    /* It was only slow: what it says itself is what counts. */
    played_tell(&played, LEFT, "shop", "mute", SV_PROCESS_STARTING);
    assert_int_equal(sv_member_shown_state(mute), SV_PROCESS_STARTING);
    played_done(&played);
}

static void each_stage_of_a_start_has_its_own_time(void **state)
{
    (void)state;
    played_init(&played, APP("shop", SEQ(1), P("db", SEQ(1))), "shop:db");
    sv_commander_start_applications(&played.cluster);
    played_tell(&played, LEFT, "shop", "db", SV_PROCESS_STARTING);
    played_wait(&played, 2); /* startsecs 1, margin 2 */
    played_tell(&played, LEFT, "shop", "db", SV_PROCESS_BACKOFF);
    played_wait(&played, 12);
    played_tell(&played, LEFT, "shop", "db", SV_PROCESS_STARTING);
    played_wait(&played, 2);
    played_expect(&played, "+db@left");
    /* Behind a dead daemon nothing is given up: that it is lost is told. */
    played.states[LEFT] = SV_INSTANCE_STATE_FAILED;
    sv_commander_instance_failed(&played.cluster, LEFT);
    played_wait(&played, 2);
    played_expect(&played, "");
    played.states[LEFT] = SV_INSTANCE_STATE_RUNNING;
    played_wait(&played, 2);
    played_expect(&played, "!db=FATAL");
    assert_string_equal(played_member(&played, "shop", "db")->forced_reason,
                        "process RUNNING event not received in time");
    played_done(&played);
}

static void an_end_that_came_with_the_start_in_one_row_is_judged_by_its_life(void **state)
{
    (void)state;
    played_init(&played, APP("shop", SEQ(1), P("db", SEQ(1) REQUIRED) P("web", SEQ(2))),
                "shop:db shop:web");
    for (uint64_t lived = 0; lived < 2; lived++) {
        sv_commander_start_applications(&played.cluster);
        played_expect(&played, "+db@left");
        struct sv_mesh_process row =
            fixture_row("shop", "db", SV_PROCESS_EXITED, 50 + lived * 1000000000);
        row.start_ns = 50;
        row.is_expected = false;
        sv_model_put(&played.cluster, LEFT, &row);
        played_expect(&played, lived ? "+web@left" : "");
    }
    played_done(&played);
}

static void a_refusal_fails_the_start(void **state)
{
    (void)state;
    const char *rules = APP("shop", SEQ(1), P("db", SEQ(1) REQUIRED) P("web", SEQ(2)));
    played_init(&played, rules, "shop:db shop:web");
    sv_commander_start_applications(&played.cluster);
    sv_commander_answered(&played.cluster, 1, 60, "shop:db"); /* it runs already: rows tell */
    played_expect(&played, "+db@left");
    sv_commander_abort(&played.cluster);
    sv_commander_start_applications(&played.cluster);
    sv_commander_answered(&played.cluster, 2, 0, NULL);
    sv_commander_answered(&played.cluster, 77, 10, "somebody else's");
    played_expect(&played, "+db@left");
    sv_commander_abort(&played.cluster);
    sv_commander_start_applications(&played.cluster);
    sv_commander_answered(&played.cluster, 3, 103, "shop:db");
    played_expect(&played, "+db@left !db=FATAL");
    assert_string_equal(played_member(&played, "shop", "db")->forced_reason,
                        "refused by left: shop:db");
    sv_commander_start_applications(&played.cluster);
    sv_commander_answered(&played.cluster, 4, 30, "left did not answer in time");
    played_expect(&played, "+db@left !db=FATAL");
    assert_string_equal(played_member(&played, "shop", "db")->forced_reason,
                        "process STARTING event not received in time");
    played_done(&played);
    played_init(&played, APP("shop", SEQ(1), P("refused", SEQ(1) REQUIRED) P("web", SEQ(2))),
                "shop:refused shop:web");
    sv_commander_start_applications(&played.cluster);
    played_expect(&played, "!refused=FATAL");
    played_done(&played);
}

static void a_lost_target_is_a_starting_failure_and_no_running_one(void **state)
{
    (void)state;
    const char *rules =
        APP("shop", SEQ(1) "<running_failure_strategy>RESTART_PROCESS</running_failure_strategy>",
            P("db", SEQ(1) REQUIRED) P("web", SEQ(2)));
    played_init(&played, rules, "shop:db shop:web");
    sv_commander_start_applications(&played.cluster);
    played_tell(&played, LEFT, "shop", "db", SV_PROCESS_STARTING);
    played_lose(&played, LEFT);
    sv_commander_handle_lost(&played.cluster);
    played_expect(&played, "+db@left"); /* ABORT */
    assert_false(sv_commander_is_starting(&played.cluster));
    assert_int_equal(played.cluster.model.lost_count, 0);
    played_done(&played);
}

static void quorum_holds_a_start_back(void **state)
{
    (void)state;
    played_init(&played, APP("shop", SEQ(1), P("db", SEQ(1)) P("web", SEQ(2))), "shop:db shop:web");
    played.may_start = false;
    sv_commander_start_applications(&played.cluster);
    played_wait(&played, 1000);
    played_expect(&played, "");
    assert_true(sv_commander_is_starting(&played.cluster));
    assert_string_equal(played_member(&played, "shop", "db")->why,
                        "not started yet: a copy may still run on far");
    played.may_start = true;
    sv_commander_may_start(&played.cluster);
    played_run(&played);
    played_expect(&played, "+db@left +web@left");
    played_done(&played);
}

static void an_application_of_one_instance_is_placed_as_a_whole(void **state)
{
    (void)state;
    const char *rules = APP("big", SEQ(1), P("b", SEQ(1) LOAD(50)))
        APP("shop", SEQ(2) "<distribution>SINGLE_INSTANCE</distribution>",
            P("db", SEQ(1) LOAD(40)) P("web", SEQ(2) LOAD(20)) P("tool", LOAD(90)));
    played_init(&played, rules, "big:b shop:db shop:web shop:tool");
    sv_commander_start_applications(&played.cluster);
    played_run(&played);
    played_expect(&played, "+b@left +db@right +web@right");
    /* One of it again: where the rest runs, and with its own load only. */
    played_tell(&played, RIGHT, "shop", "web", SV_PROCESS_STOPPED);
    played_ask(&played, SV_REQUEST_START_PROCESS, "shop:web");
    played_run(&played);
    played_expect(&played, "+web@right ?1=ok");
    played_ask(&played, SV_REQUEST_START_PROCESS, "shop:tool");
    played_expect(&played, "!tool=FATAL ?2=40");
    played_done(&played);
}

static void what_is_placed_as_a_whole_and_loses_its_instance_fails(void **state)
{
    (void)state;
    played_init(&played,
                APP("shop", SEQ(1) "<distribution>SINGLE_INSTANCE</distribution>",
                    P("db", SEQ(1)) P("web", SEQ(2))),
                "shop:db shop:web");
    sv_commander_start_applications(&played.cluster);
    played_lose(&played, LEFT);
    played_expect(&played, "+db@left !web=FATAL");
    played_done(&played);
}

static void a_process_that_goes_away_does_not_block_its_sequence(void **state)
{
    (void)state;
    played_init(&played,
                APP("shop", SEQ(1), P("db", SEQ(1)) P("web", SEQ(2)))
                    APP("z", SEQ(2), P("q", SEQ(1))),
                "shop:db shop:web z:q");
    sv_commander_start_applications(&played.cluster);
    struct sv_mesh_process row = {.application = "shop", .name = "db", .is_removed = true};
    for (sv_instance_place i = 0; i < PLAYED_COUNT; i++)
        sv_model_put(&played.cluster, i, &row);
    played_expect(&played, "+db@left +web@left");
    row.name = "web";
    for (sv_instance_place i = PLAYED_COUNT; i-- > 0;)
        sv_model_put(&played.cluster, i, &row);
    played_expect(&played, "+q@left");
    assert_null(sv_model_application(&played.cluster.model, "shop"));
    played_done(&played);
}

static void a_snapshot_removes_what_it_does_not_tell(void **state)
{
    (void)state;
    played_init(&played, SHOP, "shop:db shop:web");
    sv_model_begin_snapshot(&played.cluster, RIGHT);
    played_tell(&played, RIGHT, "shop", "db", SV_PROCESS_STOPPED);
    sv_model_end_snapshot(&played.cluster, RIGHT);
    assert_non_null(sv_member_copy(played_member(&played, "shop", "db"), RIGHT));
    assert_null(sv_member_copy(played_member(&played, "shop", "web"), RIGHT));
    assert_non_null(sv_member_copy(played_member(&played, "shop", "web"), LEFT));
    played_done(&played);
}

static void a_thousand_programs_start_in_one_go(void **state)
{
    (void)state;
    struct sv_str programs = {0};
    for (int i = 0; i < 1000; i++)
        sv_str_addf(&programs, "many:p%d ", i);
    played_init(&played,
                "<application name='many'><start_sequence>1</start_sequence>"
                "<starting_strategy>LESS_LOADED</starting_strategy><programs>"
                "<program pattern='p'><start_sequence>1</start_sequence></program>"
                "</programs></application>",
                sv_str_text(&programs));
    sv_commander_start_applications(&played.cluster);
    assert_int_equal(played.command_count, 1000);
    played_run(&played);
    assert_false(sv_commander_is_starting(&played.cluster));
    sv_str_done(&programs);
    played_done(&played);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_start_by_their_numbers),
        cmocka_unit_test(applications_start_by_their_numbers),
        cmocka_unit_test(what_runs_is_left_alone_and_what_was_stopped_stays_so),
        cmocka_unit_test(what_somebody_else_has_begun_has_its_turn_until_it_runs),
        cmocka_unit_test(all_jobs_see_the_load_of_all_that_is_on_its_way),
        cmocka_unit_test(what_is_asked_for_one_after_the_other_counts_as_well),
        cmocka_unit_test(a_starting_failure_has_its_strategy),
        cmocka_unit_test(a_timeout_is_a_starting_failure_too),
        cmocka_unit_test(each_stage_of_a_start_has_its_own_time),
        cmocka_unit_test(an_end_that_came_with_the_start_in_one_row_is_judged_by_its_life),
        cmocka_unit_test(a_refusal_fails_the_start),
        cmocka_unit_test(a_lost_target_is_a_starting_failure_and_no_running_one),
        cmocka_unit_test(quorum_holds_a_start_back),
        cmocka_unit_test(an_application_of_one_instance_is_placed_as_a_whole),
        cmocka_unit_test(what_is_placed_as_a_whole_and_loses_its_instance_fails),
        cmocka_unit_test(a_process_that_goes_away_does_not_block_its_sequence),
        cmocka_unit_test(a_snapshot_removes_what_it_does_not_tell),
        cmocka_unit_test(a_thousand_programs_start_in_one_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
