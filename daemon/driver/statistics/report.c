/*
 * What svisor.getHostStatistics, svisor.getProcessStatistics and svisor.getUsage answer: histories
 * for whoever draws them, for a process also what the last sample read, and the last averages of
 * all. As Supvisors' pages do, the processor time of a process is told in per cent of the whole
 * node unless stats_irix_mode is set; events and /metrics do not know of that option.
 */
#include "driver/statistics/internal.h"

static size_t find_period(const struct sv_statistics_config *config, double period)
{
    for (size_t i = 0; i < config->period_count; i++)
        if (period <= 0 || (config->periods[i] >= period && config->periods[i] <= period))
            return i;
    return SIZE_MAX;
}

static void append(json_t *list, double number)
{
    (void)json_array_append_new(list, json_real(number));
}

/* A float has seven digits; more would be noise in the answer. */
static double rounded(float number)
{
    return (double)(int64_t)((double)number * 1e4 + 0.5) / 1e4;
}

static json_t *cpus_json(const struct sv_host_history *history)
{
    json_t *all = json_array();
    for (size_t cpu = 0; all && cpu < history->cpu_count; cpu++) {
        json_t *one = json_array();
        for (uint32_t i = 0; one && i < history->cpus.count; i++) {
            const float *values = sv_ring_at(&history->cpus, i);
            append(one, rounded(values[cpu]));
        }
        (void)json_array_append_new(all, one);
    }
    return all;
}

/* {name: {times, <keys[0]>, <keys[1]>}} */
static json_t *devices_json(const struct sv_device_histories *histories, const char *const *keys)
{
    json_t *all = json_object();
    for (size_t i = 0; all && i < histories->count; i++) {
        const struct sv_ring *moments = &histories->items[i].moments;
        json_t *times = json_array(), *values[2] = {json_array(), json_array()};
        for (uint32_t k = 0; k < moments->count; k++) {
            const struct sv_device_moment *moment = sv_ring_at(moments, k);
            append(times, moment->seconds);
            append(values[0], rounded(moment->values[0]));
            append(values[1], rounded(moment->values[1]));
        }
        json_t *one = json_pack("{s:o, s:o}", "times", times, keys[0], values[0]);
        if (keys[1])
            (void)json_object_set(one, keys[1], values[1]);
        json_decref(values[1]);
        (void)json_object_set_new(all, histories->items[i].name, one);
    }
    return all;
}

json_t *sv_statistics_host_report(const struct sv_driver *driver, double period)
{
    static const char *const net_keys[] = {"received", "sent"};
    static const char *const disk_keys[] = {"read", "written"};
    static const char *const partition_keys[] = {"used", NULL};
    const struct sv_statistics *statistics = driver->statistics;
    size_t place = find_period(statistics->config, period);
    if (place == SIZE_MAX)
        return json_null();
    const struct sv_host_history *history = &statistics->host_histories[place];
    json_t *times = json_array(), *memory = json_array();
    for (uint32_t i = 0; i < history->moments.count; i++) {
        const struct sv_host_moment *moment = sv_ring_at(&history->moments, i);
        append(times, moment->seconds);
        append(memory, rounded(moment->memory_percent));
    }
    return json_pack("{s:f, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "target_period", history->period,
                     "cores", history->cpu_count ? (int)history->cpu_count - 1 : 0, "times", times,
                     "cpu", cpus_json(history), "mem", memory, "net_io",
                     devices_json(&history->interfaces, net_keys), "disk_io",
                     devices_json(&history->disks, disk_keys), "disk_usage",
                     devices_json(&history->partitions, partition_keys));
}

static void set_number(json_t *out, const char *key, int64_t number)
{
    if (number >= 0)
        (void)json_object_set_new(out, key, json_integer(number));
}

/* What is not told on this machine has no key. */
static json_t *sample_json(const struct sv_process_sample *sample)
{
    static const char *const pressures[] = {
        [SV_PRESSURE_CPU] = "cpu_pressure",
        [SV_PRESSURE_MEMORY] = "memory_pressure",
        [SV_PRESSURE_IO] = "io_pressure",
    };
    const struct sv_process_details *details = &sample->details;
    json_t *out = json_pack(
        "{s:i, s:f, s:f, s:I, s:i}", "pid", (int)sample->pid, "now_monotonic",
        (double)sample->now_ns / 1e9, "cpu_seconds", (double)sample->cpu_ns / 1e9, "resident_bytes",
        (json_int_t)sample->resident_bytes, "processes", (int)sample->process_count);
    if (!out || details->now_ns == 0)
        return out;
    (void)json_object_set_new(out, "details_monotonic", json_real((double)details->now_ns / 1e9));
    set_number(out, "tasks", details->task_count);
    set_number(out, "memory_bytes", details->memory_bytes);
    set_number(out, "read_bytes", details->read_bytes);
    set_number(out, "written_bytes", details->written_bytes);
    for (size_t i = 0; i < SV_PRESSURE_COUNT; i++)
        if (details->pressure_us[i] >= 0)
            (void)json_object_set_new(out, pressures[i],
                                      json_real((double)details->pressure_us[i] / 1e6));
    return out;
}

