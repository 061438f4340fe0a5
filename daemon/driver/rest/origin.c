/*
 * Who has made a browser send this request?
 *
 * A page of any origin may let the browser POST to us: the answer is kept from it, but the command
 * is given, with the user's password. Browsers say where a request comes from, in headers that no
 * script can write:
 *
 *   Sec-Fetch-Site   since 2020 to 2023, over https and to localhost: "same-origin", or "none"
 *                    where the user has typed the address
 *   Origin           with every POST, for longer: must be the host that is asked, with its port
 *
 * A request with neither does not come from a browser: curl, Python, supervisorctl go on as ever.
 * The host is compared and not the scheme: behind a proxy that speaks TLS ours differs.
 */
#include "driver/rest/rest.h"

#include <string.h>
#include <strings.h>

bool sv_origin_is_foreign(const struct sv_http_exchange *exchange)
{
    const char *site = sv_http_header(exchange, "Sec-Fetch-Site");
    if (site)
        return strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
    const char *origin = sv_http_header(exchange, "Origin");
    if (!origin)
        return false;
    const char *host = sv_http_header(exchange, "Host");
    const char *mark = strstr(origin, "://");
    return !host || !mark || strcasecmp(mark + 3, host) != 0;
}
