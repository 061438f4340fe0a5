/*
 * The bodies of published events, key by key as Supvisors 0.19 has them (docs/events.md).
 * Everything is the view of the publishing instance. New references; NULL: there is nothing to
 * tell, or no memory.
 */
#ifndef SV_API_EVENTS_H
#define SV_API_EVENTS_H

#include "api/cluster_host.h"

json_t *sv_event_supvisors(const struct sv_api_cluster *cluster);
json_t *sv_event_instance(const struct sv_api_cluster *cluster, sv_instance_place place);
/* Of one that is not known any more, its last: DELETED. */
json_t *sv_event_application(const struct sv_api_cluster *cluster, const char *name);
json_t *sv_event_process(const struct sv_api_cluster *cluster, const char *application,
                         const char *name);

/* What has happened to a process; `instance` SV_INSTANCE_NONE: its state was forced. */
struct sv_event_cause {
    const char *application;
    const char *name;
    sv_instance_place instance;
    enum sv_process_news news;
};
/* The body of `event`. */
json_t *sv_event_of_process(const struct sv_api_cluster *cluster,
                            const struct sv_event_cause *cause);
/* Likewise, of a process that has come to a state in an instance; `received_ns`: when it was heard.
 */
json_t *sv_event_of_row(const struct sv_api_cluster *cluster, sv_instance_place instance,
                        const struct sv_mesh_process *row, uint64_t received_ns);

/* What each body of svisor's own begins with: who publishes it, and when. */
json_t *sv_event_own(const struct sv_api_cluster *cluster);

#endif
