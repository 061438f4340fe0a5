/*
 * index.html?action=…&processname=…: what the buttons of Supervisor's page ask for (4.2.5, web.py,
 * StatusView), with its words.
 *
 *     POST   is done, then 303 to ./?message=…, where Supervisor has 301
 *     GET    changes nothing: 405 and a page with a button, because a link, a picture or a crawler
 *            makes a browser GET, with the user's password, and Supervisor believes them all.
 *            With the word of [svisor] action_token in `token` it is done
 *
 * A POST that a page of another origin has made is refused, as everywhere (origin.c).
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/target.h"
#include "api/text.h"
#include "base/log.h"
#include "driver/classic/internal.h"
#include "driver/internal.h"
#include "driver/rest/rest.h"
#include "wire/form.h"

enum { CTIME_BYTES = 26 };

static const struct action {
    const char *word;
    bool is_of_process;
    const char *methods[2]; /* the second one after the first one has ended, whatever came of it */
    const char *done;       /* %s: the process, or the time */
    const char *failed;     /* before the words for a fault; NULL: nothing */
} actions[] = {
    {"start", true, {"supervisor.startProcess"}, "Process %s started", "ERROR: Process %s: "},
    {"stop", true, {"supervisor.stopProcess"}, "Process %s stopped", NULL},
    {"restart",
     true,
     {"supervisor.stopProcess", "supervisor.startProcess"},
     "Process %s restarted",
     NULL},
    {"clearlog", true, {"supervisor.clearProcessLogs"}, "Log for %s cleared", NULL},
    {"stopall", false, {"supervisor.stopAllProcesses"}, "All stopped at %s", NULL},
    {"restartall",
     false,
     {"supervisor.stopAllProcesses", "supervisor.startAllProcesses"},
     "All restarted at %s",
     NULL},
    {"refresh", false, {NULL}, "Page refreshed at %s", NULL},
};

/* Words for the faults of start; others are "unexpected". */
static const struct {
    int code;
    const char *text;
} start_faults[] = {
    {SV_FAULT_NO_FILE, "no such file"},
    {SV_FAULT_NOT_EXECUTABLE, "file not executable"},
    {SV_FAULT_ALREADY_STARTED, "already started"},
    {SV_FAULT_SPAWN_ERROR, "spawn error"},
    {SV_FAULT_ABNORMAL_TERMINATION, "abnormal termination"},
};

/* The name in it is what somebody has sent, and perhaps no UTF-8. */
static void reply_message(struct sv_http_exchange *exchange, const struct sv_str *message)
{
    json_t *readable = sv_text_json(sv_str_text(message));
    const char *words = readable ? json_string_value(readable) : "";
    struct sv_str location SV_CLEANUP(sv_str_done) = {0};
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_add(&location, "./?message=");
    sv_form_add_escaped(&location, words);
    sv_str_addf(&text, "%s\n", words);
    json_decref(readable);
    sv_page_redirect(exchange, 303, &location, sv_str_text(&text));
}

/* ---- Doing it ---- */

struct deed {
    struct sv_driver *driver;
    struct sv_http_exchange *exchange; /* NULL: nobody waits for it any more */
    struct sv_api_call *waiting;       /* NULL until it is known to wait */
    const struct action *action;
    char *name;
};

static void deed_free(struct deed *deed)
{
    free(deed->name);
    free(deed);
}

/* The rows are ours: which text has which arguments is known. */
static void add_row_text(struct sv_str *message, const char *format, const char *argument)
{
    const char *mark = strstr(format, "%s");
    sv_str_append(message, format, (size_t)(mark - format));
    sv_str_add(message, argument);
    sv_str_add(message, mark + 2);
}

static void add_done(const struct action *action, const char *name, struct sv_str *message)
{
    char text[CTIME_BYTES] = "";
    time_t now = time(NULL);
    if (!name && ctime_r(&now, text))
        text[strcspn(text, "\n")] = '\0';
    add_row_text(message, action->done, name ? name : text);
}

static void add_fault(const struct deed *deed, const struct sv_api_answer *answer,
                      struct sv_str *message)
{
    if (deed->action->failed) {
        add_row_text(message, deed->action->failed, deed->name);
        for (size_t i = 0; i < SV_ARRAY_LENGTH(start_faults); i++) {
            if (start_faults[i].code != answer->fault_code)
                continue;
            sv_str_add(message, start_faults[i].text);
            return;
        }
    }
    sv_str_addf(message, "unexpected rpc fault [%d] %s", answer->fault_code, answer->fault_text);
}

static void on_answered(void *user, const struct sv_api_answer *answer)
{
    struct deed *deed = user;
    struct sv_str message SV_CLEANUP(sv_str_done) = {0};
    if (answer->fault_code)
        add_fault(deed, answer, &message);
    else
        add_done(deed->action, deed->name, &message);
    if (deed->exchange)
        reply_message(deed->exchange, &message);
    deed_free(deed);
}

/* The second method has not begun perhaps: a restart does not end when all is stopped, as it does
 * with Supervisor. When the daemon ends there is nothing left to do. */
static void on_caller_gone(void *user)
{
    struct deed *deed = user;
    bool is_running = sv_core_state(deed->driver->core) == SV_SUPERVISOR_RUNNING;
    deed->exchange = NULL;
    if (deed->waiting && deed->action->methods[1] && is_running)
        return;
    if (deed->waiting)
        sv_api_call_cancel(deed->waiting);
    deed_free(deed);
}

