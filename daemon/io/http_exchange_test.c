/* Answers that come later or in pieces, clients that leave, and a server with nothing to do. */
#include "io/http_fixture_test.h"

enum {
    IDLE_MS = 300,
    IDLE_CONNECTIONS = 2000,
};

/* ---- Late answers ---- */

static void an_exchange_may_be_answered_later(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_tcp(fixture);
    for (unsigned i = 0; i < 3; i++) {
        say(fd, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_note(fixture, 'w');
        order(fixture, "/answer");
        hear(fd, "\r\n\r\nlate");
    }
    close(fd);
}

static void a_client_that_leaves_while_it_waits_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_tcp(fixture);
    say(fd, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_note(fixture, 'w');
    close(fd);
    assert_note(fixture, 'c');

    fd = connect_unix(fixture);
    say(fd, "GET /wait HTTP/1.1\r\nHost: a\r\nAuthorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n");
    assert_note(fixture, 'w');
    close(fd);
    assert_note(fixture, 'c');
}

static void a_request_behind_a_waiting_one_waits_its_turn(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_tcp(fixture);
    say(fd, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\nGET /describe%20it HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_note(fixture, 'w');
    order(fixture, "/answer");
    const char *heard = hear(fd, "GET|-|-|0");
    assert_non_null(strstr(heard, "late"));
    close(fd);
}

/* ---- Streams ---- */

static void a_stream_comes_piece_by_piece(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_tcp(fixture);
    say(fd, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    const char *heard = hear(fd, "first\n");
    assert_non_null(strstr(heard, "Transfer-Encoding: chunked"));
    assert_note(fixture, 'w');
    order(fixture, "/write");
    hear(fd, "second");
    order(fixture, "/end");
    hear(fd, "0\r\n\r\n");
    say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nagain");
    hear(fd, "\r\n\r\nagain");
    close(fd);
}

static void a_stream_over_http_1_0_ends_with_the_connection(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_tcp(fixture);
    say(fd, "GET /stream HTTP/1.0\r\n\r\n");
    assert_null(strstr(hear(fd, "\r\n\r\nfirst\n"), "chunked"));
    assert_note(fixture, 'w');
    order(fixture, "/write");
    order(fixture, "/end");
    assert_string_equal(hear(fd, NULL), "second");
    close(fd);
}

static void a_client_that_leaves_its_stream_is_noticed(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_tcp(fixture);
    say(fd, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    hear(fd, "first\n");
    assert_note(fixture, 'w');
    close(fd);
    assert_note(fixture, 'c');
}

static void a_stream_that_nobody_reads_is_bounded(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_tcp(fixture);
    say(fd, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_note(fixture, 'w');
    order(fixture, "/flood");
    assert_note(fixture, 'f');
    close(fd);
    assert_note(fixture, 'c');
}

/* ---- Closing, idling ---- */

static void closing_the_server_tells_those_who_wait(void **state)
{
    struct fixture *fixture = *state;
    int waiting = connect_tcp(fixture);
    say(waiting, "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_note(fixture, 'w');
    int streaming = connect_tcp(fixture);
    say(streaming, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    hear(streaming, "first\n");
    assert_note(fixture, 'w');
    int unfinished = connect_tcp(fixture);
    say(unfinished, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe");
    stop(fixture);
    sv_http_free(sv_steal(&fixture->http));
    assert_note(fixture, 'c');
    assert_note(fixture, 'c');
    assert_string_equal(hear(waiting, NULL), "");
    assert_true(access(fixture->socket_path, F_OK) < 0);
    close(waiting);
    close(streaming);
    close(unfinished);
}

static unsigned long long wake_ups(const struct fixture *fixture)
{
    char path[64];
    char line[256];
    unsigned long long count = 0;
    snprintf(path, sizeof(path), "/proc/self/task/%d/status", fixture->thread_id);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, "voluntary_ctxt_switches:", 24) == 0)
            count = strtoull(line + 24, NULL, 10);
    fclose(file);
    return count;
}

static void an_idle_server_sleeps_also_with_two_thousand_connections(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    size_t count = IDLE_CONNECTIONS;
    if (limit.rlim_cur / 2 < count + 32)
        count = limit.rlim_cur / 2 - 32; /* both ends are ours */
    int *clients = calloc(count, sizeof(*clients));
    assert_non_null(clients);
    for (size_t i = 0; i < count; i++)
        clients[i] = connect_tcp(fixture);
    for (size_t i = 0; i < count; i += 100) {
        say(clients[i], "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nidle");
        hear(clients[i], "\r\n\r\nidle");
    }
    int waiting = connect_unix(fixture);
    say(waiting, "GET /wait HTTP/1.1\r\nHost: a\r\nAuthorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n");
    assert_note(fixture, 'w');

    int streaming = connect_tcp(fixture);
    say(streaming, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    hear(streaming, "first\n");
    assert_note(fixture, 'w');

    struct pollfd nothing = {.fd = fixture->notes[0], .events = POLLIN};
    assert_int_equal(poll(&nothing, 1, IDLE_MS), 0); /* lets it settle */
    unsigned long long before = wake_ups(fixture);
    assert_int_equal(poll(&nothing, 1, IDLE_MS), 0);
    assert_int_equal(wake_ups(fixture), before);

    close(waiting);
    assert_note(fixture, 'c');
    close(streaming);
    assert_note(fixture, 'c');
    for (size_t i = 0; i < count; i++)
        close(clients[i]);
    free(clients);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(an_exchange_may_be_answered_later),
        SERVED(a_client_that_leaves_while_it_waits_is_noticed),
        SERVED(a_request_behind_a_waiting_one_waits_its_turn),
        SERVED(a_stream_comes_piece_by_piece),
        SERVED(a_stream_over_http_1_0_ends_with_the_connection),
        SERVED(a_client_that_leaves_its_stream_is_noticed),
        SERVED(a_stream_that_nobody_reads_is_bounded),
        cmocka_unit_test_setup_teardown(closing_the_server_tells_those_who_wait, set_up,
                                        tear_down_stopped),
        SERVED(an_idle_server_sleeps_also_with_two_thousand_connections),
    };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
