/* Meters of one cgroup: the kernel says when it runs short of something. See meters.c. */
#ifndef SV_IO_METERS_H
#define SV_IO_METERS_H

#include <svisor/resources.h>

#include "config/warn.h"
#include "io/cgroup.h"
#include "io/loop.h"

struct sv_meters;
typedef void (*sv_meters_function)(void *user, const struct sv_shortage *shortage);

enum sv_meter {
    SV_METER_MEMORY,   /* OOM_KILL, MEMORY_MAX, MEMORY_HIGH */
    SV_METER_TASKS,    /* TASKS_MAX */
    SV_METER_THROTTLE, /* CPU_THROTTLED */
    SV_METER_COUNT
};

/* Whether SV_METER_MEMORY tells of OOM kills. */
enum sv_meter_oom {
    SV_METER_OOM_UNTOLD,
    SV_METER_OOM_TOLD,   /* like everything else that it counts */
    SV_METER_OOM_PROMPT, /* each one at once */
};

enum sv_meters_scope {
    SV_METERS_FRESH,   /* a run that has just been born: all that the files count is news */
    SV_METERS_ADOPTED, /* a run of an earlier daemon: what they have counted is not */
    SV_METERS_GROUP,   /* the directory above the run; its own limits only */
};

/* Has no meters yet, and reads the leaf's directory while it lives. NULL without memory. */
struct sv_meters *sv_meters_new(struct sv_loop *loop, const struct sv_cgroup_leaf *leaf,
                                enum sv_meters_scope scope, sv_meters_function function,
                                void *user);
void sv_meters_free(struct sv_meters *meters); /* NULL is allowed; not inside of `function` */
/*
 * Negative errno: this cgroup has no such meter; -ENOENT: the kernel has no such file here.
 */
int sv_meters_add(struct sv_meters *meters, enum sv_meter meter, enum sv_meter_oom oom);
int sv_meters_add_pressure(struct sv_meters *meters, const struct sv_pressure_bound *bound);
/* What was found is about to be told: adds what has been counted since, and listens again. */
void sv_meters_catch_up(struct sv_meters *meters, struct sv_shortage *sum);
/* Calls `function` with what has been counted and not been reported: before the cgroup goes. */
void sv_meters_read(struct sv_meters *meters);

#endif
