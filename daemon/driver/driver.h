/*
 * The driver joins the core to the world: it takes events in bounded batches, steps the core,
 * performs its actions and arms one timer. It decides nothing.
 */
#ifndef SV_DRIVER_DRIVER_H
#define SV_DRIVER_DRIVER_H

#include <stdbool.h>

#include "base/str.h"
#include "config/load.h"
#include "io/daemon_log.h"
#include "io/inherit.h"
#include "io/notify.h"

struct sv_driver;

/* How svisord was started: what it executes to become its successor. */
struct sv_self {
    const char *path;       /* absolute; not resolved, so that a link may lead elsewhere by now */
    char *const *arguments; /* NULL-terminated */
};

struct sv_driver_options {
    struct sv_config *config;                    /* a reference of it is taken */
    const struct sv_config_host *host;           /* to read the files again; kept */
    const struct sv_config_overrides *overrides; /* likewise */
    struct sv_daemon_log *log;                   /* kept; NULL: none */
    struct sv_notify *notify;                    /* kept; NULL: none */
    const struct sv_self *self;                  /* kept; NULL: not known */
    struct sv_inherited *inherited;              /* kept: sockets come out of it, and go into it */
    uint64_t nofile_soft; /* the limit that programs are to have back; 0: as it is */
    bool is_bpf_wanted;
};

/* Opens the HTTP servers and makes all groups; nothing starts yet. Negative errno, or
 * SV_DRIVER_REFUSED with the reason in `ret_error`: a port in use and the like, which a user must
 * mend. */
#define SV_DRIVER_REFUSED 1
int sv_driver_new(const struct sv_driver_options *options, struct sv_driver **ret_driver,
                  struct sv_str *ret_error);
void sv_driver_free(struct sv_driver *driver);

/* For --check: would a svisord with this configuration be able to take back the programs that
 * another one has left, or still runs? 0; -ENOMEM; SV_DRIVER_REFUSED with the reason. */
int sv_driver_examine(const struct sv_config *config, struct sv_str *ret_problem);

enum sv_driver_end {
    SV_DRIVER_STOPPED, /* or left, with on_stop=keep */
    SV_DRIVER_RESTART,
    SV_DRIVER_REEXEC, /* the programs live on; the sockets are in `inherited` */
};

/* Starts what is to be started, and returns when everything has stopped again, or when the programs
 * are left to the next svisord: an enum sv_driver_end, or a negative errno. */
int sv_driver_run(struct sv_driver *driver);

#endif
