/* The table of methods, the checks of arguments, and the life of calls. */
#include "../../tests/support/api_host.h"

#include <svisor/limits.h>

#include "api/call.h"

/* What supervisord 4.2.5 answers to system.listMethods and system.methodSignature. */
static const struct {
    const char *name;
    const char *signature;
} supervisor_methods[] = {
    {"supervisor.addProcessGroup", "boolean string"},
    {"supervisor.clearAllProcessLogs", "array"},
    {"supervisor.clearLog", "boolean"},
    {"supervisor.clearProcessLog", "boolean string"},
    {"supervisor.clearProcessLogs", "boolean string"},
    {"supervisor.getAPIVersion", "string"},
    {"supervisor.getAllConfigInfo", "array"},
    {"supervisor.getAllProcessInfo", "array"},
    {"supervisor.getIdentification", "string"},
    {"supervisor.getPID", "int"},
    {"supervisor.getProcessInfo", "struct string"},
    {"supervisor.getState", "struct"},
    {"supervisor.getSupervisorVersion", "string"},
    {"supervisor.getVersion", "string"},
    {"supervisor.readLog", "string int int"},
    {"supervisor.readMainLog", "string int int"},
    {"supervisor.readProcessLog", "string string int int"},
    {"supervisor.readProcessStderrLog", "string string int int"},
    {"supervisor.readProcessStdoutLog", "string string int int"},
    {"supervisor.reloadConfig", "array"},
    {"supervisor.removeProcessGroup", "boolean string"},
    {"supervisor.restart", "boolean"},
    {"supervisor.sendProcessStdin", "boolean string string"},
    {"supervisor.sendRemoteCommEvent", "boolean string string"},
    {"supervisor.shutdown", "boolean"},
    {"supervisor.signalAllProcesses", "array string"},
    {"supervisor.signalProcess", "boolean string string"},
    {"supervisor.signalProcessGroup", "array string string"},
    {"supervisor.startAllProcesses", "array boolean"},
    {"supervisor.startProcess", "boolean string boolean"},
    {"supervisor.startProcessGroup", "array string boolean"},
    {"supervisor.stopAllProcesses", "array boolean"},
    {"supervisor.stopProcess", "boolean string boolean"},
    {"supervisor.stopProcessGroup", "array string boolean"},
    {"supervisor.tailProcessLog", "array string int int"},
    {"supervisor.tailProcessStderrLog", "array string int int"},
    {"supervisor.tailProcessStdoutLog", "array string int int"},
    {"system.listMethods", "array"},
    {"system.methodHelp", "string string"},
    {"system.methodSignature", "array string"},
    {"system.multicall", "array array"},
};

static json_t *answer_of(struct api_host *host, const char *method, const char *params)
{
    struct reply reply = {0};
    assert_null(call(host, method, params, &reply));
    json_t *value = json_loads(reply.text, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    reply_done(&reply);
    return value;
}

static void names_and_signatures_are_supervisors_and_a_few_more(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    json_t *names = answer_of(host, "system.listMethods", "[]");
    size_t next = 0;
    size_t own = 0;
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (strncmp(name, "svisor.", 7) == 0) {
            own++;
            continue;
        }
        assert_string_equal(name, supervisor_methods[next].name);
        char params[128];
        snprintf(params, sizeof params, "[\"%s\"]", name);
        json_t *types = answer_of(host, "system.methodSignature", params);
        struct sv_str signature SV_CLEANUP(sv_str_done) = {0};
        for (size_t k = 0; k < json_array_size(types); k++)
            sv_str_addf(&signature, "%s%s", k ? " " : "",
                        json_string_value(json_array_get(types, k)));
        assert_string_equal(sv_str_text(&signature), supervisor_methods[next].signature);
        json_decref(types);
        next++;
    }
    assert_int_equal(next, SV_ARRAY_LENGTH(supervisor_methods));
    assert_true(own > 0);
    json_decref(names);
    host_free(host);
}

