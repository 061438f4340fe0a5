/*
 * What the modules of the members' half share: an instance as this one knows it, its view of the
 * cluster, and what each module keeps. Nobody writes a field of another module's struct.
 */
#ifndef SV_CORE_CLUSTER_MEMBERS_H
#define SV_CORE_CLUSTER_MEMBERS_H

#include "core/cluster/internal.h"

/* Options as the modules count: nanoseconds. */
struct sv_times {
    uint64_t heartbeat_ns;
    uint64_t suspect_ns;
    uint64_t deaf_ns;  /* nothing of ours has come back for so long: it does not hear us */
    uint64_t grace_ns; /* daemon_grace with its margin: then its programs have ended */
    uint64_t synchro_ns;
    bool has_quorum;
    uint64_t right_ns;  /* quorum_stop_after: of the right to run, since what was acknowledged */
    uint64_t settle_ns; /* the same with its margin, since we acknowledged something */
};

/* What an instance says of the cluster, by our places. */
struct sv_view {
    bool is_known; /* it has said something since it last became STOPPED or ISOLATED */
    enum sv_supvisors_state state;
    bool degraded_mode, discovery_mode;
    bool starting_jobs, stopping_jobs;
    sv_instance_place master; /* SV_INSTANCE_NONE: none, or nobody whom we know */
    char *master_identifier;  /* as it said it; NULL: none */
    uint64_t term;
    /* Its sight: sight.c. */
    uint64_t running_sum; /* two views with the same one agree */
    uint32_t running_count;
    uint64_t known_sum;
    struct sv_mesh_run *runs;
    size_t run_count;
    uint64_t told_ns; /* its CLOCK_MONOTONIC */
};

struct sv_seen { /* an instance, by another one */
    enum sv_instance_state state : 8;
    bool is_settled;
};

enum sv_complaint {
    SV_COMPLAINT_STALE,    /* of a former life of its daemon */
    SV_COMPLAINT_REPLAYED, /* we have had it */
    SV_COMPLAINT_GAP,      /* something is missing before it */
    SV_COMPLAINT_MALFORMED,
    SV_COMPLAINT_UNEXPECTED, /* it is not one of us (any more) */
    SV_COMPLAINT_COUNT
};

struct sv_instance {
    sv_instance_place place;
    uint32_t rank; /* in the order of identifiers */
    const char *identifier, *nick, *host;
    uint16_t http_port, event_port;
    uint64_t hash; /* of the identifier */
    struct sv_name_list stereotypes;
    bool has_stereotypes; /* the first ones that it told stay */
    const char *machine_id;
    struct sv_mesh_network network;
    const char *version;
    bool is_voter; /* of supvisors_list */

    enum sv_instance_state state;
    char *why; /* of the state, in words; NULL: nothing to say */
    uint64_t state_ns;

    /* The conversation: handshake.c. */
    bool is_connected;
    uint64_t incarnation; /* of its daemon, the greatest that was heard of; 0: never */
    bool is_accepted;     /* its HELLO is good: it gets our rows */
    bool is_welcome;      /* it said so */
    bool is_shut_out;     /* it said that we are not, or is inconsistent: ISOLATED follows FAILED */
    uint64_t refused_ns;  /* when it was last told why it is isolated */

    /* Its rows: replica.c. */
    bool has_snapshot;
    bool has_told; /* a snapshot, ever, of this incarnation */
    uint64_t revision;
    uint64_t confirmed;                /* revision of our rows that it says to have */
    uint64_t resync_ns;                /* when we last asked for a snapshot */
    uint64_t clock_ns, clock_local_ns; /* its CLOCK_MONOTONIC, and ours when it said so */
    struct sv_view view;

    /* Heartbeats: liveness.c. */
    uint64_t remote_sequence, local_sequence;
    uint64_t remote_ns, local_ns;
    int64_t remote_wall_ns, local_wall_ns;
    uint64_t acknowledged;    /* the newest of ours that it has seen */
    uint64_t acknowledged_ns; /* when we sent that one; of anything older than our daemon: 0 */
    struct sv_timer silence;
    /* Something that the cluster has started may run there although nobody hears of it. */
    bool may_run;
    struct sv_timer loss;

