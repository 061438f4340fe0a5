/*
 * One run of one process: a directory, its descriptors, and what is done to whoever lives in it.
 *
 * cgroup.events is the only file that is watched. The kernel throttles its notifications to one in
 * 10 ms, so a process that lives shorter shows "populated 0" up to 21 ms late: good enough for "the
 * whole family is gone, remove the directory", too late for exits, which come by pidfd.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/str.h"
#include "io/cgroup_names.h"
#include "io/cgroup_tree.h"
#include "io/cgroup_walk.h"
#include "io/proc.h"

enum {
    SAME_RUN_MAX = 1000, /* directories of dead daemons with one process's name and run */
    EVENTS_BYTES = 128,  /* "populated 1\nfrozen 0\n" and room for two more */
};

struct sv_cgroup_leaf {
    struct sv_cgroup_group *group;
    char *path;
    const char *name; /* the end of `path` */
    uint64_t id;
    int fd;
    int events_fd; /* -1: nobody has asked */
};

/* Where a run has been given its directory. */
struct leaf_place {
    struct sv_cgroup_group *group;
    struct sv_str name; /* escaped, with the run */
};

/*
 * A directory of that name may be left by a daemon before us, with somebody living in it. It is not
 * used again (see the essay), so the run's name gets a tail: "web.3-2".
 */
static int make_leaf_directory(struct sv_cgroup_group *group, const char *process, uint32_t run,
                               struct sv_str *ret_name)
{
    for (unsigned number = 1; number <= SAME_RUN_MAX; number++) {
        sv_str_clear(ret_name);
        sv_cgroup_name_escape(process, SV_CGROUP_NAME_LEAF, ret_name);
        sv_str_addf(ret_name, ".%u", run);
        if (number > 1)
            sv_str_addf(ret_name, "-%u", number);
        if (!sv_str_ok(ret_name))
            return -ENOMEM;
        if (mkdirat(group->fd, ret_name->data, 0755) == 0)
            return 0;
        if (errno != EEXIST)
            return -errno;
    }
    return -EEXIST;
}

