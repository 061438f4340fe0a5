/*
 * The simulation of core/cluster. Without arguments: a fixed set of seeds, and the seeds that have
 * found something (cluster_seeds.def). With SEED [SECONDS]: that life, told line by line with a
 * third argument (`make sim-cluster SEED=… TRACE=1`). With `cost NODES…`: what the mesh costs
 * (`make sim-cost`).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster_discovery.c"
#include "cluster_judge.c"
#include "cluster_network.c"
#include "cluster_node.c"
#include "cluster_turns.c"
#include "cluster_variety.c"
#include "cluster_world.c"

#ifdef SV_SANITIZED
enum { SEEDS = 50 }; /* twenty times slower */
#else
enum { SEEDS = 1000 };
#endif
enum { SECONDS = 8 };

static struct world_figures live(uint64_t seed)
{
    return cluster_world_run(
        &(struct world_options){.seed = seed, .duration_ns = SECONDS * SECOND_NS});
}

static void promises_hold_in_every_life(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        live(seed);
}

static void what_was_found_stays_found(void **state)
{
    (void)state;
    static const struct {
        uint64_t seed, seconds;
    } seeds[] = {
#define SEED(seed, seconds, found) {seed, seconds},
#include "cluster_seeds.def"
#undef SEED
    };
    for (size_t i = 0; i < sizeof(seeds) / sizeof(*seeds); i++)
        cluster_world_run(&(struct world_options){.seed = seeds[i].seed,
                                                  .duration_ns = seeds[i].seconds * SECOND_NS});
}

static void the_same_seed_gives_the_same_life(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct world_figures first = live(seed);
        struct world_figures second = live(seed);
        assert_true(first.digest == second.digest);
        assert_true(first.step_count == second.step_count);
    }
}

/* What docs/mesh.md says of the cost: for each other node a bound, and none for the size of what is
 * told. What N instances see of each other would be told N x N times otherwise. */
static void what_a_node_says_grows_with_the_number_of_nodes_and_no_faster(void **state)
{
    (void)state;
    enum { EACH_MESSAGES_MAX = 50, MESSAGE_BYTES_MAX = 130, EVENT_MESSAGES_MAX = 8 };
    static const uint32_t node_counts[] = {3, 30, 100};
    for (size_t i = 0; i < sizeof(node_counts) / sizeof(*node_counts); i++) {
        uint32_t nodes = node_counts[i];
        uint64_t links = (uint64_t)nodes * (nodes - 1);
        struct world_figures cost = cluster_world_cost(1, nodes);
        assert_in_range(cost.bring_up.messages, 1, EACH_MESSAGES_MAX * links);
        assert_in_range(cost.bring_up.bytes, 1, MESSAGE_BYTES_MAX * cost.bring_up.messages);
        assert_in_range(cost.idle.messages, 1, 5 * links); /* heartbeats */
        assert_in_range(cost.idle.bytes, 1, MESSAGE_BYTES_MAX * cost.idle.messages);
        assert_in_range(cost.change.messages, 1, EVENT_MESSAGES_MAX * nodes);
    }
}

/* A row of the table in docs/mesh.md. */
static void print_cost(uint32_t node_count)
{
    struct world_figures cost = cluster_world_cost(1, node_count);
    const struct traffic *const columns[] = {&cost.bring_up, &cost.idle, &cost.change};
    printf("| %u | %.2f s |", node_count, (double)cost.operation_ns / (double)SECOND_NS);
    for (size_t i = 0; i < sizeof(columns) / sizeof(*columns); i++)
        printf(" %.0f, %.1f KB |", (double)columns[i]->messages / node_count,
               (double)columns[i]->bytes / node_count / 1000);
    printf("\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc >= 3 && strcmp(argv[1], "cost") == 0) {
        for (int i = 2; i < argc; i++)
            print_cost((uint32_t)strtoul(argv[i], NULL, 10));
        return 0;
    }
    if (argc >= 2) {
        struct world_options options = {
            .seed = strtoull(argv[1], NULL, 10),
            .duration_ns = (argc > 2 ? strtoull(argv[2], NULL, 10) : SECONDS) * SECOND_NS,
            .is_traced = argc > 3};
        struct world_figures figures = cluster_world_run(&options);
        printf("seed %" PRIu64 ": %u nodes, OPERATION after %.3f s, %" PRIu64 " steps, %" PRIu64
               " messages, digest %016" PRIx64 "\n",
               options.seed, figures.node_count, (double)figures.operation_ns / (double)SECOND_NS,
               figures.step_count, figures.message_count, figures.digest);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(promises_hold_in_every_life),
        cmocka_unit_test(what_was_found_stays_found),
        cmocka_unit_test(the_same_seed_gives_the_same_life),
        cmocka_unit_test(what_a_node_says_grows_with_the_number_of_nodes_and_no_faster),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
