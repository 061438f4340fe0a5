#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/str.h"
#include "io/trial.h"

struct outcome {
    struct sv_loop *loop;
    struct sv_trial *trial;
    struct sv_str problem, output;
};

static void on_end(void *user, const char *problem, const char *output)
{
    struct outcome *outcome = user;
    sv_str_add(&outcome->problem, problem ? problem : "none");
    sv_str_add(&outcome->output, output);
    sv_trial_free(outcome->trial); /* allowed in here */
    outcome->trial = NULL;
    sv_loop_quit(outcome->loop, 0);
}

static struct outcome run(const char *script, bool is_stderr_only)
{
    struct outcome outcome = {0};
    char shell[] = "sh", option[] = "-c";
    char *text = strdup(script);
    char *arguments[] = {shell, option, text, NULL};
    struct sv_trial_command command = {"/bin/sh", arguments, "/usr", is_stderr_only};
    assert_int_equal(sv_loop_new(&outcome.loop), 0);
    assert_int_equal(sv_trial_new(outcome.loop, &command, on_end, &outcome, &outcome.trial), 0);
    assert_int_equal(sv_loop_run(outcome.loop), 0);
    sv_loop_free(outcome.loop);
    free(text);
    return outcome;
}

static void done(struct outcome *outcome)
{
    sv_str_done(&outcome->problem);
    sv_str_done(&outcome->output);
}

static void its_words_and_its_end_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *script, *problem, *output;
        bool is_stderr_only;
    } cases[] = {
        {"pwd; echo wrong >&2", "none", "wrong\n", true},
        {"pwd; echo wrong >&2", "none", "/usr\nwrong\n", false},
        {"echo no; exit 3", "exit status 3", "no\n", false},
        {"kill -PIPE $$", "terminated by SIGPIPE", "", false},
        {"exec >&- 2>&-; exec sleep 100", "terminated by SIGKILL", "", false}, /* not waited for */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct outcome outcome = run(cases[i].script, cases[i].is_stderr_only);
        assert_string_equal(sv_str_text(&outcome.problem), cases[i].problem);
        assert_string_equal(sv_str_text(&outcome.output), cases[i].output);
        done(&outcome);
    }
}

static void of_a_long_speech_the_beginning_is_kept(void **state)
{
    (void)state;
    struct outcome outcome =
        run("i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i + 1)); done", false);
    assert_string_equal(sv_str_text(&outcome.problem), "none");
    assert_int_equal(outcome.output.length, SV_TRIAL_OUTPUT_BYTES_MAX);
    assert_memory_equal(sv_str_text(&outcome.output), "0\n1\n2\n", 6);
    done(&outcome);
}

static void what_cannot_be_executed_is_an_error_at_once(void **state)
{
    (void)state;
    struct sv_loop *loop;
    struct sv_trial *trial = NULL;
    char name[] = "x";
    char *arguments[] = {name, NULL};
    assert_int_equal(sv_loop_new(&loop), 0);
    struct sv_trial_command missing = {"/no/such/file", arguments, "/", false};
    assert_int_equal(sv_trial_new(loop, &missing, on_end, NULL, &trial), -ENOENT);
    struct sv_trial_command nowhere = {"/bin/true", arguments, "/no/such/directory", false};
    assert_int_equal(sv_trial_new(loop, &nowhere, on_end, NULL, &trial), -ENOENT);
    assert_null(trial);
    sv_loop_free(loop);
}

static void one_that_is_given_up_is_killed_and_reaped(void **state)
{
    (void)state;
    struct sv_loop *loop;
    struct sv_trial *trial;
    char shell[] = "sh", option[] = "-c", text[] = "sleep 100";
    char *arguments[] = {shell, option, text, NULL};
    struct sv_trial_command command = {"/bin/sh", arguments, "/", false};
    assert_int_equal(sv_loop_new(&loop), 0);
    assert_int_equal(sv_trial_new(loop, &command, on_end, NULL, &trial), 0);
    sv_trial_free(trial);
    siginfo_t info;
    assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    sv_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_words_and_its_end_are_told),
        cmocka_unit_test(of_a_long_speech_the_beginning_is_kept),
        cmocka_unit_test(what_cannot_be_executed_is_an_error_at_once),
        cmocka_unit_test(one_that_is_given_up_is_killed_and_reaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
