/* Any text is a ready=, and any text may be written by a program whose pattern it is: no crash, no
 * endless search, a reason for every refusal. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct sv_pattern_match *match = sv_pattern_match_new();
    if (!text || !match)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    struct sv_arena arena = {0};
    struct sv_str problem = {0};
    struct sv_probe_config probe = {0};
    bool is_good = sv_probe_parse(text, &arena, &probe, &problem);
    assert(is_good == (problem.length == 0));
    if (is_good && probe.kind == SV_PROBE_LOG)
        sv_pattern_find(probe.pattern, match, text, size);
    sv_pattern_match_free(match);
    sv_str_done(&problem);
    sv_arena_done(&arena);
    free(text);
    return 0;
}
