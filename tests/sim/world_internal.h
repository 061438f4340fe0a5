/* Shared by world.c (what happens), programs.c (who does it), choices.c (what else may happen),
 * rebirth.c (the daemon's death and the next one) and judge.c and judge_health.c (whether the core
 * was right). */
#ifndef SV_TESTS_SIM_WORLD_INTERNAL_H
#define SV_TESTS_SIM_WORLD_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "core/core.h"
#include "core/local/restart.h"
#include "world.h"

enum {
    GROUPS = 7,
    PROGRAMS_MAX = 4,
    ACTORS_MAX = 4096,
    QUEUE_MAX = 8192,
    WAITING_MAX = 32,
    SIGNS_MAX = 16
};

#define SECOND_NS UINT64_C(1000000000)

/* The main process of the current run as the core was told of it. */
enum run_phase { RUN_NONE, RUN_ASKED, RUN_ALIVE };

/* And as it is: what fork() has made of the last run that was really born. */
struct body {
    bool is_living;
    uint32_t run;
    int32_t pid;
    int wait_status;
};

/* One process as the world has it. */
struct actor {
    bool exists;
    bool is_reconfigured; /* at a restart of the daemon, with the same run or failures */
    int group;            /* index */
    size_t program;
    const struct sv_program_config *config;
    uint32_t run;
    enum run_phase phase;
    struct body body;
    bool has_strays;
    bool are_strays_ours; /* kill_mode=control-group when its main process ended */
    bool strays_killed;
    uint64_t strays_killed_ns;
    bool is_deaf;  /* to everything but SIGKILL */
    bool is_stuck; /* to SIGKILL too, until the world is healed */
    /* Health of the present run. */
    bool was_ready;  /* something said so that the core had to believe */
    bool is_probing; /* between PROBE_START and its answer or PROBE_STOP */
    uint32_t probe_serial;
    bool is_ended; /* the core ends the run by itself */
    uint64_t end_due_ns;
    uint64_t ready_until_ns;  /* STARTING: then it must be ended */
    uint64_t stop_until_ns;   /* asked for by EXTEND: no SIGKILL before */
    uint64_t watched_from_ns; /* RUNNING: the last WATCHDOG=1, or what stands for it */
    /* As the notices tell it. */
    enum sv_process_state state;
    uint64_t kill_due_ns;    /* STOPPING: SIGKILL by then */
    uint64_t running_due_ns; /* STARTING and alive, without ready=: RUNNING by then */
    uint64_t retry_due_ns;   /* BACKOFF: the next try by then */
    uint32_t tries;
    uint32_t ended_run; /* the last one whose end was told */
    uint32_t heard_run; /* likewise, over all daemons: what was told cannot be taken back */
    bool is_stop_sent;  /* the signal that begins the present stop, or end */
    bool are_strays_signalled;
    bool was_unknown;    /* in this run: no group waits for its strays, only QUIT does */
    bool is_stop_wanted; /* it was stopped by request: only a request brings it back */
    bool was_killed;
    bool is_stop_asked;        /* of this run, by request */
    bool is_restart_cancelled; /* by a stop request while EXITED */
    uint64_t killed_ns;
    uint64_t shortages[2][SV_RESOURCE_COUNT]; /* not told; [1]: of the group, for the first in it */
    uint64_t shortage_told_ns[2][SV_RESOURCE_COUNT];
    enum sv_listener_state listener;
    bool has_event;
    uint64_t event_serial; /* pool serial */
    /* The journal of the daemon. */
    uint64_t signs[SIGNS_MAX]; /* of the records that the next daemon may find, the oldest first */
    size_t sign_count;
};

