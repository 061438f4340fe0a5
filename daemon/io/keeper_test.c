#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/keeper.h"

enum { TEST_SECONDS = 20 };

static char directory[] = "/tmp/svisor-keeper-XXXXXX";

static int make_directory(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    return rmdir(directory); /* fails if a socket was left in it */
}

static struct sv_keeper *open_keeper(void)
{
    struct sv_keeper *keeper = NULL;
    assert_int_equal(sv_keeper_open(directory, &keeper), 0);
    return keeper;
}

/* A pipe with `text` in it, of which only the keeper holds an end afterwards. */
static uint64_t keep_pipe(struct sv_keeper *keeper, const char *text)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(write(fds[1], text, strlen(text)), strlen(text));
    struct sv_kept kept = SV_KEPT_NONE;
    kept.stdout_fd = fds[0];
    uint64_t key = sv_keeper_next_key(keeper);
    assert_int_equal(sv_keeper_put(keeper, key, &kept), 0);
    close(fds[0]);
    close(fds[1]);
    return key;
}

static void what_was_written_outlives_both_ends_of_its_pipe(void **state)
{
    (void)state;
    struct sv_keeper *keeper = open_keeper();
    uint64_t key = keep_pipe(keeper, "last words");
    sv_keeper_leave(keeper);

    keeper = open_keeper();
    struct sv_kept kept = SV_KEPT_NONE;
    assert_int_equal(sv_keeper_get(keeper, key, &kept), 0);
    assert_int_equal(kept.pidfd, -1);
    assert_int_equal(kept.stdin_fd, -1);
    char text[32];
    assert_int_equal(read(kept.stdout_fd, text, sizeof(text)), 10);
    assert_memory_equal(text, "last words", 10);
    assert_int_equal(read(kept.stdout_fd, text, sizeof(text)), 0);
    close(kept.stdout_fd);
    sv_keeper_end(keeper);
}

static void a_second_put_adds_to_the_first(void **state)
{
    (void)state;
    struct sv_keeper *keeper = open_keeper();
    uint64_t key = keep_pipe(keeper, "x");
    struct sv_kept more = SV_KEPT_NONE, kept = SV_KEPT_NONE;
    more.pidfd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(sv_keeper_put(keeper, key, &more), 0);
    assert_int_equal(sv_keeper_get(keeper, key, &kept), 0);
    assert_true(kept.pidfd >= 0);
    assert_true(kept.stdout_fd >= 0);
    close(more.pidfd);
    close(kept.pidfd);
    close(kept.stdout_fd);
    sv_keeper_end(keeper);
}

static void what_is_dropped_or_not_asked_for_is_gone(void **state)
{
    (void)state;
    struct sv_keeper *keeper = open_keeper();
    uint64_t dropped = keep_pipe(keeper, "a"), asked = keep_pipe(keeper, "b");
    uint64_t forgotten = keep_pipe(keeper, "c");
    sv_keeper_drop(keeper, dropped);
    sv_keeper_leave(keeper);

    keeper = open_keeper();
    struct sv_kept kept = SV_KEPT_NONE;
    assert_int_equal(sv_keeper_get(keeper, dropped, &kept), -ENOENT);
    assert_int_equal(sv_keeper_get(keeper, asked, &kept), 0);
    close(kept.stdout_fd);
    sv_keeper_drop_unclaimed(keeper);
    assert_int_equal(sv_keeper_get(keeper, forgotten, &kept), -ENOENT);
    assert_int_equal(sv_keeper_get(keeper, asked, &kept), 0);
    close(kept.stdout_fd);
    sv_keeper_end(keeper);
}

/* Of another cgroup, that is: what it writes there is the same as into this pipe. */
static void it_moves_when_it_is_told_to(void **state)
{
    (void)state;
    int fds[2];
    char text[4] = "";
    struct sv_keeper *keeper = open_keeper();
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    sv_keeper_move(keeper, fds[1]);
    close(fds[1]);
    assert_int_equal(read(fds[0], text, sizeof(text)), 1);
    assert_string_equal(text, "0");
    assert_int_equal(read(fds[0], text, sizeof(text)), 0); /* and it keeps nothing of it */
    close(fds[0]);
    sv_keeper_end(keeper);
}

