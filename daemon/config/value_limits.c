/*
 * The forms of value that only limits have: sizes with "max", per cents, lists of processors,
 * limits of devices, SOFT:HARD. Each is brought into one form, so that two ways to write the same
 * are equal when a file is read again.
 */
#include "config/value_limits.h"

#include <string.h>

#include "base/attr.h"
#include "config/datatype.h"
#include "config/pytext.h"
#include "config/warn.h"

enum {
    QUOTA_PERIOD_US = 100000,
    QUOTA_MIN_US = 1000, /* the kernel's: tg_set_cfs_bandwidth(), min_cfs_quota_period */
    PROCESSOR_MAX = 65535,
};

static bool refuse(struct sv_value_context *context, const struct sv_value *value,
                   const char *advice)
{
    sv_str_add(sv_value_quoted(context, value), advice);
    return false;
}

static bool is_word(struct sv_span span, const char *word)
{
    return span.length == strlen(word) && memcmp(span.data, word, span.length) == 0;
}

static struct sv_span trimmed(const struct sv_value *value)
{
    return sv_py_strip(value->text, strlen(value->text));
}

/* Keeps the text in the one form that it has for people. */
static bool keep(struct sv_value_context *context, struct sv_value *value, const char *text,
                 size_t length)
{
    value->text = sv_arena_strndup(context->arena, text, length);
    if (!value->text)
        sv_str_add(context->problem, "out of memory");
    return value->text != NULL;
}

/* A number, or with `has_units` a size. */
static bool parse_number(struct sv_span span, bool has_units, uint64_t *ret_number)
{
    int64_t number;
    enum sv_py_int_result result = has_units ? sv_value_bytes(span.data, span.length, &number)
                                             : sv_py_int(span.data, span.length, 10, &number);
    if (result != SV_PY_INT_OK || number < 0)
        return false;
    *ret_number = (uint64_t)number;
    return true;
}

static bool is_within(const struct sv_option *option, uint64_t number)
{
    return number >= (uint64_t)option->min && number <= (uint64_t)option->max;
}

bool sv_convert_size_or_max(const struct sv_option *option, struct sv_value_context *context,
                            struct sv_value *value)
{
    struct sv_span span = trimmed(value);
    value->limit.number = SV_LIMIT_NONE;
    if (is_word(span, "max"))
        return keep(context, value, span.data, span.length);
    if (!parse_number(span, true, &value->limit.number))
        return refuse(context, value,
                      "is not a size; write bytes, or a number with KB, MB or GB, such as 100MB, "
                      "or max");
    if (is_within(option, value->limit.number))
        return keep(context, value, span.data, span.length);
    return refuse(context, value,
                  value->limit.number < (uint64_t)option->min
                      ? "is too small for any program to run in; write at least 64KB, such as "
                        "100MB, or max"
                      : "is too large; write max for no limit");
}

bool sv_convert_number_or_max(const struct sv_option *option, struct sv_value_context *context,
                              struct sv_value *value)
{
    struct sv_span span = trimmed(value);
    value->limit.number = SV_LIMIT_NONE;
    if (is_word(span, "max"))
        return keep(context, value, span.data, span.length);
    if (parse_number(span, false, &value->limit.number) && is_within(option, value->limit.number))
        return keep(context, value, span.data, span.length);
    sv_str_addf(sv_value_quoted(context, value),
                "is not a number from %lld to %lld; write one, such as 100, or max",
                (long long)option->min, (long long)option->max);
    return false;
}

/* "150%" and "12.5%" in thousandths of a per cent. */
static bool parse_percent(struct sv_span span, uint64_t *ret_thousandths)
{
    uint64_t number = 0;
    unsigned decimals = 0;
    bool has_point = false, has_digit = false;
    if (span.length == 0 || span.data[span.length - 1] != '%')
        return false;
    for (size_t i = 0; i + 1 < span.length; i++) {
        char c = span.data[i];
        if (c == '.' && !has_point) {
            has_point = true;
            continue;
        }
        if (c < '0' || c > '9' || number > UINT32_MAX || (has_point && decimals == 3))
            return false;
        number = number * 10 + (uint64_t)(c - '0');
        decimals += has_point;
        has_digit = true;
    }
    for (; decimals < 3; decimals++)
        number *= 10;
    *ret_thousandths = number;
    return has_digit;
}

