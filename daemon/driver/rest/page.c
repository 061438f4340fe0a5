/*
 * /api/: the page that tries REST, three files of web/try/ that are part of svisord.
 *
 * It asks nobody but this server, and its policy says so to the browser: no script, style or
 * connection of another origin, nothing inline, and no frame around it.
 */
#include <string.h>

#include "driver/rest/internal.h"
#include "gen/web_try.h"

static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static const struct {
    const char *path, *type;
    const unsigned char *bytes;
    size_t size;
} files[] = {
    {"/api/", "text/html; charset=utf-8", index_html, sizeof(index_html)},
    {"/api/try.css", "text/css; charset=utf-8", try_css, sizeof(try_css)},
    {"/api/try.js", "text/javascript; charset=utf-8", try_js, sizeof(try_js)},
};

static void add_headers(struct sv_http_exchange *exchange)
{
    sv_http_add_header(exchange, "Content-Security-Policy", policy);
    sv_http_add_header(exchange, "X-Content-Type-Options", "nosniff");
    sv_http_add_header(exchange, "Referrer-Policy", "no-referrer");
    sv_http_add_header(exchange, "Cache-Control", "no-cache");
}

bool sv_rest_page_handle(struct sv_http_exchange *exchange)
{
    const char *path = sv_http_path(exchange);
    if (strcmp(path, "/api") == 0) { /* so that the names in the page are found beside it */
        sv_http_add_header(exchange, "Location", "api/");
        sv_http_reply(exchange, 308, NULL, "", 0);
        return true;
    }
    for (size_t i = 0; i < SV_ARRAY_LENGTH(files); i++) {
        if (strcmp(path, files[i].path) != 0)
            continue;
        if (sv_rest_refuse_verb(exchange, "GET, HEAD"))
            return true;
        add_headers(exchange);
        sv_http_reply(exchange, 200, files[i].type, files[i].bytes, files[i].size);
        return true;
    }
    return false;
}
