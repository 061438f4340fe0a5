#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <svisor/limits.h>

#include <cmocka.h>

#include "core/local/pool.h"

struct fixture {
    struct sv_group_config config;
    struct sv_pool *pool;
    size_t remembered_bytes;
    struct sv_actions actions;
    struct sv_blob *blob;
    uint64_t serial;
};

static void set_up(struct fixture *f, size_t listener_count, uint32_t buffer_size)
{
    *f = (struct fixture){
        .config = {.name = "pool",
                   .kind = SV_GROUP_LISTENER,
                   .events = (sv_notice_set)1 << SV_NOTICE_TICK_5,
                   .program_count = listener_count,
                   .buffer_size = buffer_size},
    };
    f->pool = sv_pool_new(&f->config, "pool", &f->remembered_bytes);
    f->blob = sv_blob_new("x", 1);
    assert_non_null(f->pool);
    assert_non_null(f->blob);
}

static void tear_down(struct fixture *f)
{
    sv_pool_free(f->pool);
    sv_actions_done(&f->actions);
    assert_int_equal(f->blob->reference_count, 1);
    sv_blob_unref(f->blob);
}

static void publish(struct fixture *f, int count)
{
    for (int i = 0; i < count; i++)
        sv_pool_accept(f->pool, SV_NOTICE_TICK_5, f->blob, f->serial++, &f->actions);
}

static void update(struct fixture *f, size_t index, uint32_t run, bool is_running)
{
    sv_pool_update(f->pool, index,
                   &(struct sv_listener_process){.id = (sv_process_id)index + 1,
                                                 .run = run,
                                                 .is_alive = run > 0,
                                                 .is_running = is_running},
                   &f->actions);
}

static void hear(struct fixture *f, size_t index, enum sv_listener_event event)
{
    sv_pool_hear(f->pool, index, event, &f->actions);
}

static void come_up(struct fixture *f, size_t index)
{
    update(f, index, 1, true);
    hear(f, index, SV_LISTENER_SAYS_READY);
}

/* The next action is a delivery of `pool_serial` to listener `index`. */
static void expect_delivery(struct fixture *f, size_t index, uint64_t pool_serial)
{
    sv_actions_clear(&f->actions);
    sv_pool_dispatch(f->pool, &f->actions);
    assert_true(f->actions.count >= 1);
    assert_int_equal(f->actions.items[0].kind, SV_ACTION_DELIVER);
    assert_int_equal(f->actions.items[0].process, index + 1);
    assert_int_equal(f->actions.items[0].deliver.pool_serial, pool_serial);
    assert_ptr_equal(f->actions.items[0].deliver.blob, f->blob);
}

/* The `index`th of the actions of that kind. */
static const struct sv_action *action_of(const struct fixture *f, enum sv_action_kind kind,
                                         size_t index)
{
    for (size_t i = 0; i < f->actions.count; i++)
        if (f->actions.items[i].kind == kind && index-- == 0)
            return &f->actions.items[i];
    return NULL;
}

static void expect_nothing(struct fixture *f)
{
    sv_actions_clear(&f->actions);
    sv_pool_dispatch(f->pool, &f->actions);
    assert_int_equal(f->actions.count, 0);
}

static void events_wait_until_a_listener_is_ready_and_running(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, 1, 10);
    publish(&f, 2);
    expect_nothing(&f);
    update(&f, 0, 1, false);
    hear(&f, 0, SV_LISTENER_SAYS_READY);
    expect_nothing(&f); /* READY, but still STARTING */
    update(&f, 0, 1, true);
    expect_delivery(&f, 0, 0);
    expect_nothing(&f);
    hear(&f, 0, SV_LISTENER_SAYS_OK);
    expect_nothing(&f); /* ACKNOWLEDGED */
    hear(&f, 0, SV_LISTENER_SAYS_READY);
    expect_delivery(&f, 0, 1);
    tear_down(&f);
}

