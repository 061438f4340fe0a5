/*
 * Shared by the modules of core/cluster; nobody else includes it.
 *
 * Two halves meet here. The members' half (cluster.c, instance.c, replica.c, modes.c, sight.c,
 * machine.c, election.c, quorum.c, command.c) knows who is there and who is Master. The commander's
 * half (model.c and what is built on it) knows applications and decides about them. Each calls the
 * other by the functions below and never touches the other's fields, except to read those of this
 * header.
 *
 * Without memory the daemon cannot tell what it has forgotten: sv_allocate() aborts, and the
 * restart path, which is the recovery path, has the truth.
 */
#ifndef SV_CORE_CLUSTER_INTERNAL_H
#define SV_CORE_CLUSTER_INTERNAL_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/grow.h"
#include "base/heap.h"
#include "config/identifiers.h"
#include "core/cluster/cluster.h"
#include "core/cluster/model.h"
#include "core/core.h"

struct sv_instance;  /* members.h, like those behind the pointers below: the members' half only */
struct sv_commander; /* of the commander's half */

#define SV_SECOND_NS UINT64_C(1000000000)

/* Something that is to be done at a time. Lives inside its owner. */
struct sv_timer {
    struct sv_heap_node node;
    void (*fire)(struct sv_cluster *cluster, struct sv_timer *timer);
};

struct sv_cluster {
    const struct sv_supvisors_config *supvisors;
    const struct sv_cluster_config *timing;
    const char *machine_id;
    const char *version;
    uint64_t incarnation;
    uint64_t random;
    sv_instance_place local;

    /* Of the step that is under way. */
    uint64_t step; /* counts them */
    uint64_t now_ns;
    int64_t wall_ns;
    struct sv_cluster_actions *actions;
    struct sv_arena texts;  /* what actions point to; emptied when the next step begins */
    struct sv_arena *views; /* what views point to; likewise */

    struct sv_instance **instances;
    struct sv_instance_names *names; /* of the instances, for config/identifiers.h */
    struct sv_map by_identifier;     /* struct sv_instance */
    struct sv_arena identities;      /* what never changes of them */
    uint32_t instance_count;
    uint32_t instance_capacity;

    struct sv_heap timers;
    size_t timer_count;
    uint32_t next_tie;

    struct sv_times *times;
    struct sv_machine *machine;
    struct sv_sight *sight;
    struct sv_replica *replica;
    struct sv_forced_rows *forced;
    struct sv_liveness *liveness;
    struct sv_quorum *quorum;
    struct sv_commands *commands;
    struct sv_duties *duties;
    struct sv_confirmations *confirmations;
    struct sv_model model;
    struct sv_commander *commander;
};

/* --- members: what the commander's half calls --- */

/* A text for an action of this step. */
const char *sv_text(struct sv_cluster *cluster, const char *format, ...) SV_PRINTF(2, 3);
/* Copies a row with its strings, which are in one block: free(*ret_texts) frees it. */
void sv_row_copy(const struct sv_mesh_process *row, struct sv_mesh_process *ret_row,
                 char **ret_texts);
/* The next random number below `bound`. */
uint64_t sv_random(struct sv_cluster *cluster, uint64_t bound);

/* Before the first set; `fire` may set it again. sv_timer_done() takes it out for good. */
void sv_timer_init(struct sv_cluster *cluster, struct sv_timer *timer,
                   void (*fire)(struct sv_cluster *cluster, struct sv_timer *timer));
void sv_timer_set(struct sv_cluster *cluster, struct sv_timer *timer, uint64_t at_ns);
void sv_timer_cancel(struct sv_cluster *cluster, struct sv_timer *timer);
void sv_timer_done(struct sv_cluster *cluster, struct sv_timer *timer);

/* Every decision and every refusal says why, here. */
void sv_decide(struct sv_cluster *cluster, enum sv_log_level level, const char *format, ...)
    SV_PRINTF(3, 4);
