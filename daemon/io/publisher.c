/*
 * The ways by which events are published, behind one face.
 *
 * A port that is in use at the start may be free a moment later: a daemon that was here before, or
 * another cluster's neighbour. Supvisors gives up there and publishes nothing until it is started
 * again; here it is said once and tried again.
 */
#include "io/publisher.h"

#include <errno.h>
#include <stdlib.h>
#include <svisor/limits.h>

#include "base/error.h"
#include "base/log.h"
#include "io/publish_sse.h"
#include "io/publish_ws.h"
#include "io/publish_zmq.h"

#define RETRY_NS          UINT64_C(1000000000)
#define RETRY_ACCURACY_NS UINT64_C(100000000)

struct sv_publisher {
    struct sv_loop *loop;
    struct sv_publisher_settings settings;
    struct sv_source *retry;
    bool has_complained;
    struct sv_publish_zmq *zmq; /* NULL: there is none, or its port was in use */
    struct sv_publish_ws *ws;
    bool has_ws_port; /* it listens */
    struct sv_publish_sse *sse;
    uint64_t counts[SV_PUBLICATION_COUNT];
};

static void open_ways(void *user)
{
    struct sv_publisher *publisher = user;
    struct sv_str problem SV_CLEANUP(sv_str_done) = {0};
    const struct sv_publisher_settings *settings = &publisher->settings;
    int r = 0;
    if (settings->has_zmq && !publisher->zmq)
        r = sv_publish_zmq_open(publisher->loop, settings->port, &problem, &publisher->zmq);
    if (r == 0 && settings->has_websocket_port && !publisher->has_ws_port) {
        r = sv_publish_ws_listen(publisher->ws, settings->port, &problem);
        publisher->has_ws_port = r == 0;
    }
    if (r == 0) {
        sv_log_info("events are published on port %u", settings->port);
        return;
    }
    if (!publisher->has_complained)
        sv_log_critical("no events are published: %s; trying again every second: end what uses the "
                        "port, or write another event_port",
                        sv_str_text(&problem));
    publisher->has_complained = true;
    sv_source_arm(publisher->retry, sv_now_ns() + RETRY_NS);
}

int sv_publisher_new(struct sv_loop *loop, const struct sv_publisher_settings *settings,
                     struct sv_publisher **ret_publisher)
{
    struct sv_publisher *publisher = calloc(1, sizeof(*publisher));
    if (!publisher)
        return -ENOMEM;
    publisher->loop = loop;
    publisher->settings = *settings;
    int r = sv_loop_add_timer(loop, RETRY_ACCURACY_NS, open_ways, publisher, &publisher->retry);
    if (r == 0)
        r = sv_publish_ws_new(loop, settings, &publisher->ws);
    if (r == 0)
        r = sv_publish_sse_new(loop, settings, &publisher->sse);
    if (r < 0) {
        sv_publisher_free(publisher, 0);
        return error_trace(r);
    }
    if (settings->has_zmq || settings->has_websocket_port)
        open_ways(publisher);
    *ret_publisher = publisher;
    return 0;
}

void sv_publisher_free(struct sv_publisher *publisher, uint64_t flush_ns)
{
    if (!publisher)
        return;
    sv_publish_sse_free(publisher->sse);
    sv_publish_ws_free(publisher->ws);
    sv_publish_zmq_close(publisher->zmq, flush_ns);
    sv_source_free(publisher->retry);
    free(publisher);
}

bool sv_publisher_wants(const struct sv_publisher *publisher, enum sv_publication header)
{
    sv_publication_set wanted =
        sv_publish_ws_wanted(publisher->ws) | sv_publish_sse_wanted(publisher->sse);
    if (publisher->zmq)
        wanted |= sv_publish_zmq_wanted(publisher->zmq);
    return wanted >> header & 1;
}

void sv_publisher_send(struct sv_publisher *publisher, enum sv_publication header, const char *body,
                       size_t length)
{
    publisher->counts[header]++;
    if (publisher->zmq)
        sv_publish_zmq_send(publisher->zmq, header, body, length);
    sv_publish_ws_send(publisher->ws, header, body, length);
    sv_publish_sse_send(publisher->sse, header, body, length);
}

void sv_publisher_accept(struct sv_publisher *publisher, struct sv_http_exchange *exchange,
                         const char *path)
{
    if (sv_http_header(exchange, "Upgrade"))
        sv_publish_ws_accept(publisher->ws, exchange, path);
    else
        sv_publish_sse_accept(publisher->sse, exchange, path);
}

uint64_t sv_publisher_count(const struct sv_publisher *publisher, enum sv_publication header)
{
    return publisher->counts[header];
}
