#include "config/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/check.h"
#include "config/memory_host_test.h"

struct loading {
    struct sv_config *config;
    struct sv_diag diag;
    struct sv_str problems;
};

static struct loading load_with(struct memory_machine machine,
                                const struct sv_config_overrides *overrides)
{
    struct loading loading = {0};
    struct sv_config_host host = memory_host(&machine);
    loading.config = sv_config_load("/etc/main.conf", &host, overrides, &loading.diag);
    sv_diag_render(&loading.diag, &loading.problems);
    return loading;
}

static struct loading load(const char *text)
{
    return load_with((struct memory_machine){{{"/etc/main.conf", text, 0}}}, NULL);
}

static void done(struct loading *loading)
{
    sv_config_unref(loading->config);
    sv_diag_done(&loading->diag);
    sv_str_done(&loading->problems);
}

static void expect_problem(const char *text, const char *problem)
{
    struct loading loading = load(text);
    if (!strstr(sv_str_text(&loading.problems), problem))
        fail_msg("wanted \"%s\" in \"%s\"", problem, sv_str_text(&loading.problems));
    done(&loading);
}

static void a_program_has_supervisors_defaults(void **state)
{
    (void)state;
    struct loading loading = load("[supervisord]\n[program:web]\ncommand=/bin/cat 'a b'\n");
    assert_non_null(loading.config);
    assert_string_equal(sv_str_text(&loading.problems), "");
    const struct sv_program_config *web = sv_config_group(loading.config, "web")->programs[0];
    assert_string_equal(web->name, "web");
    assert_string_equal(web->argv[1], "a b");
    assert_null(web->argv[2]);
    assert_int_equal(web->startsecs, 1);
    assert_int_equal(web->startretries, 3);
    assert_int_equal(web->stopsignal, 15);
    assert_int_equal(web->autorestart, SV_AUTORESTART_UNEXPECTED);
    assert_int_equal(web->exitcode_count, 1);
    assert_int_equal(web->channels[SV_STDOUT].logfile_kind, SV_LOGFILE_AUTO);
    assert_int_equal(web->channels[SV_STDOUT].maxbytes, 50 << 20);
    assert_int_equal(web->umask, SV_ID_NONE);
    assert_true(web->restart_delay < 0);
    assert_string_equal(loading.config->daemon.logfile, "/tmp/supervisord.log");
    done(&loading);
}

static void every_problem_is_listed_with_its_place(void **state)
{
    (void)state;
    static const char text[] = "[supervisord]\nloglevel=loud\n[program:web]\ncommand=a\n"
                               "startsecs=1x\nautostart=perhaps\nautorestat=true\n[progam:y]\n";
    expect_problem(text, "error: /etc/main.conf:5: [program:web] startsecs: '1x' is not a number; "
                         "write whole seconds, such as 1\n");
    expect_problem(text, "error: /etc/main.conf:6: [program:web] autostart: ");
    expect_problem(text, "error: /etc/main.conf:2: [supervisord] loglevel: ");
    expect_problem(text, "autorestat: is not an option of this section; did you mean autorestart?");
    expect_problem(text,
                   "warning: /etc/main.conf:8: [progam:y]: [progam:y] is ignored; did you mean "
                   "[program:NAME]?");
}

static void bad_files_get_a_clear_message(void **state)
{
    (void)state;
    expect_problem("[program:x]\ncommand=a\n", "does not include supervisord section");
    expect_problem("[supervisord]\n[program:x]\n", "does not specify a command");
    expect_problem("[supervisord]\n[program:x y]\ncommand=a\n", "Invalid name");
    expect_problem("[supervisord]\n[program:x]\ncommand=a\nnumprocs=2\n",
                   "%(process_num) must be present within process_name when numprocs > 1");
    expect_problem("[supervisord]\n[group:g]\nprograms=nope\n",
                   "[group:g] names unknown program or fcgi-program nope");
    expect_problem("[supervisord]\n[program:x]\ncommand=a\nuser=nobody-here\n",
                   "Invalid user name nobody-here");
    expect_problem("[supervisord]\n[program:x]\ncommand=a\nenvironment=A\n",
                   "Unexpected end of key/value pairs in value 'A'");
    expect_problem("[supervisord]\n[eventlistener:x]\ncommand=a\nevents=NOPE\n",
                   "Unknown event type NOPE");
    expect_problem("[supervisord]\n[inet_http_server]\nport=0\n", "'0' is not an address");
    expect_problem("[supervisord]\n[inet_http_server]\nport=1\nusername=a\n",
                   "contains incomplete authentication");
    expect_problem("[supervisord]\n[fcgi-program:x]\ncommand=a\nsocket=http://x\n",
                   "Bad socket format http://x");
    expect_problem("[supervisord]\n[include]\n", "no files setting");
    expect_problem("[supervisord]\n[rpcinterface:x]\nsupervisor.rpcinterface_factory=a:b\n",
                   "warning: /etc/main.conf:3: [rpcinterface:x] supervisor.rpcinterface_factory: "
                   "Python's a:b cannot be run here");
}

