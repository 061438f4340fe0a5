/* What the files of the driver share. Nobody else includes this. */
#ifndef SV_DRIVER_INTERNAL_H
#define SV_DRIVER_INTERNAL_H

#include <svisor/limits.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "api/api.h"
#include "base/idmap.h"
#include "base/map.h"
#include "core/core.h"
#include "driver/driver.h"
#include "io/cgroup.h"
#include "io/cursors.h"
#include "io/fcgi_socket.h"
#include "io/http.h"
#include "io/input.h"
#include "io/keeper.h"
#include "io/kernel.h"
#include "io/limits.h"
#include "io/log_watch.h"
#include "io/loop.h"
#include "io/meters.h"
#include "io/notify_socket.h"
#include "io/output.h"
#include "io/pipes.h"
#include "io/probe_child.h"
#include "io/state_journal.h"
#include "port/mesh.h"
#include "wire/death.h"
#include "wire/journal.h"
#include "wire/listener.h"

struct sv_happening;
struct sv_unit;
struct sv_unit_group;

/* Somebody signalled a process of ours: the kernel's word, kept for the certificate. */
struct sv_sender {
    int number; /* 0: nothing is known */
    int code;   /* si_code, or SV_BPF_CODE_NO_INFO */
    int32_t pid;
    int32_t target; /* the process that was signalled */
    bool is_ours;   /* svisord has sent it, this one or the one before */
    uint32_t uid;
    uint64_t cgroup_id;
    sv_process_id home; /* the program of ours that lived there; 0: none */
    uint64_t time_ns;   /* of CLOCK_BOOTTIME, as the EXIT record has it */
    char comm[SV_BPF_COMM_BYTES];
};

/* What eBPF has seen of one run. */
struct sv_facts {
    struct sv_sender senders[SV_DEATH_SIGNALS_MAX]; /* signals to the main process, one row each */
    struct sv_sender other;                         /* the last one to another process of the run */
    uint32_t fork_count;                            /* processes that it forked */
    int32_t oom_pid;                                /* chosen by the OOM killer; 0: nobody */
    char oom_comm[SV_BPF_COMM_BYTES];
    bool has_exit;   /* the EXIT record of the main process has come */
    int exit_status; /* in it: the wait status before anybody could wait */
    uint64_t exit_time_ns;
};

/* What is under way for ready= and liveness= of one run. */
struct sv_checks {
    struct sv_run *run;
    uint32_t serial;                /* of the probe under way */
    struct sv_socket_probe *socket; /* at most one of the two */
    struct sv_child_probe *child;
    const struct sv_probe_config *waiting; /* for its turn; NULL: it does not */
    struct sv_checks *before, *after;      /* of those that wait */
    struct sv_log_watch *ready_watch;      /* until it has matched */
    struct sv_log_watch *alive_watch;
    uint64_t alive_told_ns; /* to the core */
    bool has_told_costly;
};

/* Commands that wait because so many run: the first one is the next. */
struct sv_check_queue {
    struct sv_checks *first, *last;
    struct sv_source *turn; /* starts the next ones */
    uint64_t told_ns;       /* when the log last said that some wait; 0: never */
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
    int pidfd;         /* -1: this kernel has none */
    bool is_orphan;    /* not our child, and no pidfd: looked at from time to time */
    bool is_adopted;   /* it was begun by an earlier daemon */
    bool is_over;      /* the main process is reaped */
    bool has_socket;   /* it uses the socket of its fcgi group */
    bool is_certified; /* and its certificate is written */
    bool has_status;   /* false: somebody else reaped it, and nobody knows */
    int wait_status;
    uint64_t started_ns, ended_ns;
    int64_t started_wall_ns, ended_wall_ns;
    uint64_t sink_start_bytes[2]; /* what the sinks had taken before this run */
    int64_t stray_count;
    struct rusage usage; /* of the main process and the children that it waited for */
    struct sv_facts facts;
    struct sv_deeds deeds;
    unsigned long long start_ticks; /* /proc/PID/stat; of an orphan, and without a leaf, which
                                       says as much */
    uint64_t keeper_key;            /* 0: the keeper does not hold it */
    bool is_managed;                /* by the cluster: the keeper's promise is about it */
    enum sv_reason keeper_reason; /* why the keeper, or we for it, has ended it; NONE: it has not */
    struct sv_source *exit_source;
    struct sv_cgroup_leaf *leaf; /* NULL: no cgroup, or given back */
    struct sv_source *empty_source;
    struct sv_output *outputs[2];
    struct sv_input *input;
    struct sv_checks *checks; /* NULL: its configuration asks for none, or it is over */
    uint32_t open_outputs;
    struct sv_meters *meters; /* NULL: nothing of it is watched */
    bool has_fork_watch;
    bool is_traffic_counted;
    bool wants_oom_meter; /* eBPF does not tell of OOM kills, and somebody wants to know */
};

