/* The file of disabled programs: Supvisors' format, read, written and refused. */
#include "io/disabilities.h"

#include "io/scratch_test.h"

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void expect_file(const char *path, const char *expected)
{
    char text[256] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof(text) - 1, file);
    text[length] = '\0';
    fclose(file);
    assert_string_equal(text, expected);
}

static struct sv_disabilities *opened(const char *path)
{
    struct sv_disabilities *disabilities = NULL;
    struct sv_str problem = {0};
    assert_int_equal(sv_disabilities_open(path, &problem, &disabilities), 0);
    assert_string_equal(sv_str_text(&problem), "");
    return disabilities;
}

static void collect(void *user, const char *program)
{
    sv_str_addf(user, "%s ", program);
}

static void what_is_disabled_is_so_for_the_next_daemon(void **state)
{
    const char *path = scratch_path(*state, "d.json");
    struct sv_disabilities *disabilities = opened(path);
    assert_int_equal(sv_disabilities_know(disabilities, "web"), 0);
    assert_int_equal(sv_disabilities_know(disabilities, "db"), 0);
    assert_int_equal(sv_disabilities_put(disabilities, "db", true), 0);
    assert_int_equal(sv_disabilities_save(disabilities), 0);
    sv_disabilities_free(disabilities);
    expect_file(path, "{\"web\": false, \"db\": true}"); /* as Python's json.dumps() writes it */

    disabilities = opened(path);
    assert_int_equal(sv_disabilities_know(disabilities, "db"), 0);
    assert_true(sv_disabilities_has(disabilities, "db"));
    assert_false(sv_disabilities_has(disabilities, "web"));
    struct sv_str told = {0};
    sv_disabilities_tell(disabilities, collect, &told);
    assert_string_equal(sv_str_text(&told), "db ");
    sv_str_done(&told);
    sv_disabilities_free(disabilities);
}

static void programs_that_are_not_configured_now_stay_in_the_file(void **state)
{
    const char *path = scratch_path(*state, "d.json");
    write_file(path, "{\"gone\": true}");
    struct sv_disabilities *disabilities = opened(path);
    assert_int_equal(sv_disabilities_know(disabilities, "new"), 0);
    assert_int_equal(sv_disabilities_save(disabilities), 0);
    expect_file(path, "{\"gone\": true, \"new\": false}");
    sv_disabilities_free(disabilities);
}

static void a_broken_file_is_refused_and_stays_what_it_is(void **state)
{
    const char *path = scratch_path(*state, "d.json");
    write_file(path, "{\"web\": tr");
    struct sv_disabilities *disabilities = NULL;
    struct sv_str problem = {0};
    assert_int_equal(sv_disabilities_open(path, &problem, &disabilities), SV_DISABILITIES_E_BROKEN);
    assert_null(disabilities);
    assert_non_null(strstr(sv_str_text(&problem), path));
    assert_non_null(strstr(sv_str_text(&problem), "line 1"));
    sv_str_done(&problem);
    expect_file(path, "{\"web\": tr");
}

static void without_a_file_it_is_known_until_the_end(void **state)
{
    (void)state;
    struct sv_disabilities *disabilities = opened(NULL);
    assert_int_equal(sv_disabilities_put(disabilities, "web", true), 0);
    assert_true(sv_disabilities_has(disabilities, "web"));
    assert_int_equal(sv_disabilities_save(disabilities), 0);
    sv_disabilities_free(disabilities);
}

static void a_missing_directory_is_made_and_a_bad_one_told(void **state)
{
    struct scratch *scratch = *state;
    char path[256], directory[128];
    snprintf(directory, sizeof(directory), "%s/below", scratch->directory);
    snprintf(path, sizeof(path), "%s/d.json", directory);
    struct sv_disabilities *disabilities = opened(path);
    assert_int_equal(sv_disabilities_put(disabilities, "web", true), 0);
    assert_int_equal(sv_disabilities_save(disabilities), 0);
    expect_file(path, "{\"web\": true}");
    sv_disabilities_free(disabilities);
    unlink(path);
    rmdir(directory);

    snprintf(path, sizeof(path), "%s/file/d.json", scratch->directory);
    disabilities = opened(path);
    write_file(scratch_path(scratch, "file"), "no directory");
    assert_int_equal(sv_disabilities_put(disabilities, "web", true), 0);
    assert_true(sv_disabilities_save(disabilities) < 0);
    sv_disabilities_free(disabilities);
}

int main(void)
{
#define WITH_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        WITH_SCRATCH(what_is_disabled_is_so_for_the_next_daemon),
        WITH_SCRATCH(programs_that_are_not_configured_now_stay_in_the_file),
        WITH_SCRATCH(a_broken_file_is_refused_and_stays_what_it_is),
        WITH_SCRATCH(without_a_file_it_is_known_until_the_end),
        WITH_SCRATCH(a_missing_directory_is_made_and_a_bad_one_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
