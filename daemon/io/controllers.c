/*
 * Which controllers limits can have, and if not, why.
 *
 *     <base>  <base>/svisor  <base>/svisor/<identifier>  <group>   <process>.<run>
 *       1           2                    3                  4            5
 *
 * 5 has the files of a controller when 1 to 4 pass it on, as cgroup_controllers.c has them do when
 * the tree and a group are made. What was not to be had then is asked for once more when a limit
 * wants it, this time by name: what is answered is the reason that people are given. 1 is ours to
 * write in two cases: where it is the daemon's own cgroup, which was delegated, and where there is
 * no systemd whose root it would be.
 *
 * A delegated base that is the daemon's own cgroup has a process: the daemon. Nobody is moved out
 * of it: systemd 252 cannot start a service again whose own cgroup passes controllers on while
 * programs of its former life are left below, so a daemon that crashed would stay down. Programs
 * belong into a unit of their own, and the reason says so.
 */
#include "io/controllers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "io/cgroup_walk.h"

enum { WORDS_BYTES = 512, LINE_BYTES = 256 };

static const struct {
    const char *name;
    const char *v1_name;
} controllers[] = {
    [SV_CONTROLLER_MEMORY] = {"memory", "memory"}, [SV_CONTROLLER_CPU] = {"cpu", "cpu"},
    [SV_CONTROLLER_CPUSET] = {"cpuset", "cpuset"}, [SV_CONTROLLER_IO] = {"io", "blkio"},
    [SV_CONTROLLER_PIDS] = {"pids", "pids"},
};
_Static_assert(SV_ARRAY_LENGTH(controllers) == SV_CONTROLLER_COUNT, "every controller has a row");

const char *sv_controller_name(enum sv_controller controller)
{
    return controllers[controller].name;
}

void sv_controllers_done(struct sv_controllers *all)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(all->lacks); i++)
        free(all->lacks[i].why);
    *all = (struct sv_controllers){0};
}

static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        if ((at == text || at[-1] == ' ') && strchr(" \n", at[length]))
            return true;
    return false;
}

/* Does the file `name` of that directory hold the controller's name? */
static bool lists(const char *directory, const char *name, const char *controller)
{
    struct sv_str path SV_CLEANUP(sv_str_done) = {0};
    char words[WORDS_BYTES];
    sv_str_addf(&path, "%s/%s", directory, name);
    return sv_str_ok(&path) &&
           sv_cgroup_read(AT_FDCWD, sv_str_text(&path), words, sizeof(words)) >= 0 &&
           has_word(words, controller);
}

/* Do processes live in the directory itself? Those of the root of all do no harm: it has no type.
 * See cgroup_controllers.c for what happens otherwise. */
static bool is_inhabited(int directory)
{
    char pid[16];
    return faccessat(directory, "cgroup.type", F_OK, 0) == 0 &&
           sv_cgroup_read(directory, "cgroup.procs", pid, sizeof(pid)) != 0;
}

static int switch_on(int directory, const char *controller)
{
    char word[16];
    snprintf(word, sizeof(word), "+%s", controller);
    if (is_inhabited(directory))
        return -EBUSY;
    return sv_cgroup_write(directory, "cgroup.subtree_control", word);
}

static int switch_on_at(const char *path, const char *controller)
{
    int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return -errno;
    int r = switch_on(directory, controller);
    close(directory);
    return r;
}

/* --- why there is none --- */

/* The number of its hierarchy in /proc/cgroups: 0 is version 2; -1: the kernel does not know it. */
static int v1_hierarchy(const char *v1_name)
{
    FILE *file = fopen("/proc/cgroups", "re");
    char line[LINE_BYTES];
    int found = -1;
    while (file && found < 0 && fgets(line, sizeof(line), file)) {
        char name[64];
        int hierarchy;
        if (sscanf(line, "%63s %d", name, &hierarchy) == 2 && strcmp(name, v1_name) == 0)
            found = hierarchy;
    }
    if (file)
        fclose(file);
    return found;
}

