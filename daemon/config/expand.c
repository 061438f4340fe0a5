/*
 * Supervisor expands a value with Python's `%` operator and a dictionary. A conversion is
 *
 *   %(name)04d      %  (name)  flags #0- +  width  .precision  h l L  one of diouxXeEfFgGcrsa
 *
 * Texts (ENV_HOME, here, program_name) take s, r, a and c; numbers (process_num, numprocs) take all
 * of them. "%%" is a per cent sign. What Python raises becomes the same words here, wrapped as
 * Supervisor's expand() wraps them.
 *
 * One difference, on purpose: "%s" without a name gives Python's print of the whole dictionary;
 * nobody wants that in a command line, so it is a bad format.
 */
#include "config/expand.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "config/pytext.h"

struct expansion {
    const char *text; /* NULL: a number */
    int64_t number;
};

/* One conversion, taken apart. */
struct conversion {
    const struct expansion *value;
    bool is_left, has_sign, has_blank, has_alternate, has_zeros;
    size_t width;
    bool has_precision;
    size_t precision;
    char type;
};

struct expander {
    const char *format;
    size_t at;
    const struct sv_scope *scope;
    struct sv_str *text;
    struct sv_str *problem;
    struct sv_str missing; /* a name that is in no scope */
    bool is_missing;
};

void sv_scope_done(struct sv_scope *scope)
{
    sv_map_done(&scope->names);
}

static int put(struct sv_scope *scope, const char *name, struct expansion value)
{
    struct expansion *copy = sv_arena_new(scope->arena, struct expansion);
    if (!copy)
        return -ENOMEM;
    *copy = value;
    return sv_map_put(&scope->names, name, copy);
}

int sv_scope_put_text(struct sv_scope *scope, const char *name, const char *text)
{
    return put(scope, name, (struct expansion){.text = text});
}

int sv_scope_put_number(struct sv_scope *scope, const char *name, int64_t number)
{
    return put(scope, name, (struct expansion){.number = number});
}

static const struct expansion *lookup(const struct sv_scope *scope, const char *name)
{
    for (; scope; scope = scope->parent) {
        const struct expansion *found = sv_map_get(&scope->names, name);
        if (found)
            return found;
    }
    return NULL;
}

static bool bad(struct expander *expander, const char *text)
{
    sv_str_add(expander->problem, text);
    return false;
}

/* "(name)": parentheses inside the name are counted. */
static bool read_name(struct expander *expander, struct conversion *conversion)
{
    const char *start = expander->format + expander->at + 1;
    size_t depth = 1;
    const char *end = start;
    for (; *end; end++) {
        depth += *end == '(';
        depth -= *end == ')';
        if (depth == 0)
            break;
    }
    if (!*end)
        return bad(expander, "incomplete format key");
    sv_str_append(&expander->missing, start, (size_t)(end - start));
    conversion->value = lookup(expander->scope, sv_str_text(&expander->missing));
    expander->is_missing = !conversion->value;
    expander->at += (size_t)(end - start) + 2;
    if (!expander->is_missing)
        sv_str_clear(&expander->missing);
    return !expander->is_missing;
}

static bool read_number(struct expander *expander, const char *what, size_t *ret_number)
{
    size_t number = 0;
    for (; expander->format[expander->at] >= '0' && expander->format[expander->at] <= '9';
         expander->at++) {
        number = number * 10 + (size_t)(expander->format[expander->at] - '0');
        if (number > SV_EXPANSION_BYTES_MAX) {
            sv_str_addf(expander->problem, "%s too big", what);
            return false;
        }
    }
    *ret_number = number;
    return true;
}

static bool read_star(struct expander *expander, const struct conversion *conversion)
{
    bool is_number = conversion->value && !conversion->value->text;
    return bad(expander, is_number ? "not enough arguments for format string" : "* wants int");
}

