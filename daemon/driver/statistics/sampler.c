/*
 * One sample: the host, svisord, and every program that runs.
 *
 * A thousand programs take some 20 ms to read, and a crash is answered in one: so a sample is cut
 * into slices of SV_STATISTICS_SLICE_MAX programs, each in a turn of the loop of its own. The
 * programs are those that ran when it began; each has the time at which it was read itself.
 *
 * What costs more (pressure, bytes from and to disks, tasks) is read for SV_STATISTICS_DETAILS_MAX
 * programs in one sample; with more programs they take turns, and their details are as old as that.
 *
 * A sample that was only asked for by /metrics does not go into the histories: whoever scrapes does
 * not change the periods of who draws.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "driver/statistics/internal.h"
#include "io/process_reader.h"

static bool is_sampled(const struct sv_unit *unit)
{
    return unit->run && unit->run->pid > 0 && !unit->run->is_over;
}

static bool list_programs(struct sv_statistics *statistics)
{
    struct sv_sampling *sampling = &statistics->sampling;
    const struct sv_idmap *units = &statistics->driver->units;
    if (sampling->id_capacity < units->count) {
        sv_process_id *ids = reallocarray(sampling->ids, units->count, sizeof(*ids));
        if (!ids)
            return false;
        sampling->ids = ids;
        sampling->id_capacity = units->count;
    }
    sampling->id_count = sampling->next = 0;
    for (size_t i = 0; i < units->slot_count; i++)
        if (units->slots[i].value && is_sampled(units->slots[i].value))
            sampling->ids[sampling->id_count++] = (sv_process_id)units->slots[i].id;
    return true;
}

static struct sv_tracked *find_tracked(struct sv_statistics *statistics, const struct sv_unit *unit)
{
    struct sv_tracked *tracked = sv_idmap_get(&statistics->tracked, unit->id);
    if (!tracked) {
        tracked = calloc(1, sizeof(*tracked));
        if (!tracked || sv_idmap_put(&statistics->tracked, unit->id, tracked) < 0) {
            free(tracked);
            return NULL;
        }
        tracked->id = unit->id;
    }
    if (tracked->run != unit->run->number) {
        sv_statistics_forget_histories(statistics, tracked);
        tracked->last = (struct sv_process_sample){0};
        tracked->run = unit->run->number;
    }
    return tracked;
}

static bool wants_details(const struct sv_sampling *sampling, size_t place)
{
    size_t distance = (place + sampling->id_count - sampling->details_from) % sampling->id_count;
    return distance < SV_STATISTICS_DETAILS_MAX;
}

void sv_statistics_add_namespec(const struct sv_unit *unit, struct sv_str *out)
{
    const char *group = unit->group->config->name;
    if (strcmp(group, unit->config->name) != 0)
        sv_str_addf(out, "%s:", group);
    sv_str_add(out, unit->config->name);
}

/* Whoever has forked nobody is alone. eBPF has seen every fork of the run since its birth, as far
 * as none of its records was lost. */
static bool is_alone(const struct sv_run *run)
{
    const struct sv_kernel *kernel = run->unit->driver->kernel;
    return !run->is_adopted && run->facts.fork_count == 0 && !sv_kernel_bpf_missing(kernel) &&
           sv_kernel_lost(kernel, SV_BPF_FORK) == 0;
}

static void sample_program(struct sv_statistics *statistics, size_t place)
{
    const struct sv_sampling *sampling = &statistics->sampling;
    const struct sv_unit *unit = sv_driver_unit(statistics->driver, sampling->ids[place]);
    if (!unit || !is_sampled(unit))
        return; /* it has ended meanwhile */
    struct sv_process_sample sample;
    const struct sv_process_place home = {.leaf = unit->run->leaf,
                                          .pid = unit->run->pid,
                                          .is_alone = is_alone(unit->run),
                                          .times = statistics->times};
    if (!sv_process_reader_read(&home, statistics->memory_total_bytes, &sample))
        return;
    struct sv_tracked *tracked = find_tracked(statistics, unit);
    if (!tracked)
        return;
    sample.details = tracked->last.details;
    if (wants_details(sampling, place))
        sv_process_reader_details(&home, &sample.details);
    tracked->last = sample;
    tracked->serial = statistics->serial;
    if (!sampling->is_periodic)
        return;
    struct sv_str namespec SV_CLEANUP(sv_str_done) = {0};
    sv_statistics_add_namespec(unit, &namespec);
    sv_statistics_feed(statistics, tracked, sv_str_text(&namespec));
}

static void sample_host(struct sv_statistics *statistics)
{
    struct sv_host_sample sample;
    if (sv_host_reader_read(statistics->reader, &sample) < 0)
        return;
    statistics->host = sample;
    statistics->memory_total_bytes = sample.memory_total_bytes;
    if (statistics->sampling.is_periodic && statistics->has_host)
        sv_statistics_feed_host(statistics);
}

