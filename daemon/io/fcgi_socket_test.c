#include "io/scratch_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "io/fcgi_socket.h"

static struct sv_fcgi_socket unix_config(const char *path)
{
    return (struct sv_fcgi_socket){.url = "unix:///x.sock",
                                   .path = path,
                                   .mode = 0700,
                                   .owner_uid = SV_ID_NONE,
                                   .owner_gid = SV_ID_NONE};
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int r = connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
    close(fd);
    return r;
}

static void it_lives_as_long_as_a_process_uses_it(void **state)
{
    const char *path = scratch_path(*state, "x.sock");
    struct sv_fcgi_socket config = unix_config(path);
    struct sv_fcgi_listener *listener;
    assert_int_equal(sv_fcgi_listener_new(&config, &listener), 0);
    assert_false(scratch_exists(*state, "x.sock"));
    int first;
    int second;
    assert_int_equal(sv_fcgi_listener_acquire(listener, &first), 0);
    assert_int_equal(sv_fcgi_listener_acquire(listener, &second), 0);
    assert_int_equal(first, second);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    assert_int_equal(connect_to(path), 0);
    sv_fcgi_listener_release(listener);
    assert_int_equal(connect_to(path), 0);
    sv_fcgi_listener_release(listener);
    assert_int_equal(connect_to(path), -ENOENT);
    assert_int_equal(sv_fcgi_listener_acquire(listener, &first), 0); /* and again */
    assert_int_equal(connect_to(path), 0);
    sv_fcgi_listener_free(listener);
    assert_false(scratch_exists(*state, "x.sock"));
}

static void an_old_socket_is_replaced_and_a_file_is_not(void **state)
{
    const char *path = scratch_path(*state, "x.sock");
    struct sv_fcgi_socket config = unix_config(path);
    struct sv_fcgi_listener *listener;
    struct sv_fcgi_listener *old;
    int fd;
    assert_int_equal(sv_fcgi_listener_new(&config, &old), 0);
    assert_int_equal(sv_fcgi_listener_acquire(old, &fd), 0);
    assert_int_equal(sv_fcgi_listener_new(&config, &listener), 0);
    assert_int_equal(sv_fcgi_listener_acquire(listener, &fd), 0);
    sv_fcgi_listener_free(old); /* must not remove what is no longer its own */
    assert_int_equal(connect_to(path), 0);
    sv_fcgi_listener_free(listener);

    scratch_write(*state, "x.sock", "precious");
    assert_int_equal(sv_fcgi_listener_new(&config, &listener), 0);
    assert_int_equal(sv_fcgi_listener_acquire(listener, &fd), -ENOTSOCK);
    sv_fcgi_listener_free(listener);
    assert_file(*state, "x.sock", "precious");
}

static void a_tcp_socket_listens_on_its_address(void **state)
{
    (void)state;
    struct sv_fcgi_socket config = {.url = "tcp://127.0.0.1:0", .host = "127.0.0.1", .port = 0};
    struct sv_fcgi_listener *listener;
    int fd;
    assert_int_equal(sv_fcgi_listener_new(&config, &listener), 0);
    assert_int_equal(sv_fcgi_listener_acquire(listener, &fd), 0);
    struct sockaddr_in address;
    socklen_t length = sizeof(address);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(ntohl(address.sin_addr.s_addr), INADDR_LOOPBACK);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (const struct sockaddr *)&address, sizeof(address)), 0);
    close(client);

    struct sv_fcgi_socket taken = config; /* the same port once more */
    taken.port = ntohs(address.sin_port);
    struct sv_fcgi_listener *other;
    assert_int_equal(sv_fcgi_listener_new(&taken, &other), 0);
    assert_int_equal(sv_fcgi_listener_acquire(other, &fd), -EADDRINUSE);
    sv_fcgi_listener_free(other);
    sv_fcgi_listener_free(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
        test(it_lives_as_long_as_a_process_uses_it),
        test(an_old_socket_is_replaced_and_a_file_is_not),
        test(a_tcp_socket_listens_on_its_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
