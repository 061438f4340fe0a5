/* supvisors.enable, disable and update_numprocs over the real core, in a cluster that is only
 * pretended. */
#include "../../../tests/support/api_cluster.h"

struct pretended {
    struct api_cluster cluster;
    int write_result;
    int count_result;
    uint32_t count; /* what update_numprocs has asked for */
};

static bool cluster_knows_program(void *user, const char *program)
{
    const struct pretended *pretended = user;
    for (size_t i = 0; i < pretended->cluster.host->program_count; i++)
        if (strcmp(pretended->cluster.host->programs[i].program, program) == 0)
            return true;
    return false;
}

static int cluster_set_disabled(void *user, const char *program, bool is_disabled)
{
    struct pretended *pretended = user;
    if (pretended->write_result == 0)
        feed(pretended->cluster.host,
             (struct sv_event){.kind = SV_EVENT_DISABLE, .program = {program, is_disabled}});
    return pretended->write_result;
}

/* One process is enough: web:two is retired, and goes when the test says so. */
static int cluster_set_numprocs(void *user, const char *program, uint32_t count)
{
    struct pretended *pretended = user;
    assert_string_equal(program, "web");
    pretended->count = count;
    if (pretended->count_result == 0 && count == 1)
        feed(pretended->cluster.host,
             (struct sv_event){.kind = SV_EVENT_RETIRE,
                               .process = id_of(pretended->cluster.host, "web", "two"),
                               .is_retired = true});
    return pretended->count_result;
}

static void go(struct api_host *host, sv_process_id id, bool goes)
{
    feed(host, (struct sv_event){.kind = SV_EVENT_RETIRE, .process = id, .is_retired = goes});
    sv_api_process_changed(host->api, id);
}

/* The program web: web:one and web:two, and a third process in a group of its own. */
static void set_up(struct pretended *pretended)
{
    static const struct sv_instance_names names[] = {{.identifier = "here:60000", .nick = "here"}};
    *pretended = (struct pretended){
        .cluster = {.functions = {.knows_program = cluster_knows_program,
                                  .set_disabled = cluster_set_disabled,
                                  .set_numprocs = cluster_set_numprocs},
                    .names = names,
                    .instance_count = 1,
                    .state = SV_SUPVISORS_STATE_OPERATION},
    };
    cluster_begin(&pretended->cluster);
    struct api_host *host = pretended->cluster.host;
    add_program(host, "one", 0)->program = "web";
    add_program(host, "two", 0)->program = "web";
    add_group(host, "web", 2);
    add_program(host, "lone", 0)->program = "web";
    add_group(host, "lone", 1);
    add_program(host, "db", 0);
    add_group(host, "db", 1);
}

static void disable_stops_the_program_in_all_groups_and_keeps_it_from_starting(void **state)
{
    (void)state;
    struct pretended pretended;
    set_up(&pretended);
    struct api_host *host = pretended.cluster.host;
    expect_answer(host, "supervisor.startProcess", "[\"web:one\"]", "true");
    expect_answer(host, "supervisor.startProcess", "[\"lone\"]", "true");
    expect_answer(host, "supvisors.disable", "[\"web\"]", "true");
    assert_int_equal(host->last_signal, SIGTERM);
    expect_answer(host, "supervisor.startProcess", "[\"web:one\"]", "fault 103 DISABLED: web:one");
    expect_answer(host, "supervisor.startProcess", "[\"lone\"]", "fault 103 DISABLED: lone");
    expect_answer(host, "supervisor.startProcess", "[\"db\"]", "true");
    expect_answer(host, "supervisor.startProcessGroup", "[\"lone\"]",
                  "[{\"name\":\"lone\",\"group\":\"lone\",\"status\":103,"
                  "\"description\":\"DISABLED: lone\"}]");
    expect_answer(host, "supvisors.enable", "[\"web\", false]", "true");
    expect_answer(host, "supervisor.startProcess", "[\"web:one\"]", "true");
    host_free(host);
}

