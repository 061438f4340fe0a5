/*
 * What a cgroup has used and where it hit a limit: a handful of small files, read once when a run
 * has ended, some 2 us each. Most of them exist only where a controller is enabled; what is not
 * there is "unknown", never zero.
 *
 * An id of a cgroup, as eBPF gives it for the sender of a signal, is turned into a path by a file
 * handle of kernfs: type 0xfe, eight bytes of id (fs/kernfs/mount.c, since 5.5). Only root may open
 * by handle.
 */
#include "io/cgroup_usage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "io/cgroup_tree.h"
#include "io/cgroup_walk.h"

enum {
    FILE_BYTES = 4096,    /* cpu.stat has under 1 KB; cgroup.procs of 500 processes */
    HANDLE_KERNFS = 0xfe, /* FILEID_KERNFS of linux/exportfs.h */
    LEVELS_MAX = 64,
};

/* The number behind `key` in "key 12\n…", or the only word of the file with key "". */
static int64_t number_in(const char *text, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        if (strncmp(line, key, length) != 0 || (length > 0 && line[length] != ' '))
            continue;
        if (strncmp(line + length, "max", 3) == 0)
            return SV_CGROUP_NO_LIMIT;
        char *end;
        intmax_t value = strtoimax(line + length, &end, 10);
        return end == line + length || value < 0 ? SV_CGROUP_UNKNOWN : value;
    }
    return SV_CGROUP_UNKNOWN;
}

static int64_t read_number(int fd, const char *file, const char *key)
{
    char text[FILE_BYTES];
    ssize_t length = sv_cgroup_read(fd, file, text, sizeof(text));
    return length < 0 ? SV_CGROUP_UNKNOWN : number_in(text, key);
}

/* "some avg10=0.00 avg60=1.25 avg300=…" */
static int64_t read_pressure(int fd, const char *file)
{
    char text[FILE_BYTES];
    ssize_t length = sv_cgroup_read(fd, file, text, sizeof(text));
    const char *at = length > 0 ? strstr(text, "avg60=") : NULL;
    unsigned whole, part;
    if (!at || sscanf(at, "avg60=%3u.%2u", &whole, &part) != 2)
        return SV_CGROUP_UNKNOWN;
    return (int64_t)whole * 100 + part;
}

void sv_cgroup_usage_read(int fd, struct sv_cgroup_usage *ret_usage)
{
    *ret_usage = (struct sv_cgroup_usage){
        .cpu_us = read_number(fd, "cpu.stat", "usage_usec"),
        .memory_peak_bytes = read_number(fd, "memory.peak", ""),
        .memory_max_bytes = read_number(fd, "memory.max", ""),
        .oom_count = read_number(fd, "memory.events.local", "oom"),
        .oom_kill_count = read_number(fd, "memory.events", "oom_kill"),
        .pids_peak = read_number(fd, "pids.peak", ""),
        .cpu_pressure = read_pressure(fd, "cpu.pressure"),
        .memory_pressure = read_pressure(fd, "memory.pressure"),
        .io_pressure = read_pressure(fd, "io.pressure"),
    };
}

void sv_cgroup_leaf_oom(const struct sv_cgroup_leaf *leaf, struct sv_cgroup_oom *ret_oom)
{
    const struct sv_cgroup_place *place = sv_cgroup_leaf_place(leaf);
    struct sv_str path SV_CLEANUP(sv_str_done) = {0};
    sv_str_add(&path, sv_cgroup_leaf_path(leaf));
    size_t root_length = strlen(place->mount_point);
    for (unsigned level = 0; level < LEVELS_MAX && sv_str_ok(&path) && path.length > root_length;
         level++) {
        int fd = open(path.data, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            return;
        struct sv_cgroup_usage usage;
        sv_cgroup_usage_read(fd, &usage);
        close(fd);
        if (usage.oom_count > 0 && usage.memory_max_bytes != SV_CGROUP_NO_LIMIT) {
            sv_cgroup_place_kernel_path(place, path.data, &ret_oom->path);
            ret_oom->is_own = level == 0;
            ret_oom->limit_bytes = usage.memory_max_bytes;
            ret_oom->peak_bytes = usage.memory_peak_bytes;
            return;
        }
        const char *slash = strrchr(path.data, '/');
        sv_str_truncate(&path, slash ? (size_t)(slash - path.data) : 0);
    }
}

int sv_cgroup_tree_path_of(const struct sv_cgroup_tree *tree, uint64_t id, struct sv_str *ret_path)
{
    union {
        struct file_handle handle;
        char bytes[sizeof(struct file_handle) + sizeof(id)];
    } box = {.handle = {.handle_bytes = sizeof(id), .handle_type = HANDLE_KERNFS}};
    memcpy(box.bytes + offsetof(struct file_handle, f_handle), &id, sizeof(id));
    int mount_fd = open(tree->place.mount_point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (mount_fd < 0)
        return -errno;
    int fd = open_by_handle_at(mount_fd, &box.handle, O_PATH | O_CLOEXEC);
    int error = -errno;
    close(mount_fd);
    if (fd < 0)
        return error;
    char link[32], path[PATH_MAX];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof(path) - 1);
    error = -errno;
    close(fd);
    if (length < 0)
        return error_trace(error);
    path[length] = '\0';
    size_t root_length = strlen(tree->place.mount_point);
    if (strncmp(path, tree->place.mount_point, root_length) != 0)
        return -ENOENT; /* removed, or not below our mount */
    size_t before = ret_path->length;
    sv_cgroup_place_kernel_path(&tree->place, path, ret_path);
    if (ret_path->length == before)
        sv_str_add_char(ret_path, '/');
    return sv_str_ok(ret_path) ? 0 : -ENOMEM;
}

void sv_cgroup_leaf_kernel_path(const struct sv_cgroup_leaf *leaf, struct sv_str *ret_path)
{
    sv_cgroup_place_kernel_path(sv_cgroup_leaf_place(leaf), sv_cgroup_leaf_path(leaf), ret_path);
}

int64_t sv_cgroup_leaf_count(const struct sv_cgroup_leaf *leaf, int64_t max)
{
    char text[FILE_BYTES];
    ssize_t length = sv_cgroup_read(sv_cgroup_leaf_fd(leaf), "cgroup.procs", text, sizeof(text));
    int64_t count = 0;
    for (ssize_t i = 0; i < length && count < max; i++)
        count += text[i] == '\n';
    return count;
}