static void listeners_are_served_in_the_order_of_their_processes(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, 3, 10);
    for (size_t i = 3; i > 0; i--)
        come_up(&f, i - 1);
    publish(&f, 2);
    expect_delivery(&f, 0, 0);
    assert_int_equal(f.actions.count, 2);
    assert_int_equal(f.actions.items[1].process, 2);
    assert_int_equal(sv_pool_listener_state(f.pool, 2), SV_LISTENER_READY);
    tear_down(&f);
}

static void overflow_discards_the_oldest_and_says_which(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, 1, 2);
    f.serial = 100;
    publish(&f, 4);
    const struct sv_action *first = action_of(&f, SV_ACTION_NOTICE, 0);
    const struct sv_action *second = action_of(&f, SV_ACTION_NOTICE, 1);
    assert_non_null(first);
    assert_int_equal(first->notice.type, SV_NOTICE_EVENT);
    assert_int_equal(first->notice.reason, SV_REASON_LISTENER_OVERFLOW);
    assert_int_equal(first->notice.serial, 100);
    assert_string_equal(first->notice.group_name, "pool");
    assert_non_null(second);
    assert_int_equal(second->notice.serial, 101);
    assert_null(action_of(&f, SV_ACTION_NOTICE, 2));
    come_up(&f, 0);
    expect_delivery(&f, 0, 2);
    assert_int_equal(f.actions.items[0].deliver.serial, 102);
    tear_down(&f);
}

static void what_was_not_handled_comes_again_first_and_with_its_serials(void **state)
{
    (void)state;
    for (int way = 0; way < 4; way++) {
        struct fixture f;
        set_up(&f, 2, 10);
        come_up(&f, 0);
        publish(&f, 1);
        expect_delivery(&f, 0, 0);
        publish(&f, 1);
        if (way == 0)
            hear(&f, 0, SV_LISTENER_SAYS_FAIL);
        else if (way == 1)
            hear(&f, 0, SV_LISTENER_IS_BROKEN);
        else if (way == 2)
            sv_pool_update(f.pool, 0, &(struct sv_listener_process){.id = 1, .run = 1}, &f.actions);
        else
            update(&f, 0, 2, false); /* ended and was started again in one step */
        come_up(&f, 1);
        expect_delivery(&f, 1, 0);
        assert_int_equal(f.actions.items[0].deliver.serial, 0);
        hear(&f, 1, SV_LISTENER_SAYS_OK);
        hear(&f, 1, SV_LISTENER_SAYS_READY);
        expect_delivery(&f, 1, 1);
        tear_down(&f);
    }
}

static void a_rejected_event_finds_room_in_a_full_buffer(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, 1, 2);
    come_up(&f, 0);
    publish(&f, 1);
    expect_delivery(&f, 0, 0);
    publish(&f, 2);
    sv_actions_clear(&f.actions);
    hear(&f, 0, SV_LISTENER_SAYS_FAIL);
    /* rejected; event 1 is discarded, as Supervisor does */
    assert_int_equal(f.actions.items[0].notice.reason, SV_REASON_LISTENER_REJECTED);
    assert_int_equal(f.actions.items[1].notice.serial, 1);
    assert_int_equal(f.actions.items[2].kind, SV_ACTION_FORGET);
    assert_int_equal(f.actions.count, 3);
    hear(&f, 0, SV_LISTENER_SAYS_READY);
    expect_delivery(&f, 0, 0);
    tear_down(&f);
}

static void a_wrong_word_is_the_last_one_of_this_run(void **state)
{
    (void)state;
    static const enum sv_listener_event wrong[] = {SV_LISTENER_SAYS_READY, SV_LISTENER_SAYS_OK,
                                                   SV_LISTENER_SAYS_FAIL, SV_LISTENER_IS_BROKEN};
    for (int i = 0; i < 4; i++) {
        struct fixture f;
        set_up(&f, 1, 10);
        come_up(&f, 0);
        hear(&f, 0, wrong[i]);
        assert_int_equal(sv_pool_listener_state(f.pool, 0), SV_LISTENER_UNKNOWN);
        assert_int_equal(f.actions.items[0].notice.reason, SV_REASON_LISTENER_BROKEN);
        hear(&f, 0, SV_LISTENER_SAYS_READY);
        publish(&f, 1);
        expect_nothing(&f);
        update(&f, 0, 2, true);
        assert_int_equal(sv_pool_listener_state(f.pool, 0), SV_LISTENER_ACKNOWLEDGED);
        hear(&f, 0, SV_LISTENER_SAYS_READY);
        expect_delivery(&f, 0, 0);
        tear_down(&f);
    }
}

