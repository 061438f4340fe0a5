/* Starting, stopping and signalling over the real core. Texts and orders were read off
 * supervisord 4.2.5. */
#include "../../tests/support/api_host.h"

#define OK(name, group)                                                                            \
    "{\"name\":\"" name "\",\"group\":\"" group "\",\"status\":80,\"description\":\"OK\"}"

static void start_answers_when_the_process_runs(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    add_program(host, "web", 1);
    add_group(host, "web", 1);
    struct reply reply = {0};
    assert_non_null(call(host, "supervisor.startProcess", "[\"web\"]", &reply));
    assert_int_equal(reply.count, 0);
    pass_seconds(host, 1);
    assert_int_equal(reply.count, 1);
    assert_string_equal(reply.text, "true");
    expect_answer(host, "supervisor.startProcess", "[\"web\"]", "fault 60 ALREADY_STARTED: web");
    reply_done(&reply);
    host_free(host);
}

static void start_answers_at_once_when_startsecs_is_0(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    add_program(host, "web", 0);
    add_group(host, "web", 1);
    expect_answer(host, "supervisor.startProcess", "[\"web\"]", "true");
    host_free(host);
}

static void start_without_wait_waits_for_the_spawn_alone(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    host->spawn_mode = SPAWN_LATER;
    add_program(host, "a", 5);
    add_program(host, "b", 5);
    add_group(host, "g", 2);
    struct reply good = {0}, bad = {0};
    call(host, "supervisor.startProcess", "[\"g:a\", false]", &good);
    call(host, "supervisor.startProcess", "[\"g:b\", 0]", &bad);
    assert_int_equal(good.count + bad.count, 0);
    answer_spawn(host, id_of(host, "g", "a"), true);
    answer_spawn(host, id_of(host, "g", "b"), false);
    assert_string_equal(good.text, "true");
    assert_string_equal(bad.text, "fault 50 SPAWN_ERROR: g:b");
    reply_done(&good);
    reply_done(&bad);
    host_free(host);
}

static void start_tells_a_spawn_that_fails_and_an_end_that_comes_too_quickly(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    add_program(host, "web", 1);
    add_group(host, "web", 1);
    host->spawn_mode = SPAWN_FAILS;
    expect_answer(host, "supervisor.startProcess", "[\"web\"]", "fault 50 SPAWN_ERROR: web");
    expect_answer(host, "supervisor.stopProcess", "[\"web\"]", "true"); /* from BACKOFF */
    host->spawn_mode = SPAWN_WORKS;
    struct reply reply = {0};
    call(host, "supervisor.startProcess", "[\"web\"]", &reply);
    end_process(host, id_of(host, "web", "web"), 1 << 8);
    assert_string_equal(reply.text, "fault 50 SPAWN_ERROR: web");
    reply_done(&reply);
    host_free(host);
}

static void start_that_is_stopped_meanwhile_is_an_abnormal_termination(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    add_program(host, "web", 1);
    add_group(host, "web", 1);
    struct reply reply = {0};
    call(host, "supervisor.startProcess", "[\"web\"]", &reply);
    expect_answer(host, "supervisor.stopProcess", "[\"web\"]", "true");
    assert_string_equal(reply.text, "fault 40 ABNORMAL_TERMINATION: web");
    call(host, "supervisor.startProcess", "[\"web\"]", &reply);
    expect_answer(host, "supervisor.shutdown", "[]", "true");
    assert_int_equal(reply.count, 2);
    assert_string_equal(reply.text, "fault 40 ABNORMAL_TERMINATION: web");
    reply_done(&reply);
    host_free(host);
}

static void start_looks_at_the_command_first(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    struct sv_program_config *open = add_program(host, "open", 1);
    open->argv = NULL;
    open->argv_error = "can't parse command '\"unbalanced': No closing quotation";
    add_group(host, "open", 1);
    add_program(host, "web", 0);
    add_group(host, "web", 1);
    expect_answer(
        host, "supervisor.startProcess", "[\"open\"]",
        "fault 21 NOT_EXECUTABLE: can't parse command '\"unbalanced': No closing quotation");
    expect_answer(host, "supervisor.startProcess", "[\"web\"]", "true");
    host->command_check = SV_CHECK_NO_FILE;
    expect_answer(host, "supervisor.startProcess", "[\"web\"]",
                  "fault 20 NO_FILE: can't find command '/nonexistent'");
    host->command_check = SV_CHECK_NOT_EXECUTABLE;
    expect_answer(host, "supervisor.startProcess", "[\"web\"]",
                  "fault 21 NOT_EXECUTABLE: command at '/etc/passwd' is not executable");
    host_free(host);
}

