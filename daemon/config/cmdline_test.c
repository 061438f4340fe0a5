#include "config/cmdline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { WORDS = 8 };

/* The first word is the program's. */
static int parse(char *const words[WORDS], struct sv_cmdline *ret, struct sv_str *ret_problem)
{
    int count = 0;
    while (words[count])
        count++;
    return sv_cmdline_parse(count, words, ret, ret_problem);
}

static void options_are_taken_as_getopt_takes_them(void **state)
{
    (void)state;
    struct sv_cmdline line;
    struct sv_str problem = {0};
    assert_int_equal(
        parse((char *[WORDS]){"x", "-nc", "f", "-edebug", "--umask=077"}, &line, &problem), 0);
    assert_string_equal(line.config_file, "f");
    assert_string_equal(line.overrides.values[SV_OVERRIDE_NODAEMON], "true");
    assert_string_equal(line.overrides.values[SV_OVERRIDE_LOGLEVEL], "debug");
    assert_string_equal(line.overrides.values[SV_OVERRIDE_UMASK], "077");
    assert_int_equal(parse((char *[WORDS]){"x", "--conf", "g", "--check"}, &line, &problem), 0);
    assert_string_equal(line.config_file, "g");
    assert_true(line.is_check);
    assert_int_equal(parse((char *[WORDS]){"x", "-v", "-?"}, &line, &problem), 0);
    assert_true(line.wants_version && line.wants_help);
    sv_str_done(&problem);
}

static void mistakes_are_told_in_supervisords_words(void **state)
{
    (void)state;
    static const struct {
        char *words[WORDS];
        const char *problem;
    } cases[] = {
        {{"x", "--nope"}, "option --nope not recognized"},
        {{"x", "-Z"}, "option -Z not recognized"},
        {{"x", "-c"}, "option -c requires argument"},
        {{"x", "--logfile"}, "option --logfile requires argument"},
        {{"x", "--nodaemon=1"}, "option --nodaemon must not have an argument"},
        {{"x", "--log", "y"}, "option --log not a unique prefix"},
        {{"x", "-n", "-n"}, "conflicting command line option '-n'"},
        {{"x", "-n", "y"}, "positional arguments are not supported: ['y']"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sv_cmdline line;
        struct sv_str problem = {0};
        assert_int_equal(parse(cases[i].words, &line, &problem), -22);
        assert_string_equal(sv_str_text(&problem), cases[i].problem);
        sv_str_done(&problem);
    }
}

static void the_search_starts_beside_the_program(void **state)
{
    (void)state;
    struct sv_arena arena = {0};
    const char *const *paths = sv_cmdline_search_path(&arena, "/opt/x/bin/svisord");
    static const char *const expected[] = {"/opt/x/etc/svisord.conf",
                                           "/opt/x/svisord.conf",
                                           "svisord.conf",
                                           "etc/svisord.conf",
                                           "/etc/svisord.conf",
                                           "/etc/supervisor/svisord.conf",
                                           "/opt/x/etc/supervisord.conf",
                                           "/opt/x/supervisord.conf",
                                           "supervisord.conf",
                                           "etc/supervisord.conf",
                                           "/etc/supervisord.conf",
                                           "/etc/supervisor/supervisord.conf"};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_string_equal(paths[i], expected[i]);
    assert_null(paths[sizeof(expected) / sizeof(expected[0])]);
    sv_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_taken_as_getopt_takes_them),
        cmocka_unit_test(mistakes_are_told_in_supervisords_words),
        cmocka_unit_test(the_search_starts_beside_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
