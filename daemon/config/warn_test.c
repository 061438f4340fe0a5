#include "config/warn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"

static void every_form_has_one_meaning_and_is_read_again(void **state)
{
    (void)state;
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        {"memory:some 20% over 10s", "memory:some 20% over 10s"},
        {"memory 20%", "memory:some 20% over 10s"},
        {"  CPU : Full  12.5 %  over  0.5 ", "cpu:full 12.5% over 0.5s"},
        {"io:full 0.01% over 1.999s", "io:full 0.01% over 1.999s"},
        {"io 100%", "io:some 100% over 10s"},
        {"io 5%%", "io:some 5% over 10s"},
        {"memory:some 5%,memory:full 1% over 2s , cpu 90%",
         "memory:some 5% over 10s,memory:full 1% over 2s,cpu:some 90% over 10s"},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(cases); i++) {
        struct sv_pressure_bounds bounds;
        struct sv_str problem = {0}, once = {0}, twice = {0};
        assert_true(sv_pressure_parse(cases[i].text, &bounds, &problem));
        sv_pressure_render(&bounds, &once);
        assert_string_equal(sv_str_text(&once), cases[i].canonical);
        assert_true(sv_pressure_parse(sv_str_text(&once), &bounds, &problem));
        sv_pressure_render(&bounds, &twice);
        assert_string_equal(sv_str_text(&twice), cases[i].canonical);
        sv_str_done(&problem);
        sv_str_done(&once);
        sv_str_done(&twice);
    }
}

static void all_bounds_that_differ_fit(void **state)
{
    (void)state;
    struct sv_pressure_bounds bounds;
    struct sv_str problem = {0};
    assert_true(sv_pressure_parse("cpu 1%,cpu:full 2%,memory 3%,memory:full 4%,io 5%,io:full 6%",
                                  &bounds, &problem));
    assert_int_equal(bounds.count, SV_PRESSURE_BOUNDS_MAX);
    assert_int_equal(bounds.items[5].share_permyriad, 600);
    assert_true(bounds.items[5].is_full);
    assert_int_equal(bounds.items[5].pressure, SV_PRESSURE_IO);
    assert_int_equal(bounds.items[5].window_ms, 10000);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "begins with no resource"},
        {"disk 20%", "begins with no resource"},
        {"memoryx 20%", "begins with no resource"},
        {"memory:most 20%", "some or full"},
        {"memory", "no share"},
        {"memory 20", "no share"},
        {"memory:some over 10s", "no share"},
        {"memory 0%", "from 0.01% to 100%"},
        {"memory 101%", "from 0.01% to 100%"},
        {"memory 99999999999999999999%", "no share"},
        {"memory 20.125%", "no share"},
        {"memory 20% over", "no time"},
        {"memory 20% over 0.4s", "from 0.5s to 10s"},
        {"memory 20% over 60s", "from 0.5s to 10s"},
        {"memory 20% over 10m", "goes on"},
        {"memory 20% io 5%", "goes on"},
        {"memory 20%,", "begins with no resource"},
        {"memory 20%,memory:some 30%", "twice"},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(cases); i++) {
        struct sv_pressure_bounds bounds;
        struct sv_str problem = {0};
        if (sv_pressure_parse(cases[i].text, &bounds, &problem))
            fail_msg("'%s' is taken", cases[i].text);
        if (!strstr(sv_str_text(&problem), cases[i].words))
            fail_msg("'%s' %s", cases[i].text, sv_str_text(&problem));
        sv_str_done(&problem);
    }
}

static void fork_rates_are_in_a_second_or_a_minute(void **state)
{
    (void)state;
    uint64_t count = 0, window_ms = 0;
    assert_true(sv_fork_rate_parse(" 1000/s ", &count, &window_ms));
    assert_int_equal(count, 1000);
    assert_int_equal(window_ms, 1000);
    assert_true(sv_fork_rate_parse("30 / min", &count, &window_ms));
    assert_int_equal(count, 30);
    assert_int_equal(window_ms, 60000);
    assert_true(sv_fork_rate_parse("7", &count, &window_ms));
    assert_int_equal(window_ms, 1000);
    static const char *const wrong[] = {"", "/s", "fast", "10/h", "1.5/s", "10/s x", "12345678901"};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(wrong); i++)
        assert_false(sv_fork_rate_parse(wrong[i], &count, &window_ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_has_one_meaning_and_is_read_again),
        cmocka_unit_test(all_bounds_that_differ_fit),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(fork_rates_are_in_a_second_or_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
