#include "io/scratch_test.h"

#include <sys/wait.h>

#include "io/command.h"

static void assert_found(const char *program, const char *path, enum sv_command_outcome outcome,
                         const char *expected)
{
    const char *argv[] = {program, "argument", NULL};
    struct sv_str file SV_CLEANUP(sv_str_done) = {0};
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    assert_int_equal(sv_command_find(argv, path, &file, &text), outcome);
    assert_string_equal(sv_str_text(outcome == SV_COMMAND_OK ? &file : &text), expected);
    assert_int_equal((outcome == SV_COMMAND_OK ? &text : &file)->length, 0);
}

/* Texts: options.py, check_execv_args(). */
static void the_words_are_supervisors(void **state)
{
    struct scratch *scratch = *state;
    char text[512];
    assert_found("/no/such", NULL, SV_COMMAND_NOT_FOUND, "can't find command '/no/such'");
    assert_found("nosuch", "/bin:/usr/bin", SV_COMMAND_NOT_FOUND, "can't find command 'nosuch'");
    assert_found("it's", "/bin", SV_COMMAND_NOT_FOUND, "can't find command \"it's\"");
    snprintf(text, sizeof(text), "command at '%s' is a directory", scratch->directory);
    assert_found(scratch->directory, NULL, SV_COMMAND_NOT_EXECUTABLE, text);
    scratch_write(scratch, "plain", "");
    snprintf(text, sizeof(text), "command at '%s/plain' is not executable", scratch->directory);
    assert_found(scratch_path(scratch, "plain"), NULL, SV_COMMAND_NOT_EXECUTABLE, text);

    /* Any x bit will do: whether it is ours is another question. */
    assert_int_equal(chmod(scratch_path(scratch, "plain"), 0610), 0);
    const char *plain[] = {scratch_path(scratch, "plain"), NULL};
    struct sv_str file SV_CLEANUP(sv_str_done) = {0};
    struct sv_str said SV_CLEANUP(sv_str_done) = {0};
    assert_int_equal(sv_command_find(plain, NULL, &file, &said),
                     getuid() == 0 ? SV_COMMAND_OK : SV_COMMAND_NO_PERMISSION);
    struct sv_str empty SV_CLEANUP(sv_str_done) = {0};
    const char *none[] = {NULL};
    assert_int_equal(sv_command_find(none, NULL, &file, &empty), SV_COMMAND_EMPTY);
    assert_string_equal(sv_str_text(&empty), "command is empty");
}

static void the_first_match_in_path_counts_whatever_it_is(void **state)
{
    struct scratch *scratch = *state;
    char path[256];
    char text[512];
    scratch_write(scratch, "sh", "");
    snprintf(path, sizeof(path), "/nowhere:%s:/bin", scratch->directory);
    snprintf(text, sizeof(text), "command at '%s/sh' is not executable", scratch->directory);
    assert_found("sh", path, SV_COMMAND_NOT_EXECUTABLE, text);
    assert_found("sh", "/nowhere:/bin", SV_COMMAND_OK, "/bin/sh");
    assert_found("sh", "/bin/", SV_COMMAND_OK, "/bin/sh"); /* os.path.join adds no second slash */
}

static void the_daemons_path_counts_without_one_of_the_program(void **state)
{
    (void)state;
    char *was = getenv("PATH") ? strdup(getenv("PATH")) : NULL;
    setenv("PATH", "/nowhere", 1);
    assert_found("sh", NULL, SV_COMMAND_NOT_FOUND, "can't find command 'sh'");
    unsetenv("PATH");
    assert_found("sh", NULL, SV_COMMAND_OK, "/bin/sh");
    setenv("PATH", "", 1);
    assert_found("sh", NULL, SV_COMMAND_OK, "/bin/sh");
    if (was)
        setenv("PATH", was, 1);
    free(was);
}

static void an_empty_entry_is_the_current_directory(void **state)
{
    (void)state;
    assert_found("nosuch", "", SV_COMMAND_NOT_FOUND, "can't find command 'nosuch'");
    int was = open(".", O_RDONLY | O_DIRECTORY);
    assert_int_equal(chdir("/bin"), 0);
    assert_found("sh", "/nowhere:", SV_COMMAND_OK, "sh");
    assert_int_equal(fchdir(was), 0);
    close(was);
}

static void a_file_for_others_only_is_no_permission(void **state)
{
    struct scratch *scratch = *state;
    if (getuid() != 0)
        skip(); /* needs a second user */
    scratch_write(scratch, "tool", "");
    const char *tool = scratch_path(scratch, "tool");
    assert_int_equal(chmod(tool, 0700), 0);
    assert_int_equal(chmod(scratch->directory, 0755), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char text[512];
        snprintf(text, sizeof(text), "no permission to run command '%s'", tool);
        if (setuid(65534) < 0)
            _exit(2);
        const char *argv[] = {tool, NULL};
        struct sv_str file = {0};
        struct sv_str said = {0};
        bool is_right = sv_command_find(argv, NULL, &file, &said) == SV_COMMAND_NO_PERMISSION &&
                        strcmp(sv_str_text(&said), text) == 0;
        _exit(is_right ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
        test(the_words_are_supervisors),
        test(the_first_match_in_path_counts_whatever_it_is),
        test(the_daemons_path_counts_without_one_of_the_program),
        test(an_empty_entry_is_the_current_directory),
        test(a_file_for_others_only_is_no_permission),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
