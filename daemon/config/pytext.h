/* The few habits of Python's `str` and `int` that a reader of Supervisor's files must share. */
#ifndef SV_CONFIG_PYTEXT_H
#define SV_CONFIG_PYTEXT_H

#include <stdint.h>

#include "base/str.h"

/* A piece of somebody else's text; not terminated. */
struct sv_span {
    const char *data;
    size_t length;
};

/* Bytes of the white space character (str.isspace(), UTF-8) that `text` starts with; 0: none. */
size_t sv_py_space_at(const char *text, size_t length);
/* Bytes of the white space character that `text` ends with; 0: none. */
size_t sv_py_space_before(const char *text, size_t length);
/* str.strip() */
struct sv_span sv_py_strip(const char *text, size_t length);
/* Bytes of the character that `text` starts with; 1 for a byte that is no UTF-8. length > 0. */
size_t sv_py_char_bytes(const char *text, size_t length);
/* The number of the character of so many bytes; a byte that is no UTF-8 stands for itself. */
uint32_t sv_py_code_point(const char *text, size_t bytes);
/* Characters in `text`. */
size_t sv_py_length(const char *text, size_t length);

enum sv_py_int_result {
    SV_PY_INT_OK,
    SV_PY_INT_E_FORM,  /* not a number */
    SV_PY_INT_E_RANGE, /* does not fit; the nearest value that does is stored */
};
/* int(text, base) for base 8 and 10: white space around, sign, underscores, 0o. */
enum sv_py_int_result sv_py_int(const char *text, size_t length, unsigned base, int64_t *ret_value);

/* Appends repr(text): quotes, and escapes for what cannot be printed. */
void sv_py_repr(struct sv_str *str, const char *text, size_t length);
/* Appends ascii(text): as repr(), and escapes for everything beyond ASCII. */
void sv_py_ascii(struct sv_str *str, const char *text, size_t length);

#endif
