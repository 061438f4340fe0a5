/* The times of one pass against what cpu.stat says: real cgroups, a real process that works. */
#include "io/cgroup_times.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/str.h"
#include "io/cgroup_walk.h"

enum { LEAF_COUNT = 40, BUSY_NS = 60000000, NS_PER_US = 1000 };

struct bench {
    struct sv_cgroup_tree *tree;
    struct sv_cgroup_times *times;
    struct sv_cgroup_leaf *leaves[LEAF_COUNT];
};

static uint64_t usage_us(const struct sv_cgroup_leaf *leaf)
{
    char text[4096];
    assert_true(sv_cgroup_read(sv_cgroup_leaf_fd(leaf), "cpu.stat", text, sizeof(text)) > 0);
    return strtoull(strstr(text, "usage_usec") + strlen("usage_usec"), NULL, 10);
}

/* skip() with the reason when this machine has no cgroup iterator for us. */
static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    *state = bench;
    char identifier[64];
    snprintf(identifier, sizeof(identifier), "cgroup-times-test-%d", getpid());
    struct sv_str reason = {0};
    int r = sv_cgroup_tree_open(identifier, NULL, &bench->tree, &reason);
    if (r != 0)
        print_message("# skip: no cgroup: %s\n", sv_str_text(&reason));
    sv_str_done(&reason);
    if (!bench->tree)
        return 0;
    r = sv_cgroup_times_new(bench->tree, &bench->times);
    if (r < 0)
        print_message("# skip: no cgroup iterator: %s\n", sv_errno_text(r));
    for (uint32_t i = 0; i < LEAF_COUNT; i++)
        assert_int_equal(sv_cgroup_leaf_create(bench->tree, "g", "p", i + 1, &bench->leaves[i]), 0);
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < LEAF_COUNT; i++)
        sv_cgroup_leaf_free(bench->leaves[i]);
    sv_cgroup_times_free(bench->times);
    sv_cgroup_tree_free(bench->tree);
    free(bench);
    return 0;
}

static struct bench *bench_of(void **state)
{
    struct bench *bench = *state;
    if (!bench->times)
        skip();
    return bench;
}

/* A child works there, and has ended. */
static void work_in(const struct sv_cgroup_leaf *leaf)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/cgroup.procs", sv_cgroup_leaf_path(leaf));
        FILE *procs = fopen(path, "we");
        if (!procs || fprintf(procs, "%d", getpid()) < 0 || fclose(procs) != 0)
            _exit(1);
        struct timespec spent = {0};
        while (spent.tv_nsec < BUSY_NS)
            (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void each_cgroup_has_the_time_that_cpu_stat_says(void **state)
{
    struct bench *bench = bench_of(state);
    work_in(bench->leaves[7]);
    assert_int_equal(sv_cgroup_times_read(bench->times), 0);
    for (size_t i = 0; i < LEAF_COUNT; i++) {
        uint64_t ns = 1;
        assert_true(sv_cgroup_times_of(bench->times, sv_cgroup_leaf_id(bench->leaves[i]), &ns));
        assert_int_equal(ns / NS_PER_US, usage_us(bench->leaves[i]));
        assert_int_equal(ns >= BUSY_NS / 2, i == 7);
    }
    work_in(bench->leaves[7]);
    work_in(bench->leaves[8]);
    assert_int_equal(sv_cgroup_times_read(bench->times), 0);
    for (size_t i = 7; i < 9; i++) {
        uint64_t ns = 0;
        assert_true(sv_cgroup_times_of(bench->times, sv_cgroup_leaf_id(bench->leaves[i]), &ns));
        assert_int_equal(ns / NS_PER_US, usage_us(bench->leaves[i]));
    }
}

static void a_cgroup_that_was_not_there_is_not_known(void **state)
{
    struct bench *bench = bench_of(state);
    uint64_t ns = 0, gone = sv_cgroup_leaf_id(bench->leaves[0]);
    assert_false(sv_cgroup_times_of(bench->times, gone, &ns)); /* nothing was read yet */
    sv_cgroup_leaf_free(bench->leaves[0]);
    bench->leaves[0] = NULL;
    assert_int_equal(sv_cgroup_times_read(bench->times), 0);
    assert_false(sv_cgroup_times_of(bench->times, gone, &ns));
    assert_true(sv_cgroup_times_of(bench->times, sv_cgroup_leaf_id(bench->leaves[1]), &ns));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_cgroup_has_the_time_that_cpu_stat_says, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_cgroup_that_was_not_there_is_not_known, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