/* The record said READY, because the daemon died between giving it the event and writing that down.
 */
static void an_adopted_listener_may_answer_to_what_an_earlier_daemon_gave_it(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, 1, 10);
    update(&f, 0, 3, true);
    sv_pool_restore(f.pool, 0, SV_LISTENER_READY, 0);
    hear(&f, 0, SV_LISTENER_SAYS_OK);
    assert_int_equal(sv_pool_listener_state(f.pool, 0), SV_LISTENER_ACKNOWLEDGED);
    hear(&f, 0, SV_LISTENER_SAYS_READY);
    assert_int_equal(sv_pool_listener_state(f.pool, 0), SV_LISTENER_READY);
    update(&f, 0, 4, true); /* its next run is nobody's heir */
    hear(&f, 0, SV_LISTENER_SAYS_READY);
    hear(&f, 0, SV_LISTENER_SAYS_OK);
    assert_int_equal(sv_pool_listener_state(f.pool, 0), SV_LISTENER_UNKNOWN);
    tear_down(&f);
}

/* What is between REMEMBER and FORGET is what the next daemon is given. */
static void an_event_is_written_down_until_it_is_answered_or_discarded(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, 1, 1);
    publish(&f, 1);
    const struct sv_action *action = action_of(&f, SV_ACTION_REMEMBER, 0);
    assert_non_null(action);
    assert_ptr_equal(action->deliver.blob, f.blob);
    assert_string_equal(action->deliver.group_name, "pool");
    come_up(&f, 0);
    expect_delivery(&f, 0, 0);
    assert_null(action_of(&f, SV_ACTION_FORGET, 0));
    hear(&f, 0, SV_LISTENER_SAYS_FAIL);
    assert_null(action_of(&f, SV_ACTION_FORGET, 0)); /* it is to come again */
    hear(&f, 0, SV_LISTENER_SAYS_READY);
    expect_delivery(&f, 0, 0);
    hear(&f, 0, SV_LISTENER_SAYS_OK);
    action = action_of(&f, SV_ACTION_FORGET, 0);
    assert_non_null(action);
    assert_int_equal(action->deliver.pool_serial, 0);
    sv_actions_clear(&f.actions);
    publish(&f, 2);
    action = action_of(&f, SV_ACTION_FORGET, 0);
    assert_non_null(action);
    assert_int_equal(action->deliver.pool_serial, 1);
    assert_int_equal(f.remembered_bytes, f.blob->length);
    tear_down(&f);
    assert_int_equal(f.remembered_bytes, 0);
}

static void of_too_much_only_the_serials_are_written_down(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, 1, 10);
    f.remembered_bytes = SV_EVENTS_REMEMBERED_BYTES_MAX;
    publish(&f, 1);
    const struct sv_action *action = action_of(&f, SV_ACTION_REMEMBER, 0);
    assert_non_null(action);
    assert_null(action->deliver.blob);
    size_t place = 0;
    struct sv_event_view event;
    assert_false(sv_pool_next_event(f.pool, &place, &event));
    come_up(&f, 0);
    expect_delivery(&f, 0, 0);
    hear(&f, 0, SV_LISTENER_SAYS_OK);
    assert_null(action_of(&f, SV_ACTION_FORGET, 0));
    assert_int_equal(f.remembered_bytes, SV_EVENTS_REMEMBERED_BYTES_MAX);
    tear_down(&f);
}

static void restore_event(struct fixture *f, uint64_t pool_serial)
{
    struct sv_event_view event = {
        .type = SV_NOTICE_TICK_5, .serial = pool_serial + 100, .pool_serial = pool_serial};
    sv_pool_restore_event(f->pool, &event, f->blob, &f->actions);
}

