/* How long to wait before a program is started again. See restart.c for the essay. */
#ifndef SV_CORE_LOCAL_RESTART_H
#define SV_CORE_LOCAL_RESTART_H

#include "config/config.h"

#define SV_NS_PER_SECOND UINT64_C(1000000000)

/* A small generator (splitmix64): the seed is the whole story. */
struct sv_random {
    uint64_t state;
};

uint64_t sv_random_next(struct sv_random *random);

/* The pause after failed start number `failure_count` (from 1). */
uint64_t sv_restart_pause_after_failed_start_ns(const struct sv_program_config *config,
                                                uint32_t failure_count, struct sv_random *random);
/* The pause after an end from RUNNING, when `failure_count` failures are remembered and this was
 * quick end number `quick_end_count` in a row. */
uint64_t sv_restart_pause_after_exit_ns(const struct sv_program_config *config,
                                        uint32_t failure_count, uint32_t quick_end_count,
                                        struct sv_random *random);
/* True when failure `failure_count` was one too many. */
bool sv_restart_is_exhausted(const struct sv_program_config *config, uint32_t failure_count);
/* Failures outlive RUNNING, until it has lasted for restart_reset_after. */
bool sv_restart_remembers(const struct sv_program_config *config);

/* Seconds to nanoseconds, never wrapping. */
uint64_t sv_seconds_to_ns(double seconds);
/* A point in time, SV_NEVER at most. */
uint64_t sv_time_after(uint64_t now_ns, uint64_t pause_ns);

#endif
