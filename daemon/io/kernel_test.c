/*
 * Real eBPF, real cgroups, real deaths. The test starts itself again as an ordinary user and in a
 * user namespace (KERNEL_TEST_ROLE) and reads what the report says there.
 */
#include "io/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "io/bpf.h"
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

static void on_record(void *user, const struct sv_bpf_record *record)
{
    struct bench *bench = user;
    if (bench->count < RECORD_MAX)
        bench->records[bench->count++] = *record;
}

static void bench_done(struct bench *bench)
{
    sv_kernel_free(bench->kernel);
    sv_loop_free(bench->loop);
    sv_cgroup_tree_free(bench->tree);
    free(bench);
}

static const char *row_text(json_t *report, const char *name, const char *key)
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
static struct bench *bench_new(bool is_bpf_wanted)
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

/* The same, or skip() with the reason when this machine has no eBPF for us. */
static struct bench *bench_with_bpf(void)
{
    struct bench *bench = bench_new(true);
    json_t *report = sv_kernel_report(bench->kernel);
    bool is_active = strcmp(row_text(report, "eBPF exit", "active"), "yes") == 0;
    if (!is_active)
        print_message("# skip: eBPF: %s\n", row_text(report, "eBPF exit", "missing"));
    json_decref(report);
    if (!is_active) {
        bench_done(bench);
        skip();
    }
    return bench;
}

static struct sv_spawned start_program(const struct sv_cgroup_leaf *leaf, char *const *argv)
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

static struct sv_spawned start(const struct sv_cgroup_leaf *leaf, const char *script)
{
    char *argv[] = {"/bin/sh", "-c", (char *)script, NULL};
    return start_program(leaf, argv);
}

/* A victim for signals, which is what its name says from the moment that this returns. */
static struct sv_spawned start_sleep(const struct sv_cgroup_leaf *leaf)
{
    char *argv[] = {"/bin/sleep", "100", NULL};
    return start_program(leaf, argv);
}

/* Waits by the pidfd, drains as the driver does, then reaps. */
static int finish(struct bench *bench, const struct sv_spawned *spawned)
{
    struct pollfd item = {.fd = spawned->pidfd, .events = POLLIN};
    assert_int_equal(poll(&item, 1, EVENT_TIMEOUT_MS), 1);
    sv_kernel_drain(bench->kernel);
    int status = -1;
    assert_int_equal(waitpid(spawned->pid, &status, 0), spawned->pid);
    close(spawned->pidfd);
    return status;
}

static const struct sv_bpf_record *find(const struct bench *bench, unsigned kind, pid_t pid)
{
    for (size_t i = 0; i < bench->count; i++)
        if (bench->records[i].kind == kind && bench->records[i].pid == (uint32_t)pid)
            return &bench->records[i];
    return NULL;
}

static size_t count_kind(const struct bench *bench, unsigned kind)
{
    size_t count = 0;
    for (size_t i = 0; i < bench->count; i++)
        count += bench->records[i].kind == kind;
    return count;
}

/* After fork() the child enters its cgroup by itself: nobody of ours was born. */
static bool is_born_inside(void)
{
    return strcmp(sv_spawn_method(), "clone3 into cgroup") == 0;
}

static struct sv_cgroup_leaf *make_leaf(struct bench *bench)
{
    struct sv_cgroup_leaf *leaf;
    assert_int_equal(sv_cgroup_leaf_create(bench->tree, "g", "p", 1, &leaf), 0);
    return leaf;
}

static void a_life_is_told_from_fork_to_exit(void **state)
{
    (void)state;
    struct bench *bench = bench_with_bpf();
    struct sv_cgroup_leaf *leaf = make_leaf(bench);
    struct sv_spawned spawned = start(leaf, "/bin/true; exit 7");
    assert_int_equal(WEXITSTATUS(finish(bench, &spawned)), 7);

    const struct sv_bpf_record *born = find(bench, SV_BPF_FORK, spawned.pid);
    const struct sv_bpf_record *executed = find(bench, SV_BPF_EXEC, spawned.pid);
    const struct sv_bpf_record *died = find(bench, SV_BPF_EXIT, spawned.pid);
    assert_non_null(executed);
    assert_non_null(died);
    assert_true(executed < died);
    assert_true((born != NULL) == is_born_inside());
    if (born) {
        assert_true(born < executed && born->time_ns <= executed->time_ns);
        assert_true(born->fork.parent_pid == (uint32_t)getpid());
    }
    assert_string_equal(executed->comm, "sh");
    assert_int_equal(died->exit.wait_status, 7 << 8);
    assert_true(died->exit.max_rss_bytes > 100000 && died->exit.max_rss_bytes < 100000000);
    assert_true(died->cgroup_id == sv_cgroup_leaf_id(leaf));
    assert_true(executed->time_ns <= died->time_ns);
    /* /bin/true inside: its own three records. */
    assert_int_equal(count_kind(bench, SV_BPF_FORK), is_born_inside() ? 2 : 1);
    assert_int_equal(count_kind(bench, SV_BPF_EXEC), 2);
    assert_int_equal(count_kind(bench, SV_BPF_EXIT), 2);
    sv_cgroup_leaf_free(leaf);
    bench_done(bench);
}