static void a_thousand_runs_are_kept_apart(void **state)
{
    (void)state;
    enum { RUNS = 1000 };
    static uint64_t keys[RUNS];
    struct sv_keeper *keeper = open_keeper();
    char text[16];
    for (int i = 0; i < RUNS; i++) {
        snprintf(text, sizeof(text), "%d", i);
        keys[i] = keep_pipe(keeper, text);
    }
    for (int i = 0; i < RUNS; i += 2)
        sv_keeper_drop(keeper, keys[i]);
    for (int i = 0; i < RUNS; i++) {
        struct sv_kept kept = SV_KEPT_NONE;
        int r = sv_keeper_get(keeper, keys[i], &kept);
        assert_int_equal(r, i % 2 == 0 ? -ENOENT : 0);
        if (r < 0)
            continue;
        char got[16] = "";
        assert_true(read(kept.stdout_fd, got, sizeof(got)) > 0);
        snprintf(text, sizeof(text), "%d", i);
        assert_string_equal(got, text);
        close(kept.stdout_fd);
    }
    sv_keeper_end(keeper);
}

static void the_death_of_the_daemon_does_not_end_it(void **state)
{
    (void)state;
    int report[2];
    assert_int_equal(pipe2(report, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct sv_keeper *keeper = NULL;
        if (sv_keeper_open(directory, &keeper) < 0)
            _exit(1);
        uint64_t key = keep_pipe(keeper, "from the dead");
        _exit(write(report[1], &key, sizeof(key)) == sizeof(key) ? 0 : 1);
    }
    uint64_t key = 0;
    assert_int_equal(read(report[0], &key, sizeof(key)), sizeof(key));
    int wait_status;
    assert_int_equal(waitpid(pid, &wait_status, 0), pid);
    struct sv_keeper *keeper = open_keeper();
    struct sv_kept kept = SV_KEPT_NONE;
    assert_int_equal(sv_keeper_get(keeper, key, &kept), 0);
    close(kept.stdout_fd);
    close(report[0]);
    close(report[1]);
    sv_keeper_end(keeper);
}

/* ---- A keeper that somebody has stopped ---- */

static pid_t pid_of(const struct sv_keeper *keeper)
{
    struct ucred peer;
    socklen_t length = sizeof(peer);
    assert_int_equal(getsockopt(sv_keeper_fd(keeper), SOL_SOCKET, SO_PEERCRED, &peer, &length), 0);
    assert_int_not_equal(peer.pid, getpid());
    return peer.pid;
}

static void a_stopped_keeper_is_continued_and_answers(void **state)
{
    (void)state;
    struct sv_keeper *keeper = open_keeper();
    uint64_t key = keep_pipe(keeper, "x");
    assert_int_equal(kill(pid_of(keeper), SIGSTOP), 0);
    alarm(TEST_SECONDS);
    struct sv_kept kept = SV_KEPT_NONE;
    assert_int_equal(sv_keeper_get(keeper, key, &kept), 0);
    assert_true(kept.stdout_fd >= 0);
    close(kept.stdout_fd);
    sv_keeper_leave(keeper);

    keeper = open_keeper();
    assert_int_equal(kill(pid_of(keeper), SIGSTOP), 0);
    sv_keeper_leave(keeper);
    keeper = open_keeper(); /* the next daemon finds it stopped */
    assert_int_equal(sv_keeper_get(keeper, key, &kept), 0);
    assert_true(kept.stdout_fd >= 0);
    close(kept.stdout_fd);
    alarm(0);
    sv_keeper_end(keeper);
}

static void a_stopped_keeper_misses_no_message(void **state)
{
    (void)state;
    enum { MANY = 2000 }; /* more than a socket holds */
    struct sv_keeper *keeper = open_keeper();
    uint64_t first = keep_pipe(keeper, "x"), last = first;
    assert_int_equal(kill(pid_of(keeper), SIGSTOP), 0);
    alarm(TEST_SECONDS);
    for (int i = 0; i < MANY; i++)
        last = keep_pipe(keeper, "y");
    for (uint64_t key = first; key <= last; key++) {
        struct sv_kept kept = SV_KEPT_NONE;
        assert_int_equal(sv_keeper_get(keeper, key, &kept), 0);
        close(kept.stdout_fd);
    }
    alarm(0);
    sv_keeper_end(keeper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_outlives_both_ends_of_its_pipe),
        cmocka_unit_test(a_second_put_adds_to_the_first),
        cmocka_unit_test(what_is_dropped_or_not_asked_for_is_gone),
        cmocka_unit_test(it_moves_when_it_is_told_to),
        cmocka_unit_test(a_thousand_runs_are_kept_apart),
        cmocka_unit_test(the_death_of_the_daemon_does_not_end_it),
        cmocka_unit_test(a_stopped_keeper_is_continued_and_answers),
        cmocka_unit_test(a_stopped_keeper_misses_no_message),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
