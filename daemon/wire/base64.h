/* Base64 (RFC 4648), as XML-RPC carries binary values. */
#ifndef SV_WIRE_BASE64_H
#define SV_WIRE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* Appends the decoded bytes. White space is skipped, as encoders break lines; the padding may be
 * absent. False, with ret_bytes unchanged, for anything else that is not of the alphabet. */
bool sv_base64_decode(const char *text, size_t length, struct sv_str *ret_bytes);

/* Appends the encoded bytes, with padding and without line breaks. */
void sv_base64_encode(const char *bytes, size_t length, struct sv_str *ret_text);

#endif
