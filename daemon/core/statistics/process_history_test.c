/* The numbers are those that the real compiler, Supvisors' statscompiler.py, gave for the same
 * samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/statistics/process_history.h"

static struct sv_process_sample sample(double seconds, double work, double memory)
{
    return (struct sv_process_sample){.now_ns = (uint64_t)(seconds * 1e9),
                                      .pid = 42,
                                      .cpu_ns = (uint64_t)(work * 1e9),
                                      .memory_percent = memory};
}

static void the_first_sample_is_only_a_reference(void **state)
{
    (void)state;
    struct sv_process_history history;
    struct sv_process_statistics got;
    sv_process_history_init(&history, 5, 10);
    struct sv_process_sample first = sample(100, 3, 1);
    assert_int_equal(sv_process_history_push(&history, &first, &got), 0);
    assert_int_equal(history.moments.count, 0);
    sv_process_history_done(&history);
}

static void a_period_ends_with_the_first_sample_that_is_old_enough(void **state)
{
    (void)state;
    struct sv_process_history history;
    struct sv_process_statistics got;
    sv_process_history_init(&history, 5, 10);
    const struct sv_process_sample samples[] = {sample(100, 3, 1), sample(104, 4, 2),
                                                sample(106, 6, 3), sample(110.5, 9, 4),
                                                sample(111, 10, 5)};
    const int expected[] = {0, 0, SV_HISTORY_GREW, 0, SV_HISTORY_GREW};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(sv_process_history_push(&history, &samples[i], &got), expected[i]);
    assert_float_equal(got.start, 6, 1e-9);
    assert_float_equal(got.end, 11, 1e-9);
    assert_float_equal(got.cpu_percent, 80, 1e-9);
    assert_float_equal(got.memory_percent, 5, 1e-9);
    assert_int_equal(got.pid, 42);
    assert_int_equal(history.moments.count, 2);
    const struct sv_process_moment *oldest = sv_ring_at(&history.moments, 0);
    assert_float_equal(oldest->seconds, 6, 1e-9);
    assert_float_equal(oldest->cpu_percent, 50, 1e-5);
    sv_process_history_done(&history);
}

static void only_the_last_values_are_kept(void **state)
{
    (void)state;
    struct sv_process_history history;
    struct sv_process_statistics got;
    sv_process_history_init(&history, 1, 10);
    for (int i = 0; i <= 25; i++) {
        struct sv_process_sample next = sample(i, i * 0.01 * i, i);
        assert_int_equal(sv_process_history_push(&history, &next, &got), i ? SV_HISTORY_GREW : 0);
    }
    assert_int_equal(history.moments.count, 10);
    for (uint32_t i = 0; i < 10; i++) {
        const struct sv_process_moment *moment = sv_ring_at(&history.moments, i);
        assert_float_equal(moment->seconds, (float)(16 + i), 1e-9);
        assert_float_equal(moment->memory_percent, (float)(16 + i), 1e-5);
    }
    sv_process_history_done(&history);
}

static void time_that_goes_back_is_no_load(void **state)
{
    (void)state;
    struct sv_process_history history;
    struct sv_process_statistics got;
    sv_process_history_init(&history, 1, 10);
    struct sv_process_sample first = sample(1, 9, 0), second = sample(3, 8, 0);
    sv_process_history_push(&history, &first, &got);
    assert_int_equal(sv_process_history_push(&history, &second, &got), SV_HISTORY_GREW);
    assert_float_equal(got.cpu_percent, 0, 1e-9);
    sv_process_history_done(&history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_sample_is_only_a_reference),
        cmocka_unit_test(a_period_ends_with_the_first_sample_that_is_old_enough),
        cmocka_unit_test(only_the_last_values_are_kept),
        cmocka_unit_test(time_that_goes_back_is_no_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
