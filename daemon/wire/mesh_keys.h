/*
 * The files with the keys of the mesh, as text.
 *
 * A key is 32 bytes of CURVE (Curve25519), written as 40 characters of Z85, as every tool of ZeroMQ
 * writes it. A key file has a pair, in the form of ZeroMQ's certificates (czmq, pyzmq):
 *
 *     curve
 *         public-key = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
 *         secret-key = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"
 *
 * The file of trusted keys has a public key in each line, and after it the names of the instances
 * that may use it (identifier, nickname or host); without names, any. A line that begins with
 * "#" is a comment: no key begins so, for five digits may not make more than 32 bits.
 */
#ifndef SV_WIRE_MESH_KEYS_H
#define SV_WIRE_MESH_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

enum { SV_MESH_KEY_LENGTH = 40 };

struct sv_mesh_key {
    char text[SV_MESH_KEY_LENGTH + 1];
};

struct sv_mesh_key_pair {
    struct sv_mesh_key public_key;
    struct sv_mesh_key secret_key; /* "": the file has none */
};

struct sv_mesh_trusted {
    struct sv_mesh_key key;
    const char *const *names;
    size_t name_count; /* 0: whoever has the key */
};

struct sv_mesh_trust {
    const struct sv_mesh_trusted *rows;
    size_t count;
};

/* What is wrong with a file: a constant text, and the line from 1, or 0. */
struct sv_mesh_key_fault {
    unsigned line;
    const char *why;
};

/* Outcome: fault is set. */
#define SV_MESH_KEYS_E_MALFORMED 1

/* False: not a key in Z85. */
bool sv_mesh_key_parse(const char *text, size_t length, struct sv_mesh_key *ret_key);
/* 0 or SV_MESH_KEYS_E_MALFORMED. */
int sv_mesh_key_pair_parse(const char *text, size_t length, struct sv_mesh_key_pair *ret_pair,
                           struct sv_mesh_key_fault *ret_fault);
/* The file; without the secret key if `has_secret` is false. */
void sv_mesh_key_pair_format(const struct sv_mesh_key_pair *pair, bool has_secret,
                             struct sv_str *ret_text);
/* Rows and names live in the arena. 0, SV_MESH_KEYS_E_MALFORMED or -ENOMEM. */
int sv_mesh_trust_parse(const char *text, size_t length, struct sv_arena *arena,
                        struct sv_mesh_trust *ret_trust, struct sv_mesh_key_fault *ret_fault);

#endif
