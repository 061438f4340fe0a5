/*
 * Calls of REST that go on while nobody waits: 202, a handle, and what came of them.
 *
 *     POST /supervisor/startProcess/web        Prefer: respond-async
 *     202  Location: /operations/18f2a-7       {"id": "18f2a-7", "method": …, "state": "RUNNING"}
 *     GET  /operations/18f2a-7                 {…, "state": "DONE", "result": true}
 *          Accept: text/event-stream           the same as an event, now and at its end
 *
 * A call that does not have to wait is answered at once, as without the header; so is a mistake.
 * What has ended is kept for SV_OPERATION_KEPT_SECONDS. There is no timer for it: the old ones go
 * when somebody asks or begins the next one, and until then they are bounded in number and in
 * bytes. An idle daemon stays asleep.
 *
 * A handle is made of the time when the first one was given and a number: one of a daemon before
 * this one is unknown here, and never means another call. With the daemon the handles end, not the
 * deeds.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/rest/rest.h"
#include "base/log.h"
#include "driver/internal.h"
#include "driver/rest/internal.h"

enum { ID_BYTES = 40 };

/* Somebody who has asked for a stream. */
struct watcher {
    struct operation *operation;
    struct watcher *next;
    struct sv_http_exchange *exchange;
    bool is_beginning; /* inside sv_http_stream_begin(), which may find it gone */
    bool is_gone;
};

struct operation {
    struct sv_operations *owner;
    struct operation *previous, *next; /* in the order in which they began */
    char id[ID_BYTES];
    const char *method;
    struct sv_api_call *waiting; /* NULL: it has ended, or is just being made */
    bool has_ended;
    uint64_t end_ns;
    unsigned status;      /* of HTTP, as it would have been answered */
    struct sv_str answer; /* its JSON: the result, or the fault */
    struct watcher *watchers;
};

struct sv_operations {
    struct operation *oldest, *newest;
    size_t count;
    size_t answer_bytes; /* of all that have ended */
    uint64_t epoch, last_number;
};

static void describe(const struct operation *operation, bool is_whole, struct sv_str *text);

/* ---- Streams ---- */

static bool tell(const struct watcher *watcher, bool is_whole)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_add(&text, "event: operation\ndata: ");
    describe(watcher->operation, is_whole, &text);
    sv_str_add(&text, "\n\n");
    return sv_str_ok(&text) && sv_http_stream_write(watcher->exchange, text.data, text.length) == 0;
}

static void watcher_free(struct watcher *watcher)
{
    struct watcher **link = &watcher->operation->watchers;
    while (*link && *link != watcher)
        link = &(*link)->next;
    if (*link)
        *link = watcher->next;
    free(watcher);
}

/* Tells what came of it, if anything has: without the result if that is too long for a stream. */
static void end_watchers(struct operation *operation)
{
    while (operation->watchers) {
        struct watcher *watcher = operation->watchers;
        if (operation->has_ended && !tell(watcher, true))
            (void)tell(watcher, false);
        sv_http_on_closed(watcher->exchange, NULL, NULL);
        sv_http_stream_end(watcher->exchange);
        watcher_free(watcher);
    }
}

static void on_watcher_gone(void *user)
{
    struct watcher *watcher = user;
    watcher->is_gone = true;
    if (!watcher->is_beginning)
        watcher_free(watcher);
}

static void watch(struct sv_http_exchange *exchange, struct operation *operation)
{
    struct watcher *watcher = calloc(1, sizeof(*watcher));
    if (!watcher) {
        sv_rest_reply_fault(exchange, 503, SV_FAULT_FAILED, "FAILED: out of memory");
        return;
    }
    *watcher = (struct watcher){.operation = operation,
                                .exchange = exchange,
                                .is_beginning = true,
                                .next = operation->watchers};
    operation->watchers = watcher;
    sv_http_add_header(exchange, "Cache-Control", "no-store");
    sv_http_add_header(exchange, "X-Content-Type-Options", "nosniff");
    sv_http_on_closed(exchange, on_watcher_gone, watcher);
    sv_http_stream_begin(exchange, 200, "text/event-stream; charset=utf-8");
    watcher->is_beginning = false;
    if (watcher->is_gone)
        watcher_free(watcher);
    else if (operation->has_ended)
        end_watchers(operation);
    else
        (void)tell(watcher, true);
}

/* ---- Operations ---- */

