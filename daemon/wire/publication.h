/* Headers of published events, and how subscribers name them. The rows are those of
 * svisor/publications.def. */
#ifndef SV_WIRE_PUBLICATION_H
#define SV_WIRE_PUBLICATION_H

#include <stddef.h>
#include <stdint.h>

enum sv_publication {
#define PUBLICATION(tag, name, kind, doc) SV_PUBLICATION_##tag,
#include "svisor/publications.def"
    SV_PUBLICATION_COUNT
};

typedef uint32_t sv_publication_set; /* bit n: enum sv_publication n */

static inline sv_publication_set sv_publication_bit(enum sv_publication header)
{
    return UINT32_C(1) << header;
}

const char *sv_publication_name(enum sv_publication header);
/* Supvisors' seven. */
sv_publication_set sv_publication_classic(void);

/* The path of a WebSocket, "/supvisors/process": what it asks for. Any word between the slashes
 * that is a header; "all" are the classic ones. */
sv_publication_set sv_publication_of_path(const char *path);

/* A message of a ZeroMQ subscriber: whether it subscribes or takes that back, and to what. */
struct sv_subscription {
    enum { SV_SUBSCRIPTION_NONE, SV_SUBSCRIPTION_BEGIN, SV_SUBSCRIPTION_END } kind;
    sv_publication_set headers; /* all that begin with the text; of no text, the classic ones */
};
struct sv_subscription sv_publication_of_message(const void *bytes, size_t length);

#endif