static void read_flags(struct expander *expander, struct conversion *conversion)
{
    for (;; expander->at++) {
        switch (expander->format[expander->at]) {
        case '-':
            conversion->is_left = true;
            break;
        case '+':
            conversion->has_sign = true;
            break;
        case ' ':
            conversion->has_blank = true;
            break;
        case '#':
            conversion->has_alternate = true;
            break;
        case '0':
            conversion->has_zeros = true;
            break;
        default:
            return;
        }
    }
}

/* Everything after the % sign. */
static bool read_conversion(struct expander *expander, struct conversion *conversion)
{
    const char *format = expander->format;
    if (format[expander->at] == '(' && !read_name(expander, conversion))
        return false;
    read_flags(expander, conversion);
    if (format[expander->at] == '*')
        return read_star(expander, conversion);
    if (!read_number(expander, "width", &conversion->width))
        return false;
    if (format[expander->at] == '.') {
        expander->at++;
        conversion->has_precision = true;
        if (format[expander->at] == '*')
            return read_star(expander, conversion);
        if (!read_number(expander, "precision", &conversion->precision))
            return false;
    }
    char modifier = format[expander->at];
    if (modifier != '\0' && strchr("hlL", modifier))
        expander->at++;
    conversion->type = format[expander->at];
    if (conversion->type == '\0')
        return bad(expander, "incomplete format");
    expander->at++;
    return true;
}

static void add_fill(struct sv_str *str, char fill, size_t count)
{
    char *end = count > 0 ? sv_str_reserve(str, count) : NULL;
    if (!end)
        return;
    memset(end, fill, count);
    sv_str_grew(str, count);
}

/* Writes `prefix` (sign, 0x) and `body` into the width; zeros go between the two. */
static void add_field(struct expander *expander, const struct conversion *conversion,
                      const char *prefix, const struct sv_str *body)
{
    struct sv_str *text = expander->text;
    size_t length = strlen(prefix) + sv_py_length(sv_str_text(body), body->length);
    size_t fill = conversion->width > length ? conversion->width - length : 0;
    bool is_number = conversion->type != 'c' && !strchr("sra", conversion->type);
    bool has_zeros = conversion->has_zeros && is_number && !conversion->is_left;
    if (!conversion->is_left && !has_zeros)
        add_fill(text, ' ', fill);
    sv_str_add(text, prefix);
    if (has_zeros)
        add_fill(text, '0', fill);
    sv_str_append(text, sv_str_text(body), body->length);
    if (conversion->is_left)
        add_fill(text, ' ', fill);
}

static void add_text(struct expander *expander, const struct conversion *conversion)
{
    struct sv_str source SV_CLEANUP(sv_str_done) = {0};
    struct sv_str body SV_CLEANUP(sv_str_done) = {0};
    const struct expansion *value = conversion->value;
    if (value->text)
        sv_str_add(&source, value->text);
    else
        sv_str_addf(&source, "%lld", (long long)value->number);
    if (conversion->type == 's' || !value->text)
        sv_str_append(&body, sv_str_text(&source), source.length);
    else if (conversion->type == 'r')
        sv_py_repr(&body, sv_str_text(&source), source.length);
    else
        sv_py_ascii(&body, sv_str_text(&source), source.length);
    if (conversion->has_precision) {
        size_t bytes = 0;
        for (size_t i = 0; i < conversion->precision && bytes < body.length; i++)
            bytes += sv_py_char_bytes(body.data + bytes, body.length - bytes);
        sv_str_truncate(&body, bytes);
    }
    if (!sv_str_ok(&source) || !sv_str_ok(&body))
        expander->text->has_failed = true;
    add_field(expander, conversion, "", &body);
}

static const char *sign_of(const struct conversion *conversion)
{
    if (conversion->value->number < 0)
        return "-";
    return conversion->has_sign ? "+" : conversion->has_blank ? " " : "";
}

static uint64_t magnitude_of(int64_t number)
{
    return number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
}