static void who_sent_the_signal_is_known(void **state)
{
    (void)state;
    struct bench *bench = bench_with_bpf();
    struct sv_cgroup_leaf *leaf = make_leaf(bench);
    struct sv_spawned victim = start_sleep(leaf);
    char script[64];
    snprintf(script, sizeof(script), "kill -TERM %d", victim.pid);
    struct sv_spawned killer = start(NULL, script);
    assert_int_equal(finish(bench, &killer), 0);
    assert_int_equal(finish(bench, &victim), SIGTERM);
    const struct sv_bpf_record *sent = find(bench, SV_BPF_SIGNAL, victim.pid);
    assert_non_null(sent);
    assert_int_equal(sent->signal.number, SIGTERM);
    assert_int_equal(sent->signal.code, SI_USER);
    assert_int_equal(sent->signal.sender_pid, killer.pid);
    assert_int_equal(sent->signal.sender_uid, getuid());
    assert_string_equal(sent->sender_comm, "sh");
    assert_string_equal(sent->comm, "sleep");
    assert_true(sent->signal.sender_cgroup_id != sent->cgroup_id);
    assert_int_equal(find(bench, SV_BPF_EXIT, victim.pid)->exit.wait_status, SIGTERM);
    sv_cgroup_leaf_free(leaf);
    bench_done(bench);
}

static void a_killed_cgroup_names_the_writer(void **state)
{
    (void)state;
    struct bench *bench = bench_with_bpf();
    struct sv_cgroup_leaf *leaf = make_leaf(bench);
    struct sv_spawned victim = start_sleep(leaf);
    assert_int_equal(sv_cgroup_leaf_kill(leaf), 0);
    assert_int_equal(finish(bench, &victim), SIGKILL);
    const struct sv_bpf_record *sent = find(bench, SV_BPF_SIGNAL, victim.pid);
    assert_non_null(sent);
    assert_int_equal(sent->signal.number, SIGKILL);
    assert_int_equal(sent->signal.sender_pid, getpid());
    sv_cgroup_leaf_free(leaf);
    bench_done(bench);
}

static void a_thread_is_no_process(void **state)
{
    (void)state;
    struct bench *bench = bench_with_bpf();
    struct sv_cgroup_leaf *leaf = make_leaf(bench);
    /* The main thread leaves first; then a second one ends the process with 5. (Threads that leave
     * in the same moment may each be told as the last: who reads the records expects it.) */
    struct sv_spawned spawned =
        start(leaf, "exec /usr/bin/python3 -c 'import ctypes, os, threading\n"
                    "def last():\n"
                    "    path = \"/proc/self/task/%d/stat\" % os.getpid()\n"
                    "    while open(path).read().split()[2] != \"Z\":\n"
                    "        pass\n"
                    "    os._exit(5)\n"
                    "threading.Thread(target=last).start()\n"
                    "ctypes.CDLL(None).pthread_exit(None)'");
    assert_int_equal(WEXITSTATUS(finish(bench, &spawned)), 5);
    assert_int_equal(count_kind(bench, SV_BPF_FORK), is_born_inside() ? 1 : 0);
    assert_int_equal(count_kind(bench, SV_BPF_EXIT), 1);
    assert_int_equal(find(bench, SV_BPF_EXIT, spawned.pid)->exit.wait_status, 5 << 8);
    sv_cgroup_leaf_free(leaf);
    bench_done(bench);
}

static void others_on_the_host_are_not_recorded(void **state)
{
    (void)state;
    struct bench *bench = bench_with_bpf();
    struct sv_spawned spawned = start(NULL, "/bin/true; exit 3");
    finish(bench, &spawned);
    assert_int_equal(bench->count, 0);
    bench_done(bench);
}

static void a_cgroup_made_inside_a_leaf_belongs_to_the_leaf(void **state)
{
    (void)state;
    struct bench *bench = bench_with_bpf();
    struct sv_cgroup_leaf *leaf = make_leaf(bench);
    char script[512];
    snprintf(script, sizeof(script),
             "cd %s && mkdir in && echo $$ >in/cgroup.procs && /bin/true; exit 0",
             sv_cgroup_leaf_path(leaf));
    struct sv_spawned spawned = start(leaf, script);
    assert_int_equal(finish(bench, &spawned), 0);
    assert_true(count_kind(bench, SV_BPF_EXIT) >= 2);
    for (size_t i = 0; i < bench->count; i++)
        assert_true(bench->records[i].cgroup_id == sv_cgroup_leaf_id(leaf));
    sv_cgroup_leaf_free(leaf);
    bench_done(bench);
}

