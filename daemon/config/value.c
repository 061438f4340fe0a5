/*
 * One function for each type of option. Supervisor's datatypes.py is the model for what is
 * accepted; the messages are ours: they end in what to write instead.
 *
 * Supervisor takes any integer, also where only some make sense (startsecs=-1). Refusing those
 * would stop a daemon that runs today, so a number outside of its range is brought inside with a
 * warning. Only where the nearest number means something else altogether (a mode, an exit code, the
 * number of processes) it is an error.
 */
#include "config/value.h"

#include <errno.h>
#include <string.h>

#include "config/datatype.h"
#include "config/pytext.h"
#include "config/shlex.h"
#include "config/value_host.h"
#include "config/value_limits.h"
#include "config/value_supvisors.h"

typedef bool (*convert_function)(const struct sv_option *option, struct sv_value_context *context,
                                 struct sv_value *value);

struct sv_str *sv_value_quoted(struct sv_value_context *context, const struct sv_value *value)
{
    sv_py_repr(context->problem, value->text, strlen(value->text));
    sv_str_add_char(context->problem, ' ');
    return context->problem;
}

static void lower(const char *text, char *ret_word, size_t size)
{
    size_t i = 0;
    for (; text[i] && i + 1 < size; i++)
        ret_word[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i];
    ret_word[text[i] ? 0 : i] = '\0';
}

struct word {
    const char *name;
    int meaning;
};

/* Words are known in either case. */
static bool find_word(const char *text, const struct word *words, size_t count,
                      int64_t *ret_meaning)
{
    char word[16];
    lower(text, word, sizeof(word));
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, words[i].name) == 0) {
            *ret_meaning = words[i].meaning;
            return true;
        }
    return false;
}

static const char *example(const struct sv_option *option)
{
    return option->default_text && *option->default_text ? option->default_text : "1";
}

static bool convert_string(const struct sv_option *option, struct sv_value_context *context,
                           struct sv_value *value)
{
    (void)option;
    (void)context;
    (void)value;
    return true;
}

int sv_value_truth(const char *text)
{
    static const struct word words[] = {{"yes", 1}, {"true", 1},  {"on", 1},  {"1", 1},
                                        {"no", 0},  {"false", 0}, {"off", 0}, {"0", 0}};
    int64_t truth = -1;
    (void)find_word(text, words, SV_ARRAY_LENGTH(words), &truth);
    return (int)truth;
}

static bool convert_boolean(const struct sv_option *option, struct sv_value_context *context,
                            struct sv_value *value)
{
    (void)option;
    int result = sv_value_truth(value->text);
    value->boolean = result == 1;
    if (result < 0)
        sv_str_add(sv_value_quoted(context, value),
                   "is neither true nor false; write true or false");
    return result >= 0;
}

static bool range_is_hard(const struct sv_option *option)
{
    return option->type == SV_TYPE_OCTAL || option->type == SV_TYPE_BYTES ||
           option->section == SV_SECTION_SUPVISORS || strcmp(option->key, "numprocs") == 0 ||
           strcmp(option->key, "buffer_size") == 0 || strcmp(option->key, "socket_backlog") == 0;
}

static bool fit(const struct sv_option *option, struct sv_value_context *context,
                struct sv_value *value)
{
    int64_t nearest = value->integer < option->min   ? option->min
                      : value->integer > option->max ? option->max
                                                     : value->integer;
    if (nearest == value->integer)
        return true;
    if (option->type == SV_TYPE_OCTAL)
        sv_str_addf(sv_value_quoted(context, value),
                    "is not a mode; write an octal number from 0 to %llo",
                    (unsigned long long)option->max);
    else
        sv_str_addf(sv_value_quoted(context, value), "is not from %lld to %lld",
                    (long long)option->min, (long long)option->max);
    bool is_none = value->integer < 0 && nearest == 0 && option->type != SV_TYPE_OCTAL;
    if (range_is_hard(option) && !is_none) {
        if (option->type != SV_TYPE_OCTAL)
            sv_str_addf(context->problem, "; write a number in that range%s%s",
                        option->default_text ? ", such as " : "",
                        option->default_text ? option->default_text : "");
        return false;
    }
    sv_str_addf(context->problem, "; %lld is used", (long long)nearest);
    value->integer = nearest;
    context->is_only_a_warning = true;
    return true;
}

