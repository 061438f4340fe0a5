/* Bounds above which a program, or a group, is worth an event: pressure_warn, fork_rate_warn. */
#ifndef SV_CONFIG_WARN_H
#define SV_CONFIG_WARN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <svisor/limits.h>

#include "base/str.h"

enum sv_pressure { SV_PRESSURE_CPU, SV_PRESSURE_MEMORY, SV_PRESSURE_IO, SV_PRESSURE_COUNT };

/* "memory:some 20% over 10s" */
struct sv_pressure_bound {
    enum sv_pressure pressure;
    bool is_full; /* everything waits at once; else something does */
    uint32_t share_permyriad;
    uint32_t window_ms;
};

struct sv_pressure_bounds {
    size_t count;
    struct sv_pressure_bound items[SV_PRESSURE_BOUNDS_MAX];
};

/* "cpu", "memory", "io": also the name of the file, "<name>.pressure". */
const char *sv_pressure_name(enum sv_pressure pressure);
/* False: what is wrong is in `problem`, to stand behind the text. Blanks and letters' case do not
 * matter; "some" and "over 10s" may be left out. */
bool sv_pressure_parse(const char *text, struct sv_pressure_bounds *ret_bounds,
                       struct sv_str *problem);
/* The one form of it that sv_pressure_parse() reads again. */
void sv_pressure_render(const struct sv_pressure_bounds *bounds, struct sv_str *out);

/* "1000/s", "30/min" or "1000", which is in a second. False: it is none. */
bool sv_fork_rate_parse(const char *text, uint64_t *ret_count, uint64_t *ret_window_ms);

#endif
