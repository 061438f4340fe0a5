/* The faults of the remote methods, by name and number: rows of faults.def. */
#ifndef SV_API_FAULT_H
#define SV_API_FAULT_H

#include "base/str.h"

enum sv_fault {
    SV_FAULT_NONE = 0,
#define FAULT(name, code, status, doc) SV_FAULT_##name = (code),
#include "api/faults.def"
#undef FAULT
};

/* "BAD_NAME" for 10; "UNKNOWN" for a number that is no fault. */
const char *sv_fault_name(enum sv_fault fault);
/* The fault of that name, which ends behind `length`; SV_FAULT_NONE: there is none. */
enum sv_fault sv_fault_named(const char *name, size_t length);
/* The status of HTTP for it in an answer of REST; 500 for a number that is no fault. */
unsigned sv_fault_status(enum sv_fault fault);
/* Appends "BAD_NAME: extra", or "BAD_NAME" when `extra` is NULL. */
void sv_fault_text(enum sv_fault fault, const char *extra, struct sv_str *ret_text);

#endif
