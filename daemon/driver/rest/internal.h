/* What the files of driver/rest/ share. */
#ifndef SV_DRIVER_REST_INTERNAL_H
#define SV_DRIVER_REST_INTERNAL_H

#include "base/str.h"
#include "driver/rest/rest.h"

struct sv_rest_call;

/* An answer in JSON with the headers that every one has; a body that has failed becomes a 500. */
void sv_rest_reply(struct sv_http_exchange *exchange, unsigned status, const struct sv_str *body);

/* /api/. False: the path is another one. */
bool sv_rest_page_handle(struct sv_http_exchange *exchange);

/*
 * Makes the call and answers at once: with what came of it, or, if it waits, with 202 and the path
 * where to ask.
 */
void sv_rest_operation_begin(struct sv_driver *driver, struct sv_http_exchange *exchange,
                             const struct sv_rest_call *wanted);
/* /operations and /operations/ID. False: the path is another one. */
bool sv_rest_operation_handle(struct sv_driver *driver, struct sv_http_exchange *exchange);

#endif
