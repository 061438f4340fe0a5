#include "core/cluster/commander_fixture_test.h"

#define P(name, elements) "<program name='" name "'>" elements "</program>"
#define SEQ(n)            "<start_sequence>" #n "</start_sequence>"
#define LOAD(n)           "<expected_loading>" #n "</expected_loading>"
#define APP(name, elements, programs)                                                              \
    "<application name='" name "'>" elements "<programs>" programs "</programs></application>"

#define RULES                                                                                      \
    APP("shop", "", P("web", SEQ(2)) P("db", SEQ(1)))                                              \
    APP("empty", "", P("e", ""))                                                                   \
    APP("broken", "", P("bad1", SEQ(1)) P("bad2", SEQ(1)))                                         \
    APP("heavy", "",                                                                               \
        P("h1", SEQ(1) LOAD(60)) P("h2", SEQ(2) LOAD(60)) P("h3", SEQ(3) LOAD(60))                 \
            P("h4", SEQ(4) LOAD(60)))                                                              \
    APP("auto", SEQ(1), P("a", SEQ(1)))
#define PROGRAMS                                                                                   \
    "shop:web shop:db empty:e broken:bad1 broken:bad2 free:f solo:solo heavy:h1 heavy:h2 "         \
    "heavy:h3 heavy:h4 auto:a"

static struct played played;

static const struct sv_cluster_answer *last_answer(void)
{
    for (size_t i = played.actions.count; i-- > 0;)
        if (played.actions.items[i].kind == SV_CLUSTER_ANSWER)
            return &played.actions.items[i].answer;
    return NULL;
}

static void runs(sv_instance_place instance, const char *application, const char *name)
{
    played_tell(&played, instance, application, name, SV_PROCESS_STARTING);
    played_tell(&played, instance, application, name, SV_PROCESS_RUNNING);
}

#define R(name) SV_REQUEST_##name
#define M(name) SV_SUPVISORS_STATE_##name

/* free:f runs on right; everything else is stopped. */
struct refusal {
    enum sv_cluster_request_kind kind;
    const char *name;
    enum sv_supvisors_state state;
    int fault;
    const char *text;
};

static const struct refusal refusals[] = {
    {R(START_APPLICATION), "nobody", M(ELECTION), 101,
     "invalid Supvisors state=ELECTION - state expected in ['OPERATION']"},
    {R(STOP_APPLICATION), "nobody", M(OFF), 101,
     "invalid Supvisors state=OFF - state expected in ['OPERATION', 'CONCILIATION']"},
    {R(RESTART_APPLICATION), "shop", M(CONCILIATION), 101,
     "invalid Supvisors state=CONCILIATION - state expected in ['OPERATION']"},
    {R(CONCILIATE), "", M(OPERATION), 101,
     "invalid Supvisors state=OPERATION - state expected in ['CONCILIATION']"},
    {R(CONCILIATE), "shop:db", M(OPERATION), 101,
     "invalid Supvisors state=OPERATION - state expected in ['CONCILIATION']"},
    {R(CONCILIATE), "shop:x", M(CONCILIATION), 10, "process=x unknown in application=shop"},
    {R(CONCILIATE), "free:f", M(CONCILIATION), 102, "free"},
    {R(CONCILIATE), "shop:db", M(CONCILIATION), 104, "shop:db does not run more than once"},
    {R(START_APPLICATION), "nobody", M(OPERATION), 10, "application=nobody unknown to Supvisors"},
    {R(START_APPLICATION), "free", M(OPERATION), 102, "free"},
    {R(START_APPLICATION), "empty", M(OPERATION), 40, "failed to start empty"},
    {R(TEST_START_APPLICATION), "nobody", M(OPERATION), 10,
     "application=nobody unknown to Supvisors"},
    {R(TEST_START_APPLICATION), "free", M(OPERATION), 102, "free"},
    {R(STOP_APPLICATION), "nobody", M(CONCILIATION), 10, "application=nobody unknown to Supvisors"},
    {R(STOP_APPLICATION), "free", M(OPERATION), 102, "free"},
    {R(STOP_APPLICATION), "shop", M(OPERATION), 70, "failed to stop shop"},
    {R(RESTART_APPLICATION), "nobody", M(OPERATION), 10, "application=nobody unknown to Supvisors"},
    {R(RESTART_APPLICATION), "empty", M(OPERATION), 40, "failed to restart empty"},
    {R(START_PROCESS), "nobody", M(OPERATION), 10, "application=nobody unknown to Supvisors"},
    {R(START_PROCESS), "nobody:x", M(OPERATION), 10, "application=nobody unknown to Supvisors"},
    {R(START_PROCESS), "shop:x", M(OPERATION), 10, "process=x unknown in application=shop"},
    {R(START_PROCESS), "free:f", M(OPERATION), 60, "free:f"},
    {R(START_PROCESS), "free:*", M(OPERATION), 60, "free:f"},
    {R(START_PROCESS), "shop:db", M(CONCILIATION), 101,
     "invalid Supvisors state=CONCILIATION - state expected in ['OPERATION']"},
    {R(TEST_START_PROCESS), "free:f", M(OPERATION), 60, "free:f"},
    {R(PREDICT_APPLICATION), "free", M(CONCILIATION), 102, "free"},
    {R(PREDICT_PROCESS), "shop:x", M(CONCILIATION), 10, "process=x unknown in application=shop"},
    {R(PREDICT_PROCESS), "shop:db", M(DISTRIBUTION), 101,
     "invalid Supvisors state=DISTRIBUTION - state expected in ['OPERATION', 'CONCILIATION']"},
    {R(STOP_PROCESS), "shop:db", M(OPERATION), 70, "shop:db already stopped"},
    {R(STOP_PROCESS), "shop:", M(OPERATION), 70, "shop: already stopped"},
    {R(STOP_PROCESS), "solo", M(CONCILIATION), 70, "solo already stopped"},
    {R(RESTART_PROCESS), "shop:x", M(OPERATION), 10, "process=x unknown in application=shop"},
    {R(START_ANY_PROCESS), "^nobody", M(OPERATION), 30,
     "no candidate process matching \"^nobody\""},
    {R(START_ANY_PROCESS), "^free:", M(OPERATION), 30, "no candidate process matching \"^free:\""},
    {R(RESTART_SEQUENCE), "", M(SYNCHRONIZATION), 101,
     "invalid Supvisors state=SYNCHRONIZATION - state expected in ['OPERATION']"},
};

