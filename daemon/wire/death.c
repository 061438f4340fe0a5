/*
 * The bytes of a death certificate, made to be appended to a file that outlives versions:
 *
 *     record = "svd\n", u16 version, u16 0, u32 length of the body, u32 checksum, body
 *     body   = key, value, key, value …
 *     key    = varint of tag << 1 | is_text
 *     value  = varint of the number, zigzag; or varint of the length and the bytes
 *
 * Fixed numbers are little-endian. The checksum is CRC-32 of the eight bytes before it and of the
 * body. A reader that meets anything else looks for the next "svd\n" whose checksum holds: a write
 * that was torn by a crash costs one record. Unknown tags are stepped over, so fields may come
 * without a new version; a new version means that an old reader can make nothing of the body.
 */
#include "wire/death.h"

#include <errno.h>
#include <string.h>
#include <svisor/limits.h>

#include "base/attr.h"

enum {
    VERSION = 1,
    HEAD_BYTES = 16,
    CHECKED_AT = 4, /* the checksum begins behind the magic */
    CHECKSUM_AT = 12,
    VARINT_BYTES_MAX = 10,
};

static const char MAGIC[4] = {'s', 'v', 'd', '\n'};

static const struct {
    uint8_t tag;
} number_rows[] = {
#define DEATH_NUMBER(tag_, name_, doc_) [SV_DEATH_##name_] = {.tag = (tag_)},
#define DEATH_TEXT(tag_, name_, bytes_max_, doc_)
#include "svisor/deaths.def"
#undef DEATH_NUMBER
#undef DEATH_TEXT
};
_Static_assert(SV_ARRAY_LENGTH(number_rows) == SV_DEATH_NUMBER_COUNT, "a row for each number");

static const struct {
    uint8_t tag;
    uint16_t bytes_max;
} text_rows[] = {
#define DEATH_NUMBER(tag_, name_, doc_)
#define DEATH_TEXT(tag_, name_, bytes_max_, doc_)                                                  \
    [SV_DEATH_TEXT_##name_] = {.tag = (tag_), .bytes_max = (bytes_max_)},
#include "svisor/deaths.def"
#undef DEATH_NUMBER
#undef DEATH_TEXT
};
_Static_assert(SV_ARRAY_LENGTH(text_rows) == SV_DEATH_TEXT_COUNT, "a row for each text");

void sv_death_done(struct sv_death *death)
{
    for (size_t i = 0; i < SV_DEATH_TEXT_COUNT; i++)
        sv_str_done(&death->texts[i]);
    *death = (struct sv_death){0};
}

void sv_death_set(struct sv_death *death, enum sv_death_number number, int64_t value)
{
    death->numbers[number] = value;
    death->known |= UINT64_C(1) << number;
}

void sv_death_set_text(struct sv_death *death, enum sv_death_text text, const char *data,
                       size_t length)
{
    struct sv_str *str = &death->texts[text];
    sv_str_clear(str);
    sv_str_append(str, data,
                  length < text_rows[text].bytes_max ? length : text_rows[text].bytes_max);
    if (!sv_str_ok(str))
        sv_str_clear(str); /* without memory it is one more thing that is not known */
}

const char *sv_death_text(const struct sv_death *death, enum sv_death_text text)
{
    return sv_str_text(&death->texts[text]);
}

/* ---- Writing ---- */

static uint32_t checksum_of(uint32_t checksum, const char *bytes, size_t length)
{
    /* CRC-32 as in zlib, four bits at a time: records are short, and a table of 16 needs no start.
     */
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    checksum = ~checksum;
    for (size_t i = 0; i < length; i++) {
        checksum ^= (unsigned char)bytes[i];
        checksum = table[checksum & 15] ^ checksum >> 4;
        checksum = table[checksum & 15] ^ checksum >> 4;
    }
    return ~checksum;
}

static void put_fixed(struct sv_str *out, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        sv_str_add_char(out, (char)(value >> 8 * i & 0xff));
}

static void put_varint(struct sv_str *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        sv_str_add_char(out, (char)((value & 0x7f) | 0x80));
    sv_str_add_char(out, (char)value);
}

static void encode_body(const struct sv_death *death, struct sv_str *body)
{
    for (size_t i = 0; i < SV_DEATH_NUMBER_COUNT; i++) {
        if (!sv_death_has(death, (enum sv_death_number)i))
            continue;
        uint64_t bits = (uint64_t)death->numbers[i];
        put_varint(body, (uint64_t)number_rows[i].tag << 1);
        put_varint(body, bits << 1 ^ (death->numbers[i] < 0 ? UINT64_MAX : 0));
    }
    for (size_t i = 0; i < SV_DEATH_TEXT_COUNT; i++) {
        const struct sv_str *text = &death->texts[i];
        if (text->length == 0)
            continue;
        put_varint(body, (uint64_t)text_rows[i].tag << 1 | 1);
        put_varint(body, text->length);
        sv_str_append(body, text->data, text->length);
    }
}

void sv_death_encode(const struct sv_death *death, struct sv_str *ret_bytes)
{
    struct sv_str body SV_CLEANUP(sv_str_done) = {0};
    encode_body(death, &body);
    struct sv_str head SV_CLEANUP(sv_str_done) = {0};
    sv_str_append(&head, MAGIC, sizeof(MAGIC));
    put_fixed(&head, VERSION, 2);
    put_fixed(&head, 0, 2);
    put_fixed(&head, (uint32_t)body.length, 4);
    if (!sv_str_ok(&head) || !sv_str_ok(&body)) {
        ret_bytes->has_failed = true;
        return;
    }
    uint32_t checksum = checksum_of(0, head.data + CHECKED_AT, CHECKSUM_AT - CHECKED_AT);
    put_fixed(&head, checksum_of(checksum, sv_str_text(&body), body.length), 4);
    sv_str_append(ret_bytes, sv_str_text(&head), head.length);
    sv_str_append(ret_bytes, sv_str_text(&body), body.length);
}

/* ---- Reading ---- */

struct reader {
    const unsigned char *at, *end;
};

static uint32_t get_fixed(const char *bytes, unsigned count)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < count; i++)
        value |= (uint32_t)(unsigned char)bytes[i] << 8 * i;
    return value;
}

