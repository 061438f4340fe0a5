/*
 * What the host uses, from /proc, with the names and the choices of psutil 5.9, which is what
 * Supvisors measures with: so the interfaces, devices and partitions have the same names, and the
 * numbers mean the same.
 *
 *   /proc/stat            a line for each processor that is on, in clock ticks. Work is user, nice,
 *                         system, irq, softirq and steal (guests are in user); idle is idle and
 * iowait /proc/meminfo         MemAvailable (Linux 3.14) is what could be had without swapping
 *   /proc/net/dev         interfaces that are running (SIOCGIFFLAGS)
 *   /proc/diskstats       every block device and partition; sectors are always 512 bytes
 *   /proc/self/mounts     file systems on a device: those that /proc/filesystems does not call
 * nodev. Those of a network are not asked, so that none of them can stop the daemon
 *
 * A read costs about 0.2 ms on a machine with a handful of each.
 */
#include "io/host_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <mntent.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/str.h"
#include "io/loop.h"

enum { READ_BYTES = 16384, LINE_BYTES = 4096, SECTOR_BYTES = 512, KIB = 1024 };

struct sv_host_reader {
    struct sv_str text;    /* of one file */
    struct sv_arena arena; /* of one sample */
    int socket_fd;         /* to ask for the flags of interfaces; -1: none could be had */
};

struct sv_host_reader *sv_host_reader_new(void)
{
    struct sv_host_reader *reader = calloc(1, sizeof(*reader));
    if (reader)
        reader->socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (reader && reader->socket_fd < 0)
        reader->socket_fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return reader;
}

void sv_host_reader_free(struct sv_host_reader *reader)
{
    if (!reader)
        return;
    if (reader->socket_fd >= 0)
        close(reader->socket_fd);
    sv_str_done(&reader->text);
    sv_arena_done(&reader->arena);
    free(reader);
}

static const char *next_line(const char *line)
{
    line += strcspn(line, "\n");
    return *line ? line + 1 : line;
}

/* Numbers behind one another. Returns how many there were before something else. */
static size_t read_numbers(const char *text, uint64_t *ret, size_t max)
{
    size_t count = 0;
    for (char *end; count < max; text = end, count++) {
        text += strspn(text, " ");
        if (*text < '0' || *text > '9')
            break;
        ret[count] = strtoull(text, &end, 10);
    }
    return count;
}

static size_t count_lines(const char *text, size_t max)
{
    size_t count = 0;
    for (; *text && count < max; text = next_line(text))
        count++;
    return count;
}

/* cpu0 user nice system idle iowait irq softirq steal guest guest_nice */
int sv_host_parse_stat(const char *text, struct sv_arena *arena, struct sv_host_sample *ret)
{
    enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, FIELD_COUNT };
    size_t max = count_lines(text, SV_STATISTICS_CPUS_MAX + 1);
    struct sv_cpu_times *cpus = sv_arena_array(arena, struct sv_cpu_times, max + 1);
    if (!cpus)
        return -ENOMEM;
    size_t count = 0;
    for (; strncmp(text, "cpu", 3) == 0 && count < SV_STATISTICS_CPUS_MAX; text = next_line(text)) {
        uint64_t fields[FIELD_COUNT] = {0};
        const char *numbers = text + strcspn(text, " \n");
        if (text[3] < '0' || text[3] > '9' ||
            read_numbers(numbers, fields, FIELD_COUNT) <= (size_t)IOWAIT)
            continue;
        cpus[count++] = (struct sv_cpu_times){
            .work_ticks = fields[USER] + fields[NICE] + fields[SYSTEM] + fields[IRQ] +
                          fields[SOFTIRQ] + fields[STEAL],
            .idle_ticks = fields[IDLE] + fields[IOWAIT],
        };
    }
    ret->cpus = cpus;
    ret->cpu_count = count;
    return 0;
}

static uint64_t memory_field(const char *text, const char *key)
{
    size_t length = strlen(key);
    for (; *text; text = next_line(text))
        if (strncmp(text, key, length) == 0)
            return strtoull(text + length, NULL, 10) * KIB;
    return 0;
}

