/*
 * Types of REST.
 *
 * XML-RPC is as lenient as Python, because scripts rely on it (api/params.c). REST has no such
 * past: a boolean that is neither true nor false is a mistake, and is told, before anything is
 * done.
 */
#include "api/rest/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static json_t *text_of_text(const char *text, size_t length)
{
    return memchr(text, '\0', length) ? NULL : json_stringn(text, length);
}

static json_t *int_of_text(const char *text, size_t length)
{
    size_t sign = *text == '-';
    if (length == sign || strspn(text + sign, "0123456789") != length - sign)
        return NULL;
    errno = 0;
    long long number = strtoll(text, NULL, 10);
    return errno == 0 ? json_integer(number) : NULL;
}

static json_t *double_of_text(const char *text, size_t length)
{
    if (length == 0 || strspn(text, "+-.0123456789eE") != length)
        return NULL;
    char *end;
    double number = strtod(text, &end);
    return end == text + length ? json_real(number) : NULL; /* an infinite one makes no value */
}

/* The words of flask_restx.inputs.boolean, and their opposites. */
static json_t *boolean_of_text(const char *text, size_t length)
{
    static const char *const words[][3] = {{"false", "0", "off"}, {"true", "1", "on"}};
    for (int truth = 0; truth < 2; truth++)
        for (size_t i = 0; i < SV_ARRAY_LENGTH(words[0]); i++)
            if (strcasecmp(text, words[truth][i]) == 0 && strlen(text) == length)
                return json_boolean(truth);
    return NULL;
}

static json_t *nothing_of_text(const char *text, size_t length)
{
    (void)text;
    (void)length;
    return NULL;
}

static bool is_text(const json_t *value)
{
    return json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value);
}

static bool is_integer(const json_t *value)
{
    return json_is_integer(value);
}

static bool is_number(const json_t *value)
{
    return json_is_number(value);
}

static bool is_word(const json_t *value)
{
    return is_text(value) || json_is_integer(value);
}

static bool is_boolean(const json_t *value)
{
    return json_is_boolean(value);
}

static bool is_array(const json_t *value)
{
    return json_is_array(value);
}

static bool is_object(const json_t *value)
{
    return json_is_object(value);
}

static bool is_anything(const json_t *value)
{
    return value != NULL;
}

static const struct {
    const char *schema;
    const char *expected;
    json_t *(*of_text)(const char *text, size_t length);
    bool (*fits)(const json_t *value);
} types[] = {
    [SV_TYPE_STRING] = {"string", "text in UTF-8 without NUL", text_of_text, is_text},
    [SV_TYPE_CHARS] = {"string", "text in UTF-8 without NUL, or a whole number", text_of_text,
                       is_word},
    [SV_TYPE_SIGNAL] = {"string", "the name or the number of a signal", text_of_text, is_word},
    [SV_TYPE_INT] = {"integer", "a whole number", int_of_text, is_integer},
    [SV_TYPE_DOUBLE] = {"number", "a number", double_of_text, is_number},
    [SV_TYPE_BOOLEAN] = {"boolean", "true or false", boolean_of_text, is_boolean},
    [SV_TYPE_ARRAY] = {"array", "an array, which only a JSON body can hold", nothing_of_text,
                       is_array},
    [SV_TYPE_STRUCT] = {"object", "an object, which only a JSON body can hold", nothing_of_text,
                        is_object},
    [SV_TYPE_ANY] = {NULL, "anything", nothing_of_text, is_anything},
};
_Static_assert(SV_ARRAY_LENGTH(types) == SV_TYPE_COUNT, "a row for every type");

json_t *sv_rest_value_of_text(enum sv_value_type type, const char *text, size_t length)
{
    return types[type].of_text(text, length);
}

bool sv_rest_value_fits(enum sv_value_type type, const json_t *value)
{
    return types[type].fits(value);
}

const char *sv_rest_value_expected(enum sv_value_type type)
{
    return types[type].expected;
}

const char *sv_rest_value_schema(enum sv_value_type type)
{
    return types[type].schema;
}
