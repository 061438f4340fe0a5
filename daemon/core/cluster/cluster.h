/*
 * The cluster as one instance sees it: members, election, applications over many nodes.
 *
 *     sv_cluster_step(cluster, &event, &actions)
 *
 * is the only way in and `actions` the only way out, as with sv_core_step(). It makes no system
 * call and reads no clock, so that tests/sim runs thousands of instances from a seed.
 */
#ifndef SV_CORE_CLUSTER_H
#define SV_CORE_CLUSTER_H

#include "port/cluster.h"
#include "port/cluster_view.h"

struct sv_cluster;

struct sv_cluster_options {
    const struct sv_supvisors_config *supvisors; /* kept; its arena outlives the cluster */
    const struct sv_cluster_config *timing;
    sv_instance_place local; /* of supvisors->instances */
    const char *machine_id;
    const struct sv_mesh_network *network; /* of this host; NULL: not known. It is copied */
    const char *version;
    uint64_t incarnation;
    uint64_t seed;
    struct sv_rules *rules; /* a reference is taken; NULL: none */
};

/* NULL without memory. */
struct sv_cluster *sv_cluster_new(const struct sv_cluster_options *options);
void sv_cluster_free(struct sv_cluster *cluster);
void sv_cluster_step(struct sv_cluster *cluster, const struct sv_cluster_event *event,
                     struct sv_cluster_actions *actions);
/* When it wants SV_CLUSTER_TIME next; SV_NEVER: only if something happens. */
uint64_t sv_cluster_deadline_ns(const struct sv_cluster *cluster);

/* --- views (port/cluster_view.h): borrowed until the next step --- */

sv_instance_place sv_cluster_local(const struct sv_cluster *cluster);
size_t sv_cluster_instance_count(const struct sv_cluster *cluster);
void sv_cluster_instance(const struct sv_cluster *cluster, sv_instance_place place,
                         struct sv_instance_view *ret);
/* The incarnation of its daemon, if the handshake is done and nothing wrong since; 0: it takes part
 * in nothing. */
uint64_t sv_cluster_partner(const struct sv_cluster *cluster, sv_instance_place place);
/* The places that a name means (identifier, nickname, stereotype); 0: nobody has it. */
uint32_t sv_cluster_find(const struct sv_cluster *cluster, const char *name,
                         sv_instance_place *ret_places);
size_t sv_cluster_application_count(const struct sv_cluster *cluster);
void sv_cluster_application(const struct sv_cluster *cluster, size_t place,
                            struct sv_application_view *ret);
/* SIZE_MAX: there is none. */
size_t sv_cluster_application_named(const struct sv_cluster *cluster, const char *name);
void sv_cluster_process(const struct sv_cluster *cluster, size_t application, size_t place,
                        struct sv_cluster_process_view *ret);
/* SIZE_MAX: there is none. */
size_t sv_cluster_process_named(const struct sv_cluster *cluster, size_t application,
                                const char *name);
void sv_cluster_copy(const struct sv_cluster *cluster, size_t application, size_t process,
                     size_t place, struct sv_copy_view *ret);

#endif
