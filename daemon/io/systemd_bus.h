/* What svisord asks of systemd over D-Bus. See systemd_bus.c. */
#ifndef SV_IO_SYSTEMD_BUS_H
#define SV_IO_SYSTEMD_BUS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/str.h"

struct sv_systemd;

/* True when systemd is the init of this machine. */
bool sv_systemd_is_init(void);

/* Every call waits for its answer, at most SV_SYSTEMD_WAIT_SECONDS, and returns 0 or a negative
 * errno. Only for the start of the daemon and for its end. */
int sv_systemd_open(struct sv_systemd **ret_systemd);
void sv_systemd_close(struct sv_systemd *systemd); /* NULL is allowed */
/* The cgroup of a unit, as /proc/PID/cgroup shows it. -ENOENT: the unit is not running. */
int sv_systemd_unit_cgroup(struct sv_systemd *systemd, const char *unit, struct sv_str *ret_path);
/* True when a job waits or runs that ends the unit: a stop, or a restart. False also when that
 * cannot be learnt. */
bool sv_systemd_unit_is_going(struct sv_systemd *systemd, const char *unit);
/* Makes a scope with a cgroup that is ours, and moves the process into it. -EEXIST: there is one of
 * that name. -ESRCH, also of the next: systemd is in another PID namespace. */
int sv_systemd_start_scope(struct sv_systemd *systemd, const char *unit, pid_t pid);
/* Moves a process into `leaf` below the cgroup of a unit with Delegate=yes. */
int sv_systemd_attach(struct sv_systemd *systemd, const char *unit, const char *leaf, pid_t pid);

#endif
