/* Real cgroups below svisor/cgroup-test-<pid>, removed again. */
#include "io/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "io/cgroup_names.h"
#include "io/cgroup_place.h"
#include "io/cgroup_walk.h"
#include "io/root_for_test.h"
#include "io/spawn.h"

enum { EVENT_TIMEOUT_MS = 10000 };

static char identifier[64];

static struct sv_cgroup_tree *open_tree(void)
{
    struct sv_cgroup_tree *tree = NULL;
    struct sv_str reason = {0};
    if (sv_cgroup_tree_open(identifier, NULL, &tree, &reason) < 0)
        print_message("# skip: %s\n", sv_str_text(&reason));
    sv_str_done(&reason);
    return tree;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Starts a shell in the leaf that says "x" when it is ready, and waits for that. */
static pid_t start_shell(const struct sv_cgroup_leaf *leaf, const char *script)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    char *argv[] = {"/bin/sh", "-c", (char *)script, NULL};
    char *envp[] = {"PATH=/usr/bin:/bin", NULL};
    struct sv_spawn_plan plan = {.path = argv[0],
                                 .argv = argv,
                                 .envp = envp,
                                 .stdin_fd = null,
                                 .stdout_fd = fds[1],
                                 .stderr_fd = null,
                                 .cgroup_fd = sv_cgroup_leaf_fd(leaf)};
    struct sv_spawned spawned;
    struct sv_spawn_failure failure;
    assert_int_equal(sv_spawn(&plan, &spawned, &failure), 0);
    close(fds[1]);
    close(null);
    close(spawned.pidfd);
    char word;
    assert_int_equal(read(fds[0], &word, 1), 1);
    close(fds[0]);
    return spawned.pid;
}

static int reap(pid_t pid)
{
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* Waits on the watch descriptor until the leaf is empty. */
static void wait_until_empty(struct sv_cgroup_leaf *leaf)
{
    struct pollfd item = {.fd = sv_cgroup_leaf_watch_fd(leaf), .events = POLLPRI};
    assert_true(item.fd >= 0);
    while (sv_cgroup_leaf_populated(leaf) == 1)
        assert_int_equal(poll(&item, 1, EVENT_TIMEOUT_MS), 1);
    assert_int_equal(sv_cgroup_leaf_populated(leaf), 0);
}

static void names_survive_the_way_there_and_back(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *group;
        const char *leaf;
    } rows[] = {
        {"web", "web", "web"},
        {"web_01-a:b", "web_01-a:b", "web_01-a:b"},
        {"a/b", "a%2Fb", "a%2Fb"},
        {".", "%2E", "%2E"},
        {"..", "%2E%2E", "%2E."},
        {"cgroup.procs", "cgroup%2Eprocs", "cgroup.procs"},
        {"100%", "100%25", "100%25"},
        {"two words\n", "two%20words%0A", "two%20words%0A"},
        {"caf\xc3\xa9", "caf\xc3\xa9", "caf\xc3\xa9"},
        {"", "%", "%"},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(rows); i++) {
        const char *expected[] = {
            [SV_CGROUP_NAME_GROUP] = rows[i].group, [SV_CGROUP_NAME_LEAF] = rows[i].leaf};
        for (unsigned kind = 0; kind < SV_ARRAY_LENGTH(expected); kind++) {
            struct sv_str escaped = {0}, back = {0};
            sv_cgroup_name_escape(rows[i].name, (enum sv_cgroup_name_kind)kind, &escaped);
            assert_string_equal(sv_str_text(&escaped), expected[kind]);
            assert_true(sv_cgroup_name_unescape(sv_str_text(&escaped), &back));
            assert_string_equal(sv_str_text(&back), rows[i].name);
            sv_str_done(&escaped);
            sv_str_done(&back);
        }
    }
}

static void long_names_are_cut_and_stay_different(void **state)
{
    (void)state;
    char one[600], two[600];
    memset(one, '/', sizeof(one));
    one[sizeof(one) - 1] = '\0';
    memcpy(two, one, sizeof(two));
    two[sizeof(two) - 2] = 'x';
    struct sv_str first = {0}, second = {0}, back = {0};
    sv_cgroup_name_escape(one, SV_CGROUP_NAME_LEAF, &first);
    sv_cgroup_name_escape(two, SV_CGROUP_NAME_LEAF, &second);
    assert_true(first.length < 240);
    assert_string_not_equal(first.data, second.data);
    assert_false(sv_cgroup_name_unescape(first.data, &back));
    sv_str_done(&first);
    sv_str_done(&second);
    sv_str_done(&back);
}

