/*
 * The families of /metrics: tables of name, unit and where the number is, one for what there is
 * once (svisord, the host), one for programs, and one for each kind of device.
 */
#include "driver/statistics/metrics.h"

#include <unistd.h>

#include "driver/statistics/internal.h"

static const double ns_per_second = 1e9, us_per_second = 1e6;
static const struct sv_metric_label no_labels[] = {{0}};

static void write_one(const struct sv_metric_family *family, double value, struct sv_str *out)
{
    sv_openmetrics_family(family, out);
    sv_openmetrics_sample(family, no_labels, value, out);
}

/* --- svisord itself --- */

static double uptime_cpu(const struct sv_statistics *statistics)
{
    return (double)statistics->self.last.cpu_ns / ns_per_second;
}

static double own_memory(const struct sv_statistics *statistics)
{
    return (double)statistics->self.last.resident_bytes;
}

static double sampling_cpu(const struct sv_statistics *statistics)
{
    return (double)statistics->cpu_ns / ns_per_second;
}

static double last_sampling_cpu(const struct sv_statistics *statistics)
{
    return (double)statistics->last_cpu_ns / ns_per_second;
}

static double sample_count(const struct sv_statistics *statistics)
{
    return (double)statistics->sample_count;
}

static double refused_count(const struct sv_statistics *statistics)
{
    return (double)statistics->refused_count;
}

static double host_memory(const struct sv_statistics *statistics)
{
    return (double)statistics->host.memory_total_bytes;
}

static double available_memory(const struct sv_statistics *statistics)
{
    return (double)statistics->host.memory_available_bytes;
}

static const struct {
    struct sv_metric_family family;
    double (*value)(const struct sv_statistics *statistics);
} singles[] = {
    {{"svisor_daemon_cpu_seconds", SV_METRIC_COUNTER, "seconds",
      "Processor time that svisord has used."},
     uptime_cpu},
    {{"svisor_daemon_resident_memory_bytes", SV_METRIC_GAUGE, "bytes",
      "Resident memory of svisord."},
     own_memory},
    {{"svisor_statistics_samples", SV_METRIC_COUNTER, "", "Measurements of everything."},
     sample_count},
    {{"svisor_statistics_cpu_seconds", SV_METRIC_COUNTER, "seconds",
      "Processor time that those have cost; in svisor_daemon_cpu_seconds too."},
     sampling_cpu},
    {{"svisor_statistics_last_cpu_seconds", SV_METRIC_GAUGE, "seconds",
      "Processor time that the last one has cost."},
     last_sampling_cpu},
    {{"svisor_statistics_requests_refused", SV_METRIC_COUNTER, "",
      "Requests for these metrics that were answered 503, because too many waited."},
     refused_count},
    {{"svisor_host_memory_bytes", SV_METRIC_GAUGE, "bytes", "Memory of the host."}, host_memory},
    {{"svisor_host_memory_available_bytes", SV_METRIC_GAUGE, "bytes",
      "Memory of the host that programs could have without swapping."},
     available_memory},
};

static void write_losses(const struct sv_statistics *statistics, struct sv_str *out)
{
    static const struct sv_metric_family family = {"svisor_kernel_records_lost", SV_METRIC_COUNTER,
                                                   "",
                                                   "Records of eBPF that did not fit into the ring "
                                                   "buffer, by kind; every process is looked at "
                                                   "again then."};
    sv_openmetrics_family(&family, out);
    for (unsigned kind = 0; kind < SV_BPF_KIND_COUNT; kind++) {
        const struct sv_metric_label labels[] = {{"kind", sv_kernel_kind_word(kind)}, {0}};
        if (labels[0].value && *labels[0].value)
            sv_openmetrics_sample(&family, labels,
                                  (double)sv_kernel_lost(statistics->driver->kernel, kind), out);
    }
}

static void write_daemon(const struct sv_statistics *statistics, struct sv_str *out)
{
    static const struct sv_metric_family build = {"svisor_build", SV_METRIC_INFO, "",
                                                  "The version of svisord."};
    const struct sv_metric_label labels[] = {{"version", SV_VERSION}, {0}};
    sv_openmetrics_family(&build, out);
    sv_openmetrics_sample(&build, labels, 1, out);
    for (size_t i = 0; i < SV_ARRAY_LENGTH(singles); i++)
        write_one(&singles[i].family, singles[i].value(statistics), out);
    write_losses(statistics, out);
}

/* --- the host --- */