static void operation_free(struct operation *operation)
{
    end_watchers(operation);
    struct sv_operations *owner = operation->owner;
    *(operation->previous ? &operation->previous->next : &owner->oldest) = operation->next;
    *(operation->next ? &operation->next->previous : &owner->newest) = operation->previous;
    owner->count--;
    owner->answer_bytes -= operation->answer.length;
    sv_str_done(&operation->answer);
    free(operation);
}

void sv_operations_free(struct sv_operations *operations)
{
    while (operations && operations->oldest)
        operation_free(operations->oldest);
    free(operations);
}

static struct operation *operation_new(struct sv_operations *owner, const char *method)
{
    struct operation *operation = calloc(1, sizeof(*operation));
    if (!operation)
        return NULL;
    operation->owner = owner;
    operation->method = method;
    snprintf(operation->id, sizeof(operation->id), "%" PRIx64 "-%" PRIu64, owner->epoch,
             ++owner->last_number);
    operation->previous = owner->newest;
    *(owner->newest ? &owner->newest->next : &owner->oldest) = operation;
    owner->newest = operation;
    owner->count++;
    return operation;
}

static bool is_too_much(const struct sv_operations *operations, size_t more_count)
{
    return operations->count + more_count > SV_OPERATIONS_MAX ||
           operations->answer_bytes > SV_OPERATIONS_BYTES_MAX;
}

/* Forgets what is too old and, the oldest first, what is too much with so many more. */
static void forget(struct sv_operations *operations, size_t more_count)
{
    uint64_t now_ns = sv_now_ns();
    const uint64_t kept_ns = SV_OPERATION_KEPT_SECONDS * UINT64_C(1000000000);
    struct operation *next;
    for (struct operation *o = operations->oldest; o; o = next) {
        next = o->next;
        bool is_old = o->has_ended && now_ns - o->end_ns > kept_ns;
        if (is_old || (o->has_ended && is_too_much(operations, more_count)))
            operation_free(o);
    }
}

static void on_ended(void *user, const struct sv_api_answer *answer)
{
    struct operation *operation = user;
    operation->waiting = NULL;
    operation->has_ended = true;
    operation->end_ns = sv_now_ns();
    operation->status = 200;
    if (answer->fault_code) {
        operation->status = sv_fault_status((enum sv_fault)answer->fault_code);
        sv_rest_encode_fault(answer->fault_code, answer->fault_text, &operation->answer);
    } else {
        sv_rest_encode_result(answer->result, &operation->answer);
    }
    if (!sv_str_ok(&operation->answer) || operation->answer.length > SV_OPERATIONS_BYTES_MAX) {
        sv_str_done(&operation->answer);
        operation->answer = (struct sv_str){0};
        operation->status = 500;
        sv_rest_encode_fault(SV_FAULT_FAILED,
                             "FAILED: it is done, and its result is too large to be kept",
                             &operation->answer);
    }
    operation->owner->answer_bytes += operation->answer.length;
    end_watchers(operation);
}

static void describe(const struct operation *operation, bool is_whole, struct sv_str *text)
{
    static const char *const names[] = {"RUNNING", "DONE", "FAILED"};
    int state = !operation->has_ended ? 0 : operation->status == 200 ? 1 : 2;
    sv_str_addf(text, "{\"id\": \"%s\", \"method\": \"%s\", \"state\": \"%s\"", operation->id,
                operation->method, names[state]);
    if (operation->has_ended && is_whole) {
        sv_str_addf(text, ", \"%s\": ", state == 1 ? "result" : "fault");
        sv_str_append(text, operation->answer.data, operation->answer.length - 1); /* its newline */
    }
    sv_str_add(text, "}");
}

static void reply_accepted(struct sv_http_exchange *exchange, const struct operation *operation)
{
    struct sv_str body SV_CLEANUP(sv_str_done) = {0};
    char location[sizeof("/operations/") + ID_BYTES];
    snprintf(location, sizeof(location), "/operations/%s", operation->id);
    describe(operation, true, &body);
    sv_str_add_char(&body, '\n');
    sv_http_add_header(exchange, "Location", location);
    sv_http_add_header(exchange, "Preference-Applied", "respond-async");
    sv_rest_reply(exchange, 202, &body);
}

/* The registry, made when it is first needed; NULL without memory. */
static struct sv_operations *operations_of(struct sv_driver *driver)
{
    if (!driver->operations)
        driver->operations = calloc(1, sizeof(*driver->operations));
    if (driver->operations && driver->operations->epoch == 0)
        driver->operations->epoch = (uint64_t)sv_wall_ns();
    return driver->operations;
}

