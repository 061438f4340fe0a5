/*
 * The dashboard: the files of web/, built into one page, one script and one style sheet, which are
 * part of svisord.
 *
 * They are embedded as gzip only: every browser takes it, and it is a third of the size. The page
 * itself is small and plain, so that `curl http://host:port/` shows something. Whoever has a file
 * already asks with its ETag, and gets 304.
 */
#include <string.h>

#include "driver/internal.h"
#include "driver/rest/rest.h"
#include "gen/dashboard.h"

/* Only this server's files, nothing inline, no frame around it. 'self' is ws:// of this server,
 * too. */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static const struct {
    const char *path, *type, *etag;
    const unsigned char *bytes;
    size_t size;
    bool is_gzip;
} files[] = {
    {"/", "text/html; charset=utf-8", dashboard_html_etag, dashboard_html, sizeof(dashboard_html),
     false},
    {"/dashboard/app.js", "text/javascript; charset=utf-8", dashboard_js_etag, dashboard_js,
     sizeof(dashboard_js), true},
    {"/dashboard/app.css", "text/css; charset=utf-8", dashboard_css_etag, dashboard_css,
     sizeof(dashboard_css), true},
    {"/dashboard/icon.svg", "image/svg+xml", dashboard_svg_etag, dashboard_svg,
     sizeof(dashboard_svg), true},
};

static bool accepts_gzip(const struct sv_http_exchange *exchange)
{
    const char *accepted = sv_http_header(exchange, "Accept-Encoding");
    return accepted && (strstr(accepted, "gzip") || strchr(accepted, '*'));
}

static void reply_file(struct sv_http_exchange *exchange, size_t place)
{
    sv_http_add_header(exchange, "X-Content-Type-Options", "nosniff");
    sv_http_add_header(exchange, "Referrer-Policy", "no-referrer");
    sv_http_add_header(exchange, "Content-Security-Policy", policy);
    sv_http_add_header(exchange, "Cache-Control", "no-cache"); /* keep it, but ask each time */
    sv_http_add_header(exchange, "Vary", "Accept-Encoding");
    if (files[place].is_gzip && !accepts_gzip(exchange)) {
        sv_http_reply_text(exchange, 406,
                           "this file is there as gzip only (Accept-Encoding: gzip)\n");
        return;
    }
    sv_http_add_header(exchange, "ETag", files[place].etag);
    const char *known = sv_http_header(exchange, "If-None-Match");
    if (known && strstr(known, files[place].etag)) {
        sv_http_reply(exchange, 304, NULL, "", 0);
        return;
    }
    if (files[place].is_gzip)
        sv_http_add_header(exchange, "Content-Encoding", "gzip");
    sv_http_reply(exchange, 200, files[place].type, files[place].bytes, files[place].size);
}

bool sv_dashboard_handle(struct sv_http_exchange *exchange)
{
    const char *path = sv_http_path(exchange);
    for (size_t i = 0; i < SV_ARRAY_LENGTH(files); i++) {
        if (strcmp(path, files[i].path) != 0)
            continue;
        if (!sv_rest_refuse_verb(exchange, "GET, HEAD"))
            reply_file(exchange, i);
        return true;
    }
    return false;
}
