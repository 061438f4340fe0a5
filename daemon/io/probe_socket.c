/*
 * A probe of a port is a connection that is accepted, and closed again at once. A probe of HTTP is
 * "GET target HTTP/1.0" and the first line of the answer.
 *
 * Everything is non-blocking, and nothing here knows of time: whoever has started a probe gives it
 * up when it takes too long. Names are not looked up (the resolver of libc blocks); localhost is
 * 127.0.0.1 and then ::1.
 *
 * Traps: a unix socket whose queue is full refuses with EAGAIN at once, it does not wait. A
 * connection to a port of the ephemeral range on which nobody listens may connect to itself, and
 * would look like success; such a one has two equal ends.
 */
#include "io/probe_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "wire/http_status.h"

struct sv_socket_probe {
    struct sv_loop *loop;
    const struct sv_probe_config *config;
    sv_probe_function function;
    void *user;
    unsigned attempt; /* which address */
    int fd;
    bool is_connected;
    struct sv_source *source;
    struct sv_str request; /* what is left of it to send */
    struct sv_str trouble; /* of the first address */
    char answer[SV_PROBE_HTTP_BYTES_MAX];
    size_t answer_length;
};

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
};

/* The length of the n-th address of the target; 0: there is no such one. */
static socklen_t address_of(const struct sv_probe_config *config, unsigned n, union address *ret)
{
    static const char *const loopback[] = {"127.0.0.1", "::1"};
    memset(ret, 0, sizeof(*ret));
    if (config->path) {
        ret->local.sun_family = AF_UNIX;
        memcpy(ret->local.sun_path, config->path, strlen(config->path) + 1);
        return n == 0 ? sizeof(ret->local) : 0;
    }
    bool is_localhost = strcmp(config->host, "localhost") == 0;
    if (n >= (is_localhost ? SV_ARRAY_LENGTH(loopback) : 1))
        return 0;
    const char *host = is_localhost ? loopback[n] : config->host;
    if (inet_pton(AF_INET, host, &ret->v4.sin_addr) == 1) {
        ret->v4.sin_family = AF_INET;
        ret->v4.sin_port = htons(config->port);
        return sizeof(ret->v4);
    }
    if (inet_pton(AF_INET6, host, &ret->v6.sin6_addr) != 1)
        return 0;
    ret->v6.sin6_family = AF_INET6;
    ret->v6.sin6_port = htons(config->port);
    return sizeof(ret->v6);
}

static void add_target(const struct sv_probe_config *config, struct sv_str *text)
{
    bool is_v6 = config->host && strchr(config->host, ':');
    if (config->path)
        sv_str_add(text, config->path);
    else
        sv_str_addf(text, "%s%s%s:%u", is_v6 ? "[" : "", config->host, is_v6 ? "]" : "",
                    config->port);
}

static void add_trouble(const struct sv_probe_config *config, int error, struct sv_str *text)
{
    sv_str_add(text, "connection to ");
    add_target(config, text);
    if (error == ECONNREFUSED)
        sv_str_add(text, " refused");
    else
        sv_str_addf(text, ": %s", sv_errno_text(error));
}

static void close_socket(struct sv_socket_probe *probe)
{
    sv_source_free(probe->source);
    probe->source = NULL;
    if (probe->fd >= 0)
        close(probe->fd);
    probe->fd = -1;
}

/* The last thing that is done with a probe: its owner may have freed it. */
static void finish(struct sv_socket_probe *probe, bool is_ok, const char *words)
{
    close_socket(probe);
    probe->function(probe->user, is_ok, words);
}

static void on_ready(void *user, int fd, uint32_t events);

/* True when a connection is under way; else `probe->trouble` says why there is none. */
static bool connect_next(struct sv_socket_probe *probe)
{
    union address address;
    socklen_t length;
    while ((length = address_of(probe->config, probe->attempt++, &address)) > 0) {
        close_socket(probe);
        probe->fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        int r =
            probe->fd < 0 || (connect(probe->fd, &address.any, length) < 0 && errno != EINPROGRESS)
                ? -errno
                : sv_loop_add_io(probe->loop, probe->fd, EPOLLOUT, SV_PRIORITY_NORMAL, on_ready,
                                 probe, &probe->source);
        if (r == 0)
            return true;
        if (probe->trouble.length == 0)
            add_trouble(probe->config, -r, &probe->trouble);
    }
    close_socket(probe);
    return false;
}

