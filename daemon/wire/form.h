/* What a form of a page sends: application/x-www-form-urlencoded, "name=web%3A1&action=start". */
#ifndef SV_WIRE_FORM_H
#define SV_WIRE_FORM_H

#include <stdbool.h>

#include "base/str.h"

/* The value under that name, decoded; of several the last one. False: there is none. */
bool sv_form_find(const char *form, size_t length, const char *name, struct sv_str *ret_value);

/* Text as a part of an address: everything but letters, digits and "-._~" as %XX. */
void sv_form_add_escaped(struct sv_str *address, const char *text);

#endif
