/* One process over one of stats_periods: samples in, averages and their history out. See
 * process_history.c. */
#ifndef SV_CORE_STATISTICS_PROCESS_HISTORY_H
#define SV_CORE_STATISTICS_PROCESS_HISTORY_H

#include <stdbool.h>

#include "core/statistics/ring.h"
#include "port/statistics.h"

#define SV_HISTORY_GREW 1

struct sv_process_moment {
    double seconds; /* since the first sample */
    float cpu_percent;
    float memory_percent;
};

struct sv_process_history {
    double period; /* seconds */
    uint32_t depth;
    bool has_reference;
    uint64_t start_ns;
    uint64_t reference_ns, reference_cpu_ns;
    struct sv_ring moments; /* struct sv_process_moment */
};

void sv_process_history_init(struct sv_process_history *history, double period, uint32_t depth);
void sv_process_history_done(struct sv_process_history *history);
/* 0: the period is not over. SV_HISTORY_GREW: `ret` has its average. -ENOMEM: as 0. */
int sv_process_history_push(struct sv_process_history *history,
                            const struct sv_process_sample *sample,
                            struct sv_process_statistics *ret);

#endif
