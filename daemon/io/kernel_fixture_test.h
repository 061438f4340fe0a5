/*
 * Real eBPF, real cgroups, real deaths: a tree, a loop and what the kernel said, for one test. A
 * test program starts itself again (KERNEL_TEST_ROLE) where another user or another namespace is
 * what matters.
 */
#ifndef SV_IO_KERNEL_FIXTURE_TEST_H
#define SV_IO_KERNEL_FIXTURE_TEST_H

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/bpf.h"
#include "io/kernel.h"
#include "io/root_for_test.h"
#include "io/spawn.h"

enum { RECORD_MAX = 16384, EVENT_TIMEOUT_MS = 10000 };

/* Everything that one test needs: a tree, a loop, and what the kernel said. */
struct bench {
    struct sv_cgroup_tree *tree;
    struct sv_loop *loop;
    struct sv_kernel *kernel;
    struct sv_bpf_record records[RECORD_MAX];
    size_t count;
};

static inline void on_record(void *user, const struct sv_bpf_record *record)
{
    struct bench *bench = user;
    if (bench->count < RECORD_MAX)
        bench->records[bench->count++] = *record;
}

static inline void bench_done(struct bench *bench)
{
    sv_kernel_free(bench->kernel);
    sv_loop_free(bench->loop);
    sv_cgroup_tree_free(bench->tree);
    free(bench);
}

static inline const char *row_text(json_t *report, const char *name, const char *key)
{
    size_t index;
    json_t *row;
    json_array_foreach(report, index, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "name")), name) != 0)
            continue;
        json_t *value = json_object_get(row, key);
        return json_is_string(value) ? json_string_value(value)
               : json_is_true(value) ? "yes"
                                     : "no";
    }
    fail_msg("no row %s", name);
    return "";
}

/* NULL: no cgroup here, and the reason is printed. */
static inline struct bench *bench_new(bool is_bpf_wanted)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    char identifier[64];
    snprintf(identifier, sizeof(identifier), "kernel-test-%d", getpid());
    struct sv_str reason = {0};
    sv_cgroup_tree_open(identifier, NULL, &bench->tree, &reason);
    assert_int_equal(sv_loop_new(&bench->loop), 0);
    assert_int_equal(
        sv_kernel_new(bench->loop, bench->tree, is_bpf_wanted, on_record, bench, &bench->kernel),
        0);
    if (!bench->tree)
        assert_int_equal(sv_kernel_note_cgroup(bench->kernel, sv_str_text(&reason)), 0);
    sv_str_done(&reason);
    return bench;
}

static inline struct sv_spawned start_program(const struct sv_cgroup_leaf *leaf, char *const *argv)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    char *envp[] = {"PATH=/usr/bin:/bin", NULL};
    struct sv_spawn_plan plan = {.path = argv[0],
                                 .argv = argv,
                                 .envp = envp,
                                 .stdin_fd = null,
                                 .stdout_fd = null,
                                 .stderr_fd = null,
                                 .cgroup_fd = leaf ? sv_cgroup_leaf_fd(leaf) : -1};
    struct sv_spawned spawned;
    struct sv_spawn_failure failure;
    assert_int_equal(sv_spawn(&plan, &spawned, &failure), 0);
    close(null);
    return spawned;
}

static inline struct sv_spawned start(const struct sv_cgroup_leaf *leaf, const char *script)
{
    char *argv[] = {"/bin/sh", "-c", (char *)script, NULL};
    return start_program(leaf, argv);
}

/* Waits by the pidfd, drains as the driver does, then reaps. */
static inline int finish(struct bench *bench, const struct sv_spawned *spawned)
{
    struct pollfd item = {.fd = spawned->pidfd, .events = POLLIN};
    assert_int_equal(poll(&item, 1, EVENT_TIMEOUT_MS), 1);
    sv_kernel_drain(bench->kernel);
    int status = -1;
    assert_int_equal(waitpid(spawned->pid, &status, 0), spawned->pid);
    close(spawned->pidfd);
    return status;
}

static inline const struct sv_bpf_record *find(const struct bench *bench, unsigned kind, pid_t pid)
{
    for (size_t i = 0; i < bench->count; i++)
        if (bench->records[i].kind == kind && bench->records[i].pid == (uint32_t)pid)
            return &bench->records[i];
    return NULL;
}

static inline size_t count_kind(const struct bench *bench, unsigned kind)
{
    size_t count = 0;
    for (size_t i = 0; i < bench->count; i++)
        count += bench->records[i].kind == kind;
    return count;
}

/* After fork() the child enters its cgroup by itself: nobody of ours was born. */
static inline bool is_born_inside(void)
{
    return strcmp(sv_spawn_method(), "clone3 into cgroup") == 0;
}

static inline struct sv_cgroup_leaf *make_leaf(struct bench *bench)
{
    struct sv_cgroup_leaf *leaf;
    assert_int_equal(sv_cgroup_leaf_create(bench->tree, "g", "p", 1, &leaf), 0);
    return leaf;
}

/* Runs this program again behind `prefix` and returns what it printed. */
static inline void run_in_role(const char *role, const char *prefix, struct sv_str *ret_text)
{
    char self[4096] = "", command[4400];
    assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
    snprintf(command, sizeof(command), "KERNEL_TEST_ROLE=%s %s %s 2>&1", role, prefix, self);
    FILE *pipe = popen(command, "re");
    assert_non_null(pipe);
    char part[512];
    while (fgets(part, sizeof(part), pipe))
        sv_str_add(ret_text, part);
    assert_int_equal(pclose(pipe), 0);
}

#endif
