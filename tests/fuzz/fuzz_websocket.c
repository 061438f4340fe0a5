/* The headers of a request that wants a WebSocket, one in each line. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { HEADERS = 7 };
    const char *headers[HEADERS] = {""};
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    char *line = text;
    for (size_t i = 0; i < HEADERS && line; i++) {
        headers[i] = line;
        line = strchr(line, '\n');
        if (line)
            *line++ = '\0';
    }
    const struct sv_websocket_request request = {.method = headers[0],
                                                 .upgrade = headers[1],
                                                 .connection = headers[2],
                                                 .version = headers[3],
                                                 .key = headers[4],
                                                 .origin = headers[5],
                                                 .host = headers[6]};
    if (!sv_websocket_refusal(&request) && strlen(request.key) != 24)
        abort(); /* what is answered with a digest is a key */
    (void)sv_websocket_is_same_origin(&request);
    free(text);
    return 0;
}
