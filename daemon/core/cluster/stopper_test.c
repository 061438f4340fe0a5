#include "core/cluster/commander_fixture_test.h"

#define P(name, elements) "<program name='" name "'>" elements "</program>"
#define SEQ(n)            "<start_sequence>" #n "</start_sequence>"
#define STOP(n)           "<stop_sequence>" #n "</stop_sequence>"
#define APP(name, elements, programs)                                                              \
    "<application name='" name "'>" elements "<programs>" programs "</programs></application>"

#define SHOP APP("shop", SEQ(1), P("web", SEQ(3)) P("db", SEQ(1)) P("api", SEQ(3)) P("tool", ""))

static struct played played;

static void runs(sv_instance_place instance, const char *application, const char *name)
{
    played_tell(&played, instance, application, name, SV_PROCESS_STARTING);
    played_tell(&played, instance, application, name, SV_PROCESS_RUNNING);
}

static void programs_stop_by_their_numbers_highest_first(void **state)
{
    (void)state;
    played_init(&played, SHOP, "shop:web shop:db shop:api shop:tool");
    runs(LEFT, "shop", "db");
    runs(RIGHT, "shop", "web");
    runs(FAR, "shop", "web");
    runs(FAR, "shop", "api");
    runs(LEFT, "shop", "tool");
    played_ask(&played, SV_REQUEST_STOP_APPLICATION, "shop");
    played_expect(&played, "-web@right -web@far -api@far");
    assert_true(sv_commander_is_stopping(&played.cluster));
    played_run(&played);
    played_expect(&played, "-db@left -tool@left ?1=ok");
    assert_false(sv_commander_is_stopping(&played.cluster));
    played_done(&played);
}

static void all_applications_stop_by_their_numbers(void **state)
{
    (void)state;
    played_init(&played, APP("a", STOP(1), P("x", "")) APP("b", STOP(9), P("y", "")),
                "a:x b:y o:z");
    runs(LEFT, "a", "x");
    runs(LEFT, "b", "y");
    runs(LEFT, "o", "z"); /* unmanaged: 0 */
    sv_commander_stop_applications(&played.cluster);
    played_expect(&played, "-y@left");
    played_run(&played);
    played_expect(&played, "-x@left -z@left");
    assert_false(sv_commander_is_stopping(&played.cluster));
    played_done(&played);
}

static void what_does_not_stop_is_given_up_in_time(void **state)
{
    (void)state;
    played_init(&played, SHOP APP("dumb", "", P("mute", "")), "shop:stay dumb:mute");
    runs(LEFT, "shop", "stay");
    runs(LEFT, "dumb", "mute");
    played_ask(&played, SV_REQUEST_STOP_PROCESS, "shop:stay");
    played_ask(&played, SV_REQUEST_STOP_PROCESS, "dumb:mute");
    played_run(&played);
    played_expect(&played, "-stay@left -mute@left");
    played_wait(&played, 3);
    played_expect(&played, "!mute=STOPPED ?2=91"); /* it still runs */
    assert_string_equal(played_member(&played, "dumb", "mute")->forced_reason,
                        "process STOPPING event not received in time");
    played_wait(&played, 10); /* stopwaitsecs 10, margin 2 */
    played_expect(&played, "!stay=STOPPED ?1=ok");
    assert_string_equal(played_member(&played, "shop", "stay")->forced_reason,
                        "process STOPPED event not received in time");
    played_done(&played);
}

/* While the cluster ends, a daemon that comes back is not let in: it stays CHECKED. */
static void what_came_back_in_between_is_given_up_in_time(void **state)
{
    (void)state;
    played_init(&played, SHOP APP("dumb", "", P("mute", "")), "dumb:mute");
    runs(LEFT, "dumb", "mute");
    sv_commander_stop_applications(&played.cluster);
    played_run(&played);
    played_expect(&played, "-mute@left");
    played.states[LEFT] = SV_INSTANCE_STATE_FAILED;
    played_wait(&played, 60);
    assert_true(sv_commander_is_stopping(&played.cluster));
    played.states[LEFT] = SV_INSTANCE_STATE_CHECKED;
    played_wait(&played, 3);
    played_expect(&played, "!mute=STOPPED");
    assert_false(sv_commander_is_stopping(&played.cluster));
    played_done(&played);
}

