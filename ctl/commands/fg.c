/*
 * fg: what the process writes is shown, what the person types is sent to its standard input, a line
 * at a time. It ends with Ctrl-C, with Ctrl-D, or when a line finds that the process does not run
 * any more.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "ctl.h"
#include "faults.h"
#include "namespec.h"
#include "stream.h"
#include "terminal.h"

struct foreground {
    struct sv_ctl *ctl;
    const char *name;
    enum sv_verdict verdict;
};

static void print_piece(void *user, const char *data, size_t length)
{
    (void)user;
    fwrite(data, 1, length, stdout);
}

static bool is_running(const json_t *info)
{
    return strcmp(sv_text_of(info, "statename"), "RUNNING") == 0;
}

/* False: the process takes no more lines; what happened has been said. */
static bool send_line(struct foreground *foreground, const char *line)
{
    struct sv_client *client = foreground->ctl->client;
    json_t *info = NULL;
    bool is_alive;
    enum sv_call outcome =
        sv_client_call(client, "supervisor.sendProcessStdin", NULL, "[ss]", foreground->name, line);

    if (outcome == SV_CALL_FAULT && sv_client_fault(client)->code == SV_FAULT_NOT_RUNNING)
        sv_say("Process got killed");
    else if (outcome == SV_CALL_FAULT)
        sv_say("ERROR: <Fault %d: '%s'>", sv_client_fault(client)->code,
               sv_client_fault(client)->text);
    if (outcome == SV_CALL_OK)
        outcome =
            sv_client_call(client, "supervisor.getProcessInfo", &info, "[s]", foreground->name);
    if (outcome == SV_CALL_BROKEN)
        foreground->verdict = SV_VERDICT_ABORTED;
    if (outcome != SV_CALL_OK)
        return false;
    is_alive = is_running(info);
    json_decref(info);
    if (!is_alive)
        sv_say("Process got killed");
    return is_alive;
}

/* A sv_stream_input. Every whole line that is there is sent: none may wait for the next key. */
static bool forward_input(void *user)
{
    struct foreground *foreground = user;
    struct sv_str line = {0};
    enum sv_typed typed;
    bool goes_on = true;

    while (goes_on && sv_typed_take(&line, &typed)) {
        if (typed != SV_TYPED_LINE) {
            goes_on = false;
            break;
        }
        sv_str_add_char(&line, '\n');
        goes_on = send_line(foreground, sv_str_text(&line));
        if (!sv_typed_has_line())
            break;
    }
    sv_str_done(&line);
    return goes_on;
}

static enum sv_verdict run_in_foreground(struct sv_ctl *ctl, const char *name)
{
    struct foreground foreground = {.ctl = ctl, .name = name};
    struct sv_str paths[2] = {{0}, {0}};
    struct sv_stream streams[2];

    sv_str_addf(&paths[0], "/logtail/%s/stdout", name);
    sv_str_addf(&paths[1], "/logtail/%s/stderr", name);
    for (size_t i = 0; i < 2; i++)
        streams[i] = (struct sv_stream){.path = sv_str_text(&paths[i]), .take = print_piece};
    sv_say("==> Press Ctrl-C to exit <==");
    sv_streams_follow(ctl->client, streams, 2, forward_input, &foreground);
    sv_interrupt_clear(ctl->interrupt_fd);
    if (foreground.verdict == SV_VERDICT_DONE)
        sv_say("Exiting foreground");
    for (size_t i = 0; i < 2; i++)
        sv_str_done(&paths[i]);
    return foreground.verdict;
}

enum sv_verdict sv_command_fg(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    json_t *info = NULL;
    enum sv_call outcome;
    bool can_start;

    if (arguments->word_count == 0) {
        sv_complain(ctl, SV_EXIT_GENERIC, "ERROR: no process name supplied");
        sv_say_usage("fg");
        return SV_VERDICT_DONE;
    }
    if (arguments->word_count > 1) {
        sv_complain(ctl, SV_EXIT_GENERIC, "ERROR: too many process names supplied");
        return SV_VERDICT_DONE;
    }
    outcome =
        sv_client_call(ctl->client, "supervisor.getProcessInfo", &info, "[s]", arguments->words[0]);
    if (outcome == SV_CALL_BROKEN)
        return SV_VERDICT_ABORTED;
    if (outcome == SV_CALL_FAULT) {
        const struct sv_xmlrpc_fault *fault = sv_client_fault(ctl->client);

        if (fault->code == SV_FAULT_BAD_NAME)
            sv_complain(ctl, SV_EXIT_GENERIC, "ERROR: bad process name supplied");
        else
            sv_say("ERROR: <Fault %d: '%s'>", fault->code, fault->text);
        return SV_VERDICT_DONE;
    }
    can_start = is_running(info);
    json_decref(info);
    if (can_start)
        return run_in_foreground(ctl, arguments->words[0]);
    sv_complain(ctl, SV_EXIT_GENERIC, "ERROR: process not running");
    return SV_VERDICT_DONE;
}
