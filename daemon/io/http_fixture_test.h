/*
 * For the tests of the HTTP server: real sockets on loopback and below a temporary folder. The
 * server runs on its loop in a thread of its own; the test is a plain blocking client. What the
 * handler does depends on the path, see on_request(). What the server notices is written to a pipe,
 * so the test can wait for it.
 */
#ifndef SV_IO_HTTP_FIXTURE_TEST_H
#define SV_IO_HTTP_FIXTURE_TEST_H

#include "io/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 10000 };

struct fixture {
    char folder[64];
    char socket_path[96];
    struct sv_loop *loop;
    struct sv_http *http;
    struct sockaddr_in tcp;
    pthread_t thread;
    pid_t thread_id;
    int notes[2]; /* a byte for everything that the server notices */
    struct sv_http_exchange *waiting;
};

/* ---- The server ---- */

static inline void note(struct fixture *fixture, char what)
{
    assert_int_equal(write(fixture->notes[1], &what, 1), 1);
}

static inline void on_closed(void *user)
{
    struct fixture *fixture = user;
    fixture->waiting = NULL;
    note(fixture, 'c');
}

static inline void wait_for_answer(struct fixture *fixture, struct sv_http_exchange *exchange)
{
    fixture->waiting = exchange;
    sv_http_on_closed(exchange, on_closed, fixture);
    note(fixture, 'w');
}

static inline void reply(struct sv_http_exchange *exchange, const char *text)
{
    sv_http_reply(exchange, 200, "text/plain", text, strlen(text));
}

/* Fills the buffer of a stream whose client does not read. */
static inline void flood(struct fixture *fixture)
{
    static const char block[64 << 10];
    int r = 0;
    for (size_t sent = 0; r == 0 && sent <= SV_HTTP_STREAM_BUFFER_BYTES_MAX; sent += sizeof(block))
        r = sv_http_stream_write(fixture->waiting, block, sizeof(block));
    note(fixture, r == -ENOBUFS ? 'f' : '?');
}

static inline void on_request(void *user, struct sv_http_exchange *exchange)
{
    struct fixture *fixture = user;
    const char *path = sv_http_path(exchange);
    size_t length;
    const char *body = sv_http_body(exchange, &length);
    if (strcmp(path, "/echo") == 0) {
        sv_http_reply(exchange, 200, "text/plain", body, length);
        return;
    }
    if (strcmp(path, "/describe it") == 0) {
        struct sv_str text = {0};
        const char *query = sv_http_query(exchange, "q");
        const char *header = sv_http_header(exchange, "x-test");
        sv_str_addf(&text, "%s|%s|%s|%zu", sv_http_method(exchange), query ? query : "-",
                    header ? header : "-", length);
        reply(exchange, sv_str_text(&text));
        sv_str_done(&text);
        return;
    }
    if (strcmp(path, "/wait") == 0) {
        wait_for_answer(fixture, exchange);
        return;
    }
    if (strcmp(path, "/stream") == 0) {
        wait_for_answer(fixture, exchange);
        sv_http_stream_begin(exchange, 200, "text/plain");
        assert_int_equal(sv_http_stream_write(exchange, "first\n", 6), 0);
        return;
    }
    if (strcmp(path, "/answer") == 0)
        reply(sv_steal(&fixture->waiting), "late");
    else if (strcmp(path, "/write") == 0)
        assert_int_equal(sv_http_stream_write(fixture->waiting, body, length), 0);
    else if (strcmp(path, "/flood") == 0)
        flood(fixture);
    else if (strcmp(path, "/end") == 0)
        sv_http_stream_end(sv_steal(&fixture->waiting));
    else if (strcmp(path, "/quit") == 0)
        sv_loop_quit(fixture->loop, 0);
    reply(exchange, "done");
}

static inline void *serve(void *user)
{
    struct fixture *fixture = user;
    fixture->thread_id = (pid_t)syscall(SYS_gettid);
    note(fixture, 'r');
    sv_loop_run(fixture->loop);
    return NULL;
}

/* ---- The client ---- */

static inline void assert_note(struct fixture *fixture, char expected)
{
    struct pollfd ready = {.fd = fixture->notes[0], .events = POLLIN};
    char what = 0;
    assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
    assert_int_equal(read(fixture->notes[0], &what, 1), 1);
    assert_int_equal(what, expected);
}

static inline int finish_connect(int fd, const void *address, socklen_t length)
{
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(connect(fd, address, length), 0);
    return fd;
}

static inline int connect_tcp(const struct fixture *fixture)
{
    return finish_connect(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), &fixture->tcp,
                          sizeof(fixture->tcp));
}

