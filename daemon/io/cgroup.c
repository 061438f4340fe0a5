/*
 * The cgroup tree of this daemon:
 *
 *     <base>/svisor/<identifier>/<group>/<process>.<run>/
 *
 * Every *run* of a process has a fresh directory. Linux 6.12 to 6.18 (6.1 not; tried) kill at birth
 * whatever is spawned into a cgroup that was ever killed, itself or by way of an ancestor, so a
 * directory is used once. It costs 40 us, and pays with numbers that belong to one run only.
 *
 * All of this is mkdirat(), openat() and unlinkat() on kept descriptors: libcgroup needs nine to
 * sixteen times as long, and writes into the subtree_control of directories that are not ours.
 *
 * Two daemons of one identifier must not share a directory. The first takes a lock (flock, which
 * lives on the open directory and ends with the process); the second finds it taken and becomes
 * `<identifier>.2`, and so on. A dead daemon holds no lock, so the next one moves in again, removes
 * the directories that are empty and leaves alone what still has living processes in it.
 *
 * rmdir() of a cgroup whose last process is just dying says EBUSY for some milliseconds. Such a
 * directory goes to a list, and sv_cgroup_tree_sweep() tries again. Directories of groups are kept
 * until then too: a program that is restarted often would else pay for its group each time.
 */
#include "io/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "io/cgroup_controllers.h"
#include "io/cgroup_names.h"
#include "io/cgroup_systemd.h"
#include "io/cgroup_tree.h"
#include "io/cgroup_walk.h"
#include "io/proc.h"
#include "io/systemd_bus.h"

enum {
    SAME_IDENTIFIER_MAX = 100, /* daemons of one name on one host */
    LOCK_ATTEMPTS_MAX = 10,    /* each lost to a daemon that was just leaving */
};

#define TREE_DIRECTORY "svisor"

/* A directory that could not be removed yet. */
struct sv_cgroup_leftover {
    struct sv_cgroup_leftover *next;
    struct sv_cgroup_group *group;
    char name[];
};

/* --- groups --- */

static void group_free(struct sv_cgroup_group *group)
{
    if (group->fd >= 0)
        close(group->fd);
    sv_map_done(&group->adopted);
    free(group->name);
    free(group);
}

