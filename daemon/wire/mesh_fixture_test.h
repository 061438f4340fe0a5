/*
 * Messages of the mesh for tests: there and back, their bytes for all time, and bytes that are
 * torn. Each file of tests has examples of some kinds, and says when two of them are the same.
 */
#ifndef SV_WIRE_MESH_FIXTURE_TEST_H
#define SV_WIRE_MESH_FIXTURE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/mesh.h"

struct example {
    struct sv_mesh_message message;
    const char *hex; /* as version 0.1 has written it */
};

typedef void assert_same_function(const struct sv_mesh_message *a, const struct sv_mesh_message *b);

static inline void encode(const struct sv_mesh_message *message, struct sv_str *ret_bytes)
{
    struct sv_mesh_packet packet = {
        .from = "a:60000", .to = "b:60000", .number = 5, .message = *message};
    packet.message.incarnation = UINT64_C(0x0102030405060708);
    sv_str_clear(ret_bytes);
    assert_int_equal(sv_mesh_encode(&packet, ret_bytes), 0);
}

/* "": it was taken. */
static inline const char *decoded(const void *bytes, size_t length)
{
    struct sv_arena arena = {0};
    struct sv_mesh_packet packet;
    const char *why = "";
    int r = sv_mesh_decode(bytes, length, &arena, &packet, &why);
    assert_true(r >= 0);
    assert_true((r == 0) == (*why == '\0'));
    sv_arena_done(&arena);
    return why;
}

static inline void assert_same_text(const char *a, const char *b)
{
    assert_string_equal(a ? a : "", b ? b : "");
}

static inline void assert_comes_back(const struct example *example,
                                     assert_same_function *assert_same)
{
    struct sv_str bytes = {0};
    struct sv_arena arena = {0};
    struct sv_mesh_packet packet = {0};
    const char *why = "";
    encode(&example->message, &bytes);
    assert_int_equal(sv_mesh_decode(bytes.data, bytes.length, &arena, &packet, &why), 0);
    assert_string_equal(packet.from, "a:60000");
    assert_string_equal(packet.to, "b:60000");
    assert_int_equal(packet.number, 5);
    assert_int_equal(packet.message.incarnation, UINT64_C(0x0102030405060708));
    assert_int_equal(packet.message.kind, example->message.kind);
    assert_same(&packet.message, &example->message);
    sv_arena_done(&arena);
    sv_str_done(&bytes);
}

static inline void assert_bytes(const struct example *example)
{
    struct sv_str bytes = {0}, hex = {0};
    encode(&example->message, &bytes);
    for (size_t i = 0; i < bytes.length; i++)
        sv_str_addf(&hex, "%02x", (unsigned char)bytes.data[i]);
    assert_string_equal(sv_str_text(&hex), example->hex);
    sv_str_done(&bytes);
    sv_str_done(&hex);
}

/* Whatever is cut off or flipped: never more than a refusal. A sanitizer sees reads behind the end.
 */
static inline void tear_and_flip(const struct example *example)
{
    struct sv_str bytes = {0};
    encode(&example->message, &bytes);
    for (size_t length = 0; length < bytes.length; length++) {
        char *exact = malloc(length + 1);
        memcpy(exact, bytes.data, length);
        (void)decoded(exact, length);
        exact[length] = (char)(bytes.data[length] ^ 0x55);
        (void)decoded(exact, length + 1);
        free(exact);
    }
    sv_str_done(&bytes);
}

#define FROM_TO                                                                                    \
    "\x0a\x01"                                                                                     \
    "a\x12\x01"                                                                                    \
    "b\x19\x01\0\0\0\0\0\0\0\x20\x01"

#define REFUSED(bytes, part) refused(FROM_TO bytes, sizeof(FROM_TO bytes) - 1, part)
static inline void refused(const void *bytes, size_t length, const char *part)
{
    const char *why = decoded(bytes, length);
    if (!strstr(why, part))
        fail_msg("\"%s\", not \"%s\"", why, part);
}

#endif