static void every_row_is_whole(void **state)
{
    (void)state;
    const char *name;
    const struct sv_method *method;
    for (size_t i = 0; (method = sv_method_at(i, &name)); i++) {
        assert_non_null(strchr(name, '.'));
        assert_true(*method->help && *method->result_doc && method->doc && method->handler);
        size_t count = sv_method_parameter_count(method);
        assert_true(count <= SV_METHOD_PARAMETERS_MAX);
        for (size_t k = 0; k < count; k++) {
            const struct sv_parameter *parameter = &method->parameters[k];
            assert_true(*parameter->doc);
            if (!parameter->fallback)
                continue;
            static const char *const fallbacks[SV_TYPE_COUNT] = {[SV_TYPE_BOOLEAN] = "true",
                                                                 [SV_TYPE_INT] = "0",
                                                                 [SV_TYPE_DOUBLE] = "0",
                                                                 [SV_TYPE_STRING] = ""};
            assert_non_null(fallbacks[parameter->type]);
            bool is_false =
                parameter->type == SV_TYPE_BOOLEAN && strcmp(parameter->fallback, "false") == 0;
            if (!is_false)
                assert_string_equal(parameter->fallback, fallbacks[parameter->type]);
        }
        struct sv_str help SV_CLEANUP(sv_str_done) = {0};
        sv_method_help(method, &help);
        assert_non_null(strstr(sv_str_text(&help), "@return "));
    }
}

static void help_reads_like_epydoc(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    expect_answer(host, "system.methodHelp", "[\"supervisor.stopProcess\"]",
                  "\"Stop a process.\\n\\n"
                  "With wait the answer comes when the process has ended.\\n\\n"
                  "@param string name name, group:name or group:*\\n"
                  "@param boolean wait wait until it has ended (default: true)\\n"
                  "@return boolean result true; for group:* what stopProcessGroup returns\\n\"");
    host_free(host);
}

static void wrong_calls_are_told_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *method, *params, *wanted;
    } rows[] = {
        {"nope", "[]", "fault 1 UNKNOWN_METHOD"},
        {"a.b.c", "[]", "fault 1 UNKNOWN_METHOD"},
        {"supervisor._update", "[\"x\"]", "fault 1 UNKNOWN_METHOD"},
        {"supervisor.getState", "[1]", "fault 2 INCORRECT_PARAMETERS"},
        {"supervisor.startProcess", "[]", "fault 2 INCORRECT_PARAMETERS"},
        {"supervisor.startProcess", "[\"x\", true, 1]", "fault 2 INCORRECT_PARAMETERS"},
        {"supervisor.readLog", "[0]", "fault 2 INCORRECT_PARAMETERS"},
        {"supervisor.getState", "{}", "fault 2 INCORRECT_PARAMETERS"},
        {"supervisor.startProcess", "[5]",
         "fault 2 INCORRECT_PARAMETERS: name must be a string without NUL"},
        {"supervisor.startProcess", "[null]",
         "fault 2 INCORRECT_PARAMETERS: name must be a string without NUL"},
        {"supervisor.startProcess", "[\"a\\u0000b\"]",
         "fault 2 INCORRECT_PARAMETERS: name must be a string without NUL"},
        {"supervisor.readLog", "[\"x\", 1]",
         "fault 2 INCORRECT_PARAMETERS: offset must be an integer"},
        {"supervisor.readLog", "[0, null]",
         "fault 2 INCORRECT_PARAMETERS: length must be an integer"},
        {"supervisor.readLog", "[1e300, 1]",
         "fault 2 INCORRECT_PARAMETERS: offset must be an integer"},
        {"supervisor.signalAllProcesses", "[[]]",
         "fault 2 INCORRECT_PARAMETERS: signal must be the name or the number of a signal"},
        {"system.multicall", "[{}]", "fault 2 INCORRECT_PARAMETERS: calls must be an array"},
        {"system.methodHelp", "[\"nope\"]", "fault 4 SIGNATURE_UNSUPPORTED"},
        {"system.methodSignature", "[\"nope\"]", "fault 4 SIGNATURE_UNSUPPORTED"},
        {"supervisor.startProcess", "[\"nope\"]", "fault 10 BAD_NAME: nope"},
        {"supervisor.startProcess", "[\"g:nope\"]", "fault 10 BAD_NAME: g:nope"},
        {"supervisor.startProcess", "[\"\"]", "fault 10 BAD_NAME: "},
        {"supervisor.startProcess", "[\"a\"]", "fault 10 BAD_NAME: a"},
        {"supervisor.getProcessInfo", "[\"g:*\"]", "fault 10 BAD_NAME: g:*"},
        {"supervisor.startProcessGroup", "[\"nope\"]", "fault 10 BAD_NAME: nope"},
        {"supervisor.stopProcessGroup", "[\"nope\"]", "fault 10 BAD_NAME: nope"},
    };
    struct api_host *host = host_new();
    add_program(host, "a", 0);
    add_group(host, "g", 1);
    for (size_t i = 0; i < SV_ARRAY_LENGTH(rows); i++)
        expect_answer(host, rows[i].method, rows[i].params, rows[i].wanted);
    host_free(host);
}