static void sample_self(struct sv_statistics *statistics)
{
    sv_process_reader_self(statistics->memory_total_bytes, &statistics->self.last);
    if (statistics->sampling.is_periodic && statistics->has_processes)
        sv_statistics_feed(statistics, &statistics->self, "supervisord");
}

static void free_tracked(struct sv_statistics *statistics, struct sv_tracked *tracked)
{
    sv_statistics_forget_histories(statistics, tracked);
    free(tracked);
}

/* What this sample has not seen does not run any more. A removal moves what comes behind it into
 * its slot, so that one is looked at again. */
static void forget_stale(struct sv_statistics *statistics)
{
    const struct sv_idmap *map = &statistics->tracked;
    for (size_t i = 0; i < map->slot_count;) {
        struct sv_tracked *tracked = map->slots[i].value;
        if (!tracked || tracked->serial == statistics->serial) {
            i++;
            continue;
        }
        sv_idmap_remove(&statistics->tracked, tracked->id);
        free_tracked(statistics, tracked);
    }
}

void sv_sampler_forget_programs(struct sv_statistics *statistics)
{
    for (size_t i = 0; i < statistics->tracked.slot_count; i++)
        if (statistics->tracked.slots[i].value)
            free_tracked(statistics, statistics->tracked.slots[i].value);
    sv_idmap_done(&statistics->tracked);
    sv_statistics_forget_histories(statistics, &statistics->self);
}

void sv_sampler_forget_all(struct sv_statistics *statistics)
{
    sv_sampler_forget_programs(statistics);
    free(statistics->sampling.ids);
    sv_cgroup_times_free(statistics->times);
}

static void finish(struct sv_statistics *statistics)
{
    struct sv_sampling *sampling = &statistics->sampling;
    sampling->is_under_way = false;
    statistics->details_turn += SV_STATISTICS_DETAILS_MAX;
    if (sampling->has_programs) {
        forget_stale(statistics);
        statistics->complete_ns = sv_now_ns();
    }
    statistics->sample_count++;
    statistics->cpu_ns += sampling->cpu_ns;
    statistics->last_cpu_ns = sampling->cpu_ns;
    bool is_of_host_only = sampling->is_periodic && !sampling->has_programs;
    if (!is_of_host_only)
        sv_metrics_answer(statistics);
    if (statistics->is_due || statistics->scrapes) {
        bool is_periodic = statistics->is_due && !statistics->scrapes;
        statistics->is_due &= !is_periodic;
        sv_sampler_begin(statistics, is_periodic);
    }
}

void sv_sampler_slice(void *user)
{
    struct sv_statistics *statistics = user;
    struct sv_sampling *sampling = &statistics->sampling;
    uint64_t began_ns = sv_thread_cpu_ns();
    sv_kernel_drain(statistics->driver->kernel); /* forks wait there until somebody looks */
    for (size_t i = 0; i < SV_STATISTICS_SLICE_MAX && sampling->next < sampling->id_count; i++)
        sample_program(statistics, sampling->next++);
    sampling->cpu_ns += sv_thread_cpu_ns() - began_ns;
    if (sampling->next < sampling->id_count)
        sv_source_enable(statistics->slicer, true);
    else
        finish(statistics);
}

/* Of all cgroups at once, where the kernel can. */
static void read_times(struct sv_statistics *statistics)
{
    struct sv_driver *driver = statistics->driver;
    if (!statistics->has_tried_times && driver->tree && !sv_kernel_bpf_missing(driver->kernel)) {
        statistics->has_tried_times = true;
        int r = sv_cgroup_times_new(driver->tree, &statistics->times);
        if (r < 0)
            sv_log_debug("no cgroup iterator, so cpu.stat is read: %s", sv_errno_text(r));
    }
    if (statistics->times && sv_cgroup_times_read(statistics->times) < 0) {
        sv_cgroup_times_free(statistics->times);
        statistics->times = NULL;
    }
}

void sv_sampler_begin(struct sv_statistics *statistics, bool is_periodic)
{
    struct sv_sampling *sampling = &statistics->sampling;
    if (sampling->is_under_way) {
        statistics->is_due |= is_periodic;
        return;
    }
    uint64_t began_ns = sv_thread_cpu_ns();
    sampling->is_under_way = true;
    sampling->is_periodic = is_periodic;
    statistics->serial++;
    sample_host(statistics);
    sample_self(statistics);
    sampling->id_count = sampling->next = 0;
    sampling->has_programs =
        (!is_periodic || statistics->has_processes) && list_programs(statistics);
    if (sampling->has_programs)
        read_times(statistics);
    sampling->details_from = sampling->id_count ? statistics->details_turn % sampling->id_count : 0;
    sampling->cpu_ns = sv_thread_cpu_ns() - began_ns;
    sv_source_enable(statistics->slicer, true);
}
