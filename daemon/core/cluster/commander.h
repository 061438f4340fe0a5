/*
 * What is to be started and stopped over many instances, in which order, and who waits for it.
 *
 *     request, failure, conflict -> job of an application -> orders, one per process -> commands
 *
 * Shared by the modules of the commander; internal.h has what the members' half calls.
 */
#ifndef SV_CORE_COMMANDER_H
#define SV_CORE_COMMANDER_H

#include "core/cluster/internal.h"
#include "core/cluster/placement.h"

enum sv_order_stage {
    SV_ORDER_PLANNED,
    SV_ORDER_PICKED, /* its sequence is being worked off */
    SV_ORDER_HELD,   /* a start that quorum does not allow now */
    SV_ORDER_SENT,   /* STARTING or STOPPING is awaited */
    SV_ORDER_BEGUN,  /* RUNNING, or the end, is awaited */
    SV_ORDER_EXIT,   /* wait_exit: it runs, its end is awaited without limit */
};

/* One process to be started, or to be stopped in one instance. */
struct sv_order {
    struct sv_timer timer;
    struct sv_commander *commander;
    struct sv_job *job;
    struct sv_member *member;
    int32_t sequence;
    enum sv_order_stage stage;
    sv_instance_place target; /* SV_INSTANCE_NONE: not chosen yet */
    uint64_t command_id;      /* 0: none */
    enum sv_starting_strategy strategy;
    bool ignores_wait_exit; /* a start outside of the sequence of its application */
    char *extra_arguments;  /* NULL: those of its last start */
};

/* To be started when the stop job is done. */
struct sv_restart {
    struct sv_member *member; /* NULL: the application */
    enum sv_starting_strategy strategy;
    char *extra_arguments; /* NULL: those of its last start */
};

/* What is done about one application. */
struct sv_job {
    const struct sv_sequencer_kind *kind;
    struct sv_application *application;
    int32_t sequence;
    uint64_t batch; /* what was planned with it: its numbers count among these */
    bool is_next, is_current;
    struct sv_member *cause;  /* the running failure that it is about; NULL: none */
    struct sv_order **orders; /* planned and under way, as they were asked for */
    size_t order_count, order_capacity;
    /* Starts. */
    enum sv_starting_strategy strategy;
    struct sv_places places; /* SINGLE_INSTANCE, SINGLE_NODE: all it may use, once it is current */
    bool stops_after;        /* starting_failure_strategy STOP */
    /* Stops. */
    struct sv_restart *restarts;
    size_t restart_count, restart_capacity;
};

/* All starts, or all stops. */
struct sv_sequencer {
    const struct sv_sequencer_kind *kind;
    struct sv_job **jobs;
    size_t job_count, job_capacity;
};

struct sv_sequencer_kind {
    bool is_highest_first;
    /* The job becomes current. May be NULL. */
    void (*before)(struct sv_commander *commander, struct sv_job *job);
    /* False: there is nothing (more) to wait for. */
    bool (*begin)(struct sv_commander *commander, struct sv_order *order);
    /* The job is done, and already out of the sequencer. */
    void (*after)(struct sv_commander *commander, struct sv_job *job);
    /* What was awaited did not come in time. */
    void (*late)(struct sv_commander *commander, struct sv_order *order);
};
extern const struct sv_sequencer_kind sv_starter_kind, sv_stopper_kind;

/* What is to be done about a running failure, once its application has no job. */
struct sv_failure {
    enum sv_running_failure_strategy strategy; /* RESTART_PROCESS and what is about applications */
    struct sv_application *application;
    struct sv_member *cause; /* what failed; of several the last */
};

struct sv_waiter;

struct sv_commander {
    struct sv_cluster *cluster;
    struct sv_model *model;        /* the cluster's, or the copy that a prediction works on */
    struct sv_prediction_run *run; /* NULL: this is real */
    struct sv_sequencer starts, stops;
    uint64_t batch; /* of what is planned now */
    struct sv_failure *failures;
    size_t failure_count, failure_capacity;
    struct sv_waiter **waiters;
    size_t waiter_count, waiter_capacity;
    bool was_starting, was_stopping, had_conflict; /* as the machine was told */
    bool has_ended;                                /* an order or a job: waiters may look */
    /* Instances and loads, with all that is on its way: made when a place is looked for. */
    bool has_scene;
    struct sv_sites sites;
    struct sv_loads loads;
    sv_instance_place snapshot; /* the instance whose rows are being told anew; else NONE */
};

