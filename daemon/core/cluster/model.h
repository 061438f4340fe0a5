/*
 * What is known of applications and processes over all instances, and what follows from it.
 *
 * model.c keeps the rows that instances tell; process_state.c and application_state.c derive from
 * them what people call the state of a process or an application (Supvisors 0.19: process.py,
 * application.py); assignment.c resolves `@` and `#`. Everything is found by name or by place; a
 * place changes only when something before it is removed.
 */
#ifndef SV_CORE_MODEL_H
#define SV_CORE_MODEL_H

#include "base/arena.h"
#include "base/map.h"
#include "config/identifiers.h"
#include "port/cluster.h"

struct sv_copy { /* a process in one instance: the row that the instance told */
    sv_instance_place instance;
    struct sv_mesh_process row; /* its strings are the copy's own */
    char *texts;                /* where they are */
    uint64_t received_ns;       /* our clock: when it last came to another state */
    bool has_crashed;
    bool is_told; /* while a snapshot of its instance comes: it was in it */
};

struct sv_member { /* a process of an application, over all instances */
    char *name;
    struct sv_application *application;
    size_t place; /* in the application */
    struct sv_process_rules rules;
    sv_instance_place assigned; /* by `@` or `#`; SV_INSTANCE_NONE */
    struct sv_copy *copies;     /* by instance */
    size_t copy_count, copy_capacity;
    /* STARTING, BACKOFF or RUNNING there, or a STOPPING that has not ended; by instance. */
    sv_instance_place *running;
    size_t running_count, running_capacity;
    enum sv_process_state state; /* synthetic */
    bool is_expected_exit;
    bool is_forced;
    bool is_outdated; /* it has told something since; who forced it will say so */
    enum sv_process_state forced_state;
    char *forced_reason;
    sv_instance_place forced_target; /* where it was asked for; SV_INSTANCE_NONE */
    uint64_t forced_event_ns, forced_serial;
    sv_instance_place forced_by; /* who says so; SV_INSTANCE_NONE: it is not there any more */
    /* It ran in an instance that was lost, or has failed otherwise, and what is to be done about it
     * was not done yet: the next Master finds it here, whoever is Master then. */
    bool is_lost;
    sv_instance_place lost_with; /* SV_INSTANCE_NONE: it failed otherwise */
    char *extra_arguments;       /* of its last start; never NULL */
    char *why;                   /* the last decision about it, in words; NULL */
    uint64_t last_event_ns;
    uint32_t command_count; /* commands about it, planned, under way or deferred */
};

/* How many processes of an application are shown in which states: its own state follows. */
struct sv_tally {
    size_t starting, running, stopping; /* starting: BACKOFF too */
    size_t failed, failed_required;
    size_t stopped_required; /* STOPPED, not EXITED */
};

struct sv_application {
    char *name;
    size_t place;
    struct sv_application_rules rules;
    struct sv_member **members; /* in the order in which they became known */
    size_t member_count, member_capacity;
    struct sv_map by_name; /* the members */
    struct sv_tally tally;
    enum sv_application_state state;
    bool has_major_failure, has_minor_failure;
    const struct sv_formula_binding *formula; /* bound to the members as they are; NULL: none */
    struct sv_arena formula_arena;
    bool is_formula_stale;
    bool is_stale;                     /* state and failures are to be derived anew */
    struct sv_application *next_stale; /* of the model */
    uint32_t job_count;                /* jobs about it, planned, under way or deferred */
};

struct sv_model {
    struct sv_application **applications; /* in the order in which they became known */
    size_t application_count, application_capacity;
    struct sv_map by_name;
    struct sv_rules *rules; /* NULL: none */
    enum sv_starting_strategy default_strategy;
    struct sv_pattern_match *match;
    struct sv_application *stale;
    uint32_t *loads; /* per cent, by instance: what runs there is expected to need */
    size_t load_count;
    size_t conflict_count; /* members of managed applications that run more than once */
    size_t lost_count;     /* members with is_lost */
    sv_instance_place local;
    uint64_t forced_serial; /* the greatest that was heard of */
};

static inline bool sv_state_is_running(enum sv_process_state state)
{
    return state == SV_PROCESS_STARTING || state == SV_PROCESS_BACKOFF ||
           state == SV_PROCESS_RUNNING;
}
static inline bool sv_state_is_stopped(enum sv_process_state state)
{
    return state == SV_PROCESS_STOPPED || state == SV_PROCESS_EXITED || state == SV_PROCESS_FATAL ||
           state == SV_PROCESS_UNKNOWN;
}

/* ---- model.c ---- */

/* The zero value is no model. `rules` (may be NULL): a reference is taken. */
void sv_model_init(struct sv_model *model, struct sv_rules *rules,
                   enum sv_starting_strategy default_strategy);
void sv_model_done(struct sv_model *model);
/* Other rules for everything that is known; a reference is taken. */
void sv_model_use_rules(struct sv_model *model, struct sv_rules *rules);

