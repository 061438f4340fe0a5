/* supervisor.getAllConfigInfo: the configuration that was read last, as rpcinterface.py shows it.
 */
#include <stdlib.h>

#include "api/handlers.h"
#include "api/target.h"
#include "api/text.h"
#include "config/config.h"

/* One row of the answer before it is built. */
struct row {
    const struct sv_group_config *group;
    const struct sv_program_config *program;
    sv_process_id process; /* 0: this very configuration is not in use */
    bool is_in_use;        /* a group of that name is */
    size_t position;       /* keeps the order among equal names */
};

/* XML-RPC has no nothing. */
static json_t *text_or_none(const char *text)
{
    return sv_text_json(text ? text : "none");
}

/* A count that clients get as an integer of 32 bits. */
static json_t *small(uint32_t number)
{
    return json_integer(number > INT32_MAX ? INT32_MAX : (json_int_t)number);
}

static json_t *exitcodes_of(const struct sv_program_config *program)
{
    json_t *codes = json_array();
    for (size_t i = 0; i < program->exitcode_count; i++) {
        if (json_array_append_new(codes, json_integer(program->exitcodes[i])) < 0) {
            json_decref(codes);
            return NULL;
        }
    }
    return codes;
}

/* The name behind AUTO is known once the process is added; a configuration that was read again, and
 * is not in use in this form, says "auto", as Supervisor does. */
static json_t *logfile_of(const struct sv_api_host *host, const struct row *row,
                          enum sv_channel channel)
{
    const struct sv_channel_config *config = &row->program->channels[channel];
    if (config->logfile_kind != SV_LOGFILE_AUTO)
        return text_or_none(config->logfile);
    const char *path = row->process ? host->log_path(host->user, row->process, channel) : NULL;
    return sv_text_json(path ? path : "auto");
}

static json_t *info_of(const struct sv_api_host *host, const struct row *row)
{
    const struct sv_program_config *program = row->program;
    const struct sv_channel_config *out = &program->channels[SV_STDOUT];
    const struct sv_channel_config *err = &program->channels[SV_STDERR];
    return json_pack(
        "{s:b, s:o, s:o, s:o, s:o, s:o, s:i, s:b, s:b, s:o, s:i, s:b, s:o, s:o, s:I, s:b, s:o, s:o,"
        " s:I, s:b, s:i, s:o, s:I, s:b, s:o, s:o, s:I, s:b, s:o}",                            //
        "autostart", program->autostart, "directory", text_or_none(program->directory),       //
        "uid", program->uid == SV_ID_NONE ? text_or_none(NULL) : json_integer(program->uid),  //
        "command", text_or_none(program->command), "exitcodes", exitcodes_of(program),        //
        "group", sv_text_json(row->group->name), "group_prio", (int)row->group->priority,     //
        "inuse", row->is_in_use, "killasgroup", program->killasgroup,                         //
        "name", sv_text_json(program->name), "process_prio", (int)program->priority,          //
        "redirect_stderr", program->redirect_stderr,                                          //
        "startretries", small(program->startretries), "startsecs", small(program->startsecs), //
        "stdout_capture_maxbytes", (json_int_t)out->capture_maxbytes,                         //
        "stdout_events_enabled", out->events_enabled,                                         //
        "stdout_logfile", logfile_of(host, row, SV_STDOUT),                                   //
        "stdout_logfile_backups", small(out->backups),                                        //
        "stdout_logfile_maxbytes", (json_int_t)out->maxbytes, "stdout_syslog", out->syslog,   //
        "stopsignal", program->stopsignal, "stopwaitsecs", small(program->stopwaitsecs),      //
        "stderr_capture_maxbytes", (json_int_t)err->capture_maxbytes,                         //
        "stderr_events_enabled", err->events_enabled,                                         //
        "stderr_logfile", logfile_of(host, row, SV_STDERR),                                   //
        "stderr_logfile_backups", small(err->backups),                                        //
        "stderr_logfile_maxbytes", (json_int_t)err->maxbytes, "stderr_syslog", err->syslog,   //
        "serverurl", text_or_none(program->serverurl));
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    int order = strcmp(left->program->name, right->program->name);
    return order ? order : (left->position > right->position) - (left->position < right->position);
}

/* The views of the groups in use, by name. */
static bool map_active(const struct sv_api_host *host, struct sv_map *ret_active)
{
    size_t count;
    const struct sv_group_view *groups = host->groups(host->user, &count);
    for (size_t i = 0; i < count; i++)
        if (sv_map_put(ret_active, groups[i].config->name, (void *)(uintptr_t)&groups[i]) < 0)
            return false;
    return true;
}

static struct row *collect_rows(const struct sv_config *config, const struct sv_map *active,
                                size_t *ret_count)
{
    size_t total = 0, count = 0;
    for (size_t i = 0; i < config->group_count; i++)
        total += config->groups[i]->program_count;
    struct row *rows = calloc(total ? total : 1, sizeof *rows);
    for (size_t i = 0; i < config->group_count && rows; i++) {
        const struct sv_group_config *group = config->groups[i];
        const struct sv_group_view *view = sv_map_get(active, group->name);
        bool is_same = view && view->config == group;
        for (size_t k = 0; k < group->program_count; k++) {
            rows[count] = (struct row){
                .group = group,
                .program = group->programs[k],
                .process = is_same && k < view->process_count ? view->processes[k] : 0,
                .is_in_use = view,
                .position = count,
            };
            count++;
        }
    }
    *ret_count = count;
    return rows;
}

void sv_method_get_all_config_info(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    const struct sv_api_host *host = sv_call_host(call);
    struct sv_map active SV_CLEANUP(sv_map_done) = {0};
    size_t count = 0;
    struct row *rows =
        map_active(host, &active) ? collect_rows(host->config(host->user), &active, &count) : NULL;
    json_t *list = rows ? json_array() : NULL;
    if (rows)
        qsort(rows, count, sizeof *rows, compare_rows);
    for (size_t i = 0; i < count && list; i++) {
        if (json_array_append_new(list, info_of(host, &rows[i])) < 0) {
            json_decref(list);
            list = NULL;
        }
    }
    free(rows);
    sv_call_return(call, list);
}
