/* The expected texts were printed by Supervisor's own events.py and process.py. */
#include "wire/listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <svisor/limits.h>

#include <cmocka.h>

static void feed(struct sv_listener_parser *parser, const char *text)
{
    sv_listener_parser_feed(parser, text, strlen(text));
}

static void assert_token(struct sv_listener_parser *parser, enum sv_listener_state state,
                         enum sv_listener_token expected)
{
    assert_int_equal(sv_listener_parser_next(parser, state), expected);
}

static void a_whole_conversation_in_single_bytes_gives_its_tokens(void **state)
{
    (void)state;
    static const char said[] = "READY\nRESULT 4\nFAILREADY\n";
    struct sv_listener_parser parser = {0};
    enum sv_listener_state now = SV_LISTENER_ACKNOWLEDGED;
    size_t ready_count = 0;
    size_t result_count = 0;
    for (size_t i = 0; said[i]; i++) {
        sv_listener_parser_feed(&parser, &said[i], 1);
        switch (sv_listener_parser_next(&parser, now)) {
        case SV_TOKEN_READY:
            ready_count++;
            now = SV_LISTENER_BUSY; /* an event was waiting */
            break;
        case SV_TOKEN_RESULT:
            result_count++;
            assert_string_equal(sv_str_text(&parser.result), "FAIL");
            now = SV_LISTENER_ACKNOWLEDGED;
            break;
        case SV_TOKEN_BROKEN:
            fail();
        case SV_TOKEN_MORE:
            break;
        }
    }
    assert_int_equal(ready_count, 2);
    assert_int_equal(result_count, 1);
    sv_listener_parser_done(&parser);
}

static void result_and_ready_in_one_piece_are_two_tokens(void **state)
{
    (void)state;
    struct sv_listener_parser parser = {0};
    feed(&parser, "RESULT 2\nOKREADY\n");
    assert_token(&parser, SV_LISTENER_BUSY, SV_TOKEN_RESULT);
    assert_string_equal(sv_str_text(&parser.result), "OK");
    assert_token(&parser, SV_LISTENER_ACKNOWLEDGED, SV_TOKEN_READY);
    assert_token(&parser, SV_LISTENER_READY, SV_TOKEN_MORE);
    sv_listener_parser_done(&parser);
}

static void a_second_result_forgets_the_first(void **state)
{
    (void)state;
    struct sv_listener_parser parser = {0};
    feed(&parser, "RESULT 2\nOKRESULT 4\nFAIL");
    assert_token(&parser, SV_LISTENER_BUSY, SV_TOKEN_RESULT);
    assert_token(&parser, SV_LISTENER_BUSY, SV_TOKEN_RESULT);
    assert_string_equal(sv_str_text(&parser.result), "FAIL");
    sv_listener_parser_done(&parser);
}

static void an_empty_result_is_whole_at_once(void **state)
{
    (void)state;
    struct sv_listener_parser parser = {0};
    feed(&parser, "RESULT 0\n");
    assert_token(&parser, SV_LISTENER_BUSY, SV_TOKEN_RESULT);
    assert_int_equal(parser.result.length, 0);
    sv_listener_parser_done(&parser);
}

static void a_result_may_hold_any_byte(void **state)
{
    (void)state;
    static const char said[] = "RESULT  5 \r\na\0\n\xff"
                               "b";
    struct sv_listener_parser parser = {0};
    sv_listener_parser_feed(&parser, said, sizeof(said) - 1);
    assert_token(&parser, SV_LISTENER_BUSY, SV_TOKEN_RESULT);
    assert_int_equal(parser.result.length, 5);
    assert_memory_equal(parser.result.data,
                        "a\0\n\xff"
                        "b",
                        5);
    sv_listener_parser_done(&parser);
}

static void anything_but_ready_breaks_an_acknowledged_listener(void **state)
{
    (void)state;
    struct sv_listener_parser parser = {0};
    feed(&parser, "ready");
    assert_token(&parser, SV_LISTENER_ACKNOWLEDGED, SV_TOKEN_MORE);
    feed(&parser, "\n");
    assert_token(&parser, SV_LISTENER_ACKNOWLEDGED, SV_TOKEN_BROKEN);
    assert_int_equal(parser.input.length, 0);
    sv_listener_parser_done(&parser);
}

static void any_byte_breaks_a_ready_listener(void **state)
{
    (void)state;
    struct sv_listener_parser parser = {0};
    feed(&parser, "READY\nR");
    assert_token(&parser, SV_LISTENER_ACKNOWLEDGED, SV_TOKEN_READY);
    assert_token(&parser, SV_LISTENER_READY, SV_TOKEN_BROKEN);
    sv_listener_parser_done(&parser);
}

static void what_an_unknown_listener_says_is_thrown_away(void **state)
{
    (void)state;
    struct sv_listener_parser parser = {0};
    feed(&parser, "READY\n");
    assert_token(&parser, SV_LISTENER_UNKNOWN, SV_TOKEN_MORE);
    assert_int_equal(parser.input.length, 0);
    sv_listener_parser_done(&parser);
}

