#include "config/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/datatype.h"
#include "config/memory_host_test.h"

enum { BAD = -99 };

/* The number that an option makes of a text; BAD: refused. */
static int64_t number(enum sv_option_id id, const char *text)
{
    struct memory_machine machine = {0};
    struct sv_config_host host = memory_host(&machine);
    struct sv_arena arena = {0};
    struct sv_str problem = {0};
    struct sv_value_context context = {.arena = &arena, .host = &host, .problem = &problem};
    struct sv_value value = {.text = text};
    bool is_good = sv_value_convert(sv_option(id), &context, &value);
    assert_true(is_good || problem.length > 0);
    bool is_boolean = sv_option(id)->type == SV_TYPE_BOOLEAN;
    sv_str_done(&problem);
    sv_arena_done(&arena);
    return !is_good ? BAD : is_boolean ? value.boolean : value.integer;
}

static void values_are_read_as_supervisor_reads_them(void **state)
{
    (void)state;
    static const struct {
        enum sv_option_id id;
        const char *text;
        int64_t number;
    } cases[] = {
        {SV_OPTION_PROGRAM_autostart, "YES", 1},
        {SV_OPTION_PROGRAM_autostart, "off", 0},
        {SV_OPTION_PROGRAM_autostart, "2", BAD},
        {SV_OPTION_PROGRAM_startsecs, " 1_0 ", 10},
        {SV_OPTION_PROGRAM_startsecs, "1__0", BAD},
        {SV_OPTION_PROGRAM_startsecs, "-1", 0},
        {SV_OPTION_PROGRAM_startsecs, "1.5", BAD},
        {SV_OPTION_PROGRAM_numprocs, "10001", BAD},
        {SV_OPTION_PROGRAM_startretries, "endless", SV_RETRIES_ENDLESS},
        {SV_OPTION_PROGRAM_umask, "0o22", 022},
        {SV_OPTION_PROGRAM_umask, "8", BAD},
        {SV_OPTION_PROGRAM_stdout_logfile_maxbytes, "2 kB", 2048},
        {SV_OPTION_PROGRAM_stdout_logfile_maxbytes, "3GB", INT64_C(3) << 30},
        {SV_OPTION_PROGRAM_stdout_logfile_maxbytes, "3G", BAD},
        {SV_OPTION_PROGRAM_stdout_logfile_maxbytes, "9999999999GB", BAD},
        {SV_OPTION_PROGRAM_stopsignal, "sigusr1", 10},
        {SV_OPTION_PROGRAM_stopsignal, "RTMIN", 34},
        {SV_OPTION_PROGRAM_stopsignal, "0", BAD},
        {SV_OPTION_PROGRAM_stopsignal, "33", BAD},
        {SV_OPTION_PROGRAM_autorestart, "Unexpected", SV_AUTORESTART_UNEXPECTED},
        {SV_OPTION_PROGRAM_autorestart, "1", SV_AUTORESTART_ALWAYS},
        {SV_OPTION_PROGRAM_kill_mode, "process", SV_KILL_PROCESS},
        {SV_OPTION_SVISOR_on_stop, "Keep", SV_ON_STOP_KEEP},
        {SV_OPTION_SVISOR_on_stop, "stop", SV_ON_STOP_STOP},
        {SV_OPTION_SUPERVISORD_loglevel, "Blather", SV_LOG_BLATHER},
        {SV_OPTION_PROGRAM_stdout_logfile, "Off", SV_LOGFILE_WORD_NONE},
        {SV_OPTION_PROGRAM_stdout_logfile, "journal", SV_LOGFILE_WORD_JOURNAL},
        {SV_OPTION_PROGRAM_stdout_logfile, "/nope/x", BAD},
        {SV_OPTION_PROGRAM_exitcodes, "0, 255", 0},
        {SV_OPTION_PROGRAM_exitcodes, "256", BAD},
        {SV_OPTION_INET_HTTP_SERVER_port, "[::1]:9001", 9001},
        {SV_OPTION_INET_HTTP_SERVER_port, "host:", BAD},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (number(cases[i].id, cases[i].text) != cases[i].number)
            fail_msg("%s=%s gives %lld", sv_option(cases[i].id)->key, cases[i].text,
                     (long long)number(cases[i].id, cases[i].text));
}

static void an_address_without_a_host_is_every_address(void **state)
{
    (void)state;
    struct sv_arena arena = {0};
    const char *host;
    uint16_t port;
    assert_true(sv_value_address("*:9001", &arena, &host, &port));
    assert_string_equal(host, "");
    assert_true(sv_value_address("[::1]:9001", &arena, &host, &port));
    assert_string_equal(host, "::1");
    assert_true(sv_value_address("LocalHost:1", &arena, &host, &port));
    assert_string_equal(host, "localhost");
    sv_arena_done(&arena);
}

static void every_default_is_a_good_value(void **state)
{
    (void)state;
    for (size_t id = 0; id < SV_OPTION_COUNT; id++) {
        const struct sv_option *option = sv_option((enum sv_option_id)id);
        assert_true(strlen(option->help) > 0);
        if (option->default_text)
            assert_int_not_equal(number((enum sv_option_id)id, option->default_text), BAD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_as_supervisor_reads_them),
        cmocka_unit_test(an_address_without_a_host_is_every_address),
        cmocka_unit_test(every_default_is_a_good_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
