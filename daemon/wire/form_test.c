#include "wire/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *form, const char *name, const char *value)
{
    struct sv_str found SV_CLEANUP(sv_str_done) = {0};
    assert_int_equal(sv_form_find(form, strlen(form), name, &found), value != NULL);
    if (value)
        assert_string_equal(sv_str_text(&found), value);
}

static void a_value_is_found_by_its_name_and_decoded(void **state)
{
    (void)state;
    expect("action=start&processname=web%3A1", "processname", "web:1");
    expect("action=start&processname=a+b%20c%2b", "processname", "a b c+");
    expect("process%6eame=x", "processname", "x");
    expect("a=1&a=2", "a", "2");
    expect("a=1=2", "a", "1=2");
    expect("a=", "a", "");
    expect("&&a=1&&", "a", "1");
    expect("b=%3c%3E%c3%A9", "b", "<>\xc3\xa9");
}

static void what_is_not_there_is_not_found(void **state)
{
    (void)state;
    expect("", "a", NULL);
    expect("a", "a", NULL);
    expect("aa=1&b=a", "a", NULL);
    expect("&", "a", NULL);
    expect("=1", "a", NULL);
}

static void a_percent_sign_without_digits_is_itself(void **state)
{
    (void)state;
    expect("a=100%", "a", "100%");
    expect("a=%4", "a", "%4");
    expect("a=%zz%4z", "a", "%zz%4z");
}

static void a_name_with_a_nul_is_no_other_name(void **state)
{
    (void)state;
    expect("a=web%00b", "a",
           "web\xff"
           "b");
    expect("a%00=web", "a", NULL);
}

static void text_becomes_part_of_an_address(void **state)
{
    (void)state;
    struct sv_str address SV_CLEANUP(sv_str_done) = {0};
    sv_form_add_escaped(&address, "a:b c/\xc3\xa9\"<\n~-._9");
    assert_string_equal(sv_str_text(&address), "a%3Ab%20c%2F%C3%A9%22%3C%0A~-._9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_found_by_its_name_and_decoded),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(a_percent_sign_without_digits_is_itself),
        cmocka_unit_test(a_name_with_a_nul_is_no_other_name),
        cmocka_unit_test(text_becomes_part_of_an_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