static inline int connect_unix(const struct fixture *fixture)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", fixture->socket_path);
    return finish_connect(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), &address,
                          sizeof(address));
}

static inline void say(int fd, const char *text)
{
    size_t length = strlen(text);
    assert_int_equal(send(fd, text, length, MSG_NOSIGNAL), length);
}

/* Reads until `end` was seen, or the server closed the connection if `end` is NULL. */
static inline const char *hear(int fd, const char *end)
{
    static char heard[64 << 10]; /* until the next call */
    size_t length = 0;
    heard[0] = '\0';
    while (!end || !strstr(heard, end)) {
        ssize_t count = recv(fd, heard + length, sizeof(heard) - 1 - length, 0);
        if (count < 0 && errno == ECONNRESET && !end)
            break;
        if (count < 0)
            fail_msg("%s after \"%s\"", strerror(errno), heard);
        if (count == 0 && end)
            fail_msg("closed after \"%s\"", heard);
        if (count == 0)
            break;
        length += (size_t)count;
        heard[length] = '\0';
    }
    return heard;
}

/* One request on a connection of its own; the answer is checked. */
static inline void ask(const struct fixture *fixture, const char *request,
                       const char *expected_status, const char *expected_end)
{
    int fd = connect_tcp(fixture);
    say(fd, request);
    const char *heard = hear(fd, expected_end);
    assert_memory_equal(heard, expected_status, strlen(expected_status));
    close(fd);
}

static inline void order(const struct fixture *fixture, const char *path)
{
    char request[128];
    snprintf(request, sizeof(request),
             "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nsecond", path);
    ask(fixture, request, "HTTP/1.1 200", "done");
}

/* ---- Fixtures ---- */

static inline void remember_free_port(struct fixture *fixture)
{
    socklen_t length = sizeof(fixture->tcp);
    fixture->tcp =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&fixture->tcp, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&fixture->tcp, &length), 0);
    close(fd);
}

static inline struct sv_http_config unix_config(const struct fixture *fixture)
{
    return (struct sv_http_config){.path = fixture->socket_path,
                                   .mode = 0700,
                                   .owner_uid = SV_ID_NONE,
                                   .owner_gid = SV_ID_NONE};
}

static inline int listen_on(struct fixture *fixture, const struct sv_http_config *config,
                            const char *expected_error)
{
    struct sv_str error = {0};
    int r = sv_http_listen(fixture->http, config, NULL, &error);
    assert_int_equal(r == 0, error.length == 0);
    assert_non_null(strstr(sv_str_text(&error), expected_error));
    sv_str_done(&error);
    return r;
}

static inline int set_up_stopped(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/svisor-http-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(fixture->socket_path, sizeof(fixture->socket_path), "%s/http.sock", fixture->folder);
    assert_int_equal(pipe2(fixture->notes, O_CLOEXEC), 0);
    assert_int_equal(sv_loop_new(&fixture->loop), 0);
    assert_int_equal(sv_http_new(fixture->loop, on_request, fixture, &fixture->http), 0);
    remember_free_port(fixture);
    *state = fixture;
    return 0;
}

static inline int tear_down_stopped(void **state)
{
    struct fixture *fixture = *state;
    sv_http_free(fixture->http);
    sv_loop_free(fixture->loop);
    unlink(fixture->socket_path);
    assert_int_equal(rmdir(fixture->folder), 0);
    close(fixture->notes[0]);
    close(fixture->notes[1]);
    free(fixture);
    return 0;
}

static inline void stop(struct fixture *fixture)
{
    order(fixture, "/quit");
    assert_int_equal(pthread_join(fixture->thread, NULL), 0);
}

static inline int set_up(void **state)
{
    set_up_stopped(state);
    struct fixture *fixture = *state;
    struct sv_http_config tcp = {.host = "127.0.0.1", .port = ntohs(fixture->tcp.sin_port)};
    struct sv_http_config local = unix_config(fixture);
    local.username = "user";
    local.password = "{SHA}e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4"; /* secret */
    assert_int_equal(listen_on(fixture, &tcp, ""), 0);
    assert_int_equal(listen_on(fixture, &local, ""), 0);
    assert_int_equal(pthread_create(&fixture->thread, NULL, serve, fixture), 0);
    assert_note(fixture, 'r');
    return 0;
}

static inline int tear_down(void **state)
{
    stop(*state);
    return tear_down_stopped(state);
}

#define SERVED(test)  cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define STOPPED(test) cmocka_unit_test_setup_teardown(test, set_up_stopped, tear_down_stopped)

#endif
