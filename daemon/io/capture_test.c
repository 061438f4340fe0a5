#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "io/capture.h"

#define BEGIN SV_CAPTURE_BEGIN
#define END   SV_CAPTURE_END

/* Text outside as it comes; captured text in [brackets], closed by the end token. */
struct heard {
    struct sv_str text;
    bool is_captured;
};

static void on_piece(void *user, const char *data, size_t length, bool is_captured)
{
    struct heard *heard = user;
    assert_true(length > 0);
    if (is_captured && !heard->is_captured)
        sv_str_add_char(&heard->text, '[');
    heard->is_captured = is_captured;
    sv_str_append(&heard->text, data, length);
}

static void on_ended(void *user)
{
    struct heard *heard = user;
    sv_str_add(&heard->text, heard->is_captured ? "]" : "[]");
    heard->is_captured = false;
}

static void assert_heard(const char *in, size_t piece, const char *expected)
{
    struct heard heard = {0};
    struct sv_capture_callbacks callbacks = {&heard, on_piece, on_ended};
    struct sv_capture *capture = sv_capture_new(&callbacks);
    assert_non_null(capture);
    size_t length = strlen(in);
    for (size_t at = 0; at < length; at += piece)
        sv_capture_feed(capture, in + at, length - at < piece ? length - at : piece);
    sv_capture_finish(capture);
    sv_capture_free(capture);
    assert_string_equal(sv_str_text(&heard.text), expected);
    sv_str_done(&heard.text);
}

static const struct {
    const char *in, *expected;
} cases[] = {
    {"hello\n", "hello\n"},
    {"a" BEGIN "data" END "b", "a[data]b"},
    {BEGIN "one" END BEGIN "two" END, "[one][two]"},
    {BEGIN END "x", "[]x"},
    {BEGIN "not " BEGIN " again" END, "[not " BEGIN " again]"},
    {END "text", END "text"}, /* an end without a beginning is text */
    {BEGIN "never ended", "[never ended"},
    {"<!--XSUPERVISOR:BEG<" BEGIN "x" END, "<!--XSUPERVISOR:BEG<[x]"},
    {"<!-<!--XSUPERVISOR:BEGIN-->x" END, "<!-[x]"},
    {"<<<" BEGIN "<<<" END "<<<", "<<<[<<<]<<<"},
    {"ends like <!--XSUPER", "ends like <!--XSUPER"},
    {BEGIN "x<!--XSUPERVISOR:EN", "[x<!--XSUPERVISOR:EN"},
};

static void what_stands_between_the_tokens_is_captured(void **state)
{
    (void)state;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(cases); i++)
        assert_heard(cases[i].in, 1000, cases[i].expected);
}

static void tokens_are_found_wherever_the_pipe_cuts_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(cases); i++)
        for (size_t piece = 1; piece < 60; piece++)
            assert_heard(cases[i].in, piece, cases[i].expected);
}

static void the_buffer_keeps_the_last_bytes_as_boundio_does(void **state)
{
    (void)state;
    /* Recorded from loggers.py, BoundIO(10). */
    static const struct {
        const char *piece, *kept;
    } steps[] = {
        {"12345", "12345"},
        {"678", "12345678"},
        {"abcd", "5678abcd"},
        {"ef", "5678abcdef"},
        {"g", "678abcdefg"},
        {"a piece above the bound", "a piece above the bound"},
        {"x", " piece above the boundx"},
    };
    struct sv_str buffer SV_CLEANUP(sv_str_done) = {0};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(steps); i++) {
        sv_capture_bound_append(&buffer, 10, steps[i].piece, strlen(steps[i].piece));
        assert_string_equal(sv_str_text(&buffer), steps[i].kept);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_between_the_tokens_is_captured),
        cmocka_unit_test(tokens_are_found_wherever_the_pipe_cuts_them),
        cmocka_unit_test(the_buffer_keeps_the_last_bytes_as_boundio_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
