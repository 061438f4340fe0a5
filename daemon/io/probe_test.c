/* The doing of probes: connections, lines, and who says what on the notify socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/log_watch.h"
#include "io/notify_socket.h"
#include "io/probe_socket.h"

struct result {
    struct sv_loop *loop;
    struct sv_socket_probe *probe;
    bool is_ok;
    char words[256];
};

static void on_result(void *user, bool is_ok, const char *words)
{
    struct result *result = user;
    result->is_ok = is_ok;
    snprintf(result->words, sizeof(result->words), "%s", words);
    sv_socket_probe_free(result->probe);
    sv_loop_quit(result->loop, 0);
}

static struct result probe(const char *text)
{
    struct result result = {0};
    struct sv_arena arena = {0};
    struct sv_str words = {0};
    struct sv_probe_config config;
    assert_true(sv_probe_parse(text, &arena, &config, &words));
    assert_int_equal(sv_loop_new(&result.loop), 0);
    int r = sv_socket_probe_new(result.loop, &config, on_result, &result, &result.probe, &words);
    assert_true(r >= 0);
    if (r == 0)
        assert_int_equal(sv_loop_run(result.loop), 0);
    else
        snprintf(result.words, sizeof(result.words), "%s", sv_str_text(&words));
    sv_loop_free(result.loop);
    sv_str_done(&words);
    sv_arena_done(&arena);
    return result;
}

/* A listening socket of 127.0.0.1, or only a port on which nobody listens. */
static int open_port(bool is_listening, unsigned *ret_port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    if (is_listening)
        assert_int_equal(listen(fd, 5), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void a_port_is_open_or_refused_and_the_words_say_which(void **state)
{
    (void)state;
    char text[64];
    char expected[64];
    unsigned port;
    int fd = open_port(true, &port);
    snprintf(text, sizeof(text), "port:127.0.0.1:%u", port);
    assert_true(probe(text).is_ok);
    snprintf(text, sizeof(text), "port:%u", port);
    assert_true(probe(text).is_ok);
    close(fd);
    fd = open_port(false, &port);
    snprintf(text, sizeof(text), "port:localhost:%u", port);
    snprintf(expected, sizeof(expected), "connection to localhost:%u refused", port);
    struct result result = probe(text);
    assert_false(result.is_ok);
    assert_string_equal(result.words, expected);
    close(fd);
}

static void a_socket_that_is_not_there_is_told_by_its_path(void **state)
{
    (void)state;
    struct result result = probe("port:unix:/nowhere/x.sock");
    assert_false(result.is_ok);
    assert_string_equal(result.words, "connection to /nowhere/x.sock: No such file or directory");
}

/* Answers one connection with a text, in a process of its own. */
static pid_t serve_once(int fd, const char *answer)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    char request[1024];
    int connection = accept(fd, NULL, NULL);
    if (read(connection, request, sizeof(request)) <= 0 ||
        write(connection, answer, strlen(answer)) < 0)
        _exit(1);
    _exit(0);
}

static void an_http_answer_is_judged_by_its_code(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        bool is_ok;
        const char *words;
    } rows[] = {
        {"HTTP/1.1 204 No Content\r\n\r\n", true, ""},
        {"HTTP/1.0 302 Found\r\n\r\n", true, ""},
        {"HTTP/1.0 503 Busy\r\n\r\n", false, "/health answered 503"},
        {"220 mail.example ESMTP\r\n", false, "does not answer in HTTP"},
        {"", false, "closed the connection without an answer"},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(rows); i++) {
        unsigned port;
        char text[64];
        int fd = open_port(true, &port);
        pid_t pid = serve_once(fd, rows[i].answer);
        snprintf(text, sizeof(text), "http://127.0.0.1:%u/health", port);
        struct result result = probe(text);
        assert_int_equal(result.is_ok, rows[i].is_ok);
        if (!strstr(result.words, rows[i].words))
            fail_msg("%s", result.words);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        close(fd);
    }
}

static void a_line_counts_when_it_is_whole_and_each_channel_for_itself(void **state)
{
    (void)state;
    struct sv_arena arena = {0};
    struct sv_str problem = {0};
    struct sv_log_watch *watch = sv_log_watch_new(sv_pattern_compile("^up$", &arena, &problem));
    assert_non_null(watch);
    assert_false(sv_log_watch_feed(watch, SV_STDOUT, "not up\nu", 8));
    assert_false(sv_log_watch_feed(watch, SV_STDERR, "p\n", 2));
    assert_false(sv_log_watch_feed(watch, SV_STDOUT, "p", 1));
    assert_true(sv_log_watch_feed(watch, SV_STDOUT, "\nmore\n", 6));
    assert_false(sv_log_watch_feed(watch, SV_STDOUT, "more\n", 5));
    sv_log_watch_free(watch);
    sv_arena_done(&arena);
    sv_str_done(&problem);
}

