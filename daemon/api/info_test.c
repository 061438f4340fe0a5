/* What the methods show of processes, logs, groups and the daemon, key by key. */
#include "../../tests/support/api_host.h"

#include <time.h>

static void the_daemon_introduces_itself(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    expect_answer(host, "supervisor.getAPIVersion", "[]", "\"3.0\"");
    expect_answer(host, "supervisor.getVersion", "[]", "\"3.0\"");
    expect_answer(host, "supervisor.getSupervisorVersion", "[]", "\"4.2.5\"");
    expect_answer(host, "supervisor.getIdentification", "[]", "\"probe\"");
    expect_answer(host, "supervisor.getState", "[]", "{\"statecode\":1,\"statename\":\"RUNNING\"}");
    expect_answer(host, "supervisor.getPID", "[]", "4711");
    expect_answer(host, "svisor.getVersion", "[]", "\"" SV_VERSION "\"");
    expect_answer(host, "svisor.getKernelReport", "[]", "{\"cgroup\":true}");
    host_free(host);
}

static void a_reexec_is_answered_when_the_file_was_tried(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    struct reply first = {0}, second = {0};
    assert_non_null(call(host, "svisor.reexec", "[]", &first));
    expect_answer(host, "svisor.reexec", "[]",
                  "fault 30 FAILED: another call has asked for it already");
    sv_api_reexec_tried(host->api, "9.8.7", NULL);
    assert_string_equal(first.text, "{\"version\":\"" SV_VERSION "\",\"new_version\":\"9.8.7\"}");
    assert_non_null(call(host, "svisor.reexec", "[]", &second));
    sv_api_reexec_tried(host->api, NULL, "it cannot run");
    assert_string_equal(second.text, "fault 30 FAILED: it cannot run");
    assert_int_equal(host->reexec_count, 2);
    host->reexec_problem = "no";
    expect_answer(host, "svisor.reexec", "[]", "fault 30 FAILED: no");
    reply_done(&first);
    reply_done(&second);
    host_free(host);
}

static void a_reexec_goes_on_when_its_caller_has_gone(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    struct reply reply = {0};
    sv_api_call_cancel(call(host, "svisor.reexec", "[]", &reply));
    expect_answer(host, "svisor.reexec", "[]",
                  "fault 30 FAILED: another call has asked for it already");
    sv_api_reexec_tried(host->api, "9.8.7", NULL);
    assert_int_equal(reply.count, 0);
    host_free(host);
}

#define WEB_INFO(start, stop, now, state, name, error, status, pid, description)                   \
    "{\"name\":\"web\",\"group\":\"web\",\"start\":" start ",\"stop\":" stop ",\"now\":" now       \
    ",\"state\":" state ",\"statename\":\"" name "\",\"spawnerr\":\"" error                        \
    "\",\"exitstatus\":" status ",\"logfile\":\"/var/log/x.out\","                                 \
    "\"stdout_logfile\":\"/var/log/x.out\",\"stderr_logfile\":\"\",\"pid\":" pid                   \
    ",\"description\":\"" description "\"}"

static void process_info_follows_the_life_of_a_process(void **state)
{
    (void)state;
    setenv("TZ", "UTC0", 1);
    tzset();
    struct api_host *host = host_new();
    add_program(host, "web", 1);
    add_group(host, "web", 1);
    sv_process_id id = id_of(host, "web", "web");
    struct reply reply = {0};
    expect_answer(host, "supervisor.getProcessInfo", "[\"web\"]",
                  WEB_INFO("0", "0", "1795361453", "0", "STOPPED", "", "0", "0", "Not started"));
    call(host, "supervisor.startProcess", "[\"web\"]", &reply);
    expect_answer(host, "supervisor.getProcessInfo", "[\"web\"]",
                  WEB_INFO("1795361453", "0", "1795361453", "10", "STARTING", "", "0", "1001", ""));
    pass_seconds(host, 93784);
    expect_answer(host, "supervisor.getProcessInfo", "[\"web:web\"]",
                  WEB_INFO("1795361453", "0", "1795455237", "20", "RUNNING", "", "0", "1001",
                           "pid 1001, uptime 1 day, 2:03:04"));
    end_process(host, id, 0);
    expect_answer(host, "supervisor.getProcessInfo", "[\"web\"]",
                  WEB_INFO("1795361453", "1795455237", "1795455237", "100", "EXITED", "", "0", "0",
                           "Nov 23 05:33 PM"));
    call(host, "supervisor.startProcess", "[\"web\"]", &reply);
    end_process(host, id, 3 << 8);
    expect_answer(host, "supervisor.getProcessInfo", "[\"web\"]",
                  WEB_INFO("1795455237", "1795455237", "1795455237", "30", "BACKOFF",
                           "Exited too quickly (process log may have details)", "0", "0",
                           "Exited too quickly (process log may have details)"));
    pass_seconds(host, 1);
    pass_seconds(host, 1);
    expect_answer(host, "supervisor.stopProcess", "[\"web\"]", "true");
    expect_answer(host, "supervisor.getProcessInfo", "[\"web\"]",
                  WEB_INFO("1795455238", "1795455239", "1795455239", "0", "STOPPED", "", "-1", "0",
                           "Nov 23 05:33 PM"));
    reply_done(&reply);
    host_free(host);
}

