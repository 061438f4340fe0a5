/* What the files of driver/rest/ share. */
#ifndef SV_DRIVER_REST_INTERNAL_H
#define SV_DRIVER_REST_INTERNAL_H

#include "base/str.h"
#include "driver/rest/rest.h"

/* An answer in JSON with the headers that every one has; a body that has failed becomes a 500. */
void sv_rest_reply(struct sv_http_exchange *exchange, unsigned status, const struct sv_str *body);
void sv_rest_reply_fault(struct sv_http_exchange *exchange, unsigned status, int code,
                         const char *text);
/* True: the verb is none that reads, and the request was answered with 405. */
bool sv_rest_refuse_verb(struct sv_http_exchange *exchange);

/* /api/. False: the path is another one. */
bool sv_rest_page_handle(struct sv_http_exchange *exchange);

#endif