    /* Quorum: quorum.c. */
    uint64_t settled_ns; /* it is settled from then on, if we do not acknowledge more */
    uint64_t right_ns;   /* what it acknowledged gives us the right to run until then */
    struct sv_timer settle;

    struct sv_command_log *log; /* duties.c: what it had us do */
    uint64_t complaints[SV_COMPLAINT_COUNT];
    uint64_t complaint_ns;
};

static inline struct sv_instance *sv_instance_of_timer(struct sv_timer *timer, size_t offset)
{
    return (struct sv_instance *)(void *)((char *)timer - offset);
}
static inline struct sv_instance *sv_local(const struct sv_cluster *cluster)
{
    return cluster->instances[cluster->local];
}
/* Handshake done, and nothing wrong since. */
static inline bool sv_instance_is_active(const struct sv_instance *instance)
{
    return instance->state == SV_INSTANCE_STATE_CHECKED ||
           instance->state == SV_INSTANCE_STATE_RUNNING;
}

/* --- instance.c --- */

enum sv_instance_event {
#define INSTANCE_EVENT(name) SV_INSTANCE_##name,
#include "core/cluster/instance.def"
    SV_INSTANCE_EVENT_COUNT
};
/* What happened to it; `why` in words, as "its connection broke". */
void sv_instance_feed(struct sv_cluster *cluster, struct sv_instance *instance,
                      enum sv_instance_event event, const char *why);
struct sv_instance *sv_instance_add(struct sv_cluster *cluster,
                                    const struct sv_instance_config *config, bool is_voter);
void sv_instance_discovered(struct sv_cluster *cluster, const struct sv_instance_config *config,
                            const struct sv_name_list *stereotypes);
/* The first ones that are told stay. */
void sv_instance_learn(struct sv_cluster *cluster, struct sv_instance *instance,
                       const struct sv_mesh_hello *hello);
uint64_t sv_instance_hash(const char *identifier);
void sv_instances_free(struct sv_cluster *cluster);
/* Counted; logged once in a while for each peer. */
void sv_instance_complain(struct sv_cluster *cluster, struct sv_instance *instance,
                          enum sv_complaint complaint, const char *text);

/* --- handshake.c --- */

void sv_handshake_greet(struct sv_cluster *cluster, struct sv_instance *instance);
void sv_handshake_connected(struct sv_cluster *cluster, struct sv_instance *instance);
/* False: the message is of no conversation that we have; nothing else is done with it. */
bool sv_handshake_admit(struct sv_cluster *cluster, struct sv_instance *instance,
                        const struct sv_mesh_message *message);
void sv_handshake_hello(struct sv_cluster *cluster, struct sv_instance *instance,
                        const struct sv_mesh_message *message);
void sv_handshake_welcome(struct sv_cluster *cluster, struct sv_instance *instance,
                          const struct sv_mesh_message *message);
void sv_handshake_bye(struct sv_cluster *cluster, struct sv_instance *instance,
                      const struct sv_mesh_message *message);
/* CHECKING becomes CHECKED when all has been said. */
void sv_handshake_complete(struct sv_cluster *cluster, struct sv_instance *instance);
/* A new conversation must begin with HELLO and a snapshot. */
void sv_handshake_forget(struct sv_instance *instance);

/* --- liveness.c --- */

void sv_liveness_new(struct sv_cluster *cluster);
void sv_liveness_free(struct sv_cluster *cluster);
void sv_liveness_begin(struct sv_cluster *cluster);
void sv_liveness_watch(struct sv_cluster *cluster, struct sv_instance *instance);
void sv_liveness_heartbeat(struct sv_cluster *cluster, struct sv_instance *instance,
                           const struct sv_mesh_message *message);
