#include "io/scratch_test.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/log.h"
#include "io/logfile.h"

static struct sv_logfile *open_log(struct scratch *scratch, uint64_t maxbytes, uint32_t backups)
{
    struct sv_logfile *file;
    assert_int_equal(sv_logfile_open(scratch_path(scratch, "x.log"), maxbytes, backups, &file), 0);
    return file;
}

static void put(struct sv_logfile *file, const char *text)
{
    sv_logfile_write(file, text, strlen(text));
}

/* Counts the lines of the daemon's log, and keeps the last. */
struct heard {
    unsigned count;
    char last[512];
};

static void hear(void *user, enum sv_log_level level, const char *text, size_t length)
{
    (void)level;
    struct heard *heard = user;
    heard->count++;
    snprintf(heard->last, sizeof(heard->last), "%.*s", (int)length, text);
}

static void a_file_turns_over_after_the_write_that_reaches_maxbytes(void **state)
{
    struct sv_logfile *file = open_log(*state, 10, 2);
    put(file, "123456789"); /* 9 of 10 */
    assert_false(scratch_exists(*state, "x.log.1"));
    put(file, "abcdef"); /* written whole, then turned over */
    assert_file(*state, "x.log.1", "123456789abcdef");
    assert_file(*state, "x.log", "");
    put(file, "second row");
    assert_file(*state, "x.log.1", "second row");
    assert_file(*state, "x.log.2", "123456789abcdef");
    put(file, "third row..");
    assert_file(*state, "x.log.1", "third row..");
    assert_file(*state, "x.log.2", "second row");
    assert_false(scratch_exists(*state, "x.log.3"));
    sv_logfile_free(file);
}

static void without_backups_a_full_file_is_emptied(void **state)
{
    struct sv_logfile *file = open_log(*state, 10, 0);
    put(file, "0123456789");
    assert_file(*state, "x.log", "");
    assert_false(scratch_exists(*state, "x.log.1"));
    put(file, "next");
    assert_file(*state, "x.log", "next");
    sv_logfile_free(file);
}

static void maxbytes_zero_never_turns_over(void **state)
{
    struct sv_logfile *file = open_log(*state, 0, 5);
    for (int i = 0; i < 100; i++)
        put(file, "0123456789");
    assert_int_equal(scratch_size(*state, "x.log"), 1000);
    assert_false(scratch_exists(*state, "x.log.1"));
    sv_logfile_free(file);
}

static void what_an_earlier_run_wrote_counts(void **state)
{
    scratch_write(*state, "x.log", "123456789");
    struct sv_logfile *file = open_log(*state, 10, 1);
    put(file, "a");
    assert_file(*state, "x.log.1", "123456789a");
    sv_logfile_free(file);
}

static void two_channels_of_one_file_see_each_others_bytes(void **state)
{
    struct sv_logfile *out = open_log(*state, 10, 1);
    struct sv_logfile *err = open_log(*state, 10, 1);
    put(out, "12345");
    put(err, "abcde"); /* the tenth byte of the file */
    assert_file(*state, "x.log.1", "12345abcde");
    sv_logfile_free(out);
    sv_logfile_free(err);
}

static void reopen_follows_an_external_rotation(void **state)
{
    struct sv_logfile *file = open_log(*state, 0, 0);
    put(file, "old");
    assert_int_equal(rename(scratch_path(*state, "x.log"), scratch_path(*state, "moved")), 0);
    put(file, " still old");
    assert_int_equal(sv_logfile_reopen(file), 0);
    put(file, "new");
    assert_file(*state, "moved", "old still old");
    assert_file(*state, "x.log", "new");
    sv_logfile_free(file);
}

static void clear_begins_a_new_file(void **state)
{
    struct sv_logfile *file = open_log(*state, 100, 1);
    put(file, "secret");
    assert_int_equal(sv_logfile_clear(file), 0);
    assert_file(*state, "x.log", "");
    put(file, "after");
    assert_file(*state, "x.log", "after");
    assert_int_equal(unlink(scratch_path(*state, "x.log")), 0);
    assert_int_equal(sv_logfile_clear(file), 0); /* already gone: not an error */
    assert_true(scratch_exists(*state, "x.log"));
    sv_logfile_free(file);
}

