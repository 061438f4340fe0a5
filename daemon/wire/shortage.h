/* Shortages of resources in words, as JSON and as payloads of events. The rows are those of
 * svisor/resources.def. */
#ifndef SV_WIRE_SHORTAGE_H
#define SV_WIRE_SHORTAGE_H

#include <jansson.h>
#include <svisor/resources.h>

#include "base/str.h"

/* What users are told. Texts are borrowed. */
struct sv_shortage_report {
    const char *group;
    const char *name; /* of the process; NULL: the group itself ran short */
    uint32_t run;     /* of the process, likewise pid; 0: none */
    int32_t pid;
    int64_t first_wall_ns, last_wall_ns;
    struct sv_shortage sum;
};

/* Completes "NAME: …", without a full stop: "its memory reached memory_max, 64.0 MiB, 12 times
 * within 1.0 s". */
void sv_shortage_sentence(const struct sv_shortage_report *report, struct sv_str *out);
/* A new reference; NULL without memory. Numbers that are not known have no key. */
json_t *sv_shortage_json(const struct sv_shortage_report *report);
/* One line of words, and the same as JSON in the next. */
void sv_shortage_payload(const struct sv_shortage_report *report, struct sv_str *ret_payload);

#endif
