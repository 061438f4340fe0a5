/*
 * Events that only svisor has: why a run ended, what ran short, what the cluster decided; and how
 * many events there were, so that a subscriber who counts sees what it has lost.
 *
 * Anybody who reaches event_port may subscribe. So a certificate is published without the last
 * lines of output, which may hold what is nobody's business; `svctl why` and the API show them to
 * those who may ask.
 */
#include "api/events.h"
#include "api/text.h"
#include "base/log.h"
#include "driver/cluster/internal.h"
#include "io/publisher.h"
#include "wire/death.h"
#include "wire/shortage.h"

enum { NS_PER_SECOND = 1000000000 };

/* Begins with who publishes, and which one under this header it is; takes `facts`. */
static void publish(struct sv_driver_cluster *cluster, enum sv_publication header, json_t *facts)
{
    json_t *body = sv_event_own(&cluster->host);
    uint64_t serial = sv_publisher_count(cluster->publisher, header) + 1;
    if (!facts || !body ||
        json_object_set_new(body, "serial", json_integer((json_int_t)serial)) < 0 ||
        json_object_update(body, facts) < 0) {
        json_decref(body);
        body = NULL;
    }
    json_decref(facts);
    sv_driver_cluster_publish_body(cluster, header, body);
}

void sv_driver_cluster_publish_decision(struct sv_driver_cluster *cluster,
                                        const struct sv_cluster_action *action)
{
    if (action->notice.level >= SV_LOG_INFO &&
        sv_driver_cluster_is_wanted(cluster, SV_PUBLICATION_MESH))
        publish(cluster, SV_PUBLICATION_MESH,
                json_pack("{s:s, s:o}", "level", sv_log_level_name(action->notice.level), "text",
                          sv_text_json(action->notice.text)));
}

void sv_driver_cluster_publish_death(struct sv_driver *driver, const struct sv_death *death)
{
    if (!sv_driver_cluster_is_wanted(driver->cluster, SV_PUBLICATION_DEATH))
        return;
    json_t *facts = sv_death_json(death);
    if (facts)
        (void)json_object_del(facts, "tail");
    publish(driver->cluster, SV_PUBLICATION_DEATH, facts);
}

void sv_driver_cluster_publish_shortage(struct sv_driver *driver,
                                        const struct sv_shortage_report *report)
{
    if (sv_driver_cluster_is_wanted(driver->cluster, SV_PUBLICATION_RESOURCE))
        publish(driver->cluster, SV_PUBLICATION_RESOURCE, sv_shortage_json(report));
}

/* By header; of a NULL `counts`, what the publisher has sent. */
static json_t *counts_json(const struct sv_driver_cluster *cluster, const uint64_t *counts)
{
    json_t *object = json_object();
    for (unsigned i = 0; i < SV_PUBLICATION_COUNT && object; i++) {
        enum sv_publication header = (enum sv_publication)i;
        uint64_t count = counts ? counts[i] : sv_publisher_count(cluster->publisher, header);
        bool is_counted =
            counts ? count > 0
                   : header != SV_PUBLICATION_PUBLISHED && header != SV_PUBLICATION_MISSED;
        if (is_counted)
            json_object_set_new(object, sv_publication_name(header),
                                json_integer((json_int_t)count));
    }
    return object;
}

void sv_driver_cluster_publish_counts(struct sv_driver_cluster *cluster)
{
    if (sv_driver_cluster_is_wanted(cluster, SV_PUBLICATION_PUBLISHED))
        publish(cluster, SV_PUBLICATION_PUBLISHED,
                json_pack("{s:f, s:o}", "since",
                          (double)cluster->publishing_since_wall_ns / NS_PER_SECOND, "counts",
                          counts_json(cluster, NULL)));
}

char *sv_driver_cluster_tell_missed(void *user, const uint64_t counts[SV_PUBLICATION_COUNT],
                                    const char *why)
{
    struct sv_driver_cluster *cluster = user;
    json_t *body = sv_event_own(&cluster->host);
    char *text = NULL;
    bool is_good = body && json_object_set_new(body, "counts", counts_json(cluster, counts)) == 0;
    if (is_good && why)
        is_good = json_object_set_new(body, "why", json_string(why)) == 0;
    if (is_good)
        text = json_dumps(body, JSON_ENSURE_ASCII);
    json_decref(body);
    return text;
}
