/* The cgroup that systemd gives to the programs. See cgroup_systemd.c. */
#ifndef SV_IO_CGROUP_SYSTEMD_H
#define SV_IO_CGROUP_SYSTEMD_H

#include "io/cgroup_place.h"

/* The environment of svisord.service names the unit whose cgroup the programs get. */
#define SV_PROGRAMS_UNIT_VARIABLE "SVISOR_PROGRAMS_UNIT"

struct sv_cgroup_scope;

/*
 * Asks systemd, where it is the init of this machine, and adds what it gives to the places, as the
 * best one. What it refuses is logged, and the other places remain. `ret_scope` is not NULL when a
 * scope was made: free it when the tree is gone.
 */
void sv_cgroup_systemd_ask(const char *identifier, struct sv_cgroup_place *place,
                           struct sv_cgroup_scope **ret_scope);
/* True when systemd is about to end what the programs live in: their unit or their scope, as at a
 * shutdown of the machine. */
bool sv_cgroup_systemd_is_going(const char *identifier);
/* Ends the holder; systemd takes the scope away when nobody else lives in it. NULL is allowed. */
void sv_cgroup_scope_free(struct sv_cgroup_scope *scope);

#endif
