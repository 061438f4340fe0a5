#include "core/cluster/commander_fixture_test.h"

#define RUNNING_FAILURE(name) "<running_failure_strategy>" name "</running_failure_strategy>"
#define P(name, number, strategy)                                                                  \
    "<program name='" name "'><start_sequence>" #number "</start_sequence>"                        \
    "<running_failure_strategy>" strategy "</running_failure_strategy></program>"
#define APP(name, programs)                                                                        \
    "<application name='" name "'><start_sequence>1</start_sequence><programs>" programs           \
    "</programs></application>"

static struct played played;

static void runs(sv_instance_place instance, const char *application, const char *name)
{
    played_tell(&played, instance, application, name, SV_PROCESS_STARTING);
    played_tell(&played, instance, application, name, SV_PROCESS_RUNNING);
}

/* `rules` of shop, where a and b run on right and c on far; then a crashes, or right is lost. */
struct failure_case {
    const char *a, *b; /* strategies */
    const char *crash, *loss;
    int restarts, shutdowns; /* of the cluster, by the crash */
};

static const struct failure_case failure_cases[] = {
    {"CONTINUE", "CONTINUE", "", "", 0, 0},
    {"RESTART_PROCESS", "CONTINUE", "", "+a@left", 0, 0},
    {"RESTART_PROCESS", "RESTART_PROCESS", "", "+a@left +b@left", 0, 0},
    {"STOP_APPLICATION", "CONTINUE", "-b@right -c@far", "-c@far", 0, 0},
    {"RESTART_APPLICATION", "CONTINUE", "-b@right -c@far +a@left +b@left +c@left",
     "-c@far +a@left +b@left +c@left", 0, 0},
    /* STOP_APPLICATION before all, RESTART_APPLICATION before the process. */
    {"RESTART_PROCESS", "STOP_APPLICATION", "", "-c@far", 0, 0},
    {"STOP_APPLICATION", "RESTART_APPLICATION", "-b@right -c@far", "-c@far", 0, 0},
    {"RESTART_APPLICATION", "STOP_APPLICATION", "-b@right -c@far +a@left +b@left +c@left", "-c@far",
     0, 0},
    {"RESTART_APPLICATION", "RESTART_PROCESS", "-b@right -c@far +a@left +b@left +c@left",
     "-c@far +a@left +b@left +c@left", 0, 0},
    {"RESTART_PROCESS", "RESTART_APPLICATION", "", "-c@far +a@left +b@left +c@left", 0, 0},
    {"RESTART", "CONTINUE", "", "", 1, 0},
    {"SHUTDOWN", "CONTINUE", "", "", 0, 1},
};

static void case_init(const struct failure_case *of)
{
    struct sv_str rules = {0};
    sv_str_addf(&rules, APP("shop", P("a", 1, "%s") P("b", 1, "%s") P("c", 1, "CONTINUE")), of->a,
                of->b);
    played_init(&played, sv_str_text(&rules), "shop:a shop:b shop:c");
    sv_str_done(&rules);
    runs(RIGHT, "shop", "a");
    runs(RIGHT, "shop", "b");
    runs(FAR, "shop", "c");
}

static void a_crash_has_the_strategy_of_its_rule(void **state)
{
    (void)state;
    for (size_t c = 0; c < SV_ARRAY_LENGTH(failure_cases); c++) {
        const struct failure_case *want = &failure_cases[c];
        case_init(want);
        played_tell(&played, RIGHT, "shop", "a", SV_PROCESS_FATAL);
        assert_int_equal(played.cluster_restarts, want->restarts);
        assert_int_equal(played.cluster_shutdowns, want->shutdowns);
        played_run(&played);
        played_expect(&played, want->crash);
        played_done(&played);
        /* Nobody but the Master does anything. */
        case_init(want);
        played.is_master = false;
        played_tell(&played, RIGHT, "shop", "a", SV_PROCESS_FATAL);
        assert_int_equal(played.cluster_restarts + played.cluster_shutdowns, 0);
        played_run(&played);
        played_expect(&played, "");
        played_done(&played);
    }
}

static void nothing_is_done_about_a_failure_while_the_cluster_ends(void **state)
{
    (void)state;
    for (size_t c = 0; c < SV_ARRAY_LENGTH(failure_cases); c++) {
        case_init(&failure_cases[c]);
        played.machine = SV_SUPVISORS_STATE_SHUTTING_DOWN;
        played_tell(&played, RIGHT, "shop", "a", SV_PROCESS_FATAL);
        played_run(&played);
        played_expect(&played, "");
        played_done(&played);
    }
}

static void a_lost_instance_has_the_strategies_of_what_ran_there(void **state)
{
    (void)state;
    for (size_t c = 0; c < SV_ARRAY_LENGTH(failure_cases); c++) {
        const struct failure_case *want = &failure_cases[c];
        case_init(want);
        played_lose(&played, RIGHT);
        played_expect(&played, ""); /* the Master's turn comes with its state */
        sv_commander_handle_lost(&played.cluster);
        played_run(&played);
        if (strcmp(sv_str_text(&played.trace), want->loss) != 0)
            fail_msg("case %zu: \"%s\" instead of \"%s\"", c, sv_str_text(&played.trace),
                     want->loss);
        assert_int_equal(played.cluster_restarts + played.cluster_shutdowns, 0);
        assert_int_equal(played.cluster.model.lost_count, 0);
        played_done(&played);
    }
}

