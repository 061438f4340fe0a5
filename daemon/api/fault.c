/* Names and texts of the faults, from the rows of faults.def. */
#include "api/fault.h"

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
