/* What the files of driver/cluster share: core/cluster joined to the local core, the mesh and the
 * remote methods. */
#ifndef SV_DRIVER_CLUSTER_INTERNAL_H
#define SV_DRIVER_CLUSTER_INTERNAL_H

#include "api/cluster_host.h"
#include "core/cluster/cluster.h"
#include "driver/cluster/cluster.h"
#include "driver/internal.h"
#include "io/mesh.h"
#include "wire/publication.h"

struct sv_disabilities;
struct sv_publisher;
struct sv_discovery;
struct sv_relay;

/* An event that came while another one was being worked off. */
struct sv_cluster_pending {
    struct sv_cluster_event event; /* its texts are the three below */
    sv_process_id process;         /* PROCESS: the row is made when its turn comes. 0: it is gone */
    char *texts[3];
};

struct sv_driver_cluster {
    struct sv_driver *driver;
    const struct sv_supvisors_config *config;
    struct sv_config *owner; /* a reference: keeps `config` alive */
    struct sv_rules *rules;
    struct sv_cluster *core;
    uint64_t incarnation;
    struct sv_mesh *mesh;
    struct sv_discovery *discovery; /* NULL: there is no multicast_group */
    struct sv_arena discovered;     /* instances that supvisors_list does not name */
    struct sv_source *timer;
    struct sv_cluster_actions actions;
    struct sv_cluster_pending *pending; /* first in, first out */
    size_t pending_count, pending_capacity;
    bool is_stepping;
    bool has_begun;
    bool is_ending;
    struct sv_publisher *publisher; /* NULL: event_link=NONE */
    struct sv_source *publish_timer;
    int64_t publishing_since_wall_ns;
    struct sv_disabilities *disabilities;
    struct sv_relay *relay;
    struct sv_api_cluster host;
    struct sv_str machine_id;
    struct sv_str scratch; /* the description of one row */
};

/* Steps core/cluster and performs what it wants, then the same for what came of it. While that is
 * under way, the event waits for its turn. */
void sv_driver_cluster_feed(struct sv_driver_cluster *cluster, struct sv_cluster_event event);

/* cluster_host.c: of this host, in the arena; NULL without memory. */
const struct sv_mesh_network *sv_driver_cluster_network(struct sv_arena *arena);
/* found.c */
/* The beacons begin. As sv_driver_cluster_open(). */
int sv_driver_cluster_open_discovery(struct sv_driver_cluster *cluster,
                                     const struct sv_instance_config *self,
                                     struct sv_str *ret_error);
/* Of struct sv_mesh_handlers: a HELLO is as good as a beacon. */
void sv_driver_cluster_stranger(void *user, const struct sv_mesh_hello *hello);
/* deeds.c */
void sv_driver_cluster_perform(struct sv_driver_cluster *cluster,
                               const struct sv_cluster_action *action);
/* programs.c */
/* What was disabled is so again, before the programs are known. As sv_driver_cluster_open(). */
int sv_driver_cluster_open_programs(struct sv_driver_cluster *cluster, struct sv_str *ret_error);
/* The disabilities_file names all programs of this configuration. */
void sv_driver_cluster_note_programs(struct sv_driver_cluster *cluster,
                                     const struct sv_config *config);
/* Functions of struct sv_api_cluster. */
bool sv_driver_cluster_knows_program(void *user, const char *program);
int sv_driver_cluster_set_disabled(void *user, const char *program, bool is_disabled);
int sv_driver_cluster_set_numprocs(void *user, const char *program, uint32_t count);
/* publish.c */
int sv_driver_cluster_open_publisher(struct sv_driver_cluster *cluster,
                                     const struct sv_instance_config *self);
void sv_driver_cluster_close_publisher(struct sv_driver_cluster *cluster);
void sv_driver_cluster_publish(struct sv_driver_cluster *cluster,
                               const struct sv_cluster_action *action);
bool sv_driver_cluster_is_wanted(const struct sv_driver_cluster *cluster,
                                 enum sv_publication header);
/* Takes `body`; NULL: there is nothing to tell. */
void sv_driver_cluster_publish_body(struct sv_driver_cluster *cluster, enum sv_publication header,
                                    json_t *body);
/* publish_own.c */
void sv_driver_cluster_publish_decision(struct sv_driver_cluster *cluster,
                                        const struct sv_cluster_action *action);
void sv_driver_cluster_publish_counts(struct sv_driver_cluster *cluster);
/* publish_statistics.c: from now on hstats and pstats are published. */
void sv_driver_cluster_listen_to_statistics(struct sv_driver_cluster *cluster);
/* Of struct sv_publisher_settings. */
char *sv_driver_cluster_tell_missed(void *user, const uint64_t counts[SV_PUBLICATION_COUNT],
                                    const char *why);
/* news.c: of struct sv_mesh_handlers. */
void sv_driver_cluster_receive_news(struct sv_driver_cluster *cluster, sv_instance_place place,
                                    const struct sv_mesh_news *news);
/* relay.c: as sv_driver_cluster_open(). */
int sv_relay_open(struct sv_driver_cluster *cluster);
/* After sv_api_free(). */
void sv_relay_close(struct sv_driver_cluster *cluster);
/* Of struct sv_mesh_handlers, for CALL, RESULT and WANT. */
void sv_relay_receive(struct sv_driver_cluster *cluster, sv_instance_place place,
                      const struct sv_mesh_message *message);
/* Calls from and to those that are lost now end, in the next turn of the loop. */
void sv_relay_instance_changed(struct sv_driver_cluster *cluster);
/* Functions of struct sv_api_cluster. */
void sv_driver_cluster_relay(void *user, uint64_t id, sv_instance_place place, const char *method,
                             json_t *params);
void sv_driver_cluster_drop_relayed(void *user, uint64_t id);
/* cluster_host.c */
void sv_driver_cluster_host_init(struct sv_driver_cluster *cluster);

#endif
