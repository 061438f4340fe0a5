#include "io/scratch_test.h"

#include "base/attr.h"
#include "io/logfile.h"

/* Looks behind the cursor, which moves on; the bytes and whether there was a gap are as wanted. */
static void expect(struct scratch *scratch, struct sv_str *cursor, int64_t limit,
                   const char *wanted, bool is_gap)
{
    struct sv_log_piece piece SV_CLEANUP(sv_log_piece_done) = {0};
    const char *path = scratch_path(scratch, "x.log");
    assert_int_equal(sv_logfile_follow(path, sv_str_text(cursor), limit, &piece), 0);
    assert_string_equal(sv_str_text(&piece.bytes), wanted);
    assert_int_equal(piece.is_gap, is_gap);
    sv_str_clear(cursor);
    sv_str_add(cursor, sv_str_text(&piece.cursor));
}

static void turn_over(struct scratch *scratch, unsigned age)
{
    char from[16], to[16];
    snprintf(from, sizeof(from), age ? "x.log.%u" : "x.log", age);
    snprintf(to, sizeof(to), "x.log.%u", age + 1);
    assert_int_equal(rename(scratch_path(scratch, from), scratch_path(scratch, to)), 0);
}

static void what_is_written_is_given_once(void **state)
{
    struct sv_str cursor SV_CLEANUP(sv_str_done) = {0};
    scratch_write(*state, "x.log", "one\n");
    expect(*state, &cursor, 100, "one\n", false);
    expect(*state, &cursor, 100, "", false);
    scratch_write(*state, "x.log", "two\nthr");
    expect(*state, &cursor, 100, "two\nthr", false);
    scratch_write(*state, "x.log", "ee\n");
    expect(*state, &cursor, 2, "ee", false);
    expect(*state, &cursor, 2, "\n", false);
}

static void the_end_begins_with_a_whole_line(void **state)
{
    struct sv_str cursor SV_CLEANUP(sv_str_done) = {0};
    scratch_write(*state, "x.log", "first line\nsecond\nthird\n");
    expect(*state, &cursor, 12, "third\n", false);
    sv_str_clear(&cursor);
    expect(*state, &cursor, 3, "rd\n", false); /* there is no whole one */
}

static void rotations_lose_nothing_that_is_kept(void **state)
{
    struct sv_str cursor SV_CLEANUP(sv_str_done) = {0};
    scratch_write(*state, "x.log", "a\n");
    expect(*state, &cursor, 100, "a\n", false);
    scratch_write(*state, "x.log", "rest of a\n");
    turn_over(*state, 0);
    expect(*state, &cursor, 100, "rest of a\n", false); /* x.log is missing for a moment */
    scratch_write(*state, "x.log", "b\n");
    turn_over(*state, 1);
    turn_over(*state, 0);
    scratch_write(*state, "x.log", "c\n");
    struct sv_str again SV_CLEANUP(sv_str_done) = {0};
    sv_str_add(&again, sv_str_text(&cursor));
    expect(*state, &cursor, 100, "b\nc\n", false);
    expect(*state, &cursor, 100, "", false);
    for (size_t i = 0; i < 4; i++)
        expect(*state, &again, 1, (const char *const[]){"b", "\n", "c", "\n"}[i], false);
}

static void an_emptied_log_begins_anew_and_says_so(void **state)
{
    struct sv_str cursor SV_CLEANUP(sv_str_done) = {0};
    scratch_write(*state, "x.log", "old old old\n");
    expect(*state, &cursor, 100, "old old old\n", false);
    const char *path = scratch_path(*state, "x.log");
    assert_int_equal(truncate(path, 0), 0);
    expect(*state, &cursor, 100, "", true);
    scratch_write(*state, "x.log", "new\n");
    expect(*state, &cursor, 100, "new\n", false);
    /* It has grown past the place since: only the bytes before it tell. */
    path = scratch_path(*state, "x.log");
    assert_int_equal(truncate(path, 0), 0);
    scratch_write(*state, "x.log", "longer than it was\n");
    expect(*state, &cursor, 100, "longer than it was\n", true);
    /* Removed and made again, as clearProcessLogs does; the inode may be the same. */
    assert_int_equal(unlink(scratch_path(*state, "x.log")), 0);
    scratch_write(*state, "x.log", "and another one, of some length\n");
    expect(*state, &cursor, 100, "and another one, of some length\n", true);
}

static void what_is_behind_is_counted_over_files(void **state)
{
    struct sv_log_piece first SV_CLEANUP(sv_log_piece_done) = {0};
    struct sv_log_piece second SV_CLEANUP(sv_log_piece_done) = {0};
    scratch_write(*state, "x.log", "");
    const char *path = scratch_path(*state, "x.log");
    assert_int_equal(sv_logfile_follow(path, "", 100, &first), 0);
    scratch_write(*state, "x.log", "12345");
    turn_over(*state, 0);
    scratch_write(*state, "x.log", "678");
    path = scratch_path(*state, "x.log");
    assert_int_equal(sv_logfile_follow(path, sv_str_text(&first.cursor), 2, &second), 0);
    assert_string_equal(sv_str_text(&second.bytes), "12");
    assert_int_equal(second.behind_bytes, 6);
}

static void what_is_no_cursor_is_refused(void **state)
{
    static const char *const wrong[] = {
        "x",     "1", "1-2", "1-2-3-4", "1-2-g", "1-ffffffffffffffff-3", "11111111111111111-2-3",
        "1-2-3 "};
    scratch_write(*state, "x.log", "text\n");
    for (size_t i = 0; i < SV_ARRAY_LENGTH(wrong); i++) {
        struct sv_log_piece piece SV_CLEANUP(sv_log_piece_done) = {0};
        assert_int_equal(sv_logfile_follow(scratch_path(*state, "x.log"), wrong[i], 100, &piece),
                         SV_LOGREAD_BAD_ARGUMENTS);
    }
    struct sv_log_piece piece SV_CLEANUP(sv_log_piece_done) = {0};
    const char *path = scratch_path(*state, "x.log");
    assert_int_equal(sv_logfile_follow(path, "", 0, &piece), SV_LOGREAD_BAD_ARGUMENTS);
    assert_int_equal(sv_logfile_follow(path, "", 1 << 20, &piece), SV_LOGREAD_BAD_ARGUMENTS);
    path = scratch_path(*state, "missing");
    assert_int_equal(sv_logfile_follow(path, "", 100, &piece), SV_LOGREAD_NO_FILE);
    assert_int_equal(sv_logfile_follow(path, "1-2-3", 100, &piece), SV_LOGREAD_NO_FILE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_given_once),        TEST(the_end_begins_with_a_whole_line),
        TEST(rotations_lose_nothing_that_is_kept),  TEST(an_emptied_log_begins_anew_and_says_so),
        TEST(what_is_behind_is_counted_over_files), TEST(what_is_no_cursor_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
