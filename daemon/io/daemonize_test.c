#include "io/scratch_test.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "io/account.h"
#include "io/daemonize.h"

/* Everything here changes the process, so each test runs in a child; its status is 0 or a line
 * number. */
#define expect(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return __LINE__;                                                                       \
    } while (0)

static void assert_in_child(int (*run)(struct scratch *scratch), struct scratch *scratch)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int line = run(scratch);
        _exit(write(ends[1], &line, sizeof(line)) == sizeof(line) ? 0 : 1);
    }
    close(ends[1]);
    int line = -1;
    ssize_t n = read(ends[0], &line, sizeof(line)); /* a daemonized grandchild answers later */
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(n, sizeof(line));
    assert_int_equal(line, 0); /* the line that failed */
    assert_int_equal(status, 0);
}

static int raise_in_child(struct scratch *scratch)
{
    (void)scratch;
    struct rlimit limit = {.rlim_cur = 256, .rlim_max = 4096};
    expect(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    uint64_t child = 0;
    struct sv_str text = {0};
    expect(sv_limits_raise(1024, 10, &child, &text) == 0);
    expect(child == 1024);
    expect(strcmp(sv_str_text(&text), "Increased RLIMIT_NOFILE limit to 1024\n") == 0);
    expect(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 4096);
    sv_str_clear(&text);
    expect(sv_limits_raise(1024, 10, &child, &text) == 0 && text.length == 0);
    sv_str_done(&text);
    return 0;
}

static void limits_are_raised_as_supervisor_does_and_further_for_the_daemon(void **state)
{
    assert_in_child(raise_in_child, *state);
}

static int refuse_in_child(struct scratch *scratch)
{
    (void)scratch;
    struct rlimit limit = {.rlim_cur = 256, .rlim_max = 512};
    expect(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (getuid() == 0)
        expect(setuid(65534) == 0);
    uint64_t child = 7;
    struct sv_str text = {0};
    expect(sv_limits_raise(1024, 10, &child, &text) == SV_LIMITS_REFUSED);
    expect(child == 7);
    static const char words[] =
        "The minimum number of file descriptors required to run this process is 1024 as per the "
        "\"minfds\" command-line argument or config file setting. The current environment will "
        "only allow you to open 1024 file descriptors.  Either raise the number of usable file "
        "descriptors in your environment (see README.rst) or lower the minfds setting in the "
        "config file to allow the process to start.";
    expect(strcmp(sv_str_text(&text), words) == 0);
    sv_str_done(&text);
    return 0;
}

static void a_hard_limit_refuses_in_supervisors_words(void **state)
{
    assert_in_child(refuse_in_child, *state);
}

static int daemonize_in_child(struct scratch *scratch)
{
    pid_t before = getpid();
    int ready_fd;
    expect(sv_daemonize_begin(&ready_fd) == 0);
    expect(getpid() != before);
    sv_daemonize_settle(scratch->directory, 027);
    sv_daemonize_ready(ready_fd);
    expect(getsid(0) == getpid());
    char directory[256];
    expect(getcwd(directory, sizeof(directory)) && strcmp(directory, scratch->directory) == 0);
    expect(umask(0) == 027);
    struct stat null;
    expect(stat("/dev/null", &null) == 0);
    for (int fd = 0; fd <= 2; fd++) {
        struct stat status;
        expect(fstat(fd, &status) == 0 && status.st_rdev == null.st_rdev);
        expect(!(fcntl(fd, F_GETFD) & FD_CLOEXEC));
    }
    return 0;
}

static void the_background_has_its_own_session_and_no_terminal(void **state)
{
    assert_in_child(daemonize_in_child, *state);
}

static void a_refusal_before_ready_is_the_status_of_the_command(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        int ready_fd;
        if (sv_daemonize_begin(&ready_fd) < 0)
            _exit(1);
        _exit(42); /* the daemon: its port is taken */
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

static int prepare_signals_in_child(struct scratch *scratch)
{
    (void)scratch;
    signal(SIGCHLD, SIG_IGN);
    expect(sv_signals_prepare() == 0);
    sigset_t blocked;
    expect(sigprocmask(SIG_BLOCK, NULL, &blocked) == 0);
    expect(sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGCHLD) == 1);
    expect(sigismember(&blocked, SIGSEGV) == 0);
    expect(signal(SIGPIPE, SIG_DFL) == SIG_IGN);
    expect(signal(SIGCHLD, SIG_DFL) == SIG_DFL);
    return 0;
}

static void signals_wait_for_the_loop(void **state)
{
    assert_in_child(prepare_signals_in_child, *state);
}

static void the_pid_file_is_removed_only_by_its_owner(void **state)
{
    char pid[32];
    const char *path = scratch_path(*state, "d.pid");
    assert_int_equal(sv_pidfile_write(path), 0);
    snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
    assert_file(*state, "d.pid", pid);
    sv_pidfile_remove(path);
    assert_false(scratch_exists(*state, "d.pid"));
    scratch_write(*state, "d.pid", "1\n");
    sv_pidfile_remove(path);
    assert_true(scratch_exists(*state, "d.pid"));
    assert_int_equal(sv_pidfile_write(scratch_path(*state, "no/d.pid")), -ENOENT);
}

static int drop_in_child(struct scratch *scratch)
{
    (void)scratch;
    struct sv_str text = {0};
    const struct passwd *nobody = getpwnam("nobody");
    expect(nobody);
    uid_t uid = nobody->pw_uid;
    gid_t gid = nobody->pw_gid;
    expect(sv_account_drop_privileges("no such user", &text) == SV_ACCOUNT_REFUSED);
    expect(strcmp(sv_str_text(&text), "Can't find username 'no such user'") == 0);
    sv_str_clear(&text);
    expect(sv_account_drop_privileges("nobody", &text) == 0);
    expect(getuid() == uid && geteuid() == uid && getgid() == gid);
    gid_t groups[8];
    expect(getgroups(8, groups) == 1 && groups[0] == gid);
    expect(sv_account_drop_privileges("nobody", &text) == 0); /* is that user already */
    expect(sv_account_drop_privileges("0", &text) == SV_ACCOUNT_REFUSED);
    expect(strcmp(sv_str_text(&text), "Can't drop privilege as nonroot user") == 0);
    sv_str_done(&text);
    return 0;
}

static void privileges_are_dropped_for_good(void **state)
{
    if (getuid() != 0)
        skip(); /* only root has any */
    assert_in_child(drop_in_child, *state);
}

static void an_account_has_its_primary_group_first(void **state)
{
    (void)state;
    struct sv_account account = {0};
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    assert_int_equal(sv_account_load(0, &account, &text), 0);
    assert_true(account.group_count >= 1);
    assert_int_equal(account.groups[0], account.gid);
    sv_account_done(&account);
    assert_int_equal(sv_account_load(4123456789u, &account, &text), SV_ACCOUNT_REFUSED);
    assert_string_equal(sv_str_text(&text), "Can't find uid 4123456789");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
        test(limits_are_raised_as_supervisor_does_and_further_for_the_daemon),
        test(a_hard_limit_refuses_in_supervisors_words),
        test(the_background_has_its_own_session_and_no_terminal),
        test(a_refusal_before_ready_is_the_status_of_the_command),
        test(signals_wait_for_the_loop),
        test(the_pid_file_is_removed_only_by_its_owner),
        test(privileges_are_dropped_for_good),
        test(an_account_has_its_primary_group_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