static void a_bad_command_starts_the_daemon_and_not_the_program(void **state)
{
    (void)state;
    struct loading loading = load("[supervisord]\n[program:x]\ncommand=a \"b\n");
    assert_non_null(loading.config);
    const struct sv_program_config *x = loading.config->groups[0]->programs[0];
    assert_null(x->argv);
    assert_string_equal(x->argv_error, "can't parse command 'a \"b': No closing quotation");
    assert_int_equal(loading.diag.warning_count, 1);
    done(&loading);
}

static void environments_merge_and_feed_the_expansions(void **state)
{
    (void)state;
    struct loading loading =
        load("[supervisord]\nenvironment=A=\"1\",B=\"2\"\n[program:x]\n"
             "command=%(ENV_A)s %(ENV_B)s %(ENV_HOME)s\nenvironment=B=\"b%(process_num)d\"\n"
             "stdout_logfile=/tmp/%(process_num)d%%%%\n");
    assert_non_null(loading.config);
    const struct sv_program_config *x = loading.config->groups[0]->programs[0];
    assert_string_equal(x->command, "1 b0 /root");
    assert_string_equal(x->environment[0], "A=1");
    assert_string_equal(x->environment[1], "B=b0");
    assert_null(x->environment[2]);
    assert_string_equal(x->channels[SV_STDOUT].logfile, "/tmp/0%");
    done(&loading);
}

static void included_files_have_their_own_here(void **state)
{
    (void)state;
    struct memory_machine machine = {
        {{"/etc/main.conf", "[supervisord]\n[include]\nfiles=d/*.conf dir none\n", 0},
         {"/etc/d/a.conf", "[program:a]\ncommand=%(here)s/a\n", 0},
         {"/etc/dir", NULL, 0}}};
    struct loading loading = load_with(machine, NULL);
    assert_non_null(loading.config);
    assert_string_equal(loading.config->groups[0]->programs[0]->command, "/etc/d/a");
    assert_non_null(strstr(sv_str_text(&loading.problems), "Is a directory"));
    assert_non_null(
        strstr(sv_str_text(&loading.problems), "No file matches via include \"/etc/none\""));
    done(&loading);
}

static void the_command_line_is_stronger_than_the_file(void **state)
{
    (void)state;
    struct memory_machine machine = {{{"/etc/main.conf", "[supervisord]\nloglevel=warn\n", 0}}};
    struct sv_config_overrides overrides = {.values = {[SV_OVERRIDE_LOGLEVEL] = "debug"}};
    struct loading loading = load_with(machine, &overrides);
    assert_int_equal(loading.config->daemon.loglevel, SV_LOG_DEBUG);
    done(&loading);
    overrides.values[SV_OVERRIDE_UMASK] = "9";
    loading = load_with(machine, &overrides);
    assert_null(loading.config);
    assert_non_null(strstr(sv_str_text(&loading.problems), "--umask: '9'"));
    done(&loading);
}

static void groups_are_equal_until_a_process_could_notice(void **state)
{
    (void)state;
    static const char base[] = "[supervisord]\n[program:x]\ncommand=a\n";
    static const struct {
        const char *text;
        bool is_equal;
    } cases[] = {
        {"[supervisord]\n\n[program:x]\ncommand = a\n", true},
        {"[supervisord]\n[program:x]\ncommand=a\nstdout_logfile=/tmp/x\n",
         true}, /* AUTO equals all */
        {"[supervisord]\n[program:x]\ncommand=b\n", false},
        {"[supervisord]\n[program:x]\ncommand=a\nrestart_delay=1\n", false},
        {"[supervisord]\nenvironment=A=1\n[program:x]\ncommand=a\n", false},
    };
    struct loading old = load(base);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct loading new = load(cases[i].text);
        assert_int_equal(sv_group_config_equal(old.config->groups[0], new.config->groups[0]),
                         cases[i].is_equal);
        done(&new);
    }
    done(&old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_has_supervisors_defaults),
        cmocka_unit_test(every_problem_is_listed_with_its_place),
        cmocka_unit_test(bad_files_get_a_clear_message),
        cmocka_unit_test(a_bad_command_starts_the_daemon_and_not_the_program),
        cmocka_unit_test(environments_merge_and_feed_the_expansions),
        cmocka_unit_test(included_files_have_their_own_here),
        cmocka_unit_test(the_command_line_is_stronger_than_the_file),
        cmocka_unit_test(groups_are_equal_until_a_process_could_notice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