static bool convert_integer(const struct sv_option *option, struct sv_value_context *context,
                            struct sv_value *value)
{
    enum sv_py_int_result result = sv_py_int(value->text, strlen(value->text), 10, &value->integer);
    if (result != SV_PY_INT_E_FORM)
        return fit(option, context, value);
    sv_str_addf(sv_value_quoted(context, value), "is not a number; write %s%s, such as %s",
                option->unit ? "whole " : "a whole number", option->unit ? option->unit : "",
                example(option));
    return false;
}

static bool convert_retries(const struct sv_option *option, struct sv_value_context *context,
                            struct sv_value *value)
{
    char word[16];
    lower(value->text, word, sizeof(word));
    if (strcmp(word, "endless") == 0) {
        value->integer = SV_RETRIES_ENDLESS;
        return true;
    }
    bool is_good = convert_integer(option, context, value);
    if (!is_good)
        sv_str_add(context->problem, ", or endless");
    return is_good;
}

/* strtod() would read hexadecimal and nan, and depends on the locale. */
bool sv_value_real(const char *text, double *ret_number)
{
    double number = 0;
    double scale = 1;
    bool has_digit = false;
    bool has_point = false;
    for (; *text; text++) {
        if (*text == '.' && !has_point) {
            has_point = true;
            continue;
        }
        if (*text < '0' || *text > '9')
            return false;
        has_digit = true;
        number = number * 10 + (*text - '0');
        scale *= has_point ? 10 : 1;
        if (number > 1e15 || scale > 1e15)
            return false;
    }
    *ret_number = number / scale;
    return has_digit;
}

static bool convert_seconds(const struct sv_option *option, struct sv_value_context *context,
                            struct sv_value *value)
{
    bool is_number = sv_value_real(value->text, &value->real);
    if (is_number && value->real >= (double)option->min && value->real <= (double)option->max)
        return true;
    sv_str_addf(sv_value_quoted(context, value), "%s; write a number from %lld to %lld, such as %s",
                is_number ? "is out of range" : "is not a number", (long long)option->min,
                (long long)option->max, option->min > 0 ? example(option) : "0.5");
    return false;
}

static bool convert_octal(const struct sv_option *option, struct sv_value_context *context,
                          struct sv_value *value)
{
    enum sv_py_int_result result = sv_py_int(value->text, strlen(value->text), 8, &value->integer);
    if (result != SV_PY_INT_E_FORM)
        return fit(option, context, value);
    sv_str_add(sv_value_quoted(context, value),
               "can not be converted to an octal type; write an octal number, such as 022");
    return false;
}

static bool convert_bytes(const struct sv_option *option, struct sv_value_context *context,
                          struct sv_value *value)
{
    enum sv_py_int_result result =
        sv_value_bytes(value->text, strlen(value->text), &value->integer);
    if (result == SV_PY_INT_E_FORM) {
        sv_str_addf(sv_value_quoted(context, value),
                    "is not a size; write bytes, or a number with KB, MB or GB, such as %s",
                    strcmp(example(option), "0") == 0 ? "1MB" : example(option));
        return false;
    }
    if (result == SV_PY_INT_E_RANGE) {
        sv_str_add(sv_value_quoted(context, value), "is too large; write at most 8000000000GB");
        return false;
    }
    return fit(option, context, value);
}

static bool convert_signal(const struct sv_option *option, struct sv_value_context *context,
                           struct sv_value *value)
{
    (void)option;
    int number = 0;
    if (!sv_value_signal(value->text, &number)) {
        int64_t ignored;
        bool is_number = sv_py_int(value->text, strlen(value->text), 10, &ignored) == SV_PY_INT_OK;
        sv_str_addf(sv_value_quoted(context, value),
                    "is not a valid signal %s; write a name such as TERM, HUP, INT, QUIT, KILL, "
                    "USR1 or USR2",
                    is_number ? "number" : "name");
        return false;
    }
    value->integer = number;
    return true;
}