static void a_costly_pattern_is_given_up(void **state)
{
    (void)state;
    static const char line[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\n";
    struct sv_arena arena = {0};
    struct sv_str problem = {0};
    struct sv_log_watch *watch = sv_log_watch_new(sv_pattern_compile("^(a+)+$", &arena, &problem));
    for (int i = 0; i < SV_PATTERN_COSTLY_LINES_MAX; i++)
        assert_false(sv_log_watch_feed(watch, SV_STDOUT, line, sizeof(line) - 1));
    assert_true(sv_log_watch_has_given_up(watch));
    assert_false(sv_log_watch_feed(watch, SV_STDOUT, "aaa\n", 4));
    sv_log_watch_free(watch);
    sv_arena_done(&arena);
    sv_str_done(&problem);
}

struct heard {
    unsigned good_count, bad_count;
    pid_t pid;
};

static void on_message(void *user, const struct sv_notify_sender *sender,
                       const struct sv_notify_message *message)
{
    struct heard *heard = user;
    heard->pid = sender->pid;
    heard->good_count += message && message->is_ready;
    heard->bad_count += !message;
}

static int connect_to(const char *address)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t length = strlen(address);
    memcpy(to.sun_path, address, length);
    to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to,
                             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
                     0);
    return fd;
}

static void send_with_descriptors(int fd, int descriptor, size_t count)
{
    union {
        struct cmsghdr alignment;
        char bytes[CMSG_SPACE(SV_NOTIFY_DESCRIPTORS_MAX * sizeof(int))];
    } control = {0};
    struct iovec part = {(void *)(uintptr_t) "READY=1", 7};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(count * sizeof(int));
    for (size_t i = 0; i < count; i++)
        memcpy(CMSG_DATA(c) + i * sizeof(int), &descriptor, sizeof(int));
    assert_int_equal(sendmsg(fd, &header, 0), 7);
}

/* The lowest number that is free. */
static int next_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(fd);
    return fd;
}

static void messages_tell_their_sender_and_leave_no_descriptor_open(void **state)
{
    (void)state;
    struct sv_loop *loop;
    struct sv_notify_socket *notify, *second;
    struct heard heard = {0};
    const struct sv_notify_origin origin = {.identifier = "probe-test", .fd = -1};
    assert_int_equal(sv_loop_new(&loop), 0);
    assert_int_equal(sv_notify_socket_new(loop, &origin, on_message, &heard, &notify), 0);
    assert_int_equal(sv_notify_socket_new(loop, &origin, on_message, &heard, &second), 0);
    assert_string_not_equal(sv_notify_socket_address(notify), sv_notify_socket_address(second));
    int fd = connect_to(sv_notify_socket_address(notify));
    int other = connect_to(sv_notify_socket_address(second));
    int before = next_descriptor();
    send_with_descriptors(fd, STDERR_FILENO, 3);
    send_with_descriptors(fd, STDERR_FILENO, SV_NOTIFY_DESCRIPTORS_MAX);
    char large[SV_NOTIFY_MESSAGE_BYTES_MAX + 1];
    memset(large, 'a', sizeof(large));
    assert_true(send(fd, large, sizeof(large), 0) > 0);
    assert_true(send(other, "READY=1", 7, 0) > 0);
    sv_notify_socket_drain(notify);
    assert_int_equal(heard.good_count, 2);
    assert_int_equal(heard.bad_count, 1);
    assert_int_equal(heard.pid, getpid());
    assert_int_equal(next_descriptor(), before);
    sv_notify_socket_drain(second);
    assert_int_equal(heard.good_count, 3);
    close(fd);
    close(other);
    sv_notify_socket_free(notify);
    sv_notify_socket_free(second);
    sv_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_is_open_or_refused_and_the_words_say_which),
        cmocka_unit_test(a_socket_that_is_not_there_is_told_by_its_path),
        cmocka_unit_test(an_http_answer_is_judged_by_its_code),
        cmocka_unit_test(a_line_counts_when_it_is_whole_and_each_channel_for_itself),
        cmocka_unit_test(a_costly_pattern_is_given_up),
        cmocka_unit_test(messages_tell_their_sender_and_leave_no_descriptor_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
