/* Reading and clearing the logs of processes and of the daemon, as in rpcinterface.py; following
 * them, which Supervisor cannot do exactly. */
#include <errno.h>
#include <string.h>

#include "api/handlers.h"
#include "api/target.h"
#include "wire/base64.h"
#include "wire/xmlrpc.h"

enum { FOLLOW_BYTES = 64 << 10 };

static void read_log(struct sv_api_call *call, const char *path, const struct sv_argument *range)
{
    const struct sv_api_host *host = sv_call_host(call);
    if (!path) {
        sv_call_fault(call, SV_FAULT_NO_FILE, NULL);
        return;
    }
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    int r = host->read_log(host->user, path, range[0].integer, range[1].integer, &text);
    if (r == SV_LOG_NO_FILE)
        sv_call_fault(call, SV_FAULT_NO_FILE, path);
    else if (r == SV_LOG_BAD_ARGUMENTS)
        sv_call_fault(call, SV_FAULT_BAD_ARGUMENTS, NULL);
    else if (r != SV_LOG_OK || !sv_str_ok(&text))
        sv_call_fault(call, SV_FAULT_FAILED, NULL);
    else
        sv_call_return(call, sv_wire_string(sv_str_text(&text), text.length));
}

void sv_method_read_log(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_host *host = sv_call_host(call);
    read_log(call, host->main_log_path(host->user), arguments);
}

void sv_method_clear_log(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    const struct sv_api_host *host = sv_call_host(call);
    int r = host->main_log_path(host->user) ? host->clear_main_log(host->user) : SV_LOG_NO_FILE;
    if (r == SV_LOG_OK)
        sv_call_return(call, json_true());
    else
        sv_call_fault(
            call, r == SV_LOG_NO_FILE || r == -ENOENT ? SV_FAULT_NO_FILE : SV_FAULT_FAILED, NULL);
}

static void read_process_log(struct sv_api_call *call, const struct sv_argument *arguments,
                             enum sv_channel channel)
{
    const struct sv_api_host *host = sv_call_host(call);
    struct sv_process_view view;
    if (sv_target_process(call, arguments[0].text, &view))
        read_log(call, host->log_path(host->user, view.id, channel), &arguments[1]);
}

void sv_method_read_process_stdout_log(struct sv_api_call *call,
                                       const struct sv_argument *arguments)
{
    read_process_log(call, arguments, SV_STDOUT);
}

void sv_method_read_process_stderr_log(struct sv_api_call *call,
                                       const struct sv_argument *arguments)
{
    read_process_log(call, arguments, SV_STDERR);
}

/* Without a file there is nothing to read, from offset 0; a file that cannot be read keeps the
 * offset. */
static void tail_process_log(struct sv_api_call *call, const struct sv_argument *arguments,
                             enum sv_channel channel)
{
    const struct sv_api_host *host = sv_call_host(call);
    struct sv_process_view view;
    if (!sv_target_process(call, arguments[0].text, &view))
        return;
    const char *path = host->log_path(host->user, view.id, channel);
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    int64_t offset = arguments[1].integer;
    int has_overflow = 0;
    int r = path ? host->tail_log(host->user, path, arguments[1].integer, arguments[2].integer,
                                  &text, &offset, &has_overflow)
                 : SV_LOG_NO_FILE;
    if (r != SV_LOG_OK || !sv_str_ok(&text)) {
        sv_str_clear(&text);
        offset = r == SV_LOG_NO_FILE ? 0 : arguments[1].integer;
        has_overflow = 0;
    }
    sv_call_return(call, json_pack("[o,I,b]", sv_wire_string(sv_str_text(&text), text.length),
                                   (json_int_t)offset, has_overflow));
}

void sv_method_tail_process_stdout_log(struct sv_api_call *call,
                                       const struct sv_argument *arguments)
{
    tail_process_log(call, arguments, SV_STDOUT);
}

void sv_method_tail_process_stderr_log(struct sv_api_call *call,
                                       const struct sv_argument *arguments)
{
    tail_process_log(call, arguments, SV_STDERR);
}

