#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/proc.h"

static pid_t child_that_exits(int code, int *ret_pidfd)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(code);
    assert_true(pid > 0);
    *ret_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    assert_true(*ret_pidfd >= 0);
    struct pollfd dead = {.fd = *ret_pidfd, .events = POLLIN};
    assert_int_equal(poll(&dead, 1, 10000), 1);
    return pid;
}

static void a_zombie_tells_its_status_before_it_is_reaped(void **state)
{
    (void)state;
    int pidfd, status = -1;
    pid_t pid = child_that_exits(7, &pidfd);
    assert_int_equal(sv_zombie_wait_status(pid, &status), 1);
    assert_int_equal(status, 7 << 8);
    assert_int_equal(sv_pidfd_pid(pidfd), pid);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(sv_zombie_wait_status(pid, &status), 0);
    assert_int_equal(sv_pidfd_pid(pidfd), 0);
    close(pidfd);
}

static void a_pidfd_tells_the_status_after_it_was_reaped(void **state)
{
    (void)state;
    int pidfd, status = -1;
    pid_t pid = child_that_exits(9, &pidfd);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    int r = sv_pidfd_wait_status(pidfd, &status);
    close(pidfd);
    if (r < 0) {
        print_message("# skip: this kernel has no PIDFD_INFO_EXIT (Linux 6.15)\n");
        skip();
    }
    assert_int_equal(r, 1);
    assert_int_equal(status, 9 << 8);
}

static void the_living_have_a_start_and_no_status(void **state)
{
    (void)state;
    int status;
    unsigned long long start = sv_process_start_ticks(getpid());
    assert_true(start > 0);
    assert_int_equal(sv_process_start_ticks(getpid()), start);
    assert_true(sv_process_start_ticks(getppid()) <= start);
    assert_int_equal(sv_zombie_wait_status(getpid(), &status), 0);
    struct sv_str boot = {0};
    sv_boot_id(&boot);
    assert_int_equal(boot.length, 36);
    sv_str_done(&boot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zombie_tells_its_status_before_it_is_reaped),
        cmocka_unit_test(a_pidfd_tells_the_status_after_it_was_reaped),
        cmocka_unit_test(the_living_have_a_start_and_no_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