static bool convert_exitcodes(const struct sv_option *option, struct sv_value_context *context,
                              struct sv_value *value)
{
    size_t count = 1;
    for (const char *c = value->text; *c; c++)
        count += *c == ',';
    int *codes = sv_arena_array(context->arena, int, count);
    if (!codes) {
        sv_str_add(context->problem, "out of memory");
        return false;
    }
    size_t filled = 0;
    for (const char *part = value->text; *value->text && filled < count; filled++) {
        size_t length = strcspn(part, ",");
        int64_t code = -1;
        if (sv_py_int(part, length, 10, &code) != SV_PY_INT_OK || code < option->min ||
            code > option->max) {
            sv_str_add(sv_value_quoted(context, value),
                       "is not a list of exit codes; write numbers from 0 "
                       "to 255 with commas, such as 0,2");
            return false;
        }
        codes[filled] = (int)code;
        part += length + (part[length] == ',');
    }
    value->codes = codes;
    value->code_count = filled;
    return true;
}

static bool convert_autorestart(const struct sv_option *option, struct sv_value_context *context,
                                struct sv_value *value)
{
    static const struct word words[] = {{"unexpected", SV_AUTORESTART_UNEXPECTED}};
    (void)option;
    int truth = sv_value_truth(value->text);
    if (truth >= 0)
        value->integer = truth == 1 ? SV_AUTORESTART_ALWAYS : SV_AUTORESTART_NEVER;
    if (truth >= 0 || find_word(value->text, words, SV_ARRAY_LENGTH(words), &value->integer))
        return true;
    sv_str_add(sv_value_quoted(context, value),
               "is not known; write true (always), false (never) or unexpected");
    return false;
}

static bool convert_kill_mode(const struct sv_option *option, struct sv_value_context *context,
                              struct sv_value *value)
{
    static const struct word words[] = {{"control-group", SV_KILL_CONTROL_GROUP},
                                        {"process", SV_KILL_PROCESS}};
    (void)option;
    if (find_word(value->text, words, SV_ARRAY_LENGTH(words), &value->integer))
        return true;
    sv_str_add(sv_value_quoted(context, value), "is not known; write control-group or process");
    return false;
}

static bool convert_on_stop(const struct sv_option *option, struct sv_value_context *context,
                            struct sv_value *value)
{
    static const struct word words[] = {{"keep", SV_ON_STOP_KEEP}, {"stop", SV_ON_STOP_STOP}};
    (void)option;
    if (find_word(value->text, words, SV_ARRAY_LENGTH(words), &value->integer))
        return true;
    sv_str_add(sv_value_quoted(context, value), "is not known; write stop or keep");
    return false;
}

static bool convert_probe(const struct sv_option *option, struct sv_value_context *context,
                          struct sv_value *value)
{
    (void)option;
    struct sv_probe_config *probe = sv_arena_new(context->arena, struct sv_probe_config);
    if (!probe) {
        sv_str_add(context->problem, "out of memory");
        return false;
    }
    value->probe = probe;
    return sv_probe_parse(value->text, context->arena, probe, context->problem);
}

static bool convert_liveness_action(const struct sv_option *option,
                                    struct sv_value_context *context, struct sv_value *value)
{
    static const struct {
        const char *word;
        enum sv_liveness_action action;
    } words[] = {
        {"restart", SV_LIVENESS_RESTART}, {"stop", SV_LIVENESS_STOP}, {"none", SV_LIVENESS_NONE}};
    (void)option;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(words); i++) {
        if (strcmp(value->text, words[i].word) == 0) {
            value->integer = words[i].action;
            return true;
        }
    }
    int number = 0;
    bool is_signal =
        strncmp(value->text, "signal:", 7) == 0 && sv_value_signal(value->text + 7, &number);
    value->integer = number;
    if (!is_signal)
        sv_str_add(sv_value_quoted(context, value),
                   "is not known; write restart, stop, none, or a signal such as signal:USR1");
    return is_signal;
}

static bool convert_loglevel(const struct sv_option *option, struct sv_value_context *context,
                             struct sv_value *value)
{
    (void)option;
    enum sv_log_level level;
    if (!sv_log_level_parse(value->text, &level)) {
        sv_str_add(sv_value_quoted(context, value),
                   "is not a log level; write critical, error, warn, info, "
                   "debug, trace or blather");
        return false;
    }
    value->integer = level;
    return true;
}

