/* Death certificates: bytes that come back as they went, torn files, and the words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/bpf_abi.h>

#include "base/attr.h"
#include "wire/death.h"

static void set_text(struct sv_death *death, enum sv_death_text text, const char *value)
{
    sv_death_set_text(death, text, value, strlen(value));
}

static void make_named(struct sv_death *ret_death, int64_t run)
{
    *ret_death = (struct sv_death){0};
    set_text(ret_death, SV_DEATH_TEXT_group, "web");
    set_text(ret_death, SV_DEATH_TEXT_name, "web");
    sv_death_set(ret_death, SV_DEATH_run, run);
    sv_death_set(ret_death, SV_DEATH_pid, 77);
}

static void make_killed(struct sv_death *ret_death)
{
    make_named(ret_death, 3);
    sv_death_set(ret_death, SV_DEATH_cause, SV_DEATH_CAUSE_OUTSIDE);
    sv_death_set(ret_death, SV_DEATH_signal, SIGKILL);
    sv_death_set(ret_death, SV_DEATH_sender_signal, SIGKILL);
    sv_death_set(ret_death, SV_DEATH_sender_code, SI_USER);
    sv_death_set(ret_death, SV_DEATH_sender_pid, 4711);
    sv_death_set(ret_death, SV_DEATH_sender_uid, 1000);
    set_text(ret_death, SV_DEATH_TEXT_sender_command, "bash");
    set_text(ret_death, SV_DEATH_TEXT_sender_user, "alice");
    set_text(ret_death, SV_DEATH_TEXT_sender_unit, "ssh.service");
}

static void every_field_comes_back_as_it_went(void **state)
{
    (void)state;
    struct sv_death death = {0}, back = {0};
    static const int64_t values[] = {0, 1, -1, 127, 128, -65536, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < SV_DEATH_NUMBER_COUNT; i++)
        sv_death_set(&death, (enum sv_death_number)i, values[i % SV_ARRAY_LENGTH(values)]);
    for (size_t i = 0; i < SV_DEATH_TEXT_COUNT; i++)
        set_text(&death, (enum sv_death_text)i, i % 2 ? "a\nb" : "x");
    struct sv_str bytes = {0};
    sv_death_encode(&death, &bytes);
    assert_true(sv_str_ok(&bytes));
    size_t offset = 0;
    assert_int_equal(sv_death_decode(bytes.data, bytes.length, &offset, &back), 0);
    assert_int_equal(offset, bytes.length);
    assert_true(back.known == death.known);
    for (size_t i = 0; i < SV_DEATH_NUMBER_COUNT; i++)
        assert_true(back.numbers[i] == death.numbers[i]);
    for (size_t i = 0; i < SV_DEATH_TEXT_COUNT; i++)
        assert_string_equal(sv_death_text(&back, (enum sv_death_text)i),
                            sv_death_text(&death, (enum sv_death_text)i));
    sv_death_done(&back);
    assert_int_equal(sv_death_decode(bytes.data, bytes.length, &offset, &back), SV_DEATH_END);
    sv_death_done(&death);
    sv_str_done(&bytes);
}

/* The file of one daemon is read by the next, of another version. */
static void the_bytes_are_these(void **state)
{
    (void)state;
    struct sv_death death = {0};
    sv_death_set(&death, SV_DEATH_run, 5);
    set_text(&death, SV_DEATH_TEXT_name, "x");
    struct sv_str bytes = {0};
    sv_death_encode(&death, &bytes);
    static const unsigned char expected[] = {'s', 'v',  'd',  '\n', 1,    0, 0,  0, 5, 0,  0,
                                             0,   0x28, 0xc5, 0x86, 0x39, 6, 10, 5, 1, 'x'};
    assert_int_equal(bytes.length, sizeof(expected));
    assert_memory_equal(bytes.data, expected, sizeof(expected));
    sv_str_done(&bytes);
    sv_death_done(&death);
}

static size_t count_records(const struct sv_str *bytes, int64_t *ret_last_run)
{
    size_t offset = 0, count = 0;
    struct sv_death death;
    while (sv_death_decode(sv_str_text(bytes), bytes->length, &offset, &death) == 0) {
        *ret_last_run = sv_death_get(&death, SV_DEATH_run);
        sv_death_done(&death);
        count++;
    }
    return count;
}

static void add_record(struct sv_str *bytes, int64_t run)
{
    struct sv_death death;
    make_named(&death, run);
    sv_death_encode(&death, bytes);
    sv_death_done(&death);
}

