/*
 * What is not believed is counted, and said: the first time at once, then once a minute with how
 * often it happened. Each instance has its own measure, so that a noisy one hides nobody else;
 * those that are no instances share one.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "io/mesh_internal.h"

#define COMPLAINT_PAUSE_NS UINT64_C(60000000000)

bool sv_mesh_may_complain(struct sv_mesh_complaint *complaint, char (*ret_text)[64])
{
    uint64_t now_ns = sv_now_ns();
    if (complaint->logged_ns != 0 && now_ns - complaint->logged_ns < COMPLAINT_PAUSE_NS) {
        complaint->silent_count++;
        return false;
    }
    (*ret_text)[0] = '\0';
    if (complaint->silent_count > 0)
        snprintf(*ret_text, sizeof(*ret_text), "; %" PRIu64 " more like it before",
                 complaint->silent_count);
    *complaint = (struct sv_mesh_complaint){.logged_ns = now_ns};
    return true;
}

void sv_mesh_drop(struct sv_mesh *mesh, struct sv_mesh_peer *peer, enum sv_mesh_drop kind,
                  const char *who, const char *detail)
{
    static const char *const texts[] = {
        [SV_MESH_DROP_MALFORMED] = "sent a message that cannot be read",
        [SV_MESH_DROP_OVERSIZED] = "sent a message that is too long",
        [SV_MESH_DROP_KIND] = "sent a message of a kind that only a newer svisord knows",
        [SV_MESH_DROP_REPLAYED] = "sent a message again, or out of order",
        [SV_MESH_DROP_MISPLACED] = "sent a message that is for another instance",
        [SV_MESH_DROP_FORGED] = "sent a message with a key that may not speak for it",
        [SV_MESH_DROP_STRANGER] = "sent a message, but it is no instance of this cluster",
        [SV_MESH_DROP_WAITING] = "sends messages, but there is no way back to it",
    };
    _Static_assert(SV_ARRAY_LENGTH(texts) == SV_MESH_DROP_COUNT, "each kind has a text");
    struct sv_mesh_complaint *complaint = peer ? &peer->complaints[kind] : &mesh->complaints[kind];
    char more[64];
    mesh->counters.dropped[kind]++;
    if (peer)
        peer->counters.dropped[kind]++;
    if (sv_mesh_may_complain(complaint, &more))
        sv_log_warn("mesh: %s %s%s%s; it was dropped, and more will only be counted%s",
                    peer ? peer->instance->nick : who, texts[kind], *detail ? ": " : "", detail,
                    more);
}
