#include "wire/beacon.h"

#include <errno.h>
#include <gen/mesh.pb-c.h>
#include <stdio.h>
#include <string.h>
#include <svisor/limits.h>

#include "port/mesh.h"
#include "wire/protobuf.h"

int sv_beacon_encode(const struct sv_beacon *beacon, struct sv_str *ret_bytes)
{
    struct sv_arena arena = {0};
    Svisor__Mesh__Beacon to = SVISOR__MESH__BEACON__INIT;
    to.mark = SV_BEACON_MARK;
    to.protocol = SV_MESH_PROTOCOL;
    to.identifier = sv_protobuf_text(beacon->identifier, &arena);
    to.nick = sv_protobuf_text(beacon->nick, &arena);
    to.host = sv_protobuf_text(beacon->host, &arena);
    to.http_port = beacon->http_port;
    to.event_port = beacon->event_port;
    to.is_question = beacon->is_question;
    to.stereotypes =
        sv_arena_array(&arena, char *, beacon->stereotype_count + 1 /* never nothing */);
    bool is_filled = to.identifier && to.nick && to.host && to.stereotypes;
    for (size_t i = 0; is_filled && i < beacon->stereotype_count; i++) {
        to.stereotypes[i] = sv_protobuf_text(beacon->stereotypes[i], &arena);
        is_filled = to.stereotypes[i];
    }
    to.n_stereotypes = beacon->stereotype_count;
    int r = is_filled ? sv_protobuf_append(&to.base, SV_BEACON_BYTES_MAX, ret_bytes) : -ENOMEM;
    sv_arena_done(&arena);
    return r;
}

/* NULL: it can be believed as far as a beacon can. */
static const char *fault_of(const Svisor__Mesh__Beacon *beacon)
{
    char identifier[SV_BEACON_BYTES_MAX];
    if (beacon->http_port < 1 || beacon->http_port > UINT16_MAX)
        return "it has an impossible http_port";
    if (beacon->event_port > UINT16_MAX)
        return "it has an impossible event_port";
    if (beacon->host[0] == '\0' || beacon->nick[0] == '\0')
        return "it does not say who it is";
    if (beacon->host[strcspn(beacon->host, "/,;<> \t\r\n")] != '\0')
        return "its host is no name of a host";
    snprintf(identifier, sizeof(identifier), "%s:%u", beacon->host, beacon->http_port);
    if (strcmp(identifier, beacon->identifier) != 0)
        return "its identifier is not host:http_port";
    return NULL;
}

int sv_beacon_decode(const void *bytes, size_t length, struct sv_arena *arena,
                     struct sv_beacon *ret_beacon, const char **ret_why)
{
    /* The mark is the first field, and a number of fixed width: known without reading the rest. */
    static const unsigned char mark[] = {0x0d, SV_BEACON_MARK & 0xff, SV_BEACON_MARK >> 8 & 0xff,
                                         SV_BEACON_MARK >> 16 & 0xff, SV_BEACON_MARK >> 24};
    *ret_why = "it is no beacon of svisor";
    if (length < sizeof(mark) || memcmp(bytes, mark, sizeof(mark)) != 0)
        return SV_BEACON_E_FOREIGN;
    *ret_why = "it is too long";
    if (length > SV_BEACON_BYTES_MAX)
        return SV_BEACON_E_MALFORMED;
    ProtobufCMessage *unpacked;
    int r = sv_protobuf_unpack(&svisor__mesh__beacon__descriptor, bytes, length, arena, &unpacked,
                               ret_why);
    if (r != 0)
        return r < 0 ? r : SV_BEACON_E_MALFORMED;
    const Svisor__Mesh__Beacon *from = (const Svisor__Mesh__Beacon *)unpacked;
    *ret_why = "it speaks another version of the protocol";
    if (from->protocol != SV_MESH_PROTOCOL)
        return SV_BEACON_E_FOREIGN;
    *ret_why = fault_of(from);
    if (*ret_why)
        return SV_BEACON_E_MALFORMED;
    *ret_beacon = (struct sv_beacon){
        .identifier = from->identifier,
        .nick = from->nick,
        .host = from->host,
        .http_port = (uint16_t)from->http_port,
        .event_port = (uint16_t)from->event_port,
        .stereotypes = (const char *const *)from->stereotypes,
        .stereotype_count = from->n_stereotypes,
        .is_question = from->is_question,
    };
    return 0;
}
