/* Messages that pass core/cluster by: the calls of clients to another instance, and the news of the
 * timeline. */
#include "wire/mesh_fixture_test.h"

#include <svisor/limits.h>

/* One field more in port/mesh.h belongs into mesh.proto, mesh_encode.c, mesh_decode.c and here. */
#if __SIZEOF_POINTER__ == 8
_Static_assert(sizeof(struct sv_mesh_news_item) == 32, "a field more?");
_Static_assert(sizeof(struct sv_mesh_call) == 32, "a field more?");
_Static_assert(sizeof(struct sv_mesh_result) == 40, "a field more?");
#endif

static const struct sv_mesh_news_item news[] = {
    {SV_TIMELINE_DEATH, SV_TIMELINE_WARNING, "web", "nginx_01", "ended by itself"},
    {SV_TIMELINE_CLUSTER, SV_TIMELINE_INFO, "", "", "\xc3\xa9"},
};

/* Every kind, with every field of it at least once. The bytes are those of version 0.1: they may
 * never change, for an old instance must read what a new one writes. */
static const struct example examples[] = {
    {{.kind = SV_MESH_CALL, .call = {.id = 17, .method = "svisor.why", .params = {"[\"a\"]", 5}}},
     "0a07613a36303030301207623a36303030301908070605040302012005a2011c091100000000000000120a73"
     "7669736f722e7768791a055b2261225d"},
    {{.kind = SV_MESH_RESULT,
      .result = {.id = 17, .progress = SV_MESH_RESULT_PART, .part = {"{\"b\0", 4}}},
     "0a07613a36303030301207623a36303030301908070605040302012005aa011109110000000000000010012a"
     "047b226200"},
    {{.kind = SV_MESH_RESULT,
      .result = {.id = 17, .progress = SV_MESH_RESULT_ENDS, .fault = 10, .text = "BAD_NAME: a"}},
     "0a07613a36303030301207623a36303030301908070605040302012005aa011a091100000000000000100218"
     "0a220b4241445f4e414d453a2061"},
    {{.kind = SV_MESH_WANT, .want = {.id = 17, .is_wanted = true}},
     "0a07613a36303030301207623a36303030301908070605040302012005b2010b0911000000000000001001"},
    {{.kind = SV_MESH_NEWS, .news = {news, 2}},
     "0a07613a36303030301207623a36303030301908070605040302012005ba012c0a24080410011a0377656222"
     "086e67696e785f30312a0f656e64656420627920697473656c660a042a02c3a9"},
};

static void assert_same_json(const struct sv_mesh_json *a, const struct sv_mesh_json *b)
{
    assert_int_equal(a->length, b->length);
    if (a->length > 0)
        assert_memory_equal(a->bytes, b->bytes, a->length);
}

static void assert_same_news(const struct sv_mesh_news *a, const struct sv_mesh_news *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_int_equal(a->items[i].kind, b->items[i].kind);
        assert_int_equal(a->items[i].level, b->items[i].level);
        assert_string_equal(a->items[i].application, b->items[i].application);
        assert_string_equal(a->items[i].process, b->items[i].process);
        assert_string_equal(a->items[i].text, b->items[i].text);
    }
}

static void assert_same_message(const struct sv_mesh_message *a, const struct sv_mesh_message *b)
{
    if (a->kind == SV_MESH_CALL) {
        assert_int_equal(a->call.id, b->call.id);
        assert_string_equal(a->call.method, b->call.method);
        assert_same_json(&a->call.params, &b->call.params);
    } else if (a->kind == SV_MESH_RESULT) {
        assert_int_equal(a->result.id, b->result.id);
        assert_int_equal(a->result.progress, b->result.progress);
        assert_int_equal(a->result.fault, b->result.fault);
        assert_same_text(a->result.text, b->result.text);
        assert_same_json(&a->result.part, &b->result.part);
    } else if (a->kind == SV_MESH_WANT) {
        assert_int_equal(a->want.id, b->want.id);
        assert_int_equal(a->want.is_wanted, b->want.is_wanted);
    } else {
        assert_same_news(&a->news, &b->news);
    }
}

static void each_kind_comes_back_as_it_went(void **state)
{
    (void)state;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(examples); i++)
        assert_comes_back(&examples[i], assert_same_message);
}

static void the_bytes_are_those_of_the_first_version(void **state)
{
    (void)state;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(examples); i++)
        assert_bytes(&examples[i]);
}

static void torn_and_flipped_bytes_do_no_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(examples); i++)
        tear_and_flip(&examples[i]);
}

static void each_fault_is_said(void **state)
{
    (void)state;
    REFUSED("\xa2\x01\x00", "a call does not say what is called");
    REFUSED("\xaa\x01\x02\x10\x03", "a result has an unknown progress");
}

static void news_of_a_newer_version_is_news_and_too_much_is_none(void **state)
{
    (void)state;
    struct sv_mesh_news_item items[SV_NEWS_ITEMS_MAX + 1];
    for (size_t i = 0; i < SV_ARRAY_LENGTH(items); i++)
        items[i] = (struct sv_mesh_news_item){.kind = SV_TIMELINE_KIND_COUNT,
                                              .level = SV_TIMELINE_LEVEL_COUNT,
                                              .application = "",
                                              .process = "",
                                              .text = "x"};
    struct sv_str bytes = {0};
    struct sv_arena arena = {0};
    struct sv_mesh_packet packet = {0};
    const char *why = "";
    struct sv_mesh_message message = {.kind = SV_MESH_NEWS, .news = {items, SV_NEWS_ITEMS_MAX}};
    encode(&message, &bytes);
    assert_int_equal(sv_mesh_decode(bytes.data, bytes.length, &arena, &packet, &why), 0);
    assert_int_equal(packet.message.news.count, SV_NEWS_ITEMS_MAX);
    assert_int_equal(packet.message.news.items[9].kind, SV_TIMELINE_CLUSTER);
    assert_int_equal(packet.message.news.items[9].level, SV_TIMELINE_INFO);
    message.news.count++;
    encode(&message, &bytes);
    assert_string_equal(decoded(bytes.data, bytes.length), "there is too much news");
    sv_arena_done(&arena);
    sv_str_done(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_comes_back_as_it_went),
        cmocka_unit_test(the_bytes_are_those_of_the_first_version),
        cmocka_unit_test(torn_and_flipped_bytes_do_no_harm),
        cmocka_unit_test(each_fault_is_said),
        cmocka_unit_test(news_of_a_newer_version_is_news_and_too_much_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
