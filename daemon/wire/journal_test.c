#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/journal.h"

static const struct sv_journal_entry example = {
    .kind = SV_JOURNAL_PROCESS,
    .group = "web",
    .process = "web_00",
    .logs = {"/var/log/a.log", ""},
    .leaf = "/sys/fs/cgroup/svisor/x/web/web_00.3",
    .start_ticks = 4711,
    .keeper_key = UINT64_MAX - 1,
    .cursor = 9,
    .limits = "nice 5\nmemory_max 100MB\n",
    .group_limits = "tasks_max 10\n",
    .status = "serving",
    .deeds = {.stop_signal = 15,
              .reason = SV_REASON_REQUEST_STOP,
              .time_ns = 22,
              .is_escalated = true,
              .are_strays_killed = true},
    .record = {.state = SV_PROCESS_STOPPING,
               .reason = SV_REASON_REQUEST_STOP,
               .stop_reason = SV_REASON_REQUEST_STOP,
               .end_reason = SV_REASON_WATCHDOG_EXPIRED,
               .main = SV_RECORD_ALIVE,
               .strays = SV_RECORD_STRAYS_SIGNALLED,
               .listener_state = SV_LISTENER_BUSY,
               .held = 4,
               .was_killed = true,
               .run = 3,
               .failure_count = 2,
               .quick_end_count = 1,
               .pid = 12345,
               .wait_status = -1,
               .pending_signals = 1,
               .deadline_ns = UINT64_MAX,
               .strays_deadline_ns = 17,
               .started_ns = 18,
               .started_wall_ns = -19,
               .stopped_wall_ns = 20,
               .next_start_wall_ns = 21,
               .spawnerr = "Bad exit code 3"},
};

static void assert_same(const struct sv_journal_entry *a, const struct sv_journal_entry *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_string_equal(a->group, b->group);
    assert_string_equal(a->process, b->process);
    assert_string_equal(a->logs[0], b->logs[0]);
    assert_string_equal(a->logs[1], b->logs[1]);
    assert_string_equal(a->leaf, b->leaf);
    assert_string_equal(a->record.spawnerr, b->record.spawnerr);
    assert_int_equal(a->start_ticks, b->start_ticks);
    assert_int_equal(a->keeper_key, b->keeper_key);
    assert_int_equal(a->cursor, b->cursor);
    assert_int_equal(a->record.held, b->record.held);
    assert_string_equal(a->limits, b->limits);
    assert_string_equal(a->group_limits, b->group_limits);
    assert_string_equal(a->status, b->status);
    assert_int_equal(a->deeds.stop_signal, b->deeds.stop_signal);
    assert_int_equal(a->deeds.reason, b->deeds.reason);
    assert_int_equal(a->deeds.time_ns, b->deeds.time_ns);
    assert_int_equal(a->deeds.is_escalated, b->deeds.is_escalated);
    assert_int_equal(a->deeds.are_strays_signalled, b->deeds.are_strays_signalled);
    assert_int_equal(a->deeds.are_strays_killed, b->deeds.are_strays_killed);
    struct sv_process_record left = a->record, right = b->record;
    left.spawnerr = right.spawnerr = NULL;
    assert_memory_equal(&left, &right, offsetof(struct sv_process_record, spawnerr));
}

static void a_record_comes_back_as_it_went(void **state)
{
    (void)state;
    struct sv_str bytes = {0}, texts = {0};
    struct sv_journal_entry header = {.kind = SV_JOURNAL_HEADER, .boot_id = "b", .tree = "/t"};
    sv_journal_encode(&header, &bytes);
    sv_journal_encode(&example, &bytes);
    size_t offset = 0;
    struct sv_journal_entry entry = {0};
    assert_int_equal(sv_journal_decode(bytes.data, bytes.length, &offset, &texts, &entry), 0);
    assert_int_equal(entry.kind, SV_JOURNAL_HEADER);
    assert_string_equal(entry.boot_id, "b");
    assert_string_equal(entry.tree, "/t");
    assert_int_equal(sv_journal_decode(bytes.data, bytes.length, &offset, &texts, &entry), 0);
    assert_same(&entry, &example);
    assert_int_equal(sv_journal_decode(bytes.data, bytes.length, &offset, &texts, &entry),
                     SV_JOURNAL_END);
    sv_str_done(&bytes);
    sv_str_done(&texts);
}

