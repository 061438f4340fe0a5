/*
 * Statistics: what was measured at one moment (io/), and what core/statistics makes of two such
 * measurements. Plain data, borrowed from whoever made it.
 *
 * Counters only ever grow; a rate is the difference of two of them. SV_STATISTIC_UNKNOWN stands
 * where this machine does not tell.
 */
#ifndef SV_PORT_STATISTICS_H
#define SV_PORT_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

#include "config/warn.h"

#define SV_STATISTIC_UNKNOWN (-1)

struct sv_cpu_times {
    uint64_t work_ticks; /* all but idle and waiting for a disk */
    uint64_t idle_ticks;
};

/* Of a network interface: received and sent. Of a disk: read and written. */
struct sv_traffic_counters {
    const char *name;
    uint64_t in_bytes, out_bytes;
};

struct sv_partition_usage {
    const char *mount_point;
    uint64_t total_bytes;
    uint64_t used_bytes;
    uint64_t free_bytes; /* for ordinary users */
    double used_percent; /* of what ordinary users may fill; one decimal */
};

struct sv_host_sample {
    uint64_t now_ns;
    const struct sv_cpu_times *cpus; /* one for each */
    size_t cpu_count;
    uint64_t memory_total_bytes;
    uint64_t memory_available_bytes;
    double memory_percent; /* what is not available; one decimal */
    const struct sv_traffic_counters *interfaces;
    size_t interface_count;
    const struct sv_traffic_counters *disks;
    size_t disk_count;
    const struct sv_partition_usage *partitions;
    size_t partition_count;
};

/* What costs more to read than the rest, so it may be older. SV_STATISTIC_UNKNOWN: not told here.
 */
struct sv_process_details {
    uint64_t now_ns;                   /* 0: not read yet */
    int64_t task_count;                /* threads of all its processes */
    int64_t memory_bytes;              /* charged to the cgroup, with its share of the page cache */
    int64_t read_bytes, written_bytes; /* from and to disks */
    int64_t pressure_us[SV_PRESSURE_COUNT]; /* for how long somebody had to wait */
};

/* One process as users see it: everything that lives in the cgroup of its run. */
struct sv_process_sample {
    uint64_t now_ns;
    int32_t pid;
    uint64_t cpu_ns; /* of all that ever lived in it */
    uint64_t resident_bytes;
    double memory_percent; /* of the memory of the host */
    uint32_t process_count;
    struct sv_process_details details;
};

/* Bytes a second, told in units of 1,024 bits as Supvisors does. */
struct sv_traffic_rate {
    const char *name;
    double in_kibits, out_kibits;
};

struct sv_partition_share {
    const char *mount_point;
    double used_percent;
};

/* The host over one period: what the event hstats tells. */
struct sv_host_statistics {
    double target_period;       /* seconds; one of stats_periods */
    double start, end;          /* of the period; seconds since the first sample */
    const double *cpus_percent; /* the average of all first */
    size_t cpu_count;           /* with that */
    double memory_percent;
    const struct sv_traffic_rate *interfaces;
    size_t interface_count;
    const struct sv_traffic_rate *disks;
    size_t disk_count;
    const struct sv_partition_share *partitions;
    size_t partition_count;
};

/* One process over one period: pstats. */
struct sv_process_statistics {
    double target_period;
    double start, end;
    int32_t pid;
    double cpu_percent; /* of one processor ("IRIX") */
    double memory_percent;
};

#endif