static void disable_waits_until_the_last_one_has_stopped_or_not(void **state)
{
    (void)state;
    struct pretended pretended;
    set_up(&pretended);
    struct api_host *host = pretended.cluster.host;
    host->ignores_signals = true;
    expect_answer(host, "supervisor.startProcess", "[\"web:one\"]", "true");
    expect_answer(host, "supervisor.startProcess", "[\"web:two\"]", "true");
    struct reply reply = {0};
    call(host, "supvisors.disable", "[\"web\"]", &reply);
    end_process(host, id_of(host, "web", "two"), 0);
    assert_int_equal(reply.count, 0);
    end_process(host, id_of(host, "web", "one"), 0);
    assert_int_equal(reply.count, 1);
    assert_string_equal(reply.text, "true");
    reply_done(&reply);

    expect_answer(host, "supvisors.enable", "[\"web\"]", "true");
    expect_answer(host, "supervisor.startProcess", "[\"web:one\"]", "true");
    expect_answer(host, "supvisors.disable", "[\"web\", false]", "true");
    end_process(host, id_of(host, "web", "one"), 0);
    host_free(host);
}

static void what_cannot_be_stopped_is_named(void **state)
{
    (void)state;
    struct pretended pretended;
    set_up(&pretended);
    struct api_host *host = pretended.cluster.host;
    host->signals_fail = true;
    expect_answer(host, "supervisor.startProcess", "[\"web:one\"]", "true");
    expect_answer(host, "supervisor.startProcess", "[\"lone\"]", "true");
    expect_answer(host, "supvisors.disable", "[\"web\"]",
                  "fault 91 STILL_RUNNING: processes=['web:one', 'lone']");
    host_free(host);
}

static void the_state_comes_first_then_the_name_then_the_file(void **state)
{
    (void)state;
    struct pretended pretended;
    set_up(&pretended);
    struct api_host *host = pretended.cluster.host;
    expect_answer(host, "supvisors.disable", "[\"none\"]",
                  "fault 10 BAD_NAME: program=none unknown to Supvisors");
    expect_answer(host, "supvisors.enable", "[\"web:one\"]",
                  "fault 10 BAD_NAME: program=web:one unknown to Supvisors");
    pretended.write_result = -EROFS;
    expect_answer(host, "supvisors.disable", "[\"web\"]",
                  "fault 30 FAILED: disabilities_file of program=web cannot be written, see the "
                  "log");
    expect_answer(host, "supervisor.startProcess", "[\"web:one\"]", "true");
    pretended.cluster.state = SV_SUPVISORS_STATE_ELECTION;
    expect_answer(host, "supvisors.enable", "[\"none\"]",
                  "fault 101 BAD_SUPVISORS_STATE: invalid Supvisors state=ELECTION - state "
                  "expected in ['OPERATION']");
    host_free(host);
}

static void update_numprocs_stops_those_in_excess_and_waits_until_they_are_gone(void **state)
{
    (void)state;
    struct pretended pretended;
    set_up(&pretended);
    struct api_host *host = pretended.cluster.host;
    expect_answer(host, "supervisor.startProcess", "[\"web:one\"]", "true");
    expect_answer(host, "supervisor.startProcess", "[\"web:two\"]", "true");
    sv_process_id two = id_of(host, "web", "two");
    struct reply reply = {0};
    expect_answer(host, "supvisors.update_numprocs", "[\"web\", 1, true, true]", "true");
    assert_int_equal(host->last_signal, 0); /* lazy: it runs on */
    call(host, "supvisors.update_numprocs", "[\"web\", 1]", &reply);
    assert_int_equal(host->last_signal, SIGTERM);
    assert_int_equal(reply.count, 0); /* it has stopped, and is still there */
    go(host, two, true);
    assert_int_equal(reply.count, 1);
    assert_string_equal(reply.text, "true");
    reply_done(&reply);
    host_free(host);
}

