/* What subscribers ask for: a message of a ZeroMQ one, the path of a WebSocket, the last id of one
 * that has had a stream. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/event_history.h"
#include "wire/publication.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* It goes on in what there is, or does not go on. */
static void resume(const char *id)
{
    struct sv_event_history *history = sv_event_history_new(0xab);
    uint64_t number;
    if (!history)
        return;
    if (sv_event_history_record(history, 1) == 0 &&
        sv_event_history_add(history, (enum sv_publication)0, "{}", 2) == 0 &&
        sv_event_history_find(history, id, 1, &number) == SV_RESUMPTION_WHOLE &&
        (number < 2 || number > sv_event_history_next(history)))
        abort();
    sv_event_history_free(history);
}

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
    resume(path);
    free(path);
    return 0;
}
