/*
 * The simulation of the core. Without arguments: a fixed set of seeds. With SEED STEPS: that life,
 * and a line about it (`make sim SEED=… STEPS=…`).
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
#include "programs.c"
#include "rebirth.c"
#include "world.c"

enum { SEEDS = 600, STEPS = 3000 };

static void promises_hold_in_every_life(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        world_run(seed, STEPS);
}

/* A change of the seed changes the life, the same seed does not: nothing but events goes in. */
static void the_same_seed_gives_the_same_actions(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct world_result first = world_run(seed, STEPS);
        struct world_result second = world_run(seed, STEPS);
        assert_true(first.digest == second.digest);
        assert_true(first.action_count == second.action_count);
        assert_true(first.digest != world_run(seed + 1000, STEPS).digest);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        uint64_t seed = strtoull(argv[1], NULL, 10);
        struct world_result result = world_run(seed, strtoull(argv[2], NULL, 10));
        printf("seed %" PRIu64 ": %" PRIu64 " steps, %" PRIu64 " actions, %" PRIu64
               " spawns, %" PRIu64 " deliveries, digest %016" PRIx64 "\n",
               seed, result.step_count, result.action_count, result.spawn_count,
               result.deliver_count, result.digest);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(promises_hold_in_every_life),
        cmocka_unit_test(the_same_seed_gives_the_same_actions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