static double one_decimal(double percent)
{
    return (double)(int64_t)(percent * 10 + 0.5) / 10;
}

int sv_host_parse_memory(const char *text, struct sv_host_sample *ret)
{
    uint64_t total = memory_field(text, "MemTotal:");
    uint64_t available = memory_field(text, "MemAvailable:");
    if (available == 0 || available > total) /* lxc: psutil does the same */
        available = memory_field(text, "MemFree:");
    if (available > total)
        available = total;
    ret->memory_total_bytes = total;
    ret->memory_available_bytes = available;
    ret->memory_percent =
        total ? one_decimal((double)(total - available) / (double)total * 100) : 0;
    return 0;
}

/* Two lines of titles, then "  eth0: received-bytes … (8 fields) sent-bytes …" */
int sv_host_parse_network(const char *text, struct sv_arena *arena, struct sv_host_sample *ret)
{
    enum { RECEIVED = 0, SENT = 8, FIELD_COUNT };
    text = next_line(next_line(text));
    size_t max = count_lines(text, SV_STATISTICS_DEVICES_MAX);
    struct sv_traffic_counters *rows = sv_arena_array(arena, struct sv_traffic_counters, max + 1);
    if (!rows)
        return -ENOMEM;
    size_t count = 0;
    for (; *text && count < max; text = next_line(text)) {
        uint64_t fields[FIELD_COUNT];
        const char *name = text + strspn(text, " ");
        const char *end = memrchr(name, ':', strcspn(name, "\n")); /* eth0:1 has two */
        if (!end || read_numbers(end + 1, fields, FIELD_COUNT) < (size_t)FIELD_COUNT)
            continue;
        char *copy = sv_arena_strndup(arena, name, (size_t)(end - name));
        if (!copy)
            return -ENOMEM;
        rows[count++] = (struct sv_traffic_counters){copy, fields[RECEIVED], fields[SENT]};
    }
    ret->interfaces = rows;
    ret->interface_count = count;
    return 0;
}

/* "   8       0 sda reads merged sectors ms writes merged sectors …" */
int sv_host_parse_disks(const char *text, struct sv_arena *arena, struct sv_host_sample *ret)
{
    enum { SECTORS_READ = 2, SECTORS_WRITTEN = 6, FIELD_COUNT };
    size_t max = count_lines(text, SV_STATISTICS_DEVICES_MAX);
    struct sv_traffic_counters *rows = sv_arena_array(arena, struct sv_traffic_counters, max + 1);
    if (!rows)
        return -ENOMEM;
    size_t count = 0;
    for (; *text && count < max; text = next_line(text)) {
        char name[64];
        int name_end = 0;
        uint64_t fields[FIELD_COUNT];
        if (sscanf(text, "%*u %*u %63s%n", name, &name_end) != 1 ||
            read_numbers(text + name_end, fields, FIELD_COUNT) < (size_t)FIELD_COUNT)
            continue;
        char *copy = sv_arena_strdup(arena, name);
        if (!copy)
            return -ENOMEM;
        rows[count++] = (struct sv_traffic_counters){copy, fields[SECTORS_READ] * SECTOR_BYTES,
                                                     fields[SECTORS_WRITTEN] * SECTOR_BYTES};
    }
    ret->disks = rows;
    ret->disk_count = count;
    return 0;
}

/* The whole file; "" when it cannot be read. */
static const char *read_file(struct sv_host_reader *reader, const char *path)
{
    sv_str_clear(&reader->text);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return "";
    while (reader->text.length < SV_STATISTICS_FILE_BYTES_MAX) {
        char *room = sv_str_reserve(&reader->text, READ_BYTES);
        ssize_t length = room ? read(fd, room, READ_BYTES) : -1;
        if (length <= 0)
            break;
        sv_str_grew(&reader->text, (size_t)length);
    }
    close(fd);
    return sv_str_text(&reader->text);
}

static bool is_running(const struct sv_host_reader *reader, const char *name)
{
    struct ifreq request = {0};
    if (reader->socket_fd < 0 || strlen(name) >= sizeof(request.ifr_name))
        return true;
    memcpy(request.ifr_name, name, strlen(name));
    return ioctl(reader->socket_fd, SIOCGIFFLAGS, &request) == 0 &&
           (request.ifr_flags & IFF_RUNNING);
}

