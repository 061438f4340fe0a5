/*
 * Arguments from outside against the parameters of a method.
 *
 * Supervisor's methods are Python functions: a number may come as text, and everything has a truth.
 * Scripts rely on it (startProcess(name, 1), signalProcess(name, 15)), so the same is accepted
 * here. What Python chokes on, with HTTP status 500, is a clean INCORRECT_PARAMETERS that names the
 * parameter.
 */
#include "api/params.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool sv_params_count_fits(const struct sv_method *method, const json_t *params)
{
    size_t given = json_array_size(params);
    size_t required = 0;
    size_t allowed = sv_method_parameter_count(method);
    while (required < allowed && !method->parameters[required].fallback)
        required++;
    return json_is_array(params) && given >= required && given <= allowed;
}

static bool read_text(json_t *value, struct sv_argument *ret)
{
    if (!json_is_string(value))
        return false;
    ret->text = json_string_value(value);
    return strlen(ret->text) == json_string_length(value);
}

static bool read_chars(json_t *value, struct sv_argument *ret)
{
    (void)value;
    (void)ret;
    return true;
}

static bool read_int(json_t *value, struct sv_argument *ret)
{
    if (json_is_integer(value)) {
        ret->integer = json_integer_value(value);
        return true;
    }
    if (json_is_boolean(value)) {
        ret->integer = json_is_true(value);
        return true;
    }
    if (json_is_real(value)) {
        double number = trunc(json_real_value(value));
        if (!(fabs(number) < 0x1p62))
            return false;
        ret->integer = (int64_t)number;
        return true;
    }
    if (!read_text(value, ret) || !*ret->text)
        return false;
    char *end;
    errno = 0;
    ret->integer = strtoll(ret->text, &end, 10);
    return errno == 0 && end != ret->text && end[strspn(end, " \t\r\n")] == '\0';
}

static bool read_double(json_t *value, struct sv_argument *ret)
{
    ret->real = json_number_value(value);
    return json_is_number(value) && isfinite(ret->real);
}

static bool read_signal(json_t *value, struct sv_argument *ret)
{
    if (read_text(value, ret))
        return true;
    if (json_is_string(value) || !read_int(value, ret))
        return false;
    snprintf(ret->digits, sizeof ret->digits, "%lld", (long long)ret->integer);
    ret->text = ret->digits;
    return true;
}

static bool read_boolean(json_t *value, struct sv_argument *ret)
{
    switch (json_typeof(value)) {
    case JSON_NULL:
    case JSON_FALSE:
        ret->boolean = false;
        break;
    case JSON_TRUE:
        ret->boolean = true;
        break;
    case JSON_INTEGER:
        ret->boolean = json_integer_value(value) != 0;
        break;
    case JSON_REAL:
        ret->boolean = json_real_value(value) < 0 || json_real_value(value) > 0;
        break;
    case JSON_STRING:
        ret->boolean = json_string_length(value) > 0;
        break;
    case JSON_ARRAY:
        ret->boolean = json_array_size(value) > 0;
        break;
    case JSON_OBJECT:
        ret->boolean = json_object_size(value) > 0;
        break;
    }
    return true;
}

static bool read_array(json_t *value, struct sv_argument *ret)
{
    (void)ret;
    return json_is_array(value);
}

static bool read_struct(json_t *value, struct sv_argument *ret)
{
    (void)ret;
    return json_is_object(value);
}

static bool read_any(json_t *value, struct sv_argument *ret)
{
    (void)value;
    (void)ret;
    return true;
}

static const struct {
    const char *expected; /* completes "must be" */
    bool (*read)(json_t *value, struct sv_argument *ret);
} types[] = {
    [SV_TYPE_STRING] = {"a string without NUL", read_text},
    [SV_TYPE_CHARS] = {"a string", read_chars},
    [SV_TYPE_SIGNAL] = {"the name or the number of a signal", read_signal},
    [SV_TYPE_INT] = {"an integer", read_int},
    [SV_TYPE_DOUBLE] = {"a number", read_double},
    [SV_TYPE_BOOLEAN] = {"a boolean", read_boolean},
    [SV_TYPE_ARRAY] = {"an array", read_array},
    [SV_TYPE_STRUCT] = {"a struct", read_struct},
    [SV_TYPE_ANY] = {"anything", read_any},
};
_Static_assert(SV_ARRAY_LENGTH(types) == SV_TYPE_COUNT, "a row for every type");

bool sv_params_read(const struct sv_method *method, json_t *params,
                    struct sv_argument ret_arguments[SV_METHOD_PARAMETERS_MAX],
                    struct sv_str *ret_error)
{
    size_t count = sv_method_parameter_count(method);
    for (size_t i = 0; i < count; i++) {
        const struct sv_parameter *parameter = &method->parameters[i];
        struct sv_argument *argument = &ret_arguments[i];
        *argument = (struct sv_argument){.value = json_array_get(params, i)};
        if (!argument->value) {
            /* Only booleans, texts and numbers that are 0 have fallbacks: the table's test holds
             * the rows to it. */
            argument->boolean = strcmp(parameter->fallback, "true") == 0;
            argument->text = parameter->fallback;
        } else if (!types[parameter->type].read(argument->value, argument)) {
            sv_str_addf(ret_error, "%s must be %s", parameter->name,
                        types[parameter->type].expected);
            return false;
        }
    }
    return true;
}