void sv_rest_operation_begin(struct sv_driver *driver, struct sv_http_exchange *exchange,
                             const struct sv_rest_call *wanted)
{
    struct sv_operations *operations = operations_of(driver);
    if (operations)
        forget(operations, 1);
    if (operations && operations->count >= SV_OPERATIONS_MAX) {
        sv_http_add_header(exchange, "Retry-After", "10");
        sv_rest_reply_fault(exchange, 503, SV_FAULT_FAILED,
                            "FAILED: too many calls go on already; ask without Prefer, or later");
        return;
    }
    struct operation *operation =
        operations ? operation_new(operations, wanted->method->name) : NULL;
    if (!operation) {
        sv_rest_reply_fault(exchange, 503, SV_FAULT_FAILED, "FAILED: out of memory");
        return;
    }
    sv_log(SV_LOG_TRACE, "REST method called: %s()", wanted->method->name);
    struct sv_api_call *waiting =
        sv_api_call(driver->api, wanted->name, wanted->params, on_ended, operation);
    if (waiting) {
        operation->waiting = waiting;
        reply_accepted(exchange, operation);
        return;
    }
    sv_rest_reply(exchange, operation->status, &operation->answer);
    operation_free(operation);
}

/* --- asking --- */

static void reply_list(struct sv_http_exchange *exchange, const struct sv_operations *operations)
{
    struct sv_str body SV_CLEANUP(sv_str_done) = {0};
    sv_str_add_char(&body, '[');
    for (const struct operation *o = operations->oldest; o; o = o->next) {
        describe(o, false, &body);
        sv_str_add(&body, o->next ? ", " : "");
    }
    sv_str_add(&body, "]\n");
    sv_rest_reply(exchange, 200, &body);
}

static void reply_one(struct sv_http_exchange *exchange, const struct operation *operation)
{
    struct sv_str body SV_CLEANUP(sv_str_done) = {0};
    describe(operation, true, &body);
    sv_str_add_char(&body, '\n');
    sv_rest_reply(exchange, 200, &body);
}

/* Nobody asks any more. What the call does goes on; only the waiting for it ends. */
static void drop(struct sv_http_exchange *exchange, struct operation *operation)
{
    struct sv_str body SV_CLEANUP(sv_str_done) = {0};
    if (operation->waiting)
        sv_api_call_cancel(operation->waiting);
    operation_free(operation);
    sv_str_add(&body, "true\n");
    sv_rest_reply(exchange, 200, &body);
}

static struct operation *find(const struct sv_operations *operations, const char *id)
{
    struct operation *found = operations->oldest;
    while (found && strcmp(found->id, id) != 0)
        found = found->next;
    return found;
}

static bool wants_stream(const struct sv_http_exchange *exchange)
{
    const char *accepted = sv_http_header(exchange, "Accept");
    return accepted && strcasestr(accepted, "text/event-stream");
}

bool sv_rest_operation_handle(struct sv_driver *driver, struct sv_http_exchange *exchange)
{
    const char *rest = sv_http_path(exchange) + strlen("/operations");
    if (*rest && *rest != '/')
        return false;
    struct sv_operations *operations = operations_of(driver);
    if (!operations) {
        sv_rest_reply_fault(exchange, 503, SV_FAULT_FAILED, "FAILED: out of memory");
        return true;
    }
    forget(operations, 0);
    bool is_list = *rest == '\0' || rest[1] == '\0';
    bool is_drop = !is_list && strcmp(sv_http_method(exchange), "DELETE") == 0;
    if (!is_drop && sv_rest_refuse_verb(exchange, is_list ? "GET, HEAD" : "GET, HEAD, DELETE"))
        return true;
    struct operation *operation = is_list ? NULL : find(operations, rest + 1);
    if (is_list)
        reply_list(exchange, operations);
    else if (!operation)
        sv_rest_reply_fault(exchange, 404, SV_FAULT_BAD_NAME,
                            "BAD_NAME: there is no such operation; those that have ended are "
                            "forgotten after ten minutes, and all with the daemon");
    else if (is_drop)
        drop(exchange, operation);
    else if (wants_stream(exchange) && strcmp(sv_http_method(exchange), "GET") == 0)
        watch(exchange, operation);
    else
        reply_one(exchange, operation);
    return true;
}