static void groups_answer_what_is_known_at_once_first(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    add_program(host, "slow", 1);
    add_program(host, "quick", 0);
    struct sv_program_config *broken = add_program(host, "broken", 1);
    broken->argv = NULL;
    add_group(host, "g", 3);
    add_program(host, "other", 0);
    add_group(host, "other", 1);
    struct reply reply = {0};
    call(host, "supervisor.startAllProcesses", "[]", &reply);
    assert_int_equal(reply.count, 0);
    pass_seconds(host, 1);
    assert_string_equal(
        reply.text,
        "[" OK("quick", "g") ",{\"name\":\"broken\",\"group\":\"g\",\"status\":21,"
                             "\"description\":\"NOT_EXECUTABLE: command is empty\"}," OK(
                                 "other", "other") "," OK("slow", "g") "]");
    broken->argv = cat_argv;
    expect_answer(host, "supervisor.startProcess", "[\"g:*\", false]", "[" OK("broken", "g") "]");
    expect_answer(host, "supervisor.startProcessGroup", "[\"g\"]", "[]");
    expect_answer(host, "supervisor.stopProcess", "[\"g:\"]",
                  "[" OK("slow", "g") "," OK("quick", "g") "," OK("broken", "g") "]");
    expect_answer(host, "supervisor.stopProcessGroup", "[\"g\"]", "[]");
    expect_answer(host, "supervisor.stopAllProcesses", "[]", "[" OK("other", "other") "]");
    reply_done(&reply);
    host_free(host);
}

static void those_who_wait_are_told_in_the_order_of_the_group(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    add_program(host, "b", 0);
    add_program(host, "a", 0);
    add_group(host, "g", 2);
    expect_answer(host, "supervisor.startAllProcesses", "[]",
                  "[" OK("b", "g") "," OK("a", "g") "]");
    host->ignores_signals = true;
    struct reply reply = {0};
    call(host, "supervisor.stopAllProcesses", "[]", &reply);
    end_process(host, id_of(host, "g", "a"), 0);
    assert_int_equal(reply.count, 0);
    end_process(host, id_of(host, "g", "b"), 0);
    assert_string_equal(reply.text, "[" OK("b", "g") "," OK("a", "g") "]");
    reply_done(&reply);
    host_free(host);
}

static void stop_answers_when_the_process_has_ended(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    add_program(host, "web", 0);
    add_group(host, "web", 1);
    expect_answer(host, "supervisor.stopProcess", "[\"web\"]", "fault 70 NOT_RUNNING: web");
    expect_answer(host, "supervisor.startProcess", "[\"web\"]", "true");
    host->ignores_signals = true;
    struct reply first = {0}, second = {0};
    call(host, "supervisor.stopProcess", "[\"web\"]", &first);
    assert_int_equal(host->last_signal, SIGTERM);
    call(host, "supervisor.startProcess", "[\"web\"]", &second);
    assert_string_equal(second.text, "fault 40 ABNORMAL_TERMINATION: web");
    assert_int_equal(first.count, 0);
    end_process(host, id_of(host, "web", "web"), SIGTERM);
    assert_string_equal(first.text, "true");
    expect_answer(host, "supervisor.startProcess", "[\"web\"]", "true");
    expect_answer(host, "supervisor.stopProcess", "[\"web\", false]", "true");
    reply_done(&first);
    reply_done(&second);
    host_free(host);
}

static void an_unknown_state_is_a_failure(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    add_program(host, "web", 0);
    add_group(host, "web", 1);
    expect_answer(host, "supervisor.startProcess", "[\"web\"]", "true");
    host->signals_fail = true;
    expect_answer(host, "supervisor.stopProcess", "[\"web\"]",
                  "fault 30 FAILED: unknown problem killing web (1001)");
    expect_answer(host, "supervisor.startProcess", "[\"web\"]",
                  "fault 30 FAILED: web is in an unknown process state");
    expect_answer(host, "supervisor.stopProcess", "[\"web\"]", "fault 70 NOT_RUNNING: web");
    host_free(host);
}

/* Another client starts the process again before the first one's stop is told. */
static void stop_is_about_one_run(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    add_program(host, "web", 0);
    add_group(host, "web", 1);
    sv_process_id id = id_of(host, "web", "web");
    expect_answer(host, "supervisor.startProcess", "[\"web\"]", "true");
    host->ignores_signals = true;
    struct reply reply = {0};
    call(host, "supervisor.stopProcess", "[\"web\"]", &reply);
    host->is_performing = true; /* what follows reaches the core, and no notice the api */
    end_process(host, id, 0);
    feed(host, (struct sv_event){.kind = SV_EVENT_START, .process = id});
    host->is_performing = false;
    host->actions.count = 0;
    sv_api_process_changed(host->api, id);
    assert_string_equal(reply.text, "true");
    reply_done(&reply);
    host_free(host);
}

