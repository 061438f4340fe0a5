#include "core/cluster/model_fixture_test.h"

#define S(name) SV_PROCESS_##name

/* Rows of p, told in this order by the instances 0 to 2, and what p is then. */
struct state_case {
    struct {
        sv_instance_place instance;
        enum sv_process_state state;
        bool is_unexpected;
    } rows[6];
    size_t row_count;
    enum sv_process_state state;
    bool is_unexpected;
    size_t running_count;
};

static const struct state_case state_cases[] = {
    {{{0, S(STOPPED), 0}}, 1, S(STOPPED), 0, 0},
    {{{0, S(STARTING), 0}}, 1, S(STARTING), 0, 1},
    {{{0, S(RUNNING), 0}}, 1, S(RUNNING), 0, 1},
    {{{0, S(BACKOFF), 0}}, 1, S(BACKOFF), 0, 1},
    {{{0, S(FATAL), 0}}, 1, S(FATAL), 0, 0},
    {{{0, S(EXITED), 1}}, 1, S(EXITED), 1, 0},
    {{{0, S(EXITED), 0}}, 1, S(EXITED), 0, 0},
    /* STOPPING does not end it, and does not begin it. */
    {{{0, S(RUNNING), 0}, {0, S(STOPPING), 0}}, 2, S(STOPPING), 0, 1},
    {{{0, S(STOPPED), 0}, {1, S(STOPPING), 0}}, 2, S(STOPPING), 0, 0},
    /* Told last counts, but not from where it was never started. */
    {{{0, S(EXITED), 1}, {1, S(FATAL), 0}}, 2, S(FATAL), 0, 0},
    {{{0, S(FATAL), 0}, {1, S(EXITED), 1}}, 2, S(EXITED), 1, 0},
    {{{0, S(EXITED), 1}, {1, S(STOPPED), 0}}, 2, S(EXITED), 1, 0},
    {{{0, S(STOPPED), 0}, {1, S(EXITED), 1}}, 2, S(EXITED), 1, 0},
    {{{1, S(EXITED), 1}, {0, S(STOPPED), 0}}, 2, S(EXITED), 1, 0},
    /* A conflict: the first of RUNNING, BACKOFF, STARTING, STOPPING. */
    {{{0, S(RUNNING), 0}, {1, S(STARTING), 0}}, 2, S(RUNNING), 0, 2},
    {{{0, S(STARTING), 0}, {1, S(BACKOFF), 0}}, 2, S(BACKOFF), 0, 2},
    {{{0, S(STARTING), 0}, {1, S(STARTING), 0}}, 2, S(STARTING), 0, 2},
    {{{0, S(RUNNING), 0}, {1, S(RUNNING), 0}, {0, S(STOPPING), 0}}, 3, S(RUNNING), 0, 2},
    {{{0, S(RUNNING), 0}, {1, S(RUNNING), 0}, {0, S(STOPPING), 0}, {1, S(STOPPING), 0}},
     4,
     S(STOPPING),
     0,
     2},
    {{{0, S(RUNNING), 0}, {1, S(RUNNING), 0}, {0, S(STOPPED), 0}}, 3, S(RUNNING), 0, 1},
    /* One of two ends unexpectedly: the other one is what counts. */
    {{{0, S(RUNNING), 0}, {1, S(RUNNING), 0}, {0, S(EXITED), 1}}, 3, S(RUNNING), 0, 1},
    {{{2, S(RUNNING), 0}, {0, S(RUNNING), 0}, {1, S(RUNNING), 0}}, 3, S(RUNNING), 0, 3},
};

static void the_state_of_a_process_follows_from_its_rows(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof(state_cases) / sizeof(state_cases[0]); c++) {
        const struct state_case *want = &state_cases[c];
        struct model_fixture fixture;
        struct sv_member *member = NULL;
        fixture_init(&fixture, NULL);
        for (size_t i = 0; i < want->row_count; i++) {
            fixture.now_ns += 1000;
            struct sv_mesh_process row = fixture_row("a", "p", want->rows[i].state, fixture.now_ns);
            row.is_expected = !want->rows[i].is_unexpected;
            member = fixture_tell_row(&fixture, want->rows[i].instance, &row);
        }
        if (member->state != want->state || member->is_expected_exit == want->is_unexpected ||
            member->running_count != want->running_count)
            fail_msg("case %zu: state %d, expected %d, running %zu", c, (int)member->state,
                     member->is_expected_exit, member->running_count);
        for (size_t i = 1; i < member->running_count; i++)
            assert_true(member->running[i - 1] < member->running[i]);
        fixture_done(&fixture);
    }
}

