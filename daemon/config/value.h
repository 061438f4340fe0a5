/* The values of options: text -> number, size, signal, address… with Supervisor's datatypes.py as
 * model. */
#ifndef SV_CONFIG_VALUE_H
#define SV_CONFIG_VALUE_H

#include "config/load.h"
#include "config/option.h"

/* What a text of the type LOGFILE means; in sv_value.integer. */
enum sv_logfile_word {
    SV_LOGFILE_WORD_FILE,
    SV_LOGFILE_WORD_NONE,
    SV_LOGFILE_WORD_AUTO,
    SV_LOGFILE_WORD_SYSLOG,
    SV_LOGFILE_WORD_JOURNAL,
};

/* What an option's text means; the type of the option says which member is set. */
struct sv_value {
    bool is_given;    /* in the file, as opposed to the default */
    const char *text; /* expanded; NULL: no value and no default */
    struct sv_place place;
    bool boolean;
    int64_t integer; /* also sizes, modes, signals, levels and every enum */
    double real;
    struct {
        uint32_t uid, gid; /* SV_ID_NONE: not given */
    } owner;
    const int *codes;
    size_t code_count;
    struct {
        uint64_t number, hard; /* as in struct sv_limit_entry */
    } limit;
    const double *reals; /* sorted */
    size_t real_count;
    const char *path; /* a file or directory, ~ expanded */
    const char *host;
    const struct sv_probe_config *probe;
};

/* Where a conversion finds memory and the machine, and says what is wrong. */
struct sv_value_context {
    struct sv_arena *arena; /* of the result */
    const struct sv_config_host *host;
    struct sv_str *problem; /* what is wrong with the text, and what to write instead */
    bool is_only_a_warning; /* set when the value was brought into range and can be used */
};

/* Converts value->text as the option's type asks. False: see `problem`. */
bool sv_value_convert(const struct sv_option *option, struct sv_value_context *context,
                      struct sv_value *value);

/* For conversions. Appends "'text' " to the problem; what is wrong with it comes next. */
struct sv_str *sv_value_quoted(struct sv_value_context *context, const struct sv_value *value);
/* Python's words of truth, in either case. 1: true, 0: false, -1: neither. */
int sv_value_truth(const char *text);
/* Digits with a fraction. */
bool sv_value_real(const char *text, double *ret_number);

#endif
