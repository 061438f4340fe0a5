/* svisor.relay over the real core, in a cluster that is only pretended: whom a call goes to, and
 * what becomes of calls that wait. */
#include "../../../tests/support/api_cluster.h"

enum { SELF, OTHER, THIRD, INSTANCE_COUNT };

static const struct sv_instance_names names[INSTANCE_COUNT] = {
    {.identifier = "10.0.0.1:60000", .nick = "supv-01"},
    {.identifier = "10.0.0.2:60000", .nick = "supv-02"},
    {.identifier = "10.0.0.3:60000", .nick = "supv-03"},
};

struct pretended {
    struct api_cluster cluster;
    /* The call that was relayed last, or dropped. */
    uint64_t id, dropped_id;
    sv_instance_place place;
    char text[200];
    bool answers_at_once;
};

/* "db" is a stereotype of two of them. */
static uint32_t cluster_find(void *user, const char *name, sv_instance_place *ret_places)
{
    (void)user;
    uint32_t count = 0;
    for (sv_instance_place i = 0; i < INSTANCE_COUNT; i++)
        if (strcmp(names[i].identifier, name) == 0 || strcmp(names[i].nick, name) == 0 ||
            (strcmp(name, "db") == 0 && i != SELF))
            ret_places[count++] = i;
    return count;
}

static void answer(struct pretended *pretended, const char *json)
{
    json_t *result = json_loads(json, JSON_DECODE_ANY, NULL);
    sv_api_relay_answered(pretended->cluster.host->api, pretended->id,
                          &(struct sv_api_answer){.result = result});
    json_decref(result);
}

static void cluster_relay(void *user, uint64_t id, sv_instance_place place, const char *method,
                          json_t *params)
{
    struct pretended *pretended = user;
    char *shown = json_dumps(params, JSON_COMPACT);
    pretended->id = id;
    pretended->place = place;
    snprintf(pretended->text, sizeof pretended->text, "%s%s", method, shown);
    free(shown);
    if (pretended->answers_at_once)
        answer(pretended, "7");
}

static void cluster_drop_relayed(void *user, uint64_t id)
{
    struct pretended *pretended = user;
    pretended->dropped_id = id;
}

static void set_up(struct pretended *pretended)
{
    *pretended = (struct pretended){
        .cluster = {.functions = {.find = cluster_find,
                                  .relay = cluster_relay,
                                  .drop_relayed = cluster_drop_relayed},
                    .names = names,
                    .instance_count = INSTANCE_COUNT},
    };
    cluster_begin(&pretended->cluster);
    add_program(pretended->cluster.host, "slow", 1); /* RUNNING after a second */
    add_group(pretended->cluster.host, "slow", 1);
}

static void whom_a_call_is_for_is_said_by_one_name(void **state)
{
    (void)state;
    struct pretended pretended;
    set_up(&pretended);
    struct api_host *host = pretended.cluster.host;
    pretended.answers_at_once = true;
    expect_answer(host, "svisor.relay", "[\"supv-03\", \"a.b\", [1, \"x\"]]", "7");
    assert_int_equal(pretended.place, THIRD);
    assert_string_equal(pretended.text, "a.b[1,\"x\"]");
    expect_answer(host, "svisor.relay", "[\"10.0.0.2:60000\", \"a.b\", []]", "7");
    assert_int_equal(pretended.place, OTHER);
    pretended.place = SELF;
    expect_answer(host, "svisor.relay", "[\"supv-01\", \"supervisor.getAPIVersion\", []]",
                  "\"3.0\"");
    expect_answer(host, "svisor.relay", "[\"supv-04\", \"a.b\", []]",
                  "fault 10 BAD_NAME: there is no instance supv-04; did you mean supv-01?");
    expect_answer(host, "svisor.relay", "[\"10.0.0.2:6000\", \"a.b\", []]",
                  "fault 10 BAD_NAME: there is no instance 10.0.0.2:6000; did you mean "
                  "10.0.0.2:60000?");
    expect_answer(host, "svisor.relay", "[\"nobody\", \"a.b\", []]",
                  "fault 10 BAD_NAME: there is no instance nobody");
    expect_answer(host, "svisor.relay", "[\"db\", \"a.b\", []]",
                  "fault 10 BAD_NAME: db is 2 instances; a call is relayed to one");
    assert_int_equal(pretended.place, SELF);
    host_free(host);
}