/* The outside of one process: what io holds for it over all of its runs. */
struct sv_unit {
    struct sv_driver *driver;
    struct sv_unit_group *group;
    const struct sv_program_config *config;
    struct sv_config *owner;        /* a reference: keeps `config` alive. NULL: the group does */
    bool is_retired;                /* it goes when it has stopped */
    const struct sv_limits *limits; /* those of `config`, or newer ones: limits.c. NULL: none */
    sv_process_id id;
    struct sv_sink *sinks[2];
    struct sv_run *run;                    /* the current one, NULL between runs */
    struct sv_listener_parser *parser;     /* event listeners only */
    int last_wait_status;                  /* of the last run that has ended */
    struct sv_shortage_history *shortages; /* NULL: it was never short of anything */
    char *status_text;                     /* STATUS= of the last run; NULL: none */
    char *extra_arguments;                 /* that the cluster adds to the command; NULL: none */
    enum sv_reason start_reason;           /* why the present run was begun */
    bool is_told_by_cluster;               /* the start, or stop, that is under way */
    struct sv_happening *ending;           /* of the run that has just ended; NULL: none */
    uint32_t undelivered_count;            /* events for it that are not written yet */
    uint32_t cursor;                       /* of its deliveries; 0: none */
    uint64_t remembered;                   /* hash of what the journal says of it; 0: nothing */
};

struct sv_unit_group {
    struct sv_driver *driver;
    struct sv_config *owner; /* one reference: keeps `config` alive */
    const struct sv_group_config *config;
    struct sv_config *limits_owner; /* likewise for `limits`, and those of the units */
    const struct sv_limits *limits; /* of the directory that the runs share; NULL: none */
    struct sv_fcgi_listener *fcgi;  /* SV_GROUP_FCGI */
    struct sv_meters *meters;       /* of the directory; NULL: nothing of it is watched */
    uint64_t fork_watch_id; /* of the directory, while its forks are counted; 0: they are not */
    uint64_t traffic_id;    /* of the directory, while its network is counted; 0: it is not */
    struct sv_shortage_history *shortages; /* of it, not of its programs */
    size_t unit_count;
    bool is_left;    /* the daemon goes, its programs do not */
    bool is_removed; /* out of driver->groups, freed with its last unit */
};

struct sv_operations;
struct sv_reexec;
struct sv_statistics;