static void drop_idle_interfaces(const struct sv_host_reader *reader, struct sv_host_sample *sample)
{
    struct sv_traffic_counters *rows = (struct sv_traffic_counters *)sample->interfaces;
    size_t kept = 0;
    for (size_t i = 0; i < sample->interface_count; i++)
        if (is_running(reader, rows[i].name))
            rows[kept++] = rows[i];
    sample->interface_count = kept;
}

/* `types` is /proc/filesystems: "nodev\ttmpfs", "\text4". zfs calls itself nodev and has devices.
 */
static bool has_device(const char *types, const struct mntent *mount)
{
    size_t length = strlen(mount->mnt_type);
    if (!*mount->mnt_fsname || strcmp(mount->mnt_fsname, "none") == 0)
        return false;
    for (; *types; types = next_line(types)) {
        const char *name = types + strcspn(types, "\t\n");
        bool is_nodev = name > types;
        if (*name == '\t' && strncmp(name + 1, mount->mnt_type, length) == 0 &&
            name[1 + length] == '\n')
            return !is_nodev || strcmp(mount->mnt_type, "zfs") == 0;
    }
    return false;
}

static bool ask_partition(const char *mount_point, struct sv_partition_usage *ret)
{
    struct statvfs usage;
    if (statvfs(mount_point, &usage) < 0)
        return false;
    uint64_t unit = usage.f_frsize;
    uint64_t used = (usage.f_blocks - usage.f_bfree) * unit;
    uint64_t free_bytes = usage.f_bavail * unit;
    uint64_t all = used + free_bytes;
    *ret = (struct sv_partition_usage){
        .total_bytes = usage.f_blocks * unit,
        .used_bytes = used,
        .free_bytes = free_bytes,
        .used_percent = all ? one_decimal((double)used / (double)all * 100) : 0,
    };
    return true;
}

static int read_partitions(struct sv_host_reader *reader, struct sv_host_sample *ret)
{
    const char *types = read_file(reader, "/proc/filesystems");
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    struct sv_partition_usage *rows =
        sv_arena_array(&reader->arena, struct sv_partition_usage, SV_STATISTICS_DEVICES_MAX);
    size_t count = 0;
    int r = rows ? 0 : -ENOMEM;
    struct mntent mount;
    char line[LINE_BYTES];
    while (r == 0 && mounts && count < SV_STATISTICS_DEVICES_MAX &&
           getmntent_r(mounts, &mount, line, sizeof(line))) {
        struct sv_partition_usage row;
        if (!has_device(types, &mount) || !ask_partition(mount.mnt_dir, &row))
            continue;
        size_t place = 0; /* what is mounted over something else hides it */
        while (place < count && strcmp(rows[place].mount_point, mount.mnt_dir) != 0)
            place++;
        row.mount_point = place < count ? rows[place].mount_point
                                        : sv_arena_strdup(&reader->arena, mount.mnt_dir);
        if (!row.mount_point)
            r = -ENOMEM;
        rows[place] = row;
        count += place == count;
    }
    if (mounts)
        endmntent(mounts);
    ret->partitions = rows;
    ret->partition_count = r == 0 ? count : 0;
    return r;
}

int sv_host_reader_read(struct sv_host_reader *reader, struct sv_host_sample *ret_sample)
{
    struct sv_host_sample sample = {.now_ns = sv_now_ns()};
    sv_arena_done(&reader->arena);
    int r = sv_host_parse_stat(read_file(reader, "/proc/stat"), &reader->arena, &sample);
    if (r == 0)
        r = sv_host_parse_memory(read_file(reader, "/proc/meminfo"), &sample);
    if (r == 0)
        r = sv_host_parse_network(read_file(reader, "/proc/net/dev"), &reader->arena, &sample);
    if (r == 0)
        r = sv_host_parse_disks(read_file(reader, "/proc/diskstats"), &reader->arena, &sample);
    if (r == 0)
        r = read_partitions(reader, &sample);
    if (r < 0)
        return r;
    drop_idle_interfaces(reader, &sample);
    *ret_sample = sample;
    return 0;
}