static void write_cpus(const struct sv_host_sample *host, struct sv_str *out)
{
    static const struct sv_metric_family family = {
        "svisor_host_cpu_seconds", SV_METRIC_COUNTER, "seconds",
        "Time that the processors of the host, in the order of /proc/stat, have worked or not."};
    double ticks_per_second = (double)sysconf(_SC_CLK_TCK);
    sv_openmetrics_family(&family, out);
    for (size_t i = 0; i < host->cpu_count; i++) {
        char number[24];
        snprintf(number, sizeof(number), "%zu", i);
        const struct sv_metric_label work[] = {{"cpu", number}, {"mode", "work"}, {0}};
        const struct sv_metric_label idle[] = {{"cpu", number}, {"mode", "idle"}, {0}};
        sv_openmetrics_sample(&family, work, (double)host->cpus[i].work_ticks / ticks_per_second,
                              out);
        sv_openmetrics_sample(&family, idle, (double)host->cpus[i].idle_ticks / ticks_per_second,
                              out);
    }
}

struct device_families {
    const char *label;
    struct sv_metric_family in, out;
};

/* Devices that were never used say nothing: a machine has dozens of them. */
static void write_counters(const struct device_families *families,
                           const struct sv_traffic_counters *rows, size_t count, struct sv_str *out)
{
    for (int is_out = 0; is_out < 2; is_out++) {
        const struct sv_metric_family *family = is_out ? &families->out : &families->in;
        sv_openmetrics_family(family, out);
        for (size_t i = 0; i < count; i++) {
            const struct sv_metric_label labels[] = {{families->label, rows[i].name}, {0}};
            uint64_t bytes = is_out ? rows[i].out_bytes : rows[i].in_bytes;
            if (rows[i].in_bytes > 0 || rows[i].out_bytes > 0)
                sv_openmetrics_sample(family, labels, (double)bytes, out);
        }
    }
}

static double partition_size(const struct sv_partition_usage *partition)
{
    return (double)partition->total_bytes;
}

static double partition_used(const struct sv_partition_usage *partition)
{
    return (double)partition->used_bytes;
}

static double partition_available(const struct sv_partition_usage *partition)
{
    return (double)partition->free_bytes;
}

static void write_partitions(const struct sv_host_sample *host, struct sv_str *out)
{
    static const struct {
        struct sv_metric_family family;
        double (*value)(const struct sv_partition_usage *partition);
    } rows[] = {
        {{"svisor_host_filesystem_size_bytes", SV_METRIC_GAUGE, "bytes",
          "Size of a file system on a device."},
         partition_size},
        {{"svisor_host_filesystem_used_bytes", SV_METRIC_GAUGE, "bytes", "What is used of it."},
         partition_used},
        {{"svisor_host_filesystem_available_bytes", SV_METRIC_GAUGE, "bytes",
          "What ordinary users may still write to it."},
         partition_available},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(rows); i++) {
        sv_openmetrics_family(&rows[i].family, out);
        for (size_t k = 0; k < host->partition_count; k++) {
            const struct sv_metric_label labels[] = {
                {"mountpoint", host->partitions[k].mount_point}, {0}};
            sv_openmetrics_sample(&rows[i].family, labels, rows[i].value(&host->partitions[k]),
                                  out);
        }
    }
}

static void write_host(const struct sv_host_sample *host, struct sv_str *out)
{
    static const struct device_families network = {
        "interface",
        {"svisor_host_network_receive_bytes", SV_METRIC_COUNTER, "bytes",
         "Bytes that came in by an interface of the host."},
        {"svisor_host_network_transmit_bytes", SV_METRIC_COUNTER, "bytes",
         "Bytes that went out by it."},
    };
    static const struct device_families disks = {
        "device",
        {"svisor_host_disk_read_bytes", SV_METRIC_COUNTER, "bytes",
         "Bytes read from a block device, or a partition of one."},
        {"svisor_host_disk_written_bytes", SV_METRIC_COUNTER, "bytes", "Bytes written to it."},
    };
    write_cpus(host, out);
    write_counters(&network, host->interfaces, host->interface_count, out);
    write_counters(&disks, host->disks, host->disk_count, out);
    write_partitions(host, out);
}

/* --- programs --- */

/* One program at the moment of the answer. */
struct program {
    struct sv_process_view view;
    const struct sv_process_sample *sample; /* NULL: it does not run */
};

/* Negative: there is no sample. */
static double is_running(const struct program *program)
{
    return program->view.state == SV_PROCESS_RUNNING;
}

static double run_count(const struct program *program)
{
    return program->view.run;
}

static double start_time(const struct program *program)
{
    return program->sample ? (double)program->view.started_wall_ns / ns_per_second : -1;
}

static double cpu_seconds(const struct program *program)
{
    return program->sample ? (double)program->sample->cpu_ns / ns_per_second : -1;
}

static double resident(const struct program *program)
{
    return program->sample ? (double)program->sample->resident_bytes : -1;
}

