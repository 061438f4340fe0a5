#include "config/formula.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* a, b and web_1 are good; c and web_2 are not. */
static const char *const names[] = {"a", "b", "c", "web_1", "web_2", "größe", "x+"};
static const bool is_good[] = {true, true, false, true, false, true, true};

enum { REFUSED = -1 };

static int value_of(const char *text)
{
    struct sv_arena arena SV_CLEANUP(sv_arena_done) = {0};
    struct sv_str problem SV_CLEANUP(sv_str_done) = {0};
    const struct sv_formula *formula = sv_formula_parse(text, &arena, &problem);
    if (!formula) {
        assert_true(problem.length > 0);
        return REFUSED;
    }
    assert_string_equal(sv_formula_text(formula), text);
    struct sv_pattern_match *match = sv_pattern_match_new();
    const struct sv_formula_binding *binding =
        sv_formula_bind(formula, names, sizeof(names) / sizeof(names[0]), match, &arena);
    assert_non_null(binding);
    const char *operand = NULL;
    int result = (int)sv_formula_evaluate(binding, is_good, &operand);
    assert_true((operand != NULL) ==
                (result == SV_FORMULA_E_NOBODY || result == SV_FORMULA_E_SEVERAL));
    sv_pattern_match_free(match);
    return result;
}

static void expect(const char *text, int wanted)
{
    int actual = value_of(text);
    if (actual != wanted)
        fail_msg("%s is %d, not %d", text, actual, wanted);
}

static void operators_bind_as_in_python(void **state)
{
    (void)state;
    expect("'a'", SV_FORMULA_TRUE);
    expect("\"c\"", SV_FORMULA_FALSE);
    expect("'a' or 'b' and 'c'", SV_FORMULA_TRUE);
    expect("('a' or 'b') and 'c'", SV_FORMULA_FALSE);
    expect("not 'c' and 'a'", SV_FORMULA_TRUE);
    expect("not ('c' or 'a')", SV_FORMULA_FALSE);
    expect("not not 'a'", SV_FORMULA_TRUE);
    expect("'c' or not 'c' and not 'c'", SV_FORMULA_TRUE);
    expect("'a'and'b'", SV_FORMULA_TRUE);
}

static void patterns_mean_whole_names(void **state)
{
    (void)state;
    expect("all('web_.')", SV_FORMULA_FALSE);
    expect("any('web_.')", SV_FORMULA_TRUE);
    expect("any('web_')", SV_FORMULA_E_NOBODY);
    expect("'web_1.*'", SV_FORMULA_TRUE);
    expect("'web_\\d'", SV_FORMULA_E_SEVERAL);
    expect("not 'web_.'", SV_FORMULA_E_SEVERAL);
    expect("all('gr..e')", SV_FORMULA_TRUE);
    expect("'x+'", SV_FORMULA_TRUE);
    expect("all('a|b|c')", SV_FORMULA_FALSE);
    expect("'('", SV_FORMULA_E_NOBODY);
}

static void an_error_goes_through_every_operator(void **state)
{
    (void)state;
    expect("'a' or 'nobody'", SV_FORMULA_E_NOBODY);
    expect("not any('nobody')", SV_FORMULA_E_NOBODY);
    expect("'a' or b", SV_FORMULA_E_UNSUPPORTED);
    expect("a", SV_FORMULA_E_UNSUPPORTED);
    expect("len('a')", SV_FORMULA_E_UNSUPPORTED);
    expect("any()", SV_FORMULA_E_UNSUPPORTED);
    expect("b'a'", SV_FORMULA_E_UNSUPPORTED);
    expect("any('a', 'nobody', 1)", SV_FORMULA_TRUE);
    expect("any('c',) or all('a')", SV_FORMULA_TRUE);
}

static void strings_are_pythons(void **state)
{
    (void)state;
    expect("r'web_\\d' 'x' or 'a'", SV_FORMULA_E_NOBODY);
    expect("any(r'web' \"_\\d\")", SV_FORMULA_TRUE);
    expect("'\\x61'", SV_FORMULA_TRUE);
    expect("'\\141'", SV_FORMULA_TRUE);
    expect("'gr\\u00f6\\u00dfe'", SV_FORMULA_TRUE);
    expect("'\\\\d'", SV_FORMULA_E_NOBODY);
    expect("'a", REFUSED);
    expect("'''a'''", SV_FORMULA_TRUE);
    expect("\"\"\"a'\"\"\" or 'a'", SV_FORMULA_E_NOBODY);
    expect("'''a\n''' or 'a'", SV_FORMULA_E_NOBODY);
    expect("''''", REFUSED);
    expect("ur'a'", REFUSED);
    expect("Rb'a'", SV_FORMULA_E_UNSUPPORTED);
    expect("b'a' 'a'", REFUSED);
    expect("'\\x6'", REFUSED);
    expect("'a\nb'", REFUSED);
}

static void lines_end_a_formula_outside_of_parentheses(void **state)
{
    (void)state;
    expect(" 'a'", REFUSED);
    expect("\n  'a'", REFUSED);
    expect("\n'a'\n  ", SV_FORMULA_TRUE);
    expect("'a' # good\n", SV_FORMULA_TRUE);
    expect("# good\n'a'", SV_FORMULA_TRUE);
    expect("('a'\n  and # both\n 'b')", SV_FORMULA_TRUE);
    expect("'a'\nand 'b'", REFUSED);
    expect("", REFUSED);
}

static void what_is_no_formula_is_refused(void **state)
{
    static const char *const texts[] = {
        "and",     "'a' and",   "'a' 'b' and", "(",   "('a'",  "'a')", "'a' = 'b'", "'a' not 'b'",
        "any('a'", "any(,'a')", "'a','b'",     "not", "'a' b", "())",  "1('a')",    "any('a' and)"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        expect(texts[i], REFUSED);
}

static void bounds_hold(void **state)
{
    (void)state;
    char text[3000] = {0};
    memset(text, '(', 1000);
    memcpy(text + strlen(text), "'a'", 4);
    memset(text + 1003, ')', 1000);
    expect(text, REFUSED);
    memset(text, 0, sizeof(text));
    for (int i = 0; i < 60; i++)
        text[i] = '(';
    memcpy(text + strlen(text), "'a'", 4);
    memset(text + 63, ')', 60);
    expect(text, SV_FORMULA_TRUE);
    memset(text, 0, sizeof(text));
    for (int i = 0; i < 300; i++)
        memcpy(text + i * 7, "'a' or ", 7);
    memcpy(text + 2100, "'a'", 4);
    expect(text, REFUSED);
    memcpy(text + 1400, "'a'", 4);
    expect(text, SV_FORMULA_TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operators_bind_as_in_python),
        cmocka_unit_test(patterns_mean_whole_names),
        cmocka_unit_test(an_error_goes_through_every_operator),
        cmocka_unit_test(strings_are_pythons),
        cmocka_unit_test(lines_end_a_formula_outside_of_parentheses),
        cmocka_unit_test(what_is_no_formula_is_refused),
        cmocka_unit_test(bounds_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
