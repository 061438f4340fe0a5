/* What core/cluster shows of itself, for API, log and driver: borrowed until its next step. */
#ifndef SV_PORT_CLUSTER_VIEW_H
#define SV_PORT_CLUSTER_VIEW_H

#include "config/identifiers.h"
#include "port/cluster.h"

struct sv_instance_view {
    struct sv_instance_names names;
    const char *host;
    uint16_t http_port, event_port;
    const char *machine_id; /* "": not known yet */
    const struct sv_mesh_network *network;
    enum sv_instance_state state;
    struct sv_mesh_modes modes; /* as it last said, but for its sight; all zero: nothing */
    uint64_t modes_ns;          /* its CLOCK_MONOTONIC when it said so */
    const struct sv_sighting {  /* its sight, as far as it is known here */
        const char *identifier;
        enum sv_instance_state state;
    } * sightings;
    size_t sighting_count;
    bool is_local;
    bool has_process_failure; /* a managed process there is in failure */
    uint32_t load;
    uint64_t remote_sequence, local_sequence;
    uint64_t remote_ns, local_ns; /* of its last heartbeat, by either clock */
    int64_t remote_wall_ns, local_wall_ns;
    const char *version;
    const char *why; /* FAILED, ISOLATED: in words; "" otherwise */
};

struct sv_application_view {
    const char *name;
    const struct sv_application_rules *rules;
    enum sv_application_state state;
    bool has_major_failure, has_minor_failure;
    size_t process_count; /* sv_cluster_process() by their places */
};

struct sv_copy_view { /* of a process in one instance */
    sv_instance_place instance;
    struct sv_mesh_process row;
    uint64_t received_ns;
    uint64_t uptime_ns;
    bool has_crashed;
};

struct sv_cluster_process_view {
    const char *application;
    const char *name;
    const struct sv_process_rules *rules;
    enum sv_process_state state; /* what is shown: the forced one, if there is one */
    bool is_expected_exit;
    uint64_t last_event_ns;
    const char *extra_arguments;
    const char *forced_reason;        /* NULL: its state is not forced */
    sv_instance_place forced_target;  /* where it was asked for; SV_INSTANCE_NONE: nowhere */
    uint64_t forced_event_ns;         /* the newest event of it that was known then */
    const sv_instance_place *running; /* where it runs; more than one is a conflict */
    size_t running_count;
    sv_instance_place assigned; /* by `@` or `#`; SV_INSTANCE_NONE: by none, or not yet */
    size_t copy_count;          /* sv_cluster_copy() by their places */
    const char *why;            /* the last decision about it, in words; "" if none */
};

#endif