static void waiting_calls_outlive_the_process_that_they_wait_for(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    add_program(host, "web", 0);
    add_group(host, "web", 1);
    sv_process_id id = id_of(host, "web", "web");
    expect_answer(host, "supervisor.startProcess", "[\"web\"]", "true");
    host->ignores_signals = true;
    struct reply reply = {0};
    call(host, "supervisor.stopProcessGroup", "[\"web\"]", &reply);
    /* The core is told, but the notice of it never reaches the api: only the removal does. */
    host->is_performing = true;
    end_process(host, id, 0);
    host->is_performing = false;
    host->actions.count = 0;
    assert_int_equal(reply.count, 0);
    expect_answer(host, "supervisor.removeProcessGroup", "[\"web\"]", "true");
    assert_string_equal(reply.text, "[" OK("web", "web") "]");
    expect_answer(host, "supervisor.getProcessInfo", "[\"web\"]", "fault 10 BAD_NAME: web");
    reply_done(&reply);
    host_free(host);
}

static void signals_are_names_or_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *signal;
        int number; /* -1: refused */
    } rows[] = {
        {"\"HUP\"", SIGHUP}, {"\"sigusr1\"", SIGUSR1}, {"\" SIGCONT \"", SIGCONT},
        {"\"15\"", SIGTERM}, {"9", SIGKILL},           {"true", 1},
        {"\"0\"", 0},        {"\"RTMIN\"", 34},        {"\"64\"", 64},
        {"\"40\"", -1},      {"\"foo\"", -1},          {"\"\"", -1},
        {"\"-1\"", -1},      {"\"15x\"", -1},          {"\"32\"", -1},
    };
    struct api_host *host = host_new();
    add_program(host, "a", 0);
    add_group(host, "g", 1);
    expect_answer(host, "supervisor.signalProcess", "[\"g:a\", \"HUP\"]",
                  "fault 70 NOT_RUNNING: g:a");
    expect_answer(host, "supervisor.startProcess", "[\"g:a\"]", "true");
    for (size_t i = 0; i < SV_ARRAY_LENGTH(rows); i++) {
        struct reply reply = {0};
        char params[64];
        snprintf(params, sizeof params, "[\"g:a\", %s]", rows[i].signal);
        host->last_signal = -1;
        call(host, "supervisor.signalProcess", params, &reply);
        assert_int_equal(host->last_signal, rows[i].number);
        if (rows[i].number < 0)
            assert_non_null(strstr(reply.text, "fault 11 BAD_SIGNAL: "));
        else
            assert_string_equal(reply.text, "true");
        reply_done(&reply);
    }
    host_free(host);
}

static void signals_go_to_one_to_a_group_and_to_all(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    add_program(host, "b", 0);
    add_program(host, "a", 0);
    add_group(host, "g", 2);
    expect_answer(host, "supervisor.startProcess", "[\"g:a\"]", "true");
    expect_answer(host, "supervisor.signalProcess", "[\"g:*\", \"HUP\"]", "[" OK("a", "g") "]");
    expect_answer(host, "supervisor.signalProcessGroup", "[\"g\", \"XX\"]",
                  "[{\"name\":\"a\",\"group\":\"g\",\"status\":11,"
                  "\"description\":\"BAD_SIGNAL: XX\"}]");
    expect_answer(host, "supervisor.signalAllProcesses", "[1]", "[" OK("a", "g") "]");
    expect_answer(host, "supervisor.signalProcessGroup", "[\"nope\", 1]",
                  "fault 10 BAD_NAME: nope");
    expect_answer(host, "supervisor.signalProcess", "[\"nope\", \"XX\"]",
                  "fault 10 BAD_NAME: nope");
    host->signal_result = -ESRCH;
    expect_answer(host, "supervisor.signalProcess", "[\"g:a\", 1]", "true");
    host->signal_result = -EPERM;
    expect_answer(host, "supervisor.signalProcess", "[\"g:a\", 1]",
                  "fault 30 FAILED: unknown problem sending sig g:a (1002): SIGHUP: "
                  "Operation not permitted");
    host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_answers_when_the_process_runs),
        cmocka_unit_test(start_answers_at_once_when_startsecs_is_0),
        cmocka_unit_test(start_without_wait_waits_for_the_spawn_alone),
        cmocka_unit_test(start_tells_a_spawn_that_fails_and_an_end_that_comes_too_quickly),
        cmocka_unit_test(start_that_is_stopped_meanwhile_is_an_abnormal_termination),
        cmocka_unit_test(start_looks_at_the_command_first),
        cmocka_unit_test(groups_answer_what_is_known_at_once_first),
        cmocka_unit_test(those_who_wait_are_told_in_the_order_of_the_group),
        cmocka_unit_test(stop_answers_when_the_process_has_ended),
        cmocka_unit_test(an_unknown_state_is_a_failure),
        cmocka_unit_test(stop_is_about_one_run),
        cmocka_unit_test(waiting_calls_outlive_the_process_that_they_wait_for),
        cmocka_unit_test(signals_are_names_or_numbers),
        cmocka_unit_test(signals_go_to_one_to_a_group_and_to_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
