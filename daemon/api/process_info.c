/*
 * supervisor.getProcessInfo and getAllProcessInfo: the structs that supervisorctl, monitors and
 * dashboards read, key by key as rpcinterface.py builds them.
 */
#include <stdlib.h>
#include <time.h>

#include "api/handlers.h"
#include "api/target.h"
#include "api/text.h"
#include "base/names.h"
#include "base/wait_status.h"

enum { NANOSECONDS = 1000000000, DAY = 86400 };

/* XML-RPC integers have 32 bits, and clients rely on it: rpcinterface.py, capped_int(). */
static int64_t seconds_of(int64_t wall_ns)
{
    int64_t seconds = wall_ns / NANOSECONDS;
    return seconds > INT32_MAX ? INT32_MAX : seconds;
}

/* As Python prints a timedelta: "0:00:05", "1 day, 2:03:04". */
static void add_uptime(int64_t seconds, struct sv_str *ret)
{
    if (seconds < 0) /* the clock was set back */
        seconds = 0;
    int64_t days = seconds / DAY;
    int rest = (int)(seconds % DAY);
    if (days > 0)
        sv_str_addf(ret, "%lld day%s, ", (long long)days, days == 1 ? "" : "s");
    sv_str_addf(ret, "%d:%02d:%02d", rest / 3600, rest / 60 % 60, rest % 60);
}

/* "Nov 22 03:04 PM", local time. */
static void add_date(int64_t seconds, struct sv_str *ret)
{
    time_t when = (time_t)seconds;
    struct tm local;
    char text[64];
    if (localtime_r(&when, &local) && strftime(text, sizeof text, "%b %d %I:%M %p", &local) > 0)
        sv_str_add(ret, text);
}

void sv_api_describe_running(int32_t pid, int64_t start, int64_t now, struct sv_str *ret)
{
    sv_str_addf(ret, "pid %d, uptime ", (int)pid);
    add_uptime(now - start, ret);
}

void sv_api_describe_process(const struct sv_process_view *view, int64_t now, struct sv_str *ret)
{
    switch (view->state) {
    case SV_PROCESS_RUNNING:
        sv_api_describe_running(view->pid, seconds_of(view->started_wall_ns), now, ret);
        break;
    case SV_PROCESS_FATAL:
    case SV_PROCESS_BACKOFF:
        if (*view->spawnerr)
            sv_str_add(ret, view->spawnerr);
        else
            sv_str_addf(ret, "unknown error (try \"tail %s\")", view->config->name);
        break;
    case SV_PROCESS_STOPPED:
    case SV_PROCESS_EXITED:
        if (view->started_wall_ns)
            add_date(seconds_of(view->stopped_wall_ns), ret);
        else
            sv_str_add(ret, "Not started");
        break;
    case SV_PROCESS_STARTING:
    case SV_PROCESS_STOPPING:
    case SV_PROCESS_UNKNOWN:
        break;
    }
}

/* New reference; NULL without memory. */
static json_t *info_of(const struct sv_api_host *host, const struct sv_process_view *view)
{
    int64_t now = seconds_of(host->wall_ns(host->user));
    const char *out = host->log_path(host->user, view->id, SV_STDOUT);
    const char *err = host->log_path(host->user, view->id, SV_STDERR);
    struct sv_str description SV_CLEANUP(sv_str_done) = {0};
    sv_api_describe_process(view, now, &description);
    return json_pack(
        "{s:o, s:o, s:I, s:I, s:I, s:i, s:s, s:o, s:i, s:o, s:o, s:o, s:i, s:o}",           //
        "name", sv_text_json(view->config->name), "group", sv_text_json(view->group->name), //
        "start", (json_int_t)seconds_of(view->started_wall_ns),                             //
        "stop", (json_int_t)seconds_of(view->stopped_wall_ns), "now", (json_int_t)now,      //
        "state", (int)view->state, "statename", sv_process_state_name(view->state),         //
        "spawnerr", sv_text_json(view->spawnerr), "exitstatus",
        view->has_wait_status ? sv_wait_exitstatus(view->wait_status) : 0,                       //
        "logfile", sv_text_json(out ? out : ""), "stdout_logfile", sv_text_json(out ? out : ""), //
        "stderr_logfile", sv_text_json(err ? err : ""), "pid", (int)view->pid,                   //
        "description", sv_text_json(sv_str_text(&description)));
}

void sv_method_get_process_info(struct sv_api_call *call, const struct sv_argument *arguments)
{
    struct sv_process_view view;
    if (sv_target_process(call, arguments[0].text, &view))
        sv_call_return(call, info_of(sv_call_host(call), &view));
}

static int compare_views(const void *a, const void *b)
{
    const struct sv_process_view *left = a, *right = b;
    int order = strcmp(left->group->name, right->group->name);
    return order ? order : strcmp(left->config->name, right->config->name);
}

/* All processes by group and name. NULL without memory. */
static struct sv_process_view *sorted_views(const struct sv_api_host *host, size_t *ret_count)
{
    size_t group_count, total = 0, count = 0;
    const struct sv_group_view *groups = host->groups(host->user, &group_count);
    for (size_t i = 0; i < group_count; i++)
        total += groups[i].process_count;
    struct sv_process_view *views = calloc(total ? total : 1, sizeof *views);
    if (!views)
        return NULL;
    for (size_t i = 0; i < group_count; i++)
        for (size_t k = 0; k < groups[i].process_count; k++)
            if (host->process(host->user, groups[i].processes[k], &views[count]))
                count++;
    qsort(views, count, sizeof *views, compare_views);
    *ret_count = count;
    return views;
}

void sv_method_get_all_process_info(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    const struct sv_api_host *host = sv_call_host(call);
    size_t count = 0;
    struct sv_process_view *views = sorted_views(host, &count);
    json_t *list = views ? json_array() : NULL;
    for (size_t i = 0; i < count && list; i++) {
        if (json_array_append_new(list, info_of(host, &views[i])) < 0) {
            json_decref(list);
            list = NULL;
        }
    }
    free(views);
    sv_call_return(call, list);
}
