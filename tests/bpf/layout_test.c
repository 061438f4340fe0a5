/*
 * The record of bpf_abi.h as clang laid it out for the kernel's side, against the compiler of ours:
 * both include one header, but a different alignment of one field would turn every record into
 * nonsense.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <svisor/bpf_abi.h>

#include "base/attr.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Woverlength-strings"
#include "gen/svisor.skel.h"
#pragma GCC diagnostic pop

_Static_assert(sizeof(struct sv_bpf_record) == 80, "version 1 of the record has 80 bytes");

#define FIELD(name)                                                                                \
    {                                                                                              \
#name, offsetof(struct sv_bpf_record, name)                                                \
    }

static const struct {
    const char *name;
    size_t offset;
} fields[] = {
    FIELD(kind), FIELD(pid),  FIELD(time_ns),     FIELD(cgroup_id),
    FIELD(raw),  FIELD(comm), FIELD(sender_comm),
};

static const struct {
    const char *name;
    size_t offset;
} union_fields[] = {
    FIELD(fork.parent_pid),      FIELD(exit.wait_status),
    FIELD(exit.max_rss_bytes),   FIELD(signal.number),
    FIELD(signal.code),          FIELD(signal.sender_pid),
    FIELD(signal.sender_uid),    FIELD(signal.sender_cgroup_id),
    FIELD(fork_rate.fork_count),
};

/* Looks for "a" or "a.b" below a struct; unions without a name are looked through. -1: not there.
 */
static long find_offset(const struct btf *btf, uint32_t type_id, const char *name, long base)
{
    struct {
        uint32_t type_id;
        long base;
    } open[16] = {{type_id, base}};
    size_t length = strcspn(name, ".");
    for (size_t at = 0, count = 1; at < count; at++) {
        const struct btf_type *type = btf__type_by_id(btf, open[at].type_id);
        if (!btf_is_composite(type))
            continue;
        for (uint32_t i = 0; i < btf_vlen(type); i++) {
            const struct btf_member *member = &btf_members(type)[i];
            const char *member_name = btf__name_by_offset(btf, member->name_off);
            long offset = open[at].base + (long)btf_member_bit_offset(type, i) / 8;
            bool is_it = strlen(member_name) == length && strncmp(member_name, name, length) == 0;
            if (is_it && !name[length])
                return offset;
            if (!*member_name || is_it) {
                open[count].type_id = member->type;
                open[count++].base = offset;
            }
            if (is_it) { /* go on below this one only, with the second part of the name */
                name += length + 1;
                length = strlen(name);
                open[at + 1] = open[count - 1];
                count = at + 2;
                break;
            }
        }
    }
    return -1;
}

static void both_sides_agree_on_the_record(void **state)
{
    (void)state;
    struct svisor_bpf *skeleton = svisor_bpf__open();
    assert_non_null(skeleton);
    struct btf *btf = bpf_object__btf(skeleton->obj);
    assert_non_null(btf);
    int id = btf__find_by_name_kind(btf, "sv_bpf_record", BTF_KIND_STRUCT);
    assert_true(id > 0);
    assert_int_equal(btf__resolve_size(btf, (uint32_t)id), sizeof(struct sv_bpf_record));
    for (size_t i = 0; i < SV_ARRAY_LENGTH(fields); i++)
        assert_int_equal(find_offset(btf, (uint32_t)id, fields[i].name, 0), fields[i].offset);
    for (size_t i = 0; i < SV_ARRAY_LENGTH(union_fields); i++)
        assert_int_equal(find_offset(btf, (uint32_t)id, union_fields[i].name, 0),
                         union_fields[i].offset);
    id = btf__find_by_name_kind(btf, "sv_bpf_fork_watch", BTF_KIND_STRUCT);
    assert_true(id > 0);
    assert_int_equal(btf__resolve_size(btf, (uint32_t)id), sizeof(struct sv_bpf_fork_watch));
    assert_int_equal(find_offset(btf, (uint32_t)id, "bound", 0),
                     offsetof(struct sv_bpf_fork_watch, bound));
    svisor_bpf__destroy(skeleton);
}

static void the_records_bytes_are_what_version_1_says(void **state)
{
    (void)state;
    struct sv_bpf_record record = {
        .kind = SV_BPF_SIGNAL,
        .pid = 0x01020304,
        .time_ns = 0x1112131415161718,
        .cgroup_id = 0x2122232425262728,
        .signal =
            {.number = 9, .code = -6, .sender_pid = 5, .sender_uid = 6, .sender_cgroup_id = 7},
        .comm = "victim",
        .sender_comm = "sender",
    };
    static const unsigned char golden[sizeof(record)] = {
        3,    0,    0,    0,    4,    3,    2,    1,    0x18, 0x17, 0x16, 0x15, 0x14, 0x13,
        0x12, 0x11, 0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21, 9,    0,    0,    0,
        0xfa, 0xff, 0xff, 0xff, 5,    0,    0,    0,    6,    0,    0,    0,    7,    0,
        0,    0,    0,    0,    0,    0,    'v',  'i',  'c',  't',  'i',  'm',  0,    0,
        0,    0,    0,    0,    0,    0,    0,    0,    's',  'e',  'n',  'd',  'e',  'r',
    };
    if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__) {
        print_message("# skip: the golden bytes are little-endian\n");
        skip();
    }
    assert_memory_equal(&record, golden, sizeof(record));
}

static void the_kinds_keep_their_numbers(void **state)
{
    (void)state;
    assert_int_equal(SV_BPF_ABI_VERSION, 1);
    assert_int_equal(SV_BPF_FORK, 0);
    assert_int_equal(SV_BPF_EXEC, 1);
    assert_int_equal(SV_BPF_EXIT, 2);
    assert_int_equal(SV_BPF_SIGNAL, 3);
    assert_int_equal(SV_BPF_OOM, 4);
    assert_int_equal(SV_BPF_FORK_RATE, 5);
    assert_int_equal(SV_BPF_KIND_COUNT, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_agree_on_the_record),
        cmocka_unit_test(the_records_bytes_are_what_version_1_says),
        cmocka_unit_test(the_kinds_keep_their_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