static void a_row_that_comes_again_is_no_news(void **state)
{
    (void)state;
    struct model_fixture fixture;
    struct sv_member *member;
    fixture_init(&fixture, NULL);
    struct sv_mesh_process row = fixture_row("a", "p", S(EXITED), 5);
    assert_int_equal(sv_model_tell(&fixture.model, 0, &row, 100, &member), SV_ROW_NEW);
    row.is_disabled = true;
    assert_int_equal(sv_model_tell(&fixture.model, 0, &row, 200, &member), SV_ROW_DETAILS);
    assert_int_equal(sv_member_copy(member, 0)->received_ns, 100);
    assert_true(sv_member_copy(member, 0)->row.is_disabled);
    row.event_ns = 6;
    assert_int_equal(sv_model_tell(&fixture.model, 0, &row, 300, &member), SV_ROW_EVENT);
    assert_int_equal(sv_member_copy(member, 0)->received_ns, 300);
    fixture_done(&fixture);
}

static void what_is_told_is_copied(void **state)
{
    (void)state;
    struct model_fixture fixture;
    fixture_init(&fixture, NULL);
    char name[] = "p";
    char text[] = "pid 7, uptime 0:00:01";
    struct sv_mesh_process row = fixture_row("a", name, S(RUNNING), 5);
    row.description = text;
    struct sv_member *member = fixture_tell_row(&fixture, 0, &row);
    memset(text, 'x', sizeof(text) - 1);
    memset(name, 'x', sizeof(name) - 1);
    assert_string_equal(sv_member_copy(member, 0)->row.description, "pid 7, uptime 0:00:01");
    assert_string_equal(sv_member_copy(member, 0)->row.name, "p");
    assert_string_equal(member->name, "p");
    fixture_done(&fixture);
}

static void a_process_goes_with_its_last_row(void **state)
{
    (void)state;
    struct model_fixture fixture;
    fixture_init(&fixture, NULL);
    struct sv_member *p = fixture_tell(&fixture, 0, "a", "p", S(RUNNING));
    fixture_tell(&fixture, 1, "a", "p", S(STOPPED));
    fixture_tell(&fixture, 0, "a", "q", S(STOPPED));
    struct sv_member *r = fixture_tell(&fixture, 0, "b", "r", S(STOPPED));
    assert_false(sv_model_untell(&fixture.model, p, 0));
    assert_int_equal(p->state, S(STOPPED));
    assert_true(sv_model_untell(&fixture.model, p, 1));
    assert_false(sv_model_drop(&fixture.model, p));
    struct sv_application *a = sv_model_application(&fixture.model, "a");
    assert_int_equal(a->member_count, 1);
    assert_null(sv_application_member(a, "p"));
    struct sv_member *q = sv_application_member(a, "q");
    assert_int_equal(q->place, 0);
    assert_true(sv_model_untell(&fixture.model, q, 0));
    assert_true(sv_model_drop(&fixture.model, q));
    assert_null(sv_model_application(&fixture.model, "a"));
    assert_int_equal(r->application->place, 0);
    assert_int_equal(fixture.model.application_count, 1);
    fixture_done(&fixture);
}

static void a_lost_instance_leaves_fatal_behind_and_what_ran_only_there_is_remembered(void **state)
{
    (void)state;
    struct model_fixture fixture;
    fixture_init(&fixture, NULL);
    struct sv_member *p = fixture_tell(&fixture, 0, "a", "p", S(RUNNING));
    struct sv_member *q = fixture_tell(&fixture, 0, "a", "q", S(EXITED));
    struct sv_member *r = fixture_tell(&fixture, 0, "a", "r", S(RUNNING));
    fixture_tell(&fixture, 1, "a", "r", S(RUNNING));
    assert_true(sv_member_lose(&fixture.model, p, 0, "left:9001", 99));
    assert_false(sv_member_lose(&fixture.model, q, 0, "left:9001", 99));
    assert_true(sv_member_lose(&fixture.model, r, 0, "left:9001", 99));
    assert_int_equal(p->state, S(FATAL));
    assert_true(sv_member_is_crashed(p));
    assert_true(p->is_lost);
    assert_false(q->is_lost || r->is_lost);
    assert_false(sv_member_copy(p, 0)->has_crashed);
    assert_string_equal(sv_member_copy(p, 0)->row.spawnerr, "Supervisor left:9001 lost");
    assert_int_equal(q->state, S(EXITED));
    assert_int_equal(r->state, S(RUNNING));
    assert_int_equal(fixture.model.lost_count, 1);
    /* It comes back, with what lived on behind its dead daemon. */
    struct sv_mesh_process row = fixture_row("a", "p", S(RUNNING), fixture.now_ns);
    fixture_tell_row(&fixture, 0, &row);
    assert_false(p->is_lost);
    assert_int_equal(fixture.model.lost_count, 0);
    assert_int_equal(p->state, S(RUNNING));
    fixture_done(&fixture);
}

