/* Names and texts of the faults, from the rows of faults.def. */
#include "api/fault.h"

#include <string.h>

const char *sv_fault_name(enum sv_fault fault)
{
    switch (fault) {
    case SV_FAULT_NONE:
        break;
#define FAULT(name, code, status, doc)                                                             \
    case SV_FAULT_##name:                                                                          \
        return #name;
#include "api/faults.def"
#undef FAULT
    }
    return "UNKNOWN";
}

enum sv_fault sv_fault_named(const char *name, size_t length)
{
    static const enum sv_fault faults[] = {
#define FAULT(name, code, status, doc) SV_FAULT_##name,
#include "api/faults.def"
#undef FAULT
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(faults); i++) {
        const char *known = sv_fault_name(faults[i]);
        if (strlen(known) == length && strncmp(known, name, length) == 0)
            return faults[i];
    }
    return SV_FAULT_NONE;
}

unsigned sv_fault_status(enum sv_fault fault)
{
    switch (fault) {
    case SV_FAULT_NONE:
        break;
#define FAULT(name, code, status, doc)                                                             \
    case SV_FAULT_##name:                                                                          \
        return status;
#include "api/faults.def"
#undef FAULT
    }
    return 500;
}

void sv_fault_text(enum sv_fault fault, const char *extra, struct sv_str *ret_text)
{
    sv_str_add(ret_text, sv_fault_name(fault));
    if (extra) {
        sv_str_add(ret_text, ": ");
        sv_str_add(ret_text, extra);
    }
}
