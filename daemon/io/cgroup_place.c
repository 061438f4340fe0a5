/*
 * Where the tree goes.
 *
 * The mount is read from /proc/self/mountinfo: /sys/fs/cgroup, /sys/fs/cgroup/unified on hybrid
 * hosts, or anything else. The places below it that are tried, best first:
 *
 *   1. what systemd gives when it is asked: the cgroup of svisor-programs.service, or a scope; see
 *      cgroup_systemd.c;
 *   2. the daemon's own cgroup, when systemd has delegated it (Delegate=yes leaves the extended
 *      attribute user.delegate or trusted.delegate): systemd then promises to keep its hands off;
 *   3. the root of the mount: there is no systemd, or it did not answer;
 *   4. the daemon's own cgroup without a word from systemd: an ordinary user to whom an
 *      administrator gave a cgroup by chown, a container with a writable mount.
 *
 * Whether one of them may be written is only known by trying: cgroup.c does, in this order.
 */
#include "io/cgroup_place.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"

/* The initial cgroup namespace has this fixed inode: PROC_CGROUP_INIT_INO in the kernel's
 * proc_ns.h. */
#define INITIAL_NAMESPACE "cgroup:[4026531835]"

static void close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

static void free_text(char **text)
{
    free(*text);
}

/* Spaces and the like are written as three octal digits: mangle_path() in the kernel. */
static void decode_octal(char *text)
{
    char *out = text;
    for (const char *at = text; *at; at++) {
        if (at[0] == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] && at[3]) {
            *out++ = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0'));
            at += 3;
        } else
            *out++ = *at;
    }
    *out = '\0';
}

/* One line: "36 35 98:0 /root /point options [tags] - cgroup2 source options". */
static bool read_mount_line(char *line, struct sv_cgroup_place *place)
{
    const char *type = strstr(line, " - ");
    if (!type || strncmp(type + 3, "cgroup2 ", 8) != 0)
        return false;
    _Static_assert(PATH_MAX == 4096, "the widths below are PATH_MAX - 1");
    if (sscanf(line, "%*s %*s %*s %4095s %4095s", place->mount_root, place->mount_point) != 2)
        return false;
    decode_octal(place->mount_root);
    decode_octal(place->mount_point);
    return true;
}

/* The last one that is mounted is the one on top. */
static int find_mount(struct sv_cgroup_place *place)
{
    SV_CLEANUP(close_file) FILE *file = fopen("/proc/self/mountinfo", "re");
    if (!file)
        return error_trace(-errno);
    SV_CLEANUP(free_text) char *line = NULL;
    size_t capacity = 0;
    bool is_found = false;
    while (getline(&line, &capacity, file) > 0)
        is_found = read_mount_line(line, place) || is_found;
    return is_found ? 0 : -ENOENT;
}

static bool is_root_path(const char *path)
{
    return strcmp(path, "/") == 0;
}

/*
 * "/a/b", as /proc/PID/cgroup shows it, to a path of the file system. Paths with ".." lie outside
 * our namespace. False: it is not below what is mounted.
 */
static bool to_file_path(const struct sv_cgroup_place *place, const char *path,
                         char ret_path[PATH_MAX])
{
    size_t root_length = is_root_path(place->mount_root) ? 0 : strlen(place->mount_root);
    if (strstr(path, "/..") || strncmp(path, place->mount_root, root_length) != 0)
        return false;
    path += root_length;
    if (*path && *path != '/')
        return false; /* "/box" is not above "/boxer" */
    int length =
        snprintf(ret_path, PATH_MAX, "%s%s", place->mount_point, is_root_path(path) ? "" : path);
    if (length >= 0 && length < PATH_MAX)
        return true;
    ret_path[0] = '\0';
    return false;
}

static void find_own(struct sv_cgroup_place *place)
{
    SV_CLEANUP(close_file) FILE *file = fopen("/proc/self/cgroup", "re");
    SV_CLEANUP(free_text) char *line = NULL;
    size_t capacity = 0;
    while (file && getline(&line, &capacity, file) > 0) {
        if (strncmp(line, "0::/", 4) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        (void)to_file_path(place, line + 3, place->own);
    }
}

static bool is_delegated(const char *path)
{
    static const char *const attributes[] = {"user.delegate", "trusted.delegate"};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(attributes); i++) {
        char value = 0;
        if (getxattr(path, attributes[i], &value, 1) == 1 && value == '1')
            return true;
    }
    return false;
}

static void add_base(struct sv_cgroup_place *place, const char *path, const char *why)
{
    for (unsigned i = 0; i < place->base_count; i++)
        if (strcmp(place->bases[i].path, path) == 0)
            return;
    struct sv_cgroup_base *base = &place->bases[place->base_count++];
    memcpy(base->path, path, strlen(path) + 1);
    base->why = why;
}

int sv_cgroup_place_find(struct sv_cgroup_place *ret_place, struct sv_str *ret_reason)
{
    struct sv_cgroup_place place = {0};
    int r = find_mount(&place);
    if (r < 0) {
        sv_str_add(ret_reason,
                   "cgroup2 is not mounted (no such line in /proc/self/mountinfo); as root: "
                   "mkdir -p /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup");
        return r;
    }
    find_own(&place);
    char name[64] = "";
    ssize_t length = readlink("/proc/self/ns/cgroup", name, sizeof(name) - 1);
    place.is_level_known = length < 0 || strcmp(name, INITIAL_NAMESPACE) == 0;

    place.is_delegated = place.own[0] && is_delegated(place.own);
    if (place.is_delegated)
        add_base(&place, place.own, "delegated by systemd");
    add_base(&place, place.mount_point, "the root of cgroup2");
    if (place.own[0])
        add_base(&place, place.own, "the daemon's own cgroup");
    *ret_place = place;
    return 0;
}

bool sv_cgroup_place_prefer(struct sv_cgroup_place *place, const char *kernel_path, const char *why)
{
    assert(place->base_count < SV_CGROUP_BASE_MAX);
    struct sv_cgroup_base base = {.why = why};
    if (!to_file_path(place, kernel_path, base.path))
        return false;
    memmove(&place->bases[1], &place->bases[0], place->base_count * sizeof(place->bases[0]));
    place->bases[0] = base;
    place->base_count++;
    return true;
}

void sv_cgroup_place_kernel_path(const struct sv_cgroup_place *place, const char *path,
                                 struct sv_str *out)
{
    if (!is_root_path(place->mount_root))
        sv_str_add(out, place->mount_root);
    sv_str_add(out, path + strlen(place->mount_point));
}

uint32_t sv_cgroup_place_level(const struct sv_cgroup_place *place, const char *path)
{
    if (!place->is_level_known)
        return UINT32_MAX;
    struct sv_str inside = {0};
    sv_cgroup_place_kernel_path(place, path, &inside);
    uint32_t level = 0;
    for (const char *at = sv_str_text(&inside); *at; at++)
        level += *at == '/';
    sv_str_done(&inside);
    return level;
}
