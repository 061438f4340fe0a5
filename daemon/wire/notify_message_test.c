#include "wire/notify_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "wire/http_status.h"

static struct sv_notify_message parse(const char *text)
{
    struct sv_notify_message message;
    assert_true(sv_notify_parse(text, strlen(text), &message));
    return message;
}

static void every_field_is_found_among_others(void **state)
{
    (void)state;
    struct sv_notify_message message =
        parse("MAINPID=1\nREADY=1\nSTATUS=Serving 3 = three\nX_OTHER=\nWATCHDOG=1\n"
              "EXTEND_TIMEOUT_USEC=1500000\nSTOPPING=1");
    assert_true(message.is_ready && message.is_alive && message.is_stopping && message.has_extend);
    assert_false(message.is_trigger);
    assert_true(message.extend_us == 1500000);
    assert_string_equal(message.status, "Serving 3 = three");
}

static void only_the_exact_words_count(void **state)
{
    (void)state;
    struct sv_notify_message message =
        parse("READY=0\nREADY =1\nready=1\nXREADY=1\nREADY=11\nWATCHDOG=\nSTOPPING=yes\nREADY");
    assert_false(message.is_ready || message.is_alive || message.is_stopping);
    assert_true(parse("WATCHDOG=trigger").is_trigger);
}

static void a_number_that_is_none_was_not_said(void **state)
{
    (void)state;
    static const char *const texts[] = {"EXTEND_TIMEOUT_USEC=", "EXTEND_TIMEOUT_USEC=-1",
                                        "EXTEND_TIMEOUT_USEC=1s",
                                        "EXTEND_TIMEOUT_USEC=18446744073709551616"};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(texts); i++)
        assert_false(parse(texts[i]).has_extend);
}

static void a_status_is_one_line_of_clean_text_and_cut_between_characters(void **state)
{
    (void)state;
    assert_string_equal(parse("STATUS=a\tb\x1b[2J \xff \xc3\xa9\xc2\x85").status,
                        "a?b?[2J ? \xc3\xa9?");
    char text[400] = "STATUS=x";
    for (size_t i = 0; i < 150; i++)
        memcpy(text + 8 + 2 * i, "\xc3\xa9", 3);
    struct sv_notify_message message = parse(text);
    assert_int_equal(strlen(message.status), SV_NOTIFY_STATUS_BYTES_MAX - 1);
    assert_string_equal(parse("STATUS=").status, "");
    assert_true(parse("STATUS=").has_status);
}

static void what_is_no_message_is_refused(void **state)
{
    (void)state;
    char many[SV_NOTIFY_MESSAGE_BYTES_MAX + 1];
    memset(many, 'a', sizeof(many));
    struct sv_notify_message message;
    assert_false(sv_notify_parse("", 0, &message));
    assert_false(sv_notify_parse("\0", 1, &message));
    assert_false(sv_notify_parse("READY=1\0X=1", 11, &message));
    assert_true(sv_notify_parse("READY=1\0", 8, &message)); /* sent with its end */
    assert_false(sv_notify_parse(many, sizeof(many), &message));
    assert_true(sv_notify_parse(many, sizeof(many) - 1, &message));
    memset(many, '\n', sizeof(many));
    assert_false(sv_notify_parse(many, SV_NOTIFY_FIELDS_MAX + 1, &message));
    assert_true(sv_notify_parse(many, SV_NOTIFY_FIELDS_MAX, &message));
}

static void the_status_of_an_http_answer_is_read_as_soon_as_it_is_there(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } rows[] = {
        {"HTTP/1.0 200 OK\r\n", 200},
        {"HTTP/1.1 404\r\n", 404},
        {"HTTP/1.1 302 ", 302},
        {"HTTP/1.1 200", SV_HTTP_STATUS_MORE},
        {"", SV_HTTP_STATUS_MORE},
        {"HT", SV_HTTP_STATUS_MORE},
        {"SSH-2.0", SV_HTTP_STATUS_NONE},
        {"HTTP/1x1 200 ", SV_HTTP_STATUS_NONE},
        {"HTTP/1.1 2000", SV_HTTP_STATUS_NONE},
        {"HTTP/1.1 2 0 ", SV_HTTP_STATUS_NONE},
        {"HTTP/2.0 200 ", SV_HTTP_STATUS_NONE},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(rows); i++)
        if (sv_http_status(rows[i].text, strlen(rows[i].text)) != rows[i].status)
            fail_msg("%s", rows[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_found_among_others),
        cmocka_unit_test(only_the_exact_words_count),
        cmocka_unit_test(a_number_that_is_none_was_not_said),
        cmocka_unit_test(a_status_is_one_line_of_clean_text_and_cut_between_characters),
        cmocka_unit_test(what_is_no_message_is_refused),
        cmocka_unit_test(the_status_of_an_http_answer_is_read_as_soon_as_it_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
