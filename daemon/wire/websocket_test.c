#include "wire/websocket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct sv_websocket_request good = {
    .method = "GET",
    .upgrade = "WebSocket",
    .connection = "keep-alive , Upgrade",
    .version = "13",
    .key = "dGhlIHNhbXBsZSBub25jZQ==",
};

static void a_good_request_is_taken(void **state)
{
    (void)state;
    assert_null(sv_websocket_refusal(&good));
}

static void every_part_of_it_is_needed(void **state)
{
    (void)state;
    struct sv_websocket_request cases[] = {good, good, good, good, good, good, good, good, good};
    cases[0].method = "POST";
    cases[1].upgrade = NULL;
    cases[2].upgrade = "h2c";
    cases[3].connection = "keep-alive";
    cases[4].connection = "upgraded";
    cases[5].version = NULL;
    cases[6].version = "8";
    cases[7].key = NULL;
    cases[8].key = "dGhlIHNhbXBsZSBub25jZQ!=";
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_non_null(sv_websocket_refusal(&cases[i]));
}

static void a_page_is_of_the_same_origin_with_the_same_host_and_port(void **state)
{
    (void)state;
    const struct {
        const char *origin, *host;
        bool is_same;
    } cases[] = {
        {NULL, "a:1", true},          {"http://a:1", "a:1", true},
        {"https://A:1", "a:1", true}, {"http://a:2", "a:1", false},
        {"http://b:1", "a:1", false}, {"http://a:1.evil", "a:1", false},
        {"null", "a:1", false},       {"http://a:1", NULL, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sv_websocket_request request = {.origin = cases[i].origin, .host = cases[i].host};
        assert_int_equal(sv_websocket_is_same_origin(&request), cases[i].is_same);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_request_is_taken),
        cmocka_unit_test(every_part_of_it_is_needed),
        cmocka_unit_test(a_page_is_of_the_same_origin_with_the_same_host_and_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
