/*
 * The addresses of Supervisor's web server (4.2.5, web.py) and of Supvisors' pages (0.19, web/),
 * which scripts and bookmarks have:
 *
 *     /index.html?action=…           actions.c
 *     /tail.html?processname=web     the end of its output, as a plain page
 *     /maintail.html                 the end of the daemon's log, likewise
 *     /ok.html                       OK
 *     /application.html?appname=…    and the others: where the dashboard has what they had
 *
 * /logtail and /mainlogtail are in routes.c, as they have always been.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "api/fault.h"
#include "driver/classic/internal.h"
#include "driver/internal.h"
#include "driver/rest/rest.h"
#include "wire/form.h"

/* What Supervisor shows at least, and when nothing was said; what it shows at most is ours. */
enum { LIMIT_MIN = 1024, LIMIT_MAX = 1 << 20, LIMIT_DIGITS_MAX = 9 };

/* ---- Requests ---- */

bool sv_classic_is_post(const struct sv_http_exchange *exchange)
{
    return strcmp(sv_http_method(exchange), "POST") == 0;
}

bool sv_classic_field(const struct sv_http_exchange *exchange, const char *name,
                      struct sv_str *ret_value)
{
    size_t length;
    const char *form = sv_http_body(exchange, &length);
    if (sv_form_find(form, length, name, ret_value))
        return true;
    const char *value = sv_http_query(exchange, name);
    if (value)
        sv_str_add(ret_value, value);
    return value != NULL;
}

/* ---- Tails ---- */

static int limit_of(const struct sv_http_exchange *exchange)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_classic_field(exchange, "limit", &text);
    const char *digits = sv_str_text(&text);
    size_t length = strspn(digits, "0123456789");
    if (length == 0 || digits[length] || length > LIMIT_DIGITS_MAX)
        return length > LIMIT_DIGITS_MAX ? LIMIT_MAX : LIMIT_MIN;
    long limit = strtol(digits, NULL, 10);
    return limit < LIMIT_MIN ? LIMIT_MIN : limit > LIMIT_MAX ? LIMIT_MAX : (int)limit;
}

struct tail {
    const char *name; /* NULL: the daemon's own */
    struct sv_str *page;
};

static void on_tail(void *user, const struct sv_api_answer *answer)
{
    const struct tail *tail = user;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    if (!answer->fault_code) {
        sv_page_add_text(tail->page, json_string_value(answer->result),
                         json_string_length(answer->result));
        return;
    }
    if (answer->fault_code == SV_FAULT_NO_FILE)
        sv_str_addf(&text, "No file for %s", tail->name ? tail->name : "Supervisor");
    else
        sv_str_addf(&text, "ERROR: unexpected rpc fault [%d] %s", answer->fault_code,
                    answer->fault_text);
    sv_page_add_text(tail->page, sv_str_text(&text), text.length);
}

/* Reading never waits: the page is whole when the call has returned. */
static void add_tail(struct sv_driver *driver, struct sv_str *page, const char *name, int limit)
{
    struct tail tail = {.name = name, .page = page};
    json_t *params =
        name ? json_pack("[s, i, i]", name, -limit, 0) : json_pack("[i, i]", -limit, 0);
    const char *method = name ? "supervisor.readProcessStdoutLog" : "supervisor.readLog";
    if (params)
        sv_api_call(driver->api, method, params, on_tail, &tail);
    else /* a name that is no text */
        sv_str_add(page, "No process name found");
    json_decref(params);
}

static void handle_tail(struct sv_driver *driver, struct sv_http_exchange *exchange)
{
    struct sv_str page SV_CLEANUP(sv_str_done) = {0};
    struct sv_str title SV_CLEANUP(sv_str_done) = {0};
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    bool is_named = sv_classic_field(exchange, "processname", &name) && name.length > 0;
    int limit = limit_of(exchange);
    sv_str_addf(&title, "Supervisor tail of process %s", is_named ? sv_str_text(&name) : "None");
    sv_page_begin(&page, sv_str_text(&title));
    sv_str_add(&page, "<pre>\n");
    if (is_named)
        add_tail(driver, &page, sv_str_text(&name), limit);
    else
        sv_str_add(&page, "No process name found");
    sv_str_add(&page, "</pre>\n");
    if (is_named) {
        sv_str_add(&page, "<p><a href=\"tail.html?processname=");
        sv_form_add_escaped(&page, sv_str_text(&name));
        sv_str_addf(&page, "&amp;limit=%d\">Refresh</a></p>\n", limit);
        sv_page_add_button(&page, "clearlog", sv_str_text(&name));
    }
    sv_page_reply(exchange, 200, &page);
}

