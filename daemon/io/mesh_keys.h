/* The keys of this instance and those that it trusts, from their files. See mesh_keys.c. */
#ifndef SV_IO_MESH_KEYS_H
#define SV_IO_MESH_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "config/supvisors.h"
#include "wire/mesh_keys.h"

struct sv_mesh_keys {
    const char *key_file; /* kept */
    const char *trust_file;
    struct sv_mesh_key_pair pair;
    struct sv_arena arena; /* of `trust` */
    struct sv_mesh_trust trust;
    int64_t trust_changed_ns; /* of the file that was read; 0: there was none */
    int64_t trust_size;
    bool is_trust_broken; /* said already */
};

/* Reads both files. 0, or negative errno and what to do in `ret_problem`. */
int sv_mesh_keys_open(const char *key_file, const char *trust_file, struct sv_str *ret_problem,
                      struct sv_mesh_keys *ret_keys);
void sv_mesh_keys_close(struct sv_mesh_keys *keys);
/* Reads the file of trusted keys again if it has changed. True: there are others now. A broken file
 * changes nothing, and is logged. */
bool sv_mesh_keys_refresh(struct sv_mesh_keys *keys);
/* May the owner of this public key connect at all? */
bool sv_mesh_keys_trust(const struct sv_mesh_keys *keys, const char *key);
/* May it speak for this instance? */
bool sv_mesh_keys_allow(const struct sv_mesh_keys *keys, const char *key,
                        const struct sv_instance_config *instance);
/*
 * The key with which this instance may answer, candidate by candidate from 0: those with its name;
 * if there are none, those without any name and our own. NULL: there is no such candidate.
 */
const char *sv_mesh_keys_candidate(const struct sv_mesh_keys *keys,
                                   const struct sv_instance_config *instance, size_t number);

#endif
