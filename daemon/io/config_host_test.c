#include "io/config_host.h"

#include <errno.h>
#include <limits.h>

#include "io/scratch_test.h"

/* A host that was opened inside the scratch directory, so that relative places are there. */
struct inside {
    struct scratch *scratch;
    struct sv_config_host host;
    char *outside;
};

static struct inside enter(void **state)
{
    struct inside inside = {.scratch = *state, .outside = getcwd(NULL, 0)};
    assert_non_null(inside.outside);
    assert_int_equal(chdir(inside.scratch->directory), 0);
    assert_int_equal(sv_config_host_open(&inside.host), 0);
    return inside;
}

static void leave(struct inside *inside)
{
    sv_config_host_close(&inside->host);
    assert_int_equal(chdir(inside->outside), 0);
    free(inside->outside);
}

static void put(struct inside *inside, const char *name, const char *text)
{
    FILE *file = fopen(scratch_path(inside->scratch, name), "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static const char *search(struct inside *inside, const char *program)
{
    struct sv_str problem SV_CLEANUP(sv_str_done) = {0};
    const char *found = sv_config_host_search(&inside->host, program, &problem);
    assert_string_equal(sv_str_text(&problem), "");
    return found;
}

static void a_file_beside_the_program_is_found_before_one_in_the_current_directory(void **state)
{
    struct inside inside = enter(state);
    char beside[PATH_MAX];
    put(&inside, "supervisord.conf", "");
    assert_string_equal(search(&inside, "/nowhere/bin/svisord"), "supervisord.conf");
    snprintf(beside, sizeof(beside), "%s/bin/svisord", inside.scratch->directory);
    assert_string_equal(search(&inside, beside), scratch_path(inside.scratch, "supervisord.conf"));
    put(&inside, "svisord.conf", "");
    assert_string_equal(search(&inside, beside), scratch_path(inside.scratch, "svisord.conf"));
    assert_string_equal(search(&inside, "/nowhere/bin/svisord"), "svisord.conf");
    leave(&inside);
}

static void a_search_in_vain_names_all_places(void **state)
{
    static const char *const machine[] = {"/etc/svisord.conf", "/etc/supervisord.conf",
                                          "/etc/supervisor/svisord.conf",
                                          "/etc/supervisor/supervisord.conf"};
    for (size_t i = 0; i < 4; i++) {
        if (access(machine[i], F_OK) == 0) {
            print_message("# SKIP %s exists on this machine\n", machine[i]);
            skip();
        }
    }
    struct inside inside = enter(state);
    struct sv_str problem SV_CLEANUP(sv_str_done) = {0};
    assert_null(sv_config_host_search(&inside.host, "/nowhere/bin/svisord", &problem));
    assert_non_null(strstr(sv_str_text(&problem), "No config file found at default paths (/nowhere"
                                                  "/etc/svisord.conf, "));
    assert_non_null(strstr(sv_str_text(&problem), ", /etc/supervisor/supervisord.conf); use the "
                                                  "-c option"));
    leave(&inside);
}

static int read_named(struct inside *inside, const char *path, struct sv_str *text)
{
    return inside->host.read_file(inside->host.user, path, text);
}

static void only_a_regular_file_is_read_and_nothing_blocks(void **state)
{
    struct inside inside = enter(state);
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_add(&text, "before ");
    put(&inside, "file", "text");
    assert_int_equal(mkfifo(scratch_path(inside.scratch, "fifo"), 0600), 0);
    assert_int_equal(read_named(&inside, "fifo", &text), -EINVAL);
    assert_int_equal(read_named(&inside, "/dev/zero", &text), -EINVAL);
    assert_int_equal(read_named(&inside, inside.scratch->directory, &text), -EISDIR);
    assert_int_equal(read_named(&inside, "none", &text), -ENOENT);
    assert_string_equal(sv_str_text(&text), "before ");
    assert_int_equal(read_named(&inside, "file", &text), 0);
    assert_string_equal(sv_str_text(&text), "before text");
    leave(&inside);
}

static void add_path(void *user, const char *path)
{
    sv_str_addf(user, "%s ", path);
}

static void a_pattern_gives_paths_in_the_order_of_their_bytes(void **state)
{
    struct inside inside = enter(state);
    struct sv_str paths SV_CLEANUP(sv_str_done) = {0};
    static const char *const names[] = {"b.conf", "a.conf", "B.conf", "_.conf", "a.txt", ".h.conf"};
    for (size_t i = 0; i < 6; i++)
        put(&inside, names[i], "");
    assert_int_equal(inside.host.glob(inside.host.user, "*.conf", add_path, &paths), 0);
    assert_string_equal(sv_str_text(&paths), "B.conf _.conf a.conf b.conf ");
    sv_str_clear(&paths);
    put(&inside, "a\\b", "");
    assert_int_equal(inside.host.glob(inside.host.user, "a\\?", add_path, &paths), 0);
    assert_int_equal(inside.host.glob(inside.host.user, "nothing*", add_path, &paths), 0);
    assert_string_equal(sv_str_text(&paths), "a\\b ");
    leave(&inside);
}

static void users_and_groups_are_found_by_name_and_by_number(void **state)
{
    struct inside inside = enter(state);
    const struct sv_config_host *host = &inside.host;
    uint32_t uid = 9;
    uint32_t gid = 9;
    assert_true(host->find_user(host->user, "root", &uid, &gid));
    assert_int_equal(uid + gid, 0);
    uid = gid = 9;
    assert_true(host->find_user(host->user, "0", &uid, &gid));
    assert_int_equal(uid + gid, 0);
    gid = 9;
    assert_true(host->find_group(host->user, "root", &gid));
    assert_int_equal(gid, 0);
    static const char *const strangers[] = {"no-such-user-here", "-1", "4294967295",
                                            "99999999999999999999", ""};
    for (size_t i = 0; i < 5; i++) {
        assert_false(host->find_user(host->user, strangers[i], &uid, &gid));
        assert_false(host->find_group(host->user, strangers[i], &gid));
    }
    leave(&inside);
}

static void the_machine_is_a_snapshot(void **state)
{
    struct scratch *scratch = *state;
    assert_int_equal(setenv("TMPDIR", scratch->directory, 1), 0);
    struct inside inside = enter(state);
    assert_string_equal(inside.host.temporary_directory, scratch->directory);
    assert_string_equal(inside.host.directory, scratch->directory);
    assert_true(strlen(inside.host.host_name) > 0);
    assert_int_equal(setenv("TMPDIR", "/nowhere", 1), 0);
    const char *found = NULL;
    for (size_t i = 0; inside.host.environ[i]; i++)
        if (strncmp(inside.host.environ[i], "TMPDIR=", 7) == 0)
            found = inside.host.environ[i] + 7;
    assert_string_equal(found, scratch->directory);
    leave(&inside);
    inside = enter(state);
    assert_string_not_equal(inside.host.temporary_directory, "/nowhere");
    leave(&inside);
    assert_int_equal(unsetenv("TMPDIR"), 0);
}

#define WITH_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SCRATCH(a_file_beside_the_program_is_found_before_one_in_the_current_directory),
        WITH_SCRATCH(a_search_in_vain_names_all_places),
        WITH_SCRATCH(only_a_regular_file_is_read_and_nothing_blocks),
        WITH_SCRATCH(a_pattern_gives_paths_in_the_order_of_their_bytes),
        WITH_SCRATCH(users_and_groups_are_found_by_name_and_by_number),
        WITH_SCRATCH(the_machine_is_a_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