static void handle_main_tail(struct sv_driver *driver, struct sv_http_exchange *exchange)
{
    struct sv_str page SV_CLEANUP(sv_str_done) = {0};
    int limit = limit_of(exchange);
    sv_page_begin(&page, "Supervisor tail");
    sv_str_add(&page, "<pre>\n");
    add_tail(driver, &page, NULL, limit);
    sv_str_addf(&page, "</pre>\n<p><a href=\"maintail.html?limit=%d\">Refresh</a></p>\n", limit);
    sv_page_reply(exchange, 200, &page);
}

/* ---- The rest ---- */

static void handle_ok(struct sv_driver *driver, struct sv_http_exchange *exchange)
{
    (void)driver;
    sv_http_reply_text(exchange, 200, "OK");
}

/* A page of Supvisors is elsewhere now. `word` names the field whose value the address has between
 * `place` and `rest`; NULL: none. Its actions are not done silently as if they had been. */
static void move_to(struct sv_http_exchange *exchange, const char *place, const char *word,
                    const char *rest)
{
    struct sv_str location SV_CLEANUP(sv_str_done) = {0};
    struct sv_str value SV_CLEANUP(sv_str_done) = {0};
    if (sv_classic_field(exchange, "action", &value) && value.length > 0) {
        sv_classic_refuse(exchange, 400, SV_CLASSIC_NO_ACTION);
        return;
    }
    sv_str_clear(&value);
    bool has_value = word && sv_classic_field(exchange, word, &value) && value.length > 0;
    sv_str_add(&location, !word || has_value ? place : "./");
    if (has_value) {
        sv_form_add_escaped(&location, sv_str_text(&value));
        sv_str_add(&location, rest);
    }
    sv_page_redirect(exchange, sv_classic_is_post(exchange) ? 303 : 308, &location, "");
}

static void handle_index(struct sv_driver *driver, struct sv_http_exchange *exchange)
{
    struct sv_str action SV_CLEANUP(sv_str_done) = {0};
    if (sv_classic_field(exchange, "action", &action) && action.length > 0)
        sv_classic_act(driver, exchange, sv_str_text(&action));
    else
        move_to(exchange, "./?message=", "message", "");
}

static void handle_application(struct sv_driver *driver, struct sv_http_exchange *exchange)
{
    (void)driver;
    move_to(exchange, "./#/applications/", "appname", "");
}

static void handle_instance(struct sv_driver *driver, struct sv_http_exchange *exchange)
{
    (void)driver;
    move_to(exchange, "./#/instances/", "ident", "");
}

static void handle_host(struct sv_driver *driver, struct sv_http_exchange *exchange)
{
    (void)driver;
    move_to(exchange, "./#/instances/", "ident", "/host");
}

static void handle_conciliation(struct sv_driver *driver, struct sv_http_exchange *exchange)
{
    (void)driver;
    move_to(exchange, "./#/conciliation", NULL, "");
}

static const struct {
    const char *path;
    void (*handle)(struct sv_driver *driver, struct sv_http_exchange *exchange);
} pages[] = {
    {"/index.html", handle_index},
    {"/tail.html", handle_tail},
    {"/ok.html", handle_ok},
    {"/maintail.html", handle_main_tail},
    {"/application.html", handle_application},
    {"/proc_instance.html", handle_instance},
    {"/host_instance.html", handle_host},
    {"/conciliation.html", handle_conciliation},
};

static bool refuse_verb(struct sv_http_exchange *exchange)
{
    static const char *const verbs[] = {"GET", "HEAD", "POST"};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(verbs); i++)
        if (strcmp(sv_http_method(exchange), verbs[i]) == 0)
            return false;
    sv_http_add_header(exchange, "Allow", "GET, HEAD, POST");
    sv_http_reply_text(exchange, 405, "pages are read with GET\n");
    return true;
}

bool sv_classic_handle(struct sv_driver *driver, struct sv_http_exchange *exchange)
{
    const char *path = sv_http_path(exchange);
    for (size_t i = 0; i < SV_ARRAY_LENGTH(pages); i++) {
        if (strcmp(path, pages[i].path) != 0)
            continue;
        if (!refuse_verb(exchange))
            pages[i].handle(driver, exchange);
        return true;
    }
    return false;
}
