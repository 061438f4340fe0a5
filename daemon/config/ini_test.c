#include "config/ini.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct reading {
    struct sv_ini ini;
    struct sv_diag diag;
};

static struct reading read_text(const char *text)
{
    struct reading reading = {0};
    assert_int_equal(sv_ini_parse(&reading.ini, "x.conf", text, strlen(text), &reading.diag), 0);
    return reading;
}

static void done(struct reading *reading)
{
    sv_ini_done(&reading->ini);
    sv_diag_done(&reading->diag);
}

static const struct sv_ini_key *key_of(const struct reading *reading, const char *section,
                                       const char *name)
{
    return sv_ini_key(&reading->ini, sv_ini_section(&reading->ini, section), name);
}

static void values_are_read_as_python_reads_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *value; /* of key k in section s */
    } cases[] = {
        {"[s]\nk=v\n", "v"},
        {"[s]\nK : v\n", "v"},
        {"[s]\r\nk = v\r\n", "v"},
        {"[s]\rk=v\r", "v"},
        {"\xef\xbb\xbf[s]\nk=v", "v"},
        {"[s]\nk = v ; note\n", "v"},
        {"[s]\nk = v;no note\n", "v;no note"},
        {"[s]\nk = a#b #c ;d\n", "a#b #c"},
        {"[s]\nk = one\n  two\n\tthree\n", "one\ntwo\nthree"},
        {"[s]\nk = one\n\n  two\n\n", "one\n\ntwo"},
        {"[s]\nk = one\n; note\n  [two]\n", "one\n[two]"},
        {"[s]\nk =\n", ""},
        {"[s]\nk = a = b : c\n", "a = b : c"},
        {"[s] rest\nk=v\n", "v"},
        {"[s]\nk=1\n[t]\n[s]\nk=2\n", "2"},
        {"[DEFAULT]\nk=d\n[s]\n", "d"},
        {"[s]\nk=\xc2\xa0v\xe2\x80\x83\n", "v"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reading reading = read_text(cases[i].text);
        const struct sv_ini_key *key = key_of(&reading, "s", "k");
        assert_non_null(key);
        assert_string_equal(key->value, cases[i].value);
        assert_int_equal(reading.diag.error_count, 0);
        done(&reading);
    }
}

static void every_bad_line_is_reported_with_its_place(void **state)
{
    (void)state;
    struct reading reading = read_text("[s]\nrubbish\nk=v\n=x\n");
    assert_int_equal(reading.diag.error_count, 2);
    assert_int_equal(reading.diag.first->place.line, 2);
    assert_int_equal(reading.diag.last->place.line, 4);
    assert_string_equal(key_of(&reading, "s", "k")->value, "v");
    done(&reading);
}

static void text_before_the_first_section_is_one_error(void **state)
{
    (void)state;
    struct reading reading = read_text("a\nb\nc=d\n[s]\nk=v\n");
    assert_int_equal(reading.diag.error_count, 1);
    assert_string_equal(key_of(&reading, "s", "k")->value, "v");
    done(&reading);
}

static void a_hundred_bad_lines_are_told_in_twenty_one(void **state)
{
    (void)state;
    char text[400] = "[s]\n";
    for (size_t i = 0; i < 100; i++)
        memcpy(text + 4 + 2 * i, "x\n", 2);
    struct reading reading = read_text(text);
    assert_int_equal(reading.diag.error_count, 21);
    done(&reading);
}

static void a_nul_byte_refuses_the_file(void **state)
{
    (void)state;
    struct reading reading = {0};
    static const char text[] = "[s]\nk=\0v\n";
    assert_int_equal(sv_ini_parse(&reading.ini, "x", text, sizeof(text) - 1, &reading.diag), 0);
    assert_int_equal(reading.diag.error_count, 1);
    assert_int_equal(reading.diag.first->place.line, 2);
    assert_null(sv_ini_section(&reading.ini, "s"));
    done(&reading);
}

static void a_second_value_warns_and_names_the_first(void **state)
{
    (void)state;
    struct reading reading = read_text("[s]\nk=1\nK=2\n");
    assert_int_equal(reading.diag.warning_count, 1);
    assert_non_null(strstr(reading.diag.first->text, "x.conf:2"));
    assert_int_equal(key_of(&reading, "s", "k")->place.line, 3);
    done(&reading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_as_python_reads_them),
        cmocka_unit_test(every_bad_line_is_reported_with_its_place),
        cmocka_unit_test(text_before_the_first_section_is_one_error),
        cmocka_unit_test(a_hundred_bad_lines_are_told_in_twenty_one),
        cmocka_unit_test(a_nul_byte_refuses_the_file),
        cmocka_unit_test(a_second_value_warns_and_names_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