/* Why a channel has no file. */
static const char *why_no_log(const struct sv_program_config *program, enum sv_channel channel)
{
    const struct sv_channel_config *config = &program->channels[channel];
    if (channel == SV_STDERR && program->redirect_stderr)
        return "redirect_stderr: its error output is in the log of its output";
    if (config->logfile_kind != SV_LOGFILE_NONE)
        return "its log file is not open";
    if (config->journal)
        return "it goes to the journal, and to no file";
    if (config->syslog)
        return "it goes to syslog, and to no file";
    return channel == SV_STDERR ? "stderr_logfile is NONE" : "stdout_logfile is NONE";
}

/* The file to follow; NULL, with the fault given: there is none. */
static const char *path_to_follow(struct sv_api_call *call, const char *name, const char *channel)
{
    const struct sv_api_host *host = sv_call_host(call);
    bool is_stderr = strcmp(channel, "stderr") == 0;
    if (!is_stderr && strcmp(channel, "stdout") != 0) {
        sv_call_fault(call, SV_FAULT_BAD_ARGUMENTS, "channel is stdout or stderr");
        return NULL;
    }
    if (name[0] == '\0') {
        const char *path = host->main_log_path(host->user);
        if (!path)
            sv_call_fault(call, SV_FAULT_NO_FILE, "svisord writes no log file here");
        return path;
    }
    struct sv_process_view view;
    if (!sv_target_process(call, name, &view))
        return NULL;
    const char *path = host->log_path(host->user, view.id, is_stderr ? SV_STDERR : SV_STDOUT);
    if (!path)
        sv_call_fault(call, SV_FAULT_NO_FILE,
                      why_no_log(view.config, is_stderr ? SV_STDERR : SV_STDOUT));
    return path;
}

static json_t *piece_json(const struct sv_log_piece *piece)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_base64_encode(sv_str_text(&piece->bytes), piece->bytes.length, &text);
    if (!sv_str_ok(&piece->bytes) || !sv_str_ok(&piece->cursor) || !sv_str_ok(&text))
        return NULL;
    return json_pack("{s:s%,s:s,s:I,s:b}", "base64", sv_str_text(&text), text.length, "cursor",
                     sv_str_text(&piece->cursor), "behind", (json_int_t)piece->behind_bytes,
                     "is_gap", (int)piece->is_gap);
}

void sv_method_follow_log(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_host *host = sv_call_host(call);
    const char *path = path_to_follow(call, arguments[0].text, arguments[1].text);
    if (!path)
        return;
    struct sv_log_piece piece SV_CLEANUP(sv_log_piece_done) = {0};
    int64_t limit = arguments[3].integer ? arguments[3].integer : FOLLOW_BYTES;
    int r = host->follow_log(host->user, path, arguments[2].text, limit, &piece);
    if (r == SV_LOG_NO_FILE)
        sv_call_fault(call, SV_FAULT_NO_FILE, path);
    else if (r == SV_LOG_BAD_ARGUMENTS)
        sv_call_fault(call, SV_FAULT_BAD_ARGUMENTS, "cursor or limit");
    else if (r != SV_LOG_OK)
        sv_call_fault(call, SV_FAULT_FAILED, "what is there cannot be read as a log file");
    else
        sv_call_return(call, piece_json(&piece));
}

static bool is_any(const struct sv_process_view *view)
{
    (void)view;
    return true;
}

static void clear(struct sv_member *member, const struct sv_process_view *view,
                  const struct sv_argument *rest)
{
    (void)rest;
    const struct sv_api_host *host = sv_call_host(member->call);
    int r = host->clear_process_log(host->user, view->id);
    sv_member_settle(member, r == 0 ? SV_FAULT_SUCCESS : SV_FAULT_FAILED, member->name);
}

static const struct sv_verb clear_verb = {is_any, clear};

void sv_method_clear_process_logs(struct sv_api_call *call, const struct sv_argument *arguments)
{
    struct sv_process_view view;
    if (sv_target_process(call, arguments[0].text, &view))
        sv_call_on_name(call, arguments[0].text, &clear_verb, NULL);
}

void sv_method_clear_all_process_logs(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    sv_call_on_all(call, &clear_verb, NULL);
}
