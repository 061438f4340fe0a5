#include "core/cluster/placement.h"

#include "core/cluster/model_fixture_test.h"

enum { LEFT, RIGHT, SPARE, FAR, SITE_COUNT };

/* Four instances on three nodes: right and spare share one. */
struct place_fixture {
    struct sv_instance_names names[SITE_COUNT];
    struct sv_site items[SITE_COUNT];
    struct sv_sites sites;
    struct sv_loads loads;
    uint32_t instance[SITE_COUNT], node[SITE_COUNT];
    struct sv_str why;
};

static void place_init(struct place_fixture *fixture, const uint32_t loads[SITE_COUNT])
{
    static const char *const nicks[] = {"left", "right", "spare", "far"};
    static const char *const stereotype[] = {"store"};
    static const struct sv_name_list stores = {stereotype, 1};
    static const sv_instance_place nodes[] = {LEFT, RIGHT, RIGHT, FAR};
    *fixture = (struct place_fixture){0};
    fixture->sites = (struct sv_sites){fixture->names, fixture->items, SITE_COUNT, RIGHT};
    fixture->loads = (struct sv_loads){fixture->instance, fixture->node};
    for (sv_instance_place i = 0; i < SITE_COUNT; i++) {
        fixture->names[i] =
            (struct sv_instance_names){nicks[i], nicks[i], i == LEFT || i == FAR ? &stores : NULL};
        fixture->items[i] = (struct sv_site){nodes[i], SV_INSTANCE_STATE_RUNNING};
    }
    for (sv_instance_place i = 0; loads && i < SITE_COUNT; i++)
        sv_loads_add(&fixture->loads, &fixture->sites, i, loads[i]);
}

static void place_done(struct place_fixture *fixture)
{
    sv_str_done(&fixture->why);
}

#define C(name) SV_STARTING_STRATEGY_##name
#define NONE    SV_INSTANCE_NONE

struct choice_case {
    enum sv_starting_strategy strategy;
    uint32_t loads[SITE_COUNT];
    sv_instance_place order[SITE_COUNT];
    uint32_t count;
    uint32_t percent;
    sv_instance_place chosen;
};

static const struct choice_case choice_cases[] = {
    {C(CONFIG), {90, 0, 0, 0}, {LEFT, RIGHT, SPARE, FAR}, 4, 10, LEFT},
    {C(CONFIG), {91, 0, 0, 0}, {LEFT, RIGHT, SPARE, FAR}, 4, 10, RIGHT},
    {C(CONFIG), {0, 0, 0, 0}, {FAR, LEFT}, 2, 10, FAR},
    /* The load of a node is that of all its instances. */
    {C(CONFIG), {95, 50, 45, 0}, {LEFT, RIGHT, SPARE, FAR}, 4, 10, FAR},
    {C(CONFIG), {95, 50, 45, 95}, {LEFT, RIGHT, SPARE, FAR}, 4, 5, LEFT},
    {C(CONFIG), {95, 50, 45, 95}, {LEFT, RIGHT, SPARE, FAR}, 4, 6, NONE},
    {C(CONFIG), {0, 0, 0, 0}, {0}, 0, 0, NONE},
    {C(LESS_LOADED), {10, 20, 30, 40}, {FAR, SPARE, RIGHT, LEFT}, 4, 10, LEFT},
    {C(LESS_LOADED), {10, 10, 10, 10}, {LEFT, RIGHT, SPARE, FAR}, 4, 10, LEFT},
    {C(LESS_LOADED), {10, 10, 10, 10}, {FAR, LEFT}, 2, 10, FAR},
    /* Equal instances: the node decides. */
    {C(LESS_LOADED), {10, 10, 20, 20}, {RIGHT, LEFT}, 2, 10, LEFT},
    {C(LESS_LOADED), {50, 0, 95, 60}, {LEFT, RIGHT, SPARE, FAR}, 4, 10, LEFT},
    {C(MOST_LOADED), {10, 20, 30, 40}, {LEFT, RIGHT, SPARE, FAR}, 4, 10, FAR},
    {C(MOST_LOADED), {10, 20, 30, 95}, {LEFT, RIGHT, SPARE, FAR}, 4, 10, SPARE},
    /* Of equals the last. */
    {C(MOST_LOADED), {10, 0, 0, 10}, {LEFT, FAR}, 2, 10, FAR},
    {C(MOST_LOADED), {10, 0, 0, 10}, {FAR, LEFT}, 2, 10, LEFT},
    {C(MOST_LOADED), {20, 20, 5, 0}, {RIGHT, LEFT, FAR}, 3, 10, RIGHT},
    {C(LESS_LOADED_NODE), {30, 10, 10, 40}, {LEFT, RIGHT, SPARE, FAR}, 4, 10, RIGHT},
    {C(LESS_LOADED_NODE), {30, 20, 10, 40}, {LEFT, RIGHT, SPARE, FAR}, 4, 10, SPARE},
    {C(LESS_LOADED_NODE), {30, 20, 10, 30}, {FAR, LEFT}, 2, 10, FAR},
    {C(MOST_LOADED_NODE), {50, 30, 30, 10}, {LEFT, RIGHT, SPARE, FAR}, 4, 10, SPARE},
    {C(MOST_LOADED_NODE), {50, 31, 30, 10}, {LEFT, RIGHT, SPARE, FAR}, 4, 10, RIGHT},
    {C(MOST_LOADED_NODE), {50, 31, 30, 10}, {LEFT, RIGHT, SPARE, FAR}, 4, 40, LEFT},
    {C(MOST_LOADED_NODE), {0, 0, 0, 0}, {LEFT, RIGHT, SPARE, FAR}, 4, 40, FAR},
    {C(LOCAL), {0, 50, 0, 0}, {LEFT, RIGHT, SPARE, FAR}, 4, 50, RIGHT},
    {C(LOCAL), {0, 50, 0, 0}, {LEFT, RIGHT, SPARE, FAR}, 4, 51, NONE},
    {C(LOCAL), {0, 0, 0, 0}, {LEFT, SPARE, FAR}, 3, 0, NONE},
};

