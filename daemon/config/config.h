/*
 * One accepted configuration: what the files said, expanded, checked, and put into plain structs.
 *
 * Everything below a `struct sv_config` lives in its arena and is constant until sv_config_unref().
 * Times are seconds as the user wrote them; the core turns them into nanoseconds. Sizes are bytes.
 * The meaning of every field is the option of the same name in options.def.
 */
#ifndef SV_CONFIG_CONFIG_H
#define SV_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <svisor/states.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/log.h"
#include "config/limits.h"
#include "config/probe.h"
#include "config/supvisors.h"

#define SV_ID_NONE UINT32_MAX /* a uid, gid or mode that was not given */

enum sv_logfile_kind {
    SV_LOGFILE_NONE,
    SV_LOGFILE_AUTO, /* a name below childlogdir is chosen when the process is added */
    SV_LOGFILE_FILE,
};

/* Where one output channel of a process goes. */
struct sv_channel_config {
    enum sv_logfile_kind logfile_kind;
    const char *logfile; /* of SV_LOGFILE_FILE, as written; else NULL, or "" as it was written */
    uint64_t maxbytes;   /* 0: never rotate */
    uint32_t backups;
    uint64_t capture_maxbytes; /* 0: no capture mode */
    bool events_enabled;
    bool syslog;
    bool journal;
};

enum sv_autorestart {
    SV_AUTORESTART_NEVER,
    SV_AUTORESTART_UNEXPECTED,
    SV_AUTORESTART_ALWAYS,
};

/* What happens to the other processes of the cgroup. Names after systemd.kill(5). */
enum sv_kill_mode {
    SV_KILL_CONTROL_GROUP, /* strays get the stop signal once the main process is gone, then SIGKILL
                            */
    SV_KILL_PROCESS,       /* strays are left alone, as Supervisor does */
};

/* What a SIGTERM to svisord means for its programs. */
enum sv_on_stop {
    SV_ON_STOP_STOP, /* they are stopped, as Supervisor does */
    SV_ON_STOP_KEEP, /* they live on, for the next svisord */
};

enum sv_program_kind { SV_PROGRAM_PLAIN, SV_PROGRAM_FCGI, SV_PROGRAM_LISTENER };

/* One process: a [program:x] section gives `numprocs` of them. */
struct sv_program_config {
    enum sv_program_kind kind;
    const char *name;      /* of the process */
    const char *program;   /* the x of [program:x] */
    uint32_t index;        /* among the processes of its section, from 0 */
    struct sv_place place; /* of the section, for messages */

    const char *command;     /* as written, expanded */
    const char *const *argv; /* NULL-terminated; NULL if the command has no words or open quotes */
    const char *argv_error;  /* why argv is NULL: Supervisor's words, for spawnerr */
    const char *directory;   /* NULL: the daemon's */
    uint32_t umask;          /* SV_ID_NONE: the daemon's */
    uint32_t uid;            /* SV_ID_NONE: the daemon's */
    const char *user;        /* as written, or NULL */
    const char *const *environment; /* "KEY=value", NULL-terminated, sorted by key; never NULL */
    const char *serverurl;          /* NULL: AUTO; "": the process is told none */

    int32_t priority;
    bool autostart;
    enum sv_autorestart autorestart;
    uint32_t startsecs;
    uint32_t startretries; /* SV_RETRIES_ENDLESS: never give up */
    int stopsignal;
    uint32_t stopwaitsecs;
    bool stopasgroup;
    bool killasgroup;
    const int *exitcodes;
    size_t exitcode_count;
    bool redirect_stderr;
    struct sv_channel_config channels[2]; /* enum sv_channel */

    /* Beyond Supervisor: the pause before restart n is min(restart_delay * 2^(n-1),
     * restart_delay_max), give or take restart_jitter. restart_delay unset (negative): Supervisor's
     * back-off of n seconds after a failed start, and none after an exit from RUNNING. */
    double restart_delay;     /* seconds, < 0: unset */
    double restart_delay_max; /* seconds, < 0: no cap */
    double restart_jitter;    /* part of the delay, 0 to 1 */
    double
        restart_reset_after; /* seconds in RUNNING after which failures are forgotten; < 0: unset */
    enum sv_kill_mode kill_mode;
    const struct sv_limits *limits;        /* NULL: none */
    const struct sv_health_config *health; /* NULL: no ready=, liveness= or watchdog= */
};

#define SV_RETRIES_ENDLESS UINT32_MAX

enum sv_channel { SV_STDOUT, SV_STDERR };

