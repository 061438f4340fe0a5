/* What programs run short of: kinds, numbers, and one finding. The rows are in resources.def. */
#ifndef SVISOR_RESOURCES_H
#define SVISOR_RESOURCES_H

#include <stdbool.h>
#include <stdint.h>

#include <svisor/states.h>

enum sv_resource {
#define RESOURCE(name, notice, text) SV_RESOURCE_##name,
#define RESOURCE_NUMBER(name, merge, doc)
#include "svisor/resources.def"
#undef RESOURCE
#undef RESOURCE_NUMBER
    SV_RESOURCE_COUNT
};

enum sv_resource_number {
#define RESOURCE(name, notice, text)
#define RESOURCE_NUMBER(name, merge, doc) SV_RESOURCE_NUMBER_##name,
#include "svisor/resources.def"
#undef RESOURCE
#undef RESOURCE_NUMBER
    SV_RESOURCE_NUMBER_COUNT
};

#define SV_RESOURCE_UNKNOWN (-1)

/* Something ran short, `count` times. */
struct sv_shortage {
    enum sv_resource resource;
    bool is_of_group; /* the limit, or the bound, is that of the group's directory */
    uint64_t count;
    int64_t numbers[SV_RESOURCE_NUMBER_COUNT]; /* SV_RESOURCE_UNKNOWN: not known, or not of it */
};

#endif
