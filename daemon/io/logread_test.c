#include "io/scratch_test.h"

#include "io/logfile.h"

static const char TEXT[] = "0123456789abcdefghij";

/*
 * What readFile() and tailFile() of Supervisor 4.2.5 answer for a file with TEXT in it: recorded
 * from the real functions. A row: offset, length, outcome and bytes of the one; bytes, offset,
 * overflow of the other.
 */
static const struct {
    int64_t offset, length;
    int read_outcome;
    const char *read_bytes;
    const char *tail_bytes;
    int64_t tail_offset;
    int tail_overflow;
} recorded[] = {
    {-25, -3, SV_LOGREAD_BAD_ARGUMENTS, "", "", 20, 1},
    {-25, 0, 0, "0123456789abcdefghij", "", 20, 1},
    {-25, 1, SV_LOGREAD_BAD_ARGUMENTS, "", "j", 20, 1},
    {-25, 5, SV_LOGREAD_BAD_ARGUMENTS, "", "fghij", 20, 1},
    {-25, 20, SV_LOGREAD_BAD_ARGUMENTS, "", "0123456789abcdefghij", 20, 1},
    {-25, 30, SV_LOGREAD_BAD_ARGUMENTS, "", "0123456789abcdefghij", 20, 1},
    {-20, -3, SV_LOGREAD_BAD_ARGUMENTS, "", "", 20, 1},
    {-20, 0, 0, "0123456789abcdefghij", "", 20, 1},
    {-20, 1, SV_LOGREAD_BAD_ARGUMENTS, "", "j", 20, 1},
    {-20, 5, SV_LOGREAD_BAD_ARGUMENTS, "", "fghij", 20, 1},
    {-20, 20, SV_LOGREAD_BAD_ARGUMENTS, "", "0123456789abcdefghij", 20, 1},
    {-20, 30, SV_LOGREAD_BAD_ARGUMENTS, "", "0123456789abcdefghij", 20, 1},
    {-5, -3, SV_LOGREAD_BAD_ARGUMENTS, "", "", 20, 1},
    {-5, 0, 0, "fghij", "", 20, 1},
    {-5, 1, SV_LOGREAD_BAD_ARGUMENTS, "", "j", 20, 1},
    {-5, 5, SV_LOGREAD_BAD_ARGUMENTS, "", "fghij", 20, 1},
    {-5, 20, SV_LOGREAD_BAD_ARGUMENTS, "", "0123456789abcdefghij", 20, 1},
    {-5, 30, SV_LOGREAD_BAD_ARGUMENTS, "", "0123456789abcdefghij", 20, 0},
    {-1, -3, SV_LOGREAD_BAD_ARGUMENTS, "", "", 20, 1},
    {-1, 0, 0, "j", "", 20, 1},
    {-1, 1, SV_LOGREAD_BAD_ARGUMENTS, "", "j", 20, 1},
    {-1, 5, SV_LOGREAD_BAD_ARGUMENTS, "", "fghij", 20, 1},
    {-1, 20, SV_LOGREAD_BAD_ARGUMENTS, "", "0123456789abcdefghij", 20, 1},
    {-1, 30, SV_LOGREAD_BAD_ARGUMENTS, "", "0123456789abcdefghij", 20, 0},
    {0, -3, SV_LOGREAD_BAD_ARGUMENTS, "", "", 20, 1},
    {0, 0, 0, "0123456789abcdefghij", "", 20, 1},
    {0, 1, 0, "0", "j", 20, 1},
    {0, 5, 0, "01234", "fghij", 20, 1},
    {0, 20, 0, "0123456789abcdefghij", "0123456789abcdefghij", 20, 0},
    {0, 30, 0, "0123456789abcdefghij", "0123456789abcdefghij", 20, 0},
    {1, -3, SV_LOGREAD_BAD_ARGUMENTS, "", "", 20, 1},
    {1, 0, 0, "123456789abcdefghij", "", 20, 1},
    {1, 1, 0, "1", "j", 20, 1},
    {1, 5, 0, "12345", "fghij", 20, 1},
    {1, 20, 0, "123456789abcdefghij", "0123456789abcdefghij", 20, 0},
    {1, 30, 0, "123456789abcdefghij", "0123456789abcdefghij", 20, 0},
    {5, -3, SV_LOGREAD_BAD_ARGUMENTS, "", "", 20, 1},
    {5, 0, 0, "56789abcdefghij", "", 20, 1},
    {5, 1, 0, "5", "j", 20, 1},
    {5, 5, 0, "56789", "fghij", 20, 1},
    {5, 20, 0, "56789abcdefghij", "0123456789abcdefghij", 20, 0},
    {5, 30, 0, "56789abcdefghij", "0123456789abcdefghij", 20, 0},
    {19, -3, SV_LOGREAD_BAD_ARGUMENTS, "", "", 20, 1},
    {19, 0, 0, "j", "", 20, 1},
    {19, 1, 0, "j", "j", 20, 0},
    {19, 5, 0, "j", "fghij", 20, 0},
    {19, 20, 0, "j", "0123456789abcdefghij", 20, 0},
    {19, 30, 0, "j", "0123456789abcdefghij", 20, 0},
    {20, -3, SV_LOGREAD_BAD_ARGUMENTS, "", "", 20, 1},
    {20, 0, 0, "", "", 20, 0},
    {20, 1, 0, "", "", 20, 0},
    {20, 5, 0, "", "", 20, 0},
    {20, 20, 0, "", "", 20, 0},
    {20, 30, 0, "", "", 20, 0},
    {25, -3, SV_LOGREAD_BAD_ARGUMENTS, "", "", 20, 0},
    {25, 0, 0, "", "", 20, 0},
    {25, 1, 0, "", "", 20, 0},
    {25, 5, 0, "", "", 20, 0},
    {25, 20, 0, "", "", 20, 0},
    {25, 30, 0, "", "", 20, 0},
};

