#include "config/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/check.h"
#include "config/load.h"
#include "config/memory_host_test.h"
#include "config/value.h"

static bool convert(enum sv_option_id id, struct sv_arena *arena, struct sv_value *value)
{
    struct memory_machine machine = {0};
    struct sv_config_host host = memory_host(&machine);
    struct sv_str problem = {0};
    struct sv_value_context context = {.arena = arena, .host = &host, .problem = &problem};
    bool is_good = sv_value_convert(sv_option(id), &context, value);
    assert_true(is_good || problem.length > 0);
    sv_str_done(&problem);
    return is_good;
}

static void limits_are_read_in_their_units(void **state)
{
    (void)state;
    static const struct {
        enum sv_option_id id;
        const char *text;
        uint64_t number, hard;
    } cases[] = {
        {SV_OPTION_PROGRAM_memory_max, "100MB", 100u << 20, 0},
        {SV_OPTION_PROGRAM_memory_max, " 1gb ", 1u << 30, 0},
        {SV_OPTION_PROGRAM_memory_max, "max", SV_LIMIT_NONE, 0},
        {SV_OPTION_PROGRAM_memory_max, "65536", 65536, 0},
        {SV_OPTION_PROGRAM_swap_max, "0", 0, 0},
        {SV_OPTION_PROGRAM_cpu_quota, "150%", 150000, 0},
        {SV_OPTION_PROGRAM_cpu_quota, "12.5%", 12500, 0},
        {SV_OPTION_PROGRAM_cpu_quota, "1%", 1000, 0},
        {SV_OPTION_PROGRAM_cpu_quota, "50%%", 50000, 0},
        {SV_OPTION_PROGRAM_cpu_quota, "max", SV_LIMIT_NONE, 0},
        {SV_OPTION_GROUP_tasks_max, "1", 1, 0},
        {SV_OPTION_PROGRAM_oom_policy, "kill", SV_OOM_KILL, 0},
        {SV_OPTION_PROGRAM_fork_rate_warn, "1000/s", 1000, 1000},
        {SV_OPTION_GROUP_fork_rate_warn, " 30/min", 30, 60000},
        {SV_OPTION_PROGRAM_pressure_warn, "io 5%%, cpu:full 1% over 2s", 2, 0},
        {SV_OPTION_PROGRAM_rlimit_nofile, "1024", 1024, 1024},
        {SV_OPTION_PROGRAM_rlimit_nofile, "1024 : 4096", 1024, 4096},
        {SV_OPTION_PROGRAM_rlimit_stack, "8MB:unlimited", 8u << 20, SV_LIMIT_NONE},
        {SV_OPTION_PROGRAM_rlimit_core, "unlimited", SV_LIMIT_NONE, SV_LIMIT_NONE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sv_arena arena = {0};
        struct sv_value value = {.text = cases[i].text};
        if (!convert(cases[i].id, &arena, &value) || value.limit.number != cases[i].number ||
            value.limit.hard != cases[i].hard)
            fail_msg("%s=%s gives %llu:%llu", sv_option(cases[i].id)->key, cases[i].text,
                     (unsigned long long)value.limit.number, (unsigned long long)value.limit.hard);
        sv_arena_done(&arena);
    }
}

static void what_is_no_limit_is_refused(void **state)
{
    (void)state;
    static const struct {
        enum sv_option_id id;
        const char *text;
    } cases[] = {
        {SV_OPTION_PROGRAM_memory_max, "100"},
        {SV_OPTION_PROGRAM_memory_max, "-1"},
        {SV_OPTION_PROGRAM_memory_max, "1TBB"},
        {SV_OPTION_PROGRAM_memory_max, "9999999999GB"},
        {SV_OPTION_PROGRAM_memory_max, ""},
        {SV_OPTION_PROGRAM_cpu_quota, "50"},
        {SV_OPTION_PROGRAM_cpu_quota, "0%"},
        {SV_OPTION_PROGRAM_cpu_quota, "%"},
        {SV_OPTION_PROGRAM_cpu_quota, "1.2.3%"},
        {SV_OPTION_PROGRAM_cpu_quota, "99999999999999999999%"},
        {SV_OPTION_PROGRAM_cpuset, "3-1"},
        {SV_OPTION_PROGRAM_cpuset, "1,"},
        {SV_OPTION_PROGRAM_cpuset, ",1"},
        {SV_OPTION_PROGRAM_cpuset, "1--2"},
        {SV_OPTION_PROGRAM_cpuset, "65536"},
        {SV_OPTION_PROGRAM_cpuset, ""},
        {SV_OPTION_PROGRAM_io_max, "sda rbps=1"},
        {SV_OPTION_PROGRAM_io_max, "/dev/sda"},
        {SV_OPTION_PROGRAM_io_max, "/dev/sda rbps=0"},
        {SV_OPTION_PROGRAM_io_max, "/dev/sda riops=1MB"},
        {SV_OPTION_PROGRAM_io_max, "8: rbps=1"},
        {SV_OPTION_PROGRAM_io_max, ""},
        {SV_OPTION_PROGRAM_tasks_max, "0"},
        {SV_OPTION_PROGRAM_oom_policy, "halt"},
        {SV_OPTION_PROGRAM_fork_rate_warn, "0/s"},
        {SV_OPTION_PROGRAM_fork_rate_warn, "1000001/s"},
        {SV_OPTION_PROGRAM_fork_rate_warn, "10/h"},
        {SV_OPTION_PROGRAM_pressure_warn, "memory"},
        {SV_OPTION_PROGRAM_rlimit_nofile, "unlimited"},
        {SV_OPTION_PROGRAM_rlimit_nofile, "5:3"},
        {SV_OPTION_PROGRAM_rlimit_nofile, "1MB"},
        {SV_OPTION_PROGRAM_rlimit_cpu, ":"},
        {SV_OPTION_PROGRAM_rlimit_nice, "41"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sv_arena arena = {0};
        struct sv_value value = {.text = cases[i].text};
        if (convert(cases[i].id, &arena, &value))
            fail_msg("%s=%s is taken", sv_option(cases[i].id)->key, cases[i].text);
        sv_arena_done(&arena);
    }
}

static void lists_have_one_form(void **state)
{
    (void)state;
    struct sv_arena arena = {0};
    struct sv_value cpus = {.text = "0-3, 5"};
    assert_true(convert(SV_OPTION_PROGRAM_cpuset, &arena, &cpus));
    assert_string_equal(cpus.text, "0-3,5");
    struct sv_value devices = {.text = "/dev/sda  rbps=10MB wiops=100 ,8:16 wbps=max"};
    assert_true(convert(SV_OPTION_PROGRAM_io_max, &arena, &devices));
    assert_string_equal(devices.text, "/dev/sda rbps=10485760 wiops=100,8:16 wbps=max");
    struct sv_value again = {.text = devices.text};
    assert_true(convert(SV_OPTION_PROGRAM_io_max, &arena, &again));
    assert_string_equal(again.text, devices.text);
    sv_arena_done(&arena);
}

/* --- whole files --- */

static struct sv_config *load(const char *text)
{
    struct memory_machine machine = {.files = {{"/etc/s.conf", text}}};
    struct sv_config_host host = memory_host(&machine);
    struct sv_diag diag = {0};
    struct sv_config_overrides overrides = {0};
    struct sv_config *config = sv_config_load("/etc/s.conf", &host, &overrides, &diag);
    struct sv_str problems = {0};
    sv_diag_render(&diag, &problems);
    if (!config)
        fail_msg("%s", sv_str_text(&problems));
    sv_str_done(&problems);
    sv_diag_done(&diag);
    return config;
}

#define PROGRAM "[supervisord]\n[program:a]\ncommand=/bin/a\n"

static void a_program_without_limits_has_none(void **state)
{
    (void)state;
    struct sv_config *config = load(PROGRAM);
    assert_null(config->groups[0]->limits);
    assert_null(config->groups[0]->programs[0]->limits);
    assert_int_equal(sv_limits_oom_policy(NULL), SV_OOM_CONTINUE);
    assert_true(sv_limits_equal(NULL, NULL));
    sv_config_unref(config);
}

static void the_processes_of_a_section_share_their_limits(void **state)
{
    (void)state;
    struct sv_config *config = load(PROGRAM "numprocs=2\nprocess_name=a%(process_num)d\n"
                                            "nice=-5\nmemory_max=10MB\ncpu_quota=50%\n");
    const struct sv_group_config *group = config->groups[0];
    const struct sv_limits *limits = group->programs[0]->limits;
    assert_ptr_equal(limits, group->programs[1]->limits);
    assert_int_equal(limits->count, 3);
    assert_int_equal(limits->items[0].limit, SV_LIMIT_MEMORY_MAX);
    assert_int_equal((int64_t)sv_limits_find(limits, SV_LIMIT_NICE)->number, -5);
    struct sv_str text = {0};
    sv_config_describe(config, &text);
    assert_non_null(strstr(sv_str_text(&text), "memory_max=10MB\ncpu_quota=50%\nnice=-5\n"));
    sv_str_done(&text);
    sv_config_unref(config);
}

static void a_group_bounds_all_and_gives_defaults(void **state)
{
    (void)state;
    struct sv_config *config = load("[supervisord]\n"
                                    "[group:g]\nprograms=a,b\nmemory_max=1GB\nnice=5\n"
                                    "oom_policy=stop\nrlimit_core=0\n"
                                    "[program:a]\ncommand=/bin/a\nnice=3\noom_policy=continue\n"
                                    "[program:b]\ncommand=/bin/b\n");
    const struct sv_group_config *group = config->groups[0];
    assert_non_null(sv_limits_find(group->limits, SV_LIMIT_MEMORY_MAX));
    const struct sv_limits *a = group->programs[0]->limits;
    const struct sv_limits *b = group->programs[1]->limits;
    assert_null(sv_limits_find(a, SV_LIMIT_MEMORY_MAX));
    assert_int_equal(sv_limits_find(a, SV_LIMIT_NICE)->number, 3);
    assert_int_equal(sv_limits_find(b, SV_LIMIT_NICE)->number, 5);
    assert_int_equal(sv_limits_find(a, SV_LIMIT_RLIMIT_CORE)->number, 0);
    assert_int_equal(sv_limits_oom_policy(a), SV_OOM_CONTINUE);
    assert_int_equal(sv_limits_oom_policy(b), SV_OOM_STOP);
    sv_config_unref(config);
}

static void the_shares_of_a_program_alone_are_those_of_its_group(void **state)
{
    (void)state;
    struct sv_config *config =
        load(PROGRAM "cpu_weight=300\nio_weight=50\nmemory_max=10MB\nnice=5\n");
    const struct sv_limits *limits = config->groups[0]->limits;
    assert_int_equal(limits->count, 2);
    assert_int_equal(sv_limits_find(limits, SV_LIMIT_CPU_WEIGHT)->number, 300);
    assert_int_equal(sv_limits_find(limits, SV_LIMIT_IO_WEIGHT)->number, 50);
    sv_config_unref(config);
    config = load(PROGRAM "memory_max=10MB\nnice=5\n");
    assert_null(config->groups[0]->limits);
    sv_config_unref(config);
}

static void a_changed_limit_needs_no_new_group(void **state)
{
    (void)state;
    struct sv_config *before = load(PROGRAM "memory_max=100MB\n");
    struct sv_config *same = load(PROGRAM "memory_max=102400KB\n");
    struct sv_config *after = load(PROGRAM "memory_max=200MB\nnice=1\n");
    struct sv_config *other = load(PROGRAM "memory_max=100MB\nstopwaitsecs=1\n");
    const struct sv_group_config *group = before->groups[0];
    assert_true(sv_group_config_equal(group, after->groups[0]));
    assert_false(sv_group_config_equal(group, other->groups[0]));
    const struct sv_limits *limits = group->programs[0]->limits;
    assert_true(sv_limits_equal(limits, same->groups[0]->programs[0]->limits));
    assert_false(sv_limits_equal(limits, after->groups[0]->programs[0]->limits));
    sv_config_unref(before);
    sv_config_unref(same);
    sv_config_unref(after);
    sv_config_unref(other);
}

static void a_bound_written_otherwise_is_no_change(void **state)
{
    (void)state;
    struct sv_config *before = load(PROGRAM "pressure_warn=memory 20%\nfork_rate_warn=10\n");
    struct sv_config *same =
        load(PROGRAM "pressure_warn=Memory:some 20% over 10s\nfork_rate_warn=10/s\n");
    struct sv_config *other = load(PROGRAM "pressure_warn=memory 21%\nfork_rate_warn=10/min\n");
    const struct sv_limits *limits = before->groups[0]->programs[0]->limits;
    const struct sv_limits *changed = other->groups[0]->programs[0]->limits;
    assert_true(sv_limits_equal(limits, same->groups[0]->programs[0]->limits));
    assert_false(sv_limit_entry_equal(sv_limits_find(limits, SV_LIMIT_PRESSURE_WARN),
                                      sv_limits_find(changed, SV_LIMIT_PRESSURE_WARN)));
    assert_false(sv_limit_entry_equal(sv_limits_find(limits, SV_LIMIT_FORK_RATE_WARN),
                                      sv_limits_find(changed, SV_LIMIT_FORK_RATE_WARN)));
    sv_config_unref(before);
    sv_config_unref(same);
    sv_config_unref(other);
}

static void counting_the_network_is_asked_for_by_a_program_or_a_group(void **state)
{
    (void)state;
    struct sv_config *asked = load(PROGRAM "count_network=yes\n");
    struct sv_config *refused = load(PROGRAM "count_network=off\n");
    const struct sv_limits *yes = asked->groups[0]->programs[0]->limits;
    const struct sv_limits *no = refused->groups[0]->programs[0]->limits;
    assert_int_equal(sv_limits_find(yes, SV_LIMIT_COUNT_NETWORK)->number, 1);
    assert_int_equal(sv_limits_find(no, SV_LIMIT_COUNT_NETWORK)->number, 0);
    assert_false(sv_limits_equal(yes, no));
    sv_config_unref(asked);
    sv_config_unref(refused);
    struct sv_config *grouped =
        load("[group:both]\nprograms=a\ncount_network=true\n" PROGRAM "autostart=false\n");
    assert_int_equal(sv_limits_find(grouped->groups[0]->limits, SV_LIMIT_COUNT_NETWORK)->number, 1);
    assert_null(grouped->groups[0]->programs[0]->limits); /* it is the group's own */
    sv_config_unref(grouped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counting_the_network_is_asked_for_by_a_program_or_a_group),
        cmocka_unit_test(a_bound_written_otherwise_is_no_change),
        cmocka_unit_test(limits_are_read_in_their_units),
        cmocka_unit_test(what_is_no_limit_is_refused),
        cmocka_unit_test(lists_have_one_form),
        cmocka_unit_test(a_program_without_limits_has_none),
        cmocka_unit_test(the_processes_of_a_section_share_their_limits),
        cmocka_unit_test(a_group_bounds_all_and_gives_defaults),
        cmocka_unit_test(the_shares_of_a_program_alone_are_those_of_its_group),
        cmocka_unit_test(a_changed_limit_needs_no_new_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
