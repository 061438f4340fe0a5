#include "config/supvisors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/check.h"
#include "config/memory_host_test.h"

#define HEAD                                                                                       \
    "[supervisord]\n[inet_http_server]\nport=9001\n[rpcinterface:supvisors]\n"                     \
    "supervisor.rpcinterface_factory=supvisors.plugin:make_supvisors_rpcinterface\n"

struct loading {
    struct sv_config *config;
    const struct sv_supvisors_config *supvisors;
    struct sv_diag diag;
    struct sv_str problems;
};

static struct loading load(const char *text)
{
    struct loading loading = {0};
    struct memory_machine machine = {{{"/etc/main.conf", text, 0},
                                      {"/tmp/b.xml", "<root/>", 0},
                                      {"/tmp/a.xml", "<root/>", 0},
                                      {"/etc/node1.xml", "<root/>", 0}}};
    struct sv_config_host host = memory_host(&machine);
    loading.config = sv_config_load("/etc/main.conf", &host, NULL, &loading.diag);
    loading.supvisors = loading.config ? loading.config->supvisors : NULL;
    sv_diag_render(&loading.diag, &loading.problems);
    return loading;
}

static void done(struct loading *loading)
{
    sv_config_unref(loading->config);
    sv_diag_done(&loading->diag);
    sv_str_done(&loading->problems);
}

static void expect(const char *text, bool is_accepted, const char *problem)
{
    struct loading loading = load(text);
    if ((loading.config != NULL) != is_accepted || !strstr(sv_str_text(&loading.problems), problem))
        fail_msg("%s: wanted \"%s\" in \"%s\"", loading.config ? "accepted" : "refused", problem,
                 sv_str_text(&loading.problems));
    done(&loading);
}

static void an_empty_section_has_supvisors_defaults(void **state)
{
    (void)state;
    struct loading loading = load(HEAD);
    const struct sv_supvisors_config *supvisors = loading.supvisors;
    assert_non_null(supvisors);
    assert_string_equal(sv_str_text(&loading.problems), "");
    assert_string_equal(supvisors->name, "supvisors");
    assert_int_equal(supvisors->instance_count, 1);
    assert_string_equal(supvisors->instances[0].identifier, "node1:9001");
    assert_string_equal(supvisors->instances[0].nick, "node1:9001");
    assert_int_equal(supvisors->event_port, 9002);
    assert_int_equal(supvisors->synchro_options, 1u << SV_SYNCHRO_OPTION_TIMEOUT);
    assert_int_equal(supvisors->synchro_timeout, 15);
    assert_int_equal(supvisors->inactivity_ticks, 0);
    assert_int_equal(supvisors->conciliation_strategy, SV_CONCILIATION_STRATEGY_USER);
    assert_true(supvisors->stats.has_host && supvisors->stats.has_processes);
    assert_int_equal(supvisors->stats.period_count, 1);
    assert_int_equal(supvisors->tail_limit, 1024);
    assert_int_equal(supvisors->log, SV_SUPVISORS_LOG_DAEMON);
    assert_false(supvisors->has_rules_files);
    assert_true(loading.config->daemon.cluster.suspect_after < 1.5);
    done(&loading);
}

static void the_list_takes_every_form_of_an_instance(void **state)
{
    (void)state;
    struct loading loading =
        load(HEAD "supvisors_list = one, <two>10.0.0.2 ,three:60000,<four>four.net:60001:60005,, "
                  "one,<supervisor>five:7000\nevent_port=5000\n");
    static const struct sv_instance_config wanted[] = {
        {"one:9001", "one", "one", 9001, 5000},
        {"10.0.0.2:9001", "two", "10.0.0.2", 9001, 5000},
        {"three:60000", "three:60000", "three", 60000, 5000},
        {"four.net:60001", "four", "four.net", 60001, 60005},
        {"five:7000", "five:7000", "five", 7000, 5000},
    };
    assert_non_null(loading.supvisors);
    assert_int_equal(loading.supvisors->instance_count, SV_ARRAY_LENGTH(wanted));
    for (size_t i = 0; i < SV_ARRAY_LENGTH(wanted); i++) {
        const struct sv_instance_config *instance = &loading.supvisors->instances[i];
        assert_string_equal(instance->identifier, wanted[i].identifier);
        assert_string_equal(instance->nick, wanted[i].nick);
        assert_string_equal(instance->host, wanted[i].host);
        assert_int_equal(instance->http_port, wanted[i].http_port);
        assert_int_equal(instance->event_port, wanted[i].event_port);
    }
    done(&loading);
}

