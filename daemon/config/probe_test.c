#include "config/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <svisor/limits.h>

#include "config/check.h"
#include "config/memory_host_test.h"

struct parsed {
    struct sv_arena arena;
    struct sv_str problem;
    struct sv_probe_config probe;
    bool is_good;
};

static struct parsed parse(const char *text)
{
    struct parsed parsed = {0};
    parsed.is_good = sv_probe_parse(text, &parsed.arena, &parsed.probe, &parsed.problem);
    return parsed;
}

static void done(struct parsed *parsed)
{
    sv_arena_done(&parsed->arena);
    sv_str_done(&parsed->problem);
}

static void addresses_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *path, *target, *authority;
        uint16_t port;
    } rows[] = {
        {"port:8080", "localhost", NULL, NULL, NULL, 8080},
        {"port:127.0.0.1:1", "127.0.0.1", NULL, NULL, NULL, 1},
        {"port:localhost:65535", "localhost", NULL, NULL, NULL, 65535},
        {"port:[::1]:80", "::1", NULL, NULL, NULL, 80},
        {"port:unix:/run/x.sock", NULL, "/run/x.sock", NULL, NULL, 0},
        {"http://127.0.0.1", "127.0.0.1", NULL, "/", "127.0.0.1", 80},
        {"http://[::1]:81/a?b", "::1", NULL, "/a?b", "[::1]:81", 81},
        {"http:http://localhost:82/", "localhost", NULL, "/", "localhost:82", 82},
        {"http://unix:/run/x.sock:/health", NULL, "/run/x.sock", "/health", "localhost", 0},
        {"http://unix:/run/x.sock", NULL, "/run/x.sock", "/", "localhost", 0},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(rows); i++) {
        struct parsed parsed = parse(rows[i].text);
        const struct sv_probe_config *probe = &parsed.probe;
        if (!parsed.is_good)
            fail_msg("%s: %s", rows[i].text, sv_str_text(&parsed.problem));
        assert_string_equal(probe->text, rows[i].text);
        assert_string_equal(probe->host ? probe->host : "", rows[i].host ? rows[i].host : "");
        assert_string_equal(probe->path ? probe->path : "", rows[i].path ? rows[i].path : "");
        if (rows[i].target) {
            assert_string_equal(probe->target, rows[i].target);
            assert_string_equal(probe->authority, rows[i].authority);
        }
        if (rows[i].port)
            assert_int_equal(probe->port, rows[i].port);
        done(&parsed);
    }
}

static void what_cannot_be_asked_is_refused_with_advice(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "ready",
        "notify:now",
        "port:",
        "port:0",
        "port:65536",
        "port:80x",
        "port:example.org:80",
        "port:1.2.3.4",
        "port:[::1:80",
        "port:[::1]",
        "port:unix:x",
        "port:unix:/",
        "http:/x",
        "http://",
        "http://h/",
        "http://1.2.3:1/",
        "http://127.0.0.1:/x y",
        "https://127.0.0.1/",
        "http://unix:/s:health",
        "exec:",
        "exec:'open",
        "log:",
        "log:(",
        "log:a{2,1}",
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(texts); i++) {
        struct parsed parsed = parse(texts[i]);
        if (parsed.is_good)
            fail_msg("accepted: %s", texts[i]);
        if (!strstr(sv_str_text(&parsed.problem), "write") &&
            !strstr(sv_str_text(&parsed.problem), "close it") &&
            !strstr(sv_str_text(&parsed.problem), "put a backslash"))
            fail_msg("no advice: %s", sv_str_text(&parsed.problem));
        done(&parsed);
    }
}

static void words_of_a_command_are_a_shells(void **state)
{
    (void)state;
    struct parsed parsed = parse("exec:/bin/sh -c 'a b'");
    assert_true(parsed.is_good);
    assert_string_equal(parsed.probe.argv[2], "a b");
    assert_null(parsed.probe.argv[3]);
    done(&parsed);
}

static void a_search_is_bounded(void **state)
{
    (void)state;
    struct parsed parsed = parse("log:^(a+)+$");
    struct sv_pattern_match *match = sv_pattern_match_new();
    assert_non_null(match);
    static const char line[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";
    assert_int_equal(sv_pattern_find(parsed.probe.pattern, match, "aaa", 3), SV_PATTERN_YES);
    assert_int_equal(sv_pattern_find(parsed.probe.pattern, match, "ab", 2), SV_PATTERN_NO);
    assert_int_equal(sv_pattern_find(parsed.probe.pattern, match, "a\xff", 2), SV_PATTERN_NO);
    assert_int_equal(sv_pattern_find(parsed.probe.pattern, match, line, sizeof(line) - 1),
                     SV_PATTERN_TOO_COSTLY);
    sv_pattern_match_free(match);
    done(&parsed);
}

static void a_section_gives_each_process_its_own(void **state)
{
    (void)state;
    static const char text[] =
        "[supervisord]\n[program:x]\ncommand=a\nnumprocs=2\nprocess_name=x%(process_num)d\n"
        "ready=port:808%(process_num)d\nready_timeout=2.5\nwatchdog=3\n"
        "liveness_action=signal:USR1\n[program:y]\ncommand=b\n";
    struct memory_machine machine = {{{"/etc/main.conf", text, 0}}};
    struct sv_config_host host = memory_host(&machine);
    struct sv_diag diag = {0};
    struct sv_config *config = sv_config_load("/etc/main.conf", &host, NULL, &diag);
    assert_non_null(config);
    assert_int_equal(diag.warning_count, 0);
    const struct sv_group_config *x = sv_config_group(config, "x");
    assert_int_equal(x->programs[1]->health->ready.port, 8081);
    assert_true(x->programs[0]->health->ready_timeout > 2.4);
    assert_int_equal(x->programs[0]->health->liveness_action, 10);
    assert_int_equal(x->programs[0]->health->liveness_failures, 3);
    assert_null(sv_config_group(config, "y")->programs[0]->health);
    struct sv_str described = {0};
    sv_config_describe(config, &described);
    assert_non_null(strstr(sv_str_text(&described), "ready=port:8081\nready_timeout=2.5\n"
                                                    "watchdog=3\nliveness_action=signal:USR1\n"));
    sv_str_done(&described);
    sv_config_unref(config);
    sv_diag_done(&diag);
}

static void a_change_of_any_key_is_a_change(void **state)
{
    (void)state;
    struct sv_health_config a = {.ready = {.kind = SV_PROBE_NOTIFY, .text = "notify"},
                                 .ready_timeout = 30,
                                 .liveness_period = 10,
                                 .liveness_failures = 3};
    struct sv_health_config b = a;
    assert_true(sv_health_config_equal(&a, &b));
    b.liveness_failures = 4;
    assert_false(sv_health_config_equal(&a, &b));
    b = a;
    b.ready.text = "notify2";
    assert_false(sv_health_config_equal(&a, &b));
    assert_false(sv_health_config_equal(&a, NULL));
    assert_true(sv_health_config_equal(NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_read),
        cmocka_unit_test(what_cannot_be_asked_is_refused_with_advice),
        cmocka_unit_test(words_of_a_command_are_a_shells),
        cmocka_unit_test(a_search_is_bounded),
        cmocka_unit_test(a_section_gives_each_process_its_own),
        cmocka_unit_test(a_change_of_any_key_is_a_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
