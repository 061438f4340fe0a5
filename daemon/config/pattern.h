/* Regular expressions of the configuration (PCRE2), compiled when it is read and bounded when they
 * are used. */
#ifndef SV_CONFIG_PATTERN_H
#define SV_CONFIG_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"
#include "config/pytext.h"

/* Compiled; lives in the arena that it was made in. */
struct sv_pattern;
/* What one search needs beside the pattern. */
struct sv_pattern_match;

/* NULL with the reason in `problem` when the text is no regular expression. */
const struct sv_pattern *sv_pattern_compile(const char *text, struct sv_arena *arena,
                                            struct sv_str *problem);

/* The same for names, which are UTF-8: a dot is a character, and \w knows the letters of every
 * language. `at_start`: it must match from the first character on. */
const struct sv_pattern *sv_pattern_compile_name(const char *text, bool at_start,
                                                 struct sv_arena *arena, struct sv_str *problem);

/* NULL without memory. */
struct sv_pattern_match *sv_pattern_match_new(void);
void sv_pattern_match_free(struct sv_pattern_match *match);

enum sv_pattern_result {
    SV_PATTERN_NO,
    SV_PATTERN_YES,
    SV_PATTERN_TOO_COSTLY, /* more than SV_PATTERN_STEPS_MAX steps, or no memory: not known */
};

/* Whether the pattern is found anywhere in the line. */
enum sv_pattern_result sv_pattern_find(const struct sv_pattern *pattern,
                                       struct sv_pattern_match *match, const char *line,
                                       size_t length);
/* The same, and what was matched: a part of the line. */
enum sv_pattern_result sv_pattern_find_span(const struct sv_pattern *pattern,
                                            struct sv_pattern_match *match, const char *line,
                                            size_t length, struct sv_span *ret_span);

#endif
