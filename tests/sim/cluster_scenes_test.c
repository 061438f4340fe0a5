/*
 * Scenes of the simulated cluster: what a life from a seed comes to rarely, set up on purpose.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster_discovery.c"
#include "cluster_judge.c"
#include "cluster_network.c"
#include "cluster_node.c"
#include "cluster_turns.c"
#include "cluster_variety.c"
#include "cluster_world.c"

enum {
    B2 = 4, /* beta:b2, which runs as soon as it is started */
    C1 = 5, /* gamma:c1, which nothing starts by itself */
};

/* No faults; the daemons of the first `born_count` nodes are there. */
static struct world *begin(uint32_t node_count, uint32_t born_count)
{
    struct world *world =
        create(&(struct world_options){.seed = 1, .node_count = node_count, .is_calm = true});
    struct item item;
    while (world_pop(world, &item)) {
    }
    world->config.synchro_timeout = 2;
    for (uint32_t i = 0; i < node_count; i++)
        for (uint32_t p = 0; p < PROGRAMS; p++)
            world->nodes[i].actors[p].is_configured = true;
    for (uint32_t i = 0; i < born_count; i++)
        node_birth(world, i);
    return world;
}

static void let_pass(struct world *world, uint64_t seconds)
{
    live_until(world, world->now_ns + seconds * SECOND_NS, false);
}

/* With its programs, and for good. */
static void lose_node(struct world *world, uint32_t index)
{
    node_crash(world, index, true);
    for (size_t i = 0; i < world->item_count; i++)
        if (world->items[i].kind == ITEM_BIRTH)
            world->items[i].kind = ITEM_FAULT; /* which nobody makes in a calm world */
}

static const struct sv_member *member_of(const struct world *world, uint32_t node, uint32_t program)
{
    const struct sv_application *application = sv_model_application(
        &world->nodes[node].cluster->model, world->programs[program].application);
    return application ? sv_application_member(application, world->programs[program].name) : NULL;
}

/* It is asked for, and nothing comes of it: the actor only seems to be startable. */
static void start_in_vain(struct world *world, uint32_t master)
{
    for (uint32_t i = 0; i < world->node_count; i++)
        world->nodes[i].actors[C1].is_alive = true;
    node_request(world, master,
                 (struct sv_cluster_request){.kind = SV_REQUEST_START_PROCESS, .name = "gamma:c1"});
    let_pass(world, 10);
    for (uint32_t i = 0; i < world->node_count; i++)
        world->nodes[i].actors[C1].is_alive = false;
}

static void assert_forced(const struct world *world, uint32_t node, bool is_forced)
{
    const struct sv_member *member = member_of(world, node, C1);
    assert_non_null(member);
    assert_int_equal(member->is_forced, is_forced);
    if (is_forced)
        assert_int_equal(sv_member_shown_state(member), SV_PROCESS_FATAL);
}

static void who_comes_late_learns_what_was_forced_and_when_it_ends(void **state)
{
    (void)state;
    struct world *world = begin(4, 2);
    let_pass(world, 10);
    uint32_t master = sv_machine_master(world->nodes[0].cluster);
    start_in_vain(world, master);
    for (uint32_t i = 0; i < 2; i++)
        assert_forced(world, i, true);
    node_birth(world, 2);
    let_pass(world, 5);
    assert_forced(world, 2, true);
    assert_string_equal(member_of(world, 2, C1)->forced_reason,
                        member_of(world, master, C1)->forced_reason);
    start(world, 1, C1);
    let_pass(world, 2);
    for (uint32_t i = 0; i < 3; i++)
        assert_forced(world, i, false);
    destroy(world);
}

static void what_a_lost_instance_has_forced_is_told_by_the_others(void **state)
{
    (void)state;
    struct world *world = begin(4, 3);
    let_pass(world, 10);
    uint32_t master = sv_machine_master(world->nodes[0].cluster);
    start_in_vain(world, master);
    lose_node(world, master);
    let_pass(world, 15);
    node_birth(world, 3);
    let_pass(world, 5);
    for (uint32_t i = 0; i < 4; i++)
        if (i != master)
            assert_forced(world, i, true);
    destroy(world);
}

/* Until it is answered, and not a message longer. */
static void ask_and_wait(struct world *world, uint32_t node, enum sv_cluster_request_kind kind,
                         const char *name)
{
    node_request(
        world, node,
        (struct sv_cluster_request){
            .kind = kind, .name = name, .starting = SV_STARTING_STRATEGY_LOCAL, .does_wait = true});
    const struct asked *asked = &world->asked[world->last_request % REQUESTS_MAX];
    uint64_t patience_ns = world->now_ns + 5 * SECOND_NS;
    struct item item;
    while (asked->is_open && world->now_ns < patience_ns && world_pop(world, &item)) {
        world_push(world, &item);
        live_until(world, item.due_ns, false);
    }
    assert_false(asked->is_open);
}

/* What it has sent and has not arrived yet never arrives. */
static void silence(struct world *world, uint32_t node)
{
    for (size_t i = 0; i < world->item_count; i++)
        if (world->items[i].kind == ITEM_PACKET && world->items[i].other == node)
            world->items[i].kind = ITEM_FAULT;
}

static void what_a_client_was_told_outlives_the_master(void **state)
{
    (void)state;
    struct world *world = begin(3, 3);
    let_pass(world, 15);
    uint32_t master = sv_machine_master(world->nodes[0].cluster);
    ask_and_wait(world, master, SV_REQUEST_STOP_PROCESS, "beta:b2");
    ask_and_wait(world, master, SV_REQUEST_START_PROCESS, "beta:b2");
    assert_true(world->nodes[master].actors[B2].is_alive);
    silence(world, master);
    lose_node(world, master);
    let_pass(world, 10);
    uint32_t living = 0;
    for (uint32_t i = 0; i < 3; i++)
        living += i != master && world->nodes[i].actors[B2].is_alive;
    assert_int_equal(living, 1);
    destroy(world);
}

/* A child lives the lives; what it said before it aborted. "": it saw nothing wrong. */
static void find_wrong(enum world_lie lie, char *ret_words, size_t size)
{
    enum { LIVES = 150 };
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGABRT, SIG_DFL);
        dup2(ends[1], STDERR_FILENO);
        for (uint64_t seed = 1; seed <= LIVES; seed++)
            cluster_world_run(
                &(struct world_options){.seed = seed, .duration_ns = 8 * SECOND_NS, .lie = lie});
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t count;
    while (length < size - 1 && (count = read(ends[0], ret_words + length, size - 1 - length)) > 0)
        length += (size_t)count;
    ret_words[length] = '\0';
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WIFSIGNALED(status), length > 0);
}

static void the_judge_sees_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        enum world_lie lie;
        const char *promise;
    } lies[] = {
        {LIE_KEEPER, "a managed program never has two living copies"},
        {LIE_TURN, "no program is started while those before it are starting"},
        {LIE_TERM, "a term has one Master"},
    };
    for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
        char words[1024];
        find_wrong(lies[i].lie, words, sizeof(words));
        assert_non_null(strstr(words, lies[i].promise));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_comes_late_learns_what_was_forced_and_when_it_ends),
        cmocka_unit_test(the_judge_sees_what_is_wrong),
        cmocka_unit_test(what_a_client_was_told_outlives_the_master),
        cmocka_unit_test(what_a_lost_instance_has_forced_is_told_by_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