static void a_relayed_call_is_not_relayed_again(void **state)
{
    (void)state;
    static const char refused[] =
        "fault 2 INCORRECT_PARAMETERS: a relayed call is not relayed again";
    struct pretended pretended;
    set_up(&pretended);
    struct api_host *host = pretended.cluster.host;
    expect_answer(host, "svisor.relay", "[\"supv-02\", \"svisor.relay\", []]", refused);
    expect_answer(host, "svisor.relay", "[\"supv-01\", \"svisor.relay\", []]", refused);
    expect_answer(host, "svisor.relay",
                  "[\"supv-01\", \"system.multicall\", [[{\"methodName\": \"x\"}, "
                  "{\"methodName\": \"svisor.relay\"}]]]",
                  refused);
    assert_int_equal(pretended.id, 0);
    /* What is no call at all is for system.multicall to refuse. */
    expect_answer(host, "svisor.relay", "[\"supv-01\", \"system.multicall\", [[5]]]",
                  "[{\"faultCode\":2,\"faultString\":\"INCORRECT_PARAMETERS: a call must be a "
                  "struct\"}]");
    host_free(host);
}

static void the_answer_of_another_instance_is_passed_on_as_it_is(void **state)
{
    (void)state;
    struct pretended pretended;
    set_up(&pretended);
    struct api_host *host = pretended.cluster.host;
    struct reply reply = {0};
    assert_non_null(call(host, "svisor.relay", "[\"supv-02\", \"a.b\", []]", &reply));
    sv_api_relay_answered(host->api, pretended.id + 1, &(struct sv_api_answer){.fault_code = 1});
    assert_null(reply.text);
    sv_api_relay_answered(
        host->api, pretended.id,
        &(struct sv_api_answer){.fault_code = 4711, .fault_text = "OF_A_NEWER_VERSION: x"});
    assert_string_equal(reply.text, "fault 4711 OF_A_NEWER_VERSION: x");
    reply_done(&reply);
    call(host, "system.multicall",
         "[[{\"methodName\": \"svisor.relay\", \"params\": [\"supv-02\", \"a.b\", []]},"
         "{\"methodName\": \"supervisor.getAPIVersion\"}]]",
         &reply);
    assert_null(reply.text);
    answer(&pretended, "{\"a\": [null]}");
    assert_string_equal(reply.text, "[{\"a\":[null]},\"3.0\"]");
    assert_int_equal(pretended.dropped_id, 0);
    reply_done(&reply);
    host_free(host);
}

static void a_call_that_nobody_waits_for_is_dropped_there_too(void **state)
{
    (void)state;
    struct pretended pretended;
    set_up(&pretended);
    struct api_host *host = pretended.cluster.host;
    struct reply reply = {0}, of_end = {0}, of_start = {0};
    sv_api_call_cancel(call(host, "svisor.relay", "[\"supv-02\", \"a.b\", []]", &reply));
    assert_int_equal(pretended.dropped_id, pretended.id);
    answer(&pretended, "1");
    assert_null(reply.text);
    /* Of this instance: the start goes on. */
    sv_api_call_cancel(call(host, "svisor.relay",
                            "[\"supv-01\", \"supervisor.startProcess\", [\"slow\"]]", &reply));
    expect_answer(host, "supervisor.startProcess", "[\"slow\"]", "fault 60 ALREADY_STARTED: slow");
    assert_null(reply.text);
    /* One that waits, and is answered by this instance. */
    expect_answer(host, "supervisor.stopProcess", "[\"slow\"]", "true");
    call(host, "svisor.relay", "[\"supv-01\", \"supervisor.startProcess\", [\"slow\"]]", &of_start);
    assert_null(of_start.text);
    expect_answer(host, "supervisor.stopProcess", "[\"slow\"]", "true");
    assert_string_equal(of_start.text, "fault 40 ABNORMAL_TERMINATION: slow");
    reply_done(&of_start);
    /* And what waits at the end. */
    call(host, "svisor.relay", "[\"supv-02\", \"a.b\", []]", &of_end);
    call(host, "svisor.relay", "[\"supv-01\", \"supervisor.startProcess\", [\"slow\"]]", &of_start);
    host_free(host);
    assert_int_equal(pretended.dropped_id, pretended.id);
    assert_true(!of_end.text && !of_start.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whom_a_call_is_for_is_said_by_one_name),
        cmocka_unit_test(a_relayed_call_is_not_relayed_again),
        cmocka_unit_test(the_answer_of_another_instance_is_passed_on_as_it_is),
        cmocka_unit_test(a_call_that_nobody_waits_for_is_dropped_there_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
