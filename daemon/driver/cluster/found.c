/*
 * Instances that supvisors_list does not name: with multicast_group they are found by their
 * beacons, or by the HELLO of one that has heard ours. Both are only hints where to knock:
 * core/cluster says HELLO, and the mesh finds out who is there.
 */
#include "driver/cluster/internal.h"

#include <errno.h>

#include "io/discovery.h"

static void on_found(void *user, const struct sv_instance_config *instance,
                     const struct sv_name_list *stereotypes)
{
    sv_driver_cluster_feed(user, (struct sv_cluster_event){
                                     .kind = SV_CLUSTER_DISCOVERED,
                                     .found = {.config = *instance, .stereotypes = stereotypes}});
}

void sv_driver_cluster_stranger(void *user, const struct sv_mesh_hello *hello)
{
    const struct sv_driver_cluster *cluster = user;
    if (!cluster->config->multicast_address)
        return;
    const struct sv_name_list stereotypes = {.items = hello->stereotypes,
                                             .count = hello->stereotype_count};
    const struct sv_instance_config instance = {.identifier = hello->identifier,
                                                .nick = hello->nick,
                                                .host = hello->host,
                                                .http_port = hello->http_port};
    on_found(user, &instance, &stereotypes);
}

int sv_driver_cluster_open_discovery(struct sv_driver_cluster *cluster,
                                     const struct sv_instance_config *self,
                                     struct sv_str *ret_error)
{
    const struct sv_supvisors_config *config = cluster->config;
    if (!config->multicast_address)
        return 0;
    const struct sv_discovery_settings settings = {.group = config->multicast_address,
                                                   .port = config->multicast_port,
                                                   .interface_address = config->multicast_interface,
                                                   .ttl = config->multicast_ttl,
                                                   .self = self,
                                                   .stereotypes = &config->stereotypes};
    int r = sv_discovery_open(cluster->driver->loop, &settings, on_found, cluster, ret_error,
                              &cluster->discovery);
    return r == 0 || r == -ENOMEM ? r : SV_DRIVER_REFUSED;
}
