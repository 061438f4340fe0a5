/*
 * REST over HTTP: a request is read by api/rest, called as XML-RPC would call it, and answered with
 * JSON and a status that fits.
 *
 * A call that waits keeps its exchange, as in routes.c; a client that goes away cancels it.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/rest/openapi.h"
#include "api/rest/rest.h"
#include "base/log.h"
#include "driver/internal.h"
#include "driver/rest/internal.h"

static const char content_type[] = "application/json";

void sv_rest_reply(struct sv_http_exchange *exchange, unsigned status, const struct sv_str *body)
{
    static const char failure[] =
        "{\"message\": \"FAILED: the answer is too large\", \"code\": 30}\n";
    sv_http_add_header(exchange, "Cache-Control", "no-store");
    sv_http_add_header(exchange, "X-Content-Type-Options", "nosniff");
    if (sv_str_ok(body))
        sv_http_reply(exchange, status, content_type, sv_str_text(body), body->length);
    else
        sv_http_reply(exchange, 500, content_type, failure, sizeof(failure) - 1);
}

void sv_rest_reply_fault(struct sv_http_exchange *exchange, unsigned status, int code,
                         const char *text)
{
    struct sv_str body SV_CLEANUP(sv_str_done) = {0};
    sv_rest_encode_fault(code, text, &body);
    sv_rest_reply(exchange, status, &body);
}

bool sv_rest_refuse_verb(struct sv_http_exchange *exchange, const char *allow)
{
    const char *verb = sv_http_method(exchange);
    if (strcmp(verb, "GET") == 0 || strcmp(verb, "HEAD") == 0)
        return false;
    sv_http_add_header(exchange, "Allow", allow);
    sv_rest_reply_fault(exchange, 405, SV_FAULT_INCORRECT_PARAMETERS,
                        "INCORRECT_PARAMETERS: this is read with GET");
    return true;
}

struct call {
    struct sv_http_exchange *exchange;
    struct sv_api_call *waiting; /* NULL until it is known to wait */
};

static void on_answered(void *user, const struct sv_api_answer *answer)
{
    struct call *call = user;
    if (answer->fault_code != 0) {
        unsigned status = sv_fault_status((enum sv_fault)answer->fault_code);
        sv_rest_reply_fault(call->exchange, status, answer->fault_code, answer->fault_text);
    } else {
        struct sv_str body SV_CLEANUP(sv_str_done) = {0};
        sv_rest_encode_result(answer->result, &body);
        sv_rest_reply(call->exchange, 200, &body);
    }
    free(call);
}

static void on_caller_gone(void *user)
{
    struct call *call = user;
    if (call->waiting)
        sv_api_call_cancel(call->waiting);
    free(call);
}

static void call_method(struct sv_driver *driver, struct sv_http_exchange *exchange,
                        const struct sv_rest_call *wanted)
{
    struct call *call = calloc(1, sizeof(*call));
    if (!call) {
        sv_rest_reply_fault(exchange, 503, SV_FAULT_FAILED, "FAILED: out of memory");
        return;
    }
    call->exchange = exchange;
    sv_http_on_closed(exchange, on_caller_gone, call);
    sv_log(SV_LOG_TRACE, "REST method called: %s()", wanted->method->name);
    struct sv_api_call *waiting =
        sv_api_call(driver->api, wanted->name, wanted->params, on_answered, call);
    if (waiting)
        call->waiting = waiting; /* otherwise it is answered, and call is gone */
}

/* RFC 7240: "Prefer: respond-async", perhaps among others. */
static bool wants_handle(const struct sv_http_exchange *exchange)
{
    static const char word[] = "respond-async";
    const char *prefer = sv_http_header(exchange, "Prefer");
    while (prefer) {
        prefer += strspn(prefer, ", \t");
        size_t length = strcspn(prefer, ",; \t");
        if (length == sizeof(word) - 1 && strncasecmp(prefer, word, length) == 0)
            return true;
        prefer = strchr(prefer, ',');
    }
    return false;
}

