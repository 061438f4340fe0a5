/*
 * The HTTP server: libmicrohttpd 0.9.75 without threads, on our loop.
 *
 * Each listener is one MHD_Daemon. Its epoll descriptor is a source of the loop; when it is
 * readable, MHD_run() does what there is to do. Afterwards libmicrohttpd says how long it may
 * sleep: not at all (there is buffered input: a defer source, since a zero timer makes pipelining
 * twenty times slower), for some time (the oldest idle connection), or for ever. So an idle server
 * sleeps in the kernel. The timer is only ever moved forward when it has fired: every request moves
 * the deadline back, and telling the loop each time would cost more than one early wake-up in five
 * minutes.
 *
 * Bounds for each listener: SV_HTTP_CONNECTIONS_MAX connections, and no more than half of the
 * descriptors that the daemon may open, because the other half is for the programs;
 * CONNECTION_BYTES of memory for the headers of one request; SV_HTTP_IDLE_TIMEOUT_SECONDS of
 * silence. Over the bound libmicrohttpd stops to accept until one connection ends.
 *
 * Traps: MHD_stop_daemon() aborts the process if a connection is suspended; it closes the listening
 * socket.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "io/http_internal.h"

enum {
    CONNECTION_BYTES =
        16 << 10, /* a request line and headers; also the unit in which bodies arrive */
    TIMER_ACCURACY_NS = 100000000,
};
#define NS_PER_MS 1000000u

int sv_http_new(struct sv_loop *loop, sv_http_handler handler, void *user,
                struct sv_http **ret_http)
{
    struct sv_http *http = calloc(1, sizeof(*http));
    if (!http)
        return -ENOMEM;
    *http = (struct sv_http){.loop = loop, .handler = handler, .user = user};
    *ret_http = http;
    return 0;
}

/* ---- One listener on the loop ---- */

static void arm(struct sv_http_listener *listener, uint64_t timeout_ms)
{
    uint64_t deadline_ns = sv_now_ns() + timeout_ms * NS_PER_MS;
    if (deadline_ns >= listener->timer_deadline_ns)
        return;
    listener->timer_deadline_ns = deadline_ns;
    int r = sv_source_arm(listener->timer, deadline_ns);
    if (r < 0)
        sv_log_warn("http: idle connections are not closed: %s", sv_errno_text(r));
}

static void run(struct sv_http_listener *listener)
{
    MHD_run(listener->daemon);
    MHD_UNSIGNED_LONG_LONG timeout_ms;
    if (MHD_get_timeout(listener->daemon, &timeout_ms) != MHD_YES)
        return;
    if (timeout_ms == 0)
        sv_http_listener_wake(listener);
    else
        arm(listener, timeout_ms);
}

static void on_readable(void *user, int fd, uint32_t events)
{
    (void)fd;
    (void)events;
    run(user);
}

static void on_again(void *user)
{
    run(user);
}

static void on_timer(void *user)
{
    struct sv_http_listener *listener = user;
    listener->timer_deadline_ns = UINT64_MAX;
    run(listener);
}

void sv_http_listener_wake(struct sv_http_listener *listener)
{
    int r = sv_source_enable(listener->again, true);
    if (r < 0)
        sv_log_error("http: cannot go on with a request: %s", sv_errno_text(r));
}

static int add_sources(struct sv_http_listener *listener)
{
    struct sv_loop *loop = listener->http->loop;
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info)
        return -ENOSYS;
    listener->timer_deadline_ns = UINT64_MAX;
    int r = sv_loop_add_io(loop, info->epoll_fd, EPOLLIN, SV_PRIORITY_NORMAL, on_readable, listener,
                           &listener->readable);
    if (r == 0)
        r = sv_loop_add_defer(loop, SV_PRIORITY_NORMAL, on_again, listener, &listener->again);
    if (r == 0)
        r = sv_loop_add_timer(loop, TIMER_ACCURACY_NS, on_timer, listener, &listener->timer);
    return r;
}

/* ---- Opening and closing ---- */

static void on_message(void *cls, const char *format, va_list arguments)
{
    (void)cls;
    char line[256];
    vsnprintf(line, sizeof(line), format, arguments);
    line[strcspn(line, "\n")] = '\0';
    sv_log_debug("http: %s", line);
}

static unsigned connections_max(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / 2 > SV_HTTP_CONNECTIONS_MAX)
        return SV_HTTP_CONNECTIONS_MAX;
    return (unsigned)(limit.rlim_cur / 2);
}

/*
 * MHD decodes in place and hands on a C string: of web%00x it would leave web, another name than
 * the one that was asked for. As a byte that no UTF-8 has, what is NUL is refused where names are
 * read.
 */
