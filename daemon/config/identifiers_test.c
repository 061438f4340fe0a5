#include "config/identifiers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT 4

static const char *const even_items[] = {"even", "last"};
static const char *const odd_items[] = {"odd"};
static const struct sv_name_list even = {even_items, 2};
static const struct sv_name_list odd = {odd_items, 1};
static const struct sv_instance_names instances[COUNT] = {
    {"a:1", "first", &odd},
    {"b:1", "second", &even},
    {"c:1", "c:1", &odd},
    {"d:1", "d", NULL},
};

static void expect(const char *text, const char *wanted)
{
    struct sv_arena arena SV_CLEANUP(sv_arena_done) = {0};
    struct sv_name_list names;
    uint32_t places[COUNT];
    char found[COUNT + 1] = {0};
    assert_int_equal(sv_names_split_unique(text, &arena, &names), 0);
    uint32_t count = sv_identifiers_find(&names, instances, COUNT, places);
    for (uint32_t i = 0; i < count; i++)
        found[i] = (char)('0' + places[i]);
    assert_string_equal(found, wanted);
}

static void names_are_identifiers_nicknames_or_stereotypes(void **state)
{
    (void)state;
    expect("c:1,first", "20");
    expect("odd", "02");
    expect("second,odd,a:1,last,nobody", "102");
    expect("*,a:1", "0123");
    expect("nobody", "");
    expect("", "");
}

static void assign(bool is_hash, const char *before, const char *wanted)
{
    static const uint32_t places[] = {2, 0, 1};
    uint32_t assigned[16];
    uint32_t counts[3] = {9, 9, 9};
    char found[17] = {0};
    uint32_t count = (uint32_t)strlen(before);
    for (uint32_t i = 0; i < count; i++)
        assigned[i] = before[i] == '-' ? SV_INSTANCE_NONE : (uint32_t)(before[i] - '0');
    struct sv_assignment assignment = {places, 3, assigned, count, counts};
    if (is_hash)
        sv_identifiers_assign_hash(&assignment);
    else
        sv_identifiers_assign_at(&assignment);
    for (uint32_t i = 0; i < count; i++)
        found[i] = assigned[i] == SV_INSTANCE_NONE ? '-' : (char)('0' + assigned[i]);
    assert_string_equal(found, wanted);
}

static void at_gives_one_process_to_each_instance(void **state)
{
    (void)state;
    assign(false, "-----", "201--");
    assign(false, "--", "20");
    assign(false, "-0-", "201");
    assign(false, "3--", "320");
    assign(false, "", "");
}

static void hash_gives_the_processes_by_turns(void **state)
{
    (void)state;
    assign(true, "-----", "20120");
    assign(true, "22--", "2201");
    assign(true, "22---", "22010");
    assign(true, "3-", "32");
}

static void nothing_is_assigned_where_there_is_no_instance(void **state)
{
    (void)state;
    uint32_t assigned[] = {SV_INSTANCE_NONE};
    struct sv_assignment assignment = {NULL, 0, assigned, 1, assigned};
    assignment.counts = (uint32_t[1]){0};
    sv_identifiers_assign_hash(&assignment);
    sv_identifiers_assign_at(&assignment);
    assert_int_equal(assigned[0], SV_INSTANCE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_identifiers_nicknames_or_stereotypes),
        cmocka_unit_test(at_gives_one_process_to_each_instance),
        cmocka_unit_test(hash_gives_the_processes_by_turns),
        cmocka_unit_test(nothing_is_assigned_where_there_is_no_instance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
