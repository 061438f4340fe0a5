/* Shared by world.c (what happens) and judge.c (whether the core's answer was right). */
#ifndef SV_TESTS_SIM_WORLD_INTERNAL_H
#define SV_TESTS_SIM_WORLD_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "core/core.h"
#include "core/local/restart.h"
#include "world.h"

enum { GROUPS = 7, PROGRAMS_MAX = 4, ACTORS_MAX = 4096, QUEUE_MAX = 8192, WAITING_MAX = 32 };

#define SECOND_NS UINT64_C(1000000000)

enum run_phase { RUN_NONE, RUN_ASKED, RUN_ALIVE };

/* One process as the world has it. */
struct actor {
    bool exists;
    int group; /* index */
    size_t program;
    const struct sv_program_config *config;
    uint32_t run;
    enum run_phase phase;
    bool has_strays;
    bool strays_killed;
    uint64_t strays_killed_ns;
    bool is_deaf;  /* to everything but SIGKILL */
    bool is_stuck; /* to SIGKILL too, until the world is healed */
    bool is_dying; /* its EXITED is under way */
    /* Health of the present run. */
    bool was_ready;  /* something said so that the core had to believe */
    bool is_probing; /* between PROBE_START and its answer or PROBE_STOP */
    uint32_t probe_serial;
    bool is_ended; /* the core ends the run by itself */
    uint64_t ended_ns;
    uint64_t ready_until_ns;  /* STARTING: then it must be ended */
    uint64_t stop_until_ns;   /* asked for by EXTEND: no SIGKILL before */
    uint64_t watched_from_ns; /* RUNNING: the last WATCHDOG=1, or what stands for it */
    /* As the notices tell it. */
    enum sv_process_state state;
    uint64_t stopping_since_ns;
    bool was_killed;
    bool is_stop_asked;        /* of this run, by request */
    bool is_restart_cancelled; /* by a stop request while EXITED */
    uint64_t killed_ns;
    enum sv_listener_state listener;
    bool has_event;
    uint64_t event_serial; /* pool serial */
};

struct pool_model {
    uint64_t waiting[WAITING_MAX]; /* pool serials, oldest first */
    size_t count;
    uint64_t next;
    size_t lost_expected, lost_reported;
};

struct answer {
    uint64_t due_ns;
    uint64_t sequence;
    struct sv_event event;
};

struct world {
    uint64_t seed, step, step_count, random;
    uint64_t shutdown_step; /* UINT64_MAX: only at the end */
    uint64_t now_ns;
    bool is_healed;
    bool is_stopping, is_restart, has_quit;
    struct sv_core *core;
    struct sv_actions actions;
    struct sv_program_config programs[GROUPS][PROGRAMS_MAX];
    struct sv_health_config healths[GROUPS][PROGRAMS_MAX];
    const struct sv_program_config *program_lists[GROUPS][PROGRAMS_MAX];
    struct sv_group_config groups[GROUPS];
    bool is_added[GROUPS];
    uint64_t added_at[GROUPS]; /* order of adding */
    sv_process_id first_id[GROUPS];
    struct pool_model pools[GROUPS];
    struct actor actors[ACTORS_MAX];
    sv_process_id last_id;
    struct answer queue[QUEUE_MAX];
    size_t queue_count;
    uint64_t sequence;
    struct sv_blob *blob;
    struct world_result result;
};

uint64_t draw(struct world *world, uint64_t bound); /* [0, bound) */
bool chance(struct world *world, unsigned percent);

/* Aborts with the seed and how to replay it. */
void demand(const struct world *world, bool is_kept, const char *promise, sv_process_id process);
/* What the event means to the judge, before the core is told. */
void judge_event(struct world *world, const struct sv_event *event);
void judge_action(struct world *world, const struct sv_action *action);
/* What must hold after each step. */
void judge_step(struct world *world);

#endif
