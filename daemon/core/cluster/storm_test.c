/*
 * The commander in a storm: whatever happens in whatever order, from a seed. After every event the
 * sums must be what they are sums of; in the end everybody obeys, and nothing may be left to do.
 */
#include "core/cluster/commander_fixture_test.h"

#define RULES                                                                                      \
    "<application name='shop'><start_sequence>1</start_sequence><programs>"                        \
    "<program name='db'><start_sequence>1</start_sequence><required>true</required>"               \
    "<expected_loading>30</expected_loading>"                                                      \
    "<running_failure_strategy>RESTART_APPLICATION</running_failure_strategy></program>"           \
    "<program "                                                                                    \
    "name='web'><start_sequence>2</start_sequence><expected_loading>20</expected_loading>"         \
    "<running_failure_strategy>RESTART_PROCESS</running_failure_strategy></program>"               \
    "<program name='job'><start_sequence>2</start_sequence><wait_exit>true</wait_exit></program>"  \
    "<program name='bad'><start_sequence>3</start_sequence><required>true</required>"              \
    "<starting_failure_strategy>STOP</starting_failure_strategy></program>"                        \
    "</programs></application>"                                                                    \
    "<application name='pair'><distribution>SINGLE_NODE</distribution>"                            \
    "<start_sequence>2</start_sequence><starting_strategy>LESS_LOADED</starting_strategy>"         \
    "<programs><program pattern='p'><start_sequence>1</start_sequence>"                            \
    "<expected_loading>25</expected_loading>"                                                      \
    "<running_failure_strategy>STOP_APPLICATION</running_failure_strategy></program></programs>"   \
    "</application>"                                                                               \
    "<application name='one'><distribution>SINGLE_INSTANCE</distribution>"                         \
    "<programs><program name='mute'><start_sequence>1</start_sequence></program></programs>"       \
    "</application>"

static const struct {
    const char *application, *name;
} programs[] = {
    {"shop", "db"}, {"shop", "web"}, {"shop", "job"}, {"shop", "bad"}, {"pair", "p1"},
    {"pair", "p2"}, {"one", "mute"}, {"one", "stay"}, {"free", "f"},
};

static struct played played;
static uint64_t random_state;

static uint32_t below(uint32_t bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % bound;
}

static uint32_t count_commands(const struct sv_sequencer *sequencer, const struct sv_member *member)
{
    uint32_t count = 0;
    for (size_t j = 0; j < sequencer->job_count; j++) {
        const struct sv_job *job = sequencer->jobs[j];
        assert_ptr_equal(sv_model_application(&played.cluster.model, job->application->name),
                         job->application);
        for (size_t i = 0; i < job->order_count; i++)
            count += job->orders[i]->member == member;
        for (size_t i = 0; i < job->restart_count; i++)
            count += job->restarts[i].member == member;
    }
    return count;
}

/* From all of its processes, not from counts. */
static void check_state(const struct sv_application *application)
{
    size_t starting = 0, running = 0, stopping = 0;
    for (size_t i = 0; i < application->member_count; i++) {
        enum sv_process_state state = sv_member_shown_state(application->members[i]);
        starting += state == SV_PROCESS_STARTING || state == SV_PROCESS_BACKOFF;
        running += state == SV_PROCESS_RUNNING;
        stopping += state == SV_PROCESS_STOPPING;
    }
    assert_int_equal(application->state, stopping   ? SV_APPLICATION_STATE_STOPPING
                                         : starting ? SV_APPLICATION_STATE_STARTING
                                         : running  ? SV_APPLICATION_STATE_RUNNING
                                                    : SV_APPLICATION_STATE_STOPPED);
}

static void check_sums(void)
{
    const struct sv_model *model = &played.cluster.model;
    const struct sv_commander *commander = played.cluster.commander;
    uint32_t loads[PLAYED_COUNT] = {0};
    size_t lost_count = 0, conflict_count = 0;
    for (size_t a = 0; a < model->application_count; a++) {
        const struct sv_application *application = model->applications[a];
        assert_int_equal(application->place, a);
        assert_false(application->is_stale);
        check_state(application);
        for (size_t i = 0; i < application->member_count; i++) {
            const struct sv_member *member = application->members[i];
            assert_int_equal(member->place, i);
            lost_count += member->is_lost;
            conflict_count += application->rules.is_managed && member->running_count > 1;
            for (size_t r = 0; r < member->running_count; r++) {
                assert_non_null(sv_member_copy(member, member->running[r]));
                if (sv_state_is_running(member->state))
                    loads[member->running[r]] += member->rules.expected_loading;
            }
            assert_int_equal(member->command_count, count_commands(&commander->starts, member) +
                                                        count_commands(&commander->stops, member));
        }
    }
    assert_int_equal(model->lost_count, lost_count);
    assert_int_equal(model->conflict_count, conflict_count);
    for (sv_instance_place i = 0; i < PLAYED_COUNT; i++)
        assert_int_equal(sv_model_load(&played.cluster, i), loads[i]);
}