static void reading_answers_as_supervisor_does(void **state)
{
    scratch_write(*state, "x.log", TEXT);
    const char *path = scratch_path(*state, "x.log");
    for (size_t i = 0; i < SV_ARRAY_LENGTH(recorded); i++) {
        struct sv_str text SV_CLEANUP(sv_str_done) = {0};
        int r = sv_logfile_read(path, recorded[i].offset, recorded[i].length, &text);
        assert_int_equal(r, recorded[i].read_outcome);
        assert_string_equal(sv_str_text(&text), recorded[i].read_bytes);
    }
}

static void tailing_answers_as_supervisor_does(void **state)
{
    scratch_write(*state, "x.log", TEXT);
    const char *path = scratch_path(*state, "x.log");
    for (size_t i = 0; i < SV_ARRAY_LENGTH(recorded); i++) {
        struct sv_str text SV_CLEANUP(sv_str_done) = {0};
        int64_t offset = -1;
        int overflow = -1;
        int r = sv_logfile_tail(path, recorded[i].offset, recorded[i].length, &text, &offset,
                                &overflow);
        assert_int_equal(r, 0);
        assert_string_equal(sv_str_text(&text), recorded[i].tail_bytes);
        assert_int_equal(offset, recorded[i].tail_offset);
        assert_int_equal(overflow, recorded[i].tail_overflow);
    }
}

static void the_ends_of_the_number_line_do_not_wrap(void **state)
{
    scratch_write(*state, "x.log", TEXT);
    const char *path = scratch_path(*state, "x.log");
    static const int64_t extremes[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(extremes); i++) {
        for (size_t j = 0; j < SV_ARRAY_LENGTH(extremes); j++) {
            struct sv_str text SV_CLEANUP(sv_str_done) = {0};
            int64_t offset;
            int overflow;
            assert_int_equal(
                sv_logfile_tail(path, extremes[i], extremes[j], &text, &offset, &overflow), 0);
            assert_int_equal(offset, 20);
            sv_str_clear(&text);
            (void)sv_logfile_read(path, extremes[i], extremes[j], &text);
            assert_true(text.length <= sizeof(TEXT) - 1);
        }
    }
}

static void what_is_no_file_is_told_apart(void **state)
{
    struct scratch *scratch = *state;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    int64_t offset;
    int overflow;
    const char *missing = scratch_path(scratch, "missing");
    assert_int_equal(sv_logfile_read(missing, 0, 0, &text), SV_LOGREAD_NO_FILE);
    assert_int_equal(sv_logfile_tail(missing, 7, 0, &text, &offset, &overflow), SV_LOGREAD_NO_FILE);
    assert_int_equal(offset, 7);
    assert_int_equal(overflow, 0);
    assert_int_equal(sv_logfile_read(scratch->directory, 0, 0, &text), SV_LOGREAD_FAILED);
    const char *fifo = scratch_path(scratch, "fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(sv_logfile_read(fifo, 0, 0, &text), SV_LOGREAD_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
        test(reading_answers_as_supervisor_does),
        test(tailing_answers_as_supervisor_does),
        test(the_ends_of_the_number_line_do_not_wrap),
        test(what_is_no_file_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
