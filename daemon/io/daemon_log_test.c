#include "io/scratch_test.h"

#include <errno.h>
#include <regex.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/log.h"
#include "io/daemon_log.h"

#define STAMP "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2},[0-9]{3}"

static void assert_matches(struct scratch *scratch, const char *name, const char *pattern)
{
    char text[4096];
    int fd = open(scratch_path(scratch, name), O_RDONLY);
    assert_true(fd >= 0);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    assert_true(n >= 0);
    text[n] = '\0';
    regex_t regex;
    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    int r = regexec(&regex, text, 0, NULL, 0);
    regfree(&regex);
    if (r != 0)
        print_error("%s does not match %s\n", text, pattern);
    assert_int_equal(r, 0);
}

static struct sv_daemon_config config_of(const char *path)
{
    return (struct sv_daemon_config){.logfile = path, .loglevel = SV_LOG_INFO};
}

static void lines_look_like_supervisors(void **state)
{
    struct sv_daemon_config config = config_of(scratch_path(*state, "d.log"));
    struct sv_daemon_log *log;
    assert_int_equal(sv_daemon_log_open(&config, &log), 0);
    assert_string_equal(sv_daemon_log_path(log), config.logfile);
    sv_log_info("spawned: '%s' with pid %d", "web", 4711);
    sv_log_debug("not shown");
    sv_log_critical("bad");
    sv_daemon_log_free(log);
    sv_log_info("after the end"); /* no sink: dropped */
    assert_matches(*state, "d.log",
                   "^" STAMP " INFO spawned: 'web' with pid 4711\n" STAMP " CRIT bad\n$");
}

static void the_file_turns_over_reopens_and_clears(void **state)
{
    struct sv_daemon_config config = config_of(scratch_path(*state, "d.log"));
    config.logfile_maxbytes = 60;
    config.logfile_backups = 1;
    struct sv_daemon_log *log;
    assert_int_equal(sv_daemon_log_open(&config, &log), 0);
    sv_log_info("first line that is long enough to be at the limit");
    assert_int_equal(scratch_size(*state, "d.log"), 0);
    assert_matches(*state, "d.log.1", "first line");
    sv_log_info("second");
    assert_int_equal(sv_daemon_log_clear(log), 0);
    assert_int_equal(scratch_size(*state, "d.log"), 0);
    assert_int_equal(unlink(config.logfile), 0);
    assert_int_equal(sv_daemon_log_reopen(log), 0);
    sv_log_info("third");
    assert_matches(*state, "d.log", "^" STAMP " INFO third\n$");
    sv_daemon_log_free(log);
}

/* In a child, since it replaces descriptor 1. */
static void log_with_stdout(struct scratch *scratch, bool nodaemon, bool silent)
{
    struct sv_daemon_config config = config_of(scratch_path(scratch, "d.log"));
    config.nodaemon = nodaemon;
    config.silent = silent;
    const char *out = scratch_path(scratch, "out");
    pid_t pid = fork();
    if (pid == 0) {
        struct sv_daemon_log *log;
        dup2(open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
        if (write(STDOUT_FILENO, "early\n", 6) != 6 || sv_daemon_log_open(&config, &log) != 0)
            _exit(1);
        sv_log_info("hello");
        sv_daemon_log_free(log);
        if (write(STDOUT_FILENO, "late\n", 5) != 5) /* still open, and at the right place */
            _exit(2);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void standard_output_gets_them_too_in_the_foreground(void **state)
{
    log_with_stdout(*state, true, false);
    assert_matches(*state, "out", "^early\n" STAMP " INFO hello\nlate\n$");
    log_with_stdout(*state, true, true);
    assert_matches(*state, "out", "^early\nlate\n$");
    log_with_stdout(*state, false, false);
    assert_matches(*state, "out", "^early\nlate\n$");
}

static void the_journal_gets_priorities_and_no_time(void **state)
{
    struct stat status;
    assert_int_equal(close(open(scratch_path(*state, "out"), O_WRONLY | O_CREAT, 0600)), 0);
    assert_int_equal(stat(scratch_path(*state, "out"), &status), 0);
    char stream[64];
    snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
             (unsigned long long)status.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_with_stdout(*state, true, false);
    assert_matches(*state, "out", "^early\n<6>hello\nlate\n$");
    assert_matches(*state, "d.log", "^" STAMP " INFO hello\n$");
    setenv("JOURNAL_STREAM", "1:1", 1); /* of somebody else: standard output is another file */
    log_with_stdout(*state, true, false);
    unsetenv("JOURNAL_STREAM");
    assert_matches(*state, "out", "^early\n" STAMP " INFO hello\nlate\n$");
}

static void a_full_disk_ends_in_no_recursion(void **state)
{
    (void)state;
    struct sv_daemon_config config = config_of("/dev/full");
    struct sv_daemon_log *log;
    assert_int_equal(sv_daemon_log_open(&config, &log), 0);
    sv_log_info("lost");
    sv_log_info("lost too");
    sv_daemon_log_free(log);
}

static void a_log_that_cannot_be_opened_is_an_errno(void **state)
{
    struct sv_daemon_config config = config_of(scratch_path(*state, "no/d.log"));
    struct sv_daemon_log *log;
    assert_int_equal(sv_daemon_log_open(&config, &log), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
        test(lines_look_like_supervisors),
        test(the_file_turns_over_reopens_and_clears),
        test(standard_output_gets_them_too_in_the_foreground),
        test(the_journal_gets_priorities_and_no_time),
        test(a_full_disk_ends_in_no_recursion),
        test(a_log_that_cannot_be_opened_is_an_errno),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