/* Its rows hold no more: its programs are lost when they must have ended, unless it comes back. */
void sv_liveness_doubt(struct sv_cluster *cluster, struct sv_instance *instance);
/* Its rows tell the truth again. */
void sv_liveness_trust(struct sv_cluster *cluster, struct sv_instance *instance);
/* The local daemon was late itself: silence is not the others' fault. */
void sv_liveness_excuse(struct sv_cluster *cluster);
/* When that heartbeat of ours was sent; 0: long ago, or never. */
uint64_t sv_liveness_sent_ns(const struct sv_cluster *cluster, uint64_t sequence);

/* --- replica.c --- */

void sv_replica_new(struct sv_cluster *cluster);
void sv_replica_free(struct sv_cluster *cluster);
void sv_replica_local(struct sv_cluster *cluster, const struct sv_mesh_process *row);
const struct sv_mesh_process *sv_replica_row(const struct sv_cluster *cluster,
                                             const char *application, const char *name);
uint64_t sv_replica_revision(const struct sv_cluster *cluster);
/* All rows, to one; and the changes of the step, to all. */
void sv_replica_snapshot(struct sv_cluster *cluster, struct sv_instance *to);
void sv_replica_flush(struct sv_cluster *cluster);
void sv_replica_receive(struct sv_cluster *cluster, struct sv_instance *from,
                        const struct sv_mesh_message *message);
void sv_replica_asked(struct sv_cluster *cluster, struct sv_instance *from,
                      const struct sv_mesh_message *message);
void sv_replica_resync(struct sv_cluster *cluster, struct sv_instance *to);
bool sv_replica_runs_nothing(const struct sv_cluster *cluster);

/* --- confirm.c: good answers wait until the others know --- */
void sv_confirm_new(struct sv_cluster *cluster);
void sv_confirm_free(struct sv_cluster *cluster);
void sv_confirm_forget(struct sv_cluster *cluster, uint64_t request);
/* At the end of a step, after all rows are told. */
void sv_confirm_flush(struct sv_cluster *cluster);
void sv_confirm_receive(struct sv_cluster *cluster, struct sv_instance *from,
                        const struct sv_mesh_message *message);

/* --- forced.c --- */

void sv_forced_new(struct sv_cluster *cluster);
void sv_forced_free(struct sv_cluster *cluster);
/* What is said here and was not told yet, ends included; once. Borrowed for the step. */
const struct sv_mesh_forced *sv_forced_changed(struct sv_cluster *cluster, size_t *ret_count);
/* All that is said here, for a snapshot; likewise. */
const struct sv_mesh_forced *sv_forced_all(struct sv_cluster *cluster, size_t *ret_count);
void sv_forced_receive(struct sv_cluster *cluster, struct sv_instance *from,
                       const struct sv_mesh_rows *rows, bool is_snapshot);

/* --- modes.c --- */

void sv_modes_set_state(struct sv_cluster *cluster, enum sv_supvisors_state state);
void sv_modes_set_master(struct sv_cluster *cluster, sv_instance_place master, uint64_t term);
void sv_modes_set_degraded(struct sv_cluster *cluster, bool is_degraded);
void sv_modes_set_jobs(struct sv_cluster *cluster);
bool sv_modes_is_changed(const struct sv_cluster *cluster); /* something urgent is not told yet */
void sv_modes_told(struct sv_cluster *cluster);
/* As a message has them, but for the sight. */
void sv_modes_export(const struct sv_cluster *cluster, const struct sv_view *view,
                     struct sv_mesh_modes *ret);
void sv_modes_receive(struct sv_cluster *cluster, struct sv_instance *from,
                      const struct sv_mesh_modes *modes);
void sv_modes_forget(struct sv_cluster *cluster, struct sv_instance *instance);
/* All whom we see RUNNING see the same ones RUNNING. */
bool sv_modes_is_stable(const struct sv_cluster *cluster);
/* All whom we see RUNNING name the Master that we name, with our term. */
bool sv_modes_have_one_master(const struct sv_cluster *cluster);

/* --- sight.c --- */

