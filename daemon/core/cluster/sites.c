#include "core/cluster/internal.h"
#include "core/cluster/load.h"

void sv_sites_init(struct sv_sites *sites, const struct sv_cluster *cluster)
{
    *sites = (struct sv_sites){
        .names = cluster->names,
        .items = sv_allocate(cluster->instance_count, sizeof(*sites->items)),
        .count = cluster->instance_count,
        .local = cluster->local,
    };
    for (sv_instance_place i = 0; i < sites->count; i++)
        sites->items[i] = (struct sv_site){
            .node = sv_instance_node(cluster, i),
            .state = sv_instance_state(cluster, i),
        };
}
