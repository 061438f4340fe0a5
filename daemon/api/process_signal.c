/* Sending signals to processes: as in rpcinterface.py, signalProcess(). */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/handlers.h"
#include "base/error.h"
#include "base/wait_status.h"

static const struct {
    const char *name;
    int number;
} signals[] = {
#define SIGNAL(name, number) {#name, number},
#include "api/signals.def"
#undef SIGNAL
};

/* -1: there is no such signal. */
static int signal_number(const char *text)
{
    static const char blanks[] = " \t\r\n";
    text += strspn(text, blanks);
    char *end;
    long number = strtol(text, &end, 10);
    bool is_number = end != text && end[strspn(end, blanks)] == '\0';
    if (is_number && number == 0)
        return 0;
    if (strncasecmp(text, "SIG", 3) == 0)
        text += 3;
    size_t length = strcspn(text, blanks);
    bool is_word = text[length + strspn(text + length, blanks)] == '\0';
    for (size_t i = 0; i < SV_ARRAY_LENGTH(signals); i++) {
        bool is_it = is_number ? signals[i].number == number
                               : is_word && strlen(signals[i].name) == length &&
                                     strncasecmp(signals[i].name, text, length) == 0;
        if (is_it)
            return signals[i].number;
    }
    return -1;
}

static bool is_signallable(const struct sv_process_view *view)
{
    return view->state == SV_PROCESS_RUNNING || view->state == SV_PROCESS_STARTING ||
           view->state == SV_PROCESS_STOPPING;
}

static void send_signal(struct sv_member *member, const struct sv_process_view *view,
                        const struct sv_argument *rest)
{
    int number = signal_number(rest[0].text);
    if (number < 0) {
        sv_member_settle(member, SV_FAULT_BAD_SIGNAL, rest[0].text);
        return;
    }
    if (!is_signallable(view)) {
        sv_member_settle(member, SV_FAULT_NOT_RUNNING, member->name);
        return;
    }
    const struct sv_api_host *host = sv_call_host(member->call);
    int r = host->signal(host->user, member->process, number);
    /* It ended by itself this very moment: Supervisor, too, says that all is well. */
    if (r >= 0 || r == -ESRCH) {
        sv_member_settle(member, SV_FAULT_SUCCESS, NULL);
        return;
    }
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&text, "unknown problem sending sig %s (%d): ", member->name, (int)view->pid);
    sv_signal_name(number, &text);
    sv_str_addf(&text, ": %s", sv_errno_text(r));
    sv_member_settle(member, SV_FAULT_FAILED, sv_str_text(&text));
}

static const struct sv_verb signal_verb = {is_signallable, send_signal};

void sv_method_signal_process(struct sv_api_call *call, const struct sv_argument *arguments)
{
    sv_call_on_name(call, arguments[0].text, &signal_verb, &arguments[1]);
}

void sv_method_signal_process_group(struct sv_api_call *call, const struct sv_argument *arguments)
{
    sv_call_on_group(call, arguments[0].text, &signal_verb, &arguments[1]);
}

void sv_method_signal_all_processes(struct sv_api_call *call, const struct sv_argument *arguments)
{
    sv_call_on_all(call, &signal_verb, arguments);
}
