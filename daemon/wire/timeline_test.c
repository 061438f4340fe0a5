#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>
#include <svisor/limits.h>

#include "wire/timeline.h"

static struct sv_timeline_record told(const char *text)
{
    return (struct sv_timeline_record){.wall_ns = 1500000000,
                                       .kind = SV_TIMELINE_DEATH,
                                       .level = SV_TIMELINE_WARNING,
                                       .identifier = "a:1",
                                       .application = "shop",
                                       .process = "web",
                                       .text = text};
}

static void a_record_is_kept_as_a_copy_with_a_serial(void **state)
{
    (void)state;
    struct sv_timeline *timeline = sv_timeline_new(7);
    char text[] = "died";
    struct sv_timeline_record record = told(text);
    assert_int_equal(sv_timeline_add(timeline, &record)->serial, 7);
    memset(text, 'x', 4);
    assert_int_equal(sv_timeline_add(timeline, &record)->serial, 8);
    assert_int_equal(sv_timeline_count(timeline), 2);
    assert_string_equal(sv_timeline_at(timeline, 0)->text, "died");
    assert_string_equal(sv_timeline_at(timeline, 1)->text, "xxxx");
    assert_string_equal(sv_timeline_at(timeline, 0)->process, "web");
    sv_timeline_free(timeline);
}

static void the_oldest_ones_go(void **state)
{
    (void)state;
    struct sv_timeline *timeline = sv_timeline_new(1);
    for (int i = 1; i <= SV_TIMELINE_RECORDS_MAX + 5; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%d", i);
        struct sv_timeline_record record = told(text);
        assert_non_null(sv_timeline_add(timeline, &record));
    }
    assert_int_equal(sv_timeline_count(timeline), SV_TIMELINE_RECORDS_MAX);
    assert_string_equal(sv_timeline_at(timeline, 0)->text, "6");
    assert_int_equal(sv_timeline_at(timeline, 0)->serial, 6);
    assert_int_equal(sv_timeline_at(timeline, SV_TIMELINE_RECORDS_MAX - 1)->serial,
                     SV_TIMELINE_RECORDS_MAX + 5);
    assert_null(sv_timeline_find(timeline, 0));
    assert_null(sv_timeline_find(timeline, 5));
    assert_string_equal(sv_timeline_find(timeline, 6)->text, "6");
    assert_int_equal(sv_timeline_find(timeline, SV_TIMELINE_RECORDS_MAX + 5)->serial,
                     SV_TIMELINE_RECORDS_MAX + 5);
    assert_null(sv_timeline_find(timeline, SV_TIMELINE_RECORDS_MAX + 6));
    sv_timeline_free(timeline);
}

static void who_asks_gets_what_is_newer_and_no_more_than_asked_for(void **state)
{
    (void)state;
    struct sv_timeline *timeline = sv_timeline_new(11);
    assert_int_equal(sv_timeline_after(timeline, 0, 5), 0);
    for (int i = 0; i < 10; i++) /* serials 11 to 20 */
        (void)sv_timeline_add(timeline,
                              &(struct sv_timeline_record){
                                  .identifier = "", .application = "", .process = "", .text = ""});
    assert_int_equal(sv_timeline_after(timeline, 0, 100), 0);
    assert_int_equal(sv_timeline_after(timeline, 10, 100), 0);
    assert_int_equal(sv_timeline_after(timeline, 11, 100), 1);
    assert_int_equal(sv_timeline_after(timeline, 20, 100), 10);
    assert_int_equal(sv_timeline_after(timeline, 21, 100), 0); /* another daemon's */
    assert_int_equal(sv_timeline_after(timeline, UINT64_MAX, 3), 7);
    assert_int_equal(sv_timeline_after(timeline, 0, 3), 7);
    assert_int_equal(sv_timeline_after(timeline, 18, 3), 8);
    assert_int_equal(sv_timeline_after(timeline, 0, 0), 10);
    sv_timeline_free(timeline);
}

static void long_texts_are_cut_between_two_characters(void **state)
{
    (void)state;
    struct sv_timeline *timeline = sv_timeline_new(1);
    char text[2 * SV_TIMELINE_TEXT_BYTES_MAX + 2];
    text[0] = 'a';
    for (size_t i = 1; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "\xc3\xa9", 3);
    struct sv_timeline_record record = told(text);
    record.process = text;
    const struct sv_timeline_record *kept = sv_timeline_add(timeline, &record);
    assert_int_equal(strlen(kept->text), SV_TIMELINE_TEXT_BYTES_MAX - 1);
    assert_int_equal(strlen(kept->process), SV_TIMELINE_NAME_BYTES_MAX - 1);
    memset(text, '\xbf', sizeof(text) - 1); /* no character begins */
    text[sizeof(text) - 1] = '\0';
    assert_string_equal(sv_timeline_add(timeline, &record)->text, "");
    sv_timeline_free(timeline);
}

