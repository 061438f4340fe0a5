/*
 * A real keeper, real programs in real cgroups below svisor/keeper-test-<pid>. The test is the
 * daemon: it dies for the keeper when its connection ends. When the keeper acts is read from the
 * keeper, so that a busy machine does not blur it.
 */
#include "io/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/cgroup.h"
#include "io/keeper_message.h"
#include "io/loop.h"
#include "io/spawn.h"

#define NS_PER_MS UINT64_C(1000000)
#define GRACE_NS  (150 * NS_PER_MS)
#define LATE_NS   (100 * NS_PER_MS)

enum { EVENT_TIMEOUT_MS = 20000, QUIET_MS = 300, RUN = 7 };

static char directory[] = "/tmp/svisor-promise-XXXXXX";
static char identifier[64];
static struct sv_cgroup_tree *tree; /* NULL: this machine gives none */

struct program {
    struct sv_cgroup_leaf *leaf;
    pid_t pid;
    int pidfd;
    uint64_t key;
};

static int begin(void **state)
{
    (void)state;
    struct sv_str reason = {0};
    snprintf(identifier, sizeof(identifier), "keeper-test-%d", (int)getpid());
    if (sv_cgroup_tree_open(identifier, NULL, &tree, &reason) < 0)
        print_message("# programs without cgroups: %s\n", sv_str_text(&reason));
    sv_str_done(&reason);
    return mkdtemp(directory) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    sv_cgroup_tree_free(tree);
    return rmdir(directory); /* fails if a socket was left in it */
}

static struct sv_keeper *open_keeper(void)
{
    struct sv_keeper *keeper = NULL;
    assert_int_equal(sv_keeper_open(directory, &keeper), 0);
    return keeper;
}

/* --- programs --- */

