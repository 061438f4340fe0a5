#include "wire/publication.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const sv_publication_set seven = (1u << SV_PUBLICATION_DEATH) - 1;

static void the_classic_headers_are_supvisors_seven(void **state)
{
    (void)state;
    assert_int_equal(sv_publication_classic(), seven);
    assert_string_equal(sv_publication_name(SV_PUBLICATION_PSTATS), "pstats");
}

static void a_path_names_headers_between_slashes(void **state)
{
    (void)state;
    const struct {
        const char *path;
        sv_publication_set wanted;
    } cases[] = {
        {"", 0},
        {"/", 0},
        {"/all", seven},
        {"/supvisors", 1u << SV_PUBLICATION_SUPVISORS},
        {"//process//event/", 1u << SV_PUBLICATION_PROCESS | 1u << SV_PUBLICATION_EVENT},
        {"/all/death", seven | 1u << SV_PUBLICATION_DEATH},
        {"/proces/allx/ALL/processx", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(sv_publication_of_path(cases[i].path), cases[i].wanted);
}

static void a_subscription_is_to_all_headers_that_begin_so(void **state)
{
    (void)state;
    const struct {
        const char *text;
        size_t length;
        int kind;
        sv_publication_set headers;
    } cases[] = {
        {"", 0, SV_SUBSCRIPTION_NONE, 0},
        {"\2event", 6, SV_SUBSCRIPTION_NONE, 0},
        {"\1", 1, SV_SUBSCRIPTION_BEGIN, seven},
        {"\0", 1, SV_SUBSCRIPTION_END, seven},
        {"\1event", 6, SV_SUBSCRIPTION_BEGIN, 1u << SV_PUBLICATION_EVENT},
        {"\1p", 2, SV_SUBSCRIPTION_BEGIN,
         1u << SV_PUBLICATION_PROCESS | 1u << SV_PUBLICATION_PSTATS |
             1u << SV_PUBLICATION_PUBLISHED},
        {"\1events", 7, SV_SUBSCRIPTION_BEGIN, 0},
        {"\1death\0", 7, SV_SUBSCRIPTION_BEGIN, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sv_subscription found = sv_publication_of_message(cases[i].text, cases[i].length);
        assert_int_equal(found.kind, cases[i].kind);
        assert_int_equal(found.headers, cases[i].headers);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_classic_headers_are_supvisors_seven),
        cmocka_unit_test(a_path_names_headers_between_slashes),
        cmocka_unit_test(a_subscription_is_to_all_headers_that_begin_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
