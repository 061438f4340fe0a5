/* Requests, their bounds, and who may ask. */
#include "io/http_fixture_test.h"

/* ---- Requests and answers ---- */

static void a_request_is_described_and_answered(void **state)
{
    ask(*state,
        "POST /describe%20it?q=a+b%26c HTTP/1.1\r\nHost: a\r\nX-Test: yes\r\n"
        "Content-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\n", "\r\n\r\nPOST|a b&c|yes|3");
}

static void requests_in_one_packet_are_answered_in_order_on_one_connection(void **state)
{
    int fd = connect_tcp(*state);
    for (unsigned i = 0; i < 100; i++)
        say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nlast");
    const char *at = hear(fd, "last");
    unsigned count = 0;
    while ((at = strstr(at, "HTTP/1.1 200"))) {
        at++;
        count++;
    }
    assert_int_equal(count, 101);
    close(fd);
}

static void http_1_0_is_answered_and_closed(void **state)
{
    int fd = connect_tcp(*state);
    say(fd, "POST /echo HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi");
    const char *heard = hear(fd, NULL);
    assert_non_null(strstr(heard, " 200 OK\r\n"));
    assert_non_null(strstr(heard, "\r\n\r\nhi"));
    close(fd);
}

static void head_has_the_headers_of_get_alone(void **state)
{
    int fd = connect_tcp(*state);
    say(fd, "HEAD /describe%20it HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const char *heard = hear(fd, NULL);
    assert_non_null(strstr(heard, "Content-Length: 10\r\n"));
    assert_string_equal(strstr(heard, "\r\n\r\n"), "\r\n\r\n");
    close(fd);
}

static void a_client_may_ask_before_it_sends_its_body(void **state)
{
    int fd = connect_tcp(*state);
    say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    hear(fd, "100 Continue\r\n\r\n");
    say(fd, "body");
    hear(fd, "\r\n\r\nbody");
    close(fd);
}

static void a_slow_client_is_waited_for(void **state)
{
    int fd = connect_tcp(*state);
    static const char request[] = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nslow";
    for (size_t i = 0; request[i]; i++) {
        say(fd, (char[]){request[i], '\0'});
        if (i % 16 == 0) /* the others are served meanwhile */
            order(*state, "/anything");
    }
    hear(fd, "\r\n\r\nslow");
    close(fd);
}

static void garbage_is_a_bad_request(void **state)
{
    int fd = connect_tcp(*state);
    say(fd, "\x16\x03\x01 hello\r\n\r\n");
    assert_non_null(strstr(hear(fd, NULL), " 400 "));
    close(fd);
}

/* ---- Bounds ---- */

static void send_zeros(int fd, size_t length)
{
    static const char zeros[64 << 10];
    while (length > 0) {
        size_t size = length < sizeof(zeros) ? length : sizeof(zeros);
        ssize_t count = send(fd, zeros, size, MSG_NOSIGNAL);
        assert_true(count > 0);
        length -= (size_t)count;
    }
}

static void a_body_over_the_limit_is_refused_and_closed(void **state)
{
    char request[160];
    snprintf(request, sizeof(request),
             "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %u\r\n\r\n",
             SV_HTTP_BODY_BYTES_MAX + 1);
    int fd = connect_tcp(*state);
    say(fd, request);
    send_zeros(fd, SV_HTTP_BODY_BYTES_MAX + 1);
    assert_non_null(strstr(hear(fd, NULL), " 413 "));
    close(fd);

    fd = connect_tcp(*state);
    say(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n400001\r\n");
    send_zeros(fd, SV_HTTP_BODY_BYTES_MAX + 1);
    say(fd, "\r\n0\r\n\r\n");
    assert_non_null(strstr(hear(fd, NULL), " 413 "));
    close(fd);

    ask(*state, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n",
        "HTTP/1.1 413", "413.");
}

static void a_body_at_the_limit_is_taken(void **state)
{
    char request[160];
    snprintf(request, sizeof(request),
             "POST /describe%%20it HTTP/1.1\r\nHost: a\r\nContent-Length: %u\r\n\r\n",
             SV_HTTP_BODY_BYTES_MAX);
    int fd = connect_tcp(*state);
    say(fd, request);
    send_zeros(fd, SV_HTTP_BODY_BYTES_MAX);
    hear(fd, "POST|-|-|4194304");
    close(fd);
}

static void endless_headers_are_refused(void **state)
{
    int fd = connect_tcp(*state);
    say(fd, "GET / HTTP/1.1\r\nHost: a\r\n");
    char line[1025];
    memset(line, 'x', sizeof(line));
    memcpy(line, "X-Long: ", 8);
    memcpy(line + sizeof(line) - 3, "\r\n", 3);
    for (unsigned i = 0; i < 32; i++)
        if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
            break;
    assert_non_null(strstr(hear(fd, NULL), " 431 "));
    close(fd);
}

/* ---- Authentication ---- */

static void ask_with(struct fixture *fixture, const char *authorization, const char *expected)
{
    char request[256];
    snprintf(request, sizeof(request),
             "POST /echo HTTP/1.1\r\nHost: a\r\n%sConnection: close\r\nContent-Length: 2\r\n\r\nhi",
             authorization);
    int fd = connect_unix(fixture);
    say(fd, request);
    const char *heard = hear(fd, NULL);
    assert_memory_equal(heard, expected, strlen(expected));
    if (strcmp(expected, "HTTP/1.1 401") == 0)
        assert_non_null(strstr(heard, "WWW-Authenticate: Basic realm=\"default\"\r\n"));
    close(fd);
}

static void only_the_right_name_and_password_are_let_in(void **state)
{
    ask_with(*state, "Authorization: Basic dXNlcjpzZWNyZXQ=\r\n", "HTTP/1.1 200"); /* user:secret */
    ask_with(*state, "Authorization: Basic dXNlcjpzZWNyZXRz\r\n", "HTTP/1.1 401"); /* …secrets */
    ask_with(*state, "Authorization: Basic dXNlcnM6c2VjcmV0\r\n", "HTTP/1.1 401"); /* users:… */
    ask_with(*state, "Authorization: Basic dXNlcg==\r\n", "HTTP/1.1 401");         /* user */
    ask_with(*state, "Authorization: Basic ????\r\n", "HTTP/1.1 401");
    ask_with(*state, "Authorization: Bearer secret\r\n", "HTTP/1.1 401");
    ask_with(*state, "", "HTTP/1.1 401");
}

static void a_plain_password_and_a_bad_hash(void **state)
{
    struct fixture *fixture = *state;
    struct sv_http_config config = unix_config(fixture);
    config.username = "user";
    config.password = "{SHA}abc";
    assert_int_equal(listen_on(fixture, &config, "40 hexadecimal digits"), -EINVAL);
    config.password = "secret";
    assert_int_equal(listen_on(fixture, &config, ""), 0);
    struct sv_http_config tcp = {.host = "127.0.0.1", .port = ntohs(fixture->tcp.sin_port)};
    assert_int_equal(listen_on(fixture, &tcp, ""), 0);
    assert_int_equal(pthread_create(&fixture->thread, NULL, serve, fixture), 0);
    assert_note(fixture, 'r');
    only_the_right_name_and_password_are_let_in(state);
    stop(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(a_request_is_described_and_answered),
        SERVED(requests_in_one_packet_are_answered_in_order_on_one_connection),
        SERVED(http_1_0_is_answered_and_closed),
        SERVED(head_has_the_headers_of_get_alone),
        SERVED(a_client_may_ask_before_it_sends_its_body),
        SERVED(a_slow_client_is_waited_for),
        SERVED(garbage_is_a_bad_request),
        SERVED(a_body_over_the_limit_is_refused_and_closed),
        SERVED(a_body_at_the_limit_is_taken),
        SERVED(endless_headers_are_refused),
        SERVED(only_the_right_name_and_password_are_let_in),
        STOPPED(a_plain_password_and_a_bad_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
