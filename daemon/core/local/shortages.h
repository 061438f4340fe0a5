/* When users hear that something ran short. See shortages.c. */
#ifndef SV_CORE_LOCAL_SHORTAGES_H
#define SV_CORE_LOCAL_SHORTAGES_H

#include "base/heap.h"
#include "base/idmap.h"
#include "core/core.h"

/* The zero value has heard of nothing. */
struct sv_shortages {
    struct sv_idmap watches; /* key of (process or group, resource) -> struct sv_shortage_watch */
    struct sv_heap due;      /* those that have something to tell */
};

void sv_shortages_done(struct sv_shortages *shortages);
/* Keeps what an SV_EVENT_SHORTAGE says until it is told. A group is known by the id of its first
 * process. */
void sv_shortages_hear(struct sv_shortages *shortages, const struct sv_event *event,
                       sv_process_id subject, struct sv_actions *actions);
/* Tells everything that is due. */
void sv_shortages_tell(struct sv_shortages *shortages, uint64_t now_ns, struct sv_actions *actions);
/* A run of the process has ended: what has gathered is told before its end is. */
void sv_shortages_end_run(struct sv_shortages *shortages, sv_process_id process, uint64_t now_ns,
                          struct sv_actions *actions);
/* The process, or the group, is gone. */
void sv_shortages_forget(struct sv_shortages *shortages, sv_process_id subject);
/* SV_NEVER: there is nothing to tell. */
uint64_t sv_shortages_due_ns(const struct sv_shortages *shortages);

#endif