static void requests_do_not_wait_for_each_other(void **state)
{
    (void)state;
    played_init(&played, SHOP APP("slow", SEQ(1), P("stay", SEQ(1))), "shop:db slow:stay");
    runs(LEFT, "slow", "stay");
    played_ask(&played, SV_REQUEST_RESTART_APPLICATION, "slow");
    played_ask(&played, SV_REQUEST_START_APPLICATION, "shop");
    played_run(&played);
    played_expect(&played, "-stay@left +db@left ?2=ok");
    assert_true(sv_commander_is_stopping(&played.cluster));
    played_done(&played);
}

static void a_stop_that_somebody_else_has_begun_is_waited_for(void **state)
{
    (void)state;
    played_init(&played, SHOP, "shop:web shop:db");
    runs(LEFT, "shop", "db");
    runs(LEFT, "shop", "web");
    played_tell(&played, LEFT, "shop", "web", SV_PROCESS_STOPPING);
    played_ask(&played, SV_REQUEST_STOP_APPLICATION, "shop");
    played_expect(&played, "");
    played_tell(&played, LEFT, "shop", "web", SV_PROCESS_STOPPED);
    played_expect(&played, "-db@left");
    played_done(&played);
}

static void a_lost_instance_has_stopped_everything(void **state)
{
    (void)state;
    played_init(&played, SHOP, "shop:web shop:db");
    runs(LEFT, "shop", "db");
    runs(RIGHT, "shop", "web");
    played_ask(&played, SV_REQUEST_STOP_APPLICATION, "shop");
    played_lose(&played, RIGHT);
    sv_commander_handle_lost(&played.cluster);
    played_expect(&played, "-web@right -db@left");
    assert_int_equal(played.cluster.model.lost_count, 0);
    played_done(&played);
}

static void a_refused_stop_goes_by_the_rows(void **state)
{
    (void)state;
    played_init(&played, SHOP, "shop:db");
    runs(LEFT, "shop", "db");
    played_ask(&played, SV_REQUEST_STOP_PROCESS, "shop:db");
    sv_commander_answered(&played.cluster, 1, 70, "shop:db");
    played_expect(&played, "-db@left");
    played_tell(&played, LEFT, "shop", "db", SV_PROCESS_EXITED);
    played_expect(&played, "?1=ok");
    played_done(&played);
}

static void a_restart_starts_when_all_has_stopped(void **state)
{
    (void)state;
    played_init(&played, SHOP, "shop:web shop:db shop:api shop:tool");
    runs(RIGHT, "shop", "db");
    runs(RIGHT, "shop", "web");
    played_ask(&played, SV_REQUEST_RESTART_APPLICATION, "shop");
    played_run(&played);
    played_expect(&played, "-web@right -db@right +db@left +web@left +api@left ?1=ok");
    /* Stopped already: it is started. */
    played_ask(&played, SV_REQUEST_STOP_APPLICATION, "shop");
    played_run(&played);
    sv_str_clear(&played.trace);
    played_ask(&played, SV_REQUEST_RESTART_APPLICATION, "shop");
    played_expect(&played, "+db@left");
    played_done(&played);
}

static void an_application_that_does_not_stop_is_not_started_again(void **state)
{
    (void)state;
    played_init(&played, SHOP APP("dumb", "", P("mute", SEQ(1))), "dumb:mute dumb:other");
    runs(LEFT, "dumb", "mute");
    runs(LEFT, "dumb", "other");
    played_ask(&played, SV_REQUEST_RESTART_APPLICATION, "dumb");
    played_wait(&played, 3);
    /* Shown as STOPPED, so it is started, and what runs is left alone. */
    played_run(&played);
    played_expect(&played, "-mute@left !mute=STOPPED -other@left ?1=70");
    played_done(&played);
}