struct sv_driver {
    struct sv_driver_options options;
    struct sv_config *config; /* the last one read; groups hold their own */
    struct sv_loop *loop;
    struct sv_core *core;
    struct sv_actions actions;
    size_t performed_count;     /* of `actions` */
    struct sv_actions tellings; /* notices and shortages, which go before them */
    size_t told_count;          /* of `tellings` */
    sv_process_id noted;        /* written down since the last step; 0: nobody */
    size_t spawn_count;         /* since the pump has run */
    bool is_performing;
    struct launch *launching; /* under way; NULL between two turns of the pump */
    bool is_restart;
    struct sv_source *quit_timer; /* NULL until the end: the last answers go out first */
    uint64_t quit_deadline_ns;
    struct sv_source *timer;   /* the core's deadline */
    struct sv_source *pump;    /* goes on with actions at the next turn */
    struct sv_source *coroner; /* writes the certificates of runs that are over */
    struct sv_source *rescan;  /* looks at every run again, after a loss of records */
    uint64_t lost_told;        /* records, when the log said so last */
    struct sv_source *sweep;   /* frees the lingering runs of which nothing is left */
    struct sv_run *lingering;  /* runs that are over, of which something is left */
    struct sv_source *signals[8];
    struct sv_source *tidy_timer; /* cgroup directories that were busy */
    struct sv_source *tick_timer;
    struct sv_source *orphan_timer; /* NULL until there is one */
    struct sv_source *status_timer; /* NULL: no service manager listens */
    struct sv_source *watchdog_timer;
    bool is_status_due;
    uint64_t next_status_ns; /* not before */
    int64_t last_ticks[3];
    struct sv_operations *operations; /* of REST; NULL: there was none yet */
    struct sv_str openapi;            /* the description of REST; "": nobody has asked yet */
    uint64_t unserved_files;          /* files.c: the log was told of them */
    struct sv_map groups;             /* name -> struct sv_unit_group */
    struct sv_idmap units;            /* process id -> struct sv_unit */
    struct sv_idmap runs_by_pid;
    struct sv_idmap runs_by_cgroup;
    struct sv_deaths *deaths;
    const struct sv_adopt_records *recalled; /* while adopting: what the kernel recorded before */
    pid_t former_pid;                        /* of the daemon whose programs are adopted; 0: none */
    struct sv_cgroup_tree *tree;             /* NULL: no cgroups on this machine */
    struct sv_kernel *kernel;
    struct sv_limiter *limiter;
    struct sv_notify_socket *notify_socket; /* NULL until a program wants it */
    bool has_told_deaf[SV_METER_COUNT];     /* in the log: meters of that kind cannot be had */
    uint64_t refusal_told_ns;               /* when a message was last refused in the log */
    struct sv_child_probes *child_probes;
    struct sv_check_queue check_queue;
    struct sv_state_journal *journal; /* NULL: nothing is remembered over our death */
    struct sv_cursors *cursors;       /* NULL until the first event is delivered */
    struct sv_keeper *keeper;         /* NULL: nobody holds the pipes */
    struct sv_source *keeper_source;  /* NULL: it has ended, and another one is to be begun */
    struct sv_source *keeper_timer;
    uint64_t revived_ns;           /* when that was done last; 0: never */
    uint64_t promised_deadline_ns; /* SV_NEVER: none */
    bool has_begun;                /* BEGIN was fed */
    bool is_adopting; /* what an earlier daemon left is not all told yet: its memory is kept */
    bool is_leaving;  /* the programs go on without us */
    struct sv_reexec *reexec;
    struct sv_http *http;
    struct sv_api *api;
    struct sv_api_host api_host;
    struct sv_driver_cluster *cluster; /* NULL: there is no [rpcinterface:supvisors] */
    struct sv_statistics *statistics;
    struct sv_live *live;           /* NULL: not yet, or no more */
    struct sv_str handover_scratch; /* one record of the journal */
    struct sv_str scratch;          /* paths and texts of one call */
    char *server_url;               /* SUPERVISOR_SERVER_URL, NULL: none */
    const char **base_environment;  /* environ and [supervisord] environment, NULL-terminated */
};

/* feed.c: stamps the event with the time, steps the core, performs what it wants done. */
void sv_driver_feed(struct sv_driver *driver, struct sv_event event);
/* From now on the loop does what is due: its deadlines, and what did not fit into a turn. */
int sv_driver_feed_begin(struct sv_driver *driver);

/* perform.c */
void sv_driver_perform(struct sv_driver *driver, const struct sv_action *action);

/* quit.c: ends the loop when what was answered has been sent. */
void sv_driver_quit(struct sv_driver *driver, bool is_restart);

/* row.c: what is told of a local process; its description is in `scratch`. False: there is none. */
bool sv_driver_row(struct sv_driver *driver, sv_process_id process, struct sv_str *scratch,
                   struct sv_mesh_process *ret_row);

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
struct sv_unit *sv_driver_unit(struct sv_driver *driver, sv_process_id id);
/* It is new, or something that others see of it has changed. */
void sv_unit_changed(struct sv_driver *driver, sv_process_id id);
int sv_unit_new(struct sv_driver *driver, struct sv_unit_group *group, sv_process_id id,
                const struct sv_program_config *config);
void sv_unit_free(struct sv_unit *unit);
void sv_unit_signal(struct sv_unit *unit, const struct sv_action *action);
void sv_unit_kill_cgroup(struct sv_unit *unit, uint32_t run);
/* It has no right to run any more: ended at once, and told as what the keeper has ended. */
void sv_unit_fence(struct sv_unit *unit);