static void a_torn_record_costs_itself_only(void **state)
{
    (void)state;
    struct sv_str whole = {0};
    for (int64_t run = 1; run <= 3; run++)
        add_record(&whole, run);
    size_t record = whole.length / 3;
    int64_t last = 0;
    assert_int_equal(count_records(&whole, &last), 3);
    for (size_t cut = 1; cut < record; cut++) {
        struct sv_str torn = {0};
        sv_str_append(&torn, whole.data, whole.length - cut);
        assert_int_equal(count_records(&torn, &last), 2); /* torn at the end */
        add_record(&torn, 9);
        assert_int_equal(count_records(&torn, &last), 3); /* and written on */
        assert_int_equal(last, 9);
        sv_str_done(&torn);
    }
    sv_str_done(&whole);
}

static void a_flipped_bit_is_noticed_wherever_it_is(void **state)
{
    (void)state;
    struct sv_str bytes = {0};
    add_record(&bytes, 1);
    int64_t last = 0;
    for (size_t i = 0; i < 8 * bytes.length; i++) {
        bytes.data[i / 8] ^= (char)(1 << i % 8);
        assert_int_equal(count_records(&bytes, &last), 0);
        bytes.data[i / 8] ^= (char)(1 << i % 8);
    }
    assert_int_equal(count_records(&bytes, &last), 1);
    sv_str_done(&bytes);
}

static void too_long_a_text_is_cut(void **state)
{
    (void)state;
    struct sv_death death = {0};
    char text[5000];
    memset(text, 'a', sizeof(text));
    sv_death_set_text(&death, SV_DEATH_TEXT_sender_command, text, sizeof(text));
    assert_int_equal(strlen(sv_death_text(&death, SV_DEATH_TEXT_sender_command)), 16);
    sv_death_done(&death);
}

static void expect_sentence(struct sv_death *death, const char *expected)
{
    struct sv_str text = {0};
    sv_death_sentence(death, &text);
    assert_string_equal(sv_str_text(&text), expected);
    sv_str_done(&text);
    sv_death_done(death);
}

static void a_sender_is_named(void **state)
{
    (void)state;
    struct sv_death death;
    make_killed(&death);
    expect_sentence(
        &death, "was ended by a process that is not svisord's: SIGKILL, sent with kill() by pid "
                "4711 (bash, user alice) in ssh.service");
    make_killed(&death);
    sv_death_set(&death, SV_DEATH_sender_code, SV_BPF_CODE_NO_INFO);
    sv_death_set(&death, SV_DEATH_sender_pid, 0);
    set_text(&death, SV_DEATH_TEXT_sender_user, "");
    set_text(&death, SV_DEATH_TEXT_sender_unit, "");
    expect_sentence(
        &death,
        "was ended by a process that is not svisord's: SIGKILL, sent through cgroup.kill by a "
        "process outside of this pid namespace (bash, uid 1000)");
}

static void the_reason_of_svisord_is_told(void **state)
{
    (void)state;
    struct sv_death death;
    make_named(&death, 1);
    sv_death_set(&death, SV_DEATH_cause, SV_DEATH_CAUSE_SVISORD);
    sv_death_set(&death, SV_DEATH_exit_code, 0);
    sv_death_set(&death, SV_DEATH_stop_signal, SIGTERM);
    set_text(&death, SV_DEATH_TEXT_reason, "REQUEST_STOP");
    expect_sentence(
        &death,
        "was ended by svisord, because it was stopped by request: exit code 0 after SIGTERM");
    make_named(&death, 1);
    sv_death_set(&death, SV_DEATH_cause, SV_DEATH_CAUSE_SVISORD);
    sv_death_set(&death, SV_DEATH_signal, SIGKILL);
    sv_death_set(&death, SV_DEATH_escalated, 1);
    set_text(&death, SV_DEATH_TEXT_reason, "SHUTDOWN");
    expect_sentence(
        &death,
        "was ended by svisord, because it was stopped because svisord stops: it did not end "
        "within stopwaitsecs, so it was killed");
}