static void a_restarted_process_keeps_its_arguments_or_gets_others(void **state)
{
    (void)state;
    played_init(&played, SHOP, "shop:db");
    struct sv_cluster_request request = {.id = 5,
                                         .kind = SV_REQUEST_START_PROCESS,
                                         .name = "shop:db",
                                         .extra_arguments = "-x 1",
                                         .does_wait = true};
    sv_commander_request(&played.cluster, &request);
    played_run(&played);
    assert_string_equal(played_member(&played, "shop", "db")->extra_arguments, "-x 1");
    played_ask(&played, SV_REQUEST_RESTART_PROCESS, "shop:db");
    played_run(&played);
    assert_string_equal(played_member(&played, "shop", "db")->extra_arguments, "-x 1");
    request.kind = SV_REQUEST_RESTART_PROCESS;
    request.extra_arguments = "";
    request.id = 6;
    sv_commander_request(&played.cluster, &request);
    played_run(&played);
    assert_string_equal(played_member(&played, "shop", "db")->extra_arguments, "");
    played_expect(&played, "+db@left ?5=ok -db@left +db@left ?1=ok -db@left +db@left ?6=ok");
    played_done(&played);
}

static void conciliate_with(enum sv_conciliation_strategy strategy, const char *trace)
{
    played_init(&played,
                APP("shop",
                    SEQ(1) "<running_failure_strategy>RESTART_PROCESS</running_failure_strategy>",
                    P("db", SEQ(1)) P("web", SEQ(2))),
                "shop:db shop:web other:o");
    runs(LEFT, "shop", "web");
    runs(RIGHT, "shop", "db");
    played.cluster.now_ns += 50;
    runs(FAR, "shop", "db");
    runs(LEFT, "shop", "db");
    runs(LEFT, "other", "o");
    runs(FAR, "other", "o");
    played.cluster.now_ns += 50;
    assert_true(sv_model_has_conflict(&played.cluster));
    played.config.conciliation_strategy = strategy;
    sv_commander_conciliate(&played.cluster);
    played_run(&played);
    played_expect(&played, trace);
    assert_int_equal(sv_model_has_conflict(&played.cluster),
                     strategy == SV_CONCILIATION_STRATEGY_USER);
    played_done(&played);
}

static void every_conciliation_strategy_leaves_what_it_says(void **state)
{
    (void)state;
    /* left and far are equally young: the first by order. The clocks of the three differ. */
    conciliate_with(SV_CONCILIATION_STRATEGY_SENICIDE, "-db@right -db@far");
    conciliate_with(SV_CONCILIATION_STRATEGY_INFANTICIDE, "-db@left -db@far");
    conciliate_with(SV_CONCILIATION_STRATEGY_USER, "");
    conciliate_with(SV_CONCILIATION_STRATEGY_STOP, "-db@left -db@right -db@far");
    conciliate_with(SV_CONCILIATION_STRATEGY_RESTART, "-db@left -db@right -db@far +db@left");
    conciliate_with(SV_CONCILIATION_STRATEGY_RUNNING_FAILURE,
                    "-db@left -db@right -db@far +db@left");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_stop_by_their_numbers_highest_first),
        cmocka_unit_test(all_applications_stop_by_their_numbers),
        cmocka_unit_test(what_does_not_stop_is_given_up_in_time),
        cmocka_unit_test(what_came_back_in_between_is_given_up_in_time),
        cmocka_unit_test(requests_do_not_wait_for_each_other),
        cmocka_unit_test(a_stop_that_somebody_else_has_begun_is_waited_for),
        cmocka_unit_test(a_lost_instance_has_stopped_everything),
        cmocka_unit_test(a_refused_stop_goes_by_the_rows),
        cmocka_unit_test(a_restart_starts_when_all_has_stopped),
        cmocka_unit_test(an_application_that_does_not_stop_is_not_started_again),
        cmocka_unit_test(a_restarted_process_keeps_its_arguments_or_gets_others),
        cmocka_unit_test(every_conciliation_strategy_leaves_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