/* NULL: there is none of these names. */
struct sv_unit *sv_unit_named(struct sv_driver *driver, const char *group, const char *process);
/* The run of that number of which something is left, or NULL. */
struct sv_run *sv_unit_run(const struct sv_unit *unit, uint32_t number);

/* launch.c: performs SV_ACTION_SPAWN. Its answer is fed by the next sv_launch_finish(), or at once
 * if it fails before there is a child. */
void sv_launch(struct sv_unit *unit, uint32_t run_number);
/* Waits for the launch that is under way, if there is one, and feeds its answer. */
void sv_launch_finish(struct sv_driver *driver);
/* True: what comes of this process is not known yet. */
bool sv_launch_concerns(const struct sv_driver *driver, sv_process_id id);

/* The same user, directory and environment as the program has, in a cgroup of its own. False with
 * the reason in `ret_error`. */
bool sv_launch_check(struct sv_unit *unit, const char *const *argv, uint32_t serial,
                     struct sv_probe_spawned *ret_spawned, struct sv_str *ret_error);

/* checks.c */
/* Begins to listen to a run that has just been made: false without memory. */
bool sv_checks_begin(struct sv_run *run);
void sv_checks_end(struct sv_run *run);
void sv_checks_heard(struct sv_run *run, enum sv_channel which, const char *data, size_t length);
void sv_checks_probe(struct sv_unit *unit, const struct sv_action *action);
void sv_checks_give_up(struct sv_unit *unit, uint32_t run_number);
/* Starts commands that wait, as far as there is room (struct sv_driver). */
void sv_checks_take_turns(void *driver);

/* notify.c */
/* Opens the socket when the first program wants it. */
int sv_driver_open_notify(struct sv_driver *driver);

/* streams.c: takes the parent's ends out of `pipes`. */
int sv_run_open_streams(struct sv_run *run, struct sv_pipes *pipes);

/* run.c */
/* A run of an earlier daemon of which only strays may be left: takes it, and says if there are any.
 */
bool sv_run_linger_for_strays(struct sv_run *run);
/* The status of a process that is not our child, or was not while it died. */
void sv_run_end(struct sv_run *run, int wait_status, bool is_unknown);
struct sv_run *sv_run_new(struct sv_unit *unit, uint32_t number);
void sv_run_free(struct sv_run *run);
int sv_run_watch_exit(struct sv_run *run);
/* Of an orphan: the number still belongs to the process that it was. */
bool sv_run_orphan_lives(const struct sv_run *run);
/* The main process may have ended: reaps it if so, and tells the core. */
void sv_run_check_exit(struct sv_run *run);
/* An output of the run has no writer any more; to be called from its callback. */
void sv_run_output_closed(struct sv_run *run);
void sv_runs_sweep(void *driver);
/* Removes the cgroup directories that nobody needs; what is still busy is tried again soon: the
 * kernel may hold a directory for some milliseconds after the last process of it is gone. */
enum { SV_TIDY_AGAIN_NS = 200000000 };
void sv_runs_tidy(void *driver);
/* Asks the kernel about every run, as if nothing had been heard. */
void sv_runs_rescan(void *driver);
/* Frees what lingers of a unit that goes away. */
void sv_runs_forget(struct sv_unit *unit);
/* SIGCHLD, where pidfds or cgroups are missing or strays are reparented to us. */
void sv_runs_reap(struct sv_driver *driver);

/* groups.c: makes the group and the outside of its processes, and tells the core. */
int sv_unit_groups_add(struct sv_driver *driver, struct sv_config *owner,
                       const struct sv_group_config *config);
/* One more process for a living group; `owner` keeps its configuration alive. */
int sv_unit_groups_add_process(struct sv_driver *driver, struct sv_unit_group *group,
                               struct sv_config *owner, const struct sv_program_config *config);
/* It is not started any more, and goes as soon as it has stopped; or it may stay after all. */
void sv_unit_groups_retire(struct sv_unit *unit, bool is_retired);
/* The configuration of the group with the processes that it has now, for the moment. */
void sv_unit_groups_show(const struct sv_driver *driver, const struct sv_unit_group *group,
                         struct sv_group_config *ret_config);