static int group_open(struct sv_cgroup_tree *tree, const char *name,
                      struct sv_cgroup_group **ret_group)
{
    struct sv_cgroup_group *group = calloc(1, sizeof(*group));
    if (!group)
        return -ENOMEM;
    *group = (struct sv_cgroup_group){.tree = tree, .name = strdup(name), .fd = -1};
    int r = group->name ? 0 : -ENOMEM;
    if (r == 0 && mkdirat(tree->fd, name, 0755) < 0 && errno != EEXIST)
        r = -errno;
    if (r == 0) {
        group->fd = openat(tree->fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        r = group->fd < 0 ? -errno : sv_map_put(&tree->groups, name, group);
    }
    if (r == 0) /* what the tree has none of is told by the report, once */
        (void)sv_cgroup_controllers_enable(group->fd, ".");
    if (r < 0) {
        group_free(group);
        return error_trace(r);
    }
    *ret_group = group;
    return 0;
}

int sv_cgroup_group_find(struct sv_cgroup_tree *tree, const char *name,
                         struct sv_cgroup_group **ret_group)
{
    struct sv_cgroup_group *group = sv_map_get(&tree->groups, name);
    if (group) {
        *ret_group = group;
        return 0;
    }
    return group_open(tree, name, ret_group);
}

int sv_cgroup_group_remake(struct sv_cgroup_group *group)
{
    if (mkdirat(group->tree->fd, group->name, 0755) < 0 && errno != EEXIST)
        return error_trace(-errno);
    int fd = openat(group->tree->fd, group->name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_trace(-errno);
    close(group->fd);
    group->fd = fd;
    group->controllers = 0;
    group->is_limited = false;
    (void)sv_cgroup_controllers_enable(fd, ".");
    return 0;
}

/* --- removal --- */

static bool remove_directory(const struct sv_cgroup_group *group, const char *name)
{
    if (unlinkat(group->fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return true;
    struct stat status;
    if (errno != EBUSY || fstatat(group->fd, name, &status, 0) < 0 || status.st_nlink <= 2)
        return false;
    struct sv_str path = {0};
    sv_str_addf(&path, "%s/%s/%s", group->tree->path, group->name, name);
    if (sv_str_ok(&path))
        sv_cgroup_subtree_prune(path.data);
    sv_str_done(&path);
    return unlinkat(group->fd, name, AT_REMOVEDIR) == 0;
}

/* Takes over the caller's share of `group`, if it has one, for as long as the directory stands. */
void sv_cgroup_group_remove(struct sv_cgroup_group *group, const char *name)
{
    if (group->tree->is_kept || remove_directory(group, name)) {
        group->user_count--;
        return;
    }
    struct sv_cgroup_leftover *leftover = malloc(sizeof(*leftover) + strlen(name) + 1);
    if (!leftover) {
        sv_log_warn("cgroup %s/%s/%s stays: no memory to remember it", group->tree->path,
                    group->name, name);
        group->user_count--;
        return;
    }
    memcpy(leftover->name, name, strlen(name) + 1);
    leftover->group = group;
    leftover->next = group->tree->leftovers;
    group->tree->leftovers = leftover;
}

int sv_cgroup_tree_sweep(struct sv_cgroup_tree *tree)
{
    int count = 0;
    if (tree->is_kept)
        return 0;
    for (struct sv_cgroup_leftover **at = &tree->leftovers; *at;) {
        struct sv_cgroup_leftover *leftover = *at;
        if (remove_directory(leftover->group, leftover->name)) {
            leftover->group->user_count--;
            *at = leftover->next;
            free(leftover);
        } else {
            count++;
            at = &leftover->next;
        }
    }
    sv_map_foreach (entry, &tree->groups) {
        struct sv_cgroup_group *group = entry->value;
        if (group->user_count > 0)
            continue;
        /* What fails is not ours: somebody lives in the group's own directory. */
        (void)unlinkat(tree->fd, group->name, AT_REMOVEDIR);
        sv_map_remove(&tree->groups, group->name);
        group_free(group);
    }
    return count;
}

/* --- the tree --- */

static bool is_same_directory(int fd, const char *path)
{
    struct stat ours, there;
    return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino;
}

/*
 * Makes `path`, opens and locks it. The daemon that held it before may remove it between our open
 * and our lock, so what is locked is compared with what stands there. -EWOULDBLOCK: another daemon
 * lives there.
 */
static int lock_directory(const char *path)
{
    for (int attempt = 0; attempt < LOCK_ATTEMPTS_MAX; attempt++) {
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
            return -errno;
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            continue;
        if (fd < 0)
            return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
            int error = -errno;
            close(fd);
            return error;
        }
        if (is_same_directory(fd, path))
            return fd;
        close(fd);
    }
    return -EAGAIN;
}

/* The directory that an earlier daemon had, if it is one of `parent` and nobody has it now. */
static bool take_former(struct sv_cgroup_tree *tree, const char *former)
{
    size_t length = strlen(tree->parent);
    if (!former || strncmp(former, tree->parent, length) != 0 || former[length] != '/' ||
        strchr(former + length + 1, '/') || access(former, F_OK) < 0)
        return false;
    char *path = strdup(former);
    int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0 || sv_lock_directory(fd) < 0) {
        if (fd >= 0)
            close(fd);
        free(path);
        return false;
    }
    tree->fd = fd;
    tree->path = path;
    return true;
}

/* Takes the first free of <parent>/<name>, <parent>/<name>.2 … */
static int take_directory(struct sv_cgroup_tree *tree, const char *name)
{
    for (unsigned number = 1; number <= SAME_IDENTIFIER_MAX; number++) {
        struct sv_str path = {0};
        sv_str_addf(&path, "%s/%s", tree->parent, name);
        if (number > 1)
            sv_str_addf(&path, ".%u", number);
        char *text = sv_str_take(&path);
        if (!text)
            return -ENOMEM;
        if (mkdir(tree->parent, 0755) < 0 && errno != EEXIST) {
            int error = -errno;
            free(text);
            return error;
        }
        int fd = lock_directory(text);
        if (fd >= 0) {
            tree->fd = fd;
            tree->path = text;
            return 0;
        }
        free(text);
        if (fd != -EWOULDBLOCK)
            return fd;
    }
    return -EWOULDBLOCK;
}

struct tree_names {
    const char *own;    /* escaped */
    const char *former; /* path of an earlier daemon's, or NULL */
};

/*
 * Spawning into the tree moves a process from the daemon's cgroup to the leaf; the kernel asks for
 * the right to write cgroup.procs of their nearest common ancestor, which is the base or above it.
 */
static int try_base(struct sv_cgroup_tree *tree, const struct sv_cgroup_base *base,
                    const struct tree_names *names)
{
    struct sv_str procs = {0};
    sv_str_addf(&procs, "%s/cgroup.procs", base->path);
    int r = 0;
    if (!sv_str_ok(&procs))
        r = -ENOMEM;
    else if (faccessat(AT_FDCWD, procs.data, W_OK, AT_EACCESS) < 0)
        r = -errno;
    sv_str_done(&procs);
    if (r < 0)
        return r;
    struct sv_str parent = {0};
    sv_str_addf(&parent, "%s/" TREE_DIRECTORY, base->path);
    free(tree->parent);
    tree->parent = sv_str_take(&parent);
    if (!tree->parent)
        return -ENOMEM;
    return take_former(tree, names->former) ? 0 : take_directory(tree, names->own);
}

/* Directories that a daemon before us left: removed where empty, else kept on the list. */
static void adopt_leftovers(struct sv_cgroup_tree *tree, const char *group_name)
{
    struct sv_cgroup_group *group;
    if (sv_cgroup_group_find(tree, group_name, &group) < 0)
        return;
    int fd = openat(tree->fd, group_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
            sv_map_has(&group->adopted, entry->d_name))
            continue;
        group->user_count++;
        sv_cgroup_group_remove(group, entry->d_name);
    }
    closedir(directory);
}

void sv_cgroup_tree_clean(struct sv_cgroup_tree *tree)
{
    int fd = openat(tree->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory))
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            adopt_leftovers(tree, entry->d_name);
    closedir(directory);
    int count = sv_cgroup_tree_sweep(tree);
    if (count > 0)
        sv_log_warn(
            "%d cgroups of an earlier daemon below %s still hold processes; they are left alone",
            count, tree->path);
}

