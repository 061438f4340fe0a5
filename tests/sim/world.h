/*
 * A world for the core to live in: programs that crash, hang and leave strays, answers that come
 * late, twice or for the wrong run, listeners that refuse; and a judge that checks every action.
 * See world.c.
 */
#ifndef SV_TESTS_SIM_WORLD_H
#define SV_TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

struct world_result {
    uint64_t digest;     /* of every action, in order */
    uint64_t step_count; /* until QUIT */
    uint64_t action_count;
    uint64_t spawn_count;
    uint64_t deliver_count;
    uint64_t rebirth_count; /* of the daemon */
};

/* Runs one life of a core: `step_count` steps with faults, then healed, then a shutdown to the end.
 * A broken promise prints the seed and aborts. `is_traced`: every event and action is printed. */
struct world_result world_run(uint64_t seed, uint64_t step_count, bool is_traced);

#endif
