/* The bytes of OpenMetrics; tests/integration/metrics.py has a strict parser read whole answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wire/openmetrics.h"

static const struct sv_metric_family counter = {"svisor_cpu_seconds", SV_METRIC_COUNTER, "seconds",
                                                "Time of a \"processor\"."};

static void a_family_has_its_type_unit_and_help(void **state)
{
    (void)state;
    struct sv_str out SV_CLEANUP(sv_str_done) = {0};
    sv_openmetrics_family(&counter, &out);
    assert_string_equal(sv_str_text(&out),
                        "# TYPE svisor_cpu_seconds counter\n"
                        "# UNIT svisor_cpu_seconds seconds\n"
                        "# HELP svisor_cpu_seconds Time of a \\\"processor\\\".\n");
}

static void a_counter_is_called_total(void **state)
{
    (void)state;
    struct sv_str out SV_CLEANUP(sv_str_done) = {0};
    const struct sv_metric_label labels[] = {{"group", "a"}, {"process", "b"}, {0}};
    sv_openmetrics_sample(&counter, labels, 1.5, &out);
    sv_openmetrics_sample(&counter, &labels[2], 9007199254740991, &out);
    assert_string_equal(sv_str_text(&out),
                        "svisor_cpu_seconds_total{group=\"a\",process=\"b\"} 1.5\n"
                        "svisor_cpu_seconds_total 9007199254740991\n");
}

static void values_of_labels_cannot_break_out(void **state)
{
    (void)state;
    struct sv_str out SV_CLEANUP(sv_str_done) = {0};
    const struct sv_metric_family gauge = {"up", SV_METRIC_GAUGE, "", "Up."};
    const struct sv_metric_label labels[] = {{"name", "a\"} 1\nb\\\xff\xc3\xa9"}, {0}};
    sv_openmetrics_sample(&gauge, labels, 0, &out);
    assert_string_equal(sv_str_text(&out), "up{name=\"a\\\"} 1\\nb\\\\\xef\xbf\xbd\xc3\xa9\"} 0\n");
}

static void the_end_is_marked(void **state)
{
    (void)state;
    struct sv_str out SV_CLEANUP(sv_str_done) = {0};
    sv_openmetrics_end(&out);
    assert_string_equal(sv_str_text(&out), "# EOF\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_family_has_its_type_unit_and_help),
        cmocka_unit_test(a_counter_is_called_total),
        cmocka_unit_test(values_of_labels_cannot_break_out),
        cmocka_unit_test(the_end_is_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
