/*
 * What each process carries and hands on to its children. A program gets it at its birth, by
 * spawn_child.c; this file changes it in a program that runs.
 *
 * Whose? The main process's, and that of every process of its cgroup that still has the value that
 * the main process had: it was inherited. A process that took another value itself (a database that
 * makes its writer nicer) is left alone. nice is a value of each thread, and a thread is asked and
 * set like a process.
 *
 * The calls take numbers, not pidfds. The main process is ours to reap, so its number is its own;
 * the others were read from cgroup.procs just before, and the kernel gives numbers out in a circle:
 * one would have to be freed and the whole circle be run through in between.
 */
#include "io/limits_process.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/log.h"

static const int resources[] = {
    [SV_LIMIT_RLIMIT_CORE] = RLIMIT_CORE,
    [SV_LIMIT_RLIMIT_CPU] = RLIMIT_CPU,
    [SV_LIMIT_RLIMIT_DATA] = RLIMIT_DATA,
    [SV_LIMIT_RLIMIT_FSIZE] = RLIMIT_FSIZE,
    [SV_LIMIT_RLIMIT_MEMLOCK] = RLIMIT_MEMLOCK,
    [SV_LIMIT_RLIMIT_MSGQUEUE] = RLIMIT_MSGQUEUE,
    [SV_LIMIT_RLIMIT_NICE] = RLIMIT_NICE,
    [SV_LIMIT_RLIMIT_NOFILE] = RLIMIT_NOFILE,
    [SV_LIMIT_RLIMIT_NPROC] = RLIMIT_NPROC,
    [SV_LIMIT_RLIMIT_RSS] = RLIMIT_RSS,
    [SV_LIMIT_RLIMIT_RTPRIO] = RLIMIT_RTPRIO,
    [SV_LIMIT_RLIMIT_RTTIME] = RLIMIT_RTTIME,
    [SV_LIMIT_RLIMIT_SIGPENDING] = RLIMIT_SIGPENDING,
    [SV_LIMIT_RLIMIT_STACK] = RLIMIT_STACK,
    [SV_LIMIT_RLIMIT_AS] = RLIMIT_AS,
};
_Static_assert(SV_ARRAY_LENGTH(resources) == SV_LIMIT_COUNT, "every rlimit_* has a number");

int sv_limit_resource(enum sv_limit limit)
{
    return limit > SV_LIMIT_NICE ? resources[limit] : -1;
}

/* A value of any of the three kinds. */
struct carried {
    uint64_t number;
    uint64_t hard;
};

static bool is_same(const struct carried *a, const struct carried *b)
{
    return a->number == b->number && a->hard == b->hard;
}

/* --- one kind each: 0 or a negative errno --- */

static int get_rlimit(pid_t pid, enum sv_limit limit, struct carried *ret)
{
    struct rlimit value;
    if (prlimit(pid, (__rlimit_resource_t)sv_limit_resource(limit), NULL, &value) < 0)
        return -errno;
    *ret = (struct carried){value.rlim_cur, value.rlim_max};
    return 0;
}

static int set_rlimit(pid_t pid, enum sv_limit limit, const struct carried *wanted)
{
    struct rlimit value = {.rlim_cur = wanted->number, .rlim_max = wanted->hard};
    __rlimit_resource_t resource = (__rlimit_resource_t)sv_limit_resource(limit);
    return prlimit(pid, resource, &value, NULL) < 0 ? -errno : 0;
}

static int get_nice(pid_t pid, enum sv_limit limit, struct carried *ret)
{
    (void)limit;
    errno = 0;
    int value = getpriority(PRIO_PROCESS, (id_t)pid);
    if (value == -1 && errno != 0)
        return -errno;
    *ret = (struct carried){.number = (uint64_t)(int64_t)value};
    return 0;
}

static int set_nice(pid_t pid, enum sv_limit limit, const struct carried *wanted)
{
    (void)limit;
    return setpriority(PRIO_PROCESS, (id_t)pid, (int)(int64_t)wanted->number) < 0 ? -errno : 0;
}

static FILE *open_oom_score(pid_t pid, const char *mode)
{
    char path[48];
    snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
    return fopen(path, mode);
}

