#include "wire/shortage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/shortage.h"

#define SECOND INT64_C(1000000000)

static struct sv_shortage_report report(enum sv_resource resource, uint64_t count, int64_t over_ns)
{
    return (struct sv_shortage_report){
        .group = "shop",
        .name = "web",
        .run = 3,
        .pid = 815,
        .first_wall_ns = 1700000000 * SECOND,
        .last_wall_ns = 1700000000 * SECOND + over_ns,
        .sum = sv_shortage_of(resource, count),
    };
}

static void expect(const struct sv_shortage_report *given, const char *words)
{
    struct sv_str text = {0};
    sv_shortage_sentence(given, &text);
    assert_string_equal(sv_str_text(&text), words);
    sv_str_done(&text);
}

static void every_shortage_is_said_in_plain_words(void **state)
{
    (void)state;
    struct sv_shortage_report r = report(SV_RESOURCE_MEMORY_MAX, 12, SECOND);
    r.sum.numbers[SV_RESOURCE_NUMBER_limit_bytes] = 64 << 20;
    expect(&r, "its memory reached memory_max, 64.0 MiB, 12 times within 1.0 s");
    r.sum.count = 1;
    expect(&r, "its memory reached memory_max, 64.0 MiB");
    r = report(SV_RESOURCE_MEMORY_HIGH, 2, 1000);
    expect(&r, "it was slowed down, for its memory was above memory_high, 2 times");
    r = report(SV_RESOURCE_OOM_KILL, 1, 0);
    expect(&r, "the kernel's OOM killer took a process of it");
    r.sum.numbers[SV_RESOURCE_NUMBER_victim] = 99;
    expect(&r, "the kernel's OOM killer took a process of it, pid 99");
    r.sum.count = 3;
    expect(&r, "the kernel's OOM killer took 3 processes of it, the last one pid 99");
    r = report(SV_RESOURCE_CPU_THROTTLED, 7, SECOND);
    r.sum.numbers[SV_RESOURCE_NUMBER_quota_us] = 12500;
    r.sum.numbers[SV_RESOURCE_NUMBER_throttled_us] = 1234567;
    expect(&r,
           "it had to wait for its cpu_quota, 12.5%, in 7 periods of 100 ms, for 1.2 s together");
    r = report(SV_RESOURCE_TASKS_MAX, 50, 2 * SECOND);
    r.sum.numbers[SV_RESOURCE_NUMBER_limit_tasks] = 10;
    expect(&r, "it could not fork, for tasks_max was reached, 10, 50 times within 2.0 s");
    r = report(SV_RESOURCE_MEMORY_PRESSURE, 1, 0);
    r.sum.numbers[SV_RESOURCE_NUMBER_full] = 1;
    r.sum.numbers[SV_RESOURCE_NUMBER_bound] = 1250;
    r.sum.numbers[SV_RESOURCE_NUMBER_window_ms] = 2000;
    r.sum.numbers[SV_RESOURCE_NUMBER_stalled_us] = 300000;
    expect(&r, "all of it waited for memory for more than 12.5% of 2 s, 0.3 s since svisord looked "
               "last");
    r = report(SV_RESOURCE_FORK_RATE, 1, 0);
    r.sum.numbers[SV_RESOURCE_NUMBER_forks] = 1500;
    r.sum.numbers[SV_RESOURCE_NUMBER_bound] = 1000;
    r.sum.numbers[SV_RESOURCE_NUMBER_window_ms] = 1000;
    expect(&r, "it forked 1500 processes in a second, and fork_rate_warn is 1000");
}

static void a_payload_has_a_line_of_words_and_one_of_json(void **state)
{
    (void)state;
    struct sv_shortage_report r = report(SV_RESOURCE_IO_PRESSURE, 1, 5 * SECOND);
    r.sum.numbers[SV_RESOURCE_NUMBER_full] = 0;
    r.sum.numbers[SV_RESOURCE_NUMBER_bound] = 500;
    r.sum.numbers[SV_RESOURCE_NUMBER_window_ms] = 10000;
    struct sv_str payload = {0};
    sv_shortage_payload(&r, &payload);
    assert_string_equal(
        sv_str_text(&payload),
        "processname:web groupname:shop run:3 pid:815 resource:IO_PRESSURE count:1\n"
        "{\"resource\":\"IO_PRESSURE\",\"text\":\"some of it waited for input or output for more "
        "than 5% of 10 s\",\"count\":1,\"first_ms\":1700000000000,\"last_ms\":1700000005000,"
        "\"group\":\"shop\",\"name\":\"web\",\"run\":3,\"pid\":815,\"full\":false,\"bound\":500,"
        "\"window_ms\":10000}");
    sv_str_clear(&payload);
    r.name = NULL;
    r.sum.is_of_group = true;
    sv_shortage_payload(&r, &payload);
    assert_true(strncmp(sv_str_text(&payload), "groupname:shop resource:IO_PRESSURE count:1\n",
                        strlen("groupname:shop resource:IO_PRESSURE count:1\n")) == 0);
    assert_null(strstr(sv_str_text(&payload), "\"run\""));
    sv_str_done(&payload);
}

static void two_become_one_by_the_rule_of_each_number(void **state)
{
    (void)state;
    struct sv_shortage sum = sv_shortage_of(SV_RESOURCE_OOM_KILL, 2);
    struct sv_shortage later = sv_shortage_of(SV_RESOURCE_OOM_KILL, UINT64_MAX - 1);
    sum.numbers[SV_RESOURCE_NUMBER_victim] = 9;
    later.numbers[SV_RESOURCE_NUMBER_victim] = 3; /* newest */
    sum.numbers[SV_RESOURCE_NUMBER_usage_bytes] = 9;
    later.numbers[SV_RESOURCE_NUMBER_usage_bytes] = 3; /* largest */
    sum.numbers[SV_RESOURCE_NUMBER_stalled_us] = 9;
    later.numbers[SV_RESOURCE_NUMBER_stalled_us] = INT64_MAX; /* sum */
    sum.numbers[SV_RESOURCE_NUMBER_throttled_us] = 9;
    later.numbers[SV_RESOURCE_NUMBER_throttled_us] = 3;
    sum.numbers[SV_RESOURCE_NUMBER_tasks] = 5;
    later.numbers[SV_RESOURCE_NUMBER_limit_tasks] = 7;
    sv_shortage_merge(&sum, &later);
    assert_true(sum.count == UINT64_MAX);
    assert_int_equal(sum.numbers[SV_RESOURCE_NUMBER_victim], 3);
    assert_int_equal(sum.numbers[SV_RESOURCE_NUMBER_usage_bytes], 9);
    assert_true(sum.numbers[SV_RESOURCE_NUMBER_stalled_us] == INT64_MAX);
    assert_int_equal(sum.numbers[SV_RESOURCE_NUMBER_throttled_us], 12);
    assert_int_equal(sum.numbers[SV_RESOURCE_NUMBER_tasks], 5);
    assert_int_equal(sum.numbers[SV_RESOURCE_NUMBER_limit_tasks], 7);
    assert_int_equal(sum.numbers[SV_RESOURCE_NUMBER_full], SV_RESOURCE_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shortage_is_said_in_plain_words),
        cmocka_unit_test(a_payload_has_a_line_of_words_and_one_of_json),
        cmocka_unit_test(two_become_one_by_the_rule_of_each_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