static void numbers_and_truth_are_read_as_python_does(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    expect_answer(host, "supervisor.readLog", "[\" 1 \", \"-4\"]", "\"1+-4\"");
    expect_answer(host, "supervisor.readLog", "[1.9, true]", "\"1+1\"");
    expect_answer(host, "supervisor.startAllProcesses", "[\"\"]", "[]");
    expect_answer(host, "supervisor.startAllProcesses", "[null]", "[]");
    host_free(host);
}

static void a_stopping_daemon_answers_little(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    add_program(host, "web", 0);
    add_group(host, "web", 1);
    expect_answer(host, "supervisor.startProcess", "[\"web\"]", "true");
    host->ignores_signals = true;
    expect_answer(host, "supervisor.restart", "[]", "true");
    expect_answer(host, "supervisor.getState", "[]", "fault 6 SHUTDOWN_STATE");
    expect_answer(host, "supervisor.getState", "[1]", "fault 2 INCORRECT_PARAMETERS");
    expect_answer(host, "supervisor.stopProcess", "[\"nope\"]", "fault 6 SHUTDOWN_STATE");
    expect_answer(host, "supervisor.sendRemoteCommEvent", "[\"t\", \"d\"]", "true");
    expect_answer(host, "system.multicall", "[[{\"methodName\":\"supervisor.getPID\"}]]",
                  "[{\"faultCode\":6,\"faultString\":\"SHUTDOWN_STATE\"}]");
    host_free(host);
}

static void multicall_answers_in_order_and_bare(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    expect_answer(
        host, "system.multicall",
        "[[{\"methodName\":\"supervisor.getPID\",\"params\":[]},"
        "{\"methodName\":\"supervisor.getProcessInfo\",\"params\":[\"nope\"]},"
        "{\"methodName\":\"system.multicall\",\"params\":[]},{\"params\":[]},"
        "{\"methodName\":null},{\"methodName\":\"nope\"},"
        "{\"methodName\":\"supervisor.getState\"},"
        "{\"methodName\":\"supervisor.getState\",\"params\":\"x\"},"
        "{\"methodName\":\"supervisor.getState\",\"params\":null},{\"methodName\":5},5]]",
        "[4711,{\"faultCode\":10,\"faultString\":\"BAD_NAME: nope\"},"
        "{\"faultCode\":2,\"faultString\":\"INCORRECT_PARAMETERS: "
        "Recursive system.multicall forbidden\"},"
        "{\"faultCode\":2,\"faultString\":\"INCORRECT_PARAMETERS: No methodName\"},"
        "{\"faultCode\":2,\"faultString\":\"INCORRECT_PARAMETERS: No methodName\"},"
        "{\"faultCode\":1,\"faultString\":\"UNKNOWN_METHOD\"},"
        "{\"statecode\":1,\"statename\":\"RUNNING\"},"
        "{\"faultCode\":2,\"faultString\":\"INCORRECT_PARAMETERS\"},"
        "{\"faultCode\":2,\"faultString\":\"INCORRECT_PARAMETERS\"},"
        "{\"faultCode\":2,\"faultString\":\"INCORRECT_PARAMETERS: methodName must be a string\"},"
        "{\"faultCode\":2,\"faultString\":\"INCORRECT_PARAMETERS: a call must be a struct\"}]");
    expect_answer(host, "system.multicall", "[[]]", "[]");
    host_free(host);
}

static const char restart_web[] =
    "[[{\"methodName\":\"supervisor.stopProcess\",\"params\":[\"web\"]},"
    "{\"methodName\":\"supervisor.startProcess\",\"params\":[\"web\"]},"
    "{\"methodName\":\"supervisor.getPID\",\"params\":[]}]]";

static struct api_host *host_with_web(void)
{
    struct api_host *host = host_new();
    add_program(host, "web", 0);
    add_group(host, "web", 1);
    expect_answer(host, "supervisor.startProcess", "[\"web\"]", "true");
    host->programs[0].startsecs = 1;
    host->ignores_signals = true;
    return host;
}

