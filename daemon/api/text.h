/* Texts of ours as jansson strings. */
#ifndef SV_API_TEXT_H
#define SV_API_TEXT_H

#include <string.h>

#include "wire/xmlrpc.h"

/* New reference, NULL without memory. Bytes that XML cannot carry are replaced. */
static inline json_t *sv_text_json(const char *text)
{
    return sv_wire_string(text, strlen(text));
}

#endif
