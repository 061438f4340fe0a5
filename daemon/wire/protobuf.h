/* Between bytes and messages of protobuf-c, within bounds. See protobuf.c. */
#ifndef SV_WIRE_PROTOBUF_H
#define SV_WIRE_PROTOBUF_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

/* Outcomes. */
#define SV_PROTOBUF_E_MALFORMED 1

/*
 * The message lives in the arena; protobuf_c_message_free_unpacked() is not called for it. Every
 * string in it is UTF-8 without NUL, of at most SV_MESH_TEXT_BYTES_MAX bytes. 0, -ENOMEM, or
 * SV_PROTOBUF_E_MALFORMED and in `ret_why` what is wrong (a constant).
 */
int sv_protobuf_unpack(const ProtobufCMessageDescriptor *descriptor, const void *bytes,
                       size_t length, struct sv_arena *arena, ProtobufCMessage **ret_message,
                       const char **ret_why);

/* The text as sv_protobuf_unpack() will take it: itself, or a copy in the arena with "?" for what
 * is not UTF-8, cut where it is too long. NULL is "". protobuf-c wants no const, and writes
 * nothing. NULL: no memory. */
char *sv_protobuf_text(const char *text, struct sv_arena *arena);

/* 0, -ENOMEM, or -EMSGSIZE and nothing appended. */
int sv_protobuf_append(const ProtobufCMessage *message, size_t bytes_max, struct sv_str *ret_bytes);

#endif