static void the_tree_knows_its_number_and_depth(void **state)
{
    (void)state;
    struct sv_cgroup_tree *tree = open_tree();
    if (!tree)
        skip();
    struct stat status;
    assert_int_equal(stat(sv_cgroup_tree_path(tree), &status), 0);
    assert_true(status.st_ino == sv_cgroup_tree_id(tree));
    uint32_t level = sv_cgroup_tree_level(tree);
    assert_true(level >= 2);
    sv_cgroup_tree_free(tree);
}

static void a_leaf_stands_where_its_names_say_and_goes_away(void **state)
{
    (void)state;
    struct sv_cgroup_tree *tree = open_tree();
    if (!tree)
        skip();
    struct sv_cgroup_leaf *leaf;
    assert_int_equal(sv_cgroup_leaf_create(tree, "memory.max", "a/b", 7, &leaf), 0);
    struct sv_str expected = {0};
    sv_str_addf(&expected, "%s/memory%%2Emax/a%%2Fb.7", sv_cgroup_tree_path(tree));
    assert_string_equal(sv_cgroup_leaf_path(leaf), expected.data);
    struct stat status;
    assert_int_equal(stat(expected.data, &status), 0);
    assert_true(status.st_ino == sv_cgroup_leaf_id(leaf));
    assert_int_equal(sv_cgroup_leaf_populated(leaf), 0);
    sv_cgroup_leaf_free(leaf);
    assert_false(exists(expected.data));
    assert_int_equal(sv_cgroup_tree_sweep(tree), 0);
    sv_str_truncate(&expected, expected.length - strlen("/a%2Fb.7"));
    assert_false(exists(expected.data));
    sv_str_clear(&expected);
    sv_str_add(&expected, sv_cgroup_tree_path(tree));
    sv_cgroup_tree_free(tree);
    assert_false(exists(expected.data));
    sv_str_done(&expected);
}

static void every_run_has_a_directory_of_its_own(void **state)
{
    (void)state;
    struct sv_cgroup_tree *tree = open_tree();
    if (!tree)
        skip();
    struct sv_cgroup_leaf *first, *second, *again;
    assert_int_equal(sv_cgroup_leaf_create(tree, "g", "p", 1, &first), 0);
    assert_int_equal(sv_cgroup_leaf_create(tree, "g", "p", 2, &second), 0);
    assert_int_equal(sv_cgroup_leaf_create(tree, "g", "p", 1, &again), 0);
    assert_true(sv_cgroup_leaf_id(first) != sv_cgroup_leaf_id(second));
    assert_true(sv_cgroup_leaf_id(first) != sv_cgroup_leaf_id(again));
    sv_cgroup_leaf_free(first);
    sv_cgroup_leaf_free(second);
    sv_cgroup_leaf_free(again);
    sv_cgroup_tree_free(tree);
}

static void a_group_that_somebody_removed_is_made_again(void **state)
{
    (void)state;
    struct sv_cgroup_tree *tree = open_tree();
    if (!tree)
        skip();
    struct sv_cgroup_leaf *leaf;
    assert_int_equal(sv_cgroup_leaf_create(tree, "g", "p", 1, &leaf), 0);
    sv_cgroup_leaf_free(leaf);
    struct sv_str path = {0};
    sv_str_addf(&path, "%s/g", sv_cgroup_tree_path(tree));
    assert_int_equal(rmdir(path.data), 0);
    assert_int_equal(sv_cgroup_leaf_create(tree, "g", "p", 2, &leaf), 0);
    assert_true(exists(sv_cgroup_leaf_path(leaf)));
    sv_cgroup_leaf_free(leaf);
    sv_str_done(&path);
    sv_cgroup_tree_free(tree);
}

