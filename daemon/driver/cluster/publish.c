/*
 * What is published: notices of core/cluster and of the local core become events
 * (docs/events.md).
 *
 *     a process came to a state here   local core ──> event
 *     the rest                         core/cluster ──notice──> event, process, application, …
 *
 * `event` of a local process is made when the local core tells of it, and not from what the cluster
 * knows: a program that dies and is started again at once is two events, and one state.
 *
 * Nothing is rendered that nobody has subscribed to.
 */
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "api/events.h"
#include "base/log.h"
#include "driver/cluster/internal.h"
#include "io/publisher.h"
#include "wire/publication.h"

enum { TIMER_ACCURACY_NS = 100000000, REAL_DIGITS = 16 };

/* Python's json.dumps() writes the same: ASCII, ", " and ": ". */
void sv_driver_cluster_publish_body(struct sv_driver_cluster *cluster, enum sv_publication header,
                                    json_t *body)
{
    char *text =
        body ? json_dumps(body, JSON_ENSURE_ASCII | JSON_REAL_PRECISION(REAL_DIGITS)) : NULL;
    if (text)
        sv_publisher_send(cluster->publisher, header, text, strlen(text));
    else if (body)
        sv_log_error("an event %s is lost: out of memory", sv_publication_name(header));
    free(text);
    json_decref(body);
}

bool sv_driver_cluster_is_wanted(const struct sv_driver_cluster *cluster,
                                 enum sv_publication header)
{
    return cluster && cluster->publisher && sv_publisher_wants(cluster->publisher, header);
}

/* ---- The cluster ---- */

static void publish_modes(struct sv_driver_cluster *cluster, const struct sv_cluster_action *action)
{
    (void)action;
    if (sv_driver_cluster_is_wanted(cluster, SV_PUBLICATION_SUPVISORS))
        sv_driver_cluster_publish_body(cluster, SV_PUBLICATION_SUPVISORS,
                                       sv_event_supvisors(&cluster->host));
}

static void publish_instance(struct sv_driver_cluster *cluster,
                             const struct sv_cluster_action *action)
{
    if (sv_driver_cluster_is_wanted(cluster, SV_PUBLICATION_INSTANCE))
        sv_driver_cluster_publish_body(cluster, SV_PUBLICATION_INSTANCE,
                                       sv_event_instance(&cluster->host, action->instance));
}

static void publish_application(struct sv_driver_cluster *cluster,
                                const struct sv_cluster_action *action)
{
    if (sv_driver_cluster_is_wanted(cluster, SV_PUBLICATION_APPLICATION))
        sv_driver_cluster_publish_body(
            cluster, SV_PUBLICATION_APPLICATION,
            sv_event_application(&cluster->host, action->notice.application));
}

static void publish_process(struct sv_driver_cluster *cluster,
                            const struct sv_cluster_action *action)
{
    enum sv_process_news news = action->notice.news;
    bool is_told = action->instance == sv_cluster_local(cluster->core) &&
                   (news == SV_PROCESS_NEWS_STATE || news == SV_PROCESS_NEWS_ADDED);
    const struct sv_event_cause cause = {.application = action->notice.application,
                                         .name = action->notice.name,
                                         .instance = action->instance,
                                         .news = news};
    if (!is_told && sv_driver_cluster_is_wanted(cluster, SV_PUBLICATION_EVENT))
        sv_driver_cluster_publish_body(cluster, SV_PUBLICATION_EVENT,
                                       sv_event_of_process(&cluster->host, &cause));
    bool is_of_one_instance = news == SV_PROCESS_NEWS_LEARNT || news == SV_PROCESS_NEWS_DETAILS ||
                              news == SV_PROCESS_NEWS_DISABILITY || news == SV_PROCESS_NEWS_REMOVED;
    if (!is_of_one_instance && sv_driver_cluster_is_wanted(cluster, SV_PUBLICATION_PROCESS))
        sv_driver_cluster_publish_body(
            cluster, SV_PUBLICATION_PROCESS,
            sv_event_process(&cluster->host, cause.application, cause.name));
}

typedef void (*publish_function)(struct sv_driver_cluster *cluster,
                                 const struct sv_cluster_action *action);

static const publish_function publishers[] = {
    [SV_CLUSTER_NOTICE_MODES] = publish_modes,
    [SV_CLUSTER_NOTICE_INSTANCE] = publish_instance,
    [SV_CLUSTER_NOTICE_APPLICATION] = publish_application,
    [SV_CLUSTER_NOTICE_PROCESS] = publish_process,
    [SV_CLUSTER_NOTICE_LOG] = sv_driver_cluster_publish_decision,
};