static void an_application_that_stopped_with_the_loss_is_restarted_as_a_whole(void **state)
{
    (void)state;
    played_init(&played, APP("shop", P("web", 2, "RESTART_PROCESS") P("db", 1, "CONTINUE")),
                "shop:web shop:db shop:tool");
    runs(RIGHT, "shop", "web");
    played_lose(&played, RIGHT);
    sv_commander_handle_lost(&played.cluster);
    played_run(&played);
    played_expect(&played, "+db@left +web@left");
    played_done(&played);
    /* Not so for what is in no start sequence. */
    played_init(&played, APP("shop", P("web", 0, "RESTART_PROCESS") P("db", 1, "CONTINUE")),
                "shop:web shop:db");
    runs(RIGHT, "shop", "web");
    played_lose(&played, RIGHT);
    sv_commander_handle_lost(&played.cluster);
    played_run(&played);
    played_expect(&played, "+web@left");
    played_done(&played);
}

static void extra_arguments_follow_a_program_to_another_node(void **state)
{
    (void)state;
    played_init(&played, APP("shop", P("web", 0, "RESTART_PROCESS")), "shop:web");
    played.last_arguments = "-x 1";
    runs(RIGHT, "shop", "web");
    played.last_arguments = NULL;
    played_lose(&played, RIGHT);
    sv_commander_handle_lost(&played.cluster);
    assert_string_equal(played.last_arguments, "-x 1");
    played_done(&played);
}

static void a_loss_is_not_forgotten_when_the_master_changes(void **state)
{
    (void)state;
    const struct failure_case of = {.a = "RESTART_PROCESS", .b = "CONTINUE"};
    case_init(&of);
    played.is_master = false;
    played_lose(&played, RIGHT); /* it was the Master */
    sv_commander_abort(&played.cluster);
    assert_int_equal(played.cluster.model.lost_count, 2);
    played.is_master = true;
    sv_commander_handle_lost(&played.cluster);
    played_run(&played);
    played_expect(&played, "+a@left");
    played_done(&played);
    /* Another Master has done it. */
    case_init(&of);
    played.is_master = false;
    played_lose(&played, RIGHT);
    sv_commander_lost_is_handled(&played.cluster, LEFT);
    assert_int_equal(played.cluster.model.lost_count, 2);
    sv_commander_lost_is_handled(&played.cluster, RIGHT);
    assert_int_equal(played.cluster.model.lost_count, 0);
    played_done(&played);
}

static void what_was_begun_is_taken_up_again_after_an_election(void **state)
{
    (void)state;
    const struct failure_case of = {.a = "RESTART_APPLICATION", .b = "CONTINUE"};
    case_init(&of);
    played_tell(&played, RIGHT, "shop", "a", SV_PROCESS_FATAL);
    played_expect(&played, "-b@right -c@far");
    sv_commander_abort(&played.cluster); /* before anything has stopped */
    played_run(&played);
    sv_commander_handle_lost(&played.cluster);
    played_run(&played);
    played_expect(&played, "!a=FATAL +a@left +b@left +c@left");
    played_done(&played);
    /* Whoever is Master then sees that it does not run as it should. */
    case_init(&of);
    played.may_start = false;
    played_tell(&played, RIGHT, "shop", "a", SV_PROCESS_FATAL);
    played_run(&played);
    sv_commander_abort(&played.cluster);
    played_expect(&played, "-b@right -c@far !a=FATAL !b=FATAL !c=FATAL");
    played.may_start = true;
    sv_commander_start_applications(&played.cluster);
    played_run(&played);
    played_expect(&played, "+a@left +b@left +c@left");
    played_done(&played);
}

static void a_restart_that_died_with_its_master_is_taken_up(void **state)
{
    (void)state;
    const struct failure_case of = {.a = "RESTART_APPLICATION", .b = "CONTINUE"};
    case_init(&of);
    played.is_master = false;
    played_lose(&played, RIGHT);
    /* The Master stops the rest and starts the first of it; then it dies. */
    played_tell(&played, FAR, "shop", "c", SV_PROCESS_STOPPED);
    runs(LEFT, "shop", "a");
    played.is_master = true;
    sv_commander_handle_lost(&played.cluster);
    played_run(&played);
    played_expect(&played, "+b@left +c@left");
    sv_commander_handle_lost(&played.cluster);
    played_expect(&played, "");
    played_done(&played);
}

static void what_another_master_distributed_is_not_done_again(void **state)
{
    (void)state;
    const struct failure_case of = {.a = "RESTART_APPLICATION", .b = "CONTINUE"};
    case_init(&of);
    played_tell(&played, RIGHT, "shop", "a", SV_PROCESS_FATAL);
    sv_commander_abort(&played.cluster);
    assert_int_equal(played.cluster.model.lost_count, 1);
    sv_commander_state_changed(&played.cluster, SV_SUPVISORS_STATE_DISTRIBUTION);
    assert_int_equal(played.cluster.model.lost_count, 1);
    played.is_master = false;
    sv_commander_state_changed(&played.cluster, SV_SUPVISORS_STATE_DISTRIBUTION);
    assert_int_equal(played.cluster.model.lost_count, 0);
    played_done(&played);
}

