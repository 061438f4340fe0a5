/* What the files of driver/statistics share. */
#ifndef SV_DRIVER_STATISTICS_INTERNAL_H
#define SV_DRIVER_STATISTICS_INTERNAL_H

#include "core/statistics/host_history.h"
#include "driver/internal.h"
#include "driver/statistics/statistics.h"
#include "io/host_reader.h"

/* One program that was running at the last sample, or svisord itself. */
struct sv_tracked {
    sv_process_id id; /* 0: svisord */
    uint32_t run;     /* the one that `last` is of */
    uint32_t serial;  /* of the sample that saw it */
    struct sv_process_sample last;
    struct sv_process_history *histories; /* one for each period; NULL: not kept */
};

struct sv_scrape;

/* The sample under way. */
struct sv_sampling {
    bool is_under_way;
    bool is_periodic; /* what is read goes into the histories */
    bool has_programs;
    sv_process_id *ids;
    size_t id_count, id_capacity, next;
    size_t details_from; /* first of those in `ids` whose details are read */
    uint64_t cpu_ns;     /* spent on it so far */
};

struct sv_statistics {
    struct sv_driver *driver;
    const struct sv_statistics_config *config;
    struct sv_config *owner; /* a reference: keeps `config` alive */
    bool is_for_looks;       /* no section: collected while somebody looks */
    uint64_t looked_ns;      /* when somebody did last */
    bool has_host, has_processes;
    double period; /* stats_collecting_period, or what it was changed to */
    struct sv_statistics_hearer hearer;
    struct sv_source *timer;
    struct sv_source *slicer;
    bool is_due; /* the timer has fired while a sample was under way */

    struct sv_host_reader *reader;
    struct sv_host_sample host;             /* cpu_count 0: not read yet */
    struct sv_host_history *host_histories; /* one for each period */
    struct sv_tracked self;
    struct sv_idmap tracked; /* process id -> struct sv_tracked */
    uint64_t memory_total_bytes;

    struct sv_cgroup_times *times; /* NULL: not needed yet, or not to be had */
    bool has_tried_times;
    struct sv_sampling sampling;
    uint32_t serial;
    size_t details_turn;
    uint64_t complete_ns; /* when the last one with all programs was; 0: never */
    uint64_t sample_count;
    uint64_t cpu_ns, last_cpu_ns; /* spent on all samples, on the last one */

    struct sv_scrape *scrapes; /* requests that wait for the sample */
    size_t scrape_count;
    uint64_t refused_count;
};

/* Begins one, or makes the one under way be followed by another. */
void sv_sampler_begin(struct sv_statistics *statistics, bool is_periodic);
void sv_sampler_slice(void *statistics);
/* What was read of them and of svisord, with its histories. */
void sv_sampler_forget_programs(struct sv_statistics *statistics);
void sv_sampler_forget_all(struct sv_statistics *statistics);
/* Supvisors' namespec: a process that has the name of its group is called once. */
void sv_statistics_add_namespec(const struct sv_unit *unit, struct sv_str *out);
/* statistics.c: a period has ended, perhaps. */
void sv_statistics_feed_host(struct sv_statistics *statistics);
void sv_statistics_feed(struct sv_statistics *statistics, struct sv_tracked *tracked,
                        const char *namespec);
void sv_statistics_forget_histories(struct sv_statistics *statistics, struct sv_tracked *tracked);
/* metrics.c: the sample is complete. */
void sv_metrics_answer(struct sv_statistics *statistics);

#endif