static bool add_integer(struct expander *expander, const struct conversion *conversion)
{
    char type = conversion->type;
    if (conversion->value->text) {
        bool is_plain = strchr("diu", type) != NULL;
        sv_str_addf(expander->problem, "%%%c format: %s is required, not str", type,
                    is_plain ? "a real number" : "an integer");
        return false;
    }
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    unsigned base = type == 'x' || type == 'X' ? 16 : type == 'o' ? 8 : 10;
    char reversed[32];
    size_t count = 0;
    uint64_t rest = magnitude_of(conversion->value->number);
    do {
        reversed[count++] = digits[rest % base + (type == 'X' ? 16 : 0)];
        rest /= base;
    } while (rest > 0);
    struct sv_str body SV_CLEANUP(sv_str_done) = {0};
    if (conversion->has_precision && conversion->precision > count)
        add_fill(&body, '0', conversion->precision - count);
    while (count > 0)
        sv_str_add_char(&body, reversed[--count]);
    char prefix[4] = {sign_of(conversion)[0]};
    if (conversion->has_alternate && base != 10) {
        size_t end = strlen(prefix);
        prefix[end] = '0';
        prefix[end + 1] = type;
    }
    if (!sv_str_ok(&body))
        expander->text->has_failed = true;
    add_field(expander, conversion, prefix, &body);
    return true;
}

static bool add_real(struct expander *expander, const struct conversion *conversion)
{
    if (conversion->value->text)
        return bad(expander, "must be real number, not str");
    struct sv_str body SV_CLEANUP(sv_str_done) = {0};
    double value = (double)magnitude_of(conversion->value->number);
    int precision = conversion->has_precision ? (int)conversion->precision : 6;
    bool has_alternate = conversion->has_alternate;
    switch (conversion->type) {
    case 'e':
        sv_str_addf(&body, has_alternate ? "%#.*e" : "%.*e", precision, value);
        break;
    case 'E':
        sv_str_addf(&body, has_alternate ? "%#.*E" : "%.*E", precision, value);
        break;
    case 'g':
        sv_str_addf(&body, has_alternate ? "%#.*g" : "%.*g", precision, value);
        break;
    case 'G':
        sv_str_addf(&body, has_alternate ? "%#.*G" : "%.*G", precision, value);
        break;
    default:
        sv_str_addf(&body, has_alternate ? "%#.*f" : "%.*f", precision, value);
        break;
    }
    if (!sv_str_ok(&body))
        expander->text->has_failed = true;
    add_field(expander, conversion, sign_of(conversion), &body);
    return true;
}

static bool add_character(struct expander *expander, const struct conversion *conversion)
{
    struct sv_str body SV_CLEANUP(sv_str_done) = {0};
    const char *text = conversion->value->text;
    int64_t code = conversion->value->number;
    if (text) {
        if (*text == '\0' || sv_py_char_bytes(text, strlen(text)) != strlen(text))
            return bad(expander, "%c requires int or char");
        sv_str_add(&body, text);
    } else if (code <= 0 || code > 0x10ffff) {
        return bad(expander, "%c arg not in range(0x110000)");
    } else if (code < 0x80) {
        sv_str_add_char(&body, (char)code);
    } else {
        unsigned shift = code < 0x800 ? 6 : code < 0x10000 ? 12 : 18;
        unsigned lead = code < 0x800 ? 0xc0 : code < 0x10000 ? 0xe0 : 0xf0;
        sv_str_add_char(&body, (char)(lead | (unsigned)(code >> shift)));
        while (shift > 0) {
            shift -= 6;
            sv_str_add_char(&body, (char)(0x80 | ((code >> shift) & 0x3f)));
        }
    }
    add_field(expander, conversion, "", &body);
    return true;
}

