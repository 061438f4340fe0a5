#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/blob.h"
#include "base/diag.h"
#include "base/error.h"
#include "base/log.h"
#include "base/names.h"
#include "base/str.h"
#include "base/wait_status.h"

static void a_string_grows_and_is_always_terminated(void **state)
{
    (void)state;
    struct sv_str text = {0};
    assert_string_equal(sv_str_text(&text), "");
    for (int i = 0; i < 1000; i++)
        sv_str_addf(&text, "%d,", i);
    assert_true(sv_str_ok(&text));
    assert_int_equal(strlen(sv_str_text(&text)), text.length);
    sv_str_drop_front(&text, 2);
    assert_memory_equal(sv_str_text(&text), "1,2,", 4);
    sv_str_truncate(&text, 3);
    assert_string_equal(sv_str_text(&text), "1,2");
    char *taken = sv_str_take(&text);
    assert_string_equal(taken, "1,2");
    assert_int_equal(text.length, 0);
    free(taken);
}

static void a_string_past_its_bound_fails_once_and_for_good(void **state)
{
    (void)state;
    struct sv_str text = {0};
    sv_str_add(&text, "kept");
    assert_null(sv_str_reserve(&text, SV_STR_BYTES_MAX));
    assert_false(sv_str_ok(&text));
    sv_str_add(&text, "lost");
    assert_string_equal(sv_str_text(&text), "kept");
    assert_null(sv_str_take(&text));
    sv_str_done(&text);
}

static void arena_memory_is_zeroed_aligned_and_large_when_asked(void **state)
{
    (void)state;
    struct sv_arena arena = {0};
    for (size_t size = 1; size < 100000; size = size * 3 + 1) {
        unsigned char *memory = sv_arena_alloc(&arena, 1, size);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(memory[i], 0);
        memset(memory, 0xff, size);
    }
    assert_null(sv_arena_alloc(&arena, SIZE_MAX / 2, 3));
    assert_string_equal(sv_arena_printf(&arena, "%s-%d", "a", 7), "a-7");
    sv_arena_done(&arena);
}

static void a_blob_lives_until_its_last_reference(void **state)
{
    (void)state;
    struct sv_blob *blob = sv_blob_new("a\0b", 3);
    assert_non_null(blob);
    sv_blob_ref(blob);
    sv_blob_unref(blob);
    assert_int_equal(blob->length, 3);
    assert_memory_equal(blob->data, "a\0b", 4);
    sv_blob_unref(blob);
    sv_blob_unref(NULL);
}

static void diagnostics_keep_order_and_count_beyond_their_bound(void **state)
{
    (void)state;
    struct sv_diag diag = {0};
    struct sv_place place = {.file = "x.conf", .line = 3, .key = "startsecs"};
    sv_diag_add(&diag, SV_SEVERITY_WARNING, &place, "first %d", 1);
    for (int i = 0; i < SV_DIAG_MAX + 5; i++)
        sv_diag_add(&diag, SV_SEVERITY_ERROR, NULL, "more");
    assert_string_equal(diag.first->text, "first 1");
    assert_string_equal(diag.first->place.file, "x.conf");
    assert_int_equal(diag.count, SV_DIAG_MAX);
    assert_int_equal(diag.error_count, SV_DIAG_MAX + 5);
    assert_int_equal(diag.dropped_count, 6);
    sv_diag_done(&diag);
}

static void states_and_event_types_have_supervisors_names(void **state)
{
    (void)state;
    assert_string_equal(sv_process_state_name(SV_PROCESS_BACKOFF), "BACKOFF");
    assert_int_equal(SV_PROCESS_UNKNOWN, 1000);
    enum sv_notice_type type;
    assert_true(sv_notice_parse("TICK_60", &type));
    assert_int_equal(type, SV_NOTICE_TICK_60);
    assert_false(sv_notice_parse("tick_60", &type));
    sv_notice_set own =
        sv_notice_set_of(SV_NOTICE_PROCESS_DEATH) | sv_notice_set_of(SV_NOTICE_PROCESS_RESOURCE);
    for (unsigned i = 0; i < SV_NOTICE_COUNT; i++)
        assert_true((sv_notice_set_of(SV_NOTICE_EVENT) >> i & 1) == !(own >> i & 1));
    assert_true(sv_notice_set_of(SV_NOTICE_PROCESS_DEATH) == (sv_notice_set)1
                                                                 << SV_NOTICE_PROCESS_DEATH);
    assert_true(
        sv_notice_set_of(SV_NOTICE_PROCESS_RESOURCE) >> SV_NOTICE_PROCESS_RESOURCE_FORK_RATE & 1);
    assert_true(sv_notice_set_of(SV_NOTICE_TICK) >> SV_NOTICE_TICK_5 & 1);
    assert_false(sv_notice_set_of(SV_NOTICE_TICK) >> SV_NOTICE_PROCESS_LOG & 1);
    for (unsigned i = 0; i < SV_REASON_COUNT; i++)
        assert_true(strlen(sv_reason_text((enum sv_reason)i)) > 5);
}

static void wait_statuses_read_as_supervisor_writes_them(void **state)
{
    (void)state;
    static const struct {
        int status;
        int exitstatus;
        const char *text;
    } rows[] = {
        {0x0000, 0, "exit status 0"},
        {0x0700, 7, "exit status 7"},
        {SIGTERM, -1, "terminated by SIGTERM"},
        {SIGSEGV | 0x80, -1, "terminated by SIGSEGV (core dumped)"},
        {0x137f, -1, "unknown termination cause 0x137f"},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(rows); i++) {
        struct sv_str text = {0};
        sv_wait_describe(rows[i].status, &text);
        assert_string_equal(sv_str_text(&text), rows[i].text);
        assert_int_equal(sv_wait_exitstatus(rows[i].status), rows[i].exitstatus);
        sv_str_done(&text);
    }
}

static void remember_line(void *user, enum sv_log_level level, const char *text, size_t length)
{
    assert_int_equal(level, SV_LOG_WARN);
    sv_str_append(user, text, length);
}

static void the_log_filters_by_level(void **state)
{
    (void)state;
    struct sv_str seen = {0};
    sv_log_set_sink(remember_line, &seen);
    sv_log_set_level(SV_LOG_WARN);
    sv_log_info("not this %d", 1);
    sv_log_warn("this %d", 2);
    sv_log_set_sink(NULL, NULL);
    sv_log_warn("nor this");
    assert_string_equal(sv_str_text(&seen), "this 2");
    enum sv_log_level level;
    assert_true(sv_log_level_parse("Blather", &level));
    assert_int_equal(level, SV_LOG_BLATHER);
    assert_false(sv_log_level_parse("loud", &level));
    assert_string_equal(sv_errno_name(-2), "ENOENT");
    sv_str_done(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_string_grows_and_is_always_terminated),
        cmocka_unit_test(a_string_past_its_bound_fails_once_and_for_good),
        cmocka_unit_test(arena_memory_is_zeroed_aligned_and_large_when_asked),
        cmocka_unit_test(a_blob_lives_until_its_last_reference),
        cmocka_unit_test(diagnostics_keep_order_and_count_beyond_their_bound),
        cmocka_unit_test(states_and_event_types_have_supervisors_names),
        cmocka_unit_test(wait_statuses_read_as_supervisor_writes_them),
        cmocka_unit_test(the_log_filters_by_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
