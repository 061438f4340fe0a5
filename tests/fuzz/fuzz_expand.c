/* Any text is a format, a command line and an environment: no crash, and the result is bounded. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "config/expand.h"
#include "config/shlex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expand(const char *text)
{
    struct sv_arena arena = {0};
    struct sv_scope scope = {.arena = &arena};
    struct sv_str result = {0};
    struct sv_str problem = {0};
    sv_scope_put_text(&scope, "here", "/etc");
    sv_scope_put_text(&scope, "ENV_A", "\xc3\xa9'\"\xff");
    sv_scope_put_number(&scope, "process_num", 7);
    sv_scope_put_number(&scope, "numprocs", INT64_MIN);
    int r = sv_expand(text, "program:x.command", &scope, &result, &problem);
    assert(r == 0 || r == SV_EXPAND_E_BAD);
    assert((r == 0) == (problem.length == 0));
    assert(result.length <= SV_EXPANSION_BYTES_MAX);
    sv_str_done(&result);
    sv_str_done(&problem);
    sv_scope_done(&scope);
    sv_arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    expand(text);
    struct sv_arena arena = {0};
    struct sv_words words;
    assert(sv_shlex_split(text, &arena, &words) >= 0);
    assert(sv_shlex_tokens(text, &arena, &words) >= 0);
    sv_arena_done(&arena);
    free(text);
    return 0;
}
