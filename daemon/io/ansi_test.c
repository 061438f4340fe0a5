#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "io/ansi.h"

/* Answers of stripEscapes() of Supervisor 4.2.5, recorded from it. */
static const struct {
    const char *in, *out;
} recorded[] = {
    {"plain", "plain"},
    {"\x1b[31mred\x1b[0m", "red"},
    {"a\x1b[2J\x1b[1;1Hb", "ab"},
    {"\x1b[m", ""},
    {"\x1b[38;5;196mx", "x"},
    {"\x1b[31Gtail m end", " m end"}, /* G ends nothing: the next l does */
    {"\x1b]0;title\x07x", "\x1b]0;title\x07x"},
    {"\x1b\x1b[31mx", "\x1bx"},
    {"x\x1b[", "x"},
    {"\x1b[31", ""},
    {"[31m", "[31m"},
    {"", ""},
};

static void strip(const char *in, size_t length, size_t piece, char *out)
{
    struct sv_ansi ansi = {0};
    size_t n = 0;
    for (size_t at = 0; at < length; at += piece)
        n += sv_ansi_strip(&ansi, in + at, length - at < piece ? length - at : piece, out + n);
    n += sv_ansi_finish(&ansi, out + n);
    out[n] = '\0';
}

static void whole_pieces_come_out_as_from_supervisor(void **state)
{
    (void)state;
    char out[128];
    for (size_t i = 0; i < SV_ARRAY_LENGTH(recorded); i++) {
        strip(recorded[i].in, strlen(recorded[i].in), 128, out);
        assert_string_equal(out, recorded[i].out);
    }
}

static void it_does_not_matter_where_the_pipe_cuts(void **state)
{
    (void)state;
    char out[128];
    for (size_t i = 0; i < SV_ARRAY_LENGTH(recorded); i++) {
        for (size_t piece = 1; piece < 8; piece++) {
            strip(recorded[i].in, strlen(recorded[i].in), piece, out);
            assert_string_equal(out, recorded[i].out);
        }
    }
}

static void an_escape_at_the_very_end_is_kept(void **state)
{
    (void)state;
    char out[16];
    strip("x\x1b", 2, 1, out);
    assert_string_equal(out, "x\x1b");
}

static void a_nul_byte_ends_no_sequence(void **state)
{
    (void)state;
    char out[16];
    strip("\x1b[1\0mx", 6, 6, out);
    assert_string_equal(out, "x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_pieces_come_out_as_from_supervisor),
        cmocka_unit_test(it_does_not_matter_where_the_pipe_cuts),
        cmocka_unit_test(an_escape_at_the_very_end_is_kept),
        cmocka_unit_test(a_nul_byte_ends_no_sequence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
