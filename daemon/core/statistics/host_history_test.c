/* As process_history_test.c: the same numbers as those of Supvisors' compiler. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/statistics/host_history.h"

static struct sv_host_sample sample(uint64_t seconds, const struct sv_cpu_times *cpus)
{
    return (struct sv_host_sample){.now_ns = seconds * UINT64_C(1000000000),
                                   .cpus = cpus,
                                   .cpu_count = 2,
                                   .memory_percent = 12.5};
}

static const struct sv_cpu_times before[] = {{100, 900}, {500, 500}};
static const struct sv_cpu_times after[] = {{150, 950}, {500, 600}};

static void the_average_of_all_processors_comes_first(void **state)
{
    (void)state;
    struct sv_host_history history;
    struct sv_host_statistics got;
    sv_host_history_init(&history, 5, 10);
    struct sv_host_sample samples[] = {sample(100, before), sample(110, after)};
    assert_int_equal(sv_host_history_push(&history, &samples[0], &got), 0);
    assert_int_equal(sv_host_history_push(&history, &samples[1], &got), SV_HISTORY_GREW);
    assert_int_equal(got.cpu_count, 3);
    assert_float_equal(got.cpus_percent[0], 25, 1e-9);
    assert_float_equal(got.cpus_percent[1], 50, 1e-9);
    assert_float_equal(got.cpus_percent[2], 0, 1e-9);
    assert_float_equal(got.start, 0, 1e-9);
    assert_float_equal(got.end, 10, 1e-9);
    assert_float_equal(got.memory_percent, 12.5, 1e-9);
    const float *kept = sv_ring_at(&history.cpus, 0);
    assert_float_equal(kept[1], 50, 1e-5);
    sv_host_history_done(&history);
}

static void rates_are_kibits_a_second(void **state)
{
    (void)state;
    struct sv_host_history history;
    struct sv_host_statistics got;
    sv_host_history_init(&history, 5, 10);
    const struct sv_traffic_counters old[] = {{"lo", 1000, 5000}, {"eth0", 0, 0}};
    const struct sv_traffic_counters now[] = {{"eth0", 1280, 128000}, {"lo", 900, 6000}};
    struct sv_host_sample samples[] = {sample(100, before), sample(110, after)};
    samples[0].interfaces = old;
    samples[1].interfaces = now;
    samples[0].interface_count = samples[1].interface_count = 2;
    sv_host_history_push(&history, &samples[0], &got);
    assert_int_equal(sv_host_history_push(&history, &samples[1], &got), SV_HISTORY_GREW);
    assert_int_equal(got.interface_count, 1); /* those of lo went back: nobody knows */
    assert_string_equal(got.interfaces[0].name, "eth0");
    assert_float_equal(got.interfaces[0].in_kibits, 1, 1e-9);
    assert_float_equal(got.interfaces[0].out_kibits, 100, 1e-9);
    sv_host_history_done(&history);
}

static void a_device_that_goes_takes_its_history_with_it(void **state)
{
    (void)state;
    struct sv_host_history history;
    struct sv_host_statistics got;
    sv_host_history_init(&history, 5, 10);
    const struct sv_partition_usage both[] = {{"/", 0, 0, 0, 40.5}, {"/media", 0, 0, 0, 10}};
    for (uint64_t i = 0; i < 5; i++) {
        struct sv_host_sample next = sample(100 + 5 * i, before);
        next.partitions = both;
        next.partition_count = i == 3 ? 1 : 2;
        sv_host_history_push(&history, &next, &got);
    }
    assert_int_equal(history.partitions.count, 2);
    assert_string_equal(history.partitions.items[1].name, "/media");
    assert_int_equal(history.partitions.items[0].moments.count, 4);
    assert_int_equal(history.partitions.items[1].moments.count, 1); /* begun anew */
    const struct sv_device_moment *moment = sv_ring_at(&history.partitions.items[1].moments, 0);
    assert_float_equal(moment->seconds, 20, 1e-9);
    assert_float_equal(moment->values[0], 10, 1e-5);
    sv_host_history_done(&history);
}

static void nothing_grows_beyond_its_depth(void **state)
{
    (void)state;
    struct sv_host_history history;
    struct sv_host_statistics got;
    sv_host_history_init(&history, 1, 10);
    const struct sv_traffic_counters counters[] = {{"sda", 7, 7}};
    for (uint64_t i = 0; i < 40; i++) {
        struct sv_host_sample next = sample(100 + i, before);
        next.disks = counters;
        next.disk_count = 1;
        sv_host_history_push(&history, &next, &got);
    }
    assert_int_equal(history.moments.count, 10);
    assert_int_equal(history.cpus.count, 10);
    assert_int_equal(history.disks.items[0].moments.count, 10);
    const struct sv_host_moment *oldest = sv_ring_at(&history.moments, 0);
    assert_float_equal(oldest->seconds, 30, 1e-9);
    assert_float_equal(got.cpus_percent[0], 0, 1e-9); /* no tick has passed */
    sv_host_history_done(&history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_average_of_all_processors_comes_first),
        cmocka_unit_test(rates_are_kibits_a_second),
        cmocka_unit_test(a_device_that_goes_takes_its_history_with_it),
        cmocka_unit_test(nothing_grows_beyond_its_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