static void a_torn_record_is_the_end_wherever_it_is_cut(void **state)
{
    (void)state;
    struct sv_str bytes = {0}, texts = {0};
    sv_journal_encode(&example, &bytes);
    size_t first = bytes.length;
    sv_journal_encode(&example, &bytes);
    for (size_t length = first; length < bytes.length; length++) {
        size_t offset = 0;
        struct sv_journal_entry entry = {0};
        assert_int_equal(sv_journal_decode(bytes.data, length, &offset, &texts, &entry), 0);
        assert_int_equal(offset, first);
        assert_int_equal(sv_journal_decode(bytes.data, length, &offset, &texts, &entry),
                         SV_JOURNAL_END);
        assert_int_equal(offset, first);
    }
    sv_str_done(&bytes);
    sv_str_done(&texts);
}

static void a_flipped_bit_is_noticed(void **state)
{
    (void)state;
    struct sv_str bytes = {0}, texts = {0};
    sv_journal_encode(&example, &bytes);
    for (size_t i = 0; i < bytes.length; i++) {
        bytes.data[i] ^= 0x10;
        size_t offset = 0;
        struct sv_journal_entry entry = {0};
        assert_int_equal(sv_journal_decode(bytes.data, bytes.length, &offset, &texts, &entry),
                         SV_JOURNAL_END);
        bytes.data[i] ^= 0x10;
    }
    sv_str_done(&bytes);
    sv_str_done(&texts);
}

static void add_raw(struct sv_str *bytes, const char *body, size_t length)
{
    uint32_t checksum = 0x811c9dc5u;
    for (size_t i = 0; i < length; i++)
        checksum = (checksum ^ (unsigned char)body[i]) * 0x01000193u;
    for (int i = 0; i < 4; i++)
        sv_str_add_char(bytes, (char)(length >> 8 * i & 0xff));
    for (int i = 0; i < 4; i++)
        sv_str_add_char(bytes, (char)(checksum >> 8 * i & 0xff));
    sv_str_append(bytes, body, length);
}

static void what_a_later_version_adds_is_passed_over(void **state)
{
    (void)state;
    struct sv_str bytes = {0}, texts = {0};
    struct sv_journal_entry forget = {.kind = SV_JOURNAL_FORGET, .group = "a", .process = "b"};
    add_raw(&bytes, "\x2a of a kind to come", 20);
    sv_journal_encode(&forget, &bytes);
    size_t offset = 0;
    struct sv_journal_entry entry;
    assert_int_equal(sv_journal_decode(bytes.data, bytes.length, &offset, &texts, &entry),
                     SV_JOURNAL_UNKNOWN);
    assert_int_equal(sv_journal_decode(bytes.data, bytes.length, &offset, &texts, &entry), 0);
    assert_string_equal(entry.process, "b");
    sv_str_done(&bytes);
    sv_str_done(&texts);
}

static void a_reason_of_a_later_version_is_taken_for_none(void **state)
{
    (void)state;
    struct sv_str bytes = {0}, texts = {0};
    struct sv_journal_entry entry = {.kind = SV_JOURNAL_PROCESS,
                                     .group = "a",
                                     .process = "b",
                                     .logs = {"", ""},
                                     .leaf = "",
                                     .record = {.state = SV_PROCESS_RUNNING,
                                                .reason = (enum sv_reason)(SV_REASON_COUNT + 3),
                                                .spawnerr = ""}};
    sv_journal_encode(&entry, &bytes);
    size_t offset = 0;
    assert_int_equal(sv_journal_decode(bytes.data, bytes.length, &offset, &texts, &entry), 0);
    assert_int_equal(entry.record.reason, SV_REASON_NONE);
    assert_int_equal(entry.record.state, SV_PROCESS_RUNNING);
    sv_str_done(&bytes);
    sv_str_done(&texts);
}

