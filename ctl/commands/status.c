/*
 * status: the table that scripts read, to the byte as supervisorctl prints it; for programs,
 * --json; for people, --why and, on a terminal, colour. The exit code is 3 as soon as one process
 * does not run.
 */
#include <stdlib.h>
#include <string.h>
#include <svisor/states.h>

#include "ctl.h"
#include "explain.h"
#include "namespec.h"
#include "processes.h"
#include "table.h"

#define NAME_COLUMNS 30 /* at least; the longest name sets it: supervisorctl.py, _show_statuses */

static const struct {
    json_int_t state;
    const char *colour;
    bool is_stopped; /* Supervisor 4.2.5, states.py, STOPPED_STATES */
} kinds[] = {
    {SV_PROCESS_STOPPED, "\033[2m", true},   {SV_PROCESS_STARTING, "\033[33m", false},
    {SV_PROCESS_RUNNING, "\033[32m", false}, {SV_PROCESS_BACKOFF, "\033[33m", false},
    {SV_PROCESS_EXITED, "\033[2m", true},    {SV_PROCESS_STOPPING, "\033[33m", false},
    {SV_PROCESS_FATAL, "\033[31m", true},    {SV_PROCESS_UNKNOWN, "\033[31m", true},
};

static const char *colour_of(const struct sv_ctl *ctl, const json_t *info)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(kinds) && ctl->is_coloured; i++)
        if (kinds[i].state == sv_integer_of(info, "state"))
            return kinds[i].colour;
    return "";
}

static bool is_stopped(const json_t *info)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(kinds); i++)
        if (kinds[i].state == sv_integer_of(info, "state"))
            return kinds[i].is_stopped;
    return false;
}

static size_t name_columns_of(const json_t *infos)
{
    size_t widest = NAME_COLUMNS;
    json_t *info;
    size_t i;

    json_array_foreach(infos, i, info)
    {
        char *name = sv_namespec_of(info);
        size_t columns = name ? sv_text_columns(name) : 0;

        if (columns > widest)
            widest = columns;
        free(name);
    }
    return widest + 3;
}

static void say_row(const struct sv_ctl *ctl, const json_t *info, size_t name_columns)
{
    char *name = sv_namespec_of(info);
    const char *colour = colour_of(ctl, info);

    sv_say("%s%*s%s%-10s%s%s", name ? name : "?",
           (int)(name_columns - (name ? sv_text_columns(name) : 1)), "", colour,
           sv_text_of(info, "statename"), *colour ? "\033[0m" : "",
           sv_text_of(info, "description"));
    free(name);
}

static void say_why(const json_t *why)
{
    json_int_t started = sv_integer_of(why, "started");
    json_int_t ended = sv_integer_of(why, "stopped");
    struct sv_str text = {0};

    if (started) {
        sv_str_add(&text, "started ");
        sv_add_time(&text, started);
    }
    if (ended) {
        /* An end that lies before the start is the end of the run before. */
        sv_str_addf(&text, "%s%s ", started ? ", " : "",
                    sv_integer_of(why, "pid") ? "the run before ended" : "ended");
        sv_add_time(&text, ended);
    }
    if (text.length)
        sv_say("    %s", sv_str_text(&text));
    sv_say("    %s", sv_text_of(why, "text"));
    sv_str_done(&text);
}

static enum sv_verdict say_table(struct sv_ctl *ctl, const json_t *infos, bool with_why)
{
    size_t name_columns = name_columns_of(infos);
    enum sv_verdict verdict = SV_VERDICT_DONE;

    for (size_t i = 0; i < json_array_size(infos) && !verdict; i++) {
        const json_t *info = json_array_get(infos, i);
        json_t *why = NULL;

        say_row(ctl, info, name_columns);
        if (!with_why)
            continue;
        verdict = sv_explain(ctl, info, &why);
        if (!verdict)
            say_why(why);
        json_decref(why);
    }
    return verdict;
}

static json_t *json_of(const json_t *info)
{
    char *name = sv_namespec_of(info);
    json_t *row = json_pack(
        "{s:s, s:s, s:s, s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:s}", "name", name ? name : "?",
        "group", sv_text_of(info, "group"), "process", sv_text_of(info, "name"), "state",
        sv_integer_of(info, "state"), "statename", sv_text_of(info, "statename"), "description",
        sv_text_of(info, "description"), "pid", sv_integer_of(info, "pid"), "started",
        sv_integer_of(info, "start"), "stopped", sv_integer_of(info, "stop"), "exit_status",
        sv_integer_of(info, "exitstatus"), "spawn_error", sv_text_of(info, "spawnerr"));

    free(name);
    return row;
}

static enum sv_verdict say_rows_as_json(struct sv_ctl *ctl, const json_t *infos, bool with_why)
{
    json_t *rows = json_array();
    enum sv_verdict verdict = SV_VERDICT_DONE;

    for (size_t i = 0; i < json_array_size(infos) && !verdict; i++) {
        json_t *row = json_of(json_array_get(infos, i));
        json_t *why = NULL;

        if (with_why)
            verdict = sv_explain(ctl, json_array_get(infos, i), &why);
        if (with_why && !verdict)
            json_object_set_new(row, "why", why);
        json_array_append_new(rows, row);
    }
    if (verdict)
        json_decref(rows);
    else
        sv_say_json(ctl, rows);
    return verdict;
}

enum sv_verdict sv_command_status(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    bool with_why = arguments->options & SV_OPTION_WHY;
    json_t *infos = NULL;
    json_t *info;
    size_t i;
    enum sv_verdict verdict = sv_processes_matching(ctl, arguments, SV_EXIT_STATUS_UNKNOWN, &infos);

    if (verdict == SV_VERDICT_DONE)
        verdict = arguments->options & SV_OPTION_JSON ? say_rows_as_json(ctl, infos, with_why)
                                                      : say_table(ctl, infos, with_why);
    json_array_foreach(infos, i, info)
    {
        if (is_stopped(info))
            ctl->exit_status = SV_EXIT_STATUS_NOT_RUNNING;
    }
    json_decref(infos);
    return verdict;
}
