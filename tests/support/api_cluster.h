/*
 * A cluster that is only pretended, around the small daemon of api_host.h: instances with names and
 * a state, the first of which is the daemon itself. A test puts this first into a struct of its own
 * and adds the functions that it is about; their `user` is that struct.
 */
#ifndef SV_TESTS_API_CLUSTER_H
#define SV_TESTS_API_CLUSTER_H

#include "api_host.h"

#include "api/cluster_host.h"

struct api_cluster {
    struct sv_api_cluster functions;
    struct api_host *host;
    const struct sv_instance_names *names; /* one for each instance */
    size_t instance_count;
    enum sv_supvisors_state state; /* as all of them see it */
};

static inline sv_instance_place cluster_local(void *user)
{
    (void)user;
    return 0;
}

static inline size_t cluster_instance_count(void *user)
{
    return ((const struct api_cluster *)user)->instance_count;
}

static inline void cluster_instance(void *user, sv_instance_place place,
                                    struct sv_instance_view *ret)
{
    const struct api_cluster *cluster = user;
    assert_true(place < cluster->instance_count);
    *ret = (struct sv_instance_view){.names = cluster->names[place],
                                     .is_local = place == cluster_local(user),
                                     .modes = {.state = cluster->state}};
}

/* After the functions were added: the methods of a cluster are there when there is one. */
static inline void cluster_begin(struct api_cluster *cluster)
{
    cluster->functions.user = cluster;
    cluster->functions.local = cluster_local;
    cluster->functions.instance_count = cluster_instance_count;
    cluster->functions.instance = cluster_instance;
    cluster->host = host_new();
    cluster->host->host.cluster = &cluster->functions;
    sv_api_free(cluster->host->api);
    cluster->host->api = sv_api_new(&cluster->host->host);
    assert_non_null(cluster->host->api);
}

#endif