static void every_version_can_read_the_version_and_the_boot_of_a_header(void **state)
{
    (void)state;
    struct sv_str bytes = {0}, boot = {0};
    uint32_t version;
    add_raw(&bytes,
            "\x01\x07\x00\x00\x00\x04\x00"
            "boot and what else there is",
            34);
    assert_true(sv_journal_version(bytes.data, bytes.length, &version, &boot));
    assert_int_equal(version, 7);
    assert_string_equal(sv_str_text(&boot), "boot");
    assert_int_equal(boot.length, 4);
    assert_false(sv_journal_version(bytes.data, bytes.length - 1, &version, &boot));
    assert_false(sv_journal_version("", 0, &version, &boot));
    sv_str_done(&bytes);
    sv_str_done(&boot);
}

static void an_event_and_its_end_come_back_as_they_were(void **state)
{
    (void)state;
    static const char payload[] = "a\0b\nc"; /* any byte */
    struct sv_journal_entry event = {.kind = SV_JOURNAL_EVENT,
                                     .group = "pool",
                                     .type = "REMOTE_COMMUNICATION",
                                     .serial = UINT64_MAX - 1,
                                     .pool_serial = 7,
                                     .payload = payload,
                                     .part_bytes = 6,
                                     .part_start = 10,
                                     .whole_bytes = 16};
    struct sv_str bytes = {0}, texts = {0};
    sv_journal_encode(&event, &bytes);
    for (int kind = SV_JOURNAL_SETTLED; kind <= SV_JOURNAL_POOL; kind++)
        sv_journal_encode(
            &(struct sv_journal_entry){
                .kind = (enum sv_journal_kind)kind, .group = "pool", .serial = 3, .pool_serial = 2},
            &bytes);
    size_t offset = 0;
    struct sv_journal_entry found;
    assert_int_equal(sv_journal_decode(bytes.data, bytes.length, &offset, &texts, &found), 0);
    assert_int_equal(found.kind, SV_JOURNAL_EVENT);
    assert_string_equal(found.group, "pool");
    assert_string_equal(found.type, "REMOTE_COMMUNICATION");
    assert_int_equal(found.serial, UINT64_MAX - 1);
    assert_int_equal(found.pool_serial, 7);
    assert_int_equal(found.part_start, 10);
    assert_int_equal(found.whole_bytes, 16);
    assert_int_equal(found.part_bytes, 6);
    assert_memory_equal(found.payload, payload, 6);
    for (int kind = SV_JOURNAL_SETTLED; kind <= SV_JOURNAL_POOL; kind++) {
        assert_int_equal(sv_journal_decode(bytes.data, bytes.length, &offset, &texts, &found), 0);
        assert_int_equal(found.kind, kind);
        assert_int_equal(found.serial, 3);
        assert_int_equal(found.pool_serial, 2);
    }
    sv_str_done(&bytes);
    sv_str_done(&texts);
}

static void a_part_that_is_not_in_its_whole_is_no_event(void **state)
{
    (void)state;
    static const struct {
        uint32_t start, whole;
    } wrong[] = {{17, 16}, {14, 16}, {UINT32_MAX, 16}};
    for (size_t i = 0; i < 3; i++) {
        struct sv_str bytes = {0}, texts = {0};
        sv_journal_encode(&(struct sv_journal_entry){.kind = SV_JOURNAL_EVENT,
                                                     .group = "pool",
                                                     .type = "TICK_5",
                                                     .payload = "abc",
                                                     .part_bytes = 3,
                                                     .part_start = wrong[i].start,
                                                     .whole_bytes = wrong[i].whole},
                          &bytes);
        size_t offset = 0;
        struct sv_journal_entry found;
        assert_int_equal(sv_journal_decode(bytes.data, bytes.length, &offset, &texts, &found),
                         SV_JOURNAL_UNKNOWN);
        sv_str_done(&bytes);
        sv_str_done(&texts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_comes_back_as_it_went),
        cmocka_unit_test(a_torn_record_is_the_end_wherever_it_is_cut),
        cmocka_unit_test(a_flipped_bit_is_noticed),
        cmocka_unit_test(what_a_later_version_adds_is_passed_over),
        cmocka_unit_test(a_reason_of_a_later_version_is_taken_for_none),
        cmocka_unit_test(every_version_can_read_the_version_and_the_boot_of_a_header),
        cmocka_unit_test(an_event_and_its_end_come_back_as_they_were),
        cmocka_unit_test(a_part_that_is_not_in_its_whole_is_no_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
