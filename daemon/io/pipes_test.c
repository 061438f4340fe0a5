#include "io/scratch_test.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "io/pipes.h"

static unsigned open_count(void)
{
    unsigned count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void assert_flags(int fd, int status_flags)
{
    assert_true(fd >= 3);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK), status_flags);
}

static void every_end_has_its_flags(void **state)
{
    (void)state;
    unsigned before = open_count();
    struct sv_pipes pipes;
    assert_int_equal(sv_pipes_make(false, -1, &pipes), 0);
    assert_flags(pipes.stdin_fd, O_WRONLY | O_NONBLOCK);
    assert_flags(pipes.stdout_fd, O_RDONLY | O_NONBLOCK);
    assert_flags(pipes.stderr_fd, O_RDONLY | O_NONBLOCK);
    assert_flags(pipes.child_stdin_fd, O_RDWR); /* a blocking end, as programs expect */
    assert_flags(pipes.child_stdout_fd, O_RDWR);
    assert_flags(pipes.child_stderr_fd, O_RDWR);
    assert_int_equal(open_count(), before + 6);
    sv_pipes_close(&pipes);
    assert_int_equal(open_count(), before);
}

static void redirected_stderr_is_the_same_pipe(void **state)
{
    (void)state;
    unsigned before = open_count();
    struct sv_pipes pipes;
    assert_int_equal(sv_pipes_make(true, -1, &pipes), 0);
    assert_int_equal(pipes.child_stderr_fd, pipes.child_stdout_fd);
    assert_int_equal(pipes.stderr_fd, -1);
    sv_pipes_close_child_ends(&pipes);
    assert_int_equal(pipes.child_stderr_fd, -1);
    sv_pipes_close(&pipes);
    assert_int_equal(open_count(), before);
}

static void an_fcgi_program_gets_the_socket_as_stdin(void **state)
{
    (void)state;
    int socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sv_pipes pipes;
    assert_int_equal(sv_pipes_make(false, socket_fd, &pipes), 0);
    assert_int_equal(pipes.stdin_fd, -1);
    struct stat status;
    assert_int_equal(fstat(pipes.child_stdin_fd, &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    sv_pipes_close(&pipes);
    assert_true(fcntl(socket_fd, F_GETFD) >= 0); /* the listener's own */
    close(socket_fd);
}

static void the_end_comes_when_the_last_holder_is_gone(void **state)
{
    (void)state;
    struct sv_pipes pipes;
    assert_int_equal(sv_pipes_make(true, -1, &pipes), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (write(pipes.child_stdout_fd, "last words", 10) != 10)
            _exit(1);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    char text[32];
    assert_int_equal(read(pipes.stdout_fd, text, sizeof(text)), 10);
    assert_int_equal(read(pipes.stdout_fd, text, sizeof(text)), -1); /* our own copy of the end */
    assert_int_equal(errno, EAGAIN);
    sv_pipes_close_child_ends(&pipes);
    assert_int_equal(read(pipes.stdout_fd, text, sizeof(text)), 0);
    sv_pipes_close(&pipes);
}

/* A program between two daemons: writes, and waits for a byte on its stdin before it writes again.
 */
static pid_t start_survivor(struct sv_pipes *pipes)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    dup2(pipes->child_stdin_fd, 0);
    dup2(pipes->child_stdout_fd, 1);
    sv_pipes_close(pipes); /* what exec would close */
    signal(SIGPIPE, SIG_DFL);
    char byte;
    if (write(1, "one", 3) != 3 || read(0, &byte, 1) != 1 || write(1, "two", 3) != 3)
        _exit(1);
    _exit(0);
}

static void read_text(int fd, char *text, size_t size)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, 10000), 1);
    ssize_t n = read(fd, text, size - 1);
    assert_true(n >= 0);
    text[n] = '\0';
}

static void a_program_outlives_the_daemon_and_is_found_again(void **state)
{
    (void)state;
    struct sv_pipes pipes;
    assert_int_equal(sv_pipes_make(true, -1, &pipes), 0);
    pid_t pid = start_survivor(&pipes);
    assert_true(pid > 0);
    char text[32];
    read_text(pipes.stdout_fd, text, sizeof(text));
    assert_string_equal(text, "one");
    sv_pipes_close(&pipes); /* the daemon is dead */

    int in;
    int out;
    assert_int_equal(sv_pipes_reopen(pid, 0, &in), 0);
    assert_int_equal(sv_pipes_reopen(pid, 1, &out), 0);
    assert_int_equal(write(in, "x", 1), 1); /* it is still waiting: no end of file */
    int status;
    read_text(out, text, sizeof(text));
    assert_string_equal(text, "two");
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0); /* and SIGPIPE did not end it */
    assert_int_equal(read(out, text, sizeof(text)), 0);
    close(in);
    close(out);
}

static void what_is_no_pipe_is_not_reopened(void **state)
{
    (void)state;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int fd;
    assert_int_equal(sv_pipes_reopen(getpid(), null, &fd), -EINVAL);
    close(null);
    assert_int_equal(sv_pipes_reopen(getpid(), null, &fd), -ENOENT);
}

static void no_descriptor_is_lost_when_there_are_too_few(void **state)
{
    (void)state;
    unsigned before = open_count();
    struct rlimit was;
    getrlimit(RLIMIT_NOFILE, &was);
    struct sv_pipes pipes;
    for (rlim_t room = 0; room < 6; room++) {
        /* The next free number is the count, since the test's descriptors have no gaps. */
        struct rlimit tight = {.rlim_cur = before + room, .rlim_max = was.rlim_max};
        setrlimit(RLIMIT_NOFILE, &tight);
        int r = sv_pipes_make(false, -1, &pipes);
        setrlimit(RLIMIT_NOFILE, &was);
        if (r == 0)
            sv_pipes_close(&pipes);
        else
            assert_int_equal(r, -EMFILE);
        assert_int_equal(open_count(), before);
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_end_has_its_flags),
        cmocka_unit_test(redirected_stderr_is_the_same_pipe),
        cmocka_unit_test(an_fcgi_program_gets_the_socket_as_stdin),
        cmocka_unit_test(the_end_comes_when_the_last_holder_is_gone),
        cmocka_unit_test(a_program_outlives_the_daemon_and_is_found_again),
        cmocka_unit_test(what_is_no_pipe_is_not_reopened),
        cmocka_unit_test(no_descriptor_is_lost_when_there_are_too_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