static void process_info_survives_a_clock_that_is_set(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    add_program(host, "web", 0);
    add_group(host, "web", 1);
    expect_answer(host, "supervisor.startProcess", "[\"web\"]", "true");
    host->wall_shift_ns = -100 * (int64_t)SECOND_NS;
    expect_answer(host, "supervisor.getProcessInfo", "[\"web\"]",
                  WEB_INFO("1795361453", "0", "1795361353", "20", "RUNNING", "", "0", "1001",
                           "pid 1001, uptime 0:00:00"));
    host->wall_shift_ns = INT64_C(2000000000) * (int64_t)SECOND_NS; /* beyond 2038: capped */
    expect_answer(host, "supervisor.getProcessInfo", "[\"web\"]",
                  WEB_INFO("1795361453", "0", "2147483647", "20", "RUNNING", "", "0", "1001",
                           "pid 1001, uptime 4075 days, 11:43:14"));
    host_free(host);
}

static void all_processes_come_by_group_and_name(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    add_program(host, "z", 1);
    add_group(host, "z", 1);
    add_program(host, "d", 1);
    add_program(host, "c", 1);
    add_group(host, "B", 2);
    add_program(host, "a", 1);
    add_group(host, "a", 1);
    struct reply reply = {0};
    call(host, "supervisor.getAllProcessInfo", "[]", &reply);
    json_t *list = json_loads(reply.text, 0, NULL);
    static const char *const names[] = {"c", "d", "a", "z"};
    assert_int_equal(json_array_size(list), SV_ARRAY_LENGTH(names));
    for (size_t i = 0; i < SV_ARRAY_LENGTH(names); i++)
        assert_string_equal(json_string_value(json_object_get(json_array_get(list, i), "name")),
                            names[i]);
    json_decref(list);
    reply_done(&reply);
    host_free(host);
}

static void config_info_has_supervisors_keys(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    struct sv_program_config *program = add_program(host, "web", 1);
    program->startretries = SV_RETRIES_ENDLESS;
    add_group(host, "web", 1);
    static const char tail[] =
        ",\"killasgroup\":false,\"name\":\"web\",\"process_prio\":999,\"redirect_stderr\":false,"
        "\"startretries\":2147483647,\"startsecs\":1,\"stdout_capture_maxbytes\":0,"
        "\"stdout_events_enabled\":false,\"stdout_logfile\":\"%s\",\"stdout_logfile_backups\":10,"
        "\"stdout_logfile_maxbytes\":52428800,\"stdout_syslog\":false,\"stopsignal\":15,"
        "\"stopwaitsecs\":10,\"stderr_capture_maxbytes\":0,\"stderr_events_enabled\":false,"
        "\"stderr_logfile\":\"none\",\"stderr_logfile_backups\":10,"
        "\"stderr_logfile_maxbytes\":52428800,\"stderr_syslog\":false,\"serverurl\":\"none\"}]";
    static const char head[] =
        "[{\"autostart\":false,\"directory\":\"none\",\"uid\":\"none\",\"command\":\"/bin/cat\","
        "\"exitcodes\":[0],\"group\":\"web\",\"group_prio\":999,\"inuse\":";
    struct sv_str wanted = {0};
    sv_str_addf(&wanted, "%strue", head);
    sv_str_addf(&wanted, tail, "/var/log/x.out");
    expect_answer(host, "supervisor.getAllConfigInfo", "[]", sv_str_text(&wanted));
    /* In use, but in the form that was read before: AUTO has no name in the new one. */
    struct sv_group_config again = host->groups[0];
    host->group_list[0] = &again;
    sv_str_clear(&wanted);
    sv_str_addf(&wanted, "%strue", head);
    sv_str_addf(&wanted, tail, "auto");
    expect_answer(host, "supervisor.getAllConfigInfo", "[]", sv_str_text(&wanted));
    expect_answer(host, "supervisor.removeProcessGroup", "[\"web\"]", "true");
    sv_str_clear(&wanted);
    sv_str_addf(&wanted, "%sfalse", head);
    sv_str_addf(&wanted, tail, "auto");
    expect_answer(host, "supervisor.getAllConfigInfo", "[]", sv_str_text(&wanted));
    sv_str_done(&wanted);
    host_free(host);
}