static void forget(struct sv_cgroup_tree *tree)
{
    while (tree->leftovers) {
        struct sv_cgroup_leftover *next = tree->leftovers->next;
        free(tree->leftovers);
        tree->leftovers = next;
    }
    sv_map_foreach (entry, &tree->groups)
        group_free(entry->value);
    sv_map_done(&tree->groups);
    if (tree->fd >= 0)
        close(tree->fd);
    free(tree->path);
    free(tree->parent);
    sv_cgroup_scope_free(tree->scope);
    free(tree);
}

/* Tries every base; the words of the failures are the reason. */
static int take_any_base(struct sv_cgroup_tree *tree, const char *identifier, const char *former,
                         struct sv_str *reason)
{
    struct sv_str name = {0};
    sv_cgroup_name_escape(identifier, SV_CGROUP_NAME_GROUP, &name);
    int r = sv_str_ok(&name) ? -ENOENT : -ENOMEM;
    for (unsigned i = 0; i < tree->place.base_count && sv_str_ok(&name); i++) {
        const struct sv_cgroup_base *base = &tree->place.bases[i];
        r = try_base(tree, base, &(struct tree_names){.own = name.data, .former = former});
        if (r == 0)
            break;
        sv_str_addf(reason, "%s%s (%s): %s", i ? "; " : "", base->path, base->why,
                    sv_errno_name(r));
    }
    sv_str_done(&name);
    if (r < 0)
        sv_str_add(reason, "; start svisord as root, or in a cgroup that is yours "
                           "(systemd-run --user --scope -p Delegate=yes svisord …)");
    else
        sv_str_clear(reason);
    return r;
}