/* ---- commander.c ---- */

/* Works off everything that can be done now: after every change. */
void sv_commander_settle(struct sv_commander *commander);
/* A decision, a refusal: for the log, and kept as the member's (may be NULL) last word. */
void sv_commander_say(struct sv_commander *commander, enum sv_log_level level,
                      struct sv_member *member, const char *format, ...) SV_PRINTF(4, 5);
/* Shows `state` for a process that did not do what was asked. */
void sv_commander_force(struct sv_commander *commander, struct sv_member *member,
                        sv_instance_place target, enum sv_process_state state, const char *reason);
/* Supervisor's make_namespec(): "group:name", or the name where both are the same. */
void sv_namespec(struct sv_str *str, const struct sv_member *member);
/* The margin of every deadline. */
uint64_t sv_commander_margin_ns(const struct sv_commander *commander);

/* ---- sequencer.c ---- */

void sv_sequencer_done(struct sv_commander *commander, struct sv_sequencer *sequencer);
/* The job of the application: under way, else planned; NULL: none. */
struct sv_job *sv_sequencer_job(const struct sv_sequencer *sequencer,
                                const struct sv_application *application);
/* A new one, behind the others. A planned one of the same application and number is replaced;
 * its restarts are kept. */
struct sv_job *sv_sequencer_plan(struct sv_commander *commander, struct sv_sequencer *sequencer,
                                 struct sv_application *application, int32_t sequence);
struct sv_order *sv_job_add(struct sv_commander *commander, struct sv_job *job,
                            struct sv_member *member, int32_t sequence);
/* The order about the member, and about this target if it is not SV_INSTANCE_NONE. */
struct sv_order *sv_job_order(const struct sv_job *job, const struct sv_member *member,
                              sv_instance_place target);
void sv_job_drop_planned(struct sv_job *job);
void sv_order_end(struct sv_order *order);
bool sv_order_is_under_way(const struct sv_order *order);
void sv_order_arm(struct sv_order *order, uint64_t delay_ns);
/* Begins what can begin, and ends what is done. True: something of it happened. */
bool sv_sequencer_next(struct sv_commander *commander, struct sv_sequencer *sequencer);
/* The member is going away. */
void sv_sequencer_forget(struct sv_commander *commander, struct sv_sequencer *sequencer,
                         const struct sv_member *member);
/* Calls `visit` for every order, for some more than once when it ends several. */
void sv_sequencer_each(struct sv_sequencer *sequencer,
                       void (*visit)(struct sv_order *order, void *user), void *user);

/* ---- starter.c ---- */

/* Plans only: sv_sequencer_next() begins. NULL: nothing of it is in a start sequence. */
struct sv_job *sv_start_application(struct sv_commander *commander,
                                    struct sv_application *application,
                                    enum sv_starting_strategy strategy);
/* What starts by itself: see docs/rules.md. */
void sv_start_all(struct sv_commander *commander);
/* `extra_arguments` NULL: those of its last start. NULL: it is not stopped. */
struct sv_job *sv_start_process(struct sv_commander *commander, struct sv_member *member,
                                enum sv_starting_strategy strategy, const char *extra_arguments);
enum sv_start_news {
    SV_START_NEWS_NONE,         /* no start has failed */
    SV_START_NEWS_FAILED,       /* the start that was under way */
    SV_START_NEWS_FAILED_AGAIN, /* and it was begun because of a failure */
};
/* The row of the process in this instance is news. */
enum sv_start_news sv_starter_news(struct sv_commander *commander, struct sv_member *member,
                                   sv_instance_place instance);
void sv_starter_lost(struct sv_commander *commander, sv_instance_place instance);
void sv_starter_answered(struct sv_commander *commander, struct sv_order *order, int fault,
                         const char *text);
void sv_starter_release(struct sv_commander *commander); /* of what quorum held */
/* Where it would run now. The words are appended. */
sv_instance_place sv_starter_find_place(struct sv_commander *commander,
                                        const struct sv_member *member,
                                        enum sv_starting_strategy strategy, struct sv_str *ret_why);

/* ---- starter_place.c ---- */

/* Instances, loads and requests as they are now; kept until it is dropped. */
void sv_commander_make_scene(struct sv_commander *commander);
void sv_commander_drop_scene(struct sv_commander *commander);
/* Before the first order of a job: SINGLE_INSTANCE and SINGLE_NODE give all of them their places.
 */
