/*
 * The simulation of the core. Without arguments: a fixed set of seeds, and the seeds that have
 * found something (core_seeds.def). With SEED STEPS: that life, and a line about it; with a third
 * argument, told line by line (`make sim SEED=… STEPS=… TRACE=1`).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "choices.c"
#include "judge.c"
#include "judge_health.c"
#include "programs.c"
#include "rebirth.c"
#include "trace.c"
#include "world.c"

enum { SEEDS = 600, STEPS = 3000 };

static void promises_hold_in_every_life(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        world_run(seed, STEPS, false);
}

static void what_was_found_stays_found(void **state)
{
    (void)state;
    static const struct {
        uint64_t seed, steps;
    } seeds[] = {
#define SEED(seed, steps, found) {seed, steps},
#include "core_seeds.def"
#undef SEED
    };
    for (size_t i = 0; i < sizeof(seeds) / sizeof(*seeds); i++)
        world_run(seeds[i].seed, seeds[i].steps, false);
}

/* A change of the seed changes the life, the same seed does not: nothing but events goes in. */
static void the_same_seed_gives_the_same_actions(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct world_result first = world_run(seed, STEPS, false);
        struct world_result second = world_run(seed, STEPS, false);
        assert_true(first.digest == second.digest);
        assert_true(first.action_count == second.action_count);
        assert_true(first.digest != world_run(seed + 1000, STEPS, false).digest);
    }
}

int main(int argc, char **argv)
{
    if (argc >= 3) {
        uint64_t seed = strtoull(argv[1], NULL, 10);
        struct world_result result = world_run(seed, strtoull(argv[2], NULL, 10), argc > 3);
        printf("seed %" PRIu64 ": %" PRIu64 " steps, %" PRIu64 " actions, %" PRIu64
               " spawns, %" PRIu64 " deliveries, digest %016" PRIx64 "\n",
               seed, result.step_count, result.action_count, result.spawn_count,
               result.deliver_count, result.digest);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(promises_hold_in_every_life),
        cmocka_unit_test(what_was_found_stays_found),
        cmocka_unit_test(the_same_seed_gives_the_same_actions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
