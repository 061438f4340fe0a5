#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <svisor/limits.h>

#include "wire/beacon.h"

static const char *const stereotypes[] = {"db", "fast"};
static const struct sv_beacon example = {.identifier = "10.0.0.1:60000",
                                         .nick = "supv-01",
                                         .host = "10.0.0.1",
                                         .http_port = 60000,
                                         .event_port = 60001,
                                         .stereotypes = stereotypes,
                                         .stereotype_count = 2,
                                         .is_question = true};

static int decode(const struct sv_str *bytes, struct sv_beacon *ret_beacon, struct sv_arena *arena)
{
    const char *why = "";
    return sv_beacon_decode(bytes->data, bytes->length, arena, ret_beacon, &why);
}

static void a_beacon_comes_back_as_it_went(void **state)
{
    (void)state;
    struct sv_str bytes = {0};
    struct sv_arena arena = {0};
    struct sv_beacon beacon = {0};
    assert_int_equal(sv_beacon_encode(&example, &bytes), 0);
    assert_int_equal(decode(&bytes, &beacon, &arena), 0);
    assert_string_equal(beacon.identifier, example.identifier);
    assert_string_equal(beacon.nick, example.nick);
    assert_string_equal(beacon.host, example.host);
    assert_int_equal(beacon.http_port, example.http_port);
    assert_int_equal(beacon.event_port, example.event_port);
    assert_int_equal(beacon.stereotype_count, 2);
    assert_string_equal(beacon.stereotypes[1], "fast");
    assert_true(beacon.is_question);
    sv_arena_done(&arena);
    sv_str_done(&bytes);
}

static void what_is_not_of_svisor_is_told_from_what_is_broken(void **state)
{
    (void)state;
    struct sv_str bytes = {0};
    struct sv_arena arena = {0};
    struct sv_beacon beacon = {0};
    const char *why = "";
    assert_int_equal(sv_beacon_decode("{\"json\": 1}", 11, &arena, &beacon, &why),
                     SV_BEACON_E_FOREIGN);
    assert_int_equal(sv_beacon_encode(&example, &bytes), 0);
    for (size_t length = 7; length < bytes.length; length++)
        assert_int_not_equal(sv_beacon_decode(bytes.data, length, &arena, &beacon, &why),
                             SV_BEACON_E_FOREIGN);
    bytes.data[6] = 99; /* the version */
    assert_int_equal(decode(&bytes, &beacon, &arena), SV_BEACON_E_FOREIGN);
    sv_arena_done(&arena);
    sv_str_done(&bytes);
}

static void a_beacon_that_cannot_be_true_is_refused(void **state)
{
    (void)state;
    static const struct sv_beacon lies[] = {
        {.identifier = "a:1", .nick = "a", .host = "b", .http_port = 1},
        {.identifier = "a:0", .nick = "a", .host = "a", .http_port = 0},
        {.identifier = "a:1", .nick = "", .host = "a", .http_port = 1},
        {.identifier = "a;b:1", .nick = "a", .host = "a;b", .http_port = 1},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(lies); i++) {
        struct sv_str bytes = {0};
        struct sv_arena arena = {0};
        struct sv_beacon beacon = {0};
        assert_int_equal(sv_beacon_encode(&lies[i], &bytes), 0);
        assert_int_equal(decode(&bytes, &beacon, &arena), SV_BEACON_E_MALFORMED);
        sv_arena_done(&arena);
        sv_str_done(&bytes);
    }
}

static void a_beacon_is_one_datagram(void **state)
{
    (void)state;
    const char *many[600];
    for (size_t i = 0; i < SV_ARRAY_LENGTH(many); i++)
        many[i] = "stereotype";
    struct sv_beacon beacon = example;
    beacon.stereotypes = many;
    beacon.stereotype_count = SV_ARRAY_LENGTH(many);
    struct sv_str bytes = {0};
    assert_int_equal(sv_beacon_encode(&beacon, &bytes), -EMSGSIZE);
    sv_str_done(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_beacon_comes_back_as_it_went),
        cmocka_unit_test(what_is_not_of_svisor_is_told_from_what_is_broken),
        cmocka_unit_test(a_beacon_that_cannot_be_true_is_refused),
        cmocka_unit_test(a_beacon_is_one_datagram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
