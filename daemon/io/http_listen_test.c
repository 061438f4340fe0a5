/* Listening sockets: taken, stale, impossible. */
#include "io/http_fixture_test.h"

/* ---- Listening ---- */

static const char in_use[] =
    "Another program is already listening on a port that one of our HTTP servers is configured to "
    "use.  Shut this program down first before starting supervisord.";

static void a_port_or_socket_in_use_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct sv_http_config tcp = {.host = "127.0.0.1", .port = ntohs(fixture->tcp.sin_port)};
    struct sv_http_config local = unix_config(fixture);
    assert_int_equal(listen_on(fixture, &tcp, ""), 0);
    assert_int_equal(listen_on(fixture, &tcp, in_use), -EADDRINUSE);
    assert_int_equal(listen_on(fixture, &local, ""), 0);
    assert_int_equal(listen_on(fixture, &local, in_use), -EADDRINUSE);
    struct stat status;
    assert_int_equal(lstat(fixture->socket_path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
}

static void a_stale_socket_is_replaced_and_a_file_is_not(void **state)
{
    struct fixture *fixture = *state;
    struct sv_http_config config = unix_config(fixture);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", fixture->socket_path);
    int stale = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(stale, (struct sockaddr *)&address, sizeof(address)), 0);
    close(stale);
    assert_int_equal(listen_on(fixture, &config, ""), 0);

    assert_int_equal(unlink(fixture->socket_path), 0);
    close(open(fixture->socket_path, O_CREAT | O_CLOEXEC, 0600));
    assert_int_equal(listen_on(fixture, &config, "is not a socket"), -EEXIST);
    /* And it is not removed by the server that had this name before. */
    sv_http_free(sv_steal(&fixture->http));
    assert_int_equal(access(fixture->socket_path, F_OK), 0);
}

static void bad_addresses_are_explained(void **state)
{
    struct fixture *fixture = *state;
    struct sv_http_config config = unix_config(fixture);
    config.path = "/nonexistent/folder/http.sock";
    assert_int_equal(listen_on(fixture, &config, "unix:///nonexistent/folder/http.sock"), -ENOENT);
    char path[200];
    memset(path, 'x', sizeof(path));
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    config.path = path;
    assert_int_equal(listen_on(fixture, &config, "File name too long"), -ENAMETOOLONG);
    struct sv_http_config tcp = {.host = "192.0.2.1", .port = 9001};
    assert_int_equal(listen_on(fixture, &tcp, "192.0.2.1:9001"), -EADDRNOTAVAIL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STOPPED(a_port_or_socket_in_use_is_refused),
        STOPPED(a_stale_socket_is_replaced_and_a_file_is_not),
        STOPPED(bad_addresses_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