/* What the journal says of one process. */
struct memory {
    bool is_known;
    struct sv_process_record record;
    char spawnerr[256];
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
    bool is_traced;
    bool is_healed;
    bool is_stopping, is_restart, has_quit;
    /* Deaths of the daemon. */
    unsigned death_permyriad; /* of the steps */
    bool is_doomed;           /* it dies in this step, when as many moments have passed */
    uint64_t moments_left;
    bool is_dead;
    bool is_adopting, is_performing;
    size_t performed_count, told_count;
    struct sv_str journal, scratch;
    struct actor before[ACTORS_MAX]; /* the doomed step began */
    struct actor former[GROUPS][PROGRAMS_MAX];
    struct memory memories[GROUPS][PROGRAMS_MAX];
    struct sv_core *core;
    struct sv_actions actions, tellings;
    struct sv_program_config programs[GROUPS][PROGRAMS_MAX];
    struct sv_health_config healths[GROUPS][PROGRAMS_MAX];
    const struct sv_program_config *program_lists[GROUPS][PROGRAMS_MAX];
    struct sv_group_config groups[GROUPS];
    bool is_added[GROUPS];
    uint64_t added_at[GROUPS]; /* order of adding */
    uint64_t add_count;
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

/* world.c */
uint64_t draw(struct world *world, uint64_t bound); /* [0, bound) */
bool chance(struct world *world, unsigned percent);
/* One event, and all that follows from it at once. */
void step(struct world *world, struct sv_event event);
/* The same within a step: what it makes the core want is done after what was wanted before. */
void feed(struct world *world, struct sv_event event);
/* Does what the core wants, each thing after the journal has it. */
void pump(struct world *world);
struct answer *next_answer(struct world *world);

/* programs.c */
void later(struct world *world, uint64_t delay_ns_max, struct sv_event event);
void perform_spawn(struct world *world, const struct sv_action *action);
void perform_signal(struct world *world, const struct sv_action *action);
void perform_kill_cgroup(struct world *world, const struct sv_action *action);
void perform_probe(struct world *world, const struct sv_action *action);
/* fork() has made it. */
void be_born(struct world *world, sv_process_id id, uint32_t run);
void end_body(struct world *world, struct actor *actor, int wait_status);
/* What follows from an event in the world itself. */
void live_on(struct world *world, const struct sv_event *event, enum run_phase before);

/* choices.c */
void request(struct world *world);
void listener_acts(struct world *world, sv_process_id id);
void draw_program(struct world *world, int group, size_t index);
void draw_configuration(struct world *world);

/* rebirth.c */
/* At the begin of a step that the daemon may not survive. */
void begin_turn(struct world *world, unsigned permyriad, uint64_t moments);
/* Writes down what the core knows of a process. False: the daemon died of it. */
bool note(struct world *world, sv_process_id id);
void forget(struct world *world, sv_process_id id);
void push_signs(struct world *world);
/* The former books of a process that a new core has. */
void inherit(struct world *world, sv_process_id id);
void be_reborn(struct world *world);

/* trace.c */
void trace_event(const struct world *world, const struct sv_event *event);
void trace_action(const struct world *world, const struct sv_action *action);
void trace_death(const struct world *world);

/* judge.c */
/* Aborts with the seed and how to replay it. */
void demand(const struct world *world, bool is_kept, const char *promise, sv_process_id process);
/* What the event means to the judge, before the core is told. */
void judge_event(struct world *world, const struct sv_event *event);
void judge_action(struct world *world, const struct sv_action *action);
/* What must hold after each step. */
void judge_step(struct world *world);

/* judge_health.c */
bool decides_ready(const struct actor *actor);
/* By when one that is STARTING and alive must be RUNNING or ended. */
void await_running(const struct world *world, struct actor *actor);
void judge_probe(struct world *world, const struct sv_action *action);
/* The core says what it has found: it is to be heard, and followed by what was configured. */
void judge_finding(struct world *world, const struct sv_action *action);
/* A word of the program, or the answer of a probe, for the run that it has. */
void judge_word(const struct world *world, struct actor *actor, const struct sv_event *event);
/* Every deadline of health is kept, and what has to go does go. */
void judge_health(const struct world *world, const struct actor *actor, sv_process_id id);

#endif