static void on_timeout(void *user)
{
    sv_loop_quit(user, 1);
}

static void on_record_quit(void *user, const struct sv_bpf_record *record)
{
    if (record->kind == SV_BPF_EXIT)
        sv_loop_quit(user, 0);
}

/* FORK and EXEC stand unread before it, so a wake-up left to the kernel would not come. */
static void an_exit_wakes_the_loop(void **state)
{
    (void)state;
    struct bench *bench = bench_with_bpf();
    struct sv_cgroup_leaf *leaf = make_leaf(bench);
    struct sv_kernel *kernel;
    assert_int_equal(
        sv_kernel_new(bench->loop, bench->tree, true, on_record_quit, bench->loop, &kernel), 0);
    struct sv_source *timer;
    assert_int_equal(sv_loop_add_timer(bench->loop, 1, on_timeout, bench->loop, &timer), 0);
    assert_int_equal(sv_source_arm(timer, sv_now_ns() + EVENT_TIMEOUT_MS * 1000000ull), 0);
    struct sv_spawned spawned = start(leaf, "exit 0");
    assert_int_equal(sv_loop_run(bench->loop), 0);
    sv_source_free(timer);
    sv_kernel_free(kernel);
    finish(bench, &spawned);
    sv_cgroup_leaf_free(leaf);
    bench_done(bench);
}

static void a_full_ring_counts_what_it_lost_and_keeps_the_exits(void **state)
{
    (void)state;
    struct bench *bench = bench_with_bpf();
    struct sv_cgroup_leaf *leaf = make_leaf(bench);
    struct sv_spawned victim = start_sleep(leaf);
    enum { SIGNAL_COUNT = 10000 };
    assert_int_equal(kill(victim.pid, SIGSTOP), 0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)victim.pid, &info, WSTOPPED), 0);
    /* Stopped, it takes none of them; real-time signals queue instead of melting into one. */
    for (int i = 0; i < SIGNAL_COUNT; i++)
        (void)sigqueue(victim.pid, SIGRTMIN + 5, (union sigval){.sival_int = i});
    assert_int_equal(sv_cgroup_leaf_kill(leaf), 0);
    assert_int_equal(finish(bench, &victim), SIGKILL);
    assert_true(count_kind(bench, SV_BPF_SIGNAL) > 1000);
    assert_true(sv_kernel_lost(bench->kernel, SV_BPF_SIGNAL) > 0);
    assert_int_equal(sv_kernel_lost(bench->kernel, SV_BPF_EXIT), 0);
    assert_non_null(find(bench, SV_BPF_EXIT, victim.pid));
    print_message("# %zu signals read, %llu lost\n", count_kind(bench, SV_BPF_SIGNAL),
                  (unsigned long long)sv_kernel_lost(bench->kernel, SV_BPF_SIGNAL));
    sv_cgroup_leaf_free(leaf);
    bench_done(bench);
}

static void without_bpf_the_report_says_so_and_all_else_works(void **state)
{
    (void)state;
    struct bench *bench = bench_new(false);
    json_t *report = sv_kernel_report(bench->kernel);
    assert_non_null(report);
    assert_string_equal(row_text(report, "eBPF exit", "active"), "no");
    assert_non_null(strstr(row_text(report, "eBPF exit", "missing"), "switched off"));
    assert_string_equal(row_text(report, "ring buffer", "active"), "no");
    sv_kernel_drain(bench->kernel);
    assert_int_equal(sv_kernel_lost(bench->kernel, SV_BPF_EXIT), 0);
    json_decref(report);
    bench_done(bench);
}

static void every_row_is_complete(void **state)
{
    (void)state;
    struct bench *bench = bench_new(true);
    json_t *report = sv_kernel_report(bench->kernel);
    assert_true(json_array_size(report) >= 15);
    size_t index;
    json_t *row;
    json_array_foreach(report, index, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        bool is_active = json_is_true(json_object_get(row, "active"));
        assert_int_equal(json_object_size(row), 6);
        assert_true(*row_text(report, name, "gives") != '\0');
        assert_true((*row_text(report, name, "missing") == '\0') == is_active);
        assert_true((*row_text(report, name, "remedy") == '\0') == is_active);
        print_message("# %-20s %s  %s%s\n", name, is_active ? "yes" : "no ",
                      row_text(report, name, "detail"), row_text(report, name, "missing"));
    }
    json_decref(report);
    bench_done(bench);
}

