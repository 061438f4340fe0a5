/* What subscribers ask for: a message of a ZeroMQ one, the path of a WebSocket. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/publication.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const sv_publication_set all = (1u << SV_PUBLICATION_COUNT) - 1;
    struct sv_subscription subscription = sv_publication_of_message(data, size);
    if (subscription.headers & ~all)
        abort();
    char *path = malloc(size + 1);
    if (!path)
        return 0;
    if (size > 0)
        memcpy(path, data, size);
    path[size] = '\0';
    if (sv_publication_of_path(path) & ~all)
        abort();
    free(path);
    return 0;
}