void sv_driver_cluster_publish(struct sv_driver_cluster *cluster,
                               const struct sv_cluster_action *action)
{
    publishers[action->notice.what](cluster, action);
}

/* ---- The local processes ---- */

static const enum sv_process_state states[] = {
    [SV_NOTICE_PROCESS_STATE_STOPPED] = SV_PROCESS_STOPPED,
    [SV_NOTICE_PROCESS_STATE_EXITED] = SV_PROCESS_EXITED,
    [SV_NOTICE_PROCESS_STATE_STARTING] = SV_PROCESS_STARTING,
    [SV_NOTICE_PROCESS_STATE_STOPPING] = SV_PROCESS_STOPPING,
    [SV_NOTICE_PROCESS_STATE_BACKOFF] = SV_PROCESS_BACKOFF,
    [SV_NOTICE_PROCESS_STATE_FATAL] = SV_PROCESS_FATAL,
    [SV_NOTICE_PROCESS_STATE_RUNNING] = SV_PROCESS_RUNNING,
    [SV_NOTICE_PROCESS_STATE_UNKNOWN] = SV_PROCESS_UNKNOWN,
};

void sv_driver_cluster_publish_state(struct sv_driver *driver, const struct sv_action *action)
{
    struct sv_driver_cluster *cluster = driver->cluster;
    struct sv_mesh_process row;
    if (!sv_driver_cluster_is_wanted(cluster, SV_PUBLICATION_EVENT) || !cluster->has_begun ||
        !sv_driver_row(driver, action->process, &cluster->scratch, &row))
        return;
    row.state = states[action->notice.type];
    row.pid = action->notice.pid;
    row.is_expected = row.state != SV_PROCESS_EXITED || action->notice.is_expected;
    sv_driver_cluster_publish_body(
        cluster, SV_PUBLICATION_EVENT,
        sv_event_of_row(&cluster->host, sv_cluster_local(cluster->core), &row, row.event_ns));
}

/* ---- Time ---- */

static bool is_active(enum sv_instance_state state)
{
    return state != SV_INSTANCE_STATE_STOPPED && state != SV_INSTANCE_STATE_ISOLATED;
}

/* Supvisors publishes an instance at each of its ticks. */
static void on_period(void *user)
{
    struct sv_driver_cluster *cluster = user;
    bool is_asked = sv_driver_cluster_is_wanted(cluster, SV_PUBLICATION_INSTANCE);
    for (sv_instance_place i = 0; is_asked && i < sv_cluster_instance_count(cluster->core); i++) {
        struct sv_instance_view view;
        sv_cluster_instance(cluster->core, i, &view);
        if (is_active(view.state))
            sv_driver_cluster_publish_body(cluster, SV_PUBLICATION_INSTANCE,
                                           sv_event_instance(&cluster->host, i));
    }
    sv_driver_cluster_publish_counts(cluster);
    sv_source_arm(cluster->publish_timer, sv_now_ns() + SV_EVENTS_PERIOD_NS);
}

int sv_driver_cluster_open_publisher(struct sv_driver_cluster *cluster,
                                     const struct sv_instance_config *self)
{
    enum sv_event_link link = cluster->config->event_link;
    const struct sv_publisher_settings settings = {
        .port = self->event_port,
        .has_zmq = link == SV_EVENT_LINK_ZMQ || link == SV_EVENT_LINK_ALL,
        .has_websocket_port = link == SV_EVENT_LINK_WS,
        .tell_missed = sv_driver_cluster_tell_missed,
        .user = cluster,
    };
    cluster->publishing_since_wall_ns = sv_wall_ns();
    int r = sv_publisher_new(cluster->driver->loop, &settings, &cluster->publisher);
    if (r == 0)
        r = sv_loop_add_timer(cluster->driver->loop, TIMER_ACCURACY_NS, on_period, cluster,
                              &cluster->publish_timer);
    if (r == 0)
        on_period(cluster);
    return r;
}

void sv_driver_cluster_close_publisher(struct sv_driver_cluster *cluster)
{
    enum { FLUSH_NS = 100000000 };
    sv_publisher_free(cluster->publisher, FLUSH_NS);
    sv_source_free(cluster->publish_timer);
}

bool sv_driver_cluster_accept_subscriber(struct sv_driver *driver,
                                         struct sv_http_exchange *exchange, const char *path)
{
    const struct sv_driver_cluster *cluster = driver->cluster;
    if (!cluster || !cluster->publisher || cluster->is_ending)
        return false;
    sv_publisher_accept(cluster->publisher, exchange, path);
    return true;
}