static void a_forced_state_is_shown_until_the_process_says_something_newer(void **state)
{
    (void)state;
    struct model_fixture fixture;
    fixture_init(&fixture, NULL);
    fixture.model.local = 1;
    struct sv_member *p = fixture_tell(&fixture, 0, "a", "p", S(STOPPED));
    uint64_t event_ns = fixture.now_ns;
    struct sv_forced forced = {S(FATAL), "No resource available", SV_INSTANCE_NONE, 1, 0, 1};
    assert_true(sv_member_force(&fixture.model, p, &forced, 5));
    assert_int_equal(sv_member_shown_state(p), S(FATAL));
    assert_int_equal(p->state, S(STOPPED));
    /* A newcomer's STOPPED says nothing. */
    fixture_tell(&fixture, 1, "a", "p", S(STOPPED));
    assert_int_equal(sv_member_shown_state(p), S(FATAL));
    fixture_tell(&fixture, 0, "a", "p", S(STARTING));
    assert_int_equal(sv_member_shown_state(p), S(STARTING));
    /* The target has told something newer than what the sender had seen. */
    forced = (struct sv_forced){S(FATAL), "late", 0, 1, event_ns, 2};
    assert_false(sv_member_force(&fixture.model, p, &forced, 6));
    forced.event_ns = fixture.now_ns;
    assert_true(sv_member_force(&fixture.model, p, &forced, 6));
    fixture_tell(&fixture, 2, "a", "p", S(EXITED));
    assert_int_equal(sv_member_shown_state(p), S(STARTING));
    fixture_done(&fixture);
}

static void what_another_one_forced_holds_until_he_lifts_it(void **state)
{
    (void)state;
    struct model_fixture fixture;
    fixture_init(&fixture, NULL);
    struct sv_member *p = fixture_tell(&fixture, 0, "a", "p", S(STOPPED));
    struct sv_forced greater = {S(FATAL), "no node", SV_INSTANCE_NONE, 1, 0, 9};
    struct sv_forced smaller = {S(STOPPED), "it does not stop", SV_INSTANCE_NONE, 2, 0, 8};
    assert_true(sv_member_force(&fixture.model, p, &greater, 5));
    assert_false(sv_member_force(&fixture.model, p, &smaller, 6));
    fixture_tell(&fixture, 0, "a", "p", S(STARTING));
    assert_int_equal(sv_member_shown_state(p), S(FATAL));
    /* He is gone: everybody judges himself. */
    sv_member_orphan(&fixture.model, p);
    assert_int_equal(sv_member_shown_state(p), S(STARTING));
    assert_false(sv_member_force(&fixture.model, p, &greater, 7)); /* an end is final */
    greater.serial++;
    assert_true(sv_member_force(&fixture.model, p, &greater, 7));
    sv_member_orphan(&fixture.model, p);
    assert_int_equal(sv_member_shown_state(p), S(FATAL));
    fixture_tell(&fixture, 0, "a", "p", S(RUNNING));
    assert_int_equal(sv_member_shown_state(p), S(RUNNING));
    fixture_done(&fixture);
}

static void extra_arguments_are_those_of_the_last_start(void **state)
{
    (void)state;
    struct model_fixture fixture;
    fixture_init(&fixture, NULL);
    struct sv_member *p = fixture_tell(&fixture, 0, "a", "p", S(STOPPED));
    struct sv_mesh_process row = fixture_row("a", "p", S(STARTING), 7);
    row.extra_arguments = "-x 1";
    fixture_tell_row(&fixture, 0, &row);
    assert_string_equal(p->extra_arguments, "-x 1");
    /* Somebody comes who never heard of them. */
    fixture_tell(&fixture, 1, "a", "p", S(STOPPED));
    assert_string_equal(p->extra_arguments, "-x 1");
    fixture_tell(&fixture, 1, "a", "p", S(STARTING));
    assert_string_equal(p->extra_arguments, "");
    fixture_done(&fixture);
}

