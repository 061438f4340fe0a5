#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/inherit.h"

static const char variable[] = "SVISOR_REEXEC";

/* A listening socket, with a file of its own. */
static struct sv_inherited_socket make_socket(char path[static 32])
{
    memcpy(path, "/tmp/svisor-inherit-XXXXXX", sizeof("/tmp/svisor-inherit-XXXXXX"));
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    memcpy(name.sun_path, path, strlen(path) + 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    assert_int_equal(listen(fd, 1), 0);
    struct stat status;
    assert_int_equal(lstat(path, &status), 0);
    struct sv_str address = {0};
    sv_str_addf(&address, "unix:%s", path);
    return (struct sv_inherited_socket){fd, status.st_dev, status.st_ino, sv_str_take(&address)};
}

static void what_is_written_is_read_by_the_next_image_and_gone_for_everybody_else(void **state)
{
    (void)state;
    char path[32], address[64];
    struct sv_inherited_socket socket = make_socket(path), taken;
    int fd = socket.fd;
    snprintf(address, sizeof(address), "%s", socket.address);
    struct sv_inherited before = {0}, after = {0};
    assert_int_equal(sv_inherited_add(&before, &socket), 0);
    assert_int_equal(sv_inherited_write(&before), 0);
    assert_int_equal(fcntl(fd, F_GETFD), 0);

    assert_int_equal(sv_inherited_read(&after), 0);
    assert_null(getenv(variable));
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_string_equal(after.version, SV_VERSION);
    assert_false(sv_inherited_take(&after, "unix:/another", &taken));
    assert_true(sv_inherited_take(&after, address, &taken));
    assert_int_equal(taken.fd, fd);
    assert_false(sv_inherited_take(&after, address, &taken));
    sv_inherited_done(&after);
    assert_int_equal(access(path, F_OK), 0); /* taken: no longer its own */
    sv_inherited_done(&before);
    assert_int_equal(access(path, F_OK), -1);
}

static void what_nobody_takes_is_closed_and_its_file_removed(void **state)
{
    (void)state;
    char path[32];
    struct sv_inherited_socket socket = make_socket(path);
    struct sv_inherited inherited = {0};
    assert_int_equal(sv_inherited_add(&inherited, &socket), 0);
    sv_inherited_done(&inherited);
    assert_int_equal(fcntl(socket.fd, F_GETFD), -1);
    assert_int_equal(access(path, F_OK), -1);
}

static void after_an_exec_that_failed_nothing_is_left_in_the_environment(void **state)
{
    (void)state;
    char path[32];
    struct sv_inherited_socket socket = make_socket(path);
    struct sv_inherited inherited = {0};
    assert_int_equal(sv_inherited_add(&inherited, &socket), 0);
    assert_int_equal(sv_inherited_write(&inherited), 0);
    sv_inherited_unwrite(&inherited);
    assert_null(getenv(variable));
    assert_int_equal(fcntl(socket.fd, F_GETFD), FD_CLOEXEC);
    sv_inherited_done(&inherited);
}

/* Somebody else's words, or a later version's. */
static void what_is_no_listening_socket_is_left_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "1.0",
        "1.0\n",
        "1.0\n0 0 0 tcp:127.0.0.1:1\n",
        "1.0\n999 0 0 tcp:127.0.0.1:1\n",
        "1.0\n-1 0 0 tcp:127.0.0.1:1\n",
        "1.0\nx 0 0 tcp:127.0.0.1:1\n",
        "1.0\n3\n\n3 0 0 \nmore words of a later version\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct sv_inherited inherited = {0};
        setenv(variable, texts[i], 1);
        assert_int_equal(sv_inherited_read(&inherited), 0);
        assert_int_equal(inherited.socket_count, 0);
        sv_inherited_done(&inherited);
    }
    assert_true(fcntl(0, F_GETFD) >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_by_the_next_image_and_gone_for_everybody_else),
        cmocka_unit_test(what_nobody_takes_is_closed_and_its_file_removed),
        cmocka_unit_test(after_an_exec_that_failed_nothing_is_left_in_the_environment),
        cmocka_unit_test(what_is_no_listening_socket_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
