/* The files with the keys of the mesh: a person may have edited them. */
#include <stddef.h>
#include <stdint.h>

#include "wire/mesh_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sv_arena arena = {0};
    struct sv_mesh_key_pair pair;
    struct sv_mesh_trust trust;
    struct sv_mesh_key_fault fault;
    (void)sv_mesh_key_pair_parse((const char *)data, size, &pair, &fault);
    (void)sv_mesh_trust_parse((const char *)data, size, &arena, &trust, &fault);
    sv_arena_done(&arena);
    return 0;
}
