/*
 * What one run uses, and where it stands.
 *
 *   - The time of processors of everything that ever lived in the cgroup: cgroup_times.h, or
 *     usage_usec of cpu.stat, which needs no controller since Linux 4.20 (kernel/cgroup/rstat.c).
 *   - The resident memory of those who live there (cgroup.procs): /proc/PID/statm, as no file of a
 *     cgroup tells it. It is what Supvisors calls the memory of a process; what is shared between
 *     processes counts for each of them.
 *   - What the cgroup is charged for, with page cache: memory.current, of the memory controller.
 *   - Tasks: pids.current, of the pids controller; else the lines of cgroup.threads.
 *   - Bytes from and to disks: io.stat, of the io controller; else /proc/PID/io, which forgets who
 *     has ended, and may be read by root and the same user only.
 *   - Pressure: the total of the line "some" of *.pressure, in microseconds, without controllers
 *     (Linux 5.2, CONFIG_PSI).
 *
 * Measured for one of 1,000 programs with one process, files opened anew each time: cpu.stat 16 us,
 * statm 10 us; the details 90 us. Keeping the files open would save a third, and cost 2,000
 * descriptors and 8 MB in the kernel (each open one has a page).
 *
 * A program that makes cgroups below its own: their time, and with controllers their memory, tasks
 * and bytes are counted, but not the resident memory of those who live there.
 */
#include "io/process_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <time.h>
#include <unistd.h>

#include "io/cgroup_walk.h"
#include "io/loop.h"

enum {
    FILE_BYTES = 4096,
    PIDS_BYTES = 16384, /* of cgroup.procs: more processes than 2,000 are not counted */
    NS_PER_US = 1000,
};

static int64_t number_behind(const char *text, const char *key)
{
    const char *at = text ? strstr(text, key) : NULL;
    if (!at)
        return SV_STATISTIC_UNKNOWN;
    at += strlen(key);
    at += strspn(at, " \t");
    return *at >= '0' && *at <= '9' ? (int64_t)strtoull(at, NULL, 10) : SV_STATISTIC_UNKNOWN;
}

static int64_t read_number(int fd, const char *name, const char *key)
{
    char text[FILE_BYTES];
    return sv_cgroup_read(fd, name, text, sizeof(text)) < 0 ? SV_STATISTIC_UNKNOWN
                                                            : number_behind(text, key);
}

/* /proc/PID/NAME; false: it has ended, or may not be read. */
static bool read_proc(pid_t pid, const char *name, char *text, size_t size)
{
    char path[48];
    snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
    return sv_cgroup_read(AT_FDCWD, path, text, size) >= 0;
}

/* The second number of "size resident shared …", in pages. */
static uint64_t resident_bytes(pid_t pid)
{
    char text[128];
    unsigned long long pages;
    if (!read_proc(pid, "statm", text, sizeof(text)) || sscanf(text, "%*u %llu", &pages) != 1)
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Calls `function` for those that live in the leaf, for at most SV_STATISTICS_PIDS_MAX of them.
 * Returns how many there are. */
static uint32_t visit(const struct sv_cgroup_leaf *leaf, void (*function)(void *user, pid_t pid),
                      void *user)
{
    char text[PIDS_BYTES];
    ssize_t length = sv_cgroup_read(sv_cgroup_leaf_fd(leaf), "cgroup.procs", text, sizeof(text));
    uint32_t count = 0;
    char *end;
    for (const char *at = text; length > 0 && *at >= '0' && *at <= '9'; at = end + (*end == '\n')) {
        long pid = strtol(at, &end, 10);
        if (*end != '\n')
            break; /* cut off */
        if (pid > 0 && count++ < SV_STATISTICS_PIDS_MAX)
            function(user, (pid_t)pid);
    }
    return count;
}

static void add_resident(void *user, pid_t pid)
{
    uint64_t *sum = user;
    *sum += resident_bytes(pid);
}

/* utime, stime, and those of children that were waited for: fields 14 to 17. */
static bool read_proc_cpu(pid_t pid, uint64_t *ret_ns)
{
    char text[1024];
    unsigned long long ticks[4];
    const char *at = read_proc(pid, "stat", text, sizeof(text)) ? strrchr(text, ')') : NULL;
    if (!at || sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu",
                      &ticks[0], &ticks[1], &ticks[2], &ticks[3]) != 4)
        return false;
    uint64_t per_second = (uint64_t)sysconf(_SC_CLK_TCK);
    *ret_ns = (ticks[0] + ticks[1] + ticks[2] + ticks[3]) * (UINT64_C(1000000000) / per_second);
    return true;
}

static double percent_of(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole * 100 : 0;
}

static void read_memory(const struct sv_process_place *place, struct sv_process_sample *sample)
{
    if (!place->leaf || place->is_alone) {
        sample->process_count = 1;
        sample->resident_bytes = resident_bytes(place->pid);
        return;
    }
    sample->process_count = visit(place->leaf, add_resident, &sample->resident_bytes);
    if (sample->process_count > SV_STATISTICS_PIDS_MAX) /* the rest is like those */
        sample->resident_bytes =
            sample->resident_bytes / SV_STATISTICS_PIDS_MAX * sample->process_count;
}

