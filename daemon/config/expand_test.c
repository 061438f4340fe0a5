#include "config/expand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct result {
    int code;
    struct sv_str text;
    struct sv_str problem;
};

static struct result expand(const char *format)
{
    struct sv_arena arena = {0};
    struct sv_scope outer = {.arena = &arena};
    struct sv_scope inner = {.parent = &outer, .arena = &arena};
    sv_scope_put_text(&outer, "ENV_A", "outer");
    sv_scope_put_text(&outer, "here", "/etc");
    sv_scope_put_text(&inner, "ENV_A", "inner");
    sv_scope_put_number(&inner, "process_num", 7);
    struct result result = {0};
    result.code = sv_expand(format, "program:x.command", &inner, &result.text, &result.problem);
    sv_scope_done(&outer);
    sv_scope_done(&inner);
    sv_arena_done(&arena);
    return result;
}

static void done(struct result *result)
{
    sv_str_done(&result->text);
    sv_str_done(&result->problem);
}

static void formats_give_what_python_gives(void **state)
{
    (void)state;
    static const struct {
        const char *format;
        const char *text;
    } cases[] = {
        {"plain", "plain"},
        {"%(here)s/x", "/etc/x"},
        {"%(ENV_A)s", "inner"},
        {"100%%", "100%"},
        {"%(process_num)02d", "07"},
        {"%(process_num)-4d|", "7   |"},
        {"%(process_num)+.3d", "+007"},
        {"%(process_num)#x", "0x7"},
        {"%(process_num)05.1f", "007.0"},
        {"%(process_num)s", "7"},
        {"%(here)6.3s", "   /et"},
        {"%(here)r", "'/etc'"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct result result = expand(cases[i].format);
        assert_int_equal(result.code, 0);
        assert_string_equal(sv_str_text(&result.text), cases[i].text);
        done(&result);
    }
}

static void problems_are_told_in_supervisors_words(void **state)
{
    (void)state;
    static const struct {
        const char *format;
        const char *problem;
    } cases[] = {
        {"x %(y)s",
         "Format string 'x %(y)s' for 'program:x.command' contains names ('y') which cannot "
         "be expanded. Available names: ENV_A, here, process_num"},
        {"%(here", "Format string '%(here' for 'program:x.command' is badly formatted: incomplete "
                   "format key"},
        {"%(here)d",
         "Format string '%(here)d' for 'program:x.command' is badly formatted: %d format: "
         "a real number is required, not str"},
        {"5%", "Format string '5%' for 'program:x.command' is badly formatted: incomplete format"},
        {"%(here)q",
         "Format string '%(here)q' for 'program:x.command' is badly formatted: unsupported "
         "format character 'q' (0x71) at index 7"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct result result = expand(cases[i].format);
        assert_int_equal(result.code, SV_EXPAND_E_BAD);
        assert_string_equal(sv_str_text(&result.problem), cases[i].problem);
        assert_int_equal(result.text.length, 0);
        done(&result);
    }
}

static void a_bomb_is_refused(void **state)
{
    (void)state;
    struct result result = expand("%(here)1048576s%(here)1048576s");
    assert_int_equal(result.code, SV_EXPAND_E_BAD);
    done(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_give_what_python_gives),
        cmocka_unit_test(problems_are_told_in_supervisors_words),
        cmocka_unit_test(a_bomb_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
