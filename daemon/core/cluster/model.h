/*
 * What is known of applications and processes over all instances, and what follows from it.
 *
 * model.c keeps the rows that instances tell; process_state.c and application_state.c derive from
 * them what people call the state of a process or an application (Supvisors 0.19: process.py,
 * application.py). Everything is found by name or by place, and places never change.
 */
#ifndef SV_CORE_CLUSTER_MODEL_H
#define SV_CORE_CLUSTER_MODEL_H

#include "base/arena.h"
#include "base/map.h"
#include "port/cluster.h"

struct sv_copy { /* a process in one instance: the row that the instance told */
    sv_instance_place instance;
    struct sv_mesh_process row; /* its strings are the copy's own */
    char *texts;                /* where they are */
    uint64_t received_ns;       /* our clock; the newest of two tells what is shown */
    bool has_crashed;
};

struct sv_member { /* a process of an application, over all instances */
    char *name;
    struct sv_application *application;
    size_t place; /* in the application */
    struct sv_process_rules rules;
    uint32_t assigned; /* by `@` or `#`; SV_INSTANCE_NONE */
    struct sv_copy *copies;
    size_t copy_count, copy_capacity;
    sv_instance_place *running; /* STARTING, BACKOFF or RUNNING there, or a STOPPING that has not ended */
    size_t running_count, running_capacity;
    enum sv_process_state state; /* synthetic */
    bool is_expected_exit;
    bool is_forced;
    enum sv_process_state forced_state;
    char *forced_reason;
    char *extra_arguments;
    char *why; /* the last decision about it, in words; NULL */
    uint64_t last_event_ns;
};

struct sv_application {
    char *name;
    size_t place;
    struct sv_application_rules rules;
    struct sv_member **members; /* in the order in which they became known */
    size_t member_count, member_capacity;
    enum sv_application_state state;
    bool has_major_failure, has_minor_failure;
    const struct sv_formula_binding *formula; /* bound to the members as they are; NULL: none */
};

struct sv_model {
    struct sv_application **applications; /* in the order in which they became known */
    size_t application_count, application_capacity;
    struct sv_map by_name;
    struct sv_rules *rules;
    enum sv_starting_strategy default_strategy;
};

static inline bool sv_state_is_running(enum sv_process_state state)
{
    return state == SV_PROCESS_STARTING || state == SV_PROCESS_BACKOFF ||
           state == SV_PROCESS_RUNNING;
}
static inline bool sv_state_is_stopped(enum sv_process_state state)
{
    return state == SV_PROCESS_STOPPED || state == SV_PROCESS_EXITED ||
           state == SV_PROCESS_FATAL || state == SV_PROCESS_UNKNOWN;
}

#endif