bool sv_convert_percent(const struct sv_option *option, struct sv_value_context *context,
                        struct sv_value *value)
{
    struct sv_span span = trimmed(value);
    if (span.length > 2 && span.data[span.length - 2] == '%')
        span.length--; /* written as other options need it: 150%% */
    uint64_t thousandths = 0;
    value->limit.number = SV_LIMIT_NONE;
    if (is_word(span, "max"))
        return keep(context, value, span.data, span.length);
    if (!parse_percent(span, &thousandths))
        return refuse(context, value,
                      "is not a part of processor time; write per cent of one processor, such as "
                      "50% or 150%, or max");
    value->limit.number = thousandths * (QUOTA_PERIOD_US / 100) / 1000;
    if (value->limit.number >= QUOTA_MIN_US && thousandths <= (uint64_t)option->max * 1000)
        return keep(context, value, span.data, span.length);
    return refuse(context, value, "is out of range; write from 1% to 1000000%, or max");
}

/* A number of at most five digits from *cursor on; moves it behind. */
static bool parse_processor(const char **cursor, const char *end, unsigned *ret_number)
{
    unsigned number = 0;
    const char *start = *cursor;
    for (; *cursor < end && **cursor >= '0' && **cursor <= '9' && *cursor - start < 6; ++*cursor)
        number = number * 10 + (unsigned)(**cursor - '0');
    *ret_number = number;
    return *cursor > start && number <= PROCESSOR_MAX;
}

/* "0-3, 5": the kernel's own form, without blanks. */
bool sv_convert_cpu_list(const struct sv_option *option, struct sv_value_context *context,
                         struct sv_value *value)
{
    (void)option;
    struct sv_str list SV_CLEANUP(sv_str_done) = {0};
    for (const char *c = value->text; *c; c++)
        if (*c != ' ' && *c != '\t')
            sv_str_add_char(&list, *c);
    const char *cursor = sv_str_text(&list);
    const char *end = cursor + list.length;
    bool is_good = cursor < end;
    while (is_good && cursor < end) {
        unsigned first, last;
        is_good = parse_processor(&cursor, end, &first);
        last = first;
        if (is_good && cursor < end && *cursor == '-') {
            cursor++;
            is_good = parse_processor(&cursor, end, &last) && last >= first;
        }
        if (is_good && cursor < end)
            is_good = *cursor++ == ',' && cursor < end;
    }
    if (is_good)
        return keep(context, value, sv_str_text(&list), list.length);
    return refuse(context, value,
                  "is not a list of processors; write numbers and ranges with commas, such as "
                  "0-3,5");
}

/* --- io_max: "/dev/sda rbps=10MB wiops=100, 8:16 wbps=1MB" --- */

static struct sv_span next_word(struct sv_span *rest)
{
    struct sv_span word = sv_py_strip(rest->data, rest->length);
    size_t length = 0;
    while (length < word.length && word.data[length] != ' ' && word.data[length] != '\t')
        length++;
    rest->length -= (size_t)(word.data + length - rest->data);
    rest->data = word.data + length;
    word.length = length;
    return word;
}

static bool add_device_limit(struct sv_span word, struct sv_str *out)
{
    static const struct {
        const char *name;
        bool is_size;
    } kinds[] = {{"rbps=", true}, {"wbps=", true}, {"riops=", false}, {"wiops=", false}};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(kinds); i++) {
        size_t length = strlen(kinds[i].name);
        if (word.length <= length || memcmp(word.data, kinds[i].name, length) != 0)
            continue;
        struct sv_span text = {word.data + length, word.length - length};
        uint64_t number = 0;
        sv_str_addf(out, " %s", kinds[i].name);
        if (is_word(text, "max"))
            sv_str_add(out, "max");
        else if (parse_number(text, kinds[i].is_size, &number) && number > 0)
            sv_str_addf(out, "%llu", (unsigned long long)number);
        else
            return false;
        return true;
    }
    return false;
}

static bool is_device(struct sv_span word)
{
    if (word.length > 0 && word.data[0] == '/')
        return true;
    size_t colon = 0;
    size_t digits = 0;
    for (size_t i = 0; i < word.length; i++) {
        if (word.data[i] == ':' && i > 0 && colon == 0)
            colon = i;
        else if (word.data[i] >= '0' && word.data[i] <= '9')
            digits++;
        else
            return false;
    }
    return colon > 0 && colon + 1 < word.length && digits + 1 == word.length;
}

