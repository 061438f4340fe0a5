/* The header line of an event: process.py of Supervisor, _eventEnvelope(). */
#include <inttypes.h>

#include "base/names.h"
#include "wire/listener.h"
#include "wire/utf8.h"

void sv_envelope_encode(const struct sv_envelope *envelope, struct sv_str *ret_bytes)
{
    size_t length = sv_utf8_count(envelope->payload, envelope->payload_length);
    sv_str_addf(ret_bytes,
                "ver:3.0 server:%s serial:%" PRIu64 " pool:%s poolserial:%" PRIu64
                " eventname:%s len:%zu\n",
                envelope->server, envelope->serial, envelope->pool, envelope->pool_serial,
                sv_notice_name(envelope->type), length);
    sv_str_append(ret_bytes, envelope->payload, envelope->payload_length);
}
