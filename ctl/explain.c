/*
 * svisord answers `svisor.why` with a record that was written when the process died. supervisord
 * has no such method; then the sentence is made of getProcessInfo, which knows the last exit code,
 * two times and the last spawn error, but not who sent a signal.
 */
#include "explain.h"

#include <stdlib.h>
#include <svisor/states.h>
#include <time.h>

#include "faults.h"
#include "namespec.h"

void sv_add_time(struct sv_str *text, json_int_t seconds)
{
    time_t when = (time_t)seconds;
    struct tm parts;
    char buffer[32];

    if (localtime_r(&when, &parts) && strftime(buffer, sizeof(buffer), "%Y-%m-%d %H:%M:%S", &parts))
        sv_str_add(text, buffer);
    else
        sv_str_addf(text, "%lld", (long long)seconds);
}

static void add_since(struct sv_str *text, const json_t *info)
{
    sv_str_addf(text, "It runs as pid %lld since ", (long long)sv_integer_of(info, "pid"));
    sv_add_time(text, sv_integer_of(info, "start"));
    sv_str_add_char(text, '.');
}

static void add_stopped(struct sv_str *text, const json_t *info)
{
    if (sv_integer_of(info, "start") == 0) {
        sv_str_add(text, "It was not started yet.");
        return;
    }
    sv_str_add(text, "It was stopped at ");
    sv_add_time(text, sv_integer_of(info, "stop"));
    sv_str_add(text, " by request.");
}

static void add_exited(struct sv_str *text, const json_t *info)
{
    json_int_t code = sv_integer_of(info, "exitstatus");
    json_int_t lived_seconds = sv_integer_of(info, "stop") - sv_integer_of(info, "start");

    sv_str_add(text, "It ended at ");
    sv_add_time(text, sv_integer_of(info, "stop"));
    /* supervisord gives -1 for every signal: options.py, decode_wait_status. */
    if (code < 0)
        sv_str_add(text, " by a signal");
    else
        sv_str_addf(text, " with exit code %lld", (long long)code);
    sv_str_addf(text, " after %lld s.", (long long)(lived_seconds > 0 ? lived_seconds : 0));
}

static void add_backoff(struct sv_str *text, const json_t *info)
{
    sv_str_addf(text, "It ended too soon after its start and is tried again: %s.",
                sv_text_of(info, "description"));
}

static void add_fatal(struct sv_str *text, const json_t *info)
{
    sv_str_addf(text, "It could not be started and is not tried again: %s.",
                sv_text_of(info, "description"));
}

static void add_starting(struct sv_str *text, const json_t *info)
{
    add_since(text, info);
    sv_str_add(text, " It has not run for startsecs yet.");
}

static void add_stopping(struct sv_str *text, const json_t *info)
{
    add_since(text, info);
    sv_str_add(text, " It was told to stop and has not ended yet.");
}

static const struct {
    json_int_t state;
    void (*add)(struct sv_str *text, const json_t *info);
} sentences[] = {
    {SV_PROCESS_STOPPED, add_stopped}, {SV_PROCESS_STARTING, add_starting},
    {SV_PROCESS_RUNNING, add_since},   {SV_PROCESS_BACKOFF, add_backoff},
    {SV_PROCESS_EXITED, add_exited},   {SV_PROCESS_STOPPING, add_stopping},
    {SV_PROCESS_FATAL, add_fatal},
};

static json_t *explain_from_info(const json_t *info)
{
    struct sv_str text = {0};
    json_int_t state = sv_integer_of(info, "state");
    json_t *why;

    for (size_t i = 0; i < SV_ARRAY_LENGTH(sentences); i++)
        if (sentences[i].state == state)
            sentences[i].add(&text, info);
    why = json_pack("{s:s, s:s, s:I, s:s, s:s, s:I, s:I, s:I, s:s}", "name",
                    sv_text_of(info, "name"), "group", sv_text_of(info, "group"), "state", state,
                    "statename", sv_text_of(info, "statename"), "text", sv_str_text(&text), "pid",
                    sv_integer_of(info, "pid"), "started", sv_integer_of(info, "start"), "stopped",
                    sv_integer_of(info, "stop"), "spawnerr", sv_text_of(info, "spawnerr"));
    if (why && state == SV_PROCESS_EXITED && sv_integer_of(info, "exitstatus") >= 0)
        json_object_set(why, "exit_code", json_object_get(info, "exitstatus"));
    sv_str_done(&text);
    return why;
}

enum sv_verdict sv_explain(struct sv_ctl *ctl, const json_t *info, json_t **ret_why)
{
    char *name = sv_namespec_of(info);
    enum sv_call outcome =
        sv_client_call(ctl->client, "svisor.why", ret_why, "[s]", name ? name : "");

    free(name);
    if (outcome == SV_CALL_OK)
        return SV_VERDICT_DONE;
    if (outcome == SV_CALL_BROKEN || sv_client_fault(ctl->client)->code != SV_FAULT_UNKNOWN_METHOD)
        return SV_VERDICT_ABORTED;
    *ret_why = explain_from_info(info);
    return SV_VERDICT_DONE;
}
