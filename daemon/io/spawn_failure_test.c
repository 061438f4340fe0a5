/* What becomes of a child that cannot be started, and in whose words that is told. */
#include "io/spawn_fixture_test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "io/root_for_test.h"

static void expect_failure(struct trial *trial, enum sv_spawn_stage stage, int error,
                           const char *words)
{
    assert_int_equal(trial_run(trial), SV_SPAWN_FAILED);
    struct sv_str text = {0};
    read_all(trial->out_fd, &text);
    assert_int_equal(trial->failure.stage, stage);
    assert_int_equal(trial->failure.error, error);
    assert_string_equal(sv_str_text(&text), words);
    sv_str_done(&text);
    if (trial->failure.pid)
        assert_int_equal(waitpid(trial->failure.pid, NULL, WNOHANG), -1);
}

static void an_ordinary_user_cannot_become_another(void **state)
{
    (void)state;
    if (!sv_test_is_root())
        skip();
    pid_t pid = fork();
    if (pid == 0) {
        if (setgid(65534) < 0 || setuid(65534) < 0)
            _exit(9);
        char *argv[] = {"/bin/true", NULL};
        struct trial trial;
        trial_init(&trial, argv);
        trial.plan.has_user = true;
        trial.plan.uid = 1;
        int r = trial_run(&trial);
        char text[256] = {0};
        ssize_t length = read(trial.out_fd, text, sizeof(text) - 1);
        const char *words =
            "supervisor: couldn't setuid to 1: Can't drop privilege as nonroot user\n"
            "supervisor: child process was not spawned\n";
        _exit(r == SV_SPAWN_FAILED && trial.failure.stage == SV_SPAWN_STAGE_USER && length > 0 &&
                      strcmp(text, words) == 0
                  ? 0
                  : 1);
    }
    int status;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

static void a_missing_directory_is_told_in_supervisors_words(void **state)
{
    (void)state;
    char *argv[] = {"/bin/true", NULL};
    struct trial trial;
    trial_init(&trial, argv);
    trial.plan.directory = "/does/not/exist";
    expect_failure(&trial, SV_SPAWN_STAGE_DIRECTORY, ENOENT,
                   "supervisor: couldn't chdir to /does/not/exist: ENOENT\n"
                   "supervisor: child process was not spawned\n");
}

/* A file with this content and mode; removed by the caller. */
static void make_file(char *path, const char *content, mode_t mode)
{
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static void files_that_cannot_run_give_their_errno(void **state)
{
    (void)state;
    static const struct {
        const char *content;
        mode_t mode;
        int error;
        const char *name;
    } rows[] = {
        {"#!/does/not/exist\n", 0755, ENOENT, "ENOENT"},
        {"echo no first line\n", 0755, ENOEXEC, "ENOEXEC"},
        {"#!/bin/sh\n", 0644, EACCES, "EACCES"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char path[] = "/tmp/svisor-spawn-XXXXXX";
        make_file(path, rows[i].content, rows[i].mode);
        char *argv[] = {path, NULL};
        struct trial trial;
        trial_init(&trial, argv);
        char words[256];
        snprintf(words, sizeof(words),
                 "supervisor: couldn't exec %s: %s\nsupervisor: child process was not spawned\n",
                 path, rows[i].name);
        expect_failure(&trial, SV_SPAWN_STAGE_EXEC, rows[i].error, words);
        unlink(path);
    }
}

static void a_file_that_is_being_written_gives_etxtbsy(void **state)
{
    (void)state;
    char path[] = "/tmp/svisor-spawn-XXXXXX";
    make_file(path, "#!/bin/sh\n", 0755);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    char *argv[] = {path, NULL};
    struct trial trial;
    trial_init(&trial, argv);
    assert_int_equal(trial_run(&trial), SV_SPAWN_FAILED);
    assert_int_equal(trial.failure.error, ETXTBSY);
    close(trial.out_fd);
    close(fd);
    unlink(path);
}

static void no_more_processes_is_a_failure_of_the_fork(void **state)
{
    (void)state;
    if (!sv_test_is_root())
        skip();
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
        if (setrlimit(RLIMIT_NPROC, &none) < 0 || setgid(65534) < 0 || setuid(65534) < 0)
            _exit(9);
        char *argv[] = {"/bin/true", NULL};
        struct trial trial;
        trial_init(&trial, argv);
        int r = trial_run(&trial);
        _exit(r == SV_SPAWN_FAILED && trial.failure.stage == SV_SPAWN_STAGE_FORK &&
                      trial.failure.error == EAGAIN
                  ? 0
                  : 1);
    }
    int status;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ordinary_user_cannot_become_another),
        cmocka_unit_test(a_missing_directory_is_told_in_supervisors_words),
        cmocka_unit_test(files_that_cannot_run_give_their_errno),
        cmocka_unit_test(a_file_that_is_being_written_gives_etxtbsy),
        cmocka_unit_test(no_more_processes_is_a_failure_of_the_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
