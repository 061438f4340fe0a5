/*
 * [rpcinterface:supvisors], and what of [svisor] is about more than one node.
 *
 * Everything lives in the arena of the configuration. Times are seconds as the user wrote them. The
 * meaning of every field is the option of the same name in options.def.
 */
#ifndef SV_CONFIG_SUPVISORS_H
#define SV_CONFIG_SUPVISORS_H

#include <stdbool.h>
#include <stdint.h>
#include <svisor/choices.h>

#include "base/diag.h"
#include "base/log.h"
#include "base/str.h"
#include "config/names.h"

/* One item of supvisors_list. */
struct sv_instance_config {
    const char *identifier; /* host:http_port */
    const char *nick; /* unique among them; the identifier or the host where none is written */
    const char *host;
    uint16_t http_port;
    uint16_t event_port;
};

enum sv_supvisors_log {
    SV_SUPVISORS_LOG_DAEMON, /* AUTO: lines go to the daemon's own log */
    SV_SUPVISORS_LOG_NONE,
    SV_SUPVISORS_LOG_SYSLOG,
    SV_SUPVISORS_LOG_JOURNAL,
    SV_SUPVISORS_LOG_FILE,
};

/* The options stats_*. */
struct sv_statistics_config {
    bool has_host, has_processes; /* stats_enabled */
    double collecting_period;
    const double *periods; /* sorted */
    size_t period_count;
    uint32_t histo;
    bool irix_mode;
};

struct sv_supvisors_config {
    struct sv_place place; /* of the section */
    const char *name;      /* the x of [rpcinterface:x]: the namespace of its methods */
    const char *software_name;
    const char *software_icon; /* NULL: none */

    const struct sv_instance_config *instances; /* in the order of the list; at least one */
    size_t instance_count;
    bool has_list; /* supvisors_list was written; else the one instance is this daemon */
    struct sv_name_list stereotypes;
    struct sv_name_list core_identifiers; /* as written: identifiers, nicknames, stereotypes */
    const char *multicast_address;        /* NULL: no discovery */
    uint16_t multicast_port;
    const char *multicast_interface; /* NULL: every one */
    uint8_t multicast_ttl;

    bool has_rules_files;            /* written, even if no file matches */
    struct sv_name_list rules_files; /* found, absolute, sorted */
    struct sv_name_list css_files;
    const char *disabilities_file; /* absolute; NULL: none */

    enum sv_event_link event_link;
    uint16_t event_port;
    bool auto_fence;
    uint32_t synchro_options; /* a bit for each enum sv_synchro_option; at least one */
    uint32_t synchro_timeout;
    uint32_t inactivity_ticks; /* 0: not written, suspect_after counts */
    enum sv_supvisors_failure_strategy supvisors_failure_strategy;
    enum sv_starting_strategy starting_strategy;
    enum sv_conciliation_strategy conciliation_strategy;

    struct sv_statistics_config stats;
    uint64_t tail_limit, tailf_limit; /* bytes */

    enum sv_supvisors_log log;
    const char *logfile; /* of SV_SUPVISORS_LOG_FILE; absolute */
    uint64_t logfile_maxbytes;
    uint32_t logfile_backups;
    enum sv_log_level loglevel;
};

/* Of [svisor]. */
struct sv_cluster_config {
    double heartbeat_period;
    double suspect_after; /* with inactivity_ticks already taken into account */
    double daemon_grace;
    bool quorum;
    double quorum_stop_after;
    uint16_t mesh_port;   /* 0: not written, each instance has its own (io/mesh.h) */
    const char *mesh_key; /* absolute; it counts also if it was not written, but is there */
    bool has_mesh_key;    /* it was written */
    const char *mesh_trust;
    bool mesh_plain;
    bool mesh_calls; /* those of other instances' clients are served */
};

#define SV_SUPVISORS_TICK_SECONDS 5 /* Supvisors 0.19, utils.py, TICK_PERIOD */

/* What an item of supvisors_list says, before the defaults: 0 and NULL where it says nothing. */
struct sv_instance_item {
    const char *nick;
    const char *host;
    uint16_t http_port;
    uint16_t event_port;
};

enum sv_instance_item_result {
    SV_INSTANCE_ITEM_OK,
    SV_INSTANCE_ITEM_E_FORM, /* not <nick>host:http_port:event_port */
    SV_INSTANCE_ITEM_E_PORT, /* a port is not from 1 to 65535 */
    SV_INSTANCE_ITEM_E_MEMORY,
};
/* Strings are in the arena. */
enum sv_instance_item_result sv_instance_item_parse(const char *text, struct sv_arena *arena,
                                                    struct sv_instance_item *ret);

/* The section as `svisord --check` prints it. */
void sv_supvisors_describe(const struct sv_supvisors_config *config, struct sv_str *ret_text);
void sv_cluster_describe(const struct sv_cluster_config *config, struct sv_str *ret_text);

#endif
