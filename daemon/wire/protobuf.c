/*
 * protobuf-c decodes; this file stands in front of it, because of two habits of it (1.4.1):
 *
 *   - a string is handed out as a C string, so that a NUL in the middle cuts it silently, and
 *     nobody looks whether it is UTF-8;
 *   - a field of two bytes may become a structure of two hundred, so that a message within its
 *     bound may still ask for gigabytes.
 *
 * So the bytes are walked once along the descriptor before they are unpacked: wire types, lengths
 * and strings are checked there. And memory comes from an arena with a budget that grows with the
 * length of the message: what costs more than that per byte was not written by svisor.
 *
 * Fields that the descriptor does not know are skipped, as a newer version may have sent them.
 */
#include "wire/protobuf.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <svisor/limits.h>

#include "wire/utf8.h"

enum { DEPTH_MAX = 8 }; /* messages in messages; our own go four deep */

enum wire_type { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_LENGTH = 2, WIRE_32BIT = 5 };

struct level {
    const ProtobufCMessageDescriptor *descriptor;
    const unsigned char *end;
};

struct walk {
    const unsigned char *at;
    struct level levels[DEPTH_MAX];
    size_t depth; /* of the innermost message */
    const char *why;
};

static bool fail(struct walk *walk, const char *why)
{
    walk->why = why;
    return false;
}

static bool take_varint(struct walk *walk, uint64_t *ret_value)
{
    const unsigned char *end = walk->levels[walk->depth].end;
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (walk->at == end)
            return fail(walk, "it is cut off within a number");
        unsigned char byte = *walk->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return fail(walk, "a number is longer than ten bytes");
}

static bool skip(struct walk *walk, uint64_t length)
{
    if (length > (uint64_t)(walk->levels[walk->depth].end - walk->at))
        return fail(walk, "a field is longer than what is left");
    walk->at += length;
    return true;
}

static enum wire_type wire_type_of(ProtobufCType type)
{
    static const enum wire_type types[] = {
        [PROTOBUF_C_TYPE_INT32] = WIRE_VARINT,   [PROTOBUF_C_TYPE_SINT32] = WIRE_VARINT,
        [PROTOBUF_C_TYPE_SFIXED32] = WIRE_32BIT, [PROTOBUF_C_TYPE_INT64] = WIRE_VARINT,
        [PROTOBUF_C_TYPE_SINT64] = WIRE_VARINT,  [PROTOBUF_C_TYPE_SFIXED64] = WIRE_64BIT,
        [PROTOBUF_C_TYPE_UINT32] = WIRE_VARINT,  [PROTOBUF_C_TYPE_FIXED32] = WIRE_32BIT,
        [PROTOBUF_C_TYPE_UINT64] = WIRE_VARINT,  [PROTOBUF_C_TYPE_FIXED64] = WIRE_64BIT,
        [PROTOBUF_C_TYPE_FLOAT] = WIRE_32BIT,    [PROTOBUF_C_TYPE_DOUBLE] = WIRE_64BIT,
        [PROTOBUF_C_TYPE_BOOL] = WIRE_VARINT,    [PROTOBUF_C_TYPE_ENUM] = WIRE_VARINT,
        [PROTOBUF_C_TYPE_STRING] = WIRE_LENGTH,  [PROTOBUF_C_TYPE_BYTES] = WIRE_LENGTH,
        [PROTOBUF_C_TYPE_MESSAGE] = WIRE_LENGTH,
    };
    return types[type];
}

/* Numbers that are packed are one field; protobuf-c looks at what is in it. */
static enum wire_type wire_type_of_field(const ProtobufCFieldDescriptor *field)
{
    bool is_packed = field->flags & PROTOBUF_C_FIELD_FLAG_PACKED;
    return is_packed ? WIRE_LENGTH : wire_type_of(field->type);
}

static bool check_text(struct walk *walk, uint64_t length)
{
    const char *text = (const char *)walk->at;
    if (length > SV_MESH_TEXT_BYTES_MAX)
        return fail(walk, "a text is too long");
    if (!skip(walk, length))
        return false;
    if (memchr(text, '\0', length))
        return fail(walk, "a text has a NUL");
    return sv_utf8_is_valid(text, length) || fail(walk, "a text is not UTF-8");
}

/* A field of variable length; a message of ours is entered. */
static bool take_length(struct walk *walk, const ProtobufCFieldDescriptor *field)
{
    uint64_t length;
    if (!take_varint(walk, &length))
        return false;
    if (field && field->type == PROTOBUF_C_TYPE_STRING)
        return check_text(walk, length);
    const unsigned char *start = walk->at;
    if (!skip(walk, length))
        return false;
    if (!field || field->type != PROTOBUF_C_TYPE_MESSAGE)
        return true;
    if (walk->depth + 1 == DEPTH_MAX)
        return fail(walk, "its messages are nested too deep");
    walk->levels[++walk->depth] = (struct level){.descriptor = field->descriptor, .end = walk->at};
    walk->at = start;
    return true;
}