static void kill_takes_the_whole_family(void **state)
{
    (void)state;
    struct sv_cgroup_tree *tree = open_tree();
    if (!tree)
        skip();
    struct sv_cgroup_leaf *leaf;
    assert_int_equal(sv_cgroup_leaf_create(tree, "g", "p", 1, &leaf), 0);
    pid_t pid =
        start_shell(leaf, "trap '' TERM; setsid sh -c 'trap \"\" TERM; echo x; sleep 100; true' "
                          "& sleep 100; true");
    assert_int_equal(sv_cgroup_leaf_populated(leaf), 1);
    assert_int_equal(sv_cgroup_leaf_kill(leaf), 0);
    assert_int_equal(reap(pid), SIGKILL);
    wait_until_empty(leaf);
    sv_cgroup_leaf_free(leaf);
    assert_int_equal(sv_cgroup_tree_sweep(tree), 0);
    sv_cgroup_tree_free(tree);
}

static void a_family_is_killed_without_cgroup_kill_too(void **state)
{
    (void)state;
    struct sv_cgroup_tree *tree = open_tree();
    if (!tree)
        skip();
    struct sv_cgroup_leaf *leaf;
    assert_int_equal(sv_cgroup_leaf_create(tree, "g", "p", 1, &leaf), 0);
    pid_t pid =
        start_shell(leaf, "sh -c 'sleep 100; true' & (sleep 100; true) & echo x; sleep 100; true");
    const char *path = sv_cgroup_leaf_path(leaf);
    struct sv_cgroup_place place;
    struct sv_str reason = {0}, kernel_path = {0};
    assert_int_equal(sv_cgroup_place_find(&place, &reason), 0);
    sv_cgroup_place_kernel_path(&place, path, &kernel_path);
    struct sv_cgroup_subtree subtree = {
        .fd = sv_cgroup_leaf_fd(leaf), .path = path, .kernel_path = kernel_path.data};
    assert_int_equal(sv_cgroup_subtree_kill(&subtree), 0);
    sv_str_done(&kernel_path);
    assert_int_equal(reap(pid), SIGKILL);
    wait_until_empty(leaf);
    sv_cgroup_leaf_free(leaf);
    sv_cgroup_tree_free(tree);
}

static void a_signal_reaches_everybody_but_the_excepted(void **state)
{
    (void)state;
    struct sv_cgroup_tree *tree = open_tree();
    if (!tree)
        skip();
    struct sv_cgroup_leaf *leaf;
    assert_int_equal(sv_cgroup_leaf_create(tree, "g", "p", 1, &leaf), 0);
    pid_t pid = start_shell(leaf, "sleep 100 & sleep 100 & echo x; exec sleep 100");
    assert_int_equal(sv_cgroup_leaf_signal(leaf, SIGTERM, pid), 2);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    assert_true(sv_cgroup_leaf_signal(leaf, SIGTERM, 0) >= 1);
    assert_int_equal(reap(pid), SIGTERM);
    wait_until_empty(leaf);
    sv_cgroup_leaf_free(leaf);
    sv_cgroup_tree_free(tree);
}

static void what_a_program_builds_below_is_seen_and_removed(void **state)
{
    (void)state;
    struct sv_cgroup_tree *tree = open_tree();
    if (!tree)
        skip();
    struct sv_cgroup_leaf *leaf;
    assert_int_equal(sv_cgroup_leaf_create(tree, "g", "p", 1, &leaf), 0);
    struct sv_str path = {0};
    sv_str_addf(&path, "%s/inner", sv_cgroup_leaf_path(leaf));
    assert_int_equal(mkdir(path.data, 0755), 0);
    sv_str_add(&path, "/deep");
    assert_int_equal(mkdir(path.data, 0755), 0);
    struct sv_str script = {0};
    sv_str_addf(&script, "echo $$ >%s/cgroup.procs; echo x; exec sleep 100", path.data);
    pid_t pid = start_shell(leaf, script.data);
    assert_int_equal(sv_cgroup_leaf_populated(leaf), 1);
    assert_int_equal(sv_cgroup_leaf_signal(leaf, SIGTERM, 0), 1);
    assert_int_equal(reap(pid), SIGTERM);
    wait_until_empty(leaf);
    sv_str_clear(&path);
    sv_str_add(&path, sv_cgroup_leaf_path(leaf));
    sv_cgroup_leaf_free(leaf);
    sv_cgroup_tree_sweep(tree);
    assert_false(exists(path.data));
    sv_str_done(&path);
    sv_str_done(&script);
    sv_cgroup_tree_free(tree);
}