static void logs_are_read_and_cleared(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    add_program(host, "web", 1);
    add_group(host, "web", 1);
    expect_answer(host, "supervisor.readLog", "[3, 4]", "\"3+4\"");
    expect_answer(host, "supervisor.clearLog", "[]", "true");
    expect_answer(host, "supervisor.readProcessLog", "[\"web\", 3, 4]", "\"3+4\"");
    expect_answer(host, "supervisor.readProcessStderrLog", "[\"web\", 3, 4]", "fault 20 NO_FILE");
    expect_answer(host, "supervisor.tailProcessLog", "[\"web\", 3, 4]", "[\"3+4\",7,true]");
    expect_answer(host, "supervisor.tailProcessStderrLog", "[\"web\", 3, 4]", "[\"\",0,false]");
    expect_answer(host, "supervisor.tailProcessLog", "[\"nope\", 3, 4]", "fault 10 BAD_NAME: nope");
    expect_answer(host, "supervisor.clearProcessLogs", "[\"web\"]", "true");
    expect_answer(host, "supervisor.clearProcessLog", "[\"web:*\"]", "fault 10 BAD_NAME: web:*");
    expect_answer(host, "svisor.followLog", "[\"web\", \"stdout\"]",
                  "{\"base64\":\"KzY1NTM2\",\"cursor\":\"1-2-3\",\"behind\":5,\"is_gap\":true}");
    expect_answer(host, "svisor.followLog", "[\"\", \"stdout\", \"c\", 7]",
                  "{\"base64\":\"Yys3\",\"cursor\":\"1-2-3\",\"behind\":5,\"is_gap\":true}");
    expect_answer(host, "svisor.followLog", "[\"web\", \"stderr\"]",
                  "fault 20 NO_FILE: stderr_logfile is NONE");
    expect_answer(host, "svisor.followLog", "[\"web\", \"in\"]",
                  "fault 3 BAD_ARGUMENTS: channel is stdout or stderr");
    host->read_outcome = SV_LOG_BAD_ARGUMENTS;
    expect_answer(host, "supervisor.readLog", "[-5, 3]", "fault 3 BAD_ARGUMENTS");
    host->read_outcome = SV_LOG_FAILED;
    expect_answer(host, "supervisor.readLog", "[0, 0]", "fault 30 FAILED");
    expect_answer(host, "supervisor.clearLog", "[]", "fault 30 FAILED");
    expect_answer(host, "supervisor.tailProcessLog", "[\"web\", 3, 4]", "[\"\",3,false]");
    host->read_outcome = SV_LOG_NO_FILE;
    expect_answer(host, "supervisor.readLog", "[0, 0]", "fault 20 NO_FILE: /var/log/svisord.log");
    expect_answer(host, "supervisor.clearLog", "[]", "fault 20 NO_FILE");
    host->write_result = -EIO;
    expect_answer(host, "supervisor.clearProcessLogs", "[\"web\"]", "fault 30 FAILED: web");
    expect_answer(host, "supervisor.clearAllProcessLogs", "[]",
                  "[{\"name\":\"web\",\"group\":\"web\",\"status\":30,"
                  "\"description\":\"FAILED: web\"}]");
    host_free(host);
}

