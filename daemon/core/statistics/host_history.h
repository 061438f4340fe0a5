/* The host over one of stats_periods: samples in, averages and their history out. See
 * host_history.c. */
#ifndef SV_CORE_STATISTICS_HOST_HISTORY_H
#define SV_CORE_STATISTICS_HOST_HISTORY_H

#include <stdbool.h>

#include "core/statistics/process_history.h"

struct sv_host_moment {
    double seconds; /* since the first sample */
    float memory_percent;
};

/* An interface or disk: kibits in and out. A partition: per cent in the first. */
struct sv_device_moment {
    double seconds;
    float values[2];
};

struct sv_device_history {
    char *name;
    struct sv_ring moments; /* struct sv_device_moment */
};

struct sv_device_histories {
    struct sv_device_history *items; /* in the order in which they came */
    size_t count;
};

struct sv_host_reference;

struct sv_host_history {
    double period; /* seconds */
    uint32_t depth;
    uint64_t start_ns;
    struct sv_host_reference *reference; /* NULL: there is no sample yet */
    struct sv_ring moments;              /* struct sv_host_moment */
    struct sv_ring cpus; /* beside it: a float for each of cpu_count, the average first */
    size_t cpu_count;    /* with the average; 0: there is no sample yet */
    struct sv_device_histories interfaces, disks, partitions;
    struct sv_host_statistics last; /* what the last push has returned lives in here */
};

void sv_host_history_init(struct sv_host_history *history, double period, uint32_t depth);
void sv_host_history_done(struct sv_host_history *history);
/*
 * 0: the period is not over. SV_HISTORY_GREW: `ret` has its average, borrowed until the next push
 * and, for the names, no longer than the sample. -ENOMEM: nothing, or not everything, was kept.
 */
int sv_host_history_push(struct sv_host_history *history, const struct sv_host_sample *sample,
                         struct sv_host_statistics *ret);

#endif