/* What per cent of one processor are divided by. */
static double divisor_of(const struct sv_statistics *statistics)
{
    bool is_irix = statistics->config->irix_mode;
    return is_irix || statistics->host.cpu_count == 0 ? 1 : (double)statistics->host.cpu_count;
}

json_t *sv_statistics_process_report(const struct sv_driver *driver, sv_process_id process,
                                     double period)
{
    const struct sv_statistics *statistics = driver->statistics;
    size_t place = find_period(statistics->config, period);
    if (place == SIZE_MAX)
        return json_null();
    const struct sv_tracked *tracked = sv_idmap_get(&statistics->tracked, process);
    const struct sv_process_history *history =
        tracked && tracked->histories ? &tracked->histories[place] : NULL;
    double divisor = divisor_of(statistics);
    json_t *times = json_array(), *cpu = json_array(), *memory = json_array();
    for (uint32_t i = 0; history && i < history->moments.count; i++) {
        const struct sv_process_moment *moment = sv_ring_at(&history->moments, i);
        append(times, moment->seconds);
        append(cpu, rounded((float)((double)moment->cpu_percent / divisor)));
        append(memory, rounded(moment->memory_percent));
    }
    return json_pack("{s:f, s:i, s:b, s:o, s:o, s:o, s:o}", "target_period",
                     statistics->config->periods[place], "cores", (int)statistics->host.cpu_count,
                     "irix_mode", (int)statistics->config->irix_mode, "times", times, "cpu", cpu,
                     "mem", memory, "last", tracked ? sample_json(&tracked->last) : json_object());
}

static json_t *host_usage(const struct sv_host_history *history)
{
    json_t *usage = json_object();
    uint32_t count = history->moments.count;
    if (!usage || count == 0 || history->cpus.count == 0)
        return usage;
    const float *cpus = sv_ring_at(&history->cpus, history->cpus.count - 1);
    const struct sv_host_moment *moment = sv_ring_at(&history->moments, count - 1);
    (void)json_object_set_new(usage, "cpu", json_real(rounded(cpus[0])));
    (void)json_object_set_new(usage, "mem", json_real(rounded(moment->memory_percent)));
    return usage;
}

/* Of the present runs only: what a process used before its end is no usage. */
static json_t *processes_usage(const struct sv_statistics *statistics, size_t place)
{
    const struct sv_idmap *map = &statistics->tracked;
    double divisor = divisor_of(statistics);
    json_t *all = json_object();
    for (size_t i = 0; all && i < map->slot_count; i++) {
        const struct sv_tracked *tracked = map->slots[i].value;
        if (!tracked || !tracked->histories || tracked->histories[place].moments.count == 0)
            continue;
        const struct sv_unit *unit = sv_driver_unit(statistics->driver, tracked->id);
        if (!unit || !unit->run || unit->run->number != tracked->run)
            continue;
        const struct sv_ring *moments = &tracked->histories[place].moments;
        const struct sv_process_moment *moment = sv_ring_at(moments, moments->count - 1);
        struct sv_str namespec SV_CLEANUP(sv_str_done) = {0};
        sv_statistics_add_namespec(unit, &namespec);
        (void)json_object_set_new(all, sv_str_text(&namespec),
                                  json_pack("[f, f]",
                                            rounded((float)((double)moment->cpu_percent / divisor)),
                                            rounded(moment->memory_percent)));
    }
    return all;
}

json_t *sv_statistics_usage_report(const struct sv_driver *driver, double period)
{
    const struct sv_statistics *statistics = driver->statistics;
    size_t place = find_period(statistics->config, period);
    if (place == SIZE_MAX)
        return json_null();
    json_t *periods = json_array();
    for (size_t i = 0; i < statistics->config->period_count; i++)
        append(periods, statistics->config->periods[i]);
    return json_pack("{s:f, s:o, s:f, s:i, s:b, s:o, s:o}", "now", (double)sv_wall_ns() / 1e9,
                     "periods", periods, "target_period", statistics->config->periods[place],
                     "cores", (int)statistics->host.cpu_count, "irix_mode",
                     (int)statistics->config->irix_mode, "host",
                     host_usage(&statistics->host_histories[place]), "processes",
                     processes_usage(statistics, place));
}
