/* How a sight is told: runs when they are few or when all is at rest, and the sum always. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include <cmocka.h>

#include "core/cluster/members.h"

enum { COUNT = 12 };

/* One of twelve instances, with so much of a cluster around it as sight.c looks at. */
static struct sv_cluster *observer_new(const char *const *identifiers)
{
    struct sv_cluster *cluster = sv_allocate(1, sizeof(*cluster));
    cluster->times = sv_allocate(1, sizeof(*cluster->times));
    cluster->times->heartbeat_ns = SV_SECOND_NS / 5;
    cluster->now_ns = SV_SECOND_NS;
    sv_machine_new(cluster);
    sv_sight_new(cluster);
    for (size_t i = 0; i < COUNT; i++)
        sv_instance_add(cluster,
                        &(struct sv_instance_config){.identifier = identifiers[i],
                                                     .nick = identifiers[i],
                                                     .host = identifiers[i]},
                        true);
    return cluster;
}

static void observer_free(struct sv_cluster *cluster)
{
    sv_sight_free(cluster);
    sv_machine_free(cluster);
    sv_instances_free(cluster);
    sv_heap_done(&cluster->timers);
    sv_arena_done(&cluster->texts);
    free(cluster->times);
    free(cluster);
}

static const char *const upwards[COUNT] = {"a", "b", "c", "d", "e", "f",
                                           "g", "h", "i", "j", "k", "l"};
static const char *const downwards[COUNT] = {"l", "k", "j", "i", "h", "g",
                                             "f", "e", "d", "c", "b", "a"};

static void see(struct sv_cluster *cluster, sv_instance_place place, enum sv_instance_state state)
{
    cluster->instances[place]->state = state;
    sv_sight_see(cluster, cluster->instances[place], false);
}

static void see_every_second_one(struct sv_cluster *cluster)
{
    for (sv_instance_place i = 0; i < COUNT; i += 2)
        see(cluster, i, SV_INSTANCE_STATE_RUNNING);
}

/* Time goes on until the timer of the sight fires. */
static void rest(struct sv_cluster *cluster)
{
    struct sv_heap_node *node = sv_heap_first(&cluster->timers);
    assert_non_null(node);
    struct sv_timer *timer =
        (struct sv_timer *)(void *)((char *)node - offsetof(struct sv_timer, node));
    cluster->now_ns = node->key;
    sv_heap_remove(&cluster->timers, node);
    timer->fire(cluster, timer);
}

static void what_is_alike_is_one_run_in_the_order_of_identifiers(void **state)
{
    (void)state;
    struct sv_cluster *cluster = observer_new(downwards);
    for (sv_instance_place i = 0; i < 3; i++)
        see(cluster, i, SV_INSTANCE_STATE_RUNNING);
    const struct sv_mesh_sight *told = sv_sight_change(cluster);
    assert_int_equal(told->running_count, 3);
    assert_int_equal(told->run_count, 2);
    assert_int_equal(told->runs[0].count, COUNT - 3);
    assert_int_equal(told->runs[0].state, SV_INSTANCE_STATE_STOPPED);
    assert_int_equal(told->runs[1].count, 3);
    assert_int_equal(told->runs[1].state, SV_INSTANCE_STATE_RUNNING);
    assert_null(sv_sight_change(cluster));
    observer_free(cluster);
}

static void many_runs_are_told_when_nothing_has_changed_for_a_while(void **state)
{
    (void)state;
    struct sv_cluster *cluster = observer_new(upwards);
    see_every_second_one(cluster);
    const struct sv_mesh_sight *told = sv_sight_change(cluster);
    assert_int_equal(told->running_count, COUNT / 2);
    assert_int_equal(told->run_count, 0);
    see(cluster, 1, SV_INSTANCE_STATE_CHECKING);
    rest(cluster);
    assert_int_equal(sv_sight_change(cluster)->run_count, 0);
    uint64_t before_ns = cluster->now_ns;
    rest(cluster);
    assert_int_equal(cluster->now_ns - before_ns, cluster->times->heartbeat_ns);
    assert_int_equal(sv_sight_change(cluster)->run_count, COUNT);
    assert_null(sv_heap_first(&cluster->timers));
    observer_free(cluster);
}

static void a_snapshot_without_runs_is_followed_by_them(void **state)
{
    (void)state;
    struct sv_cluster *cluster = observer_new(upwards);
    see_every_second_one(cluster);
    assert_int_equal(sv_sight_snapshot(cluster)->run_count, 0);
    rest(cluster);
    assert_int_equal(sv_sight_change(cluster)->run_count, 0);
    rest(cluster);
    assert_int_equal(sv_sight_change(cluster)->run_count, COUNT);
    assert_int_equal(sv_sight_snapshot(cluster)->run_count, COUNT);
    observer_free(cluster);
}

static void a_sight_without_runs_takes_back_the_one_before(void **state)
{
    (void)state;
    struct sv_cluster *teller = observer_new(downwards);
    struct sv_cluster *reader = observer_new(upwards);
    struct sv_instance *from = reader->instances[5];
    struct sv_seen seen;
    sv_sight_see(teller, teller->instances[2], true); /* "j" is settled */
    assert_false(sv_sight_of(reader, from, 9, &seen));
    sv_sight_receive(&from->view, sv_sight_change(teller));
    assert_true(sv_sight_of(reader, from, 9, &seen));
    assert_true(seen.is_settled);
    assert_true(sv_sight_of(reader, from, 8, &seen));
    assert_false(seen.is_settled);
    see_every_second_one(teller);
    sv_sight_receive(&from->view, sv_sight_change(teller));
    assert_false(sv_sight_of(reader, from, 9, &seen));
    sv_modes_forget(reader, from);
    observer_free(teller);
    observer_free(reader);
}

static void who_knows_others_than_we_do_cannot_be_read(void **state)
{
    (void)state;
    struct sv_cluster *teller = observer_new(upwards);
    struct sv_cluster *reader = observer_new(upwards);
    struct sv_instance *from = reader->instances[5];
    struct sv_instance_config found = {.identifier = "bb", .nick = "bb", .host = "bb"};
    struct sv_seen seen;
    sv_instance_add(reader, &found, false);
    see(teller, 2, SV_INSTANCE_STATE_RUNNING);
    sv_sight_receive(&from->view, sv_sight_change(teller));
    assert_int_equal(from->view.running_count, 1);
    assert_false(sv_sight_of(reader, from, 2, &seen));
    sv_instance_add(teller, &found, false);
    sv_sight_receive(&from->view, sv_sight_change(teller));
    assert_true(sv_sight_of(reader, from, 2, &seen));
    assert_int_equal(seen.state, SV_INSTANCE_STATE_RUNNING);
    assert_true(sv_sight_of(reader, from, COUNT, &seen));
    assert_int_equal(seen.state, SV_INSTANCE_STATE_STOPPED);
    sv_modes_forget(reader, from);
    observer_free(teller);
    observer_free(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_alike_is_one_run_in_the_order_of_identifiers),
        cmocka_unit_test(many_runs_are_told_when_nothing_has_changed_for_a_while),
        cmocka_unit_test(a_snapshot_without_runs_is_followed_by_them),
        cmocka_unit_test(a_sight_without_runs_takes_back_the_one_before),
        cmocka_unit_test(who_knows_others_than_we_do_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