/* Of a leaf: from the pass over all of them, or from its file. */
static bool read_leaf_cpu(const struct sv_process_place *place, struct sv_process_sample *sample)
{
    if (place->times &&
        sv_cgroup_times_of(place->times, sv_cgroup_leaf_id(place->leaf), &sample->cpu_ns)) {
        sample->now_ns = sv_cgroup_times_ns(place->times);
        return true;
    }
    int64_t cpu_us = read_number(sv_cgroup_leaf_fd(place->leaf), "cpu.stat", "usage_usec");
    sample->cpu_ns = cpu_us > 0 ? (uint64_t)cpu_us * NS_PER_US : 0;
    return cpu_us >= 0;
}

bool sv_process_reader_read(const struct sv_process_place *place, uint64_t memory_total_bytes,
                            struct sv_process_sample *ret_sample)
{
    struct sv_process_sample sample = {.now_ns = sv_now_ns(), .pid = place->pid};
    bool is_known = place->leaf && read_leaf_cpu(place, &sample);
    if (!is_known && !read_proc_cpu(place->pid, &sample.cpu_ns))
        return false;
    read_memory(place, &sample);
    sample.memory_percent = percent_of(sample.resident_bytes, memory_total_bytes);
    *ret_sample = sample;
    return sample.process_count > 0;
}

/* --- details --- */

/* "8:0 rbytes=1 wbytes=2 rios=…", a line for each disk. */
static bool read_io_stat(int fd, struct sv_process_details *details)
{
    char text[FILE_BYTES];
    if (sv_cgroup_read(fd, "io.stat", text, sizeof(text)) < 0)
        return false;
    details->read_bytes = details->written_bytes = 0;
    char *rest = text;
    for (const char *line; (line = strsep(&rest, "\n"));) {
        int64_t read_bytes = number_behind(line, "rbytes=");
        int64_t written_bytes = number_behind(line, "wbytes=");
        details->read_bytes += read_bytes > 0 ? read_bytes : 0;
        details->written_bytes += written_bytes > 0 ? written_bytes : 0;
    }
    return true;
}

static void add_number(int64_t *sum, int64_t number)
{
    if (number >= 0)
        *sum = (*sum < 0 ? 0 : *sum) + number;
}

static void add_proc_io(void *user, pid_t pid)
{
    struct sv_process_details *details = user;
    char text[512];
    if (!read_proc(pid, "io", text, sizeof(text)))
        return;
    add_number(&details->read_bytes, number_behind(text, "\nread_bytes:"));
    add_number(&details->written_bytes, number_behind(text, "\nwrite_bytes:"));
}

static int64_t proc_threads(pid_t pid)
{
    char text[FILE_BYTES];
    return read_proc(pid, "status", text, sizeof(text)) ? number_behind(text, "\nThreads:")
                                                        : SV_STATISTIC_UNKNOWN;
}

/* Lines of cgroup.threads. */
static int64_t count_threads(int fd)
{
    char text[PIDS_BYTES];
    if (sv_cgroup_read(fd, "cgroup.threads", text, sizeof(text)) < 0)
        return SV_STATISTIC_UNKNOWN;
    int64_t count = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        count++;
    return count;
}

static void read_pressures(int fd, struct sv_process_details *details)
{
    static const char *const files[] = {
        [SV_PRESSURE_CPU] = "cpu.pressure",
        [SV_PRESSURE_MEMORY] = "memory.pressure",
        [SV_PRESSURE_IO] = "io.pressure",
    };
    for (size_t i = 0; i < SV_PRESSURE_COUNT; i++)
        details->pressure_us[i] = read_number(fd, files[i], "total=");
}

void sv_process_reader_details(const struct sv_process_place *place,
                               struct sv_process_details *ret_details)
{
    struct sv_process_details details = {
        .now_ns = sv_now_ns(),
        .task_count = SV_STATISTIC_UNKNOWN,
        .memory_bytes = SV_STATISTIC_UNKNOWN,
        .read_bytes = SV_STATISTIC_UNKNOWN,
        .written_bytes = SV_STATISTIC_UNKNOWN,
        .pressure_us = {SV_STATISTIC_UNKNOWN, SV_STATISTIC_UNKNOWN, SV_STATISTIC_UNKNOWN},
    };
    if (!place->leaf) {
        details.task_count = proc_threads(place->pid);
        add_proc_io(&details, place->pid);
        *ret_details = details;
        return;
    }
    int fd = sv_cgroup_leaf_fd(place->leaf);
    details.memory_bytes = read_number(fd, "memory.current", "");
    details.task_count = read_number(fd, "pids.current", "");
    if (details.task_count < 0)
        details.task_count = count_threads(fd);
    if (!read_io_stat(fd, &details) && place->is_alone)
        add_proc_io(&details, place->pid);
    else if (details.read_bytes < 0)
        visit(place->leaf, add_proc_io, &details);
    read_pressures(fd, &details);
    *ret_details = details;
}

void sv_process_reader_self(uint64_t memory_total_bytes, struct sv_process_sample *ret_sample)
{
    struct timespec spent = {0};
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    pid_t pid = getpid();
    struct sv_process_sample sample = {
        .now_ns = sv_now_ns(),
        .pid = pid,
        .cpu_ns = (uint64_t)spent.tv_sec * UINT64_C(1000000000) + (uint64_t)spent.tv_nsec,
        .resident_bytes = resident_bytes(pid),
        .process_count = 1,
    };
    sample.memory_percent = percent_of(sample.resident_bytes, memory_total_bytes);
    sv_process_reader_details(&(struct sv_process_place){.pid = pid}, &sample.details);
    *ret_sample = sample;
}

uint64_t sv_thread_cpu_ns(void)
{
    struct timespec spent = {0};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return (uint64_t)spent.tv_sec * UINT64_C(1000000000) + (uint64_t)spent.tv_nsec;
}