void sv_starter_place_whole(struct sv_commander *commander, struct sv_job *job);
/* Gives the order its target. False: there is none; the words say why. */
bool sv_starter_place(struct sv_commander *commander, struct sv_order *order,
                      struct sv_str *ret_why);

/* ---- stopper.c ---- */

/* NULL: nothing of it runs. */
struct sv_job *sv_stop_application(struct sv_commander *commander,
                                   struct sv_application *application);
void sv_stop_all(struct sv_commander *commander);
/* Where it runs; but for `spared`, which may be SV_INSTANCE_NONE. */
void sv_stop_process(struct sv_commander *commander, struct sv_member *member,
                     sv_instance_place spared);
/* The stop job, or where nothing runs the start job; NULL: there is nothing to do. */
struct sv_job *sv_restart_application(struct sv_commander *commander,
                                      struct sv_application *application,
                                      enum sv_starting_strategy strategy);
struct sv_job *sv_restart_process(struct sv_commander *commander, struct sv_member *member,
                                  enum sv_starting_strategy strategy, const char *extra_arguments);
void sv_stopper_news(struct sv_commander *commander, struct sv_member *member,
                     sv_instance_place instance);
void sv_stopper_lost(struct sv_commander *commander, sv_instance_place instance);
void sv_stopper_answered(struct sv_commander *commander, struct sv_order *order, int fault,
                         const char *text);

/* ---- failure.c ---- */

/* By its rule, with promotion. */
void sv_failure_add(struct sv_commander *commander, struct sv_member *member);
/* It was remembered as lost. */
void sv_failure_take_up(struct sv_commander *commander, struct sv_member *member);
/* It has crashed: its instance told so. */
void sv_failure_crashed(struct sv_commander *commander, struct sv_member *member,
                        enum sv_start_news start);
/* True: something was begun. */
bool sv_failure_trigger(struct sv_commander *commander);
/* What was not done yet is remembered in the model, for the next Master or the next turn of this
 * one. The jobs must still be there. */
void sv_failure_abort(struct sv_commander *commander);
void sv_failure_forget(struct sv_commander *commander, const struct sv_member *member);

/* ---- conciliation.c ---- */

void sv_conciliate(struct sv_commander *commander, enum sv_conciliation_strategy strategy);
/* Of one process, if it runs more than once. */
void sv_conciliate_member(struct sv_commander *commander, struct sv_member *member,
                          enum sv_conciliation_strategy strategy);

/* ---- prediction.c ---- */

/* Send the answer. SV_REQUEST_PREDICT_*: what runs of it counts as stopped. */
void sv_predict_application(struct sv_commander *commander,
                            const struct sv_cluster_request *request,
                            struct sv_application *application);
void sv_predict_processes(struct sv_commander *commander, const struct sv_cluster_request *request,
                          struct sv_member *const *members, size_t member_count);
/* What a prediction does instead of a command. */
void sv_prediction_start(struct sv_commander *commander, struct sv_order *order);

/* ---- waiting.c ---- */

enum sv_waiting_for {
    SV_WAIT_APPLICATION_RUNNING,
    SV_WAIT_APPLICATION_STARTED, /* not STOPPED */
    SV_WAIT_APPLICATION_STOPPED,
    SV_WAIT_PROCESSES_STARTED,
    SV_WAIT_PROCESSES_STOPPED,
    SV_WAIT_ALL, /* whatever comes of it */
};
struct sv_waiter_config {
    uint64_t request;
    enum sv_waiting_for what;
    struct sv_application *application;
    struct sv_member *const *members;
    size_t member_count;
    const char *result; /* START_ANY_PROCESS: the namespec; else NULL */
};
void sv_waiter_add(struct sv_commander *commander, const struct sv_waiter_config *config);
void sv_waiters_look(struct sv_commander *commander);
/* Nobody goes on with what they wait for. */
void sv_waiters_abort(struct sv_commander *commander);
void sv_waiters_forget_member(struct sv_commander *commander, const struct sv_member *member);
void sv_waiters_forget_application(struct sv_commander *commander,
                                   const struct sv_application *application);
void sv_waiters_forget_request(struct sv_commander *commander, uint64_t request);
void sv_waiters_done(struct sv_commander *commander);

#endif
