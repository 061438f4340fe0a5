/* What the files of the driver share. Nobody else includes this. */
#ifndef SV_DRIVER_INTERNAL_H
#define SV_DRIVER_INTERNAL_H

#include <sys/types.h>

#include "api/api.h"
#include "base/idmap.h"
#include "base/map.h"
#include "core/core.h"
#include "driver/driver.h"
#include "io/cgroup.h"
#include "io/fcgi_socket.h"
#include "io/http.h"
#include "io/input.h"
#include "io/kernel.h"
#include "io/loop.h"
#include "io/output.h"
#include "wire/listener.h"

struct sv_unit;
struct sv_unit_group;

/* Somebody signalled a process of ours: the kernel's word, kept for `why`. */
struct sv_sender {
    int number; /* 0: nothing is known */
    int32_t pid;
    uint32_t uid;
    char comm[SV_BPF_COMM_BYTES];
};

/*
 * One run of one process: from the spawn until nothing of it is left. Usually that is the exit of
 * its main process; strays, or whoever holds its pipes, make it linger, beside the next run if the
 * configuration lets them live (kill_mode=process).
 */
struct sv_run {
    struct sv_unit *unit;
    struct sv_run *next; /* in driver->lingering */
    uint32_t number;
    pid_t pid;
    int pidfd;              /* -1: this kernel has none */
    bool is_over;           /* the main process is reaped */
    bool is_stop_signalled; /* svisord sent it the stop signal or SIGKILL */
    struct sv_source *exit_source;
    struct sv_cgroup_leaf *leaf; /* NULL: no cgroup, or given back */
    struct sv_source *empty_source;
    struct sv_output *outputs[2];
    struct sv_input *input;
    uint32_t open_outputs;
    uint32_t fork_count; /* processes that it forked, as eBPF saw them */
    bool has_kernel_status;
    int kernel_status; /* of the EXIT record: the wait status before anybody could wait */
    struct sv_sender sender;
    bool was_oom_victim;
};

/* What is known of the last end of a process: the beginnings of a death certificate. */
struct sv_end {
    uint32_t run;
    int32_t pid;
    int wait_status;
    bool is_by_svisord;
    bool was_oom_victim;
    uint32_t fork_count;
    struct sv_sender sender;
};

/* The outside of one process: what io holds for it over all of its runs. */
struct sv_unit {
    struct sv_driver *driver;
    struct sv_unit_group *group;
    const struct sv_program_config *config;
    sv_process_id id;
    struct sv_sink *sinks[2];
    struct sv_run *run;                /* the current one, NULL between runs */
    struct sv_listener_parser *parser; /* event listeners only */
    struct sv_end last_end;
};

struct sv_unit_group {
    struct sv_config *owner; /* one reference: keeps `config` alive */
    const struct sv_group_config *config;
    struct sv_fcgi_listener *fcgi; /* SV_GROUP_FCGI */
    size_t unit_count;
    bool is_removed; /* out of driver->groups, freed with its last unit */
};

struct sv_driver {
    struct sv_driver_options options;
    struct sv_config *config; /* the last one read; groups hold their own */
    struct sv_loop *loop;
    struct sv_core *core;
    struct sv_actions actions;
    size_t performed_count; /* of `actions` */
    size_t spawn_count;     /* since the pump has run */
    bool is_performing;
    bool is_restart;
    struct sv_source *timer;  /* the core's deadline */
    struct sv_source *pump;   /* goes on with actions at the next turn */
    struct sv_source *sweep;  /* frees the lingering runs of which nothing is left */
    struct sv_run *lingering; /* runs that are over, of which something is left */
    struct sv_source *signals[8];
    struct sv_source *tidy_timer; /* cgroup directories that were busy */
    struct sv_source *tick_timer;
    struct sv_source *status_timer; /* NULL: no service manager listens */
    struct sv_source *watchdog_timer;
    bool is_status_due;
    uint64_t next_status_ns; /* not before */
    int64_t last_ticks[3];
    struct sv_map groups;  /* name -> struct sv_unit_group */
    struct sv_idmap units; /* process id -> struct sv_unit */
    struct sv_idmap runs_by_pid;
    struct sv_idmap runs_by_cgroup;
    struct sv_cgroup_tree *tree; /* NULL: no cgroups on this machine */
    struct sv_kernel *kernel;
    struct sv_http *http;
    struct sv_api *api;
    struct sv_api_host api_host;
    struct sv_str scratch;         /* paths and texts of one call */
    char *server_url;              /* SUPERVISOR_SERVER_URL, NULL: none */
    const char **base_environment; /* environ and [supervisord] environment, NULL-terminated */
};