void sv_sight_new(struct sv_cluster *cluster);
void sv_sight_free(struct sv_cluster *cluster);
/* The newest of the instances. */
void sv_sight_add(struct sv_cluster *cluster, struct sv_instance *instance);
/* How we see an instance from now on. */
void sv_sight_see(struct sv_cluster *cluster, const struct sv_instance *instance, bool is_settled);
/* What is told to all now, of what they do not know; NULL: nothing. Borrowed for the step. */
const struct sv_mesh_sight *sv_sight_change(struct sv_cluster *cluster);
/* And to one who knows nothing. */
const struct sv_mesh_sight *sv_sight_snapshot(struct sv_cluster *cluster);
void sv_sight_receive(struct sv_view *view, const struct sv_mesh_sight *told);
/* How `from` sees an instance. False: that is not known here, now. */
bool sv_sight_of(const struct sv_cluster *cluster, const struct sv_instance *from,
                 sv_instance_place place, struct sv_seen *ret);

/* --- election.c --- */

/* What makes an instance Master. */
struct sv_master_rule {
    const char *name;
    /* False: nobody can become Master now; *ret_why in words. */
    bool (*may_elect)(const struct sv_cluster *cluster, const char **ret_why);
    /* Which of those that are RUNNING; only asked when may_elect() is true. */
    sv_instance_place (*select)(const struct sv_cluster *cluster);
    /* The present Master may go on. */
    bool (*holds)(const struct sv_cluster *cluster);
};
const struct sv_master_rule *sv_election_rule(const struct sv_cluster *cluster);
/* Selects, declares, adopts; wakes the machine if something came of it. */
void sv_election_run(struct sv_cluster *cluster);
/* All that are RUNNING say that we are Master, of this term. */
bool sv_election_is_agreed(const struct sv_cluster *cluster);

/* --- machine.c --- */

struct sv_machine {
    bool has_begun;
    bool is_dirty;
    bool has_run;           /* in this step */
    bool has_news;          /* modes that others wait for are not told yet */
    bool has_activated;     /* since the machine last ran */
    bool has_lost;          /* likewise: an instance */
    bool is_ending;         /* the local daemon stops */
    bool has_left;          /* and has said BYE */
    bool is_restart;        /* what RESTARTING or SHUTTING_DOWN leads to */
    bool may_conciliate;    /* once in a step */
    uint32_t checked_count; /* instances that are CHECKED: they wait to take part */
    uint32_t naming_count;  /* whose view names a Master */
    uint32_t voter_count, running_voter_count;
    /* Who was RUNNING and did not agree when that was last asked; see modes.c. */
    sv_instance_place other_sight, other_master;
    uint64_t begin_ns;
    uint64_t term_max;             /* that was ever heard of */
    enum sv_supvisors_state asked; /* RESTARTING, SHUTTING_DOWN; OFF: nothing */
    struct sv_timer timer;         /* of synchro_timeout */
    struct sv_timer core_timer;    /* of CORE */
    const char *waits_for;         /* why there is no Master; to log it once */
};
void sv_machine_new(struct sv_cluster *cluster);
void sv_machine_free(struct sv_cluster *cluster);
void sv_machine_begin(struct sv_cluster *cluster);
void sv_machine_run(struct sv_cluster *cluster);
void sv_machine_leave(struct sv_cluster *cluster, bool keeps_programs);
void sv_machine_request(struct sv_cluster *cluster, const struct sv_cluster_request *request);
void sv_machine_ending(struct sv_cluster *cluster, bool keeps_programs);

/* --- synchro.c: conditions of synchro_options --- */

enum { SV_SYNCHRO_CORE_SECONDS = 15 }; /* Supvisors 0.19, statemachine.py: CORE waits for others */

bool sv_synchro_has(const struct sv_cluster *cluster, enum sv_synchro_option option);
bool sv_synchro_is_met(const struct sv_cluster *cluster, enum sv_synchro_option option);
bool sv_synchro_is_core_stereotype(const struct sv_cluster *cluster,
                                   const struct sv_instance *instance);
