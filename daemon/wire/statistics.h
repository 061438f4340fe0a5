/* Statistics as the bodies of the events hstats and pstats: Supvisors 0.19, event_interface.rst. */
#ifndef SV_WIRE_STATISTICS_H
#define SV_WIRE_STATISTICS_H

#include <jansson.h>

#include "port/statistics.h"

/* Who says so, and when, by its own CLOCK_MONOTONIC. */
struct sv_statistics_origin {
    const char *identifier;
    uint64_t now_ns;
};

/* New references; NULL without memory. */
json_t *sv_statistics_host_json(const struct sv_statistics_origin *origin,
                                const struct sv_host_statistics *statistics);
json_t *sv_statistics_process_json(const struct sv_statistics_origin *origin, const char *namespec,
                                   const struct sv_process_statistics *statistics);

#endif