/* NULL: there is none. */
struct sv_application *sv_model_application(const struct sv_model *model, const char *name);
struct sv_member *sv_application_member(const struct sv_application *application, const char *name);
/* NULL: the instance does not have it. Borrowed until the next row. */
struct sv_copy *sv_member_copy(const struct sv_member *member, sv_instance_place instance);

enum sv_row_effect {
    SV_ROW_DETAILS, /* nothing that a state depends on */
    SV_ROW_EVENT,   /* it came to this state */
    SV_ROW_NEW,     /* the instance had no such process */
};
/* A row that an instance told: `row` need not outlive the call. */
enum sv_row_effect sv_model_tell(struct sv_model *model, sv_instance_place instance,
                                 const struct sv_mesh_process *row, uint64_t now_ns,
                                 struct sv_member **ret_member);
/* What users are told of it. */
enum sv_process_news sv_row_news(enum sv_row_effect effect, bool is_snapshot,
                                 bool is_only_disability);
/* The instance has the process no more. True: nobody has it; sv_model_drop() it then. */
bool sv_model_untell(struct sv_model *model, struct sv_member *member, sv_instance_place instance);
/* Frees it, and its application with the last one. True: the application went. */
bool sv_model_drop(struct sv_model *model, struct sv_member *member);
/* Its instance was lost. True: it ran there, and is FATAL there now; is_lost is set if it ran
 * nowhere else. */
bool sv_member_lose(struct sv_model *model, struct sv_member *member, sv_instance_place instance,
                    const char *identifier, uint64_t now_ns);
/* The same for a failure that was not looked after to its end. */
void sv_member_remember_lost(struct sv_model *model, struct sv_member *member);
void sv_member_update(struct sv_model *model, struct sv_member *member);
/* malloc()ed; never NULL, but for NULL. */
char *sv_text_copy(const char *text);
/* Says what was decided about it; takes a copy. */
void sv_member_set_why(struct sv_member *member, const char *why);

/* ---- process_state.c ---- */

/* Adds (1) or takes away (-1) what it counts for in the sums of the model and its application:
 * around every change. */
void sv_member_weigh(struct sv_model *model, struct sv_member *member, int sign);
/* The same for the sums of the model only. */
void sv_member_weigh_load(struct sv_model *model, const struct sv_member *member, int sign);

/* What is known of the member changed: `state` is the new one in `instance`. */
void sv_member_news(struct sv_model *model, struct sv_member *member, sv_instance_place instance,
                    enum sv_process_state state);
enum sv_process_state sv_member_shown_state(const struct sv_member *member);
/* FATAL, or EXITED and not expected to. */
bool sv_member_is_crashed(const struct sv_member *member);
bool sv_row_is_crashed(const struct sv_mesh_process *row);
/* The process is starting or running, and does so in this instance. */
bool sv_member_is_running_on(const struct sv_member *member, sv_instance_place instance);
bool sv_member_is_disabled(const struct sv_member *member); /* wherever it is known */
/* What it runs for, by the clock of its instance. `now_ns` is of the same clock. */
uint64_t sv_copy_uptime_ns(const struct sv_copy *copy, uint64_t now_ns);

struct sv_forced {
    enum sv_process_state state;
    const char *reason;
    sv_instance_place target; /* SV_INSTANCE_NONE: nowhere */
    sv_instance_place by;
    uint64_t event_ns;
    uint64_t serial;
};
/* False: the target has told something newer, or a greater serial holds: nothing is forced. */
bool sv_member_force(struct sv_model *model, struct sv_member *member,
                     const struct sv_forced *forced, uint64_t now_ns);
void sv_member_unforce(struct sv_model *model, struct sv_member *member);
/* The process has told something: what is forced here holds no more. What others force they lift
 * themselves, so that all agree on what came first. */
void sv_member_outdate(struct sv_model *model, struct sv_member *member);
/* What was forced with that serial holds no more. */
bool sv_member_knows_end(const struct sv_member *member, uint64_t serial);
/* Who forced it is not there any more. */
void sv_member_orphan(struct sv_model *model, struct sv_member *member);

/* ---- application_state.c ---- */

void sv_application_count(struct sv_member *member, int sign);
void sv_application_set_stale(struct sv_model *model, struct sv_application *application);
/* Derives state and failures anew if need be. True: one of them is another now. */
bool sv_application_refresh(struct sv_model *model, struct sv_application *application);
bool sv_application_has_running(const struct sv_application *application);
/* It is in the start sequence, also with number 0. */
bool sv_member_is_sequenced(const struct sv_member *member);
/* Nothing of it was ever started. */
bool sv_application_is_untouched(const struct sv_application *application);
/* The sum of expected_loading over what its start would start. */
uint32_t sv_application_start_load(const struct sv_application *application);

/* ---- assignment.c ---- */

struct sv_sites;
/* Gives their instances to the processes with `@` and `#`, for good. */
void sv_application_assign(struct sv_application *application, const struct sv_sites *sites);

#endif