static void json_has_words_and_leaves_out_what_is_not_meant(void **state)
{
    (void)state;
    struct sv_timeline_record record = told("died\x01 of \"it\"");
    record.serial = 3;
    json_t *object = sv_timeline_json(&record);
    char *text = json_dumps(object, JSON_COMPACT);
    assert_string_equal(text, "{\"serial\":3,\"at\":1.5,\"level\":\"warning\",\"kind\":\"death\","
                              "\"identifier\":\"a:1\",\"text\":\"died\xef\xbf\xbd of \\\"it\\\"\","
                              "\"application_name\":\"shop\",\"process_name\":\"web\"}");
    free(text);
    json_decref(object);
    record.application = record.process = "";
    object = sv_timeline_json(&record);
    assert_null(json_object_get(object, "application_name"));
    assert_null(json_object_get(object, "process_name"));
    json_decref(object);
}

static void check_lines_are_left_out(struct sv_timeline *timeline, const char *lines)
{
    size_t count = sv_timeline_count(timeline);
    assert_int_equal(sv_timeline_read_lines(timeline, lines, strlen(lines)), 0);
    assert_int_equal(sv_timeline_count(timeline), count);
}

static void lines_come_back_as_the_records_that_they_were(void **state)
{
    (void)state;
    struct sv_timeline *timeline = sv_timeline_new(40), *next = sv_timeline_new(60);
    struct sv_str lines = {0};
    struct sv_timeline_record record = told("died\nof \"\xc3\xa9\"");
    sv_timeline_write_line(sv_timeline_add(timeline, &record), &lines);
    record.application = record.process = "";
    record.kind = SV_TIMELINE_DAEMON;
    record.serial = 50; /* those between were lost */
    sv_timeline_write_line(sv_timeline_add(timeline, &record), &lines);
    assert_int_equal(sv_timeline_read_lines(next, lines.data, lines.length), 0);
    assert_int_equal(sv_timeline_count(next), 2);
    const struct sv_timeline_record *first = sv_timeline_at(next, 0),
                                    *last = sv_timeline_at(next, 1);
    assert_int_equal(first->serial, 40);
    assert_int_equal(first->wall_ns, 1500000000);
    assert_int_equal(first->kind, SV_TIMELINE_DEATH);
    assert_int_equal(first->level, SV_TIMELINE_WARNING);
    assert_string_equal(first->identifier, "a:1");
    assert_string_equal(first->application, "shop");
    assert_string_equal(first->process, "web");
    assert_string_equal(first->text, "died\nof \"\xc3\xa9\"");
    assert_int_equal(last->serial, 50);
    assert_string_equal(last->application, "");
    assert_int_equal(sv_timeline_after(next, 40, 10), 1);
    assert_int_equal(sv_timeline_after(next, 45, 10), 1);
    assert_int_equal(sv_timeline_after(next, 50, 10), 2);
    record.serial = 0;
    assert_int_equal(sv_timeline_add(next, &record)->serial, 51);
    sv_str_done(&lines);
    sv_timeline_free(timeline);
    sv_timeline_free(next);
}

static void a_line_that_is_no_record_is_left_out(void **state)
{
    (void)state;
    struct sv_timeline *timeline = sv_timeline_new(1);
    check_lines_are_left_out(timeline, "\n\n{}\n[]\nnull\n{\"serial\":1,\"at\":");
#define REST ",\"identifier\":\"a\",\"text\":\"t\"}\n"
    check_lines_are_left_out(timeline,
                             "{\"serial\":0,\"at\":1,\"kind\":\"death\",\"level\":\"info\"" REST);
    check_lines_are_left_out(timeline,
                             "{\"serial\":1,\"at\":-1,\"kind\":\"death\",\"level\":\"info\"" REST);
    check_lines_are_left_out(
        timeline, "{\"serial\":1,\"at\":9e99,\"kind\":\"death\",\"level\":\"info\"" REST);
    check_lines_are_left_out(timeline,
                             "{\"serial\":1,\"at\":1,\"kind\":\"party\",\"level\":\"info\"" REST);
    check_lines_are_left_out(timeline,
                             "{\"serial\":1,\"at\":1,\"kind\":\"death\",\"level\":\"loud\"" REST);
    const char good[] =
        "orn\n{\"serial\":1,\"at\":1,\"kind\":\"death\",\"level\":\"info\"" REST "{\"ser";
    assert_int_equal(sv_timeline_read_lines(timeline, good, strlen(good)), 0);
    assert_int_equal(sv_timeline_count(timeline), 1);
    sv_timeline_free(timeline);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_kept_as_a_copy_with_a_serial),
        cmocka_unit_test(the_oldest_ones_go),
        cmocka_unit_test(who_asks_gets_what_is_newer_and_no_more_than_asked_for),
        cmocka_unit_test(long_texts_are_cut_between_two_characters),
        cmocka_unit_test(json_has_words_and_leaves_out_what_is_not_meant),
        cmocka_unit_test(lines_come_back_as_the_records_that_they_were),
        cmocka_unit_test(a_line_that_is_no_record_is_left_out),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
