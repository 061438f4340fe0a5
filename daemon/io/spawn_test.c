/* Real processes: what a child finds, and what it leaves as it was here. */
#include "io/spawn_fixture_test.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "io/root_for_test.h"
#include "io/spawn_child.h"

static void a_program_runs_with_its_arguments_and_output(void **state)
{
    (void)state;
    char *argv[] = {"/bin/sh", "-c", "echo $0 $1; echo err >&2", "a", "b c", NULL};
    struct trial trial;
    trial_init(&trial, argv);
    expect_output(&trial, "a b c\nerr\n");
    assert_true(trial.spawned.pid > 0);
    assert_true(trial.spawned.pidfd >= 0);
}

static void the_child_leads_its_own_process_group(void **state)
{
    (void)state;
    char *argv[] = {"/bin/sh", "-c", "test $(ps -o pgid= -p $$) = $$", NULL};
    struct trial trial;
    trial_init(&trial, argv);
    expect_output(&trial, "");
}

static void only_three_descriptors_reach_the_program(void **state)
{
    (void)state;
    int leaked = open("/dev/null", O_RDONLY);
    assert_int_equal(fcntl(leaked, F_DUPFD, 500), 500);
    char *argv[] = {"/bin/sh", "-c",
                    "for f in 0 1 2 3 4 5 6 7 8 9 10 500; do "
                    "test -e /proc/$$/fd/$f && echo $f; done; true",
                    NULL};
    struct trial trial;
    trial_init(&trial, argv);
    expect_output(&trial, "0\n1\n2\n");
    close(leaked);
    close(500);
}

/* One line for each open descriptor: its number and what it is. */
static void list_descriptors(struct sv_str *ret_text)
{
    for (int fd = 0; fd < 64; fd++) {
        struct stat status;
        if (fstat(fd, &status) == 0)
            sv_str_addf(ret_text, "%d %llu %d\n", fd, (unsigned long long)status.st_ino,
                        fcntl(fd, F_GETFD));
    }
}

/* The child borrows the table of descriptors: nothing that it does to its own may be seen here. */
static void our_descriptors_stay_as_they_are(void **state)
{
    (void)state;
    char *argv[] = {"/bin/true", NULL};
    char *missing[] = {"/nonexistent", NULL};
    struct sv_str before = {0}, after = {0};
    struct trial trial;
    trial_init(&trial, argv); /* the first spawn takes what it keeps for ever */
    expect_output(&trial, "");
    list_descriptors(&before);
    trial_init(&trial, argv);
    expect_output(&trial, "");
    trial_init(&trial, missing);
    assert_int_equal(trial_run(&trial), SV_SPAWN_FAILED);
    close(trial.out_fd);
    list_descriptors(&after);
    assert_string_equal(sv_str_text(&before), sv_str_text(&after));
    sv_str_done(&before);
    sv_str_done(&after);
}

static void descriptors_that_collide_are_untangled(void **state)
{
    (void)state;
    /* The plan hands over 0, 1 and 2 in the wrong order: a rotation, in a child so that ours stay.
     */
    pid_t pid = fork();
    if (pid == 0) {
        int out[2];
        if (pipe(out) < 0)
            _exit(1);
        dup2(out[1], STDIN_FILENO);
        dup2(out[1], STDERR_FILENO);
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDOUT_FILENO);
        char *argv[] = {"/bin/sh", "-c", "read x; echo out; echo err >&2", NULL};
        struct sv_spawn_plan plan = {.path = argv[0],
                                     .argv = argv,
                                     .envp = environ,
                                     .stdin_fd = STDOUT_FILENO,
                                     .stdout_fd = STDERR_FILENO,
                                     .stderr_fd = STDIN_FILENO,
                                     .cgroup_fd = -1};
        struct sv_spawned spawned;
        struct sv_spawn_failure failure;
        if (sv_spawn(&plan, &spawned, &failure) != 0 || waitpid(spawned.pid, NULL, 0) < 0)
            _exit(2);
        char text[16] = {0};
        ssize_t length = read(out[0], text, sizeof(text) - 1);
        _exit(length == 8 && strcmp(text, "out\nerr\n") == 0 ? 0 : 3);
    }
    int status;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

static void signals_are_as_new_in_the_program(void **state)
{
    (void)state;
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGUSR2);
    sigprocmask(SIG_BLOCK, &blocked, &before);
    char *argv[] = {"/bin/grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status", NULL};
    struct trial trial;
    trial_init(&trial, argv);
    expect_output(&trial, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    sigset_t after;
    sigprocmask(SIG_SETMASK, &before, &after);
    assert_true(sigismember(&after, SIGTERM) && !sigismember(&after, SIGINT));
}

