#include "config/shlex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

typedef int (*split_function)(const char *text, struct sv_arena *arena, struct sv_words *ret_words);

/* The words with a | between them, or the words of the error. */
static void expect(split_function split, const char *text, const char *expected)
{
    struct sv_arena arena = {0};
    struct sv_words words = {0};
    struct sv_str joined = {0};
    int r = split(text, &arena, &words);
    for (size_t i = 0; i < words.count; i++)
        sv_str_addf(&joined, "%s%s", i == 0 ? "" : "|", words.items[i]);
    assert_string_equal(r == 0 ? sv_str_text(&joined) : sv_shlex_error_text(r), expected);
    sv_str_done(&joined);
    sv_arena_done(&arena);
}

static void a_command_is_split_like_a_shell_would(void **state)
{
    (void)state;
    expect(sv_shlex_split, "a 'b c'  \"d\\\"e\\f\" g\\ h", "a|b c|d\"e\\f|g h");
    expect(sv_shlex_split, "a '' b", "a||b");
    expect(sv_shlex_split, "a#b # c", "a#b|#|c");
    expect(sv_shlex_split, "  ", "");
    expect(sv_shlex_split, "a 'b", "No closing quotation");
    expect(sv_shlex_split, "a \\", "No escaped character");
}

static void an_environment_is_cut_into_tokens(void **state)
{
    (void)state;
    expect(sv_shlex_tokens, "A=\"b, c\",D=/e:f", "A|=|\"b, c\"|,|D|=|/e:f");
    expect(sv_shlex_tokens, "A=b#note\nC", "A|=|bC");
    expect(sv_shlex_tokens, "A=\xc3\xa9\xc3\xa9", "A|=|\xc3\xa9|\xc3\xa9");
    expect(sv_shlex_tokens, "A=\"b", "No closing quotation");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_split_like_a_shell_would),
        cmocka_unit_test(an_environment_is_cut_into_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