static int leaf_open(struct sv_cgroup_group *group, const char *name,
                     struct sv_cgroup_leaf **ret_leaf)
{
    struct sv_cgroup_leaf *leaf = calloc(1, sizeof(*leaf));
    if (!leaf)
        return -ENOMEM;
    struct sv_str path = {0};
    sv_str_addf(&path, "%s/%s/%s", group->tree->path, group->name, name);
    *leaf = (struct sv_cgroup_leaf){.group = group, .path = sv_str_take(&path), .events_fd = -1};
    leaf->fd = openat(group->fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat status;
    int r = leaf->path ? 0 : -ENOMEM;
    if (leaf->fd < 0 || fstat(leaf->fd, &status) < 0)
        r = -errno;
    if (r < 0) {
        if (leaf->fd >= 0)
            close(leaf->fd);
        free(leaf->path);
        free(leaf);
        return error_trace(r);
    }
    leaf->id = status.st_ino;
    leaf->name = leaf->path + strlen(leaf->path) - strlen(name);
    *ret_leaf = leaf;
    return 0;
}

/* Finds the group by its escaped name and makes the directory of the run in it. */
static int make_in_group(struct sv_cgroup_tree *tree, const char *group_name, const char *process,
                         uint32_t run, struct leaf_place *ret_place)
{
    int r = sv_cgroup_group_find(tree, group_name, &ret_place->group);
    return r < 0 ? r : make_leaf_directory(ret_place->group, process, run, &ret_place->name);
}

int sv_cgroup_leaf_create(struct sv_cgroup_tree *tree, const char *group_name, const char *process,
                          uint32_t run, struct sv_cgroup_leaf **ret_leaf)
{
    struct sv_str escaped = {0};
    struct leaf_place place = {0};
    sv_cgroup_name_escape(group_name, SV_CGROUP_NAME_GROUP, &escaped);
    int r = -ENOMEM;
    if (sv_str_ok(&escaped))
        r = make_in_group(tree, escaped.data, process, run, &place);
    if (place.group && (r == -ENOENT || r == -ENODEV)) {
        /* Somebody removed the empty directory of the group, of which we hold a descriptor. */
        r = sv_cgroup_group_remake(place.group);
        if (r == 0)
            r = make_in_group(tree, escaped.data, process, run, &place);
    }
    if (r == 0) {
        r = leaf_open(place.group, place.name.data, ret_leaf);
        place.group->user_count++;
        if (r < 0)
            sv_cgroup_group_remove(place.group, place.name.data);
    }
    sv_str_done(&place.name);
    sv_str_done(&escaped);
    return r < 0 ? error_trace(r) : 0;
}

/* Splits "<tree>/<group>/<leaf>" into the two names. False: it is no path of a leaf of ours. */
static bool split_path(const struct sv_cgroup_tree *tree, const char *path,
                       struct sv_str *ret_group, const char **ret_leaf)
{
    size_t length = strlen(tree->path);
    if (strncmp(path, tree->path, length) != 0 || path[length] != '/')
        return false;
    const char *group = path + length + 1;
    const char *slash = strchr(group, '/');
    if (!slash || slash == group || group[0] == '.' || !slash[1] || slash[1] == '.' ||
        strchr(slash + 1, '/'))
        return false;
    sv_str_append(ret_group, group, (size_t)(slash - group));
    *ret_leaf = slash + 1;
    return sv_str_ok(ret_group);
}

int sv_cgroup_leaf_adopt(struct sv_cgroup_tree *tree, const char *path,
                         struct sv_cgroup_leaf **ret_leaf)
{
    struct sv_str group_name SV_CLEANUP(sv_str_done) = {0};
    const char *leaf_name;
    if (!split_path(tree, path, &group_name, &leaf_name) || access(path, F_OK) < 0)
        return -ENOENT;
    struct sv_cgroup_group *group;
    int r = sv_cgroup_group_find(tree, group_name.data, &group);
    if (r == 0)
        r = sv_map_put(&group->adopted, leaf_name, group);
    if (r == 0)
        r = leaf_open(group, leaf_name, ret_leaf);
    if (r < 0)
        return r;
    group->user_count++;
    return 0;
}

typedef bool pid_function(void *user, pid_t pid);

/* Calls `function` for every process that lives in the leaf itself until it returns false. */
static void each_pid(const struct sv_cgroup_leaf *leaf, pid_function *function, void *user)
{
    int fd = openat(leaf->fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "re");
    if (!file) {
        if (fd >= 0)
            close(fd);
        return;
    }
    char line[32];
    while (fgets(line, sizeof(line), file)) {
        pid_t pid = (pid_t)strtol(line, NULL, 10);
        if (pid > 0 && !function(user, pid))
            break;
    }
    fclose(file);
}

/* Numbers may have wrapped around, so the first one is told by its start, not by its number. */
struct leader {
    pid_t pid;
    unsigned long long start_ticks;
    bool is_leading;
};

static bool consider(void *user, pid_t pid)
{
    struct leader *leader = user;
    unsigned long long start_ticks = sv_process_start_ticks(pid);
    if (start_ticks == 0)
        return true;
    bool is_leading = getpgid(pid) == pid;
    bool is_better =
        is_leading == leader->is_leading ? start_ticks < leader->start_ticks : is_leading;
    if (leader->pid == 0 || is_better)
        *leader = (struct leader){pid, start_ticks, is_leading};
    return true;
}

pid_t sv_cgroup_leaf_leader(const struct sv_cgroup_leaf *leaf)
{
    struct leader leader = {0};
    each_pid(leaf, consider, &leader);
    return leader.pid;
}

static bool compare(void *user, pid_t pid)
{
    pid_t *wanted = user;
    if (*wanted != pid)
        return true;
    *wanted = 0;
    return false;
}

bool sv_cgroup_leaf_has(const struct sv_cgroup_leaf *leaf, pid_t pid)
{
    each_pid(leaf, compare, &pid);
    return pid == 0;
}

int sv_cgroup_leaf_fd(const struct sv_cgroup_leaf *leaf)
{
    return leaf->fd;
}

struct sv_cgroup_group *sv_cgroup_leaf_group(const struct sv_cgroup_leaf *leaf)
{
    return leaf->group;
}

uint64_t sv_cgroup_leaf_id(const struct sv_cgroup_leaf *leaf)
{
    return leaf->id;
}

uint64_t sv_cgroup_leaf_group_id(const struct sv_cgroup_leaf *leaf)
{
    struct stat status;
    return fstat(leaf->group->fd, &status) == 0 ? status.st_ino : 0;
}

const char *sv_cgroup_leaf_path(const struct sv_cgroup_leaf *leaf)
{
    return leaf->path;
}

const struct sv_cgroup_place *sv_cgroup_leaf_place(const struct sv_cgroup_leaf *leaf)
{
    return &leaf->group->tree->place;
}

int sv_cgroup_leaf_populated(const struct sv_cgroup_leaf *leaf)
{
    char text[EVENTS_BYTES];
    ssize_t length;
    if (leaf->events_fd >= 0) {
        length = pread(leaf->events_fd, text, sizeof(text) - 1, 0);
        if (length < 0)
            return -errno;
        text[length] = '\0';
    } else {
        length = sv_cgroup_read(leaf->fd, "cgroup.events", text, sizeof(text));
        if (length < 0)
            return (int)length;
    }
    const char *at = strstr(text, "populated ");
    return at ? at[strlen("populated ")] == '1' : -EBADMSG;
}

/* Read once before it is polled: kernfs reports the first poll of a descriptor as ready otherwise.
 */
int sv_cgroup_leaf_watch_fd(struct sv_cgroup_leaf *leaf)
{
    if (leaf->events_fd < 0) {
        int fd = openat(leaf->fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return error_trace(-errno);
        leaf->events_fd = fd;
    }
    int r = sv_cgroup_leaf_populated(leaf);
    return r < 0 ? error_trace(r) : leaf->events_fd;
}

static int kernel_path_of(const struct sv_cgroup_leaf *leaf, struct sv_str *ret_path)
{
    sv_cgroup_place_kernel_path(&leaf->group->tree->place, leaf->path, ret_path);
    return sv_str_ok(ret_path) ? 0 : -ENOMEM;
}

static int kill_by_signals(const struct sv_cgroup_leaf *leaf)
{
    struct sv_str kernel_path = {0};
    int r = kernel_path_of(leaf, &kernel_path);
    if (r == 0)
        r = sv_cgroup_subtree_kill(&(struct sv_cgroup_subtree){
            .fd = leaf->fd, .path = leaf->path, .kernel_path = kernel_path.data});
    sv_str_done(&kernel_path);
    return r;
}

int sv_cgroup_leaf_kill_fd(const struct sv_cgroup_leaf *leaf)
{
    int fd = openat(leaf->fd, "cgroup.kill", O_WRONLY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int sv_cgroup_leaf_kill(const struct sv_cgroup_leaf *leaf)
{
    int fd = sv_cgroup_leaf_kill_fd(leaf);
    if (fd < 0)
        return fd == -ENOENT ? kill_by_signals(leaf) : error_trace(fd);
    ssize_t length = write(fd, "1", 1);
    int error = -errno;
    close(fd);
    return length == 1 ? 0 : error_trace(error);
}

int sv_cgroup_leaf_signal(const struct sv_cgroup_leaf *leaf, int number, pid_t except)
{
    struct sv_str kernel_path = {0};
    int r = kernel_path_of(leaf, &kernel_path);
    if (r == 0) {
        struct sv_cgroup_subtree subtree = {
            .fd = leaf->fd, .path = leaf->path, .kernel_path = kernel_path.data};
        r = sv_cgroup_subtree_signal(&subtree, number, except);
    }
    sv_str_done(&kernel_path);
    return r;
}

int sv_cgroup_leaf_visit(const struct sv_cgroup_leaf *leaf, pid_t except,
                         bool (*function)(void *user, pid_t pid), void *user)
{
    struct sv_cgroup_subtree subtree = {.fd = leaf->fd, .path = leaf->path};
    return sv_cgroup_subtree_visit(&subtree, except, function, user);
}

void sv_cgroup_leaf_free(struct sv_cgroup_leaf *leaf)
{
    if (!leaf)
        return;
    if (leaf->events_fd >= 0)
        close(leaf->events_fd);
    close(leaf->fd);
    sv_cgroup_group_remove(leaf->group, leaf->name);
    free(leaf->path);
    free(leaf);
}