static void a_term_right_after_the_start_is_never_lost(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        char *argv[] = {"/bin/sleep", "100", NULL};
        struct trial trial;
        trial_init(&trial, argv);
        assert_int_equal(trial_run(&trial), 0);
        assert_int_equal(kill(trial.spawned.pid, SIGTERM), 0);
        assert_int_equal(wait_status(&trial.spawned), SIGTERM);
        close(trial.out_fd);
    }
}

static void umask_directory_and_descriptor_limit_are_set(void **state)
{
    (void)state;
    char *argv[] = {"/bin/sh", "-c", "umask; pwd; ulimit -Sn", NULL};
    struct trial trial;
    trial_init(&trial, argv);
    trial.plan.directory = "/usr";
    trial.plan.has_umask = true;
    trial.plan.umask = 027;
    trial.plan.nofile_soft = 77;
    expect_output(&trial, "0027\n/usr\n77\n");
    struct rlimit ours;
    getrlimit(RLIMIT_NOFILE, &ours);
    assert_true(ours.rlim_cur != 77);
}

static void the_user_changes_in_the_child_and_not_here(void **state)
{
    (void)state;
    if (!sv_test_is_root())
        skip();
    gid_t groups[] = {65534, 1234};
    char *argv[] = {"/bin/sh", "-c", "id -u; id -g; id -G", NULL};
    struct trial trial;
    trial_init(&trial, argv);
    trial.plan.has_user = true;
    trial.plan.uid = trial.plan.gid = 65534;
    trial.plan.groups = groups;
    trial.plan.group_count = 2;
    prctl(PR_SET_DUMPABLE, 1);
    assert_int_equal(trial_run(&trial), 0);
    struct sv_str text = {0};
    read_all(trial.out_fd, &text);
    wait_status(&trial.spawned);
    if (strcmp(sv_str_text(&text), "") == 0 || trial.failure.stage == SV_SPAWN_STAGE_USER)
        fail_msg("no answer from id");
    assert_string_equal(sv_str_text(&text), "65534\n65534\n65534 1234\n");
    sv_str_done(&text);
    assert_int_equal(geteuid(), 0);
    assert_int_equal(prctl(PR_GET_DUMPABLE), 1);
}

/* As container engines did for years: clone3 is unknown to the filter, so it is refused. */
static bool forbid_clone3(int error)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = 4, .filter = steps};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

static void where_clone3_is_forbidden_a_fork_does_the_same(void **state)
{
    (void)state;
    static const int errors[] = {EPERM, ENOSYS};
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        pid_t pid = fork();
        if (pid == 0) {
            if (!forbid_clone3(errors[i]))
                _exit(9);
            struct trial good, bad;
            char *good_argv[] = {"/bin/sh", "-c", "exit 4", NULL};
            char *bad_argv[] = {"/does/not/exist", NULL};
            trial_init(&good, good_argv);
            trial_init(&bad, bad_argv);
            bool is_right = trial_run(&good) == 0 && good.spawned.pidfd >= 0 &&
                            WEXITSTATUS(wait_status(&good.spawned)) == 4 &&
                            trial_run(&bad) == SV_SPAWN_FAILED &&
                            bad.failure.stage == SV_SPAWN_STAGE_EXEC &&
                            bad.failure.error == ENOENT && strcmp(sv_spawn_method(), "fork") == 0;
            _exit(is_right ? 0 : 1);
        }
        int status;
        waitpid(pid, &status, 0);
        if (WEXITSTATUS(status) == 9) {
            print_message("# skip: no seccomp filters here\n");
            skip();
        }
        assert_int_equal(status, 0);
    }
}

/* 32 and 33, as posix_spawn() leaves them: a make(1) that starts a program without a shell does. */
static void ignore_what_glibc_keeps_for_itself(void)
{
    const struct sv_kernel_sigaction ignored = {.handler = SIG_IGN};
    for (int number = 32; number < SIGRTMIN; number++)
        assert_int_equal(syscall(SYS_rt_sigaction, number, &ignored, NULL, SV_SIGNAL_SET_BYTES), 0);
}

int main(void)
{
    print_message("# way: %s\n", sv_spawn_method());
    signal(SIGPIPE, SIG_IGN); /* before the first spawn, as the daemon does */
    signal(SIGHUP, SIG_IGN);
    ignore_what_glibc_keeps_for_itself();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_runs_with_its_arguments_and_output),
        cmocka_unit_test(the_child_leads_its_own_process_group),
        cmocka_unit_test(only_three_descriptors_reach_the_program),
        cmocka_unit_test(our_descriptors_stay_as_they_are),
        cmocka_unit_test(descriptors_that_collide_are_untangled),
        cmocka_unit_test(signals_are_as_new_in_the_program),
        cmocka_unit_test(a_term_right_after_the_start_is_never_lost),
        cmocka_unit_test(umask_directory_and_descriptor_limit_are_set),
        cmocka_unit_test(the_user_changes_in_the_child_and_not_here),
        cmocka_unit_test(where_clone3_is_forbidden_a_fork_does_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
