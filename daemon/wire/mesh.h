/*
 * Messages between instances (port/mesh.h) as bytes (include/svisor/mesh.proto): one packet is one
 * frame on the way.
 *
 * Who reads may be of another version than who wrote: unknown fields are skipped, an unknown kind
 * of message is an outcome of its own. What decoding lets through is within the bounds of limits.h:
 * no text is NULL where port/mesh.h does not say so, all are UTF-8, names are not empty, and every
 * state and enumeration has a value that exists.
 */
#ifndef SV_WIRE_MESH_H
#define SV_WIRE_MESH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "port/mesh.h"

struct sv_mesh_packet {
    const char *from; /* identifiers */
    const char *to;
    uint64_t number; /* counts the packets of message.incarnation from `from` to `to`, from 1 */
    struct sv_mesh_message message;
};

/* Appends the bytes. In texts, what is not UTF-8 becomes "?", and what is too long is cut. 0,
 * -ENOMEM, or -EMSGSIZE: it would be longer than SV_MESH_MESSAGE_BYTES_MAX, nothing is appended. */
int sv_mesh_encode(const struct sv_mesh_packet *packet, struct sv_str *ret_bytes);

/* A run of a sight is one number: how many, above so many bits of how they are seen. */
#define SV_MESH_RUN_BITS 4

/* Outcomes of decoding. */
#define SV_MESH_E_MALFORMED 1
#define SV_MESH_E_KIND      2 /* from, to, incarnation and number are there; the kind is a newer one */

/* What the packet points to lives in the arena. `ret_why` is a constant, set with an outcome;
 * negative: -ENOMEM. */
int sv_mesh_decode(const void *bytes, size_t length, struct sv_arena *arena,
                   struct sv_mesh_packet *ret_packet, const char **ret_why);

/* From whom a packet says that it is, without reading the rest of it. False: it does not, or the
 * name does not fit. */
bool sv_mesh_sender(const void *bytes, size_t length, char *ret_from, size_t size);

#endif
