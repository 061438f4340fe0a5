#include "wire/journal.h"

#include <errno.h>
#include <string.h>

#include "base/attr.h"

enum { FRAME_BYTES = 8, BODY_BYTES_MAX = 64 << 10 };

/* Fields of fixed width, in the order of the file. Both directions walk the same table. */
#define RECORD_FIELDS(FIELD)                                                                       \
    FIELD(state, int32_t)                                                                          \
    FIELD(reason, int32_t)                                                                         \
    FIELD(stop_reason, int32_t)                                                                    \
    FIELD(main, int32_t)                                                                           \
    FIELD(strays, int32_t)                                                                         \
    FIELD(listener_state, int32_t)                                                                 \
    FIELD(has_wait_status, uint8_t)                                                                \
    FIELD(was_killed, uint8_t)                                                                     \
    FIELD(run, uint32_t)                                                                           \
    FIELD(failure_count, uint32_t)                                                                 \
    FIELD(quick_end_count, uint32_t)                                                               \
    FIELD(pid, int32_t)                                                                            \
    FIELD(wait_status, int32_t)                                                                    \
    FIELD(pending_signals, uint64_t)                                                               \
    FIELD(deadline_ns, uint64_t)                                                                   \
    FIELD(strays_deadline_ns, uint64_t)                                                            \
    FIELD(started_ns, uint64_t)                                                                    \
    FIELD(started_wall_ns, int64_t)                                                                \
    FIELD(stopped_wall_ns, int64_t)                                                                \
    FIELD(next_start_wall_ns, int64_t)

#define DEED_FIELDS(FIELD)                                                                         \
    FIELD(stop_signal, int32_t)                                                                    \
    FIELD(reason, int32_t)                                                                         \
    FIELD(time_ns, uint64_t)                                                                       \
    FIELD(is_escalated, uint8_t)                                                                   \
    FIELD(are_strays_signalled, uint8_t)                                                           \
    FIELD(are_strays_killed, uint8_t)

/* FNV-1a: tells a torn record from a whole one, which is all that it has to do. */
static uint32_t checksum_of(const char *bytes, size_t length)
{
    uint32_t hash = 0x811c9dc5u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x01000193u;
    return hash;
}

static void put_number(struct sv_str *bytes, uint64_t value, size_t width)
{
    for (size_t i = 0; i < width; i++)
        sv_str_add_char(bytes, (char)(value >> 8 * i & 0xff));
}

static void put_text(struct sv_str *bytes, const char *text)
{
    size_t length = text ? strnlen(text, SV_JOURNAL_TEXT_MAX) : 0;
    put_number(bytes, length, 2);
    sv_str_append(bytes, text, length);
}

static void put_process(const struct sv_journal_entry *entry, struct sv_str *bytes)
{
#define PUT(name, type) put_number(bytes, (uint64_t)(type)entry->record.name, sizeof(type));
    RECORD_FIELDS(PUT)
#undef PUT
    put_number(bytes, entry->start_ticks, 8);
    put_number(bytes, entry->keeper_key, 8);
    put_text(bytes, entry->logs[0]);
    put_text(bytes, entry->logs[1]);
    put_text(bytes, entry->leaf);
    put_text(bytes, entry->record.spawnerr);
#define PUT(name, type) put_number(bytes, (uint64_t)(type)entry->deeds.name, sizeof(type));
    DEED_FIELDS(PUT)
#undef PUT
    put_text(bytes, entry->limits);
    put_text(bytes, entry->group_limits);
    put_text(bytes, entry->status);
    put_number(bytes, (uint64_t)entry->record.end_reason, 4);
    put_number(bytes, entry->record.held, 8);
    put_number(bytes, entry->cursor, 4);
}

static void put_event(const struct sv_journal_entry *entry, struct sv_str *bytes)
{
    put_number(bytes, entry->serial, 8);
    put_number(bytes, entry->pool_serial, 8);
    if (entry->kind != SV_JOURNAL_EVENT)
        return;
    put_number(bytes, entry->whole_bytes, 4);
    put_number(bytes, entry->part_start, 4);
    put_number(bytes, entry->part_bytes, 4);
    sv_str_append(bytes, entry->payload, entry->part_bytes);
}

