/*
 * Keys, their order and their types are those of statscompiler.py, push_statistics(). Names of
 * devices and mount points may be any bytes: what is no UTF-8 is left out, as JSON cannot say it.
 */
#include "wire/statistics.h"

static json_t *seconds(uint64_t ns)
{
    return json_real((double)ns / 1e9);
}

static json_t *cpus_json(const struct sv_host_statistics *statistics)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < statistics->cpu_count; i++)
        (void)json_array_append_new(list, json_real(statistics->cpus_percent[i]));
    return list;
}

static json_t *rates_json(const struct sv_traffic_rate *rates, size_t count)
{
    json_t *all = json_object();
    for (size_t i = 0; all && i < count; i++)
        (void)json_object_set_new(all, rates[i].name,
                                  json_pack("[f, f]", rates[i].in_kibits, rates[i].out_kibits));
    return all;
}

static json_t *partitions_json(const struct sv_host_statistics *statistics)
{
    json_t *all = json_object();
    for (size_t i = 0; all && i < statistics->partition_count; i++)
        (void)json_object_set_new(all, statistics->partitions[i].mount_point,
                                  json_real(statistics->partitions[i].used_percent));
    return all;
}

json_t *sv_statistics_host_json(const struct sv_statistics_origin *origin,
                                const struct sv_host_statistics *statistics)
{
    return json_pack("{s:s, s:o, s:f, s:[f, f], s:o, s:f, s:o, s:o, s:o}", "identifier",
                     origin->identifier, "now_monotonic", seconds(origin->now_ns), "target_period",
                     statistics->target_period, "period", statistics->start, statistics->end, "cpu",
                     cpus_json(statistics), "mem", statistics->memory_percent, "net_io",
                     rates_json(statistics->interfaces, statistics->interface_count), "disk_io",
                     rates_json(statistics->disks, statistics->disk_count), "disk_usage",
                     partitions_json(statistics));
}

json_t *sv_statistics_process_json(const struct sv_statistics_origin *origin, const char *namespec,
                                   const struct sv_process_statistics *statistics)
{
    return json_pack("{s:s, s:s, s:i, s:o, s:f, s:[f, f], s:f, s:f}", "namespec", namespec,
                     "identifier", origin->identifier, "pid", (int)statistics->pid, "now_monotonic",
                     seconds(origin->now_ns), "target_period", statistics->target_period, "period",
                     statistics->start, statistics->end, "cpu", statistics->cpu_percent, "mem",
                     statistics->memory_percent);
}