static bool add_conversion(struct expander *expander, const struct conversion *conversion)
{
    char type = conversion->type;
    if (!strchr("diouxXeEfFgGcrsa", type)) {
        const char *c = expander->format + expander->at - 1;
        bool is_printable = type >= 0x20 && type < 0x7f;
        sv_str_addf(expander->problem, "unsupported format character '%c' (0x%x) at index %zu",
                    is_printable ? type : '?',
                    sv_py_code_point(c, sv_py_char_bytes(c, strnlen(c, 4))),
                    sv_py_length(expander->format, expander->at - 1));
        return false;
    }
    if (!conversion->value)
        return bad(expander, "format requires a name; write %(name)s, or %% for a per cent sign");
    if (strchr("sra", type)) {
        add_text(expander, conversion);
        return true;
    }
    if (type == 'c')
        return add_character(expander, conversion);
    return strchr("diouxX", type) ? add_integer(expander, conversion)
                                  : add_real(expander, conversion);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* "Available names: ENV_HOME, here, …": all scopes together, sorted, each once. */
static void add_available(struct sv_str *problem, const struct sv_scope *scope)
{
    size_t count = 0;
    for (const struct sv_scope *s = scope; s; s = s->parent)
        count += s->names.count;
    const char **names = count > 0 ? calloc(count, sizeof(*names)) : NULL;
    if (!names)
        return;
    size_t filled = 0;
    for (const struct sv_scope *s = scope; s; s = s->parent)
        sv_map_foreach (entry, &s->names)
            names[filled++] = entry->key;
    qsort(names, filled, sizeof(*names), compare_names);
    for (size_t i = 0; i < filled; i++)
        if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
            sv_str_addf(problem, "%s%s", i == 0 ? "" : ", ", names[i]);
    free(names);
}

static void wrap_problem(struct expander *expander, const char *name)
{
    struct sv_str wrapped SV_CLEANUP(sv_str_done) = {0};
    sv_str_add(&wrapped, "Format string ");
    sv_py_repr(&wrapped, expander->format, strlen(expander->format));
    sv_str_add(&wrapped, " for ");
    sv_py_repr(&wrapped, name, strlen(name));
    if (expander->is_missing) {
        sv_str_add(&wrapped, " contains names (");
        sv_py_repr(&wrapped, sv_str_text(&expander->missing), expander->missing.length);
        sv_str_add(&wrapped, ") which cannot be expanded. Available names: ");
        add_available(&wrapped, expander->scope);
    } else {
        sv_str_addf(&wrapped, " is badly formatted: %s", sv_str_text(expander->problem));
    }
    sv_str_clear(expander->problem);
    sv_str_append(expander->problem, sv_str_text(&wrapped), wrapped.length);
}

static bool run(struct expander *expander)
{
    const char *format = expander->format;
    size_t start_length = expander->text->length;
    while (format[expander->at]) {
        size_t plain = strcspn(format + expander->at, "%");
        sv_str_append(expander->text, format + expander->at, plain);
        expander->at += plain;
        if (!format[expander->at])
            break;
        expander->at++;
        if (format[expander->at] == '%') { /* only so: "%5%" is an error */
            sv_str_add_char(expander->text, '%');
            expander->at++;
            continue;
        }
        struct conversion conversion = {0};
        if (!read_conversion(expander, &conversion) || !add_conversion(expander, &conversion))
            return false;
        if (expander->text->length - start_length > SV_EXPANSION_BYTES_MAX)
            break;
    }
    if (expander->text->length - start_length <= SV_EXPANSION_BYTES_MAX)
        return true;
    sv_str_addf(expander->problem, "the result is longer than %u bytes", SV_EXPANSION_BYTES_MAX);
    return false;
}

int sv_expand(const char *format, const char *name, const struct sv_scope *scope,
              struct sv_str *ret_text, struct sv_str *ret_problem)
{
    struct expander expander = {
        .format = format, .scope = scope, .text = ret_text, .problem = ret_problem};
    size_t start_length = ret_text->length;
    bool is_good = run(&expander);
    if (!is_good) {
        wrap_problem(&expander, name);
        sv_str_truncate(ret_text, start_length);
    }
    bool is_whole = sv_str_ok(ret_text) && sv_str_ok(ret_problem) && sv_str_ok(&expander.missing);
    sv_str_done(&expander.missing);
    if (!is_whole)
        return -ENOMEM;
    return is_good ? 0 : SV_EXPAND_E_BAD;
}
