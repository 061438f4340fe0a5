/* Readiness and liveness of a program: what ready=, liveness= and watchdog= say. */
#ifndef SV_CONFIG_PROBE_H
#define SV_CONFIG_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "config/pattern.h"

enum sv_probe_kind {
    SV_PROBE_NONE,
    SV_PROBE_NOTIFY, /* the program says it: READY=1, WATCHDOG=1 */
    SV_PROBE_PORT,   /* a connection is accepted */
    SV_PROBE_HTTP,   /* GET answers 2xx or 3xx */
    SV_PROBE_EXEC,   /* a command ends with 0 */
    SV_PROBE_LOG,    /* a line of the program's output matches */
};

/* One probe, in the arena of the configuration. */
struct sv_probe_config {
    enum sv_probe_kind kind;
    const char *text;        /* as written, expanded */
    const char *host;        /* PORT, HTTP: an address in numbers, or localhost; NULL with path */
    uint16_t port;           /* PORT, HTTP */
    const char *path;        /* PORT, HTTP: a unix socket; NULL: TCP */
    const char *target;      /* HTTP: "/health?full" */
    const char *authority;   /* HTTP: what goes into Host: */
    const char *const *argv; /* EXEC: NULL-terminated */
    const struct sv_pattern *pattern; /* LOG */
};

/* Above 0 it is the number of a signal to send. */
enum sv_liveness_action {
    SV_LIVENESS_RESTART = 0,
    SV_LIVENESS_STOP = -1,
    SV_LIVENESS_NONE = -2, /* only tell */
};

/* Everything that one process has of it. Times in seconds. */
struct sv_health_config {
    struct sv_probe_config ready;
    double ready_timeout; /* 0: none */
    struct sv_probe_config liveness;
    double liveness_period;
    double liveness_timeout;
    uint32_t liveness_failures;
    int liveness_action; /* enum sv_liveness_action, or a signal */
    double watchdog;     /* 0: none */
};

/* The probe is asked: somebody has to be called or run. Otherwise its program speaks by itself. */
static inline bool sv_probe_is_asked(const struct sv_probe_config *probe)
{
    return probe->kind == SV_PROBE_PORT || probe->kind == SV_PROBE_HTTP ||
           probe->kind == SV_PROBE_EXEC;
}

/* False with what is wrong, and what to write instead, in `problem`. */
bool sv_probe_parse(const char *text, struct sv_arena *arena, struct sv_probe_config *ret_probe,
                    struct sv_str *problem);
bool sv_health_config_equal(const struct sv_health_config *a, const struct sv_health_config *b);
/* Whether NOTIFY_SOCKET is of use to the program. */
bool sv_health_wants_notify(const struct sv_health_config *health);

#endif