static void some_row(void)
{
    static const enum sv_process_state states[] = {
        SV_PROCESS_STOPPED,  SV_PROCESS_STARTING, SV_PROCESS_RUNNING, SV_PROCESS_BACKOFF,
        SV_PROCESS_STOPPING, SV_PROCESS_EXITED,   SV_PROCESS_FATAL,   SV_PROCESS_UNKNOWN};
    size_t program = below(SV_ARRAY_LENGTH(programs));
    played_tell(&played, below(PLAYED_COUNT), programs[program].application, programs[program].name,
                states[below(SV_ARRAY_LENGTH(states))]);
}

static void some_removal(void)
{
    size_t program = below(SV_ARRAY_LENGTH(programs));
    struct sv_mesh_process row = {.application = programs[program].application,
                                  .name = programs[program].name,
                                  .is_removed = true};
    sv_model_put(&played.cluster, below(PLAYED_COUNT), &row);
}

static void some_request(void)
{
    static const char *const names[] = {"shop", "pair",    "one",  "free",   "shop:db", "shop:*",
                                        "p",    "pair:p1", "one:", "free:f", ".*",      "nobody"};
    struct sv_cluster_request request = {
        .id = ++played.request_count,
        .kind = (enum sv_cluster_request_kind)below(SV_REQUEST_RESTART_SEQUENCE + 1),
        .name = names[below(SV_ARRAY_LENGTH(names))],
        .starting = (enum sv_starting_strategy)below(6),
        .conciliation = (enum sv_conciliation_strategy)below(6),
        .extra_arguments = below(2) ? "-x" : NULL,
        .does_wait = below(2) == 0,
    };
    sv_commander_request(&played.cluster, &request);
}

static void some_instance(void)
{
    sv_instance_place instance = below(PLAYED_COUNT);
    switch (below(3)) {
    case 0:
        played_lose(&played, instance);
        break;
    case 1:
        played.states[instance] = SV_INSTANCE_STATE_FAILED;
        sv_commander_instance_failed(&played.cluster, instance);
        break;
    default:
        played.states[instance] = SV_INSTANCE_STATE_RUNNING;
        sv_commander_instance_running(&played.cluster, instance);
    }
}

static void some_snapshot(void)
{
    sv_instance_place instance = below(PLAYED_COUNT);
    sv_model_begin_snapshot(&played.cluster, instance);
    for (size_t i = 0; i < SV_ARRAY_LENGTH(programs); i++)
        if (below(8) > 0)
            played_tell(&played, instance, programs[i].application, programs[i].name,
                        below(2) ? SV_PROCESS_STOPPED : SV_PROCESS_RUNNING);
    sv_model_end_snapshot(&played.cluster, instance);
}

static void some_turn_of_the_machine(void)
{
    switch (below(6)) {
    case 0:
        sv_commander_abort(&played.cluster);
        break;
    case 1:
        sv_commander_start_applications(&played.cluster);
        break;
    case 2:
        sv_commander_stop_applications(&played.cluster);
        break;
    case 3:
        played.config.conciliation_strategy = (enum sv_conciliation_strategy)below(6);
        sv_commander_conciliate(&played.cluster);
        break;
    case 4:
        played.is_master = below(2);
        played.machine = below(2) ? SV_SUPVISORS_STATE_OPERATION : SV_SUPVISORS_STATE_CONCILIATION;
        break;
    default:
        played.may_start = below(3) > 0;
        sv_commander_may_start(&played.cluster);
    }
}

static void something(void)
{
    switch (below(10)) {
    case 0:
    case 1:
    case 2:
        some_row();
        return;
    case 3:
        some_request();
        return;
    case 4:
        some_instance();
        return;
    case 5:
        played_run(&played);
        return;
    case 6:
        played_wait(&played, below(20));
        return;
    case 7:
        some_turn_of_the_machine();
        return;
    case 8:
        if (below(4) == 0)
            some_removal();
        else
            sv_commander_answered(&played.cluster, played.next_id - below(5),
                                  below(2) ? 0 : (int)below(110), "because");
        return;
    default:
        if (below(4) == 0)
            some_snapshot();
        sv_commander_handle_lost(&played.cluster);
    }
}

static void nothing_is_left_when_the_storm_is_over(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        random_state = seed;
        played_init(&played, RULES,
                    "shop:db shop:web shop:job shop:bad pair:p1 pair:p2 one:mute "
                    "one:stay free:f");
        for (int i = 0; i < 300; i++) {
            something();
            check_sums();
            played.command_count = played.command_count > 1000 ? 0 : played.command_count;
        }
        for (sv_instance_place i = 0; i < PLAYED_COUNT; i++)
            played.states[i] = SV_INSTANCE_STATE_RUNNING;
        played.may_start = true;
        sv_commander_may_start(&played.cluster);
        for (int i = 0; i < 40; i++) {
            played_run(&played);
            played_wait(&played, 20);
            if (i == 20) { /* what waits for an exit without limit */
                sv_commander_stop_applications(&played.cluster);
            }
        }
        if (sv_commander_is_starting(&played.cluster) ||
            sv_commander_is_stopping(&played.cluster) ||
            played.cluster.commander->waiter_count > 0 ||
            played.cluster.commander->failure_count > 0)
            fail_msg("seed %u: something is left", (unsigned)seed);
        played_done(&played);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_left_when_the_storm_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
