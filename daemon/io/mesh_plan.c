/*
 * From the configuration to the sockets: is a key needed, and is there one?
 *
 * Plain text is spoken only where nobody else can hear it or join in: when all instances have
 * addresses of the loopback interface, and are found by the list or by multicast on that interface.
 * The inbox then listens on that address only. Otherwise a key must be there, or mesh_plain must
 * say that everybody in the network is trusted with the programs of the cluster.
 */
#include <errno.h>
#include <unistd.h>

#include "io/mesh.h"

/* TCP gives up after this, and never before core has missed the heartbeats: a network that swallows
 * everything is a silence, not the death of a daemon. */
#define GIVE_UP_NS_MIN UINT64_C(3000000000)
#define NS_PER_SECOND  1e9

/* NULL: all instances are here. */
static const char *remote_instance(const struct sv_supvisors_config *supvisors)
{
    for (size_t i = 0; i < supvisors->instance_count; i++)
        if (!sv_mesh_is_loopback(supvisors->instances[i].host))
            return supvisors->instances[i].identifier;
    bool is_discovery_local =
        supvisors->multicast_interface && sv_mesh_is_loopback(supvisors->multicast_interface);
    return supvisors->multicast_address && !is_discovery_local ? supvisors->multicast_address
                                                               : NULL;
}

int sv_mesh_plan(const struct sv_supvisors_config *supvisors,
                 const struct sv_cluster_config *cluster, const struct sv_instance_config *self,
                 struct sv_mesh_settings *ret_settings, struct sv_str *ret_problem)
{
    if (supvisors->instance_count < 2 && !supvisors->multicast_address)
        return SV_MESH_E_ALONE;
    const char *remote = remote_instance(supvisors);
    /* A key that was named must be there; sv_mesh_open() says it if not. */
    bool has_key = cluster->has_mesh_key || access(cluster->mesh_key, F_OK) == 0;
    if (remote && !has_key && !cluster->mesh_plain) {
        sv_str_addf(ret_problem,
                    "the mesh stays closed, for %s is not on this machine and there is no key: say "
                    "`svctl mesh keygen %s` and copy that file to all instances, or write "
                    "mesh_plain=true into [svisor] if everybody in the network may command the "
                    "cluster",
                    remote, cluster->mesh_key);
        return -EPERM;
    }
    uint64_t silence_ns = (uint64_t)(2 * cluster->suspect_after * NS_PER_SECOND);
    *ret_settings = (struct sv_mesh_settings){
        .self = self,
        .port = cluster->mesh_port,
        .is_local = !remote,
        .is_plain = cluster->mesh_plain,
        .key_file = has_key && !cluster->mesh_plain ? cluster->mesh_key : NULL,
        .trust_file = cluster->mesh_trust,
        .give_up_ns = silence_ns > GIVE_UP_NS_MIN ? silence_ns : GIVE_UP_NS_MIN,
    };
    return 0;
}