static bool take_field(struct walk *walk)
{
    uint64_t tag;
    uint64_t number;
    if (!take_varint(walk, &tag))
        return false;
    if (tag >> 3 == 0 || tag >> 3 > UINT32_MAX >> 3)
        return fail(walk, "a field has an impossible number");
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
        walk->levels[walk->depth].descriptor, (unsigned)(tag >> 3));
    if (field && wire_type_of_field(field) != (enum wire_type)(tag & 7))
        return fail(walk, "a field has the wrong type");
    switch (tag & 7) {
    case WIRE_VARINT:
        return take_varint(walk, &number);
    case WIRE_64BIT:
        return skip(walk, 8);
    case WIRE_32BIT:
        return skip(walk, 4);
    case WIRE_LENGTH:
        return take_length(walk, field);
    default:
        return fail(walk, "a field has an impossible type");
    }
}

/* NULL: the bytes are a message of this descriptor, or what is wrong with them. */
static const char *check(const ProtobufCMessageDescriptor *descriptor, const unsigned char *bytes,
                         size_t length)
{
    struct walk walk = {.at = bytes, .levels[0] = {descriptor, bytes + length}};
    for (;;) {
        while (walk.at == walk.levels[walk.depth].end) {
            if (walk.depth == 0)
                return NULL;
            walk.depth--;
        }
        if (!take_field(&walk))
            return walk.why;
    }
}

struct budget {
    struct sv_arena *arena;
    size_t left_bytes;
    bool is_spent;
    bool is_out_of_memory;
};

static void *take_memory(void *user, size_t size)
{
    struct budget *budget = user;
    if (size > budget->left_bytes) {
        budget->is_spent = true;
        return NULL;
    }
    budget->left_bytes -= size;
    void *memory = sv_arena_alloc(budget->arena, 1, size > 0 ? size : 1);
    budget->is_out_of_memory |= !memory;
    return memory;
}

/* The arena gives all back at its end. */
static void give_memory(void *user, void *memory)
{
    (void)user;
    (void)memory;
}

int sv_protobuf_unpack(const ProtobufCMessageDescriptor *descriptor, const void *bytes,
                       size_t length, struct sv_arena *arena, ProtobufCMessage **ret_message,
                       const char **ret_why)
{
    const char *why = check(descriptor, bytes, length);
    if (why) {
        *ret_why = why;
        return SV_PROTOBUF_E_MALFORMED;
    }
    struct budget budget = {
        .arena = arena, .left_bytes = SV_MESH_MEMORY_BASE_BYTES + length * SV_MESH_MEMORY_PER_BYTE};
    ProtobufCAllocator allocator = {
        .alloc = take_memory, .free = give_memory, .allocator_data = &budget};
    ProtobufCMessage *message = protobuf_c_message_unpack(descriptor, &allocator, length, bytes);
    if (message) {
        *ret_message = message;
        return 0;
    }
    if (budget.is_out_of_memory)
        return -ENOMEM;
    *ret_why = budget.is_spent ? "it would need too much memory" : "protobuf cannot read it";
    return SV_PROTOBUF_E_MALFORMED;
}

char *sv_protobuf_text(const char *text, struct sv_arena *arena)
{
    if (!text)
        return (char *)(uintptr_t)protobuf_c_empty_string;
    size_t length = strnlen(text, SV_MESH_TEXT_BYTES_MAX + 1);
    if (length <= SV_MESH_TEXT_BYTES_MAX && sv_utf8_is_valid(text, length))
        return (char *)(uintptr_t)text;
    if (length > SV_MESH_TEXT_BYTES_MAX)
        length = SV_MESH_TEXT_BYTES_MAX;
    char *clean = sv_arena_strndup(arena, text, length);
    if (!clean)
        return NULL;
    for (size_t i = 0; i < length;) {
        uint32_t code;
        size_t size = sv_utf8_decode(clean + i, length - i, &code);
        if (size == 0)
            clean[i] = '?';
        i += size ? size : 1;
    }
    return clean;
}

int sv_protobuf_append(const ProtobufCMessage *message, size_t bytes_max, struct sv_str *ret_bytes)
{
    size_t length = protobuf_c_message_get_packed_size(message);
    if (length > bytes_max)
        return -EMSGSIZE;
    char *end = sv_str_reserve(ret_bytes, length);
    if (!end)
        return -ENOMEM;
    protobuf_c_message_pack(message, (uint8_t *)end);
    sv_str_grew(ret_bytes, length);
    return 0;
}
