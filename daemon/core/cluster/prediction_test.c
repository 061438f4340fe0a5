/* What is predicted is what happens: over rules and loads from a seed. */
#include "core/cluster/commander_fixture_test.h"

enum { PROGRAMS_MAX = 7, SEEDS = 400 };

static struct played played;
static uint64_t random_state;

static uint32_t below(uint32_t bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(random_state >> 33) % bound;
}

static const char *one_of(const char *const *words, uint32_t count)
{
    return words[below(count)];
}
#define ONE_OF(...)                                                                                \
    one_of((const char *const[]){__VA_ARGS__},                                                     \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* An application "app" of some programs, and one that gives the instances their loads. */
static void write_rules(struct sv_str *xml, struct sv_str *programs)
{
    sv_str_addf(xml,
                "<application name='app'><distribution>%s</distribution>"
                "<identifiers>%s</identifiers><starting_strategy>%s</starting_strategy>"
                "<starting_failure_strategy>%s</starting_failure_strategy><programs>",
                ONE_OF("ALL_INSTANCES", "ALL_INSTANCES", "SINGLE_INSTANCE", "SINGLE_NODE"),
                ONE_OF("*", "*", "far,left", "right"),
                ONE_OF("CONFIG", "LESS_LOADED", "MOST_LOADED", "LOCAL", "LESS_LOADED_NODE",
                       "MOST_LOADED_NODE"),
                ONE_OF("ABORT", "CONTINUE"));
    uint32_t count = 1 + below(PROGRAMS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        const char *name = below(4) ? "p" : "job";
        sv_str_addf(xml,
                    "<program pattern='^%s%u$'><identifiers>%s</identifiers>"
                    "<start_sequence>%u</start_sequence><required>%s</required>"
                    "<wait_exit>%s</wait_exit><expected_loading>%u</expected_loading></program>",
                    name, i, ONE_OF("*", "*", "*", "right,far", "left", "@", "#", "#,far,right"),
                    below(4), ONE_OF("true", "false"), *name == 'j' ? "true" : "false", below(50));
        sv_str_addf(programs, "app:%s%u ", name, i);
    }
    sv_str_add(xml, "</programs></application><application name='load'><programs>");
    for (uint32_t i = 0; i < PLAYED_COUNT; i++) {
        sv_str_addf(xml, "<program name='l%u'><expected_loading>%u</expected_loading></program>", i,
                    below(100));
        sv_str_addf(programs, "load:l%u ", i);
    }
    sv_str_add(xml, "</programs></application>");
}

static void init_world(uint64_t seed)
{
    struct sv_str xml = {0};
    struct sv_str programs = {0};
    random_state = seed;
    write_rules(&xml, &programs);
    played_init(&played, sv_str_text(&xml), sv_str_text(&programs));
    for (sv_instance_place i = 0; i < PLAYED_COUNT; i++) {
        char name[] = {'l', (char)('0' + i), '\0'};
        played_tell(&played, i, "load", name, SV_PROCESS_RUNNING);
    }
    if (below(4) == 0)
        played.states[below(PLAYED_COUNT)] = SV_INSTANCE_STATE_STOPPED;
    sv_str_done(&xml);
    sv_str_done(&programs);
}

static struct sv_cluster_answer predict(enum sv_cluster_request_kind kind, const char *name)
{
    size_t before = played.actions.count;
    played_ask(&played, kind, name);
    assert_in_range(played.actions.count, before + 1, SIZE_MAX);
    return played.actions.items[played.actions.count - 1].answer;
}

static void expect_as_predicted(uint64_t seed, const struct sv_cluster_answer *prediction)
{
    for (size_t i = 0; i < prediction->prediction_count; i++) {
        const struct sv_prediction *want = &prediction->predictions[i];
        const struct sv_member *member = played_member(&played, "app", want->name);
        sv_instance_place place = member->running_count > 0 ? member->running[0] : SV_INSTANCE_NONE;
        const char *reason = member->is_forced ? member->forced_reason : "";
        if (place != want->instance || sv_member_shown_state(member) != want->state ||
            strcmp(reason, want->forced_reason) != 0)
            fail_msg("seed %u: %s is %s, predicted %s (%s)", (unsigned)seed, want->name,
                     sv_process_state_name(sv_member_shown_state(member)),
                     sv_process_state_name(want->state), sv_str_text(&played.trace));
    }
}

static void what_is_predicted_of_an_application_happens(void **state)
{
    (void)state;
    size_t started = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        init_world(seed);
        struct sv_cluster_answer prediction = predict(SV_REQUEST_TEST_START_APPLICATION, "app");
        assert_int_equal(prediction.fault, 0);
        assert_int_equal(played.command_count, 0);
        played_ask(&played, SV_REQUEST_START_APPLICATION, "app");
        started += played.command_count;
        played_run(&played);
        expect_as_predicted(seed, &prediction);
        played_done(&played);
    }
    assert_in_range(started, SEEDS / 2, SEEDS * PROGRAMS_MAX); /* it is about something */
}

static void what_is_predicted_of_a_process_happens(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        init_world(seed);
        const struct sv_application *app = sv_model_application(&played.cluster.model, "app");
        const char *name = sv_text(&played.cluster, "app:%s", app->members[0]->name);
        if (seed % 2) { /* `@` and `#` are resolved by a start of the application */
            played_ask(&played, SV_REQUEST_START_APPLICATION, "app");
            played_run(&played);
            played_ask(&played, SV_REQUEST_STOP_APPLICATION, "app");
            played_run(&played);
        }
        struct sv_cluster_answer prediction = predict(SV_REQUEST_TEST_START_PROCESS, name);
        played_ask(&played, SV_REQUEST_START_PROCESS, name);
        played_run(&played);
        expect_as_predicted(seed, &prediction);
        played_done(&played);
    }
}

/* The loads may have changed since it was started, so that it moves. */
static void change_a_load(void)
{
    char name[] = {'l', (char)('0' + below(PLAYED_COUNT)), '\0'};
    played_tell(&played, (sv_instance_place)(name[1] - '0'), "load", name, SV_PROCESS_STOPPED);
}

static void what_is_predicted_of_a_restart_happens(void **state)
{
    (void)state;
    size_t moved = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        init_world(seed);
        played_ask(&played, SV_REQUEST_START_APPLICATION, "app");
        played_run(&played);
        change_a_load();
        const struct sv_application *app = sv_model_application(&played.cluster.model, "app");
        const struct sv_member *first = app->members[0];
        sv_instance_place before = first->running_count > 0 ? first->running[0] : SV_INSTANCE_NONE;
        bool is_one = seed % 2 && sv_state_is_running(first->state);
        const char *name = sv_text(&played.cluster, is_one ? "app:%s" : "app", first->name);
        struct sv_cluster_answer prediction =
            predict(is_one ? SV_REQUEST_PREDICT_PROCESS : SV_REQUEST_PREDICT_APPLICATION, name);
        assert_int_equal(prediction.fault, 0);
        assert_int_equal(played.command_count, 0);
        played_ask(&played, is_one ? SV_REQUEST_RESTART_PROCESS : SV_REQUEST_RESTART_APPLICATION,
                   name);
        played_run(&played);
        expect_as_predicted(seed, &prediction);
        moved += first->running_count > 0 && first->running[0] != before;
        played_done(&played);
    }
    assert_in_range(moved, 10, SEEDS); /* it is about something */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_predicted_of_an_application_happens),
        cmocka_unit_test(what_is_predicted_of_a_process_happens),
        cmocka_unit_test(what_is_predicted_of_a_restart_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