void sv_journal_encode(const struct sv_journal_entry *entry, struct sv_str *ret_bytes)
{
    struct sv_str body SV_CLEANUP(sv_str_done) = {0};
    put_number(&body, (uint64_t)entry->kind, 1);
    if (entry->kind == SV_JOURNAL_HEADER) {
        put_number(&body, SV_JOURNAL_VERSION, 4);
        put_text(&body, entry->boot_id);
        put_text(&body, entry->tree);
        put_number(&body, (uint32_t)entry->daemon_pid, 4);
    } else {
        put_text(&body, entry->group);
        put_text(&body, entry->kind == SV_JOURNAL_EVENT ? entry->type : entry->process);
        if (entry->kind == SV_JOURNAL_PROCESS)
            put_process(entry, &body);
        else if (entry->kind != SV_JOURNAL_FORGET)
            put_event(entry, &body);
    }
    if (!sv_str_ok(&body)) {
        ret_bytes->has_failed = true;
        return;
    }
    put_number(ret_bytes, body.length, 4);
    put_number(ret_bytes, checksum_of(sv_str_text(&body), body.length), 4);
    sv_str_append(ret_bytes, sv_str_text(&body), body.length);
}

/* What is left of a body. A short one sets `is_short`, and every further read gives zero. */
struct reader {
    const char *bytes;
    size_t left;
    bool is_short;
};

static uint64_t get_number(struct reader *reader, size_t width)
{
    if (reader->left < width) {
        reader->is_short = true;
        reader->left = 0;
        return 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++)
        value |= (uint64_t)(unsigned char)reader->bytes[i] << 8 * i;
    reader->bytes += width;
    reader->left -= width;
    return value;
}

/* A field that an older writer did not know: zero. */
static uint64_t get_added(struct reader *reader, size_t width)
{
    return reader->left == 0 ? 0 : get_number(reader, width);
}

/* Appends the text and a NUL to `texts`; returns where it begins there. */
static size_t get_text(struct reader *reader, struct sv_str *texts)
{
    size_t start = texts->length;
    size_t length = get_number(reader, 2);
    if (length > SV_JOURNAL_TEXT_MAX || length > reader->left ||
        memchr(reader->bytes, '\0', length)) {
        reader->is_short = true;
        length = 0;
    }
    sv_str_append(texts, reader->bytes, length);
    sv_str_add_char(texts, '\0');
    reader->bytes += length;
    reader->left -= length;
    return start;
}

static size_t get_text_added(struct reader *reader, struct sv_str *texts)
{
    if (reader->left > 0)
        return get_text(reader, texts);
    sv_str_add_char(texts, '\0');
    return texts->length - 1;
}

/* A reason of a later version says nothing to this one. */
static void forget_unknown_reasons(struct sv_journal_entry *entry)
{
    enum sv_reason *const reasons[] = {&entry->record.reason, &entry->record.stop_reason,
                                       &entry->record.end_reason, &entry->deeds.reason};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(reasons); i++)
        if ((unsigned)*reasons[i] >= SV_REASON_COUNT)
            *reasons[i] = SV_REASON_NONE;
}

static bool is_sane(const struct sv_journal_entry *entry)
{
    const struct sv_process_record *record = &entry->record;
    bool has_state = false;
#define PROCESS_STATE(name, code) has_state |= record->state == SV_PROCESS_##name;
#include <svisor/process_states.def>
#undef PROCESS_STATE
    return has_state && (unsigned)record->main <= SV_RECORD_ALIVE &&
           (unsigned)record->strays <= SV_RECORD_STRAYS_KILLED &&
           (unsigned)record->listener_state <= SV_LISTENER_UNKNOWN;
}

struct places { /* of the texts, in `texts` */
    size_t first, second, logs[2], leaf, spawnerr, limits, group_limits, status;
};

static void get_process(struct reader *reader, struct sv_str *texts, struct sv_journal_entry *entry,
                        struct places *places)
{
#define GET(name, type)                                                                            \
    entry->record.name = (__typeof__(entry->record.name))(type)get_number(reader, sizeof(type));
    RECORD_FIELDS(GET)
#undef GET
    entry->start_ticks = get_number(reader, 8);
    entry->keeper_key = get_number(reader, 8);
    places->logs[0] = get_text(reader, texts);
    places->logs[1] = get_text(reader, texts);
    places->leaf = get_text(reader, texts);
    places->spawnerr = get_text(reader, texts);
#define GET(name, type)                                                                            \
    entry->deeds.name = (__typeof__(entry->deeds.name))(type)get_added(reader, sizeof(type));
    DEED_FIELDS(GET)
#undef GET
    places->limits = get_text_added(reader, texts);
    places->group_limits = get_text_added(reader, texts);
    places->status = get_text_added(reader, texts);
    entry->record.end_reason = (enum sv_reason)get_added(reader, 4);
    entry->record.held = get_added(reader, 8);
    entry->cursor = (uint32_t)get_added(reader, 4);
    forget_unknown_reasons(entry);
    reader->is_short |= !is_sane(entry);
}