/*
 * The base passes its controllers on already where systemd has delegated it (cgroup_systemd.c,
 * holder.c). Elsewhere it is asked to, except the root of a machine that systemd manages: that one
 * is systemd's. It refuses while somebody lives in it, svisord for one; programs then have no
 * limits, and the report says so.
 */
static void pass_controllers(struct sv_cgroup_tree *tree)
{
    struct sv_str base = {0};
    sv_str_append(&base, tree->parent, strlen(tree->parent) - strlen("/" TREE_DIRECTORY));
    bool is_root = sv_str_ok(&base) && strcmp(sv_str_text(&base), tree->place.mount_point) == 0;
    if (sv_str_ok(&base) && !(is_root && sv_systemd_is_init()))
        (void)sv_cgroup_controllers_enable(AT_FDCWD, base.data);
    sv_str_done(&base);
    (void)sv_cgroup_controllers_enable(AT_FDCWD, tree->parent);
    (void)sv_cgroup_controllers_enable(tree->fd, ".");
}

int sv_cgroup_tree_open(const char *identifier, const char *former,
                        struct sv_cgroup_tree **ret_tree, struct sv_str *ret_reason)
{
    struct sv_cgroup_tree *tree = calloc(1, sizeof(*tree));
    if (!tree)
        return -ENOMEM;
    tree->fd = -1;
    int r = sv_cgroup_place_find(&tree->place, ret_reason);
    if (r == 0)
        sv_cgroup_systemd_ask(identifier, &tree->place, &tree->scope);
    if (r == 0)
        r = take_any_base(tree, identifier, former, ret_reason);
    struct stat status;
    if (r == 0 && fstat(tree->fd, &status) < 0)
        r = -errno;
    if (r < 0) {
        forget(tree);
        return error_trace(r);
    }
    tree->id = status.st_ino;
    pass_controllers(tree);
    *ret_tree = tree;
    return 0;
}

void sv_cgroup_tree_free(struct sv_cgroup_tree *tree)
{
    if (!tree)
        return;
    if (!tree->is_kept) {
        sv_cgroup_tree_sweep(tree);
        (void)rmdir(tree->path); /* both fail, rightly, while anything is in them */
        (void)rmdir(tree->parent);
    }
    forget(tree);
}

int sv_cgroup_tree_holder_fd(const struct sv_cgroup_tree *tree)
{
    struct sv_str path SV_CLEANUP(sv_str_done) = {0};
    sv_str_append(&path, tree->parent, strlen(tree->parent) - strlen("/" TREE_DIRECTORY));
    sv_str_add(&path, "/" SV_CGROUP_HOLDER_LEAF "/cgroup.procs");
    int fd = sv_str_ok(&path) ? open(path.data, O_WRONLY | O_CLOEXEC) : -1;
    if (fd >= 0)
        return fd;
    return sv_str_ok(&path) ? -errno : -ENOMEM;
}

void sv_cgroup_tree_keep(struct sv_cgroup_tree *tree)
{
    tree->is_kept = true;
}

const char *sv_cgroup_tree_path(const struct sv_cgroup_tree *tree)
{
    return tree->path;
}

uint64_t sv_cgroup_tree_id(const struct sv_cgroup_tree *tree)
{
    return tree->id;
}

uint32_t sv_cgroup_tree_level(const struct sv_cgroup_tree *tree)
{
    return sv_cgroup_place_level(&tree->place, tree->path);
}