struct fields {
    struct sv_rest_field list[SV_REST_FIELDS_MAX];
    size_t count;
    bool is_full;
};

static bool add_field(void *user, const char *name, size_t name_length, const char *value,
                      size_t value_length)
{
    struct fields *fields = user;
    fields->is_full = fields->count == SV_REST_FIELDS_MAX;
    if (fields->is_full)
        return false;
    fields->list[fields->count++] = (struct sv_rest_field){
        .name = name, .name_length = name_length, .value = value, .value_length = value_length};
    return true;
}

static void handle_method(struct sv_driver *driver, struct sv_http_exchange *exchange)
{
    struct fields fields = {0};
    sv_http_each_query(exchange, add_field, &fields);
    if (fields.is_full) {
        sv_rest_reply_fault(exchange, 400, SV_FAULT_INCORRECT_PARAMETERS,
                            "INCORRECT_PARAMETERS: the query has more names than any method takes");
        return;
    }
    struct sv_rest_request request = {
        .verb = sv_http_method(exchange),
        .path = sv_http_path(exchange),
        .fields = fields.list,
        .field_count = fields.count,
        .content_type = sv_http_header(exchange, "Content-Type"),
        .has_cluster = driver->api_host.cluster != NULL,
    };
    request.body = sv_http_body(exchange, &request.body_length);
    struct sv_rest_call call;
    struct sv_rest_problem problem = {0};
    if (sv_rest_read(&request, &call, &problem)) {
        if (call.method->flags & SV_METHOD_WAITS && wants_handle(exchange))
            sv_rest_operation_begin(driver, exchange, &call);
        else
            call_method(driver, exchange, &call);
        json_decref(call.params);
        return;
    }
    sv_log_debug("REST request refused: %s", sv_str_text(&problem.text));
    if (problem.allow)
        sv_http_add_header(exchange, "Allow", problem.allow);
    sv_rest_reply_fault(exchange, problem.status, (int)problem.fault, sv_str_text(&problem.text));
    sv_str_done(&problem.text);
}

/* Made once: it takes 5 ms, in which no program would be looked after, and never changes. */
static void handle_openapi(struct sv_driver *driver, struct sv_http_exchange *exchange)
{
    struct sv_str *body = &driver->openapi;
    if (sv_rest_refuse_verb(exchange, "GET, HEAD"))
        return;
    if (body->length == 0)
        sv_rest_openapi(driver->api_host.cluster != NULL, body);
    sv_rest_reply(exchange, 200, body);
    if (!sv_str_ok(body))
        sv_str_done(body); /* memory was short: the next one tries again */
}

/* True: it may change something, a foreign page has sent it, and it was answered. */
static bool refuse_foreign(struct sv_http_exchange *exchange)
{
    const char *verb = sv_http_method(exchange);
    if (strcmp(verb, "GET") == 0 || strcmp(verb, "HEAD") == 0 || !sv_origin_is_foreign(exchange))
        return false;
    sv_rest_reply_fault(exchange, 403, SV_FAULT_FAILED, "FAILED: " SV_ORIGIN_REFUSED);
    return true;
}

bool sv_rest_handle(struct sv_driver *driver, struct sv_http_exchange *exchange)
{
    static const char operations[] = "/operations";
    const char *path = sv_http_path(exchange);
    if (sv_rest_is_path(path)) {
        if (!refuse_foreign(exchange))
            handle_method(driver, exchange);
        return true;
    }
    if (strncmp(path, operations, sizeof(operations) - 1) == 0)
        return refuse_foreign(exchange) || sv_rest_operation_handle(driver, exchange);
    if (strcmp(path, "/openapi.json") == 0) {
        handle_openapi(driver, exchange);
        return true;
    }
    return sv_rest_page_handle(exchange);
}
