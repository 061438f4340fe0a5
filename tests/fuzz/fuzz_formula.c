/* Any text is a formula: no crash, a reason for every refusal, and one value for what is accepted.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config/formula.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void evaluate(const struct sv_formula *formula, struct sv_arena *arena,
                     struct sv_pattern_match *match)
{
    static const char *const names[] = {"a", "b", "web_1", "web_2"};
    static const bool values[][4] = {{true, false, true, false}, {true, true, true, true}, {false}};
    const struct sv_formula_binding *binding = sv_formula_bind(formula, names, 4, match, arena);
    if (!binding)
        abort();
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        const char *operand = NULL;
        enum sv_formula_result result = sv_formula_evaluate(binding, values[i], &operand);
        assert((operand != NULL) ==
               (result == SV_FORMULA_E_NOBODY || result == SV_FORMULA_E_SEVERAL));
    }
}

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
    const struct sv_formula *formula = sv_formula_parse(text, &arena, &problem);
    assert(formula || problem.length > 0);
    if (formula)
        evaluate(formula, &arena, match);
    sv_pattern_match_free(match);
    sv_str_done(&problem);
    sv_arena_done(&arena);
    free(text);
    return 0;
}