static void who_waits_for_one_that_stays_after_all_is_told(void **state)
{
    (void)state;
    struct pretended pretended;
    set_up(&pretended);
    struct api_host *host = pretended.cluster.host;
    host->ignores_signals = true;
    expect_answer(host, "supervisor.startProcess", "[\"web:two\"]", "true");
    struct reply reply = {0};
    call(host, "supvisors.update_numprocs", "[\"web\", 1]", &reply);
    go(host, id_of(host, "web", "two"), false);
    assert_int_equal(reply.count, 1);
    assert_string_equal(reply.text, "fault 30 FAILED: processes=['web:two']");
    reply_done(&reply);
    host_free(host);
}

static void a_number_of_processes_is_read_as_python_does(void **state)
{
    (void)state;
    static const struct {
        const char *params, *answer;
        uint32_t count;
    } rows[] = {
        {"[\"web\", 3]", "true", 3},
        {"[\"web\", \"4\"]", "true", 4},
        {"[\"web\", 2.7]", "true", 2},
        {"[\"web\", true]", "true", 1},
        {"[\"web\", 0]", "numprocs=0", 0},
        {"[\"web\", -2]", "numprocs=-2", 0},
        {"[\"web\", \"many\"]", "numprocs=many", 0},
        {"[\"web\", \"\"]", "numprocs=", 0},
        {"[\"web\", false]", "numprocs=False", 0},
    };
    struct pretended pretended;
    set_up(&pretended);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char fault[160];
        snprintf(fault, sizeof(fault),
                 "fault 2 INCORRECT_PARAMETERS: program=web incorrect %s - integer > 0 expected",
                 rows[i].answer);
        pretended.count = 0;
        expect_answer(pretended.cluster.host, "supvisors.update_numprocs", rows[i].params,
                      rows[i].count ? rows[i].answer : fault);
        assert_int_equal(pretended.count, rows[i].count);
    }
    expect_answer(pretended.cluster.host, "supvisors.update_numprocs", "[\"none\", 0]",
                  "fault 10 BAD_NAME: program=none unknown to Supvisors");
    pretended.count_result = SV_NUMPROCS_E_NOT_APPLICABLE;
    expect_answer(pretended.cluster.host, "supvisors.update_numprocs", "[\"web\", 5]",
                  "fault 104 NOT_APPLICABLE: numprocs not applicable to program=web");
    host_free(pretended.cluster.host);
}

static void the_state_comes_before_the_strategy(void **state)
{
    (void)state;
    struct pretended pretended;
    set_up(&pretended);
    struct api_host *host = pretended.cluster.host;
    expect_answer(host, "supvisors.start_application", "[77, \"web\"]",
                  "fault 2 INCORRECT_PARAMETERS: invalid <enum 'StartingStrategies'> value=77 - "
                  "integer expected in [0, 1, 2, 3, 4, 5]");
    expect_answer(host, "supvisors.conciliate", "[77]",
                  "fault 101 BAD_SUPVISORS_STATE: invalid Supvisors state=OPERATION - state "
                  "expected in ['CONCILIATION']");
    pretended.cluster.state = SV_SUPVISORS_STATE_CONCILIATION;
    expect_answer(host, "supvisors.start_process", "[77, \"web\"]",
                  "fault 101 BAD_SUPVISORS_STATE: invalid Supvisors state=CONCILIATION - state "
                  "expected in ['OPERATION']");
    expect_answer(host, "supvisors.conciliate", "[\"user\"]",
                  "fault 2 INCORRECT_PARAMETERS: invalid <enum 'ConciliationStrategies'> "
                  "value=user - string expected in ['SENICIDE', 'INFANTICIDE', 'USER', 'STOP', "
                  "'RESTART', 'RUNNING_FAILURE']");
    host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disable_stops_the_program_in_all_groups_and_keeps_it_from_starting),
        cmocka_unit_test(disable_waits_until_the_last_one_has_stopped_or_not),
        cmocka_unit_test(what_cannot_be_stopped_is_named),
        cmocka_unit_test(the_state_comes_first_then_the_name_then_the_file),
        cmocka_unit_test(update_numprocs_stops_those_in_excess_and_waits_until_they_are_gone),
        cmocka_unit_test(who_waits_for_one_that_stays_after_all_is_told),
        cmocka_unit_test(a_number_of_processes_is_read_as_python_does),
        cmocka_unit_test(the_state_comes_before_the_strategy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
