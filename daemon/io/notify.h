/* What the daemon tells the service manager that has started it. See notify.c. */
#ifndef SV_IO_NOTIFY_H
#define SV_IO_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct sv_notify;

/* NULL in `ret_notify`: nobody wants to hear (NOTIFY_SOCKET is not set). Every function below takes
 * a NULL and does nothing. */
int sv_notify_new(struct sv_notify **ret_notify);
void sv_notify_free(struct sv_notify *notify);

void sv_notify_ready(struct sv_notify *notify);
/* A restart within the process: READY comes again. */
void sv_notify_reloading(struct sv_notify *notify);
void sv_notify_stopping(struct sv_notify *notify);
/* One line for `systemctl status`. */
void sv_notify_status(struct sv_notify *notify, const char *text);
/* How often sv_notify_watchdog() is wanted at least; 0: nobody watches. */
uint64_t sv_notify_watchdog_ns(const struct sv_notify *notify);
void sv_notify_watchdog(struct sv_notify *notify);
/* True for a variable of the environment that is the manager's word to svisord alone: its programs
 * must not inherit it. `variable` is "KEY=value". */
bool sv_notify_is_private(const char *variable);

#endif
