/* Periods of statistics that have ended become hstats and pstats (docs/events.md). Every instance
 * publishes its own, of its host and of what runs there. */
#include "driver/cluster/internal.h"
#include "driver/statistics/statistics.h"
#include "wire/statistics.h"

static struct sv_statistics_origin origin_of(const struct sv_driver_cluster *cluster)
{
    struct sv_instance_view view;
    sv_cluster_instance(cluster->core, sv_cluster_local(cluster->core), &view);
    return (struct sv_statistics_origin){.identifier = view.names.identifier,
                                         .now_ns = sv_now_ns()};
}

static void on_host(void *user, const struct sv_host_statistics *statistics)
{
    struct sv_driver_cluster *cluster = user;
    if (!sv_driver_cluster_is_wanted(cluster, SV_PUBLICATION_HSTATS))
        return;
    const struct sv_statistics_origin origin = origin_of(cluster);
    sv_driver_cluster_publish_body(cluster, SV_PUBLICATION_HSTATS,
                                   sv_statistics_host_json(&origin, statistics));
}

static void on_process(void *user, const char *namespec,
                       const struct sv_process_statistics *statistics)
{
    struct sv_driver_cluster *cluster = user;
    if (!sv_driver_cluster_is_wanted(cluster, SV_PUBLICATION_PSTATS))
        return;
    const struct sv_statistics_origin origin = origin_of(cluster);
    sv_driver_cluster_publish_body(cluster, SV_PUBLICATION_PSTATS,
                                   sv_statistics_process_json(&origin, namespec, statistics));
}

void sv_driver_cluster_listen_to_statistics(struct sv_driver_cluster *cluster)
{
    sv_statistics_listen(
        cluster->driver,
        &(struct sv_statistics_hearer){.user = cluster, .host = on_host, .process = on_process});
}
