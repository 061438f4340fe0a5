#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "wire/event_history.h"

#define EPOCH UINT64_C(0x00ab)
static const sv_publication_set process = UINT32_C(1) << SV_PUBLICATION_PROCESS;
static const sv_publication_set event = UINT32_C(1) << SV_PUBLICATION_EVENT;

static void say(struct sv_event_history *history, enum sv_publication header, const char *body)
{
    enum sv_publication dropped;
    while (sv_event_history_is_full(history, strlen(body)))
        sv_event_history_drop(history, &dropped);
    assert_int_equal(sv_event_history_add(history, header, body, strlen(body)), 0);
}

static struct sv_event_history *recording(sv_publication_set headers)
{
    struct sv_event_history *history = sv_event_history_new(EPOCH);
    assert_non_null(history);
    assert_int_equal(sv_event_history_record(history, headers), 0);
    return history;
}

static enum sv_resumption find(const struct sv_event_history *history, const char *id,
                               sv_publication_set headers)
{
    uint64_t number;
    return sv_event_history_find(history, id, headers, &number);
}

static void an_event_is_told_with_its_id_and_its_header(void **state)
{
    (void)state;
    struct sv_event_history *history = recording(process);
    say(history, SV_PUBLICATION_PROCESS, "{\"pid\": 7}");
    assert_string_equal(sv_event_history_get(history, 2)->text->data,
                        "id: 00000000000000ab-2\nevent: process\ndata: {\"pid\": 7}\n\n");
    assert_null(sv_event_history_get(history, 3));
    assert_null(sv_event_history_get(history, 0));
    sv_event_history_free(history);
}

static void who_has_had_one_goes_on_with_the_next(void **state)
{
    (void)state;
    struct sv_event_history *history = recording(process | event);
    say(history, SV_PUBLICATION_PROCESS, "1");
    say(history, SV_PUBLICATION_EVENT, "2");
    for (uint64_t number = 1; number < sv_event_history_next(history); number++) {
        struct sv_str id SV_CLEANUP(sv_str_done) = {0};
        uint64_t found = 0;
        sv_event_history_add_id(history, number, &id);
        assert_int_equal(sv_event_history_find(history, sv_str_text(&id), event, &found),
                         SV_RESUMPTION_WHOLE);
        assert_int_equal(found, number + 1);
    }
    sv_event_history_free(history);
}

static void ids_of_others_and_nonsense_are_strangers(void **state)
{
    (void)state;
    static const char *const ids[] = {
        "",
        "1",
        "-1",
        "00000000000000ab",
        "00000000000000ab-",
        "00000000000000ac-1",
        "00000000000000AB-1",
        "00000000000000ab-3",
        "00000000000000ab-1 ",
        "00000000000000ab--1",
        "00000000000000ab-0x1",
        "00000000000000ab-18446744073709551615",
        "00000000000000ab-99999999999999999999999999",
        "00000000000000ab-\xff",
    };
    struct sv_event_history *history = recording(process);
    say(history, SV_PUBLICATION_PROCESS, "1");
    for (size_t i = 0; i < SV_ARRAY_LENGTH(ids); i++)
        assert_int_equal(find(history, ids[i], process), SV_RESUMPTION_STRANGER);
    sv_event_history_free(history);
}

static void what_was_dropped_counts_for_its_own_header_only(void **state)
{
    (void)state;
    struct sv_event_history *history = recording(process | event);
    say(history, SV_PUBLICATION_PROCESS, "2");
    for (int i = 0; i < SV_EVENTS_WAITING_MAX + 1; i++)
        say(history, SV_PUBLICATION_EVENT, "3 and more");
    assert_null(sv_event_history_get(history, 3));
    assert_non_null(sv_event_history_get(history, 4));
    assert_int_equal(find(history, "00000000000000ab-2", event), SV_RESUMPTION_GONE);
    assert_int_equal(find(history, "00000000000000ab-3", event), SV_RESUMPTION_WHOLE);
    assert_int_equal(find(history, "00000000000000ab-1", process), SV_RESUMPTION_GONE);
    uint64_t number;
    assert_int_equal(sv_event_history_find(history, "00000000000000ab-2", process, &number),
                     SV_RESUMPTION_WHOLE);
    assert_non_null(sv_event_history_get(history, number));
    sv_event_history_free(history);
}

static void what_was_not_recorded_yet_is_not_passed_over(void **state)
{
    (void)state;
    struct sv_event_history *history = recording(process);
    say(history, SV_PUBLICATION_PROCESS, "2");
    assert_int_equal(find(history, "00000000000000ab-2", event), SV_RESUMPTION_GONE);
    assert_int_equal(sv_event_history_record(history, process | event), 0); /* the mark is 3 */
    assert_int_equal(find(history, "00000000000000ab-2", event), SV_RESUMPTION_GONE);
    assert_int_equal(find(history, "00000000000000ab-3", event), SV_RESUMPTION_WHOLE);
    assert_int_equal(find(history, "00000000000000ab-1", process), SV_RESUMPTION_WHOLE);
    assert_int_equal(sv_event_history_record(history, process), 0);
    assert_int_equal(sv_event_history_next(history), 4);
    sv_event_history_free(history);
}

static void bytes_are_bounded_too(void **state)
{
    (void)state;
    const size_t length = SV_EVENTS_WAITING_BYTES_MAX / 2 - 200;
    char *body = malloc(length + 1);
    assert_non_null(body);
    memset(body, 'x', length);
    body[length] = '\0';
    struct sv_event_history *history = recording(process);
    for (int i = 0; i < 3; i++)
        say(history, SV_PUBLICATION_PROCESS, body);
    assert_null(sv_event_history_get(history, 2));
    assert_non_null(sv_event_history_get(history, 3));
    assert_true(sv_event_history_is_full(history, SIZE_MAX / 2));
    free(body);
    sv_event_history_free(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_told_with_its_id_and_its_header),
        cmocka_unit_test(who_has_had_one_goes_on_with_the_next),
        cmocka_unit_test(ids_of_others_and_nonsense_are_strangers),
        cmocka_unit_test(what_was_dropped_counts_for_its_own_header_only),
        cmocka_unit_test(what_was_not_recorded_yet_is_not_passed_over),
        cmocka_unit_test(bytes_are_bounded_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
