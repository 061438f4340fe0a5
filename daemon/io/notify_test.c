/* sv_notify_* against a socket of our own in the place of the service manager's. */
#include "io/scratch_test.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "io/notify.h"

struct manager {
    struct scratch *scratch;
    int fd;
};

static int set_up(void **state)
{
    struct manager *manager = calloc(1, sizeof(*manager));
    assert_non_null(manager);
    void *scratch = NULL;
    assert_int_equal(scratch_setup(&scratch), 0);
    manager->scratch = scratch;
    manager->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(manager->fd >= 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = scratch_path(manager->scratch, "notify");
    assert_true(strlen(path) < sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path) + 1);
    assert_int_equal(bind(manager->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    *state = manager;
    return 0;
}

static int tear_down(void **state)
{
    struct manager *manager = *state;
    close(manager->fd);
    void *scratch = manager->scratch;
    free(manager);
    unsetenv("NOTIFY_SOCKET");
    return scratch_teardown(&scratch);
}

static struct sv_notify *open_notify(void)
{
    struct sv_notify *notify = NULL;
    assert_int_equal(sv_notify_new(&notify), 0);
    return notify;
}

static void assert_heard(const struct manager *manager, const char *wanted)
{
    char text[256] = "";
    ssize_t length = recv(manager->fd, text, sizeof(text) - 1, 0);
    assert_true(length > 0);
    assert_memory_equal(text, wanted, strlen(wanted));
}

static void the_manager_hears_every_word(void **state)
{
    const struct manager *manager = *state;
    struct sv_notify *notify = open_notify();
    assert_non_null(notify);
    sv_notify_ready(notify);
    assert_heard(manager, "READY=1");
    sv_notify_status(notify, "3 processes: 3 running");
    assert_heard(manager, "STATUS=3 processes: 3 running");
    sv_notify_reloading(notify);
    assert_heard(manager, "RELOADING=1\nMONOTONIC_USEC=");
    sv_notify_watchdog(notify);
    assert_heard(manager, "WATCHDOG=1");
    sv_notify_stopping(notify);
    assert_heard(manager, "STOPPING=1");
    sv_notify_free(notify);
}

static void without_a_socket_nobody_is_told(void **state)
{
    (void)state;
    unsetenv("NOTIFY_SOCKET");
    assert_null(open_notify());
    sv_notify_ready(NULL);
    sv_notify_status(NULL, "nothing");
    assert_int_equal(sv_notify_watchdog_ns(NULL), 0);
}

static void the_watchdog_is_fed_only_by_whom_it_watches(void **state)
{
    (void)state;
    char pid[16];
    setenv("WATCHDOG_USEC", "30000000", 1);
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    struct sv_notify *notify = open_notify();
    assert_int_equal(sv_notify_watchdog_ns(notify), 30000000000);
    sv_notify_free(notify);
    setenv("WATCHDOG_PID", "1", 1);
    notify = open_notify();
    assert_int_equal(sv_notify_watchdog_ns(notify), 0);
    sv_notify_free(notify);
}

static void a_manager_that_is_gone_does_no_harm(void **state)
{
    struct manager *manager = *state;
    struct sv_notify *notify = open_notify();
    assert_int_equal(unlink(scratch_path(manager->scratch, "notify")), 0);
    sv_notify_ready(notify);
    sv_notify_ready(notify);
    sv_notify_free(notify);
}

static void what_is_said_to_svisord_alone_is_known_by_name(void **state)
{
    (void)state;
    assert_true(sv_notify_is_private("NOTIFY_SOCKET=/run/systemd/notify"));
    assert_true(sv_notify_is_private("WATCHDOG_PID=1"));
    assert_true(sv_notify_is_private("SVISOR_PROGRAMS_UNIT=x"));
    assert_false(sv_notify_is_private("NOTIFY_SOCKETS=1"));
    assert_false(sv_notify_is_private("PATH=/bin"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_manager_hears_every_word, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_socket_nobody_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_watchdog_is_fed_only_by_whom_it_watches, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_manager_that_is_gone_does_no_harm, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_said_to_svisord_alone_is_known_by_name, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