static void multicall_waits_for_one_call_before_the_next(void **state)
{
    (void)state;
    struct api_host *host = host_with_web();
    struct reply reply = {0};
    assert_non_null(call(host, "system.multicall", restart_web, &reply));
    assert_int_equal(reply.count, 0);
    end_process(host, id_of(host, "web", "web"), SIGTERM);
    assert_int_equal(reply.count, 0);
    pass_seconds(host, 1);
    assert_string_equal(reply.text, "[true,true,4711]");
    assert_int_equal(reply.count, 1);
    reply_done(&reply);
    host_free(host);
}

static void multicall_is_bounded(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    json_t *calls = json_array();
    for (size_t i = 0; i <= SV_MULTICALL_MAX; i++)
        json_array_append_new(calls, json_pack("{s:s}", "methodName", "supervisor.getPID"));
    json_t *params = json_pack("[O]", calls);
    struct reply reply = {0};
    assert_null(sv_api_call(host->api, "system.multicall", params, keep_reply, &reply));
    assert_string_equal(reply.text, "fault 2 INCORRECT_PARAMETERS: 10001 calls are more than the "
                                    "10000 that are allowed at once");
    json_array_remove(calls, 0);
    assert_null(sv_api_call(host->api, "system.multicall", params, keep_reply, &reply));
    assert_string_not_equal(reply.text, "");
    assert_int_equal(reply.text[0], '[');
    json_decref(calls);
    json_decref(params);
    reply_done(&reply);
    host_free(host);
}

static void a_cancelled_call_is_never_answered(void **state)
{
    (void)state;
    struct api_host *host = host_with_web();
    struct reply reply = {0};
    sv_api_call_cancel(call(host, "supervisor.stopProcess", "[\"web\"]", &reply));
    end_process(host, id_of(host, "web", "web"), SIGTERM);
    assert_int_equal(reply.count, 0);
    sv_api_call_cancel(call(host, "supervisor.startAllProcesses", "[]", &reply));
    pass_seconds(host, 1);
    assert_int_equal(reply.count, 0);
    sv_api_call_cancel(call(host, "system.multicall", restart_web, &reply));
    end_process(host, id_of(host, "web", "web"), SIGTERM);
    assert_int_equal(reply.count, 0);
    host_free(host);
}

/* A host that loses the client of a multicall while a call inside it runs. */
static struct sv_api_call *lost_call;

static enum sv_command_check lose_client(void *user, sv_process_id id, struct sv_str *ret_text)
{
    sv_api_call_cancel(lost_call);
    return host_check_command(user, id, ret_text);
}

static void a_multicall_may_be_cancelled_while_it_runs(void **state)
{
    (void)state;
    struct api_host *host = host_with_web();
    host->host.check_command = lose_client;
    struct reply reply = {0};
    lost_call = call(host, "system.multicall", restart_web, &reply);
    end_process(host, id_of(host, "web", "web"), SIGTERM);
    pass_seconds(host, 1);
    assert_int_equal(reply.count, 0);
    assert_int_equal(host->api->waiting_count, 0);
    assert_int_equal(host->api->member_count, 0);
    host_free(host);
}

static void calls_that_wait_are_dropped_with_the_api(void **state)
{
    (void)state;
    struct api_host *host = host_with_web();
    add_program(host, "other", 1);
    add_group(host, "other", 1);
    struct reply reply = {0};
    assert_non_null(call(host, "supervisor.stopAllProcesses", "[]", &reply));
    assert_non_null(call(host, "system.multicall",
                         "[[{\"methodName\":\"supervisor.startProcess\",\"params\":[\"other\"]}]]",
                         &reply));
    host_free(host);
    assert_int_equal(reply.count, 0);
}

/* An answered call that cancels another one and makes a third. */
struct meddler {
    struct api_host *host;
    struct sv_api_call *victim;
    struct reply own, next;
};

static void meddle(void *user, const struct sv_api_answer *answer)
{
    struct meddler *meddler = user;
    keep_reply(&meddler->own, answer);
    sv_api_call_cancel(meddler->victim);
    assert_non_null(call(meddler->host, "supervisor.startProcess", "[\"web\"]", &meddler->next));
}