static void two_daemons_of_one_name_live_side_by_side(void **state)
{
    (void)state;
    struct sv_cgroup_tree *first = open_tree();
    if (!first)
        skip();
    struct sv_cgroup_tree *second = open_tree();
    assert_non_null(second);
    assert_string_not_equal(sv_cgroup_tree_path(first), sv_cgroup_tree_path(second));
    struct sv_cgroup_leaf *one, *two;
    assert_int_equal(sv_cgroup_leaf_create(first, "g", "p", 1, &one), 0);
    assert_int_equal(sv_cgroup_leaf_create(second, "g", "p", 1, &two), 0);
    sv_cgroup_leaf_free(two);
    sv_cgroup_tree_free(second);
    assert_true(exists(sv_cgroup_leaf_path(one)));
    sv_cgroup_leaf_free(one);
    sv_cgroup_tree_free(first);
}

static void leftovers_are_removed_when_empty_and_spared_when_alive(void **state)
{
    (void)state;
    struct sv_cgroup_tree *tree = open_tree();
    if (!tree)
        skip();
    struct sv_cgroup_leaf *leaf;
    assert_int_equal(sv_cgroup_leaf_create(tree, "g", "alive", 1, &leaf), 0);
    pid_t pid = start_shell(leaf, "echo x; exec sleep 100");
    struct sv_str dead = {0}, alive = {0};
    sv_str_addf(&dead, "%s/g/dead.1", sv_cgroup_tree_path(tree));
    sv_str_add(&alive, sv_cgroup_leaf_path(leaf));
    assert_int_equal(mkdir(dead.data, 0755), 0);
    sv_cgroup_leaf_free(leaf); /* as a daemon that goes while its program lives */
    sv_cgroup_tree_free(tree);

    tree = open_tree();
    assert_non_null(tree);
    sv_cgroup_tree_clean(tree);
    assert_false(exists(dead.data));
    assert_true(exists(alive.data));
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    assert_int_equal(sv_cgroup_tree_sweep(tree), 1);
    assert_int_equal(sv_cgroup_leaf_create(tree, "g", "alive", 1, &leaf), 0);
    assert_string_not_equal(sv_cgroup_leaf_path(leaf), alive.data);
    assert_int_equal(kill(pid, SIGKILL), 0);
    reap(pid);
    sv_cgroup_leaf_free(leaf);
    while (sv_cgroup_tree_sweep(tree) > 0)
        sched_yield();
    assert_false(exists(alive.data));
    sv_cgroup_tree_free(tree);
    sv_str_done(&dead);
    sv_str_done(&alive);
}

static void without_a_right_the_reason_says_what_to_do(void **state)
{
    (void)state;
    if (geteuid() == 0 && !sv_test_is_root())
        skip();
    pid_t pid = fork();
    if (pid == 0) {
        if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
            _exit(9);
        struct sv_cgroup_tree *tree;
        struct sv_str reason = {0};
        int r = sv_cgroup_tree_open(identifier, NULL, &tree, &reason);
        if (r == 0)
            _exit(0); /* this user has a cgroup of its own */
        print_message("# as nobody: %s\n", sv_str_text(&reason));
        _exit(r < 0 && strstr(sv_str_text(&reason), "EACCES") &&
                      strstr(sv_str_text(&reason), "as root")
                  ? 0
                  : 1);
    }
    assert_int_equal(reap(pid), 0);
}

int main(void)
{
    snprintf(identifier, sizeof(identifier), "cgroup-test-%d", getpid());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_survive_the_way_there_and_back),
        cmocka_unit_test(long_names_are_cut_and_stay_different),
        cmocka_unit_test(the_tree_knows_its_number_and_depth),
        cmocka_unit_test(a_leaf_stands_where_its_names_say_and_goes_away),
        cmocka_unit_test(every_run_has_a_directory_of_its_own),
        cmocka_unit_test(a_group_that_somebody_removed_is_made_again),
        cmocka_unit_test(kill_takes_the_whole_family),
        cmocka_unit_test(a_family_is_killed_without_cgroup_kill_too),
        cmocka_unit_test(a_signal_reaches_everybody_but_the_excepted),
        cmocka_unit_test(what_a_program_builds_below_is_seen_and_removed),
        cmocka_unit_test(two_daemons_of_one_name_live_side_by_side),
        cmocka_unit_test(leftovers_are_removed_when_empty_and_spared_when_alive),
        cmocka_unit_test(without_a_right_the_reason_says_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
