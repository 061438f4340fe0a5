/* supvisors.enable and disable over the real core, in a cluster that is only pretended. */
#include "../../../tests/support/api_host.h"

#include "api/cluster_host.h"

struct pretended {
    struct sv_api_cluster cluster;
    struct api_host *host;
    enum sv_supvisors_state state;
    int write_result;
};

static sv_instance_place cluster_local(void *user)
{
    (void)user;
    return 0;
}

static size_t cluster_instance_count(void *user)
{
    (void)user;
    return 1;
}

static void cluster_instance(void *user, sv_instance_place place, struct sv_instance_view *ret)
{
    const struct pretended *pretended = user;
    assert_int_equal(place, 0);
    *ret = (struct sv_instance_view){.is_local = true, .modes = {.state = pretended->state}};
}

static bool cluster_knows_program(void *user, const char *program)
{
    const struct pretended *pretended = user;
    for (size_t i = 0; i < pretended->host->program_count; i++)
        if (strcmp(pretended->host->programs[i].program, program) == 0)
            return true;
    return false;
}

static int cluster_set_disabled(void *user, const char *program, bool is_disabled)
{
    struct pretended *pretended = user;
    if (pretended->write_result == 0)
        feed(pretended->host,
             (struct sv_event){.kind = SV_EVENT_DISABLE, .program = {program, is_disabled}});
    return pretended->write_result;
}

/* The program web: web:one and web:two, and a third process in a group of its own. */
static void set_up(struct pretended *pretended)
{
    struct api_host *host = host_new();
    *pretended = (struct pretended){.host = host, .state = SV_SUPVISORS_STATE_OPERATION};
    pretended->cluster = (struct sv_api_cluster){
        .user = pretended,
        .local = cluster_local,
        .instance_count = cluster_instance_count,
        .instance = cluster_instance,
        .knows_program = cluster_knows_program,
        .set_disabled = cluster_set_disabled,
    };
    host->host.cluster = &pretended->cluster;
    sv_api_free(host->api); /* the methods of a cluster are there when there is one */
    host->api = sv_api_new(&host->host);
    assert_non_null(host->api);
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
    struct api_host *host = pretended.host;
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
    struct api_host *host = pretended.host;
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
    struct api_host *host = pretended.host;
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
    struct api_host *host = pretended.host;
    expect_answer(host, "supvisors.disable", "[\"none\"]",
                  "fault 10 BAD_NAME: program=none unknown to Supvisors");
    expect_answer(host, "supvisors.enable", "[\"web:one\"]",
                  "fault 10 BAD_NAME: program=web:one unknown to Supvisors");
    pretended.write_result = -EROFS;
    expect_answer(host, "supvisors.disable", "[\"web\"]",
                  "fault 30 FAILED: disabilities_file of program=web cannot be written, see the "
                  "log");
    expect_answer(host, "supervisor.startProcess", "[\"web:one\"]", "true");
    pretended.state = SV_SUPVISORS_STATE_ELECTION;
    expect_answer(host, "supvisors.enable", "[\"none\"]",
                  "fault 101 BAD_SUPVISORS_STATE: invalid Supvisors state=ELECTION - state "
                  "expected in ['OPERATION']");
    host_free(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disable_stops_the_program_in_all_groups_and_keeps_it_from_starting),
        cmocka_unit_test(disable_waits_until_the_last_one_has_stopped_or_not),
        cmocka_unit_test(what_cannot_be_stopped_is_named),
        cmocka_unit_test(the_state_comes_first_then_the_name_then_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