/* Likewise, of something that the timeline is to name. `application` NULL: of no programs. */
struct sv_subject {
    sv_instance_place instance; /* about its state; SV_INSTANCE_NONE: it is not */
    const char *application, *name;
};
void sv_decide_about(struct sv_cluster *cluster, enum sv_log_level level,
                     const struct sv_subject *subject, const char *text);
void sv_notice_application(struct sv_cluster *cluster, const char *application);
/* instance SV_INSTANCE_NONE: it was forced. */
void sv_notice_process(struct sv_cluster *cluster, const char *application, const char *name,
                       sv_instance_place instance, enum sv_process_news news);
void sv_answer(struct sv_cluster *cluster, uint64_t id, int fault, const char *text, bool value);
/* It is done: true, as soon as the others know it, too (confirm.c). */
void sv_confirm_answer(struct sv_cluster *cluster, uint64_t id, const char *text);

enum sv_instance_state sv_instance_state(const struct sv_cluster *cluster, sv_instance_place place);
/* RUNNING: it may be given work. */
bool sv_instance_is_running(const struct sv_cluster *cluster, sv_instance_place place);
const char *sv_instance_identifier(const struct sv_cluster *cluster, sv_instance_place place);
/* For people. */
const char *sv_instance_nick(const struct sv_cluster *cluster, sv_instance_place place);
/* The first instance on the same node: a number for the node. Itself, if its node is unknown. */
sv_instance_place sv_instance_node(const struct sv_cluster *cluster, sv_instance_place place);
/* SV_INSTANCE_NONE: nobody is called so. */
sv_instance_place sv_instance_find(const struct sv_cluster *cluster, const char *identifier);
/* Its CLOCK_MONOTONIC at our now, as well as it is known: for uptimes. 0: never heard of. */
uint64_t sv_instance_clock_ns(const struct sv_cluster *cluster, sv_instance_place place);

enum sv_supvisors_state sv_machine_state(const struct sv_cluster *cluster);
/* SV_INSTANCE_NONE: there is none at present. */
sv_instance_place sv_machine_master(const struct sv_cluster *cluster);
bool sv_machine_is_master(const struct sv_cluster *cluster);
/* Something was done that the state machine might wait for (jobs ended, conflict gone, processes
 * were lost): it is looked at again before the step ends. */
void sv_machine_wake(struct sv_cluster *cluster);
/* On the Master; elsewhere they do nothing. `why` in words. */
void sv_machine_restart(struct sv_cluster *cluster, const char *why);
void sv_machine_shutdown(struct sv_cluster *cluster, const char *why);

/* An instance that is RUNNING here, this one included, has starts or stops under way. */
bool sv_modes_have_jobs(const struct sv_cluster *cluster);

/*
 * Has the process started or stopped there, also when `instance` is this one. Returns the id by
 * which sv_commander_answered() tells what the instance thinks of it: exactly once, and not before
 * this function has returned. 0: it was refused at once, with the reason in *ret_why (borrowed
 * until the next step), and nothing is told later.
 */
uint64_t sv_command_start(struct sv_cluster *cluster, sv_instance_place instance,
                          const struct sv_member *member, const char *extra_arguments,
                          const char *text, const char **ret_why);
uint64_t sv_command_stop(struct sv_cluster *cluster, sv_instance_place instance,
                         const struct sv_member *member, const char *text, const char **ret_why);
/*
 * Whether a start of the process may be commanded now; another one may still be under way, though
 * its job was aborted, and with quorum a copy may still run where
 * nobody hears of it. False: *ret_why says it, and sv_commander_may_start() is called when it may
 * be so again.
 */
bool sv_quorum_may_start(struct sv_cluster *cluster, const struct sv_member *member,
                         const char **ret_why);
/* Tells everybody, and sv_model_force() here. */
void sv_forced_say(struct sv_cluster *cluster, const struct sv_mesh_forced *forced);
/* Somebody says what holds no more: everybody hears that it is over. */
void sv_forced_contradict(struct sv_cluster *cluster, const struct sv_member *member);

/* --- commander: what the members' half calls --- */