static void what_is_no_instance_stops_the_start(void **state)
{
    (void)state;
    expect(HEAD "supvisors_list=a b\n", false,
           "error: /etc/main.conf:6: [rpcinterface:supvisors] supvisors_list: 'a b' is not an "
           "instance; write <nickname>host:http_port");
    expect(HEAD "supvisors_list=<>a\n", false, "'<>a' is not an instance");
    expect(HEAD "supvisors_list=<a>\n", false, "'<a>' is not an instance");
    expect(HEAD "supvisors_list=a:\n", false, "'a:' is not an instance");
    expect(HEAD "supvisors_list=a:1:2:3\n", false, "'a:1:2:3' is not an instance");
    expect(HEAD "supvisors_list=a:65536\n", false, "'a:65536' has a port that is none");
    expect(HEAD "supvisors_list=a:99999999999999999999\n", false, "has a port that is none");
}

static void two_of_one_name_are_told(void **state)
{
    (void)state;
    expect(HEAD "supvisors_list=<x>a:1,<x>b:1\n", true, "a:1 and b:1 have the same nickname x");
    expect(HEAD "supvisors_list=<x>a:1,<y>a:1\n", true, "has a:1 twice; the second counts");
}

static void a_bad_value_gives_way_to_the_default(void **state)
{
    (void)state;
    struct loading loading = load(HEAD "synchro_timeout=5000\nevent_link=tcp\nstats_histo=x\n"
                                       "multicast_group=239.0.0.0:1\nstats_periods=1,2,3,4\n");
    assert_non_null(loading.supvisors);
    assert_int_equal(loading.supvisors->synchro_timeout, 15);
    assert_int_equal(loading.supvisors->event_link, SV_EVENT_LINK_NONE);
    assert_int_equal(loading.supvisors->stats.histo, 200);
    assert_null(loading.supvisors->multicast_address);
    assert_int_equal(loading.supvisors->stats.period_count, 1);
    assert_int_equal(loading.diag.warning_count, 5);
    done(&loading);
    expect(HEAD "synchro_timeout=5000\n", true,
           "synchro_timeout: '5000' is not from 15 to 1200; write a number in that range, such as "
           "15; 15 is used");
    expect(HEAD "event_port=65536\n", true,
           "event_port: '65536' is not from 1 to 65535; write a number in that range; it is as if "
           "the line were not there");
    expect(HEAD "stats_collecting_period=0\n", true,
           "is out of range; write a number from 1 to 3600, such as 5; 5 is used");
    expect(HEAD "conciliation_strategy=none\n", true,
           "write SENICIDE, INFANTICIDE, USER, STOP, RESTART or RUNNING_FAILURE; USER is used");
}

static void what_stops_supvisors_stops_svisord(void **state)
{
    (void)state;
    expect(HEAD "loglevel=loud\n", false,
           "error: /etc/main.conf:6: [rpcinterface:supvisors] "
           "loglevel: 'loud' is not a log level");
    expect(HEAD "logfile=/nowhere/at/all\n", false, "the path /nowhere/at/all does not exist");
    expect(HEAD "synchro_options=CORE\n", false, "has no condition that could end the waiting");
    expect(HEAD "synchro_options=\n", false, "has no condition that could end the waiting");
    expect("[supervisord]\n[rpcinterface:supvisors]\nsupervisor.rpcinterface_factory="
           "supvisors.plugin:make_supvisors_rpcinterface\n",
           false, "needs an [inet_http_server]");
}

static void conditions_that_cannot_hold_are_dropped(void **state)
{
    (void)state;
    struct loading loading = load(HEAD "synchro_options=strict, user,CORE\n");
    assert_non_null(loading.supvisors);
    assert_int_equal(loading.supvisors->synchro_options, 1u << SV_SYNCHRO_OPTION_USER);
    assert_int_equal(loading.diag.warning_count, 2);
    done(&loading);
    expect(HEAD "supvisors_failure_strategy=SHUTDOWN\n", true,
           "supvisors_failure_strategy: is CONTINUE with TIMEOUT in synchro_options");
}

static void values_of_every_type_are_read(void **state)
{
    (void)state;
    struct loading loading =
        load(HEAD "multicast_group=239.1.2.3:4000\nmulticast_interface=10.0.0.1\nmulticast_ttl=7\n"
                  "stereotypes=a, b,a\ncore_identifiers=x,@y\nsynchro_options=CORE\n"
                  "supvisors_failure_strategy=resync\nstats_enabled=HOST\nstats_periods=60,5,10.5\n"
                  "event_link=zmq\nauto_fence=yes\ndisabilities_file=~/d.json\nlogfile=s.log\n");
    const struct sv_supvisors_config *supvisors = loading.supvisors;
    assert_non_null(supvisors);
    assert_string_equal(sv_str_text(&loading.problems), "");
    assert_string_equal(supvisors->multicast_address, "239.1.2.3");
    assert_int_equal(supvisors->multicast_port, 4000);
    assert_string_equal(supvisors->multicast_interface, "10.0.0.1");
    assert_int_equal(supvisors->multicast_ttl, 7);
    assert_int_equal(supvisors->stereotypes.count, 2);
    assert_string_equal(supvisors->core_identifiers.items[1], "@y");
    assert_int_equal(supvisors->supvisors_failure_strategy, SV_SUPVISORS_FAILURE_STRATEGY_RESYNC);
    assert_true(supvisors->stats.has_host && !supvisors->stats.has_processes);
    assert_true(supvisors->stats.periods[0] < 5.1 && supvisors->stats.periods[2] > 59.9);
    assert_int_equal(supvisors->event_link, SV_EVENT_LINK_ZMQ);
    assert_true(supvisors->auto_fence);
    assert_string_equal(strrchr(supvisors->disabilities_file, '/'), "/d.json");
    assert_string_equal(supvisors->logfile, "/tmp/s.log");
    done(&loading);
}

