/* The causes that the core gives for its decisions. */
#ifndef SVISOR_REASONS_H
#define SVISOR_REASONS_H

enum sv_reason {
#define REASON(name, text) SV_REASON_##name,
#include "svisor/reasons.def"
#undef REASON
    SV_REASON_COUNT
};

#endif