static bool convert_logfile(const struct sv_option *option, struct sv_value_context *context,
                            struct sv_value *value)
{
    static const struct word words[] = {{"none", SV_LOGFILE_WORD_NONE},
                                        {"off", SV_LOGFILE_WORD_NONE},
                                        {"auto", SV_LOGFILE_WORD_AUTO},
                                        {"syslog", SV_LOGFILE_WORD_SYSLOG},
                                        {"journal", SV_LOGFILE_WORD_JOURNAL}};
    if (find_word(value->text, words, SV_ARRAY_LENGTH(words), &value->integer))
        return true;
    value->integer = SV_LOGFILE_WORD_FILE;
    return sv_convert_file(option, context, value);
}

static bool convert_address(const struct sv_option *option, struct sv_value_context *context,
                            struct sv_value *value)
{
    (void)option;
    uint16_t port = 0;
    if (!sv_value_address(value->text, context->arena, &value->host, &port)) {
        sv_str_add(sv_value_quoted(context, value),
                   "is not an address; write host:port, such as 127.0.0.1:9001 or *:9001");
        return false;
    }
    value->integer = port;
    return true;
}

static const convert_function converters[] = {
    [SV_TYPE_STRING] = convert_string,
    [SV_TYPE_BOOLEAN] = convert_boolean,
    [SV_TYPE_INTEGER] = convert_integer,
    [SV_TYPE_RETRIES] = convert_retries,
    [SV_TYPE_SECONDS] = convert_seconds,
    [SV_TYPE_OCTAL] = convert_octal,
    [SV_TYPE_BYTES] = convert_bytes,
    [SV_TYPE_SIGNAL] = convert_signal,
    [SV_TYPE_EXITCODES] = convert_exitcodes,
    [SV_TYPE_AUTORESTART] = convert_autorestart,
    [SV_TYPE_KILL_MODE] = convert_kill_mode,
    [SV_TYPE_LOGLEVEL] = convert_loglevel,
    [SV_TYPE_LOGFILE] = convert_logfile,
    [SV_TYPE_FILE] = sv_convert_file,
    [SV_TYPE_DIRECTORY] = sv_convert_directory,
    [SV_TYPE_USER] = sv_convert_user,
    [SV_TYPE_OWNER] = sv_convert_owner,
    [SV_TYPE_ADDRESS] = convert_address,
    [SV_TYPE_SIZE_OR_MAX] = sv_convert_size_or_max,
    [SV_TYPE_NUMBER_OR_MAX] = sv_convert_number_or_max,
    [SV_TYPE_PERCENT] = sv_convert_percent,
    [SV_TYPE_CPU_LIST] = sv_convert_cpu_list,
    [SV_TYPE_IO_MAX] = sv_convert_io_max,
    [SV_TYPE_OOM_POLICY] = sv_convert_oom_policy,
    [SV_TYPE_PRESSURE] = sv_convert_pressure,
    [SV_TYPE_FORK_RATE] = sv_convert_fork_rate,
    [SV_TYPE_RLIMIT] = sv_convert_rlimit,
    [SV_TYPE_ON_STOP] = convert_on_stop,
    [SV_TYPE_PROBE] = convert_probe,
    [SV_TYPE_LIVENESS_ACTION] = convert_liveness_action,
    [SV_TYPE_MULTICAST_GROUP] = sv_convert_multicast_group,
    [SV_TYPE_IPV4_ADDRESS] = sv_convert_ipv4_address,
    [SV_TYPE_EVENT_LINK] = sv_convert_choice,
    [SV_TYPE_SYNCHRO_OPTIONS] = sv_convert_synchro_options,
    [SV_TYPE_SUPVISORS_FAILURE] = sv_convert_choice,
    [SV_TYPE_STARTING_STRATEGY] = sv_convert_choice,
    [SV_TYPE_CONCILIATION_STRATEGY] = sv_convert_choice,
    [SV_TYPE_STATISTICS] = sv_convert_statistics,
    [SV_TYPE_PERIODS] = sv_convert_periods,
};
_Static_assert(sizeof(converters) / sizeof(converters[0]) == SV_TYPE_COUNT,
               "every type has a conversion");

bool sv_value_convert(const struct sv_option *option, struct sv_value_context *context,
                      struct sv_value *value)
{
    return converters[option->type](option, context, value);
}
