/* The addresses of Supervisor's and Supvisors' web servers that scripts and bookmarks have, for
 * routes.c. See classic.c. */
#ifndef SV_DRIVER_CLASSIC_CLASSIC_H
#define SV_DRIVER_CLASSIC_CLASSIC_H

#include "io/http.h"

struct sv_driver;

/* False: the path is none of them, and nothing was answered. */
bool sv_classic_handle(struct sv_driver *driver, struct sv_http_exchange *exchange);

#endif