bool sv_synchro_is_degraded(const struct sv_cluster *cluster);
/* What supvisors_failure_strategy wants now; CONTINUE: nothing. */
enum sv_supvisors_failure_strategy sv_synchro_failure(const struct sv_cluster *cluster);

/* --- quorum.c --- */

void sv_quorum_new(struct sv_cluster *cluster);
void sv_quorum_free(struct sv_cluster *cluster);
void sv_quorum_add(struct sv_cluster *cluster, struct sv_instance *instance);
void sv_quorum_begin(struct sv_cluster *cluster);
/* `instance` heard us and says so, being of `term`; `sent_ns`: when we said what it heard. */
void sv_quorum_acknowledged(struct sv_cluster *cluster, struct sv_instance *instance, uint64_t term,
                            uint64_t sent_ns);
/* We have heard `instance` and will say so. */
void sv_quorum_acknowledge(struct sv_cluster *cluster, struct sv_instance *instance);
/* This instance may run what the cluster manages. */
bool sv_quorum_has_right(const struct sv_cluster *cluster);
bool sv_quorum_has_majority(const struct sv_cluster *cluster);
bool sv_quorum_is_settled(const struct sv_cluster *cluster, const struct sv_instance *instance);
/* The right to run may reach further, or the set of voters has changed. */
void sv_quorum_changed(struct sv_cluster *cluster);
bool sv_quorum_is_waited_for(const struct sv_cluster *cluster);
/* A start that was refused may be right now, if this step has brought any news. */
void sv_quorum_flush(struct sv_cluster *cluster);

/* --- command.c --- */

void sv_commands_new(struct sv_cluster *cluster);
void sv_commands_free(struct sv_cluster *cluster);
void sv_command_answer(struct sv_cluster *cluster, struct sv_instance *from,
                       const struct sv_mesh_message *message);
/* Its daemon is another one, or is lost. */
void sv_command_forget(struct sv_cluster *cluster, struct sv_instance *instance);
/* The rows of an instance are newer than they were. */
void sv_command_rows(struct sv_cluster *cluster, struct sv_instance *instance);
/* To the Master: restart or shut down everything. */
uint64_t sv_command_ask(struct sv_cluster *cluster, enum sv_mesh_command_kind kind,
                        uint64_t request);
/* The instance where a start of it is under way and its rows do not tell yet; SV_INSTANCE_NONE. */
sv_instance_place sv_command_pending_start(const struct sv_cluster *cluster,
                                           const struct sv_member *member);

/* --- duties.c --- */

void sv_duties_new(struct sv_cluster *cluster);
void sv_duties_free(struct sv_cluster *cluster);
void sv_duties_receive(struct sv_cluster *cluster, struct sv_instance *from,
                       const struct sv_mesh_message *message);
/* A command of our own to ourselves; `text`: the reason of a start, "" for none. It is answered to
 * the commander, in a later step. False, and why not. */
bool sv_duties_take(struct sv_cluster *cluster, const struct sv_mesh_command *command,
                    const char *text, const char **ret_why);
/* A start is under way here, and its row does not tell yet. */
bool sv_duties_has_start(const struct sv_cluster *cluster, const char *application,
                         const char *name);
/* A local process has changed. */
void sv_duties_row(struct sv_cluster *cluster, const struct sv_mesh_process *row);
/* Answers that are due; at the end of a step. */
void sv_duties_flush(struct sv_cluster *cluster);
bool sv_duties_want_step(const struct sv_cluster *cluster); /* at once */
void sv_command_log_free(struct sv_command_log *log);

/* --- support.c --- */

/* To be filled before anything else is done. */
struct sv_mesh_message *sv_send(struct sv_cluster *cluster, sv_instance_place to,
                                enum sv_mesh_kind kind);
void sv_notice_instance(struct sv_cluster *cluster, sv_instance_place instance);
void sv_notice_modes(struct sv_cluster *cluster);

#endif
