/*
 * Python reads Supervisor's files as text: white space is what Unicode calls so, int() takes
 * "1_000" and " 7 ", and error messages quote with repr(). A file that Supervisor accepts must mean
 * the same here, so those rules are written down once, for UTF-8 bytes. Bytes that are no UTF-8
 * count as one character each: Python does the same (surrogateescape) in the C locale that daemons
 * start with.
 */
#include "config/pytext.h"

#include <stdbool.h>
#include <string.h>

/* Beyond ASCII, str.isspace() holds for these; U+2000 to U+200A are the range in is_wide_space().
 */
static bool is_wide_space(const unsigned char *c)
{
    if (c[0] == 0xe1)
        return c[1] == 0x9a && c[2] == 0x80; /* U+1680 */
    if (c[0] == 0xe3)
        return c[1] == 0x80 && c[2] == 0x80; /* U+3000 */
    if (c[0] != 0xe2)
        return false;
    if (c[1] == 0x80)
        return c[2] <= 0x8a || c[2] == 0xa8 || c[2] == 0xa9 || c[2] == 0xaf;
    return c[1] == 0x81 && c[2] == 0x9f; /* U+205F */
}

static bool is_ascii_space(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

size_t sv_py_space_at(const char *text, size_t length)
{
    const unsigned char *c = (const unsigned char *)text;
    if (length == 0)
        return 0;
    if (c[0] < 0x80)
        return is_ascii_space(c[0]);
    if (length >= 2 && c[0] == 0xc2 && (c[1] == 0x85 || c[1] == 0xa0))
        return 2;
    return length >= 3 && is_wide_space(c) ? 3 : 0;
}

size_t sv_py_space_before(const char *text, size_t length)
{
    for (size_t bytes = 1; bytes <= 3 && bytes <= length; bytes++)
        if (sv_py_space_at(text + length - bytes, bytes) == bytes)
            return bytes;
    return 0;
}

struct sv_span sv_py_strip(const char *text, size_t length)
{
    for (size_t bytes; (bytes = sv_py_space_at(text, length)) > 0;) {
        text += bytes;
        length -= bytes;
    }
    for (size_t bytes; (bytes = sv_py_space_before(text, length)) > 0;)
        length -= bytes;
    return (struct sv_span){text, length};
}

size_t sv_py_char_bytes(const char *text, size_t length)
{
    const unsigned char *c = (const unsigned char *)text;
    size_t bytes = c[0] < 0xc2 ? 1 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : c[0] < 0xf5 ? 4 : 1;
    if (bytes > length)
        return 1;
    for (size_t i = 1; i < bytes; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 1;
    return bytes;
}

size_t sv_py_length(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i += sv_py_char_bytes(text + i, length - i))
        count++;
    return count;
}

enum sv_py_int_result sv_py_int(const char *text, size_t length, unsigned base, int64_t *ret_value)
{
    struct sv_span span = sv_py_strip(text, length);
    size_t i = 0;
    bool is_negative = span.length > 0 && span.data[0] == '-';
    if (span.length > 0 && (span.data[0] == '-' || span.data[0] == '+'))
        i++;
    bool may_underscore = false;
    if (base == 8 && span.length - i >= 2 && span.data[i] == '0' &&
        (span.data[i + 1] | 0x20) == 'o') {
        i += 2;
        may_underscore = true;
    }
    uint64_t limit = is_negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
    uint64_t value = 0;
    bool is_too_large = false;
    bool ends_in_digit = false;
    for (; i < span.length; i++) {
        unsigned digit = (unsigned)(unsigned char)span.data[i] - '0';
        if (span.data[i] == '_' && may_underscore) {
            may_underscore = false;
            ends_in_digit = false;
            continue;
        }
        if (digit >= base)
            return SV_PY_INT_E_FORM;
        ends_in_digit = may_underscore = true;
        is_too_large = is_too_large || value > (limit - digit) / base;
        value = is_too_large ? limit : value * base + digit;
    }
    if (!ends_in_digit)
        return SV_PY_INT_E_FORM;
    *ret_value = is_negative ? (int64_t)(0 - value) : (int64_t)value;
    return is_too_large ? SV_PY_INT_E_RANGE : SV_PY_INT_OK;
}

uint32_t sv_py_code_point(const char *text, size_t bytes)
{
    static const unsigned char masks[] = {0, 0xff, 0x1f, 0x0f, 0x07};
    uint32_t code = (unsigned char)text[0] & masks[bytes];
    for (size_t i = 1; i < bytes; i++)
        code = code << 6 | ((unsigned char)text[i] & 0x3f);
    return code;
}

static void add_escaped(struct sv_str *str, uint32_t code)
{
    if (code < 0x100)
        sv_str_addf(str, "\\x%02x", code);
    else if (code < 0x10000)
        sv_str_addf(str, "\\u%04x", code);
    else
        sv_str_addf(str, "\\U%08x", code);
}

static void quote(struct sv_str *str, const char *text, size_t length, bool is_ascii)
{
    bool has_single = memchr(text, '\'', length) != NULL;
    char mark = has_single && !memchr(text, '"', length) ? '"' : '\'';
    sv_str_add_char(str, mark);
    for (size_t i = 0, bytes; i < length; i += bytes) {
        bytes = sv_py_char_bytes(text + i, length - i);
        char c = text[i];
        if (c == mark || c == '\\')
            sv_str_addf(str, "\\%c", c);
        else if (c == '\n' || c == '\r' || c == '\t')
            sv_str_add(str, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
        else if (bytes == 1 && (unsigned char)c >= 0x80)
            sv_str_addf(str, "\\udc%02x", (unsigned)(unsigned char)c); /* surrogateescape */
        else if ((unsigned char)c < 0x20 || c == 0x7f)
            add_escaped(str, (unsigned char)c);
        else if (bytes > 1 && (is_ascii || sv_py_code_point(text + i, bytes) <= 0xa0))
            add_escaped(str, sv_py_code_point(text + i, bytes));
        else
            sv_str_append(str, text + i, bytes);
    }
    sv_str_add_char(str, mark);
}

void sv_py_repr(struct sv_str *str, const char *text, size_t length)
{
    quote(str, text, length, false);
}

void sv_py_ascii(struct sv_str *str, const char *text, size_t length)
{
    quote(str, text, length, true);
}
