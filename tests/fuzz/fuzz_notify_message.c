/* Any datagram: no crash, and what is kept of a status is one clean line. The same bytes are also
 * the first line of an HTTP answer. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "wire/http_status.h"
#include "wire/notify_message.h"
#include "wire/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sv_notify_message message;
    if (sv_notify_parse((const char *)data, size, &message) && message.has_status) {
        size_t length = strnlen(message.status, sizeof(message.status));
        assert(length < sizeof(message.status));
        assert(sv_utf8_is_valid(message.status, length));
        for (size_t i = 0; i < length; i++)
            assert((unsigned char)message.status[i] >= ' ');
    }
    int status = sv_http_status((const char *)data, size);
    assert(status >= SV_HTTP_STATUS_NONE && status <= 999);
    return 0;
}
