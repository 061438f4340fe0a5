/* What this machine gives and what it lacks, as root, as an ordinary user and in a user namespace.
 */
#include "io/kernel_fixture_test.h"

static void without_bpf_the_report_says_so_and_all_else_works(void **state)
{
    (void)state;
    struct bench *bench = bench_new(false);
    json_t *report = sv_kernel_report(bench->kernel);
    assert_non_null(report);
    assert_string_equal(row_text(report, "eBPF exit", "active"), "no");
    assert_non_null(strstr(row_text(report, "eBPF exit", "missing"), "switched off"));
    assert_string_equal(row_text(report, "ring buffer", "active"), "no");
    sv_kernel_drain(bench->kernel);
    assert_int_equal(sv_kernel_lost(bench->kernel, SV_BPF_EXIT), 0);
    json_decref(report);
    bench_done(bench);
}

static void every_row_is_complete(void **state)
{
    (void)state;
    struct bench *bench = bench_new(true);
    json_t *report = sv_kernel_report(bench->kernel);
    assert_true(json_array_size(report) >= 15);
    size_t index;
    json_t *row;
    json_array_foreach(report, index, row)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        bool is_active = json_is_true(json_object_get(row, "active"));
        assert_int_equal(json_object_size(row), 6);
        assert_true(*row_text(report, name, "gives") != '\0');
        assert_true((*row_text(report, name, "missing") == '\0') == is_active);
        assert_true((*row_text(report, name, "remedy") == '\0') == is_active);
        print_message("# %-20s %s  %s%s\n", name, is_active ? "yes" : "no ",
                      row_text(report, name, "detail"), row_text(report, name, "missing"));
    }
    json_decref(report);
    bench_done(bench);
}

/* In the role: prints "name|missing|remedy" of what is missing, for the test that started it. */
static int print_missing(void)
{
    struct bench *bench = bench_new(true);
    json_t *report = sv_kernel_report(bench->kernel);
    size_t index;
    json_t *row;
    json_array_foreach(report, index, row) if (!json_is_true(json_object_get(row, "active")))
        printf("%s|%s|%s\n", json_string_value(json_object_get(row, "name")),
               json_string_value(json_object_get(row, "missing")),
               json_string_value(json_object_get(row, "remedy")));
    json_decref(report);
    bench_done(bench);
    return 0;
}

static void an_ordinary_user_is_told_what_is_missing(void **state)
{
    (void)state;
    if (!sv_test_is_root())
        skip();
    struct sv_str text = {0};
    run_in_role("report", "setpriv --reuid 65534 --regid 65534 --clear-groups", &text);
    assert_non_null(strstr(sv_str_text(&text), "cgroup2|"));
    assert_non_null(strstr(sv_str_text(&text), "EACCES"));
    assert_non_null(strstr(sv_str_text(&text), "eBPF exit|there is no cgroup2|"));
    assert_true((strstr(sv_str_text(&text), "clone3|") == NULL) == is_born_inside());
    assert_null(strstr(sv_str_text(&text), "pidfd|"));
    sv_str_done(&text);
}

static void a_user_namespace_has_cgroups_at_most(void **state)
{
    (void)state;
    if (system("unshare -r true 2>/dev/null") != 0) {
        print_message("# skip: user namespaces are forbidden here\n");
        skip();
    }
    struct sv_str text = {0};
    run_in_role("report", "unshare -r", &text);
    const char *row = strstr(sv_str_text(&text), "eBPF exit|");
    assert_non_null(row);
    if (strstr(sv_str_text(&text), "cgroup2|") == NULL) {
        assert_non_null(strstr(row, "EPERM"));
        assert_non_null(strstr(row, "CAP_BPF"));
    }
    assert_true((strstr(sv_str_text(&text), "clone3|") == NULL) == is_born_inside());
    sv_str_done(&text);
}

int main(void)
{
    if (getenv("KERNEL_TEST_ROLE"))
        return print_missing();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_bpf_the_report_says_so_and_all_else_works),
        cmocka_unit_test(every_row_is_complete),
        cmocka_unit_test(an_ordinary_user_is_told_what_is_missing),
        cmocka_unit_test(a_user_namespace_has_cgroups_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
