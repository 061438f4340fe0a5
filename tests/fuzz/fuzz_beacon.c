/* A datagram that came to the multicast group: anybody may have sent it. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "wire/beacon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sv_arena arena = {0};
    struct sv_beacon beacon = {0};
    const char *why;
    if (sv_beacon_decode(data, size, &arena, &beacon, &why) == 0) {
        struct sv_str again = {0};
        if (sv_beacon_encode(&beacon, &again) < 0 ||
            sv_beacon_decode(again.data, again.length, &arena, &beacon, &why) != 0)
            abort();
        sv_str_done(&again);
    }
    sv_arena_done(&arena);
    return 0;
}
