/*
 * PCRE2 (10.42), bytes, no UTF: a program may write what is no UTF-8, and then PCRE2 would refuse
 * the line. Nothing is compiled to machine code: a pattern is used for some lines after a start.
 *
 * Traps: the default bounds of a search are seconds of computing ("(a+)+$" and thirty letters), so
 * each search gets ours; a search may also be stopped by the bound of its heap, which counts the
 * same. pcre2_compile() takes its memory from the arena, so that the compiled pattern lives as long
 * as the configuration, and nobody has to free it.
 */
#include "config/pattern.h"

#include <stdlib.h>
#include <svisor/limits.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct sv_pattern {
    const pcre2_code *code;
};

struct sv_pattern_match {
    pcre2_match_data *data;
    pcre2_match_context *limits;
};

static void *take_from_arena(size_t size, void *arena)
{
    return sv_arena_alloc(arena, 1, size);
}

static void leave_in_arena(void *memory, void *arena)
{
    (void)memory;
    (void)arena;
}

static const struct sv_pattern *compile(const char *text, uint32_t options, struct sv_arena *arena,
                                        struct sv_str *problem)
{
    int error = 0;
    PCRE2_SIZE offset = 0;
    struct sv_pattern *pattern = sv_arena_new(arena, struct sv_pattern);
    pcre2_general_context *memory =
        pcre2_general_context_create(take_from_arena, leave_in_arena, arena);
    pcre2_compile_context *context = memory ? pcre2_compile_context_create(memory) : NULL;
    if (!pattern || !context) {
        sv_str_add(problem, "out of memory");
        return NULL;
    }
    pcre2_set_max_pattern_length(context, SV_PATTERN_BYTES_MAX);
    pcre2_set_parens_nest_limit(context, SV_PATTERN_DEPTH_MAX);
    pattern->code =
        pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, &error, &offset, context);
    if (pattern->code)
        return pattern;
    PCRE2_UCHAR words[128] = {0};
    pcre2_get_error_message(error, words, sizeof(words));
    sv_str_addf(problem, "%s, at its character %zu", (const char *)words, (size_t)offset + 1);
    return NULL;
}

const struct sv_pattern *sv_pattern_compile(const char *text, struct sv_arena *arena,
                                            struct sv_str *problem)
{
    return compile(text, 0, arena, problem);
}

const struct sv_pattern *sv_pattern_compile_name(const char *text, bool at_start,
                                                 struct sv_arena *arena, struct sv_str *problem)
{
    return compile(
        text, PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C | (at_start ? PCRE2_ANCHORED : 0),
        arena, problem);
}

struct sv_pattern_match *sv_pattern_match_new(void)
{
    struct sv_pattern_match *match = calloc(1, sizeof(*match));
    if (!match)
        return NULL;
    match->data = pcre2_match_data_create(1, NULL); /* that it is found, not where its groups are */
    match->limits = pcre2_match_context_create(NULL);
    if (!match->data || !match->limits) {
        sv_pattern_match_free(match);
        return NULL;
    }
    pcre2_set_match_limit(match->limits, SV_PATTERN_STEPS_MAX);
    pcre2_set_depth_limit(match->limits, SV_PATTERN_STEPS_MAX);
    pcre2_set_heap_limit(match->limits, SV_PATTERN_HEAP_KIB_MAX);
    return match;
}

void sv_pattern_match_free(struct sv_pattern_match *match)
{
    if (!match)
        return;
    pcre2_match_data_free(match->data);
    pcre2_match_context_free(match->limits);
    free(match);
}

enum sv_pattern_result sv_pattern_find_span(const struct sv_pattern *pattern,
                                            struct sv_pattern_match *match, const char *line,
                                            size_t length, struct sv_span *ret_span)
{
    enum sv_pattern_result result = sv_pattern_find(pattern, match, line, length);
    if (result != SV_PATTERN_YES)
        return result;
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(match->data);
    /* \K in a lookahead can put the begin behind the end. */
    *ret_span = (struct sv_span){line + ends[0], ends[1] > ends[0] ? ends[1] - ends[0] : 0};
    return result;
}

enum sv_pattern_result sv_pattern_find(const struct sv_pattern *pattern,
                                       struct sv_pattern_match *match, const char *line,
                                       size_t length)
{
    int r = pcre2_match(pattern->code, (PCRE2_SPTR)line, length, 0, 0, match->data, match->limits);
    if (r >= 0) /* 0: found, and there are more groups than we asked for */
        return SV_PATTERN_YES;
    return r == PCRE2_ERROR_NOMATCH ? SV_PATTERN_NO : SV_PATTERN_TOO_COSTLY;
}