static void every_strategy_chooses_as_its_rule_says(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof(choice_cases) / sizeof(choice_cases[0]); c++) {
        const struct choice_case *want = &choice_cases[c];
        struct place_fixture fixture;
        place_init(&fixture, want->loads);
        sv_instance_place order[SITE_COUNT];
        memcpy(order, want->order, sizeof(order));
        struct sv_places places = {order, want->count};
        struct sv_placement placement = {want->strategy, &places, want->percent};
        sv_instance_place chosen =
            sv_placement_choose(&placement, &fixture.sites, &fixture.loads, &fixture.why);
        if (chosen != want->chosen)
            fail_msg("case %zu: %d instead of %d: %s", c, (int)chosen, (int)want->chosen,
                     sv_str_text(&fixture.why));
        place_done(&fixture);
    }
}

static void choice_and_refusals_are_said_in_words(void **state)
{
    (void)state;
    struct place_fixture fixture;
    place_init(&fixture, (const uint32_t[]){95, 10, 20, 0});
    fixture.items[FAR].state = SV_INSTANCE_STATE_FAILED;
    sv_instance_place order[] = {LEFT, RIGHT, SPARE, FAR};
    struct sv_places places = {order, 4};
    struct sv_placement placement = {C(LESS_LOADED), &places, 20};
    sv_placement_choose(&placement, &fixture.sites, &fixture.loads, &fixture.why);
    assert_string_equal(sv_str_text(&fixture.why),
                        "left refused: load 95 + 20 > 100; far refused: it is FAILED; "
                        "LESS_LOADED chose right: load 10, of its node 30");
    sv_str_clear(&fixture.why);
    placement.strategy = C(LOCAL);
    placement.percent = 80;
    sv_placement_choose(&placement, &fixture.sites, &fixture.loads, &fixture.why);
    assert_string_equal(sv_str_text(&fixture.why),
                        "left refused: LOCAL wants the one that decides; "
                        "right refused: load of its node 30 + 80 > 100; "
                        "spare refused: LOCAL wants the one that decides; "
                        "far refused: LOCAL wants the one that decides");
    place_done(&fixture);
}

static void only_so_many_refusals_are_told(void **state)
{
    (void)state;
    enum { MANY = 12 };
    struct sv_instance_names names[MANY];
    struct sv_site items[MANY];
    uint32_t instance[MANY] = {0}, node[MANY] = {0};
    sv_instance_place order[MANY];
    for (sv_instance_place i = 0; i < MANY; i++) {
        names[i] = (struct sv_instance_names){"i", "n", NULL};
        items[i] = (struct sv_site){i, SV_INSTANCE_STATE_STOPPED};
        order[i] = i;
    }
    struct sv_sites sites = {names, items, MANY, 0};
    struct sv_loads loads = {instance, node};
    struct sv_places places = {order, MANY};
    struct sv_placement placement = {C(CONFIG), &places, 0};
    struct sv_str why = {0};
    assert_int_equal(sv_placement_choose(&placement, &sites, &loads, &why), NONE);
    assert_non_null(strstr(sv_str_text(&why), "; and 4 more"));
    sv_str_done(&why);
}

