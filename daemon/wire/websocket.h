/* The request that opens a WebSocket (RFC 6455, 4.2.1). Frames are libwslay's. */
#ifndef SV_WIRE_WEBSOCKET_H
#define SV_WIRE_WEBSOCKET_H

#include <stdbool.h>

/* Headers as they came; NULL: absent. */
struct sv_websocket_request {
    const char *method;
    const char *upgrade;    /* Upgrade */
    const char *connection; /* Connection */
    const char *version;    /* Sec-WebSocket-Version */
    const char *key;        /* Sec-WebSocket-Key */
    const char *origin;     /* Origin: a browser's page, and where it came from */
    const char *host;       /* Host */
};

/* Why it opens none: words for people. NULL: it does. */
const char *sv_websocket_refusal(const struct sv_websocket_request *request);
/* The page, if there is one, came from the host and port that it asks. */
bool sv_websocket_is_same_origin(const struct sv_websocket_request *request);

#endif