static void bad_result_lines_break_a_busy_listener(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "RESULT\n",       "RESULT \n",
        "RESULT -1\n",    "RESULT two\n",
        "RESULT 2 2\n",   "RESULT 99999999999999999999999\n",
        "result 2\nOK",   "\n",
        "READY\n",        "RESULT 1048577\n",
        "RESULT 0x2\nOK", "RESULT +\n",
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(lines); i++) {
        struct sv_listener_parser parser = {0};
        feed(&parser, lines[i]);
        assert_token(&parser, SV_LISTENER_BUSY, SV_TOKEN_BROKEN);
        sv_listener_parser_done(&parser);
    }
}

static void a_line_or_an_input_without_end_is_broken(void **state)
{
    (void)state;
    static char many[SV_LISTENER_RESULT_BYTES_MAX];
    memset(many, 'x', sizeof(many));
    struct sv_listener_parser parser = {0};
    sv_listener_parser_feed(&parser, many, SV_LISTENER_LINE_BYTES_MAX - 1);
    assert_token(&parser, SV_LISTENER_BUSY, SV_TOKEN_MORE);
    sv_listener_parser_feed(&parser, many, 1);
    assert_token(&parser, SV_LISTENER_BUSY, SV_TOKEN_BROKEN);

    feed(&parser, "RESULT 1048576\n");
    assert_token(&parser, SV_LISTENER_BUSY, SV_TOKEN_MORE);
    sv_listener_parser_feed(&parser, many, sizeof(many));
    assert_token(&parser, SV_LISTENER_BUSY, SV_TOKEN_RESULT);

    sv_listener_parser_feed(&parser, many, sizeof(many));
    sv_listener_parser_feed(&parser, many, 1);
    assert_token(&parser, SV_LISTENER_BUSY, SV_TOKEN_BROKEN);
    sv_listener_parser_done(&parser);
}

static void the_envelope_counts_characters(void **state)
{
    (void)state;
    static const char payload[] =
        "processname:foo groupname:bar pid:123\nThis is the data h\xc3\xa9";
    struct sv_envelope envelope = {
        .server = "supervisor",
        .serial = 21,
        .pool = "listener",
        .pool_serial = 10,
        .type = SV_NOTICE_PROCESS_COMMUNICATION_STDOUT,
        .payload = payload,
        .payload_length = sizeof(payload) - 1,
    };
    struct sv_str bytes = {0};
    sv_envelope_encode(&envelope, &bytes);
    assert_string_equal(sv_str_text(&bytes),
                        "ver:3.0 server:supervisor serial:21 pool:listener poolserial:10 "
                        "eventname:PROCESS_COMMUNICATION_STDOUT len:57\n"
                        "processname:foo groupname:bar pid:123\nThis is the data h\xc3\xa9");
    sv_str_done(&bytes);
}

static void an_empty_payload_has_length_0(void **state)
{
    (void)state;
    struct sv_envelope envelope = {.server = "s",
                                   .pool = "p",
                                   .type = SV_NOTICE_SUPERVISOR_STATE_CHANGE_RUNNING,
                                   .payload = ""};
    struct sv_str bytes = {0};
    sv_envelope_encode(&envelope, &bytes);
    assert_string_equal(sv_str_text(&bytes), "ver:3.0 server:s serial:0 pool:p poolserial:0 "
                                             "eventname:SUPERVISOR_STATE_CHANGE_RUNNING len:0\n");
    sv_str_done(&bytes);
}

static void state_payloads_are_supervisors(void **state)
{
    (void)state;
    static const struct {
        enum sv_notice_type type;
        bool is_expected;
        const char *words;
    } rows[] = {
        {SV_NOTICE_PROCESS_STATE_FATAL, true, ""},
        {SV_NOTICE_PROCESS_STATE_UNKNOWN, true, ""},
        {SV_NOTICE_PROCESS_STATE_STARTING, true, " tries:3"},
        {SV_NOTICE_PROCESS_STATE_BACKOFF, true, " tries:3"},
        {SV_NOTICE_PROCESS_STATE_EXITED, true, " expected:1 pid:42"},
        {SV_NOTICE_PROCESS_STATE_EXITED, false, " expected:0 pid:42"},
        {SV_NOTICE_PROCESS_STATE_RUNNING, true, " pid:42"},
        {SV_NOTICE_PROCESS_STATE_STOPPING, true, " pid:42"},
        {SV_NOTICE_PROCESS_STATE_STOPPED, true, " pid:42"},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(rows); i++) {
        struct sv_state_notice notice = {
            .type = rows[i].type,
            .process_name = "cat",
            .group_name = "pets",
            .from = SV_PROCESS_RUNNING,
            .pid = 42,
            .tries = 3,
            .is_expected = rows[i].is_expected,
        };
        struct sv_str expected = {0};
        struct sv_str payload = {0};
        sv_str_addf(&expected, "processname:cat groupname:pets from_state:RUNNING%s",
                    rows[i].words);
        sv_payload_process_state(&notice, &payload);
        assert_string_equal(sv_str_text(&payload), sv_str_text(&expected));
        sv_str_done(&payload);
        sv_str_done(&expected);
    }
}