#define SHOP                                                                                       \
    "<application name='shop'><start_sequence>1</start_sequence><programs>"                        \
    "<program name='need'><start_sequence>1</start_sequence><required>true</required>"             \
    "<expected_loading>20</expected_loading></program>"                                            \
    "<program name='nice'><start_sequence>2</start_sequence>"                                      \
    "<expected_loading>5</expected_loading></program></programs></application>"
#define FORMULA                                                                                    \
    "<application name='shop'><operational_status>all('n.*') or 'spare'</operational_status>"      \
    "<programs><program name='need'><start_sequence>1</start_sequence></program></programs>"       \
    "</application>"

struct application_case {
    const char *rules;
    enum sv_process_state need, nice, spare;
    bool is_unexpected; /* of EXITED */
    enum sv_application_state state;
    bool is_major, is_minor;
};

static const struct application_case application_cases[] = {
    {SHOP, S(STOPPED), S(STOPPED), S(STOPPED), 0, SV_APPLICATION_STATE_STOPPED, 0, 0},
    {SHOP, S(RUNNING), S(RUNNING), S(STOPPED), 0, SV_APPLICATION_STATE_RUNNING, 0, 0},
    {SHOP, S(RUNNING), S(STARTING), S(STOPPED), 0, SV_APPLICATION_STATE_STARTING, 0, 0},
    {SHOP, S(RUNNING), S(BACKOFF), S(STOPPED), 0, SV_APPLICATION_STATE_STARTING, 0, 0},
    {SHOP, S(STOPPING), S(STARTING), S(STOPPED), 0, SV_APPLICATION_STATE_STOPPING, 0, 0},
    {SHOP, S(STOPPED), S(STOPPED), S(RUNNING), 0, SV_APPLICATION_STATE_RUNNING, 1, 0},
    /* What is required and stopped fails an application that is not stopped. */
    {SHOP, S(STOPPED), S(RUNNING), S(STOPPED), 0, SV_APPLICATION_STATE_RUNNING, 1, 0},
    {SHOP, S(RUNNING), S(STOPPED), S(STOPPED), 0, SV_APPLICATION_STATE_RUNNING, 0, 0},
    {SHOP, S(FATAL), S(STOPPED), S(STOPPED), 0, SV_APPLICATION_STATE_STOPPED, 1, 0},
    {SHOP, S(EXITED), S(STOPPED), S(STOPPED), 1, SV_APPLICATION_STATE_STOPPED, 1, 0},
    {SHOP, S(EXITED), S(STOPPED), S(STOPPED), 0, SV_APPLICATION_STATE_STOPPED, 0, 0},
    {SHOP, S(RUNNING), S(FATAL), S(STOPPED), 0, SV_APPLICATION_STATE_RUNNING, 0, 1},
    {SHOP, S(RUNNING), S(UNKNOWN), S(STOPPED), 0, SV_APPLICATION_STATE_RUNNING, 0, 1},
    /* Number 0 is in the sequence too. */
    {SHOP, S(RUNNING), S(RUNNING), S(FATAL), 0, SV_APPLICATION_STATE_RUNNING, 0, 1},
    /* Major hides minor. */
    {SHOP, S(FATAL), S(FATAL), S(RUNNING), 0, SV_APPLICATION_STATE_RUNNING, 1, 0},
    /* Unmanaged: never a failure. */
    {NULL, S(FATAL), S(FATAL), S(RUNNING), 0, SV_APPLICATION_STATE_RUNNING, 0, 0},
    {FORMULA, S(RUNNING), S(RUNNING), S(STOPPED), 0, SV_APPLICATION_STATE_RUNNING, 0, 0},
    {FORMULA, S(RUNNING), S(STOPPED), S(STOPPED), 0, SV_APPLICATION_STATE_RUNNING, 1, 0},
    {FORMULA, S(RUNNING), S(STOPPED), S(BACKOFF), 0, SV_APPLICATION_STATE_STARTING, 0, 0},
    {FORMULA, S(FATAL), S(RUNNING), S(RUNNING), 0, SV_APPLICATION_STATE_RUNNING, 0, 1},
    {FORMULA, S(EXITED), S(EXITED), S(STOPPED), 0, SV_APPLICATION_STATE_STOPPED, 0, 0},
    {FORMULA, S(EXITED), S(EXITED), S(STOPPED), 1, SV_APPLICATION_STATE_STOPPED, 1, 0},
};