static void files_are_found_by_their_patterns(void **state)
{
    (void)state;
    struct loading loading = load(
        HEAD
        "rules_files=*.xml  /tmp/b.xml\n  /etc/%%(host_node_name)s.xml\ncss_files=%(here)s/n\n");
    assert_non_null(loading.supvisors);
    assert_int_equal(loading.supvisors->rules_files.count, 3);
    assert_string_equal(loading.supvisors->rules_files.items[0], "/etc/node1.xml");
    assert_string_equal(loading.supvisors->rules_files.items[1], "/tmp/a.xml");
    assert_string_equal(loading.supvisors->rules_files.items[2], "/tmp/b.xml");
    assert_non_null(strstr(sv_str_text(&loading.problems), "css_files: no file matches '/etc/n'"));
    done(&loading);
}

static void the_mesh_has_files_for_its_keys(void **state)
{
    (void)state;
    struct loading loading = load(HEAD);
    const struct sv_cluster_config *cluster = &loading.config->daemon.cluster;
    assert_string_equal(cluster->mesh_key, "/etc/svisor/mesh.key");
    assert_string_equal(cluster->mesh_trust, "/etc/svisor/mesh.trust");
    assert_false(cluster->has_mesh_key);
    assert_false(cluster->mesh_plain);
    assert_true(cluster->mesh_calls);
    assert_int_equal(cluster->mesh_port, 0);
    done(&loading);
    loading = load(HEAD "[svisor]\nmesh_key=%(here)s/own.key\nmesh_trust=trust\nmesh_port=4000\n"
                        "mesh_calls=false\n");
    cluster = &loading.config->daemon.cluster;
    assert_string_equal(cluster->mesh_key, "/etc/own.key");
    assert_true(cluster->has_mesh_key);
    assert_true(cluster->mesh_trust[0] == '/');
    assert_int_equal(cluster->mesh_port, 4000);
    assert_false(cluster->mesh_calls);
    done(&loading);
    expect(HEAD "[svisor]\nmesh_key=/k\nmesh_plain=true\n", false,
           "[svisor] mesh_key: mesh_key is not used with mesh_plain=true");
}

static void silence_is_counted_in_ticks_only_where_ticks_are_written(void **state)
{
    (void)state;
    struct loading loading = load(HEAD "inactivity_ticks=3\n");
    assert_int_equal((int)loading.config->daemon.cluster.suspect_after, 15);
    done(&loading);
    loading = load(HEAD "inactivity_ticks=3\n[svisor]\nsuspect_after=2\n");
    assert_int_equal((int)loading.config->daemon.cluster.suspect_after, 2);
    done(&loading);
    expect(HEAD "[svisor]\nsuspect_after=0.5\n", false,
           "[svisor] suspect_after: suspect_after=0.5 is less than 3 times heartbeat_period=0.2");
    expect(HEAD "[svisor]\nheartbeat_period=0\n", false, "is shorter than 0.01 seconds");
}

static void an_unknown_key_is_told(void **state)
{
    (void)state;
    expect(HEAD "autofence=true\n", true,
           "autofence: is not an option of this section; did you mean auto_fence?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_section_has_supvisors_defaults),
        cmocka_unit_test(the_list_takes_every_form_of_an_instance),
        cmocka_unit_test(what_is_no_instance_stops_the_start),
        cmocka_unit_test(two_of_one_name_are_told),
        cmocka_unit_test(a_bad_value_gives_way_to_the_default),
        cmocka_unit_test(what_stops_supvisors_stops_svisord),
        cmocka_unit_test(conditions_that_cannot_hold_are_dropped),
        cmocka_unit_test(values_of_every_type_are_read),
        cmocka_unit_test(files_are_found_by_their_patterns),
        cmocka_unit_test(the_mesh_has_files_for_its_keys),
        cmocka_unit_test(silence_is_counted_in_ticks_only_where_ticks_are_written),
        cmocka_unit_test(an_unknown_key_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