static int get_oom_score(pid_t pid, enum sv_limit limit, struct carried *ret)
{
    (void)limit;
    FILE *file = open_oom_score(pid, "re");
    if (!file)
        return -errno;
    int value = 0;
    bool is_read = fscanf(file, "%d", &value) == 1;
    fclose(file);
    if (!is_read)
        return -ESRCH; /* it is gone: the file is empty then */
    *ret = (struct carried){.number = (uint64_t)(int64_t)value};
    return 0;
}

static int set_oom_score(pid_t pid, enum sv_limit limit, const struct carried *wanted)
{
    (void)limit;
    FILE *file = open_oom_score(pid, "we");
    if (!file)
        return -errno;
    int r = fprintf(file, "%d", (int)(int64_t)wanted->number) < 0 ? -EIO : 0;
    if (fclose(file) != 0) /* here it is written */
        r = -errno;
    return r;
}

struct kind {
    int (*get)(pid_t pid, enum sv_limit limit, struct carried *ret);
    int (*set)(pid_t pid, enum sv_limit limit, const struct carried *wanted);
};

static const struct kind *kind_of(enum sv_limit limit)
{
    static const struct kind oom_score = {get_oom_score, set_oom_score};
    static const struct kind nice = {get_nice, set_nice};
    static const struct kind rlimit = {get_rlimit, set_rlimit};
    return limit == SV_LIMIT_OOM_SCORE_ADJUST ? &oom_score
           : limit == SV_LIMIT_NICE           ? &nice
                                              : &rlimit;
}

/* --- one limit in all processes --- */

struct change {
    const struct kind *kind;
    enum sv_limit limit;
    struct carried had; /* the main process, before */
    struct carried wanted;
    int error; /* the last refusal; 0: none */
};

static void change_one(struct change *change, pid_t pid)
{
    struct carried has;
    if (change->kind->get(pid, change->limit, &has) < 0 || !is_same(&has, &change->had))
        return; /* it has ended, or has its own */
    int r = change->kind->set(pid, change->limit, &change->wanted);
    if (r < 0 && r != -ESRCH)
        change->error = r;
}

/* A thread's own nice is changed by the same rule; the others belong to the whole process. */
static void change_process(struct change *change, pid_t pid)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *threads = change->limit == SV_LIMIT_NICE ? opendir(path) : NULL;
    if (!threads) {
        change_one(change, pid);
        return;
    }
    for (struct dirent *entry = readdir(threads); entry; entry = readdir(threads)) {
        pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);
        if (thread > 0)
            change_one(change, thread);
    }
    closedir(threads);
}

static bool change_member(void *user, pid_t pid)
{
    change_process(user, pid);
    return true;
}

/* What the daemon gives to a child that nobody has limited. */
static int inherited(const struct sv_limits_change *all, struct change *change)
{
    int r = change->kind->get(getpid(), change->limit, &change->wanted);
    if (r == 0 && change->limit == SV_LIMIT_RLIMIT_NOFILE && all->nofile_soft > 0 &&
        all->nofile_soft < change->wanted.hard)
        change->wanted.number = all->nofile_soft;
    return r;
}

static void change_limit(const struct sv_limits_change *all, enum sv_limit limit, pid_t pid,
                         const struct sv_cgroup_leaf *leaf)
{
    const struct sv_limit_entry *after = sv_limits_find(all->after, limit);
    struct change change = {.kind = kind_of(limit), .limit = limit};
    int r = change.kind->get(pid, limit, &change.had);
    if (r == 0 && after)
        change.wanted = (struct carried){after->number, after->hard};
    else if (r == 0)
        r = inherited(all, &change);
    if (r == 0) {
        change_process(&change, pid);
        if (leaf)
            (void)sv_cgroup_leaf_visit(leaf, pid, change_member, &change);
        r = change.error;
    }
    if (r < 0 && r != -ESRCH)
        sv_log_warn("%s of %s could not be changed in the running program: %s; its next run has it",
                    sv_limit_key(limit), all->name, sv_errno_name(r));
}

void sv_limits_process_change(const struct sv_limits_change *change, pid_t pid,
                              const struct sv_cgroup_leaf *leaf)
{
    for (unsigned i = 0; i < SV_LIMIT_COUNT; i++) {
        enum sv_limit limit = (enum sv_limit)i;
        if (sv_limit_is_of_process(limit) &&
            !sv_limit_entry_equal(sv_limits_find(change->before, limit),
                                  sv_limits_find(change->after, limit)))
            change_limit(change, limit, pid, leaf);
    }
}