static void state_and_failures_of_an_application_follow_from_its_processes(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof(application_cases) / sizeof(application_cases[0]); c++) {
        const struct application_case *want = &application_cases[c];
        struct model_fixture fixture;
        fixture_init(&fixture, want->rules);
        const char *const names[] = {"need", "nice", "spare"};
        const enum sv_process_state states[] = {want->need, want->nice, want->spare};
        for (size_t i = 0; i < 3; i++) {
            struct sv_mesh_process row = fixture_row("shop", names[i], states[i], 7);
            row.is_expected = states[i] != S(EXITED) || !want->is_unexpected;
            fixture_tell_row(&fixture, 0, &row);
        }
        struct sv_application *shop = sv_model_application(&fixture.model, "shop");
        assert_true(shop->is_stale);
        sv_application_refresh(&fixture.model, shop);
        assert_false(sv_application_refresh(&fixture.model, shop));
        if (shop->state != want->state || shop->has_major_failure != want->is_major ||
            shop->has_minor_failure != want->is_minor)
            fail_msg("case %zu: state %d, major %d, minor %d", c, (int)shop->state,
                     shop->has_major_failure, shop->has_minor_failure);
        fixture_done(&fixture);
    }
}

static void a_formula_learns_of_new_processes(void **state)
{
    (void)state;
    struct model_fixture fixture;
    fixture_init(&fixture, FORMULA);
    fixture_tell(&fixture, 0, "shop", "need", S(RUNNING));
    struct sv_application *shop = sv_model_application(&fixture.model, "shop");
    sv_application_refresh(&fixture.model, shop);
    assert_true(shop->has_major_failure); /* nobody is called spare */
    struct sv_member *spare = fixture_tell(&fixture, 0, "shop", "spare", S(STOPPED));
    sv_application_refresh(&fixture.model, shop);
    assert_false(shop->has_major_failure);
    sv_model_untell(&fixture.model, spare, 0);
    sv_model_drop(&fixture.model, spare);
    sv_application_refresh(&fixture.model, shop);
    assert_true(shop->has_major_failure);
    fixture_done(&fixture);
}

static void loads_and_conflicts_are_sums_over_what_runs(void **state)
{
    (void)state;
    struct model_fixture fixture;
    fixture_init(&fixture, SHOP);
    struct sv_model *model = &fixture.model;
    struct sv_member *need = fixture_tell(&fixture, 2, "shop", "need", S(STARTING));
    fixture_tell(&fixture, 2, "shop", "nice", S(RUNNING));
    assert_int_equal(model->loads[2], 25);
    fixture_tell(&fixture, 0, "shop", "need", S(RUNNING));
    assert_int_equal(model->loads[0], 20);
    assert_int_equal(model->conflict_count, 1);
    fixture_tell(&fixture, 2, "shop", "need", S(STOPPING));
    fixture_tell(&fixture, 2, "shop", "need", S(STOPPED));
    assert_int_equal(model->conflict_count, 0);
    assert_int_equal(model->loads[2], 5);
    fixture_tell(&fixture, 0, "shop", "need", S(STOPPING)); /* no load while it ends */
    assert_int_equal(model->loads[0], 0);
    fixture_tell(&fixture, 0, "shop", "need", S(RUNNING));
    /* Other rules weigh otherwise. */
    struct sv_rules *rules =
        fixture_rules("<root><application name='shop'><programs><program name='need'>"
                      "<expected_loading>70</expected_loading></program></programs>"
                      "</application></root>");
    sv_model_use_rules(model, rules);
    sv_rules_unref(rules);
    assert_int_equal(model->loads[0], 70);
    assert_int_equal(model->loads[2], 0);
    assert_int_equal(need->rules.start_sequence, 0);
    sv_model_use_rules(model, NULL);
    assert_int_equal(model->loads[0], 0);
    assert_false(need->application->rules.is_managed);
    fixture_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_state_of_a_process_follows_from_its_rows),
        cmocka_unit_test(a_row_that_comes_again_is_no_news),
        cmocka_unit_test(what_is_told_is_copied),
        cmocka_unit_test(a_process_goes_with_its_last_row),
        cmocka_unit_test(a_lost_instance_leaves_fatal_behind_and_what_ran_only_there_is_remembered),
        cmocka_unit_test(a_forced_state_is_shown_until_the_process_says_something_newer),
        cmocka_unit_test(what_another_one_forced_holds_until_he_lifts_it),
        cmocka_unit_test(extra_arguments_are_those_of_the_last_start),
        cmocka_unit_test(state_and_failures_of_an_application_follow_from_its_processes),
        cmocka_unit_test(a_formula_learns_of_new_processes),
        cmocka_unit_test(loads_and_conflicts_are_sums_over_what_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
