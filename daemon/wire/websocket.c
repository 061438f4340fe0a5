/*
 * Is this request the beginning of a WebSocket?
 *
 *     GET /supvisors/process HTTP/1.1
 *     Upgrade: websocket
 *     Connection: keep-alive, Upgrade
 *     Sec-WebSocket-Version: 13
 *     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
 */
#include "wire/websocket.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "wire/base64.h"

enum { KEY_LENGTH = 24, KEY_BYTES = 16 };

/* A list with commas has the word; case does not matter. */
static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    while (list && *list) {
        list += strspn(list, " \t,");
        size_t item = strcspn(list, ",");
        size_t end = item;
        while (end > 0 && (list[end - 1] == ' ' || list[end - 1] == '\t'))
            end--;
        if (end == length && strncasecmp(list, word, length) == 0)
            return true;
        list += item;
    }
    return false;
}

static bool is_key(const char *key)
{
    struct sv_str bytes SV_CLEANUP(sv_str_done) = {0};
    return key && strlen(key) == KEY_LENGTH && sv_base64_decode(key, KEY_LENGTH, &bytes) &&
           bytes.length == KEY_BYTES;
}

const char *sv_websocket_refusal(const struct sv_websocket_request *request)
{
    if (strcmp(request->method, "GET") != 0 || !has_word(request->upgrade, "websocket") ||
        !has_word(request->connection, "upgrade"))
        return "this is a WebSocket: open it with a WebSocket client\n";
    if (!request->version || strcmp(request->version, "13") != 0)
        return "Sec-WebSocket-Version must be 13\n";
    if (!is_key(request->key))
        return "Sec-WebSocket-Key must be 16 bytes in base64\n";
    return NULL;
}

bool sv_websocket_is_same_origin(const struct sv_websocket_request *request)
{
    if (!request->origin)
        return true; /* no browser */
    const char *slashes = strstr(request->origin, "://");
    return slashes && request->host && strcasecmp(slashes + 3, request->host) == 0;
}
