#include "base/choice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void the_numbers_are_those_of_supvisors(void **state)
{
    (void)state;
    assert_int_equal(SV_STARTING_STRATEGY_MOST_LOADED_NODE, 5);
    assert_int_equal(SV_STARTING_FAILURE_STRATEGY_CONTINUE, 2);
    assert_int_equal(SV_RUNNING_FAILURE_STRATEGY_CONTINUE, 0);
    assert_int_equal(SV_CONCILIATION_STRATEGY_USER, 2);
    assert_int_equal(SV_SUPVISORS_STATE_FINAL, 8);
    assert_int_equal(SV_INSTANCE_STATE_ISOLATED, 5);
    assert_int_equal(SV_APPLICATION_STATE_DELETED, 4);
    assert_int_equal(SV_SYNCHRO_OPTION_USER, 4);
}

static void every_number_has_a_name_that_leads_back(void **state)
{
    (void)state;
    for (int kind = 0; kind < SV_CHOICE_KIND_COUNT; kind++) {
        int count = (int)sv_choice_count((enum sv_choice_kind)kind);
        assert_true(count > 1);
        for (int number = 0; number < count; number++) {
            int found = -1;
            const char *name = sv_choice_name((enum sv_choice_kind)kind, number);
            assert_non_null(name);
            assert_non_null(sv_choice_help((enum sv_choice_kind)kind, number));
            assert_true(sv_choice_parse((enum sv_choice_kind)kind, name, false, &found));
            assert_int_equal(found, number);
        }
        assert_null(sv_choice_name((enum sv_choice_kind)kind, count));
        assert_null(sv_choice_name((enum sv_choice_kind)kind, -1));
    }
}

static void case_matters_only_where_it_is_asked_for(void **state)
{
    (void)state;
    int number = -1;
    assert_false(sv_choice_parse(SV_CHOICE_DISTRIBUTION, "single_node", false, &number));
    assert_true(sv_choice_parse(SV_CHOICE_DISTRIBUTION, "single_node", true, &number));
    assert_int_equal(number, SV_DISTRIBUTION_SINGLE_NODE);
    assert_false(sv_choice_parse(SV_CHOICE_DISTRIBUTION, "CONFIG", true, &number));
}

static void a_list_reads_as_a_sentence(void **state)
{
    (void)state;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_choice_list(SV_CHOICE_STARTING_FAILURE_STRATEGY, &text);
    assert_string_equal(sv_str_text(&text), "ABORT, STOP or CONTINUE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_numbers_are_those_of_supvisors),
        cmocka_unit_test(every_number_has_a_name_that_leads_back),
        cmocka_unit_test(case_matters_only_where_it_is_asked_for),
        cmocka_unit_test(a_list_reads_as_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