/* In the role: prints "name|missing|remedy" of what is missing, for the test that started it. */
static int print_missing(void)
{
    struct bench *bench = bench_new(true);
    json_t *report = sv_kernel_report(bench->kernel);
    size_t index;
    json_t *row;
    json_array_foreach(report, index, row) if (!json_is_true(json_object_get(row, "active")))
        printf("%s|%s|%s\n", json_string_value(json_object_get(row, "name")),
               json_string_value(json_object_get(row, "missing")),
               json_string_value(json_object_get(row, "remedy")));
    json_decref(report);
    bench_done(bench);
    return 0;
}

/* In the role: one life, told with the numbers of our own namespaces. */
static int live_once(void)
{
    struct bench *bench = bench_new(true);
    if (!bench->tree) {
        bench_done(bench);
        return 2;
    }
    struct sv_cgroup_leaf *leaf = make_leaf(bench);
    struct sv_spawned spawned = start(leaf, "/bin/true; exit 7");
    finish(bench, &spawned);
    const struct sv_bpf_record *died = find(bench, SV_BPF_EXIT, spawned.pid);
    const struct sv_bpf_record *born = find(bench, SV_BPF_FORK, spawned.pid);
    bool is_right = died && died->cgroup_id == sv_cgroup_leaf_id(leaf);
    if (is_born_inside())
        is_right = is_right && born && born->cgroup_id == sv_cgroup_leaf_id(leaf) &&
                   born->fork.parent_pid == (uint32_t)getpid();
    printf("level %u, %zu deaths, %s\n", sv_cgroup_tree_level(bench->tree),
           count_kind(bench, SV_BPF_EXIT), is_right ? "right" : "wrong");
    sv_cgroup_leaf_free(leaf);
    bench_done(bench);
    return 0;
}

/* Runs this program again behind `prefix` and returns what it printed. */
static void run_in_role(const char *role, const char *prefix, struct sv_str *ret_text)
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

static void an_ordinary_user_is_told_what_is_missing(void **state)
{
    (void)state;
    if (!sv_test_is_root())
        skip();
    struct sv_str text = {0};
    run_in_role("report", "setpriv --reuid 65534 --regid 65534 --clear-groups", &text);
    assert_non_null(strstr(sv_str_text(&text), "cgroup2|"));
    assert_non_null(strstr(sv_str_text(&text), "EACCES"));
    assert_non_null(strstr(sv_str_text(&text), "eBPF exit|there is no cgroup2|"));
    assert_true((strstr(sv_str_text(&text), "clone3|") == NULL) == is_born_inside());
    assert_null(strstr(sv_str_text(&text), "pidfd|"));
    sv_str_done(&text);
}

static void a_user_namespace_has_cgroups_at_most(void **state)
{
    (void)state;
    if (system("unshare -r true 2>/dev/null") != 0) {
        print_message("# skip: user namespaces are forbidden here\n");
        skip();
    }
    struct sv_str text = {0};
    run_in_role("report", "unshare -r", &text);
    const char *row = strstr(sv_str_text(&text), "eBPF exit|");
    assert_non_null(row);
    if (strstr(sv_str_text(&text), "cgroup2|") == NULL) {
        assert_non_null(strstr(row, "EPERM"));
        assert_non_null(strstr(row, "CAP_BPF"));
    }
    assert_true((strstr(sv_str_text(&text), "clone3|") == NULL) == is_born_inside());
    sv_str_done(&text);
}

/* Both namespaces hide numbers that the kernel's side works with: the depth of a cgroup, its pids.
 */
static void namespaces_do_not_confuse_the_records(void **state)
{
    (void)state;
    if (!sv_test_is_root())
        skip();
    bench_done(bench_with_bpf());
    struct sv_str text = {0};
    run_in_role("life", "unshare -C -p -f --mount-proc", &text);
    assert_string_equal(sv_str_text(&text), "level 4294967295, 2 deaths, right\n");
    sv_str_done(&text);
}

int main(void)
{
    const char *role = getenv("KERNEL_TEST_ROLE");
    if (role)
        return strcmp(role, "life") == 0 ? live_once() : print_missing();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_life_is_told_from_fork_to_exit),
        cmocka_unit_test(who_sent_the_signal_is_known),
        cmocka_unit_test(a_killed_cgroup_names_the_writer),
        cmocka_unit_test(a_thread_is_no_process),
        cmocka_unit_test(others_on_the_host_are_not_recorded),
        cmocka_unit_test(a_cgroup_made_inside_a_leaf_belongs_to_the_leaf),
        cmocka_unit_test(an_exit_wakes_the_loop),
        cmocka_unit_test(a_full_ring_counts_what_it_lost_and_keeps_the_exits),
        cmocka_unit_test(without_bpf_the_report_says_so_and_all_else_works),
        cmocka_unit_test(every_row_is_complete),
        cmocka_unit_test(an_ordinary_user_is_told_what_is_missing),
        cmocka_unit_test(a_user_namespace_has_cgroups_at_most),
        cmocka_unit_test(namespaces_do_not_confuse_the_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