void sv_unit_groups_release(struct sv_driver *driver, sv_process_id id);
void sv_unit_groups_removed(struct sv_driver *driver, const char *name);
void sv_unit_groups_free_all(struct sv_driver *driver);

/* limits.c: writes the limits of a run before it is born. */
void sv_unit_limits_begin(struct sv_unit *unit, struct sv_run *run);
/* The run was begun by an earlier daemon, perhaps with another file: it gets the limits of this
 * one. */
void sv_unit_limits_adopt(struct sv_unit *unit, struct sv_run *run,
                          const struct sv_journal_entry *entry);
/* The files were read again: takes over the limits of groups that differ in nothing else. */
void sv_unit_limits_reread(struct sv_driver *driver);
void sv_unit_limits_forget(struct sv_driver *driver, const struct sv_unit_group *group);

/* resources.c */
/* Opens the meters that the limits of the run ask for; what an adopted one has counted is old. */
void sv_resources_watch_run(struct sv_run *run, bool is_fresh);
/* The same for the directory of the group, in which the leaf is. `is_new`: it was made anew, or its
 * limits are new. */
void sv_resources_watch_group(struct sv_unit_group *group, const struct sv_cgroup_leaf *leaf,
                              bool is_new);
void sv_resources_heard(struct sv_run *run, const struct sv_shortage *shortage);
/* eBPF has seen that the OOM killer took a process of the run. */
void sv_resources_oom_kill(struct sv_run *run, int32_t victim);
/* More forks than fork_rate_warn of a run, or of a group. */
void sv_resources_fork_rate(struct sv_driver *driver, const struct sv_bpf_record *record);
/* Forgets what was watched of a run, of a group; their cgroup goes. */
void sv_resources_leave_run(struct sv_run *run);
void sv_resources_leave_group(struct sv_unit_group *group);
/* Performs SV_ACTION_SHORTAGE. */
void sv_resources_tell(struct sv_driver *driver, const struct sv_action *action);
/* What was told of the process and of its group, the newest first. A new reference. */
json_t *sv_resources_json(const struct sv_unit *unit);
/* Adds a sentence about what that run, or the group, ran short of; nothing when it did not. */
void sv_resources_describe(const struct sv_unit *unit, uint32_t run, struct sv_str *text);

/* network.c: count_network of the run and of its group. Again: as their limits say now. */
void sv_network_watch(struct sv_run *run);
void sv_network_watch_group(struct sv_unit_group *group, const struct sv_cgroup_leaf *leaf);
void sv_network_leave_run(struct sv_run *run);
void sv_network_leave_group(struct sv_unit_group *group);
void sv_network_certify(const struct sv_run *run, struct sv_death *death);
/* What is counted of the present run and of its group; a new reference. */
json_t *sv_network_json(const struct sv_unit *unit);
void sv_network_describe(const struct sv_unit *unit, struct sv_str *text);

/* listeners.c */
void sv_listener_heard(struct sv_unit *unit, const char *data, size_t length);
void sv_listener_deliver(struct sv_driver *driver, const struct sv_action *action);
/* A listener of an earlier daemon that lives: goes on with what it has been given and has said. */
void sv_listener_adopt(struct sv_unit *unit, const struct sv_journal_entry *entry);
/* The bytes that a listener gets. */
void sv_listener_render(const struct sv_unit *unit, const struct sv_event_view *event,
                        struct sv_str *ret_bytes);

/* host.c */
void sv_host_init(struct sv_driver *driver);

/* dashboard.c: the page at "/". False: the path is another one. */
bool sv_dashboard_handle(struct sv_http_exchange *exchange);
/* files.c: likewise. */
bool sv_files_handle(struct sv_driver *driver, struct sv_http_exchange *exchange);

/* routes.c */
void sv_routes_handle(void *user, struct sv_http_exchange *exchange);

/* signals.c */
int sv_signals_begin(struct sv_driver *driver);
/* From now on SIGCHLD tells of ends, too: for a run that has no pidfd. */
int sv_signals_watch_children(struct sv_driver *driver);
void sv_logs_reopen(struct sv_driver *driver);

#endif
