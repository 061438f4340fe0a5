#include "base/str.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

void sv_str_done(struct sv_str *str)
{
    free(str->data);
    *str = (struct sv_str){0};
}

void sv_str_clear(struct sv_str *str)
{
    str->length = 0;
    str->has_failed = false;
    if (str->data)
        str->data[0] = '\0';
}

const char *sv_str_text(const struct sv_str *str)
{
    return str->data ? str->data : "";
}

char *sv_str_take(struct sv_str *str)
{
    if (str->has_failed || (!str->data && !sv_str_reserve(str, 0))) {
        sv_str_done(str);
        return NULL;
    }
    char *data = sv_steal(&str->data);
    *str = (struct sv_str){0};
    return data;
}

char *sv_str_reserve(struct sv_str *str, size_t extra_bytes)
{
    if (str->has_failed)
        return NULL;
    if (extra_bytes > SV_STR_BYTES_MAX || str->length > SV_STR_BYTES_MAX - extra_bytes) {
        str->has_failed = true;
        return NULL;
    }
    size_t need = str->length + extra_bytes + 1;
    if (need > str->capacity) {
        size_t capacity = str->capacity ? str->capacity : FIRST_CAPACITY;
        while (capacity < need)
            capacity *= 2;
        char *data = realloc(str->data, capacity);
        if (!data) {
            str->has_failed = true;
            return NULL;
        }
        str->data = data;
        str->capacity = capacity;
    }
    str->data[str->length] = '\0';
    return str->data + str->length;
}

void sv_str_grew(struct sv_str *str, size_t added_bytes)
{
    assert(str->length + added_bytes < str->capacity);
    str->length += added_bytes;
    str->data[str->length] = '\0';
}

void sv_str_append(struct sv_str *str, const void *data, size_t length)
{
    if (length == 0)
        return;
    char *end = sv_str_reserve(str, length);
    if (!end)
        return;
    memcpy(end, data, length);
    sv_str_grew(str, length);
}

void sv_str_add(struct sv_str *str, const char *text)
{
    sv_str_append(str, text, strlen(text));
}

void sv_str_add_char(struct sv_str *str, char c)
{
    sv_str_append(str, &c, 1);
}

void sv_str_addf(struct sv_str *str, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    sv_str_addv(str, format, arguments);
    va_end(arguments);
}

void sv_str_addv(struct sv_str *str, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    char *end = length < 0 ? NULL : sv_str_reserve(str, (size_t)length);
    if (end) {
        vsnprintf(end, (size_t)length + 1, format, again);
        sv_str_grew(str, (size_t)length);
    } else {
        str->has_failed = true;
    }
    va_end(again);
}

void sv_str_add_size(struct sv_str *str, int64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024 && unit + 1 < SV_ARRAY_LENGTH(units); unit++)
        value /= 1024;
    sv_str_addf(str, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
}

void sv_str_drop_front(struct sv_str *str, size_t count)
{
    assert(count <= str->length);
    if (count == 0)
        return;
    memmove(str->data, str->data + count, str->length - count + 1);
    str->length -= count;
}

void sv_str_truncate(struct sv_str *str, size_t length)
{
    assert(length <= str->length);
    str->length = length;
    if (str->data)
        str->data[length] = '\0';
}
