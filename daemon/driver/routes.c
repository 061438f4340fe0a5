/*
 * What the HTTP server answers: /RPC2, /logtail/NAME[/CHANNEL], /mainlogtail, /metrics, REST
 * (rest.c), the dashboard (dashboard.c), old pages (classic.c), /events/HEADER/… as a WebSocket or
 * a stream, and /live as a WebSocket.
 *
 * A remote call that waits keeps its exchange; a client that goes away meanwhile cancels the call.
 * A log that is followed ends when the client goes, or reads so slowly that the bounded buffer is
 * full.
 */
#include "driver/classic/classic.h"
#include "driver/internal.h"
#include "driver/outlive/outlive.h"
#include "driver/rest/rest.h"
#include "driver/statistics/statistics.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "driver/cluster/cluster.h"
#include "driver/live/live.h"
#include "io/follow.h"
#include "wire/xmlrpc.h"

enum { TAIL_HEAD_BYTES = 1024 }; /* http.py, tail_f_producer */

struct rpc {
    struct sv_http_exchange *exchange;
    struct sv_api_call *call; /* NULL until it is known to wait */
};

static void on_answered(void *user, const struct sv_api_answer *answer)
{
    struct rpc *rpc = user;
    struct sv_str body SV_CLEANUP(sv_str_done) = {0};
    if (answer->fault_code != 0)
        sv_xmlrpc_encode_fault(answer->fault_code, answer->fault_text, &body);
    else
        sv_xmlrpc_encode_response(answer->result, &body);
    if (sv_str_ok(&body))
        sv_http_reply(rpc->exchange, 200, "text/xml", sv_str_text(&body), body.length);
    else
        sv_http_reply_text(rpc->exchange, 500, "the answer is too large\n");
    free(rpc);
}

static void on_caller_gone(void *user)
{
    struct rpc *rpc = user;
    if (rpc->call)
        sv_api_call_cancel(rpc->call);
    free(rpc);
}

static void call_method(struct sv_driver *driver, struct sv_http_exchange *exchange,
                        const char *method, json_t *params)
{
    struct rpc *rpc = calloc(1, sizeof(*rpc));
    if (!rpc) {
        sv_http_reply_text(exchange, 503, "out of memory\n");
        return;
    }
    rpc->exchange = exchange;
    sv_http_on_closed(exchange, on_caller_gone, rpc);
    sv_log(SV_LOG_TRACE, "XML-RPC method called: %s()", method);
    struct sv_api_call *call = sv_api_call(driver->api, method, params, on_answered, rpc);
    if (call)
        rpc->call = call; /* otherwise it is answered, and rpc is gone */
}

static void handle_rpc(struct sv_driver *driver, struct sv_http_exchange *exchange)
{
    if (strcmp(sv_http_method(exchange), "POST") != 0) {
        sv_http_reply_text(exchange, 400, "XML-RPC calls are POST requests\n");
        return;
    }
    if (sv_origin_is_foreign(exchange)) {
        sv_http_reply_text(exchange, 403, SV_ORIGIN_REFUSED "\n");
        return;
    }
    size_t length;
    const char *body = sv_http_body(exchange, &length);
    char *method = NULL;
    json_t *params = NULL;
    struct sv_str error SV_CLEANUP(sv_str_done) = {0};
    int r = sv_xmlrpc_decode_call(body, length, &method, &params, &error);
    if (r == 0) {
        call_method(driver, exchange, method, params);
        free(method);
        json_decref(params);
        return;
    }
    sv_log_debug("XML-RPC request refused: %s", sv_str_text(&error));
    sv_str_add_char(&error, '\n');
    unsigned status = r == SV_XMLRPC_TOO_LARGE ? 413 : r == SV_XMLRPC_MALFORMED ? 400 : 503;
    sv_http_reply_text(exchange, status, sv_str_text(&error));
}

struct tail {
    struct sv_http_exchange *exchange;
    struct sv_follow *follow;
    struct sv_source *ender; /* ends the stream outside of the callbacks of what it frees */
    bool is_beginning;       /* inside sv_http_stream_begin(), which may find the reader gone */
    bool is_gone;
};

static void free_tail(struct tail *tail)
{
    sv_follow_free(tail->follow);
    sv_source_free(tail->ender);
    free(tail);
}

static void on_reader_gone(void *user)
{
    struct tail *tail = user;
    tail->is_gone = true;
    if (!tail->is_beginning)
        free_tail(tail);
}

static void on_tail_end(void *user)
{
    struct tail *tail = user;
    struct sv_http_exchange *exchange = tail->exchange;
    free_tail(tail);
    sv_http_on_closed(exchange, NULL, NULL);
    sv_http_stream_end(exchange);
}

static void on_log_grew(void *user, const char *data, size_t length)
{
    struct tail *tail = user;
    if (sv_http_stream_write(tail->exchange, data, length) < 0)
        sv_source_enable(tail->ender, true);
}

