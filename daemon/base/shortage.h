/* Shortages of resources: their names, and how two become one. */
#ifndef SV_BASE_SHORTAGE_H
#define SV_BASE_SHORTAGE_H

#include <svisor/resources.h>

/* Of that kind, `count` times, no number known. */
struct sv_shortage sv_shortage_of(enum sv_resource resource, uint64_t count);
/* Adds the later one of the same kind: counts are summed up, numbers as resources.def says. */
void sv_shortage_merge(struct sv_shortage *shortage, const struct sv_shortage *later);

const char *sv_resource_name(enum sv_resource resource);
const char *sv_resource_text(enum sv_resource resource);
enum sv_notice_type sv_resource_notice(enum sv_resource resource);
const char *sv_resource_number_name(enum sv_resource_number number);

#endif