bool sv_convert_io_max(const struct sv_option *option, struct sv_value_context *context,
                       struct sv_value *value)
{
    (void)option;
    struct sv_str out SV_CLEANUP(sv_str_done) = {0};
    const char *cursor = value->text;
    bool is_good = *cursor != '\0';
    while (is_good && *cursor) {
        struct sv_span rest = {cursor, strcspn(cursor, ",")};
        cursor += rest.length + (cursor[rest.length] == ',');
        struct sv_span word = next_word(&rest);
        is_good = is_device(word);
        sv_str_addf(&out, "%s%.*s", out.length > 0 ? "," : "", (int)word.length, word.data);
        word = next_word(&rest);
        for (is_good = is_good && word.length > 0; is_good && word.length > 0;
             word = next_word(&rest))
            is_good = add_device_limit(word, &out);
    }
    if (is_good && sv_str_ok(&out))
        return keep(context, value, sv_str_text(&out), out.length);
    return refuse(context, value,
                  "is not a list of limits of devices; write a device and what it may do in a "
                  "second, such as /dev/sda rbps=10MB wiops=100, with a comma between devices");
}

bool sv_convert_oom_policy(const struct sv_option *option, struct sv_value_context *context,
                           struct sv_value *value)
{
    (void)option;
    static const char *const words[] = {
        [SV_OOM_CONTINUE] = "continue", [SV_OOM_STOP] = "stop", [SV_OOM_KILL] = "kill"};
    struct sv_span span = trimmed(value);
    for (size_t i = 0; i < SV_ARRAY_LENGTH(words); i++) {
        if (is_word(span, words[i])) {
            value->limit.number = i;
            return keep(context, value, span.data, span.length);
        }
    }
    return refuse(context, value, "is not known; write continue, stop or kill");
}

bool sv_convert_pressure(const struct sv_option *option, struct sv_value_context *context,
                         struct sv_value *value)
{
    (void)option;
    struct sv_pressure_bounds bounds;
    struct sv_str words SV_CLEANUP(sv_str_done) = {0};
    if (!sv_pressure_parse(value->text, &bounds, &words))
        return refuse(context, value, sv_str_text(&words));
    sv_pressure_render(&bounds, &words);
    value->limit.number = bounds.count;
    return keep(context, value, sv_str_text(&words), words.length);
}

bool sv_convert_fork_rate(const struct sv_option *option, struct sv_value_context *context,
                          struct sv_value *value)
{
    if (!sv_fork_rate_parse(value->text, &value->limit.number, &value->limit.hard))
        return refuse(context, value,
                      "is not a rate; write a number in a second or a minute, such as 1000/s or "
                      "30/min");
    if (!is_within(option, value->limit.number))
        return refuse(context, value, "is out of range; write from 1 to 1000000");
    struct sv_span span = trimmed(value);
    return keep(context, value, span.data, span.length);
}

/* One side of SOFT:HARD. */
static bool parse_rlimit(const struct sv_option *option, struct sv_span span, uint64_t *ret_number)
{
    bool is_size = option->unit && strcmp(option->unit, "bytes") == 0;
    *ret_number = SV_LIMIT_NONE;
    if (is_word(span, "unlimited") || is_word(span, "infinity"))
        return option->max == INT64_MAX;
    return parse_number(span, is_size, ret_number) && is_within(option, *ret_number);
}

bool sv_convert_rlimit(const struct sv_option *option, struct sv_value_context *context,
                       struct sv_value *value)
{
    struct sv_span span = trimmed(value);
    const char *colon = memchr(span.data, ':', span.length);
    size_t length = colon ? (size_t)(colon - span.data) : span.length;
    struct sv_span soft = sv_py_strip(span.data, length);
    struct sv_span hard = colon ? sv_py_strip(colon + 1, span.length - length - 1) : soft;
    if (!parse_rlimit(option, soft, &value->limit.number) ||
        !parse_rlimit(option, hard, &value->limit.hard)) {
        sv_str_addf(sv_value_quoted(context, value),
                    "is not a limit; write SOFT or SOFT:HARD in %s",
                    option->unit ? option->unit : "numbers");
        if (option->max == INT64_MAX)
            sv_str_add(context->problem, ", or unlimited");
        else
            sv_str_addf(context->problem, ", from 0 to %lld", (long long)option->max);
        return false;
    }
    if (value->limit.number > value->limit.hard)
        return refuse(context, value, "has a soft limit above the hard one; write SOFT:HARD");
    return keep(context, value, span.data, span.length);
}