static void what_runs_again_by_the_time_is_left_alone(void **state)
{
    (void)state;
    static const char *const strategies[] = {"RESTART_PROCESS", "RESTART_APPLICATION"};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(strategies); i++) {
        const struct failure_case of = {.a = strategies[i], .b = "CONTINUE"};
        case_init(&of);
        played_lose(&played, RIGHT);
        sv_commander_start_applications(&played.cluster); /* a distribution starts it anyhow */
        sv_commander_handle_lost(&played.cluster);
        played_run(&played);
        played_expect(&played, "+a@left +b@left");
        assert_int_equal(played.cluster.model.lost_count, 0);
        played_done(&played);
    }
}

static void a_failure_waits_until_its_application_has_no_job(void **state)
{
    (void)state;
    played_init(&played, APP("shop", P("a", 1, "STOP_APPLICATION") P("stay", 2, "CONTINUE")),
                "shop:a shop:stay");
    sv_commander_start_applications(&played.cluster);
    played.command_count = 0;
    runs(LEFT, "shop", "a");
    played_expect(&played, "+a@left +stay@left");
    played_tell(&played, LEFT, "shop", "a", SV_PROCESS_FATAL);
    played_expect(&played, "");
    runs(LEFT, "shop", "stay");
    played_expect(&played, "-stay@left");
    played_done(&played);
}

static void a_start_that_fails_is_tried_once_more_and_not_for_ever(void **state)
{
    (void)state;
    static const struct {
        const char *strategy, *trace;
    } cases[] = {
        {"RESTART_APPLICATION", "+bad@left +db@left -db@left +bad@left +db@left"},
        {"STOP_APPLICATION", "+bad@left +db@left -db@left"},
        {"RESTART", "+bad@left +db@left"},
        {"RESTART_PROCESS", "+bad@left +db@left"},
    };
    for (size_t c = 0; c < SV_ARRAY_LENGTH(cases); c++) {
        struct sv_str rules = {0};
        sv_str_addf(&rules, APP("shop", P("bad", 1, "%s") P("db", 1, "CONTINUE")),
                    cases[c].strategy);
        played_init(&played, sv_str_text(&rules), "shop:bad shop:db");
        sv_commander_start_applications(&played.cluster);
        played_run(&played);
        played_expect(&played, cases[c].trace);
        assert_int_equal(played.cluster_restarts, 0);
        played_done(&played);
        sv_str_done(&rules);
    }
}

static void a_snapshot_is_a_failure_only_of_what_ran_before(void **state)
{
    (void)state;
    const struct failure_case of = {.a = "STOP_APPLICATION", .b = "STOP_APPLICATION"};
    case_init(&of);
    played_tell(&played, LEFT, "shop", "d", SV_PROCESS_STOPPED);
    sv_model_begin_snapshot(&played.cluster, RIGHT);
    played_tell(&played, RIGHT, "shop", "a", SV_PROCESS_RUNNING);
    played_tell(&played, RIGHT, "shop", "b", SV_PROCESS_RUNNING);
    played_tell(&played, RIGHT, "shop", "d", SV_PROCESS_FATAL);
    sv_model_end_snapshot(&played.cluster, RIGHT);
    played_expect(&played, "");
    sv_model_begin_snapshot(&played.cluster, RIGHT);
    played_tell(&played, RIGHT, "shop", "a", SV_PROCESS_FATAL);
    played_tell(&played, RIGHT, "shop", "b", SV_PROCESS_RUNNING);
    played_tell(&played, RIGHT, "shop", "d", SV_PROCESS_FATAL);
    sv_model_end_snapshot(&played.cluster, RIGHT);
    played_expect(&played, "-b@right -c@far");
    played_done(&played);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_has_the_strategy_of_its_rule),
        cmocka_unit_test(nothing_is_done_about_a_failure_while_the_cluster_ends),
        cmocka_unit_test(a_lost_instance_has_the_strategies_of_what_ran_there),
        cmocka_unit_test(an_application_that_stopped_with_the_loss_is_restarted_as_a_whole),
        cmocka_unit_test(extra_arguments_follow_a_program_to_another_node),
        cmocka_unit_test(a_loss_is_not_forgotten_when_the_master_changes),
        cmocka_unit_test(what_was_begun_is_taken_up_again_after_an_election),
        cmocka_unit_test(a_restart_that_died_with_its_master_is_taken_up),
        cmocka_unit_test(what_another_master_distributed_is_not_done_again),
        cmocka_unit_test(what_runs_again_by_the_time_is_left_alone),
        cmocka_unit_test(a_failure_waits_until_its_application_has_no_job),
        cmocka_unit_test(a_start_that_fails_is_tried_once_more_and_not_for_ever),
        cmocka_unit_test(a_snapshot_is_a_failure_only_of_what_ran_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