static void every_check_has_its_fault_and_its_text(void **state)
{
    (void)state;
    for (size_t c = 0; c < SV_ARRAY_LENGTH(refusals); c++) {
        const struct refusal *want = &refusals[c];
        played_init(&played, RULES, PROGRAMS);
        runs(RIGHT, "free", "f");
        played.machine = want->state;
        uint64_t id = played_ask(&played, want->kind, want->name);
        const struct sv_cluster_answer *answer = last_answer();
        if (!answer || answer->id != id || answer->fault != want->fault ||
            strcmp(answer->text, want->text) != 0)
            fail_msg("case %zu: %d %s", c, answer ? answer->fault : -1,
                     answer ? answer->text : "no answer");
        assert_int_equal(played.command_count, 0);
        played_done(&played);
    }
}

static void an_answer_comes_when_what_was_asked_for_is_done(void **state)
{
    (void)state;
    played_init(&played, RULES, PROGRAMS);
    played_ask(&played, R(START_APPLICATION), "shop");
    played_ask(&played, R(START_PROCESS), "solo");
    played_expect(&played, "+db@left +solo@left");
    runs(LEFT, "solo", "solo");
    played_expect(&played, "?2=ok"); /* whatever shop does */
    runs(LEFT, "shop", "db");
    played_expect(&played, "+web@left");
    played_ask(&played, R(STOP_PROCESS), "solo");
    played_expect(&played, "-solo@left");
    runs(LEFT, "shop", "web");
    played_expect(&played, "?1=ok");
    sv_commander_request_gone(&played.cluster, 3);
    played_run(&played);
    played_expect(&played, "");
    played_ask(&played, R(START_APPLICATION), "shop");
    played_expect(&played, "?4=60");
    assert_string_equal(last_answer()->text, "shop");
    played_done(&played);
}

static void what_has_failed_is_said_at_the_end(void **state)
{
    (void)state;
    played_init(&played, RULES, PROGRAMS);
    played_ask(&played, R(START_APPLICATION), "broken");
    played_run(&played);
    played_expect(&played, "+bad1@left +bad2@left ?1=70");
    assert_string_equal(last_answer()->text, "broken");
    played_ask(&played, R(START_PROCESS), "broken:*");
    played_run(&played);
    played_expect(&played, "+bad1@left +bad2@left ?2=70");
    assert_string_equal(last_answer()->text, "processes=['broken:bad1', 'broken:bad2']");
    played_ask(&played, R(RESTART_APPLICATION), "broken");
    played_run(&played);
    played_expect(&played, "+bad1@left +bad2@left ?3=70");
    played_done(&played);
}