static void an_oom_kill_names_the_limit(void **state)
{
    (void)state;
    struct sv_death death;
    make_named(&death, 1);
    sv_death_set(&death, SV_DEATH_cause, SV_DEATH_CAUSE_OOM);
    sv_death_set(&death, SV_DEATH_oom_scope, SV_DEATH_OOM_OWN);
    sv_death_set(&death, SV_DEATH_oom_limit_bytes, 64 << 20);
    expect_sentence(
        &death,
        "was ended by the kernel's OOM killer: its own memory limit was reached (64.0 MiB)");
    make_named(&death, 1);
    sv_death_set(&death, SV_DEATH_cause, SV_DEATH_CAUSE_EXITED);
    sv_death_set(&death, SV_DEATH_exit_code, 1);
    sv_death_set(&death, SV_DEATH_oom_victim, 99);
    set_text(&death, SV_DEATH_TEXT_oom_command, "worker");
    sv_death_set(&death, SV_DEATH_oom_scope, SV_DEATH_OOM_HOST);
    expect_sentence(
        &death, "ended by itself with exit code 1; before, the OOM killer had ended its process 99 "
                "(worker): the machine had no memory left");
}

static void a_paragraph_has_what_is_known_and_no_more(void **state)
{
    (void)state;
    struct sv_death death;
    make_named(&death, 2);
    sv_death_set(&death, SV_DEATH_cause, SV_DEATH_CAUSE_CRASHED);
    sv_death_set(&death, SV_DEATH_signal, SIGSEGV);
    sv_death_set(&death, SV_DEATH_sender_code, SEGV_MAPERR);
    sv_death_set(&death, SV_DEATH_lived_ms, 125000);
    sv_death_set(&death, SV_DEATH_user_us, 300000);
    sv_death_set(&death, SV_DEATH_system_us, 10000);
    sv_death_set(&death, SV_DEATH_max_rss_bytes, 12 << 20);
    sv_death_set(&death, SV_DEATH_strays, 2);
    sv_death_set(&death, SV_DEATH_strays_end, SV_DEATH_STRAYS_STOPPED);
    struct sv_str text = {0};
    sv_death_paragraph(&death, &text);
    assert_string_equal(
        sv_str_text(&text),
        "Run 2 of web (pid 77) was ended by the kernel for a fault of its own: SIGSEGV, an address "
        "that is not mapped (SEGV_MAPERR). It lived 2 min 5 s and used 0.31 s of CPU and at most "
        "12.0 MiB of memory. It left 2 processes behind, then stopped by svisord.");
    sv_str_done(&text);
    sv_death_done(&death);
}

static void json_has_names_for_numbers_and_lines_for_output(void **state)
{
    (void)state;
    struct sv_death death;
    make_killed(&death);
    set_text(&death, SV_DEATH_TEXT_tail, "one\n\ntwo");
    json_t *object = sv_death_json(&death);
    assert_non_null(object);
    assert_string_equal(json_string_value(json_object_get(object, "cause")), "OUTSIDE");
    assert_string_equal(json_string_value(json_object_get(object, "signal_name")), "SIGKILL");
    assert_int_equal(json_integer_value(json_object_get(object, "sender_pid")), 4711);
    assert_int_equal(json_array_size(json_object_get(object, "tail")), 3);
    assert_null(json_object_get(object, "exit_code"));
    json_decref(object);
    struct sv_str payload = {0};
    sv_death_payload(&death, &payload);
    const char *head = "processname:web groupname:web run:3 pid:77 cause:OUTSIDE signal:9\n{";
    assert_int_equal(strncmp(sv_str_text(&payload), head, strlen(head)), 0);
    sv_str_done(&payload);
    sv_death_done(&death);
}

static void numbers_of_a_later_version_do_no_harm(void **state)
{
    (void)state;
    struct sv_death death;
    make_named(&death, 1);
    sv_death_set(&death, SV_DEATH_cause, 99);
    sv_death_set(&death, SV_DEATH_oom_scope, 99);
    sv_death_set(&death, SV_DEATH_strays, 1);
    sv_death_set(&death, SV_DEATH_strays_end, -5);
    json_t *object = sv_death_json(&death);
    assert_string_equal(json_string_value(json_object_get(object, "oom_scope")), "UNKNOWN");
    json_decref(object);
    expect_sentence(&death, "ended, and nobody can tell how");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_comes_back_as_it_went),
        cmocka_unit_test(the_bytes_are_these),
        cmocka_unit_test(a_torn_record_costs_itself_only),
        cmocka_unit_test(a_flipped_bit_is_noticed_wherever_it_is),
        cmocka_unit_test(too_long_a_text_is_cut),
        cmocka_unit_test(a_sender_is_named),
        cmocka_unit_test(the_reason_of_svisord_is_told),
        cmocka_unit_test(an_oom_kill_names_the_limit),
        cmocka_unit_test(a_paragraph_has_what_is_known_and_no_more),
        cmocka_unit_test(json_has_names_for_numbers_and_lines_for_output),
        cmocka_unit_test(numbers_of_a_later_version_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
