/*
 * Plain pages, for addresses that have outlived their pages.
 *
 * The policy lets the browser load and run nothing, send forms to this server only, and show the
 * page in no frame, where another page might lead the user's hand to its buttons. The referrer goes
 * to this server only, and not to none: a browser that may send none says "Origin: null" with a
 * form, which is what the page of a stranger looks like (origin.c).
 */
#include <string.h>

#include "driver/classic/internal.h"
#include "wire/form.h"
#include "wire/utf8.h"

enum { LOCATION_BYTES_MAX = 4096 };

static const char content_type[] = "text/html; charset=utf-8";
static const char policy[] =
    "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/* NULL: a character that stands for itself. */
static const char *entity_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\0': /* no page may have one */
        return "";
    default:
        return NULL;
    }
}

void sv_page_add_text(struct sv_str *page, const char *text, size_t length)
{
    static const char unreadable[] = "\xef\xbf\xbd"; /* U+FFFD */
    for (size_t i = 0; i < length;) {
        uint32_t code;
        size_t size = sv_utf8_decode(text + i, length - i, &code);
        const char *entity = size == 0 ? unreadable : size == 1 ? entity_of(text[i]) : NULL;
        if (entity)
            sv_str_add(page, entity);
        else
            sv_str_append(page, text + i, size);
        i += size ? size : 1;
    }
}

void sv_page_begin(struct sv_str *page, const char *title)
{
    sv_str_add(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width\">\n"
                     "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    sv_page_add_text(page, title, strlen(title));
    sv_str_add(page, "</title>\n</head>\n<body>\n");
}

static void add_hidden(struct sv_str *page, const char *name, const char *value)
{
    sv_str_addf(page, "<input type=\"hidden\" name=\"%s\" value=\"", name);
    sv_page_add_text(page, value, strlen(value));
    sv_str_add(page, "\">");
}

void sv_page_add_button(struct sv_str *page, const char *action, const char *name)
{
    sv_str_add(page, "<form action=\"index.html\" method=\"post\">");
    add_hidden(page, "action", action);
    if (name)
        add_hidden(page, "processname", name);
    sv_str_addf(page, "<button>%s", action);
    if (name) {
        sv_str_add(page, " ");
        sv_page_add_text(page, name, strlen(name));
    }
    sv_str_add(page, "</button></form>\n");
}

void sv_page_reply(struct sv_http_exchange *exchange, unsigned status, struct sv_str *page)
{
    sv_str_add(page, "</body>\n</html>\n");
    sv_http_add_header(exchange, "Content-Security-Policy", policy);
    sv_http_add_header(exchange, "X-Content-Type-Options", "nosniff");
    sv_http_add_header(exchange, "Referrer-Policy", "same-origin");
    sv_http_add_header(exchange, "Cache-Control", "no-store");
    if (sv_str_ok(page))
        sv_http_reply(exchange, status, content_type, sv_str_text(page), page->length);
    else
        sv_http_reply_text(exchange, 503, "out of memory\n");
}

/* A name that is no name may have any length, and no header has. */
void sv_page_redirect(struct sv_http_exchange *exchange, unsigned status,
                      const struct sv_str *location, const char *text)
{
    bool is_good = sv_str_ok(location) && location->length <= LOCATION_BYTES_MAX;
    sv_http_add_header(exchange, "Location", is_good ? sv_str_text(location) : "./");
    sv_http_add_header(exchange, "X-Content-Type-Options", "nosniff");
    sv_http_add_header(exchange, "Cache-Control", "no-store");
    sv_http_reply_text(exchange, status, text);
}