/* Supervisor says it, too. */
static void add_last_modified(struct sv_http_exchange *exchange, const char *path)
{
    char text[64];
    struct stat info;
    struct tm time;
    if (stat(path, &info) == 0 && gmtime_r(&info.st_mtime, &time) &&
        strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &time) > 0)
        sv_http_add_header(exchange, "Last-Modified", text);
}

static void follow_log(struct sv_driver *driver, struct sv_http_exchange *exchange,
                       const char *path)
{
    struct tail *tail = calloc(1, sizeof(*tail));
    if (!tail ||
        sv_loop_add_defer(driver->loop, SV_PRIORITY_OUTPUT, on_tail_end, tail, &tail->ender) < 0) {
        free(tail);
        sv_http_reply_text(exchange, 503, "out of memory\n");
        return;
    }
    tail->exchange = exchange;
    add_last_modified(exchange, path);
    sv_http_on_closed(exchange, on_reader_gone, tail);
    tail->is_beginning = true;
    sv_http_stream_begin(exchange, 200, "text/plain;charset=utf-8");
    tail->is_beginning = false;
    if (tail->is_gone)
        free_tail(tail);
    else if (sv_follow_new(driver->loop, path, TAIL_HEAD_BYTES, on_log_grew, tail, &tail->follow) <
             0)
        sv_source_enable(tail->ender, true);
}

static void reply_not_found(struct sv_http_exchange *exchange)
{
    sv_http_reply_text(exchange, 404, "Not Found\n");
}

/* Follows the log at `path`, if there is one now. NULL: the channel has none. */
static void handle_log(struct sv_driver *driver, struct sv_http_exchange *exchange,
                       const char *path)
{
    if (strcmp(sv_http_method(exchange), "GET") != 0)
        sv_http_reply_text(exchange, 400, "logs are read with GET\n");
    else if (!path || access(path, R_OK) != 0)
        reply_not_found(exchange);
    else
        follow_log(driver, exchange, path);
}

/* The path of the log that "NAME", "GROUP:NAME" or either with "/stderr" names; NULL: none. */
static const char *named_log(struct sv_driver *driver, const char *target)
{
    enum sv_channel channel = SV_STDOUT;
    size_t length = strlen(target);
    const char *slash = strchr(target, '/');
    if (slash) {
        length = (size_t)(slash - target);
        if (strcmp(slash, "/stderr") == 0)
            channel = SV_STDERR;
        else if (strcmp(slash, "/stdout") != 0)
            return NULL;
    }
    const char *colon = memchr(target, ':', length);
    size_t group_length = colon ? (size_t)(colon - target) : length;
    const char *process = colon ? colon + 1 : target;
    size_t process_length = colon ? length - group_length - 1 : length;
    struct sv_str *name = &driver->scratch;
    sv_str_clear(name);
    sv_str_append(name, target, group_length);
    const struct sv_group_view *group = sv_core_group(driver->core, sv_str_text(name));
    for (size_t i = 0; group && i < group->process_count; i++) {
        const char *candidate = group->programs[i]->name;
        if (strlen(candidate) == process_length && strncmp(candidate, process, process_length) == 0)
            return driver->api_host.log_path(driver, group->processes[i], channel);
    }
    return NULL;
}

static void handle_events(struct sv_driver *driver, struct sv_http_exchange *exchange,
                          const char *path)
{
    bool is_stream = !sv_http_header(exchange, "Upgrade");
    if (is_stream && sv_origin_is_foreign(exchange))
        sv_http_reply_text(exchange, 403, "a page of another origin may not listen here\n");
    else if (!sv_driver_cluster_accept_subscriber(driver, exchange, path))
        reply_not_found(exchange);
}

void sv_routes_handle(void *user, struct sv_http_exchange *exchange)
{
    struct sv_driver *driver = user;
    const char *path = sv_http_path(exchange);
    if (sv_reexec_is_going(driver))
        return; /* the connection is closed with this image, and the client asks the next one */
    static const char logtail[] = "/logtail/", events[] = "/events/";
    if (strcmp(path, "/RPC2") == 0 || strcmp(path, "/RPC2/") == 0)
        handle_rpc(driver, exchange);
    else if (strncmp(path, events, sizeof(events) - 1) == 0)
        handle_events(driver, exchange, path + sizeof(events) - 2);
    else if (strcmp(path, "/live") == 0)
        sv_live_accept(driver, exchange);
    else if (strncmp(path, logtail, sizeof(logtail) - 1) == 0)
        handle_log(driver, exchange, named_log(driver, path + sizeof(logtail) - 1));
    else if (strcmp(path, "/metrics") == 0)
        sv_metrics_handle(driver, exchange);
    else if (strcmp(path, "/mainlogtail") == 0)
        handle_log(driver, exchange, driver->api_host.main_log_path(driver));
    else if (!sv_dashboard_handle(exchange) && !sv_classic_handle(driver, exchange) &&
             !sv_files_handle(driver, exchange) && !sv_rest_handle(driver, exchange))
        reply_not_found(exchange);
}