static void output_payloads_are_supervisors_also_for_bytes_that_are_no_text(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        size_t length;
        const char *shown;
    } rows[] = {
        {"", 0, ""},
        {"abc\n", 4, "abc\n"},
        {"h\xc3\xa9llo\xe2\x82\xac", 9, "h\xc3\xa9llo\xe2\x82\xac"},
        {"\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80"},
        {"\xff\xfe'\t\n\r\\\0\x7f", 9, "Undecodable: b\"\\xff\\xfe'\\t\\n\\r\\\\\\x00\\x7f\""},
        {"it's \xff", 6, "Undecodable: b\"it's \\xff\""},
        {"both ' \" \xff", 10, "Undecodable: b'both \\' \" \\xff'"},
        {"\xed\xa0\x80", 3, "Undecodable: b'\\xed\\xa0\\x80'"},
        {"\xc0\x80", 2, "Undecodable: b'\\xc0\\x80'"},
        {"\xe2\x82", 2, "Undecodable: b'\\xe2\\x82'"},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(rows); i++) {
        struct sv_str expected = {0};
        struct sv_str payload = {0};
        sv_str_addf(&expected, "processname:cat groupname:pets pid:42 channel:stdout\n%s",
                    rows[i].shown);
        sv_payload_process_log("cat", "pets", 42, "stdout", rows[i].data, rows[i].length, &payload);
        assert_string_equal(sv_str_text(&payload), sv_str_text(&expected));

        sv_str_clear(&expected);
        sv_str_clear(&payload);
        sv_str_addf(&expected, "processname:cat groupname:pets pid:42\n%s", rows[i].shown);
        sv_payload_process_communication("cat", "pets", 42, rows[i].data, rows[i].length, &payload);
        assert_string_equal(sv_str_text(&payload), sv_str_text(&expected));
        sv_str_done(&payload);
        sv_str_done(&expected);
    }
}

static void the_other_payloads_are_supervisors(void **state)
{
    (void)state;
    struct sv_str payload = {0};
    sv_payload_remote_communication("a", "b", &payload);
    assert_string_equal(sv_str_text(&payload), "type:a\nb");
    sv_str_clear(&payload);
    sv_payload_group("g", &payload);
    assert_string_equal(sv_str_text(&payload), "groupname:g\n");
    sv_str_clear(&payload);
    sv_payload_tick(1234565, &payload);
    assert_string_equal(sv_str_text(&payload), "when:1234565");
    sv_str_done(&payload);
}

static void what_comes_next_can_be_foreseen(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum sv_listener_token token;
    } cases[] = {{"", SV_TOKEN_MORE},
                 {"RE", SV_TOKEN_MORE},
                 {"READ", SV_TOKEN_READY},
                 {"RESULT", SV_TOKEN_RESULT},
                 {"hello", SV_TOKEN_BROKEN}};
    for (size_t i = 0; i < 5; i++) {
        struct sv_listener_parser parser = {0};
        sv_listener_parser_feed(&parser, cases[i].text, strlen(cases[i].text));
        assert_int_equal(sv_listener_parser_foresee(&parser), cases[i].token);
        sv_listener_parser_done(&parser);
    }
    struct sv_listener_parser parser = {0};
    sv_listener_parser_feed(&parser, "RESULT 5\nR", 10);
    assert_int_equal(sv_listener_parser_next(&parser, SV_LISTENER_BUSY), SV_TOKEN_MORE);
    assert_int_equal(sv_listener_parser_foresee(&parser), SV_TOKEN_RESULT);
    sv_listener_parser_done(&parser);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_conversation_in_single_bytes_gives_its_tokens),
        cmocka_unit_test(result_and_ready_in_one_piece_are_two_tokens),
        cmocka_unit_test(a_second_result_forgets_the_first),
        cmocka_unit_test(an_empty_result_is_whole_at_once),
        cmocka_unit_test(a_result_may_hold_any_byte),
        cmocka_unit_test(anything_but_ready_breaks_an_acknowledged_listener),
        cmocka_unit_test(any_byte_breaks_a_ready_listener),
        cmocka_unit_test(what_an_unknown_listener_says_is_thrown_away),
        cmocka_unit_test(bad_result_lines_break_a_busy_listener),
        cmocka_unit_test(a_line_or_an_input_without_end_is_broken),
        cmocka_unit_test(the_envelope_counts_characters),
        cmocka_unit_test(an_empty_payload_has_length_0),
        cmocka_unit_test(state_payloads_are_supervisors),
        cmocka_unit_test(output_payloads_are_supervisors_also_for_bytes_that_are_no_text),
        cmocka_unit_test(the_other_payloads_are_supervisors),
        cmocka_unit_test(what_comes_next_can_be_foreseen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