/* With a child that ignores what can be ignored, so that the end of the whole cgroup is seen. */
static struct program start_program(uint64_t key)
{
    static char *argv[] = {"/bin/sh", "-c", "trap '' TERM HUP; sleep 1000 & echo; wait", NULL};
    static char *envp[] = {"PATH=/usr/bin:/bin", NULL};
    struct program program = {.key = key};
    if (tree)
        assert_int_equal(sv_cgroup_leaf_create(tree, "group", "program", RUN, &program.leaf), 0);
    int fds[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    const struct sv_spawn_plan plan = {.path = argv[0],
                                       .argv = argv,
                                       .envp = envp,
                                       .stdin_fd = null,
                                       .stdout_fd = fds[1],
                                       .stderr_fd = null,
                                       .cgroup_fd =
                                           program.leaf ? sv_cgroup_leaf_fd(program.leaf) : -1};
    struct sv_spawned spawned;
    struct sv_spawn_failure failure;
    assert_int_equal(sv_spawn(&plan, &spawned, &failure), 0);
    char word;
    assert_int_equal(read(fds[0], &word, 1), 1);
    close(fds[0]);
    close(fds[1]);
    close(null);
    program.pid = spawned.pid;
    program.pidfd = spawned.pidfd;
    return program;
}

static void put(struct sv_keeper *keeper, const struct program *program)
{
    struct sv_kept kept = SV_KEPT_NONE;
    kept.pidfd = program->pidfd;
    assert_int_equal(sv_keeper_put(keeper, program->key, &kept), 0);
}

static void manage(struct sv_keeper *keeper, const struct program *program)
{
    int fd = program->leaf ? sv_cgroup_leaf_kill_fd(program->leaf) : -1;
    assert_int_equal(sv_keeper_manage(keeper, program->key, fd), 0);
    if (fd >= 0)
        close(fd);
}

static struct program start_kept(struct sv_keeper *keeper)
{
    struct program program = start_program(sv_keeper_next_key(keeper));
    put(keeper, &program);
    return program;
}

static struct program start_managed(struct sv_keeper *keeper)
{
    struct program program = start_kept(keeper);
    manage(keeper, &program);
    return program;
}

static bool ends_within(const struct program *program, int timeout_ms)
{
    struct pollfd item = {.fd = program->pidfd, .events = POLLIN};
    return poll(&item, 1, timeout_ms) > 0;
}

static void wait_until_empty(struct sv_cgroup_leaf *leaf)
{
    struct pollfd item = {.fd = sv_cgroup_leaf_watch_fd(leaf), .events = POLLPRI};
    assert_true(item.fd >= 0);
    while (sv_cgroup_leaf_populated(leaf) == 1)
        assert_int_equal(poll(&item, 1, EVENT_TIMEOUT_MS), 1);
}

/* It was ended by the keeper, and so was its child. */
static void check_ended(struct program *program)
{
    int status;
    assert_true(ends_within(program, EVENT_TIMEOUT_MS));
    assert_int_equal(waitpid(program->pid, &status, 0), program->pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    close(program->pidfd);
    if (program->leaf)
        wait_until_empty(program->leaf);
    sv_cgroup_leaf_free(program->leaf);
}

static void end_program(struct program *program)
{
    assert_false(ends_within(program, 0));
    if (program->leaf)
        assert_int_equal(sv_cgroup_leaf_kill(program->leaf), 0);
    else
        assert_int_equal(kill(program->pid, SIGKILL), 0);
    check_ended(program);
}

/* Why and when the keeper has done it, asked by the next daemon. */
static uint64_t check_cause(const struct program *program, enum sv_keeper_cause cause)
{
    uint64_t time_ns = 0;
    struct sv_keeper *keeper = open_keeper();
    assert_int_equal(sv_keeper_ask(keeper, program->key, &time_ns), cause);
    sv_keeper_end(keeper);
    return time_ns;
}

/* --- the grace --- */

static void what_is_managed_ends_when_no_daemon_comes_back(void **state)
{
    (void)state;
    struct sv_keeper *keeper = open_keeper();
    sv_keeper_promise_grace(keeper, GRACE_NS);
    sv_keeper_drop_unclaimed(keeper);
    struct program managed = start_managed(keeper), other = start_kept(keeper);
    struct program released = start_managed(keeper);
    sv_keeper_release(keeper, released.key);
    uint64_t before_ns = sv_now_ns();
    sv_keeper_leave(keeper);
    uint64_t after_ns = sv_now_ns();
    check_ended(&managed);
    uint64_t time_ns = check_cause(&managed, SV_KEEPER_GRACE_PASSED);
    assert_in_range(time_ns, before_ns + GRACE_NS, after_ns + GRACE_NS + LATE_NS);
    end_program(&other);
    end_program(&released);
}

static void without_a_promise_everything_lives(void **state)
{
    (void)state;
    struct sv_keeper *keeper = open_keeper();
    struct program managed = start_managed(keeper);
    sv_keeper_leave(keeper);
    assert_false(ends_within(&managed, QUIET_MS));
    end_program(&managed);
    check_cause(&managed, SV_KEEPER_DID_NOT);
}

static void a_daemon_that_comes_in_time_finds_everything(void **state)
{
    (void)state;
    struct sv_keeper *keeper = open_keeper();
    sv_keeper_promise_grace(keeper, GRACE_NS);
    struct program managed = start_managed(keeper);
    sv_keeper_leave(keeper);
    keeper = open_keeper(); /* and takes its time */
    assert_false(ends_within(&managed, QUIET_MS));
    uint64_t time_ns;
    assert_int_equal(sv_keeper_ask(keeper, managed.key, &time_ns), SV_KEEPER_DID_NOT);
    sv_keeper_promise_grace(keeper, GRACE_NS);
    struct sv_kept kept;
    assert_int_equal(sv_keeper_get(keeper, managed.key, &kept), 0);
    close(kept.pidfd);
    sv_keeper_drop_unclaimed(keeper);
    sv_keeper_leave(keeper); /* the promise holds for the next death, too */
    check_ended(&managed);
    check_cause(&managed, SV_KEEPER_GRACE_PASSED);
}

static void what_the_next_daemon_starts_is_not_ended_for_the_last_one(void **state)
{
    (void)state;
    struct sv_keeper *keeper = open_keeper();
    sv_keeper_promise_grace(keeper, 0);
    struct program managed = start_managed(keeper);
    sv_keeper_leave(keeper);
    check_ended(&managed);
    keeper = open_keeper();
    struct program next = start_managed(keeper);
    uint64_t time_ns;
    assert_int_equal(sv_keeper_ask(keeper, next.key, &time_ns), SV_KEEPER_DID_NOT);
    assert_int_equal(sv_keeper_ask(keeper, managed.key, &time_ns), SV_KEEPER_GRACE_PASSED);
    end_program(&next);
    sv_keeper_end(keeper);
}

/* Each of them connects in time, and none of them takes over. */
static void daemons_that_die_in_a_row_hold_nothing_up(void **state)
{
    (void)state;
    struct sv_keeper *keeper = open_keeper();
    sv_keeper_promise_grace(keeper, GRACE_NS);
    struct program managed = start_managed(keeper);
    sv_keeper_leave(keeper);
    uint64_t after_ns = sv_now_ns();
    while (!ends_within(&managed, (int)(GRACE_NS / NS_PER_MS / 10))) {
        assert_true(sv_now_ns() < after_ns + EVENT_TIMEOUT_MS * NS_PER_MS);
        sv_keeper_leave(open_keeper());
    }
    check_ended(&managed);
    uint64_t time_ns = check_cause(&managed, SV_KEEPER_GRACE_PASSED);
    assert_true(time_ns < after_ns + GRACE_NS + LATE_NS);
}

/* A svisord without a cluster, or one that knows nothing of promises. */
static void who_takes_over_without_a_promise_takes_it_back(void **state)
{
    (void)state;
    struct sv_keeper *keeper = open_keeper();
    sv_keeper_promise_grace(keeper, GRACE_NS);
    sv_keeper_promise_deadline(keeper, sv_now_ns() + 3600 * 1000 * NS_PER_MS);
    struct program managed = start_managed(keeper);
    sv_keeper_leave(keeper);
    keeper = open_keeper();
    struct sv_kept kept;
    assert_int_equal(sv_keeper_get(keeper, managed.key, &kept), 0);
    close(kept.pidfd);
    sv_keeper_drop_unclaimed(keeper);
    sv_keeper_leave(keeper);
    assert_false(ends_within(&managed, QUIET_MS));
    end_program(&managed);
    check_cause(&managed, SV_KEEPER_DID_NOT);
}

static void without_a_cgroup_the_main_process_ends(void **state)
{
    (void)state;
    struct sv_keeper *keeper = open_keeper();
    struct program program = start_program(sv_keeper_next_key(keeper));
    sv_keeper_promise_grace(keeper, 0);
    assert_int_equal(sv_keeper_manage(keeper, program.key, -1), 0); /* before there is anybody */
    put(keeper, &program);
    sv_keeper_leave(keeper);
    int status;
    assert_true(ends_within(&program, EVENT_TIMEOUT_MS));
    assert_int_equal(waitpid(program.pid, &status, 0), program.pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    close(program.pidfd);
    if (program.leaf) { /* the child that it left */
        assert_int_equal(sv_cgroup_leaf_kill(program.leaf), 0);
        wait_until_empty(program.leaf);
    }
    sv_cgroup_leaf_free(program.leaf);
    check_cause(&program, SV_KEEPER_GRACE_PASSED);
}

/* --- the deadline --- */

static void a_stopped_daemon_does_not_hold_the_deadline_up(void **state)
{
    (void)state;
    struct sv_keeper *keeper = open_keeper();
    struct program managed = start_managed(keeper), other = start_kept(keeper);
    sv_keeper_leave(keeper);
    uint64_t deadline_ns = sv_now_ns() + GRACE_NS;
    pid_t daemon = fork();
    if (daemon == 0) {
        keeper = NULL;
        if (sv_keeper_open(directory, &keeper) < 0)
            _exit(1);
        sv_keeper_promise_deadline(keeper, deadline_ns);
        raise(SIGSTOP);
        _exit(0); /* with the connection */
    }
    int status;
    assert_int_equal(waitpid(daemon, &status, WUNTRACED), daemon);
    assert_true(WIFSTOPPED(status));
    check_ended(&managed);
    end_program(&other);
    assert_int_equal(kill(daemon, SIGCONT), 0);
    assert_int_equal(waitpid(daemon, &status, 0), daemon);
    uint64_t time_ns = check_cause(&managed, SV_KEEPER_DEADLINE_PASSED);
    assert_in_range(time_ns, deadline_ns, deadline_ns + LATE_NS);
}

static void a_deadline_that_is_renewed_or_withdrawn_does_not_pass(void **state)
{
    (void)state;
    struct sv_keeper *keeper = open_keeper();
    struct program managed = start_managed(keeper);
    uint64_t begin_ns = sv_now_ns();
    while (sv_now_ns() < begin_ns + 3 * GRACE_NS) {
        sv_keeper_promise_deadline(keeper, sv_now_ns() + 40 * GRACE_NS);
        assert_false(ends_within(&managed, (int)(GRACE_NS / NS_PER_MS / 3)));
    }
    sv_keeper_promise_deadline(keeper, sv_now_ns() + GRACE_NS);
    sv_keeper_promise_deadline(keeper, SV_KEEPER_NEVER);
    assert_false(ends_within(&managed, QUIET_MS));
    sv_keeper_end(keeper);
    end_program(&managed);
}

/* A daemon that was stopped in the middle of a spawn goes on with it. */
static void what_comes_after_the_deadline_is_ended_as_it_comes(void **state)
{
    (void)state;
    uint64_t time_ns = 0;
    struct sv_keeper *keeper = open_keeper();
    sv_keeper_promise_deadline(keeper, sv_now_ns() - 1);
    struct program early = start_managed(keeper);
    check_ended(&early);
    assert_int_equal(sv_keeper_ask(keeper, early.key, &time_ns), SV_KEEPER_DEADLINE_PASSED);
    struct program other = start_kept(keeper); /* nobody has promised anything about it */
    sv_keeper_promise_deadline(keeper, sv_now_ns() + 3600 * 1000 * NS_PER_MS);
    struct program late = start_managed(keeper);
    assert_int_equal(sv_keeper_ask(keeper, late.key, &time_ns), SV_KEEPER_DID_NOT);
    end_program(&late);
    end_program(&other);
    sv_keeper_end(keeper);
}

static void the_deadline_outlives_the_daemon(void **state)
{
    (void)state;
    struct sv_keeper *keeper = open_keeper();
    struct program managed = start_managed(keeper);
    sv_keeper_promise_grace(keeper, 3600 * 1000 * NS_PER_MS);
    sv_keeper_promise_deadline(keeper, sv_now_ns() + GRACE_NS);
    sv_keeper_leave(keeper);
    sv_keeper_leave(open_keeper());
    keeper = open_keeper(); /* that one, too, does not renew it */
    check_ended(&managed);
    sv_keeper_leave(keeper);
    check_cause(&managed, SV_KEEPER_DEADLINE_PASSED);
}

/* --- the keeper itself --- */

/* It goes into that cgroup, and ends with it. */
static void kill_keeper(struct sv_keeper *keeper)
{
    struct sv_cgroup_leaf *leaf = NULL;
    assert_int_equal(sv_cgroup_leaf_create(tree, "group", "keeper", RUN, &leaf), 0);
    char path[4096];
    snprintf(path, sizeof(path), "%s/cgroup.procs", sv_cgroup_leaf_path(leaf));
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    sv_keeper_move(keeper, fd);
    close(fd);
    uint64_t time_ns;
    (void)sv_keeper_ask(keeper, 1, &time_ns); /* when it answers, it has moved */
    assert_int_equal(sv_cgroup_leaf_kill(leaf), 0);
    wait_until_empty(leaf);
    sv_cgroup_leaf_free(leaf);
}

static void another_keeper_takes_the_place_of_a_dead_one(void **state)
{
    (void)state;
    if (!tree)
        skip();
    struct sv_keeper *keeper = open_keeper();
    sv_keeper_promise_grace(keeper, GRACE_NS);
    struct program managed = start_managed(keeper);
    struct pollfd item = {.fd = sv_keeper_fd(keeper)};
    assert_int_equal(poll(&item, 1, 0), 0);
    kill_keeper(keeper);
    assert_int_equal(poll(&item, 1, EVENT_TIMEOUT_MS), 1);
    assert_true(item.revents & POLLHUP);
    assert_int_equal(sv_keeper_renew(keeper), 0);
    struct sv_kept kept;
    assert_int_equal(sv_keeper_get(keeper, managed.key, &kept), -ENOENT);
    assert_false(ends_within(&managed, 0));
    put(keeper, &managed);
    manage(keeper, &managed);
    sv_keeper_promise_grace(keeper, GRACE_NS);
    sv_keeper_leave(keeper);
    check_ended(&managed);
    check_cause(&managed, SV_KEEPER_GRACE_PASSED);
}

/* What the first keepers did with a message: an answer to GET, and else nothing that is seen. */
static pid_t start_old_keeper(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/keeper", directory);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 1), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = accept(listener, NULL, NULL);
        struct sv_parcel parcel;
        while (sv_parcel_receive(fd, &parcel) == 1 && parcel.message.operation != SV_KEEPER_END)
            if (parcel.message.operation == SV_KEEPER_GET)
                (void)sv_parcels_send(fd, &parcel, 1, 0);
        _exit(0);
    }
    close(listener);
    return pid;
}

static void a_keeper_that_knows_no_promise_is_known_and_replaced(void **state)
{
    (void)state;
    pid_t old = start_old_keeper();
    struct sv_keeper *keeper = open_keeper();
    assert_false(sv_keeper_can_promise(keeper));
    uint64_t time_ns;
    assert_int_equal(sv_keeper_ask(keeper, 1, &time_ns), SV_KEEPER_DID_NOT); /* and waits not */
    assert_int_equal(sv_keeper_renew(keeper), 0);
    int status;
    assert_int_equal(waitpid(old, &status, 0), old);
    assert_true(sv_keeper_can_promise(keeper));
    struct program managed = start_managed(keeper);
    sv_keeper_promise_grace(keeper, GRACE_NS);
    sv_keeper_leave(keeper);
    check_ended(&managed);
    check_cause(&managed, SV_KEEPER_GRACE_PASSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_managed_ends_when_no_daemon_comes_back),
        cmocka_unit_test(without_a_promise_everything_lives),
        cmocka_unit_test(a_daemon_that_comes_in_time_finds_everything),
        cmocka_unit_test(what_the_next_daemon_starts_is_not_ended_for_the_last_one),
        cmocka_unit_test(daemons_that_die_in_a_row_hold_nothing_up),
        cmocka_unit_test(who_takes_over_without_a_promise_takes_it_back),
        cmocka_unit_test(without_a_cgroup_the_main_process_ends),
        cmocka_unit_test(a_stopped_daemon_does_not_hold_the_deadline_up),
        cmocka_unit_test(a_deadline_that_is_renewed_or_withdrawn_does_not_pass),
        cmocka_unit_test(what_comes_after_the_deadline_is_ended_as_it_comes),
        cmocka_unit_test(the_deadline_outlives_the_daemon),
        cmocka_unit_test(another_keeper_takes_the_place_of_a_dead_one),
        cmocka_unit_test(a_keeper_that_knows_no_promise_is_known_and_replaced),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