static void who_does_not_wait_is_answered_at_once(void **state)
{
    (void)state;
    static const enum sv_cluster_request_kind kinds[] = {R(START_APPLICATION), R(START_PROCESS)};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(kinds); i++) {
        played_init(&played, RULES, PROGRAMS);
        struct sv_cluster_request request = {
            .id = 1, .kind = kinds[i], .name = i ? "shop:db" : "shop"};
        sv_commander_request(&played.cluster, &request);
        played_expect(&played, "+db@left ?1=ok");
        runs(LEFT, "shop", "db");
        sv_str_clear(&played.trace);
        request.kind = i ? R(STOP_PROCESS) : R(STOP_APPLICATION);
        sv_commander_request(&played.cluster, &request);
        played_expect(&played, "-db@left ?1=ok");
        played_done(&played);
    }
}

static void an_abort_answers_those_who_wait(void **state)
{
    (void)state;
    played_init(&played, RULES, PROGRAMS);
    played_ask(&played, R(START_APPLICATION), "shop");
    sv_commander_abort(&played.cluster);
    played_expect(&played, "+db@left ?1=70");
    played_done(&played);
}

static void what_an_abort_leaves_half_done_is_not_told_as_done(void **state)
{
    (void)state;
    played_init(&played, RULES, PROGRAMS);
    runs(LEFT, "shop", "db");
    runs(RIGHT, "shop", "web");
    played_ask(&played, R(RESTART_APPLICATION), "shop");
    played_expect(&played, "-web@right");
    sv_commander_abort(&played.cluster); /* db runs on, and nobody starts anything any more */
    played_expect(&played, "?1=40");
    played_ask(&played, R(RESTART_PROCESS), "shop:db");
    played_expect(&played, "-db@left");
    sv_commander_abort(&played.cluster);
    played_expect(&played, "?2=40");
    played_done(&played);
}

static void any_process_is_the_first_that_has_a_place(void **state)
{
    (void)state;
    played_init(&played, RULES, PROGRAMS);
    runs(LEFT, "heavy", "h1");
    runs(RIGHT, "heavy", "h2");
    runs(FAR, "heavy", "h3");
    played_ask(&played, R(START_ANY_PROCESS), "^(free|heavy:h4|sh.*web)");
    played_run(&played);
    played_expect(&played, "+web@left ?1=ok");
    assert_string_equal(last_answer()->text, "shop:web");
    played_ask(&played, R(START_ANY_PROCESS), "h4");
    played_expect(&played, "?2=30");
    played_ask(&played, R(START_ANY_PROCESS), "*");
    played_expect(&played, "?3=2");
    played_done(&played);
}

static void the_start_sequence_is_not_begun_among_jobs(void **state)
{
    (void)state;
    played_init(&played, RULES, PROGRAMS);
    played.has_jobs_elsewhere = true;
    played_ask(&played, R(RESTART_SEQUENCE), "");
    played_expect(&played, "?1=101");
    assert_string_equal(last_answer()->text, "jobs in progress");
    played.has_jobs_elsewhere = false;
    played_ask(&played, R(RESTART_SEQUENCE), "");
    played_run(&played);
    played_expect(&played, "+a@left ?2=ok");
    played_ask(&played, R(RESTART_SEQUENCE), "");
    played_expect(&played, "?3=40");
    played_done(&played);
}

static void conciliate_says_whether_it_does_something(void **state)
{
    (void)state;
    played_init(&played, RULES, PROGRAMS);
    runs(LEFT, "shop", "db");
    runs(FAR, "shop", "db");
    played.machine = M(CONCILIATION);
    struct sv_cluster_request request = {.id = 1, .kind = R(CONCILIATE)};
    request.conciliation = SV_CONCILIATION_STRATEGY_USER;
    sv_commander_request(&played.cluster, &request);
    played_expect(&played, "?1=no");
    request.conciliation = SV_CONCILIATION_STRATEGY_STOP;
    sv_commander_request(&played.cluster, &request);
    played_expect(&played, "?1=ok -db@left -db@far");
    played_done(&played);
}

