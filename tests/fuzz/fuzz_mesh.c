/* A packet of another instance: whatever the bytes are, decoding ends and stays in bounds, and what
 * it lets through can be encoded again to something that is let through. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "wire/mesh.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sv_arena arena = {0};
    struct sv_mesh_packet packet = {0};
    const char *why;
    if (sv_mesh_decode(data, size, &arena, &packet, &why) == 0) {
        struct sv_str again = {0};
        if (sv_mesh_encode(&packet, &again) < 0 ||
            sv_mesh_decode(again.data, again.length, &arena, &packet, &why) != 0)
            abort();
        sv_str_done(&again);
    }
    sv_arena_done(&arena);
    return 0;
}
