/*
 * A growing byte string, always followed by a NUL that `length` does not count.
 *
 * The zero value is an empty string: `struct sv_str text = {0};`. A failed allocation, or growth
 * past `SV_STR_BYTES_MAX`, sets `has_failed`; every later append does nothing. So a caller appends
 * freely and asks once, with sv_str_ok(), before the text is used.
 */
#ifndef SV_BASE_STR_H
#define SV_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define SV_STR_BYTES_MAX                                                                           \
    ((size_t)256 << 20) /* far above any answer; a guard against runaway growth */

struct sv_str {
    char *data;      /* NULL while nothing was ever appended: read it with sv_str_text() */
    size_t length;   /* bytes, without the NUL */
    size_t capacity; /* bytes allocated */
    bool has_failed;
};

void sv_str_done(struct sv_str *str);
/* Empties the string and keeps its memory. A failure is forgotten. */
void sv_str_clear(struct sv_str *str);
static inline bool sv_str_ok(const struct sv_str *str)
{
    return !str->has_failed;
}
/* The bytes as a C string, "" when empty. Borrowed until the next change. */
const char *sv_str_text(const struct sv_str *str);
/* Hands the buffer over: heap, free() it. NULL after a failure. The string is empty afterwards. */
char *sv_str_take(struct sv_str *str);
/* Makes room for `extra` more bytes. Returns where to write them, or NULL; then call sv_str_grew().
 */
char *sv_str_reserve(struct sv_str *str, size_t extra_bytes);
void sv_str_grew(struct sv_str *str, size_t added_bytes);

void sv_str_append(struct sv_str *str, const void *data, size_t length);
void sv_str_add(struct sv_str *str, const char *text);
void sv_str_add_char(struct sv_str *str, char c);
void sv_str_addf(struct sv_str *str, const char *format, ...) SV_PRINTF(2, 3);
void sv_str_addv(struct sv_str *str, const char *format, va_list arguments) SV_PRINTF(2, 0);
/* "812 bytes", "64.0 MiB" */
void sv_str_add_size(struct sv_str *str, int64_t bytes);
/* Removes the first `count` bytes. */
void sv_str_drop_front(struct sv_str *str, size_t count);
void sv_str_truncate(struct sv_str *str, size_t length);

#endif