static double process_count(const struct program *program)
{
    return program->sample ? (double)program->sample->process_count : -1;
}

static bool has_details(const struct program *program)
{
    return program->sample && program->sample->details.now_ns != 0;
}

static double memory(const struct program *program)
{
    return has_details(program) ? (double)program->sample->details.memory_bytes : -1;
}

static double task_count(const struct program *program)
{
    return has_details(program) ? (double)program->sample->details.task_count : -1;
}

static double disk_read(const struct program *program)
{
    return has_details(program) ? (double)program->sample->details.read_bytes : -1;
}

static double disk_written(const struct program *program)
{
    return has_details(program) ? (double)program->sample->details.written_bytes : -1;
}

static double waited(const struct program *program, enum sv_pressure kind)
{
    return has_details(program) ? (double)program->sample->details.pressure_us[kind] / us_per_second
                                : -1;
}

static double waited_cpu(const struct program *program)
{
    return waited(program, SV_PRESSURE_CPU);
}

static double waited_memory(const struct program *program)
{
    return waited(program, SV_PRESSURE_MEMORY);
}

static double waited_io(const struct program *program)
{
    return waited(program, SV_PRESSURE_IO);
}

static const struct program_family {
    struct sv_metric_family family;
    double (*value)(const struct program *program);
} program_families[] = {
    {{"svisor_process_running", SV_METRIC_GAUGE, "", "1 if the process is RUNNING, else 0."},
     is_running},
    {{"svisor_process_starts", SV_METRIC_COUNTER, "", "How often it was started."}, run_count},
    {{"svisor_process_start_time_seconds", SV_METRIC_GAUGE, "seconds",
      "When it was started last, since 1970; missing when it does not run."},
     start_time},
    {{"svisor_process_cpu_seconds", SV_METRIC_COUNTER, "seconds",
      "Processor time of this run, with everything that it has started."},
     cpu_seconds},
    {{"svisor_process_resident_memory_bytes", SV_METRIC_GAUGE, "bytes",
      "Resident memory of all its processes."},
     resident},
    {{"svisor_process_memory_bytes", SV_METRIC_GAUGE, "bytes",
      "What its cgroup is charged for, with page cache (memory controller)."},
     memory},
    {{"svisor_process_processes", SV_METRIC_GAUGE, "", "How many processes it is."}, process_count},
    {{"svisor_process_tasks", SV_METRIC_GAUGE, "", "How many threads those have together."},
     task_count},
    {{"svisor_process_disk_read_bytes", SV_METRIC_COUNTER, "bytes", "Bytes it made disks read."},
     disk_read},
    {{"svisor_process_disk_written_bytes", SV_METRIC_COUNTER, "bytes",
      "Bytes it made disks write."},
     disk_written},
    {{"svisor_process_waiting_for_cpu_seconds", SV_METRIC_COUNTER, "seconds",
      "For how long some of it had to wait for a processor."},
     waited_cpu},
    {{"svisor_process_waiting_for_memory_seconds", SV_METRIC_COUNTER, "seconds",
      "For how long some of it had to wait for memory."},
     waited_memory},
    {{"svisor_process_waiting_for_io_seconds", SV_METRIC_COUNTER, "seconds",
      "For how long some of it had to wait for a disk."},
     waited_io},
};

static void write_program(const struct program_family *row, const struct sv_statistics *statistics,
                          const struct sv_group_view *group, size_t place, struct sv_str *out)
{
    struct program program;
    sv_process_id id = group->processes[place];
    if (!sv_core_process(statistics->driver->core, id, &program.view))
        return;
    const struct sv_tracked *tracked = sv_idmap_get(&statistics->tracked, id);
    bool is_current = tracked && program.view.pid != 0 && tracked->run == program.view.run;
    program.sample = is_current ? &tracked->last : NULL;
    double value = row->value(&program);
    const struct sv_metric_label labels[] = {
        {"group", group->config->name}, {"process", group->programs[place]->name}, {0}};
    if (value >= 0)
        sv_openmetrics_sample(&row->family, labels, value, out);
}

static void write_programs(const struct sv_statistics *statistics, struct sv_str *out)
{
    size_t group_count;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(program_families); i++) {
        sv_openmetrics_family(&program_families[i].family, out);
        const struct sv_group_view *groups = sv_core_groups(statistics->driver->core, &group_count);
        for (size_t k = 0; k < group_count; k++)
            for (size_t p = 0; p < groups[k].process_count; p++)
                write_program(&program_families[i], statistics, &groups[k], p, out);
    }
}

void sv_metrics_write(const struct sv_statistics *statistics, struct sv_str *out)
{
    write_daemon(statistics, out);
    write_host(&statistics->host, out);
    write_programs(statistics, out);
    sv_openmetrics_end(out);
}
