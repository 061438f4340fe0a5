/* The paths of REST, for routes.c. */
#ifndef SV_DRIVER_REST_REST_H
#define SV_DRIVER_REST_REST_H

#include "io/http.h"

struct sv_driver;

/* False: the path is none of REST, and nothing was answered. */
bool sv_rest_handle(struct sv_driver *driver, struct sv_http_exchange *exchange);

/* Refusals with the body that every refusal of REST has; for other paths beside it, too. */
void sv_rest_reply_fault(struct sv_http_exchange *exchange, unsigned status, int code,
                         const char *text);
/* True: the verb is none that reads, and the request was answered with 405 and these verbs. */
bool sv_rest_refuse_verb(struct sv_http_exchange *exchange, const char *allow);

/* The calls that were answered with 202: driver->operations. After sv_api_free(). */
struct sv_operations;
void sv_operations_free(struct sv_operations *operations);

/*
 * True: a page of somebody else has made the browser send this. Requests that change something are
 * refused then: the browser adds the user's password, or stands on the right side of a firewall,
 * without asking him. See origin.c for the rule.
 */
bool sv_origin_is_foreign(const struct sv_http_exchange *exchange);

#define SV_ORIGIN_REFUSED                                                                          \
    "a page of another origin has sent this; only pages of this server may change something"

#endif
