/* Events as text/event-stream, which a client can resume. For publisher.c. */
#ifndef SV_IO_PUBLISH_SSE_H
#define SV_IO_PUBLISH_SSE_H

#include "io/http.h"
#include "io/publisher.h"

struct sv_publish_sse;

/* `tell_missed` of the settings is kept. */
int sv_publish_sse_new(struct sv_loop *loop, const struct sv_publisher_settings *settings,
                       struct sv_publish_sse **ret_publish);
/* NULL is allowed. Ends every stream. */
void sv_publish_sse_free(struct sv_publish_sse *publish);
/* Answers the request: with a stream of what `path` asks for, or with why not. */
void sv_publish_sse_accept(struct sv_publish_sse *publish, struct sv_http_exchange *exchange,
                           const char *path);
/* What the clients want who are there, or who may come back. */
sv_publication_set sv_publish_sse_wanted(const struct sv_publish_sse *publish);
void sv_publish_sse_send(struct sv_publish_sse *publish, enum sv_publication header,
                         const char *body, size_t length);

#endif
