/*
 * NEWS: what happened on one instance is told on all, for the timelines of all pages.
 *
 * Best effort, and of no weight: whoever is not connected, or of a version that does not know it,
 * misses it, and core/cluster never hears of it.
 */
#include "driver/cluster/relay.h"
#include "driver/live/live.h"

void sv_driver_cluster_send_news(struct sv_driver *driver, const struct sv_mesh_news *news)
{
    struct sv_driver_cluster *cluster = driver->cluster;
    const struct sv_mesh_message message = {.kind = SV_MESH_NEWS, .news = *news};
    if (!cluster || !cluster->has_begun)
        return;
    for (sv_instance_place i = 0; i < sv_cluster_instance_count(cluster->core); i++)
        if (sv_cluster_partner(cluster->core, i) != 0)
            (void)sv_relay_send(cluster, i, message);
}

void sv_driver_cluster_receive_news(struct sv_driver_cluster *cluster, sv_instance_place place,
                                    const struct sv_mesh_news *news)
{
    struct sv_instance_view view;
    if (sv_cluster_partner(cluster->core, place) == 0)
        return; /* a stranger, or shut out */
    sv_cluster_instance(cluster->core, place, &view);
    for (size_t i = 0; i < news->count; i++)
        sv_live_news(cluster->driver, view.names.identifier, &news->items[i]);
}