static void events_of_an_earlier_daemon_wait_in_their_order_and_the_serials_go_on(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, 1, 10);
    sv_pool_restore_serial(f.pool, 9);
    restore_event(&f, 5);
    restore_event(&f, 3);
    restore_event(&f, 4);
    publish(&f, 1);
    come_up(&f, 0);
    static const uint64_t order[] = {3, 4, 5, 9};
    for (size_t i = 0; i < 4; i++) {
        expect_delivery(&f, 0, order[i]);
        hear(&f, 0, SV_LISTENER_SAYS_OK);
        hear(&f, 0, SV_LISTENER_SAYS_READY);
    }
    expect_nothing(&f);
    tear_down(&f);
}

static void what_an_adopted_listener_holds_is_settled_by_its_answer(void **state)
{
    (void)state;
    for (int is_ok = 0; is_ok < 2; is_ok++) {
        struct fixture f;
        set_up(&f, 1, 1);
        update(&f, 0, 3, true);
        sv_pool_restore(f.pool, 0, SV_LISTENER_BUSY, 7 + 1);
        restore_event(&f, 7);
        restore_event(&f, 8); /* a buffer of one is not too small: the other one is not in it */
        assert_null(action_of(&f, SV_ACTION_FORGET, 0));
        struct sv_event_view held;
        assert_true(sv_pool_held_event(f.pool, 0, &held));
        assert_int_equal(held.pool_serial, 7);
        expect_nothing(&f);
        hear(&f, 0, is_ok ? SV_LISTENER_SAYS_OK : SV_LISTENER_SAYS_FAIL);
        assert_non_null(
            action_of(&f, SV_ACTION_FORGET, 0)); /* 7, or 8 for which there is no room */
        hear(&f, 0, SV_LISTENER_SAYS_READY);
        expect_delivery(&f, 0, is_ok ? 8 : 7);
        tear_down(&f);
    }
}

/* It was written down, and then not taken out of the pipe any more. */
static void what_an_adopted_listener_says_again_is_no_wrong_word(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f, 1, 10);
    update(&f, 0, 3, true);
    sv_pool_restore(f.pool, 0, SV_LISTENER_ACKNOWLEDGED, 0);
    hear(&f, 0, SV_LISTENER_SAYS_FAIL);
    assert_int_equal(sv_pool_listener_state(f.pool, 0), SV_LISTENER_ACKNOWLEDGED);
    hear(&f, 0, SV_LISTENER_SAYS_READY);
    hear(&f, 0, SV_LISTENER_SAYS_READY);
    assert_int_equal(sv_pool_listener_state(f.pool, 0), SV_LISTENER_READY);
    publish(&f, 1);
    expect_delivery(&f, 0, 0);
    hear(&f, 0, SV_LISTENER_SAYS_OK);
    hear(&f, 0, SV_LISTENER_SAYS_OK); /* of this daemon's own hearing there is no echo */
    assert_int_equal(sv_pool_listener_state(f.pool, 0), SV_LISTENER_UNKNOWN);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_wait_until_a_listener_is_ready_and_running),
        cmocka_unit_test(listeners_are_served_in_the_order_of_their_processes),
        cmocka_unit_test(overflow_discards_the_oldest_and_says_which),
        cmocka_unit_test(what_was_not_handled_comes_again_first_and_with_its_serials),
        cmocka_unit_test(a_rejected_event_finds_room_in_a_full_buffer),
        cmocka_unit_test(a_wrong_word_is_the_last_one_of_this_run),
        cmocka_unit_test(an_adopted_listener_may_answer_to_what_an_earlier_daemon_gave_it),
        cmocka_unit_test(an_event_is_written_down_until_it_is_answered_or_discarded),
        cmocka_unit_test(of_too_much_only_the_serials_are_written_down),
        cmocka_unit_test(events_of_an_earlier_daemon_wait_in_their_order_and_the_serials_go_on),
        cmocka_unit_test(what_an_adopted_listener_holds_is_settled_by_its_answer),
        cmocka_unit_test(what_an_adopted_listener_says_again_is_no_wrong_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