static void of_two_conflicts_one_may_be_ended(void **state)
{
    (void)state;
    played_init(&played, RULES, PROGRAMS);
    runs(LEFT, "shop", "db");
    runs(FAR, "shop", "db");
    runs(LEFT, "shop", "web");
    runs(RIGHT, "shop", "web");
    played.machine = M(CONCILIATION);
    struct sv_cluster_request request = {.id = 1, .kind = R(CONCILIATE), .name = "shop:web"};
    request.conciliation = SV_CONCILIATION_STRATEGY_USER;
    sv_commander_request(&played.cluster, &request);
    played_expect(&played, "?1=no");
    request.conciliation = SV_CONCILIATION_STRATEGY_STOP;
    sv_commander_request(&played.cluster, &request);
    played_expect(&played, "?1=ok -web@left -web@right");
    request.name = "shop:*";
    sv_commander_request(&played.cluster, &request);
    played_expect(&played, "?1=ok"); /* one after the other in an application */
    played_tell(&played, LEFT, "shop", "web", SV_PROCESS_STOPPED);
    played_tell(&played, RIGHT, "shop", "web", SV_PROCESS_STOPPED);
    played_expect(&played, "-db@left -db@far");
    played_done(&played);
}

/* "h1:left h2:right": a dash where it would not run. */
static void expect_prediction(const char *want)
{
    struct sv_str got = {0};
    const struct sv_cluster_answer *answer = last_answer();
    for (size_t i = 0; i < answer->prediction_count; i++) {
        const struct sv_prediction *prediction = &answer->predictions[i];
        sv_str_addf(&got, "%s%s:%s=%s%s%s", i ? " " : "", prediction->name,
                    prediction->instance == SV_INSTANCE_NONE
                        ? "-"
                        : played.names[prediction->instance].nick,
                    sv_process_state_name(prediction->state), *prediction->forced_reason ? "/" : "",
                    prediction->forced_reason);
    }
    assert_string_equal(sv_str_text(&got), want);
    sv_str_done(&got);
}

static void a_prediction_counts_what_it_has_started_itself(void **state)
{
    (void)state;
    played_init(&played, RULES, PROGRAMS);
    played_ask(&played, R(TEST_START_APPLICATION), "heavy");
    expect_prediction("h1:left=RUNNING h2:right=RUNNING h3:far=RUNNING "
                      "h4:-=FATAL/No resource available");
    /* Nothing of it is real. */
    assert_int_equal(played.command_count, 0);
    assert_int_equal(played_member(&played, "heavy", "h1")->state, SV_PROCESS_STOPPED);
    assert_false(played_member(&played, "heavy", "h4")->is_forced);
    assert_false(sv_commander_is_starting(&played.cluster));
    assert_int_equal(played.cluster.timer_count, 0);
    /* And it is what happens. */
    sv_str_clear(&played.trace);
    played_ask(&played, R(START_APPLICATION), "heavy");
    played_run(&played);
    played_expect(&played, "+h1@left +h2@right +h3@far !h4=FATAL ?2=ok");
    played_done(&played);
}

static void a_prediction_of_processes_sees_what_is_on_its_way(void **state)
{
    (void)state;
    played_init(&played,
                APP("heavy", "",
                    P("h1", LOAD(60)) P("h2", LOAD(60))
                        P("job", LOAD(60) "<wait_exit>true</wait_exit>")),
                "heavy:h1 heavy:h2 heavy:job");
    struct sv_cluster_request request = {.id = 1, .kind = R(START_PROCESS), .name = "heavy:h1"};
    sv_commander_request(&played.cluster, &request);
    played_expect(&played, "+h1@left ?1=ok");
    played_ask(&played, R(TEST_START_PROCESS), "heavy:h2");
    expect_prediction("h2:right=RUNNING");
    played_ask(&played, R(TEST_START_PROCESS), "heavy:job");
    expect_prediction("job:-=EXITED");
    played_done(&played);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_check_has_its_fault_and_its_text),
        cmocka_unit_test(an_answer_comes_when_what_was_asked_for_is_done),
        cmocka_unit_test(what_has_failed_is_said_at_the_end),
        cmocka_unit_test(who_does_not_wait_is_answered_at_once),
        cmocka_unit_test(an_abort_answers_those_who_wait),
        cmocka_unit_test(what_an_abort_leaves_half_done_is_not_told_as_done),
        cmocka_unit_test(any_process_is_the_first_that_has_a_place),
        cmocka_unit_test(the_start_sequence_is_not_begun_among_jobs),
        cmocka_unit_test(of_two_conflicts_one_may_be_ended),
        cmocka_unit_test(conciliate_says_whether_it_does_something),
        cmocka_unit_test(a_prediction_counts_what_it_has_started_itself),
        cmocka_unit_test(a_prediction_of_processes_sees_what_is_on_its_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
