/*
 * Supvisors 0.19, statscompiler.py, ProcStatisticsInstance, number by number: the first sample is
 * the reference; the first one that is at least a period younger ends the period and is the next
 * reference. So a period is never shorter than it should be, and up to one collecting period
 * longer. A history belongs to one run of a process.
 */
#include "core/statistics/process_history.h"

void sv_process_history_init(struct sv_process_history *history, double period, uint32_t depth)
{
    *history = (struct sv_process_history){
        .period = period,
        .depth = depth,
        .moments = {.element_bytes = sizeof(struct sv_process_moment)},
    };
}

void sv_process_history_done(struct sv_process_history *history)
{
    sv_ring_done(&history->moments);
}

static double seconds_between(uint64_t from_ns, uint64_t to_ns)
{
    return (double)(to_ns - from_ns) / 1e9;
}

int sv_process_history_push(struct sv_process_history *history,
                            const struct sv_process_sample *sample,
                            struct sv_process_statistics *ret)
{
    if (!history->has_reference) {
        history->has_reference = true;
        history->start_ns = history->reference_ns = sample->now_ns;
        history->reference_cpu_ns = sample->cpu_ns;
        return 0;
    }
    double duration = seconds_between(history->reference_ns, sample->now_ns);
    if (duration < history->period)
        return 0;
    /* A cgroup's time never goes back; the sum over the processes of a run without one does. */
    uint64_t work_ns =
        sample->cpu_ns > history->reference_cpu_ns ? sample->cpu_ns - history->reference_cpu_ns : 0;
    struct sv_process_statistics statistics = {
        .target_period = history->period,
        .start = seconds_between(history->start_ns, history->reference_ns),
        .end = seconds_between(history->start_ns, sample->now_ns),
        .pid = sample->pid,
        .cpu_percent = 100.0 * ((double)work_ns / 1e9) / duration,
        .memory_percent = sample->memory_percent,
    };
    struct sv_process_moment moment = {
        .seconds = statistics.end,
        .cpu_percent = (float)statistics.cpu_percent,
        .memory_percent = (float)statistics.memory_percent,
    };
    int r = sv_ring_push(&history->moments, history->depth, &moment);
    if (r < 0)
        return r;
    history->reference_ns = sample->now_ns;
    history->reference_cpu_ns = sample->cpu_ns;
    *ret = statistics;
    return SV_HISTORY_GREW;
}