static void an_answer_may_cancel_and_call(void **state)
{
    (void)state;
    struct api_host *host = host_with_web();
    add_program(host, "other", 0);
    add_group(host, "other", 1);
    expect_answer(host, "supervisor.startProcess", "[\"other\"]", "true");
    struct meddler meddler = {.host = host};
    struct reply victim = {0};
    json_t *params = json_pack("[s]", "web");
    sv_api_call(host->api, "supervisor.stopProcess", params, meddle, &meddler);
    json_decref(params);
    meddler.victim = call(host, "supervisor.stopProcess", "[\"other\"]", &victim);
    /* One look settles both calls, so that the second one is cancelled while it is due. */
    host->is_performing = true;
    end_process(host, id_of(host, "web", "web"), SIGTERM);
    end_process(host, id_of(host, "other", "other"), SIGTERM);
    host->is_performing = false;
    host->actions.count = 0;
    sv_api_process_changed(host->api, 0);
    assert_string_equal(meddler.own.text, "true");
    assert_int_equal(victim.count, 0);
    pass_seconds(host, 1);
    assert_string_equal(meddler.next.text, "true");
    reply_done(&meddler.own);
    reply_done(&meddler.next);
    host_free(host);
}

/* The answer to one call stops a process for which a second call waits. */
static struct api_host *busy_host;
static bool is_busy;

static void stop_other(void *user, const struct sv_api_answer *answer)
{
    (void)user;
    (void)answer;
    /* Nothing is left of this call, but of the other one. */
    assert_int_equal(busy_host->api->member_count, 1);
    is_busy = true;
    expect_answer(busy_host, "supervisor.stopProcess", "[\"other\", false]", "true");
    sv_api_process_changed(busy_host->api, 0);
    is_busy = false;
}

static void note_nesting(void *user, const struct sv_api_answer *answer)
{
    assert_int_equal(answer->fault_code, SV_FAULT_ABNORMAL_TERMINATION);
    *(int *)user = is_busy ? -1 : 1;
}

static void answers_do_not_nest(void **state)
{
    (void)state;
    struct api_host *host = busy_host = host_with_web();
    add_program(host, "other", 5);
    add_group(host, "other", 1);
    host->ignores_signals = false;
    int nesting = 0;
    json_t *other = json_pack("[s]", "other");
    assert_non_null(
        sv_api_call(host->api, "supervisor.startProcess", other, note_nesting, &nesting));
    expect_answer(host, "supervisor.stopProcess", "[\"web\"]", "true");
    json_t *web = json_pack("[s]", "web");
    assert_non_null(sv_api_call(host->api, "supervisor.startProcess", web, stop_other, NULL));
    pass_seconds(host, 1);
    assert_int_equal(nesting, 1);
    json_decref(web);
    json_decref(other);
    host_free(host);
}

static void calls_that_wait_are_bounded(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    add_program(host, "web", 1);
    add_group(host, "web", 1);
    size_t *counts[] = {&host->api->waiting_count, &host->api->member_count};
    const size_t limits[] = {SV_CALLS_WAITING_MAX, SV_CALL_MEMBERS_MAX};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(limits); i++) {
        *counts[i] = limits[i];
        expect_answer(host, "supervisor.startAllProcesses", "[]",
                      "fault 30 FAILED: too many calls wait already, try again later");
        expect_answer(host, "supervisor.getPID", "[]", "4711");
        *counts[i] = 0;
    }
    host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_signatures_are_supervisors_and_a_few_more),
        cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(help_reads_like_epydoc),
        cmocka_unit_test(wrong_calls_are_told_what_is_wrong),
        cmocka_unit_test(numbers_and_truth_are_read_as_python_does),
        cmocka_unit_test(a_stopping_daemon_answers_little),
        cmocka_unit_test(multicall_answers_in_order_and_bare),
        cmocka_unit_test(multicall_waits_for_one_call_before_the_next),
        cmocka_unit_test(multicall_is_bounded),
        cmocka_unit_test(a_cancelled_call_is_never_answered),
        cmocka_unit_test(a_multicall_may_be_cancelled_while_it_runs),
        cmocka_unit_test(calls_that_wait_are_dropped_with_the_api),
        cmocka_unit_test(an_answer_may_cancel_and_call),
        cmocka_unit_test(answers_do_not_nest),
        cmocka_unit_test(calls_that_wait_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
