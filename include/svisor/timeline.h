/* Kinds and levels of what the timeline tells, by number. */
#ifndef SVISOR_TIMELINE_H
#define SVISOR_TIMELINE_H

enum sv_timeline_kind {
#define TIMELINE_KIND(name, text) SV_TIMELINE_##name,
#include "svisor/timeline.def"
    SV_TIMELINE_KIND_COUNT
};

enum sv_timeline_level {
#define TIMELINE_LEVEL(name, text) SV_TIMELINE_##name,
#include "svisor/timeline.def"
    SV_TIMELINE_LEVEL_COUNT
};

#endif
