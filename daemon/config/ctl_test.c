#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/check.h"
#include "config/memory_host_test.h"

struct loading {
    struct sv_arena arena;
    struct sv_ctl_config config;
    struct sv_diag diag;
    struct sv_str problems;
    int result;
};

static struct loading load_machine(struct memory_machine machine, const char *file)
{
    struct loading loading = {0};
    struct sv_config_host host = memory_host(&machine);
    loading.result =
        sv_config_load_ctl(file, &host, &loading.arena, &loading.config, &loading.diag);
    sv_diag_render(&loading.diag, &loading.problems);
    return loading;
}

static struct loading load(const char *text)
{
    return load_machine((struct memory_machine){{{"/etc/main.conf", text, 0}}}, "/etc/main.conf");
}

static void done(struct loading *loading)
{
    sv_arena_done(&loading->arena);
    sv_diag_done(&loading->diag);
    sv_str_done(&loading->problems);
}

static void an_empty_section_has_supervisorctls_defaults(void **state)
{
    (void)state;
    struct loading loading = load("[supervisorctl]\n");
    assert_int_equal(loading.result, 0);
    assert_string_equal(loading.config.serverurl, "http://localhost:9001");
    assert_string_equal(loading.config.prompt, "supervisor");
    assert_null(loading.config.username);
    assert_null(loading.config.password);
    assert_null(loading.config.history_file);
    assert_string_equal(sv_str_text(&loading.problems), "");
    done(&loading);
}

static void values_are_expanded_and_paths_made_absolute(void **state)
{
    (void)state;
    struct loading loading = load("[supervisorctl]\nserverurl=unix://%(here)s/../run//s.sock\n"
                                  "username=%(ENV_LANG)s\npassword=50%%\nprompt=shop ; comment\n"
                                  "history_file=~/.history\n");
    assert_int_equal(loading.result, 0);
    assert_string_equal(loading.config.serverurl, "unix:///run/s.sock");
    assert_string_equal(loading.config.username, "C");
    assert_string_equal(loading.config.password, "50%");
    assert_string_equal(loading.config.prompt, "shop");
    assert_string_equal(loading.config.history_file + strlen("/root"), "/.history");
    done(&loading);
}

static void what_only_the_daemon_needs_is_not_looked_at(void **state)
{
    (void)state;
    struct loading loading = load("[supervisorctl]\nserverurl=http://x:1\n[program:x]\n"
                                  "startsecs=rubbish\n[include]\nfiles=/nowhere/*.conf\n");
    assert_int_equal(loading.result, 0);
    assert_string_equal(loading.config.serverurl, "http://x:1");
    assert_string_equal(sv_str_text(&loading.problems), "");
    done(&loading);
}

static void the_section_is_not_taken_from_an_included_file(void **state)
{
    (void)state;
    struct loading loading = load_machine(
        (struct memory_machine){{{"/etc/main.conf", "[include]\nfiles=/etc/more.conf\n", 0},
                                 {"/etc/more.conf", "[supervisorctl]\nprompt=x\n", 0}}},
        "/etc/main.conf");
    assert_int_equal(loading.result, -EINVAL);
    assert_non_null(
        strstr(sv_str_text(&loading.problems), "does not include supervisorctl section"));
    done(&loading);
}

static void a_bad_value_and_a_missing_file_are_told(void **state)
{
    (void)state;
    struct loading loading = load("[supervisorctl]\nprompt=%(nope)s\n");
    assert_int_equal(loading.result, -EINVAL);
    assert_non_null(strstr(sv_str_text(&loading.problems), "/etc/main.conf:2: [supervisorctl]"));
    done(&loading);
    loading = load_machine((struct memory_machine){0}, "/etc/none.conf");
    assert_int_equal(loading.result, -EINVAL);
    assert_non_null(strstr(sv_str_text(&loading.problems), "/etc/none.conf"));
    done(&loading);
}

static void a_foreign_plugin_is_a_warning(void **state)
{
    (void)state;
    struct loading loading =
        load("[supervisorctl]\n[ctlplugin:x]\nsupervisor.ctl_factory=some.where:make\n");
    assert_int_equal(loading.result, 0);
    assert_non_null(strstr(sv_str_text(&loading.problems), "warning: "));
    assert_non_null(strstr(sv_str_text(&loading.problems), "some.where:make"));
    done(&loading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_section_has_supervisorctls_defaults),
        cmocka_unit_test(values_are_expanded_and_paths_made_absolute),
        cmocka_unit_test(what_only_the_daemon_needs_is_not_looked_at),
        cmocka_unit_test(the_section_is_not_taken_from_an_included_file),
        cmocka_unit_test(a_bad_value_and_a_missing_file_are_told),
        cmocka_unit_test(a_foreign_plugin_is_a_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