static size_t on_unescape(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    for (char *nul = strstr(text, "%00"); nul; nul = strstr(nul, "%00"))
        memcpy(nul, "%FF", 3);
    return MHD_http_unescape(text);
}

static struct MHD_Daemon *start_daemon(struct sv_http_listener *listener)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE | MHD_USE_ERROR_LOG, 0, NULL,
        NULL, sv_http_on_request, listener, MHD_OPTION_EXTERNAL_LOGGER, on_message, NULL,
        MHD_OPTION_LISTEN_SOCKET, listener->socket.fd, MHD_OPTION_NOTIFY_COMPLETED,
        sv_http_on_completed, listener, MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_LIMIT,
        connections_max(), MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SV_HTTP_IDLE_TIMEOUT_SECONDS,
        MHD_OPTION_END);
}

static void listener_free(struct sv_http_listener *listener)
{
    sv_source_free(listener->readable);
    sv_source_free(listener->again);
    sv_source_free(listener->timer);
    int fd = listener->socket.fd;
    sv_http_socket_done(
        &listener->socket); /* the name first: nobody finds a socket that is closing */
    if (listener->is_quiet && fd >= 0)
        close(fd);
    if (listener->daemon)
        MHD_stop_daemon(listener->daemon);
    free(listener->address);
    free(listener);
}

/* The socket of the listener, open and under its name. */
static int open_socket(struct sv_http_listener *listener, const struct sv_http_config *config,
                       struct sv_inherited *inherited, struct sv_str *ret_error)
{
    listener->address = sv_http_socket_address(config);
    if (!listener->address)
        return -ENOMEM;
    if (sv_http_socket_inherit(config, listener->address, inherited, &listener->socket))
        return 0;
    return sv_http_socket_open(config, &listener->socket, ret_error);
}

int sv_http_listen(struct sv_http *http, const struct sv_http_config *config,
                   struct sv_inherited *inherited, struct sv_str *ret_error)
{
    struct sv_http_listener *listener = calloc(1, sizeof(*listener));
    if (!listener)
        return -ENOMEM;
    listener->http = http;
    listener->socket.fd = -1;
    int r = sv_http_auth_read(&listener->auth, config);
    if (r < 0) {
        sv_str_add(ret_error, "password=: {SHA} must be followed by the 40 hexadecimal digits of a "
                              "SHA-1, as sha1sum prints them");
        goto fail;
    }
    r = open_socket(listener, config, inherited, ret_error);
    if (r < 0)
        goto fail;
    listener->daemon = start_daemon(listener);
    if (!listener->daemon) {
        r = errno ? -errno : -EIO;
        close(listener->socket.fd);
    } else {
        r = add_sources(listener);
    }
    if (r < 0) {
        sv_str_addf(ret_error, "Cannot open an HTTP server: %s", sv_errno_text(r));
        goto fail;
    }
    listener->next = http->listeners;
    http->listeners = listener;
    return 0;
fail:
    listener_free(listener);
    return error_trace(r);
}

void sv_http_quiesce(struct sv_http *http)
{
    for (struct sv_http_listener *l = http->listeners; l; l = l->next)
        l->is_quiet = l->is_quiet || MHD_quiesce_daemon(l->daemon) != MHD_INVALID_SOCKET;
}

bool sv_http_is_answering(const struct sv_http *http)
{
    for (struct sv_http_exchange *e = http->exchanges; e; e = sv_http_exchange_next(e))
        if (sv_http_exchange_is_leaving(e))
            return true;
    return false;
}

int sv_http_hand_over(struct sv_http *http, struct sv_inherited *inherited)
{
    int r = 0;
    for (struct sv_http_listener *l = http->listeners; l && r == 0; l = l->next) {
        if (!l->is_quiet)
            continue;
        struct sv_inherited_socket socket = {.fd = sv_steal_fd(&l->socket.fd),
                                             .device = l->socket.device,
                                             .inode = l->socket.inode,
                                             .address = sv_steal(&l->address)};
        free(sv_steal(&l->socket.path)); /* the file stays */
        r = sv_inherited_add(inherited, &socket);
    }
    return r;
}

void sv_http_free(struct sv_http *http)
{
    if (!http)
        return;
    for (struct sv_http_exchange *e = http->exchanges; e; e = sv_http_exchange_next(e))
        sv_http_exchange_abandon(e);
    while (http->listeners) {
        struct sv_http_listener *listener = http->listeners;
        http->listeners = listener->next;
        listener_free(listener);
    }
    free(http);
}
