/* What the files of core/ share: the core itself, and the way from it to its processes. */
#ifndef SV_CORE_CORE_INTERNAL_H
#define SV_CORE_CORE_INTERNAL_H

#include "base/heap.h"
#include "core/core.h"
#include "core/local/group.h"
#include "core/local/shortages.h"

/* `shortage` and `report`. */
enum { OWN_ALARMS = 2 };

enum core_phase { PHASE_NEW, PHASE_BEGUN, PHASE_OVER };

struct sv_core {
    struct sv_groups groups;
    struct sv_map disabled; /* programs, by name */
    struct sv_shortages shortages;
    struct sv_heap alarms;
    struct sv_heap_node shortage; /* the next one that is to be told */
    struct sv_heap_node report;   /* the next "waiting for … to die" */
    struct sv_random random;
    uint64_t next_serial; /* of events for listeners, over all pools */
    uint64_t last_now_ns;
    size_t stop_count; /* groups whose turn to stop is not over: by_priority[0 … stop_count - 1] */
    enum core_phase phase;
    enum sv_supervisor_state state;
};

typedef void event_function(struct sv_core *core, const struct sv_event *event,
                            struct sv_step *step);

/* The only way from here to a process: its group's counts and its pool follow every change. */
void sv_core_tell(struct sv_core *core, struct sv_group *group, struct sv_process *process,
                  const struct sv_process_event *event, struct sv_step *step);
void sv_core_tell_pool(struct sv_group *group, const struct sv_process *process,
                       struct sv_step *step);
void sv_core_notice(enum sv_notice_type type, enum sv_reason reason, const char *group_name,
                    struct sv_step *step);

/* core_groups.c */
extern const struct sv_process_event sv_core_autostart_event;
/* By the shutdown of an earlier daemon, while this one does not stop. */
bool sv_core_is_shut_down(const struct sv_process *process);
/* Starts what is autostart and has never run, or was shut down. */
void sv_core_autostart(struct sv_core *core, struct sv_group *group, struct sv_step *step);
event_function sv_core_on_group_add;
event_function sv_core_on_group_remove;
event_function sv_core_on_restore;
event_function sv_core_on_restore_serials;
event_function sv_core_on_restore_event;
event_function sv_core_on_disable;
event_function sv_core_on_process_add;
event_function sv_core_on_retire;

#endif
