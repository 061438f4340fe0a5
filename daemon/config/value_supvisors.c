/*
 * The values that only Supvisors has. Its options.py is the model for what is accepted, to the
 * letter, since a value that it does not accept gives way to the default: one file must mean the
 * same to both.
 */
#include "config/value_supvisors.h"

#include <string.h>

#include "base/choice.h"
#include "config/names.h"
#include "config/pytext.h"

/* Four numbers from 0 to 255, the first one from `first_min` to `first_max`. */
static bool is_ipv4(const char *text, size_t length, int64_t first_min, int64_t first_max)
{
    size_t part_count = 0;
    for (size_t begin = 0; begin <= length && part_count < 4; part_count++) {
        size_t end = begin;
        while (end < length && text[end] != '.')
            end++;
        int64_t number;
        if (sv_py_int(text + begin, end - begin, 10, &number) != SV_PY_INT_OK ||
            number < (part_count == 0 ? first_min : 0) ||
            number > (part_count == 0 ? first_max : 255))
            return false;
        if (end == length)
            return part_count == 3;
        begin = end + 1;
    }
    return false;
}

bool sv_convert_multicast_group(const struct sv_option *option, struct sv_value_context *context,
                                struct sv_value *value)
{
    static const char *const reserved[] = {"224.0.0.0", "232.0.0.0", "233.0.0.0", "239.0.0.0"};
    (void)option;
    const char *colon = strchr(value->text, ':');
    size_t length = colon ? (size_t)(colon - value->text) : 0;
    bool is_good = colon && is_ipv4(value->text, length, 224, 239) &&
                   sv_py_int(colon + 1, strlen(colon + 1), 10, &value->integer) == SV_PY_INT_OK &&
                   value->integer >= 1 && value->integer <= UINT16_MAX;
    for (size_t i = 0; is_good && i < SV_ARRAY_LENGTH(reserved); i++)
        is_good = strlen(reserved[i]) != length || strncmp(reserved[i], value->text, length) != 0;
    if (!is_good) {
        sv_str_add(sv_value_quoted(context, value),
                   "is not a multicast address and port; write an address from 224.0.0.1 to "
                   "239.255.255.255, such as 239.0.0.1:1234");
        return false;
    }
    value->host = sv_arena_strndup(context->arena, value->text, length);
    return value->host != NULL;
}

bool sv_convert_ipv4_address(const struct sv_option *option, struct sv_value_context *context,
                             struct sv_value *value)
{
    (void)option;
    bool is_any = strcmp(value->text, "ANY") == 0 || strcmp(value->text, "INADDR_ANY") == 0;
    value->host = is_any ? NULL : value->text;
    if (is_any || is_ipv4(value->text, strlen(value->text), 0, 255))
        return true;
    sv_str_add(sv_value_quoted(context, value),
               "is not an IP address; write that of an interface, such as 192.168.1.5, or ANY");
    return false;
}

bool sv_convert_choice(const struct sv_option *option, struct sv_value_context *context,
                       struct sv_value *value)
{
    static const enum sv_choice_kind kinds[SV_TYPE_COUNT] = {
        [SV_TYPE_EVENT_LINK] = SV_CHOICE_EVENT_LINK,
        [SV_TYPE_SUPVISORS_FAILURE] = SV_CHOICE_SUPVISORS_FAILURE_STRATEGY,
        [SV_TYPE_STARTING_STRATEGY] = SV_CHOICE_STARTING_STRATEGY,
        [SV_TYPE_CONCILIATION_STRATEGY] = SV_CHOICE_CONCILIATION_STRATEGY,
    };
    int number = 0;
    bool is_good = sv_choice_parse(kinds[option->type], value->text, true, &number);
    value->integer = number;
    if (!is_good) {
        sv_str_add(sv_value_quoted(context, value), "is not known; write ");
        sv_choice_list(kinds[option->type], context->problem);
    }
    return is_good;
}

/* What one word of a list means, as bits; false: nothing. */
typedef bool (*word_function)(const char *word, int64_t *ret_bits);

static bool convert_words(struct sv_value_context *context, struct sv_value *value,
                          word_function function)
{
    struct sv_arena scratch SV_CLEANUP(sv_arena_done) = {0};
    struct sv_name_list words;
    if (sv_names_split(value->text, &scratch, &words) < 0) {
        sv_str_add(context->problem, "out of memory");
        return false;
    }
    value->integer = 0;
    for (size_t i = 0; i < words.count; i++) {
        int64_t bits = 0;
        if (!function(words.items[i], &bits)) {
            sv_str_add(sv_value_quoted(context, value), "is not known; write ");
            return false;
        }
        value->integer |= bits;
    }
    return true;
}

static bool synchro_bits(const char *word, int64_t *ret_bits)
{
    int number = 0;
    bool is_known = *word == '\0' || sv_choice_parse(SV_CHOICE_SYNCHRO_OPTION, word, true, &number);
    *ret_bits = *word == '\0' ? 0 : INT64_C(1) << number;
    return is_known;
}

bool sv_convert_synchro_options(const struct sv_option *option, struct sv_value_context *context,
                                struct sv_value *value)
{
    (void)option;
    bool is_good = convert_words(context, value, synchro_bits);
    if (!is_good) {
        sv_choice_list(SV_CHOICE_SYNCHRO_OPTION, context->problem);
        sv_str_add(context->problem, ", or several of them with commas");
    }
    return is_good;
}

/* The numbers of the words are the union already: HOST 1, PROCESS 2, ALL 3. */
static bool statistics_bits(const char *word, int64_t *ret_bits)
{
    int number = 0;
    int truth = sv_value_truth(word);
    bool is_known = truth >= 0 || sv_choice_parse(SV_CHOICE_STATISTICS_TYPE, word, true, &number);
    *ret_bits = truth == 1 ? SV_STATISTICS_TYPE_ALL : number;
    return is_known;
}

bool sv_convert_statistics(const struct sv_option *option, struct sv_value_context *context,
                           struct sv_value *value)
{
    (void)option;
    bool is_good = *value->text != '\0' && convert_words(context, value, statistics_bits);
    if (*value->text == '\0')
        sv_str_add(context->problem, "is empty; write ");
    if (!is_good)
        sv_choice_list(SV_CHOICE_STATISTICS_TYPE, context->problem);
    return is_good;
}

enum { PERIODS_MAX = 3 };

bool sv_convert_periods(const struct sv_option *option, struct sv_value_context *context,
                        struct sv_value *value)
{
    struct sv_name_list words;
    double *reals = sv_arena_array(context->arena, double, PERIODS_MAX);
    if (!reals || sv_names_split(value->text, context->arena, &words) < 0) {
        sv_str_add(context->problem, "out of memory");
        return false;
    }
    bool is_good = words.count >= 1 && words.count <= PERIODS_MAX;
    size_t count = 0;
    for (size_t i = 0; is_good && i < words.count; i++) {
        double real = 0;
        is_good = sv_value_real(words.items[i], &real) && real >= (double)option->min &&
                  real <= (double)option->max;
        size_t place = count++;
        for (; place > 0 && reals[place - 1] > real; place--)
            reals[place] = reals[place - 1];
        reals[place] = real;
    }
    value->reals = reals;
    value->real_count = count;
    if (!is_good)
        sv_str_addf(sv_value_quoted(context, value),
                    "is not one to three periods; write numbers from %lld to %lld with commas, "
                    "such as 5,60,600",
                    (long long)option->min, (long long)option->max);
    return is_good;
}