/* driver.c: stamps the event with the time, steps the core, performs what it wants done. */
void sv_driver_feed(struct sv_driver *driver, struct sv_event event);
/* Removes the cgroup directories that nobody needs; what is still busy is tried again soon. */
void sv_driver_tidy(void *driver);
struct sv_unit *sv_driver_unit(struct sv_driver *driver, sv_process_id id);

/* perform.c */
void sv_driver_perform(struct sv_driver *driver, const struct sv_action *action);

/* notice.c */
void sv_notice_tell(struct sv_driver *driver, const struct sv_action *action);
void sv_notice_publish(struct sv_driver *driver, enum sv_notice_type type,
                       const struct sv_str *payload);
void sv_notice_output(struct sv_unit *unit, const struct sv_run *run, enum sv_channel which,
                      const char *data, size_t length);
void sv_notice_capture(struct sv_unit *unit, const struct sv_run *run, enum sv_channel which,
                       const char *data, size_t length);

/* ticks.c */
int sv_ticks_begin(struct sv_driver *driver);
void sv_ticks_rearm(struct sv_driver *driver);

/* status.c: tells the service manager, if one listens. */
int sv_status_begin(struct sv_driver *driver);
void sv_status_changed(struct sv_driver *driver, enum sv_notice_type type);

/* unit.c */
int sv_unit_new(struct sv_driver *driver, struct sv_unit_group *group, sv_process_id id,
                const struct sv_program_config *config);
void sv_unit_free(struct sv_unit *unit);
void sv_unit_signal(struct sv_unit *unit, uint32_t run, int number, enum sv_signal_target target);
void sv_unit_kill_cgroup(struct sv_unit *unit, uint32_t run);

/* launch.c: performs SV_ACTION_SPAWN and feeds its answer. */
void sv_launch(struct sv_unit *unit, uint32_t run_number);

/* run.c */
struct sv_run *sv_run_new(struct sv_unit *unit, uint32_t number);
void sv_run_free(struct sv_run *run);
int sv_run_watch_exit(struct sv_run *run);
/* The main process may have ended: reaps it if so, and tells the core. */
void sv_run_check_exit(struct sv_run *run);
/* An output of the run has no writer any more; to be called from its callback. */
void sv_run_output_closed(struct sv_run *run);
void sv_runs_sweep(void *driver);
/* Frees what lingers of a unit that goes away. */
void sv_runs_forget(struct sv_unit *unit);
/* SIGCHLD, where pidfds or cgroups are missing or strays are reparented to us. */
void sv_runs_reap(struct sv_driver *driver);

/* groups.c: makes the group and the outside of its processes, and tells the core. */
int sv_unit_groups_add(struct sv_driver *driver, struct sv_config *owner,
                       const struct sv_group_config *config);
void sv_unit_groups_release(struct sv_driver *driver, sv_process_id id);
void sv_unit_groups_removed(struct sv_driver *driver, const char *name);
void sv_unit_groups_free_all(struct sv_driver *driver);

/* listeners.c */
void sv_listener_heard(struct sv_unit *unit, const char *data, size_t length);
void sv_listener_deliver(struct sv_driver *driver, const struct sv_action *action);

/* facts.c */
void sv_facts_record(void *user, const struct sv_bpf_record *record);

/* host.c */
void sv_host_init(struct sv_driver *driver);

/* routes.c */
void sv_routes_handle(void *user, struct sv_http_exchange *exchange);

/* why.c */
json_t *sv_why(struct sv_driver *driver, sv_process_id id);

/* signals.c */
int sv_signals_begin(struct sv_driver *driver);
/* From now on SIGCHLD tells of ends, too: for a run that has no pidfd. */
int sv_signals_watch_children(struct sv_driver *driver);
void sv_logs_reopen(struct sv_driver *driver);

#endif