enum sv_group_kind {
    SV_GROUP_PROGRAM,       /* made of one [program:x] */
    SV_GROUP_HETEROGENEOUS, /* [group:x] */
    SV_GROUP_FCGI,
    SV_GROUP_LISTENER,
};

/* The socket that the processes of a [fcgi-program:x] share as descriptor 0. */
struct sv_fcgi_socket {
    const char *url;  /* as written: unix:///path or tcp://host:port */
    const char *path; /* unix; NULL for tcp */
    const char *host; /* tcp */
    uint16_t port;
    uint32_t backlog;                    /* 0: the system's */
    uint32_t owner_uid, owner_gid, mode; /* unix; SV_ID_NONE: not given */
};

struct sv_group_config {
    enum sv_group_kind kind;
    const char *name;
    struct sv_place place;
    int32_t priority;
    const struct sv_program_config *const *programs; /* by priority, then by name */
    size_t program_count;
    const struct sv_limits *limits; /* of all others only the weights; NULL: none */
    struct sv_fcgi_socket fcgi;     /* SV_GROUP_FCGI */
    sv_notice_set events; /* SV_GROUP_LISTENER; parents are already resolved to their children */
    uint32_t buffer_size; /* events */
    const char *result_handler;
};

/* One [unix_http_server] or [inet_http_server]. */
struct sv_http_config {
    struct sv_place place;
    const char *path; /* unix; NULL for inet */
    const char *host; /* inet; "" is every address */
    uint16_t port;
    uint32_t mode;                 /* unix: of the socket, default 0700 */
    uint32_t owner_uid, owner_gid; /* unix; SV_ID_NONE: not given */
    const char *username;          /* NULL: no authentication */
    const char *password;          /* plain or "{SHA}" and 40 hex digits */
};

/* [supervisord], with what the command line overrode, and [svisor]. */
struct sv_daemon_config {
    const char *logfile; /* absolute; NULL with logfile_syslog */
    bool logfile_syslog;
    uint64_t logfile_maxbytes;
    uint32_t logfile_backups;
    enum sv_log_level loglevel;
    const char *pidfile;
    uint32_t umask;
    bool nodaemon;
    bool silent;
    uint32_t minfds;
    uint32_t minprocs;
    bool nocleanup;
    bool strip_ansi;
    const char *childlogdir;
    const char *user;      /* NULL: stay */
    uint32_t uid, gid;     /* of `user` */
    const char *directory; /* NULL: stay */
    const char *identifier;
    const char *const *environment; /* "KEY=value", NULL-terminated */
    uint32_t death_history;         /* certificates kept for each process */
    const char *state_directory;    /* NULL: that of the pid file */
    struct sv_cluster_config cluster;
    enum sv_on_stop on_stop;
    const char *action_token; /* NULL: none */
};

/* [supervisorctl] */
struct sv_ctl_config {
    const char *serverurl; /* default http://localhost:9001 */
    const char *username;  /* NULL: none */
    const char *password;
    const char *prompt;
    const char *history_file; /* NULL: none */
    /* Of [svisor], for `svctl mesh`; only sv_config_load_ctl() fills them. */
    const char *mesh_key;
    const char *mesh_trust;
};

/* [rpcinterface:x]: kept as key and value, expanded. */
struct sv_plugin_config {
    const char *name;
    const char *factory;
    struct sv_place place;
    bool is_supvisors; /* its options are struct sv_supvisors_config */
    const char *const *keys;
    const char *const *values;
    size_t count;
};

struct sv_config {
    struct sv_arena arena;
    uint32_t reference_count;
    const char *file; /* absolute path of the main file */
    const char *here; /* its directory */
    struct sv_daemon_config daemon;
    const struct sv_http_config *http_servers; /* inet first, as Supervisor opens them */
    size_t http_server_count;
    const struct sv_group_config *const *groups; /* by priority, then by name */
    size_t group_count;
    const struct sv_group_config *const *groups_by_name; /* the same, sorted by name */
    const struct sv_plugin_config *rpcinterfaces;
    size_t rpcinterface_count;
    const struct sv_supvisors_config *supvisors; /* NULL: no cluster */
    struct sv_ctl_config ctl;
};

struct sv_config *sv_config_ref(struct sv_config *config);
void sv_config_unref(struct sv_config *config);

/* True when a living group need not be made anew: everything is equal that a process of it could
 * notice, but for the limits, which are changed while it lives. */
bool sv_group_config_equal(const struct sv_group_config *a, const struct sv_group_config *b);
const struct sv_group_config *sv_config_group(const struct sv_config *config, const char *name);

#endif