#define WEB                                                                                        \
    "<application name='web'><distribution>SINGLE_INSTANCE</distribution>"                         \
    "<identifiers>far,left,right</identifiers><start_sequence>1</start_sequence><programs>"        \
    "<program name='any'/>"                                                                        \
    "<program name='listed'><identifiers>far,nobody,left,far</identifiers></program>"              \
    "<program name='stores'><identifiers>right,store</identifiers></program>"                      \
    "<program name='lost'><identifiers>nobody</identifiers></program>"                             \
    "<program pattern='at_'><identifiers>@,left,right</identifiers>"                               \
    "<start_sequence>1</start_sequence></program>"                                                 \
    "<program pattern='hash_'><identifiers>#</identifiers>"                                        \
    "<start_sequence>1</start_sequence></program></programs></application>"

static void expect_places(const struct sv_places *places, const char *want)
{
    char got[SITE_COUNT + 1] = "";
    for (uint32_t i = 0; i < places->count; i++)
        got[i] = "LRSF"[places->items[i]];
    assert_string_equal(got, want);
}

static void a_process_may_run_where_its_rule_says_and_it_is_known_and_enabled(void **state)
{
    (void)state;
    static const struct {
        const char *name, *places, *why;
    } cases[] = {
        {"any", "LRSF", ""},
        {"listed", "FL", ""},
        {"stores", "RLF", ""},
        {"lost", "", "no known instance is named in its identifiers"},
        {"at_1", "", "`@` or `#` has given it no instance"},
        {"other", "LRSF", ""},
    };
    struct place_fixture fixture;
    struct model_fixture model;
    place_init(&fixture, NULL);
    fixture_init(&model, WEB);
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        struct sv_member *member = NULL;
        struct sv_places places;
        for (sv_instance_place i = 0; i < SITE_COUNT; i++)
            member = fixture_tell(&model, i, "web", cases[c].name, SV_PROCESS_STOPPED);
        sv_placement_of_member(member, &fixture.sites, &places, &fixture.why);
        expect_places(&places, cases[c].places);
        assert_string_equal(sv_str_text(&fixture.why), cases[c].why);
        sv_str_clear(&fixture.why);
        sv_places_done(&places);
    }
    struct sv_mesh_process row = fixture_row("web", "half", SV_PROCESS_STOPPED, 1);
    fixture_tell_row(&model, RIGHT, &row);
    row.is_disabled = true;
    struct sv_member *half = fixture_tell_row(&model, LEFT, &row);
    struct sv_places places;
    sv_placement_of_member(half, &fixture.sites, &places, &fixture.why);
    expect_places(&places, "R");
    assert_string_equal(sv_str_text(&fixture.why),
                        "left refused: disabled there; spare refused: no such program there; "
                        "far refused: no such program there");
    sv_places_done(&places);
    fixture_done(&model);
    place_done(&fixture);
}

static void an_application_of_one_instance_needs_all_its_programs_there(void **state)
{
    (void)state;
    struct place_fixture fixture;
    struct model_fixture model;
    struct sv_places places;
    place_init(&fixture, NULL);
    fixture_init(&model, WEB);
    fixture_tell(&model, LEFT, "web", "any", SV_PROCESS_STOPPED);
    fixture_tell(&model, FAR, "web", "any", SV_PROCESS_STOPPED);
    fixture_tell(&model, SPARE, "web", "any", SV_PROCESS_STOPPED);
    fixture_tell(&model, FAR, "web", "listed", SV_PROCESS_STOPPED);
    fixture_tell(&model, RIGHT, "web", "listed", SV_PROCESS_STOPPED);
    struct sv_application *web = sv_model_application(&model.model, "web");
    sv_placement_of_application(web, &fixture.sites, &places, &fixture.why);
    expect_places(&places, "F");
    assert_string_equal(sv_str_text(&fixture.why),
                        "left refused: it cannot run listed; right refused: it cannot run any");
    sv_places_done(&places);
    sv_str_clear(&fixture.why);
    /* A node: between them its instances have all; spare is on right's, but not in the rule. */
    sv_placement_of_nodes(web, &fixture.sites, &places, &fixture.why);
    expect_places(&places, "F");
    assert_string_equal(sv_str_text(&fixture.why),
                        "left refused: nothing on its node can run listed; "
                        "right refused: nothing on its node can run any");
    sv_places_done(&places);
    fixture_done(&model);
    place_done(&fixture);
}

