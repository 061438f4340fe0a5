/* Events for WebSocket clients. For publisher.c. */
#ifndef SV_IO_PUBLISH_WS_H
#define SV_IO_PUBLISH_WS_H

#include "io/http.h"
#include "io/publisher.h"

struct sv_publish_ws;

/* `tell_missed` of the settings is kept. */
int sv_publish_ws_new(struct sv_loop *loop, const struct sv_publisher_settings *settings,
                      struct sv_publish_ws **ret_publish);
/* NULL is allowed. */
void sv_publish_ws_free(struct sv_publish_ws *publish);
/* Also on a port of its own. Negative errno, and `ret_problem` says why. */
int sv_publish_ws_listen(struct sv_publish_ws *publish, uint16_t port, struct sv_str *ret_problem);
/* Answers the request: with a WebSocket for what `path` asks for, or with why not. */
void sv_publish_ws_accept(struct sv_publish_ws *publish, struct sv_http_exchange *exchange,
                          const char *path);
/* What the clients who are there want. */
sv_publication_set sv_publish_ws_wanted(const struct sv_publish_ws *publish);
void sv_publish_ws_send(struct sv_publish_ws *publish, enum sv_publication header, const char *body,
                        size_t length);

#endif