static json_t *parameters_of(const struct action *action, const char *name)
{
    json_t *parameters = json_array();
    if (action->is_of_process)
        json_array_append_new(parameters, json_string(name));
    return parameters;
}

/* Two methods are one system.multicall, as in Supervisor. */
static json_t *multicall_of(const struct action *action, const char *name)
{
    json_t *calls = json_array();
    for (size_t i = 0; i < SV_ARRAY_LENGTH(action->methods); i++)
        json_array_append_new(calls, json_pack("{s:s, s:o}", "methodName", action->methods[i],
                                               "params", parameters_of(action, name)));
    return json_pack("[o]", calls);
}

static void perform(struct sv_driver *driver, struct sv_http_exchange *exchange,
                    const struct action *action, const char *name)
{
    struct deed *deed = calloc(1, sizeof(*deed));
    json_t *params = action->methods[1] ? multicall_of(action, name) : parameters_of(action, name);
    if (deed && action->is_of_process)
        deed->name = strdup(name);
    if (!deed || !params || (action->is_of_process && !deed->name)) {
        if (deed)
            deed_free(deed);
        json_decref(params);
        sv_http_reply_text(exchange, 503, "out of memory\n");
        return;
    }
    deed->driver = driver;
    deed->exchange = exchange;
    deed->action = action;
    sv_http_on_closed(exchange, on_caller_gone, deed);
    const char *method = action->methods[1] ? "system.multicall" : action->methods[0];
    sv_log(SV_LOG_TRACE, "web action: %s %s", action->word, action->is_of_process ? name : "");
    struct sv_api_call *waiting = sv_api_call(driver->api, method, params, on_answered, deed);
    if (waiting)
        deed->waiting = waiting; /* otherwise it is answered, and deed is gone */
    json_decref(params);
}

/* ---- Whether to do it ---- */

static const struct action *find_action(const char *word)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(actions); i++)
        if (strcmp(actions[i].word, word) == 0)
            return &actions[i];
    return NULL;
}

/* In a time that does not say how much of it was right. */
static bool is_same(const char *one, const char *other)
{
    size_t length = strlen(other);
    unsigned difference = strlen(one) != length;
    for (size_t i = 0; i < length && one[i]; i++)
        difference |= (unsigned)(one[i] ^ other[i]);
    return difference == 0;
}

static bool has_token(const struct sv_driver *driver, const struct sv_http_exchange *exchange)
{
    struct sv_str token SV_CLEANUP(sv_str_done) = {0};
    const char *wanted = driver->config->daemon.action_token;
    return wanted && strcmp(sv_http_method(exchange), "HEAD") != 0 &&
           sv_classic_field(exchange, "token", &token) && is_same(sv_str_text(&token), wanted);
}

void sv_classic_refuse(struct sv_http_exchange *exchange, unsigned status, const char *why)
{
    struct sv_str page SV_CLEANUP(sv_str_done) = {0};
    sv_page_begin(&page, "Nothing was done");
    sv_str_addf(&page, "<p>%s</p>\n<p><a href=\"./\">All programs</a></p>\n", why);
    sv_page_reply(exchange, status, &page);
}

static void ask_first(struct sv_http_exchange *exchange, const struct action *action,
                      const char *name)
{
    struct sv_str page SV_CLEANUP(sv_str_done) = {0};
    sv_page_begin(&page, "Nothing was done yet");
    sv_str_add(&page, "<p>Following a link changes nothing. To do it, press the button; a program "
                      "sends a POST.</p>\n");
    sv_page_add_button(&page, action->word, action->is_of_process ? name : NULL);
    sv_str_add(&page, "<p><a href=\"./\">All programs</a></p>\n");
    sv_http_add_header(exchange, "Allow", "POST");
    sv_page_reply(exchange, 405, &page);
}

static bool is_process(struct sv_driver *driver, const char *name)
{
    const struct sv_group_view *group;
    struct sv_process_view view;
    return sv_target_find(&driver->api_host, name, &group, &view) && view.id != 0;
}

static void act(struct sv_driver *driver, struct sv_http_exchange *exchange,
                const struct action *action, const char *name)
{
    struct sv_str message SV_CLEANUP(sv_str_done) = {0};
    if (!action->methods[0])
        add_done(action, NULL, &message);
    else if (action->is_of_process && !is_process(driver, name))
        sv_str_addf(&message, "No such process named %s", name);
    if (message.length > 0)
        reply_message(exchange, &message);
    else
        perform(driver, exchange, action, name);
}

void sv_classic_act(struct sv_driver *driver, struct sv_http_exchange *exchange, const char *word)
{
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    const struct action *action = find_action(word);
    bool has_name = sv_classic_field(exchange, "processname", &name) && name.length > 0;
    bool is_harmless = action && !action->methods[0];
    if (!action)
        sv_classic_refuse(exchange, 400, SV_CLASSIC_NO_ACTION);
    else if (action->is_of_process && !has_name)
        sv_classic_refuse(exchange, 400, "The action wants a processname.");
    else if (is_harmless || has_token(driver, exchange))
        act(driver, exchange, action, sv_str_text(&name));
    else if (!sv_classic_is_post(exchange))
        ask_first(exchange, action, sv_str_text(&name));
    else if (sv_origin_is_foreign(exchange))
        sv_classic_refuse(exchange, 403, SV_ORIGIN_REFUSED);
    else
        act(driver, exchange, action, sv_str_text(&name));
}
