/*
 * A cgroup has a controller when its parent's cgroup.subtree_control names it. So every directory
 * between a delegated one and the leaf of a run passes on what it has:
 *
 *     <base>, svisor, <identifier>, <group>    cgroup.subtree_control: cpu cpuset io memory pids
 *     <process>.<run>                          has memory.max and the others
 *
 * The kernel refuses memory and io with EBUSY while a process lives in the directory itself ("no
 * internal processes", cgroup_vet_subtree_control_enable()); that is why nobody may live in the
 * delegated directory, not even its holder. cpu, cpuset and pids are not refused, which is worse:
 * they can tell threads apart, so the directory becomes the root of a threaded domain, and below it
 * no program starts any more (EOPNOTSUPP on 6.12). So it is looked first, except at the root of
 * all, which is free of the rule and is known by having no cgroup.type. Only directories that are
 * ours are written: the base is asked for once, by whoever has made or been given it.
 *
 * One write names all controllers, because each write walks the tree; if it is refused as a whole,
 * each one is tried by itself, so that one which is missing does not cost the others.
 */
#include "io/cgroup_controllers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/str.h"
#include "io/cgroup_walk.h"

static const char *const used[] = {"cpu", "cpuset", "io", "memory", "pids"};

enum { LIST_BYTES = 512 }; /* the names of all controllers of 6.18 take 60 */

static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; *at; at += strspn(at, " \n")) {
        size_t span = strcspn(at, " \n");
        if (span == length && strncmp(at, word, length) == 0)
            return true;
        at += span;
    }
    return false;
}

static int write_control(int fd, const struct sv_str *words)
{
    ssize_t n = write(fd, words->data, words->length);
    return n < 0 ? -errno : 0;
}

static int write_each(int fd, const char *available)
{
    int r = 0;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(used); i++) {
        struct sv_str word SV_CLEANUP(sv_str_done) = {0};
        sv_str_addf(&word, "+%s", used[i]);
        if (!sv_str_ok(&word))
            return -ENOMEM;
        int error = has_word(available, used[i]) ? write_control(fd, &word) : 0;
        r = r == 0 ? error : r;
    }
    return r;
}

static int write_all(int fd, const char *available)
{
    struct sv_str words SV_CLEANUP(sv_str_done) = {0};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(used); i++)
        if (has_word(available, used[i]))
            sv_str_addf(&words, "%s+%s", words.length ? " " : "", used[i]);
    if (!sv_str_ok(&words))
        return -ENOMEM;
    if (words.length == 0 || write_control(fd, &words) == 0)
        return 0;
    return write_each(fd, available);
}

/* 1: somebody lives in it, and it is not the root of all; 0; negative errno. */
static int is_inhabited(int fd, const char *path)
{
    struct sv_str file SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&file, "%s/cgroup.type", path);
    if (!sv_str_ok(&file))
        return -ENOMEM;
    if (faccessat(fd, file.data, F_OK, 0) < 0)
        return 0;
    sv_str_clear(&file);
    sv_str_addf(&file, "%s/cgroup.procs", path);
    char pids[16];
    ssize_t length = sv_str_ok(&file) ? sv_cgroup_read(fd, file.data, pids, sizeof(pids)) : -ENOMEM;
    return length < 0 ? (int)length : length > 0;
}

int sv_cgroup_controllers_enable(int fd, const char *path)
{
    struct sv_str file SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&file, "%s/cgroup.controllers", path);
    if (!sv_str_ok(&file))
        return -ENOMEM;
    char available[LIST_BYTES];
    ssize_t length = sv_cgroup_read(fd, file.data, available, sizeof(available));
    if (length <= 1)
        return length < 0 ? (int)length : 0;
    int r = is_inhabited(fd, path);
    if (r != 0)
        return r < 0 ? r : -EBUSY;
    sv_str_clear(&file);
    sv_str_addf(&file, "%s/cgroup.subtree_control", path);
    if (!sv_str_ok(&file))
        return -ENOMEM;
    int control = openat(fd, file.data, O_WRONLY | O_CLOEXEC);
    if (control < 0)
        return -errno;
    r = write_all(control, available);
    close(control);
    return r;
}