static bool get_varint(struct reader *reader, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < VARINT_BYTES_MAX && reader->at < reader->end; i++) {
        unsigned char byte = *reader->at++;
        value |= (uint64_t)(byte & 0x7f) << 7 * i;
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static void take_number(struct sv_death *death, uint64_t tag, uint64_t value)
{
    for (size_t i = 0; i < SV_DEATH_NUMBER_COUNT; i++)
        if (number_rows[i].tag == tag)
            sv_death_set(death, (enum sv_death_number)i,
                         (int64_t)(value >> 1 ^ (value & 1 ? UINT64_MAX : 0)));
}

static void take_text(struct sv_death *death, uint64_t tag, const char *data, size_t length)
{
    for (size_t i = 0; i < SV_DEATH_TEXT_COUNT; i++)
        if (text_rows[i].tag == tag)
            sv_death_set_text(death, (enum sv_death_text)i, data, length);
}

static bool decode_body(const char *bytes, size_t length, struct sv_death *death)
{
    struct reader reader = {.at = (const unsigned char *)bytes,
                            .end = (const unsigned char *)bytes + length};
    while (reader.at < reader.end) {
        uint64_t key, value;
        if (!get_varint(&reader, &key) || !get_varint(&reader, &value))
            return false;
        if (!(key & 1)) {
            take_number(death, key >> 1, value);
            continue;
        }
        if (value > (uint64_t)(reader.end - reader.at))
            return false;
        take_text(death, key >> 1, (const char *)reader.at, (size_t)value);
        reader.at += value;
    }
    return true;
}

/* The length of the whole record that begins there, of any version; 0: none does. */
static size_t record_at(const char *bytes, size_t length)
{
    if (length < HEAD_BYTES || memcmp(bytes, MAGIC, sizeof(MAGIC)) != 0)
        return 0;
    size_t body_length = get_fixed(bytes + 8, 4);
    if (body_length > SV_DEATH_RECORD_BYTES_MAX || body_length > length - HEAD_BYTES)
        return 0;
    uint32_t checksum = checksum_of(0, bytes + CHECKED_AT, CHECKSUM_AT - CHECKED_AT);
    checksum = checksum_of(checksum, bytes + HEAD_BYTES, body_length);
    return checksum == get_fixed(bytes + CHECKSUM_AT, 4) ? HEAD_BYTES + body_length : 0;
}

int sv_death_decode(const char *bytes, size_t length, size_t *offset, struct sv_death *ret_death)
{
    while (*offset < length) {
        const char *at = memmem(bytes + *offset, length - *offset, MAGIC, sizeof(MAGIC));
        if (!at)
            break;
        size_t place = (size_t)(at - bytes);
        size_t record_length = record_at(at, length - place);
        *offset = place + (record_length ? record_length : 1);
        if (record_length == 0 || get_fixed(at + CHECKED_AT, 2) != VERSION)
            continue;
        *ret_death = (struct sv_death){0};
        if (decode_body(at + HEAD_BYTES, record_length - HEAD_BYTES, ret_death))
            return 0;
        sv_death_done(ret_death);
    }
    *offset = length;
    return SV_DEATH_END;
}