static void the_instances_of_a_node_share_an_application(void **state)
{
    (void)state;
    struct place_fixture fixture;
    struct model_fixture model;
    struct sv_places places;
    place_init(&fixture, NULL);
    fixture_init(&model, "<application name='pair'><distribution>SINGLE_NODE</distribution>"
                         "<programs/></application>");
    fixture_tell(&model, SPARE, "pair", "a", SV_PROCESS_STOPPED);
    fixture_tell(&model, RIGHT, "pair", "b", SV_PROCESS_STOPPED);
    fixture_tell(&model, LEFT, "pair", "a", SV_PROCESS_STOPPED);
    struct sv_application *pair = sv_model_application(&model.model, "pair");
    sv_placement_of_nodes(pair, &fixture.sites, &places, &fixture.why);
    expect_places(&places, "RS");
    sv_places_done(&places);
    fixture_done(&model);
    place_done(&fixture);
}

static void the_number_of_an_application_picks_its_instance(void **state)
{
    (void)state;
    struct place_fixture fixture;
    struct model_fixture model;
    place_init(&fixture, NULL);
    fixture_init(&model, "<application pattern='all_'><distribution>SINGLE_INSTANCE"
                         "</distribution><identifiers>#</identifiers></application>"
                         "<application pattern='two-'><distribution>SINGLE_INSTANCE"
                         "</distribution><identifiers>#,spare,left</identifiers></application>");
    static const struct {
        const char *name, *places;
    } cases[] = {{"all_1", "L"}, {"all_4", "F"}, {"all_5", "L"}, {"two-1", "S"},
                 {"two-2", "L"}, {"two-3", "S"}, {"all_x", ""}};
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        struct sv_places places;
        for (sv_instance_place i = 0; i < SITE_COUNT; i++)
            fixture_tell(&model, i, cases[c].name, "p", SV_PROCESS_STOPPED);
        sv_placement_of_application(sv_model_application(&model.model, cases[c].name),
                                    &fixture.sites, &places, &fixture.why);
        expect_places(&places, cases[c].places);
        sv_places_done(&places);
    }
    fixture_done(&model);
    place_done(&fixture);
}

static void signs_give_each_process_its_instance_for_good(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t index;
        sv_instance_place assigned;
    } cases[] = {
        {"at_2", 2, NONE},    {"at_0", 0, LEFT},   {"at_1", 1, RIGHT},
        {"hash_4", 4, LEFT},  {"hash_0", 0, LEFT}, {"hash_1", 1, RIGHT},
        {"hash_2", 2, SPARE}, {"hash_3", 3, FAR},  {"any", 0, NONE},
    };
    struct place_fixture fixture;
    struct model_fixture model;
    place_init(&fixture, NULL);
    fixture_init(&model, WEB);
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        struct sv_mesh_process row = fixture_row("web", cases[c].name, SV_PROCESS_STOPPED, 1);
        row.program_name = cases[c].name[0] == 'a' ? "at" : "hash";
        row.process_index = cases[c].index;
        fixture_tell_row(&model, LEFT, &row);
    }
    struct sv_application *web = sv_model_application(&model.model, "web");
    sv_application_assign(web, &fixture.sites);
    sv_application_assign(web, &fixture.sites);
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++)
        if (sv_application_member(web, cases[c].name)->assigned != cases[c].assigned)
            fail_msg("%s", cases[c].name);
    /* One more process, and the others stay. */
    struct sv_mesh_process row = fixture_row("web", "hash_5", SV_PROCESS_STOPPED, 1);
    row.program_name = "hash";
    row.process_index = 5;
    struct sv_member *more = fixture_tell_row(&model, LEFT, &row);
    sv_application_assign(web, &fixture.sites);
    assert_int_equal(more->assigned, RIGHT);
    fixture_done(&model);
    place_done(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_strategy_chooses_as_its_rule_says),
        cmocka_unit_test(choice_and_refusals_are_said_in_words),
        cmocka_unit_test(only_so_many_refusals_are_told),
        cmocka_unit_test(a_process_may_run_where_its_rule_says_and_it_is_known_and_enabled),
        cmocka_unit_test(an_application_of_one_instance_needs_all_its_programs_there),
        cmocka_unit_test(the_instances_of_a_node_share_an_application),
        cmocka_unit_test(the_number_of_an_application_picks_its_instance),
        cmocka_unit_test(signs_give_each_process_its_instance_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