static bool is_connected_to_itself(int fd)
{
    union address here = {0};
    union address there = {0};
    socklen_t here_length = sizeof(here);
    socklen_t there_length = sizeof(there);
    if (getsockname(fd, &here.any, &here_length) < 0 ||
        getpeername(fd, &there.any, &there_length) < 0 || here.any.sa_family == AF_UNIX)
        return false;
    return here_length == there_length && memcmp(&here, &there, here_length) == 0;
}

static int connection_error(int fd)
{
    int error = 0;
    socklen_t length = sizeof(error);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        return errno;
    return error == 0 && is_connected_to_itself(fd) ? ECONNREFUSED : error;
}

/* True when it goes on; false when the probe is over, and perhaps freed. */
static bool take_connection(struct sv_socket_probe *probe)
{
    int error = connection_error(probe->fd);
    if (error != 0) {
        if (probe->trouble.length == 0)
            add_trouble(probe->config, error, &probe->trouble);
        if (!connect_next(probe))
            finish(probe, false, sv_str_text(&probe->trouble));
        return false;
    }
    probe->is_connected = true;
    if (probe->config->kind == SV_PROBE_HTTP)
        return true;
    finish(probe, true, "");
    return false;
}

static void fail(struct sv_socket_probe *probe, const char *what, int error)
{
    struct sv_str words = {0};
    add_target(probe->config, &words);
    sv_str_addf(&words, " %s%s%s", what, error ? ": " : "", error ? sv_errno_text(error) : "");
    finish(probe, false, sv_str_text(&words));
    sv_str_done(&words);
}

static void send_request(struct sv_socket_probe *probe)
{
    ssize_t n = send(probe->fd, probe->request.data, probe->request.length, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        fail(probe, "took no request", errno);
        return;
    }
    if (n > 0)
        sv_str_drop_front(&probe->request, (size_t)n);
    if (probe->request.length == 0)
        sv_source_set_events(probe->source, EPOLLIN);
}

static void judge(struct sv_socket_probe *probe, int status)
{
    if (status >= 200 && status < 400) {
        finish(probe, true, "");
        return;
    }
    struct sv_str words = {0};
    sv_str_addf(&words, "%s answered %d", probe->config->text, status);
    finish(probe, false, sv_str_text(&words));
    sv_str_done(&words);
}

static void receive_answer(struct sv_socket_probe *probe)
{
    ssize_t n = recv(probe->fd, probe->answer + probe->answer_length,
                     sizeof(probe->answer) - probe->answer_length, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        fail(probe, "closed the connection without an answer", n < 0 ? errno : 0);
        return;
    }
    probe->answer_length += (size_t)n;
    int status = sv_http_status(probe->answer, probe->answer_length);
    if (status == SV_HTTP_STATUS_NONE)
        fail(probe, "does not answer in HTTP", 0);
    else if (status != SV_HTTP_STATUS_MORE)
        judge(probe, status);
}

static void on_ready(void *user, int fd, uint32_t events)
{
    (void)fd;
    (void)events;
    struct sv_socket_probe *probe = user;
    if (!probe->is_connected && !take_connection(probe))
        return;
    if (probe->request.length > 0)
        send_request(probe);
    else
        receive_answer(probe);
}

int sv_socket_probe_new(struct sv_loop *loop, const struct sv_probe_config *config,
                        sv_probe_function function, void *user, struct sv_socket_probe **ret_probe,
                        struct sv_str *ret_words)
{
    struct sv_socket_probe *probe = calloc(1, sizeof(*probe));
    if (!probe)
        return -ENOMEM;
    probe->loop = loop;
    probe->config = config;
    probe->function = function;
    probe->user = user;
    probe->fd = -1;
    if (config->kind == SV_PROBE_HTTP)
        sv_str_addf(&probe->request,
                    "GET %s HTTP/1.0\r\nHost: %s\r\nUser-Agent: svisor\r\nAccept: */*\r\n"
                    "Connection: close\r\n\r\n",
                    config->target, config->authority);
    if (!sv_str_ok(&probe->request)) {
        sv_socket_probe_free(probe);
        return -ENOMEM;
    }
    if (connect_next(probe)) {
        *ret_probe = probe;
        return 0;
    }
    sv_str_add(ret_words, sv_str_text(&probe->trouble));
    sv_socket_probe_free(probe);
    return SV_PROBE_FAILED;
}

void sv_socket_probe_free(struct sv_socket_probe *probe)
{
    if (!probe)
        return;
    close_socket(probe);
    sv_str_done(&probe->request);
    sv_str_done(&probe->trouble);
    free(probe);
}