static void get_event(struct reader *reader, struct sv_journal_entry *entry)
{
    entry->serial = get_number(reader, 8);
    entry->pool_serial = get_number(reader, 8);
    if (entry->kind != SV_JOURNAL_EVENT)
        return;
    entry->whole_bytes = (uint32_t)get_number(reader, 4);
    entry->part_start = (uint32_t)get_number(reader, 4);
    entry->part_bytes = (uint32_t)get_number(reader, 4);
    entry->payload = reader->bytes;
    bool is_inside = entry->part_start <= entry->whole_bytes &&
                     entry->part_bytes <= entry->whole_bytes - entry->part_start;
    reader->is_short |= entry->part_bytes > reader->left || !is_inside;
}

static bool get_body(struct reader *reader, struct sv_str *texts, struct sv_journal_entry *entry)
{
    struct places places = {0};
    entry->kind = (enum sv_journal_kind)get_number(reader, 1);
    if (entry->kind == SV_JOURNAL_HEADER && get_number(reader, 4) != SV_JOURNAL_VERSION)
        return false;
    if (entry->kind < SV_JOURNAL_HEADER || entry->kind > SV_JOURNAL_POOL)
        return false;
    places.first = get_text(reader, texts);
    places.second = get_text(reader, texts);
    if (entry->kind == SV_JOURNAL_HEADER)
        entry->daemon_pid = (int32_t)get_added(reader, 4);
    if (entry->kind == SV_JOURNAL_PROCESS)
        get_process(reader, texts, entry, &places);
    else if (entry->kind > SV_JOURNAL_FORGET)
        get_event(reader, entry);
    if (reader->is_short || !sv_str_ok(texts))
        return false;
    const char *base = sv_str_text(texts);
    entry->boot_id = entry->group = base + places.first;
    entry->tree = entry->process = entry->type = base + places.second;
    entry->logs[0] = base + places.logs[0];
    entry->logs[1] = base + places.logs[1];
    entry->leaf = base + places.leaf;
    entry->record.spawnerr = base + places.spawnerr;
    entry->limits = base + places.limits;
    entry->group_limits = base + places.group_limits;
    entry->status = base + places.status;
    return true;
}

/* The body of the record at `offset`. False: no whole record is there. */
static bool get_frame(const char *bytes, size_t length, size_t offset, struct reader *ret_body)
{
    struct reader frame = {.bytes = bytes + offset, .left = length - offset};
    size_t body_length = get_number(&frame, 4);
    uint32_t checksum = (uint32_t)get_number(&frame, 4);
    if (frame.is_short || body_length > BODY_BYTES_MAX || body_length > frame.left ||
        checksum_of(frame.bytes, body_length) != checksum)
        return false;
    *ret_body = (struct reader){.bytes = frame.bytes, .left = body_length};
    return true;
}

size_t sv_journal_whole_length(const char *bytes, size_t length)
{
    size_t offset = 0;
    struct reader body;
    while (get_frame(bytes, length, offset, &body))
        offset += FRAME_BYTES + body.left;
    return offset;
}

int sv_journal_decode(const char *bytes, size_t length, size_t *offset, struct sv_str *texts,
                      struct sv_journal_entry *ret_entry)
{
    sv_str_clear(texts);
    struct reader body;
    if (!get_frame(bytes, length, *offset, &body))
        return SV_JOURNAL_END;
    size_t body_length = body.left;
    struct sv_journal_entry entry = {0};
    bool is_known = get_body(&body, texts, &entry);
    if (!sv_str_ok(texts))
        return -ENOMEM;
    *offset += FRAME_BYTES + body_length;
    if (!is_known)
        return SV_JOURNAL_UNKNOWN;
    *ret_entry = entry;
    return 0;
}

bool sv_journal_version(const char *bytes, size_t length, uint32_t *ret_version,
                        struct sv_str *ret_boot_id)
{
    struct reader body;
    if (!get_frame(bytes, length, 0, &body) || get_number(&body, 1) != SV_JOURNAL_HEADER)
        return false;
    uint32_t version = (uint32_t)get_number(&body, 4);
    size_t start = ret_boot_id->length;
    (void)get_text(&body, ret_boot_id);
    if (body.is_short || !sv_str_ok(ret_boot_id))
        return false;
    sv_str_truncate(ret_boot_id, start + strlen(sv_str_text(ret_boot_id) + start));
    *ret_version = version;
    return true;
}