static void groups_are_compared_added_and_removed(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    add_program(host, "web", 0);
    add_group(host, "web", 1);
    add_program(host, "new", 0);
    add_group(host, "new", 1);
    expect_answer(host, "supervisor.reloadConfig", "[]", "[[[],[\"new\"],[]]]");
    expect_answer(host, "supervisor.removeProcessGroup", "[\"web\"]", "true");
    expect_answer(host, "supervisor.reloadConfig", "[]", "[[[\"web\"],[\"new\"],[]]]");
    expect_answer(host, "supervisor.addProcessGroup", "[\"web\"]", "true");
    expect_answer(host, "supervisor.addProcessGroup", "[\"web\"]", "fault 90 ALREADY_ADDED: web");
    expect_answer(host, "supervisor.addProcessGroup", "[\"zz\"]", "fault 10 BAD_NAME: zz");
    expect_answer(host, "supervisor.removeProcessGroup", "[\"zz\"]", "fault 10 BAD_NAME: zz");
    expect_answer(host, "supervisor.startProcess", "[\"web\"]", "true");
    expect_answer(host, "supervisor.removeProcessGroup", "[\"web\"]",
                  "fault 91 STILL_RUNNING: web");
    host->reread_works = false;
    expect_answer(host, "supervisor.reloadConfig", "[]",
                  "fault 92 CANT_REREAD: not a valid boolean value: 'maybe'");
    host_free(host);
}

static void bytes_reach_processes_and_listeners(void **state)
{
    (void)state;
    struct api_host *host = host_new();
    add_program(host, "web", 0);
    add_group(host, "web", 1);
    static const char method[] = "supervisor.sendProcessStdin";
    expect_answer(host, method, "[\"web\", 5]", "fault 2 INCORRECT_PARAMETERS: 5");
    expect_answer(host, method, "[\"nope\", true]", "fault 2 INCORRECT_PARAMETERS: True");
    expect_answer(host, method, "[\"web\", \"x\"]", "fault 70 NOT_RUNNING: web");
    expect_answer(host, method, "[\"web:*\", \"x\"]", "fault 10 BAD_NAME: web:*");
    expect_answer(host, "supervisor.startProcess", "[\"web\"]", "true");
    expect_answer(host, method, "[\"web\", \"h\\u00e9\"]", "true");
    assert_string_equal(host->written, "h\xc3\xa9");
    host->write_result = -EPIPE;
    expect_answer(host, method, "[\"web\", \"x\"]", "fault 20 NO_FILE: web");
    host->write_result = -ENOBUFS;
    expect_answer(host, method, "[\"web\", \"x\"]", "fault 30 FAILED: web");
    expect_answer(host, "supervisor.sendRemoteCommEvent", "[\"t\", \"d\"]", "true");
    assert_string_equal(host->written, "t/d");
    host->ignores_signals = true;
    expect_answer(host, "supervisor.stopProcess", "[\"web\", false]", "true");
    expect_answer(host, method, "[\"web\", \"x\"]", "fault 70 NOT_RUNNING: web");
    expect_answer(host, "svisor.why", "[\"web\"]", "{\"process\":1}");
    expect_answer(host, "svisor.why", "[\"nope\"]", "fault 10 BAD_NAME: nope");
    expect_answer(host, "svisor.getDeathCertificate", "[\"web\"]", "{\"process\":1,\"asked\":0}");
    expect_answer(host, "svisor.getDeathCertificate", "[\"web\", 3]",
                  "{\"process\":1,\"asked\":3}");
    expect_answer(host, "svisor.getDeathCertificate", "[\"web\", 4]",
                  "fault 30 FAILED: there is no death certificate of that run");
    expect_answer(host, "svisor.getDeathCertificate", "[\"nope\"]", "fault 10 BAD_NAME: nope");
    expect_answer(host, "svisor.getDeathCertificates", "[\"web\"]",
                  "[{\"process\":1,\"asked\":-1}]");
    host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_daemon_introduces_itself),
        cmocka_unit_test(a_reexec_is_answered_when_the_file_was_tried),
        cmocka_unit_test(a_reexec_goes_on_when_its_caller_has_gone),
        cmocka_unit_test(process_info_follows_the_life_of_a_process),
        cmocka_unit_test(process_info_survives_a_clock_that_is_set),
        cmocka_unit_test(all_processes_come_by_group_and_name),
        cmocka_unit_test(config_info_has_supervisors_keys),
        cmocka_unit_test(logs_are_read_and_cleared),
        cmocka_unit_test(groups_are_compared_added_and_removed),
        cmocka_unit_test(bytes_reach_processes_and_listeners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