static const struct sv_controller_lack *lack(struct sv_controllers *all, enum sv_controller which,
                                             const char *why, const char *remedy)
{
    struct sv_str text = {0};
    sv_str_addf(&text, "the %s controller is not available here (%s)", controllers[which].name,
                why);
    struct sv_controller_lack *kept = &all->lacks[which];
    free(kept->why);
    *kept = (struct sv_controller_lack){sv_str_take(&text), remedy};
    static const struct sv_controller_lack without_memory = {"out of memory", "more memory"};
    return kept->why ? kept : &without_memory;
}

static const struct sv_controller_lack *lack_everywhere(struct sv_controllers *all,
                                                        enum sv_controller which)
{
    int hierarchy = v1_hierarchy(controllers[which].v1_name);
    if (hierarchy > 0)
        return lack(all, which, "held by a version 1 hierarchy",
                    "boot with systemd.unified_cgroup_hierarchy=1, or unmount that hierarchy");
    return lack(all, which,
                hierarchy < 0 ? "the kernel does not have it" : "not in cgroup.controllers",
                "a kernel with this controller, not disabled at boot; in a container: delegate it");
}

static const struct sv_controller_lack *
lack_after(struct sv_controllers *all, enum sv_controller which, int error, const char *path)
{
    char why[LINE_BYTES];
    snprintf(why, sizeof(why), "it could not be switched on in %.180s: %s", path,
             sv_errno_name(error));
    return lack(all, which, why,
                error == -EBUSY ? "processes live in that cgroup itself: have the programs in a "
                                  "unit of their own, such as svisor-programs.service"
                                : "start svisord as root, or in a unit with Delegate=yes");
}

/* --- the base --- */

/* NULL: what is below the base can have it. */
static const struct sv_controller_lack *need_base(struct sv_controllers *all,
                                                  enum sv_controller which)
{
    const struct sv_cgroup_place *place = &all->tree->place;
    const char *name = controllers[which].name;
    struct sv_str base SV_CLEANUP(sv_str_done) = {0};
    sv_str_append(&base, all->tree->parent,
                  (size_t)(strrchr(all->tree->parent, '/') - all->tree->parent));
    const char *path = sv_str_text(&base);
    if (lists(path, "cgroup.subtree_control", name))
        return NULL;
    if (!lists(place->mount_point, "cgroup.controllers", name))
        return lack_everywhere(all, which);
    if (!lists(path, "cgroup.controllers", name))
        return lack(all, which, "not delegated to the cgroup of svisord",
                    "Delegate=yes in its unit");
    bool is_own = strcmp(path, place->own) == 0;
    if (!is_own && access("/run/systemd/system", F_OK) == 0)
        return lack(all, which, "systemd has not switched it on for others",
                    "start svisord in a unit with Delegate=yes");
    int r = switch_on_at(path, name);
    return r < 0 ? lack_after(all, which, r, path) : NULL;
}

static const struct sv_controller_lack *need_groups(struct sv_controllers *all,
                                                    enum sv_controller which)
{
    static const struct sv_controller_lack no_tree = {"programs have no cgroup of their own here",
                                                      "see cgroup2 in `svctl kernel`"};
    if (!all->tree)
        return &no_tree;
    if (all->ready & 1u << which)
        return NULL;
    if (all->lacks[which].why)
        return &all->lacks[which];
    const struct sv_controller_lack *missing = need_base(all, which);
    const char *const paths[] = {all->tree->parent, all->tree->path};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(paths) && !missing; i++) {
        int r = switch_on_at(paths[i], controllers[which].name);
        missing = r < 0 ? lack_after(all, which, r, paths[i]) : NULL;
    }
    if (!missing)
        all->ready |= 1u << which;
    return missing;
}

const struct sv_controller_lack *sv_controllers_need(struct sv_controllers *all,
                                                     enum sv_controller which,
                                                     struct sv_cgroup_group *group)
{
    const struct sv_controller_lack *missing = need_groups(all, which);
    if (missing || !group || group->controllers & 1u << which)
        return missing;
    int r = switch_on(group->fd, controllers[which].name);
    if (r < 0)
        return lack_after(all, which, r, group->name);
    group->controllers |= 1u << which;
    return NULL;
}
