/* UTF-8, as strict as Python's decoder: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef SV_WIRE_UTF8_H
#define SV_WIRE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length in bytes of the character at `data` (1 to 4), or 0 when it is not valid. `length` > 0.
 */
size_t sv_utf8_decode(const char *data, size_t length, uint32_t *ret_code);
bool sv_utf8_is_valid(const char *data, size_t length);
/* Characters; a byte that belongs to none counts as one. */
size_t sv_utf8_count(const char *data, size_t length);

#endif