/* Creates cluster->commander, and the model in it. */
void sv_commander_new(struct sv_cluster *cluster, struct sv_rules *rules);
void sv_commander_free(struct sv_cluster *cluster);
/* The rules were read anew; a reference is taken. */
void sv_model_rules(struct sv_cluster *cluster, struct sv_rules *rules);

/* A row is new, has changed or (is_removed) is gone. Looks after everything that follows from it:
 * the states, jobs that wait for it, on the Master a running failure. */
void sv_model_put(struct sv_cluster *cluster, sv_instance_place instance,
                  const struct sv_mesh_process *row);
/* All rows of an instance come: put() for each, then end; what was not put in between is gone. The
 * rows of a snapshot are news, not events: nothing is a running failure because of them, except
 * what ran here by our last knowledge and now has ended. */
void sv_model_begin_snapshot(struct sv_cluster *cluster, sv_instance_place instance);
void sv_model_end_snapshot(struct sv_cluster *cluster, sv_instance_place instance);
/* Said by `from`, or no more (is_lifted). */
void sv_model_force(struct sv_cluster *cluster, sv_instance_place from,
                    const struct sv_mesh_forced *forced);
/* What `from` had said before is said by nobody now: it holds until the process tells something
 * newer, and who speaks for it next is whoever makes a snapshot. */
void sv_model_orphan_forced(struct sv_cluster *cluster, sv_instance_place from);
/* Its connection broke or it is silent: what it was told may be lost. Its rows still hold. */
void sv_commander_instance_failed(struct sv_cluster *cluster, sv_instance_place instance);
/* Its programs count as ended: running copies become FATAL, "Supervisor ... lost". Those that run
 * nowhere else are remembered in the model as lost, until a Master has handled them or they are
 * seen running again. */
void sv_model_lose(struct sv_cluster *cluster, sv_instance_place instance);
/* An instance became RUNNING, was discovered, or told its stereotypes: `@`, `#` and what waits for
 * a place may look again. */
void sv_commander_instance_running(struct sv_cluster *cluster, sv_instance_place instance);
/* A process there is in failure. */
bool sv_model_has_failure(const struct sv_cluster *cluster, sv_instance_place instance);
uint32_t sv_model_load(const struct sv_cluster *cluster, sv_instance_place instance);
bool sv_model_has_conflict(const struct sv_cluster *cluster); /* of managed applications */
bool sv_model_is_managed(const struct sv_cluster *cluster, const char *application);

/* Master. What is to start by itself: entering DISTRIBUTION. */
void sv_commander_start_applications(struct sv_cluster *cluster);
void sv_commander_stop_applications(struct sv_cluster *cluster);
/* Forgets all jobs; what was remembered in the model as lost stays. */
void sv_commander_abort(struct sv_cluster *cluster);
bool sv_commander_is_starting(const struct sv_cluster *cluster);
bool sv_commander_is_stopping(const struct sv_cluster *cluster);
/* Master, DISTRIBUTION to CONCILIATION: looks after the lost processes of the model. */
void sv_commander_handle_lost(struct sv_cluster *cluster);
/* Elsewhere: the Master's modes say OPERATION without jobs, and that `instance` is not RUNNING. It
 * has done what was to be done about the loss, so that the next Master need not do it again. */
void sv_commander_lost_is_handled(struct sv_cluster *cluster, sv_instance_place instance);
/* Master, CONCILIATION, and again while there is a conflict and no job is under way. */
void sv_commander_conciliate(struct sv_cluster *cluster);
/* Of a command; fault 0: it was accepted, the rows tell the rest. */
void sv_commander_answered(struct sv_cluster *cluster, uint64_t id, int fault, const char *text);
void sv_commander_may_start(struct sv_cluster *cluster);
/* All kinds but RESTART, SHUTDOWN and END_SYNC. */
void sv_commander_request(struct sv_cluster *cluster, const struct sv_cluster_request *request);
void sv_commander_request_gone(struct sv_cluster *cluster, uint64_t id);
/* The state of the machine has changed: who waits for one that allows his request may look. */
void sv_commander_state_changed(struct sv_cluster *cluster, enum sv_supvisors_state before);

#endif