static void a_full_disk_is_told_once_and_its_end_with_the_count(void **state)
{
    struct heard heard = {0};
    sv_log_set_sink(hear, &heard);
    /* A limit on the file's size stands for the disk; it can be lifted again. */
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit was;
    getrlimit(RLIMIT_FSIZE, &was);
    struct rlimit tight = {.rlim_cur = 4, .rlim_max = was.rlim_max};
    struct sv_logfile *file = open_log(*state, 0, 0);
    setrlimit(RLIMIT_FSIZE, &tight);
    put(file, "123456"); /* 4 fit */
    put(file, "abc");
    put(file, "def");
    setrlimit(RLIMIT_FSIZE, &was);

    assert_int_equal(heard.count, 1);
    assert_non_null(strstr(heard.last, "cannot write to "));
    assert_int_equal(sv_logfile_lost_bytes(file), 8);
    put(file, "back");
    assert_int_equal(heard.count, 2);
    assert_non_null(strstr(heard.last, "8 bytes could not be written to "));
    assert_non_null(strstr(heard.last, "now writing again"));
    put(file, "!");
    assert_int_equal(heard.count, 2);
    assert_file(*state, "x.log", "1234back!");
    sv_logfile_free(file);
    sv_log_set_sink(NULL, NULL);
}

static void dev_full_costs_bytes_and_nothing_else(void **state)
{
    (void)state;
    struct sv_logfile *file;
    assert_int_equal(sv_logfile_open("/dev/full", 10, 3, &file), 0);
    put(file, "0123456789ab");
    assert_int_equal(sv_logfile_lost_bytes(file), 12);
    assert_int_equal(access("/dev/full.1", F_OK), -1);
    sv_logfile_free(file);
}

static void a_device_is_neither_rotated_nor_removed(void **state)
{
    (void)state;
    struct sv_logfile *file;
    assert_int_equal(sv_logfile_open("/dev/null", 10, 3, &file), 0);
    assert_false(sv_logfile_is_regular(file));
    put(file, "0123456789ab");
    assert_int_equal(sv_logfile_clear(file), 0);
    assert_int_equal(sv_logfile_reopen(file), 0);
    assert_int_equal(access("/dev/null", W_OK), 0);
    assert_int_equal(access("/dev/null.1", F_OK), -1);
    assert_int_equal(sv_logfile_lost_bytes(file), 0);
    sv_logfile_free(file);
}

static void a_fifo_without_a_reader_never_blocks(void **state)
{
    const char *path = scratch_path(*state, "fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    struct sv_logfile *file;
    assert_int_equal(sv_logfile_open(path, 100, 1, &file), 0);
    static char block[65536];
    sv_logfile_write(file, block, sizeof(block));
    assert_int_equal(sv_logfile_lost_bytes(file), 0); /* fits the pipe */
    sv_logfile_write(file, block, sizeof(block));
    assert_int_equal(sv_logfile_lost_bytes(file), sizeof(block));
    sv_logfile_free(file);
}

/* In a child, since it changes descriptor 1: 0 when the second block is counted as lost. */
static int write_to_stdout_of_type(int stdout_fd)
{
    static char block[4 << 20];
    struct sv_logfile *file;
    dup2(stdout_fd, STDOUT_FILENO);
    if (sv_logfile_open("/dev/stdout", 100, 1, &file) != 0)
        return 1;
    sv_logfile_write(file, "x", 1);
    if (sv_logfile_lost_bytes(file) != 0)
        return 2;
    for (int i = 0; i < 4; i++)
        sv_logfile_write(file, block, sizeof(block));
    if (sv_logfile_lost_bytes(file) == 0)
        return 3;
    /* The flag must not have reached the description that others share. */
    return fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK ? 4 : 0;
}

static void assert_child_writes_to(int fd)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(write_to_stdout_of_type(fd));
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void a_full_pipe_or_socket_behind_dev_stdout_never_blocks(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_child_writes_to(ends[1]);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_child_writes_to(ends[1]);
    close(ends[0]);
    close(ends[1]);
}

static void a_file_that_cannot_be_opened_is_an_errno(void **state)
{
    struct sv_logfile *file;
    assert_int_equal(sv_logfile_open(scratch_path(*state, "no/such/x.log"), 0, 0, &file), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
        test(a_file_turns_over_after_the_write_that_reaches_maxbytes),
        test(without_backups_a_full_file_is_emptied),
        test(maxbytes_zero_never_turns_over),
        test(what_an_earlier_run_wrote_counts),
        test(two_channels_of_one_file_see_each_others_bytes),
        test(reopen_follows_an_external_rotation),
        test(clear_begins_a_new_file),
        test(a_full_disk_is_told_once_and_its_end_with_the_count),
        test(dev_full_costs_bytes_and_nothing_else),
        test(a_device_is_neither_rotated_nor_removed),
        test(a_fifo_without_a_reader_never_blocks),
        test(a_full_pipe_or_socket_behind_dev_stdout_never_blocks),
        test(a_file_that_cannot_be_opened_is_an_errno),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
