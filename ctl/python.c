/*
 * str() of Python for what XML-RPC can carry, as far as Supvisors' commands print it: strings,
 * numbers, booleans and flat lists of them. Inside a list a string stands in quotes, as repr()
 * writes it.
 */
#include "python.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* repr(): in double quotes only when that saves a backslash. */
static void add_quoted(struct sv_str *text, const char *value)
{
    char quote = strchr(value, '\'') && !strchr(value, '"') ? '"' : '\'';

    sv_str_add_char(text, quote);
    for (; *value; value++) {
        if (*value == quote || *value == '\\')
            sv_str_add_char(text, '\\');
        sv_str_add_char(text, *value);
    }
    sv_str_add_char(text, quote);
}

/* The fewest digits that read back as the same number, and ".0" behind a whole one. */
static void add_real(struct sv_str *text, double value)
{
    enum { DIGITS_MAX = 17 }; /* enough for any double: IEEE 754 */
    char digits[32];

    for (int precision = 1; precision <= DIGITS_MAX; precision++) {
        double back;

        snprintf(digits, sizeof(digits), "%.*g", precision, value);
        back = strtod(digits, NULL);
        if (memcmp(&back, &value, sizeof(back)) == 0)
            break;
    }
    sv_str_add(text, digits);
    if (!strpbrk(digits, ".en"))
        sv_str_add(text, ".0");
}

static void add_scalar(struct sv_str *text, const json_t *value)
{
    if (json_is_string(value))
        sv_str_add(text, json_string_value(value));
    else if (json_is_integer(value))
        sv_str_addf(text, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        add_real(text, json_real_value(value));
    else if (json_is_boolean(value))
        sv_str_add(text, json_is_true(value) ? "True" : "False");
    else
        sv_str_add(text, "None");
}

void sv_add_python(struct sv_str *text, const json_t *value)
{
    if (!json_is_array(value)) {
        add_scalar(text, value);
        return;
    }
    sv_str_add(text, "[");
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);

        sv_str_add(text, i ? ", " : "");
        if (json_is_string(item))
            add_quoted(text, json_string_value(item));
        else
            add_scalar(text, item);
    }
    sv_str_add(text, "]");
}

void sv_add_python_names(struct sv_str *text, enum sv_choice_kind kind)
{
    for (size_t i = 0; i < sv_choice_count(kind); i++)
        sv_str_addf(text, "%s'%s'", i ? ", " : "[", sv_choice_name(kind, (int)i));
    sv_str_add(text, "]");
}
