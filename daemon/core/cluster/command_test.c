/* What is under way and no row tells yet. The rest of commands and duties is judged by tests/sim.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/cluster/members.h"

/* A cluster of one, with one program. */
struct alone {
    struct sv_instance_config instance;
    struct sv_supvisors_config supvisors;
    struct sv_cluster_config timing;
    struct sv_cluster *cluster;
    struct sv_cluster_actions actions;
};

static void feed(struct alone *alone, struct sv_cluster_event event)
{
    sv_cluster_actions_clear(&alone->actions);
    event.now_ns = alone->cluster->now_ns + SV_SECOND_NS / 10;
    sv_cluster_step(alone->cluster, &event, &alone->actions);
}

static void tell_of(struct alone *alone, const char *name, enum sv_process_state state)
{
    feed(alone, (struct sv_cluster_event){.kind = SV_CLUSTER_PROCESS,
                                          .process = {.application = "web",
                                                      .name = name,
                                                      .state = state,
                                                      .spawnerr = "",
                                                      .description = "",
                                                      .extra_arguments = "",
                                                      .program_name = name,
                                                      .event_ns = alone->cluster->now_ns + 1}});
}

static void tell(struct alone *alone, enum sv_process_state state)
{
    tell_of(alone, "nginx", state);
}

static void alone_init(struct alone *alone)
{
    *alone = (struct alone){
        .instance = {.identifier = "a:60000", .nick = "a", .host = "a", .http_port = 60000},
        .supvisors = {.instances = &alone->instance,
                      .instance_count = 1,
                      .has_list = true,
                      .synchro_options = 1u << SV_SYNCHRO_OPTION_STRICT,
                      .synchro_timeout = 15},
        .timing = {.heartbeat_period = 0.2, .suspect_after = 1, .daemon_grace = 1}};
    alone->cluster = sv_cluster_new(&(struct sv_cluster_options){.supvisors = &alone->supvisors,
                                                                 .timing = &alone->timing,
                                                                 .machine_id = "m",
                                                                 .version = "tested",
                                                                 .incarnation = 1});
    tell(alone, SV_PROCESS_STOPPED);
    feed(alone, (struct sv_cluster_event){.kind = SV_CLUSTER_BEGIN});
    assert_int_equal(sv_machine_state(alone->cluster), SV_SUPVISORS_STATE_OPERATION);
}

static void alone_done(struct alone *alone)
{
    sv_cluster_free(alone->cluster);
    sv_cluster_actions_done(&alone->actions);
}

/* As an election and the distribution after it ask, in one step with the start. */
static bool may_start_in_this_step(struct alone *alone, const char **ret_why)
{
    struct sv_cluster *cluster = alone->cluster;
    const struct sv_member *member =
        sv_application_member(sv_model_application(&cluster->model, "web"), "nginx");
    cluster->actions = &alone->actions;
    bool may_start = sv_quorum_may_start(cluster, member, ret_why);
    cluster->actions = NULL;
    return may_start;
}

static size_t count_starts(const struct alone *alone)
{
    size_t count = 0;
    for (size_t i = 0; i < alone->actions.count; i++)
        count += alone->actions.items[i].kind == SV_CLUSTER_START;
    return count;
}

static void start(struct alone *alone)
{
    const char *why = "";
    alone_init(alone);
    assert_true(may_start_in_this_step(alone, &why));
    feed(alone, (struct sv_cluster_event){
                    .kind = SV_CLUSTER_REQUEST,
                    .request = {.id = 1, .kind = SV_REQUEST_START_PROCESS, .name = "web:nginx"}});
    assert_int_equal(count_starts(alone), 1);
}

static void a_start_is_under_way_until_its_row_tells(void **state)
{
    (void)state;
    struct alone alone;
    const char *why = "";
    start(&alone);
    assert_false(may_start_in_this_step(&alone, &why));
    assert_string_equal(why, "a was told to start it, and what came of it is not known yet");
    tell_of(&alone, "other", SV_PROCESS_STOPPED); /* steps that come before it: seed 1961 */
    assert_false(may_start_in_this_step(&alone, &why));
    tell(&alone, SV_PROCESS_STOPPED);
    assert_false(may_start_in_this_step(&alone, &why));
    tell(&alone, SV_PROCESS_STARTING);
    tell(&alone, SV_PROCESS_RUNNING);
    tell(&alone, SV_PROCESS_EXITED);
    assert_true(may_start_in_this_step(&alone, &why));
    alone_done(&alone);
}

static void a_start_that_no_row_tells_of_is_given_up(void **state)
{
    (void)state;
    struct alone alone;
    const char *why = "";
    start(&alone);
    for (int i = 0; i < 15; i++)
        feed(&alone, (struct sv_cluster_event){.kind = SV_CLUSTER_TIME});
    assert_false(may_start_in_this_step(&alone, &why));
    for (int i = 0; i < 10; i++)
        feed(&alone, (struct sv_cluster_event){.kind = SV_CLUSTER_TIME});
    assert_true(may_start_in_this_step(&alone, &why));
    alone_done(&alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_is_under_way_until_its_row_tells),
        cmocka_unit_test(a_start_that_no_row_tells_of_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
