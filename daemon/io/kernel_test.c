/* What the kernel says of lives and deaths: who, when, of what, and what it could not tell. */
#include "io/kernel_fixture_test.h"

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

/* A victim for signals, which is what its name says from the moment that this returns. */
static struct sv_spawned start_sleep(const struct sv_cgroup_leaf *leaf)
{
    char *argv[] = {"/bin/sleep", "100", NULL};
    return start_program(leaf, argv);
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
    if (getenv("KERNEL_TEST_ROLE"))
        return live_once();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_life_is_told_from_fork_to_exit),
        cmocka_unit_test(who_sent_the_signal_is_known),
        cmocka_unit_test(a_killed_cgroup_names_the_writer),
        cmocka_unit_test(a_thread_is_no_process),
        cmocka_unit_test(others_on_the_host_are_not_recorded),
        cmocka_unit_test(a_cgroup_made_inside_a_leaf_belongs_to_the_leaf),
        cmocka_unit_test(an_exit_wakes_the_loop),
        cmocka_unit_test(a_full_ring_counts_what_it_lost_and_keeps_the_exits),
        cmocka_unit_test(namespaces_do_not_confuse_the_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
