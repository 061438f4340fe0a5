/*
 * daemon-reexec: svisord becomes the version that is installed now, and no program notices.
 *
 * svisord answers when it is certain that the new one can start, and executes it. From then on it
 * is the new one that answers: so what is waited for is any answer. Between the two the connection
 * breaks, and while systemd starts a svisord again that has failed nobody listens: both are asked
 * again.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl.h"
#include "faults.h"

enum { WAIT_SECONDS = 60, AGAIN_MS = 50 };

static time_t now_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static bool is_interrupted_within(struct sv_ctl *ctl, int timeout_ms)
{
    struct pollfd interrupt = {.fd = ctl->interrupt_fd, .events = POLLIN};

    return poll(&interrupt, 1, timeout_ms) > 0;
}

/* The version of whoever answers; NULL: nobody did in time. */
static json_t *await_version(struct sv_ctl *ctl)
{
    time_t end = now_seconds() + WAIT_SECONDS;
    json_t *version = NULL;

    while (sv_client_call(ctl->client, "svisor.getVersion", &version, "[]") != SV_CALL_OK) {
        if (sv_client_failure(ctl->client) == SV_FAILURE_INTERRUPTED ||
            sv_client_failure(ctl->client) == SV_FAILURE_UNAUTHORIZED || now_seconds() >= end ||
            is_interrupted_within(ctl, AGAIN_MS))
            return NULL;
    }
    return version;
}

static void say_outcome(struct sv_ctl *ctl, const char *before, const char *wanted,
                        const char *after)
{
    if (strcmp(after, wanted) == 0)
        sv_say("svisord %s: re-executed, was %s", after, before);
    else
        sv_complain(ctl, SV_EXIT_GENERIC,
                    "ERROR: svisord %s answers, not %s: see the log (svctl maintail)", after,
                    wanted);
}

enum sv_verdict sv_command_daemon_reexec(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    const char *before, *wanted;
    json_t *result = NULL;
    json_t *after;

    (void)arguments;
    if (sv_client_call(ctl->client, "svisor.reexec", &result, "[]") != SV_CALL_OK) {
        if (sv_client_failure(ctl->client) != SV_FAILURE_FAULT)
            return SV_VERDICT_ABORTED;
        if (sv_client_fault(ctl->client)->code == SV_FAULT_UNKNOWN_METHOD)
            sv_complain(ctl, SV_EXIT_GENERIC, "ERROR: this daemon cannot re-execute itself");
        else
            sv_complain(ctl, SV_EXIT_GENERIC, "ERROR: nothing has changed: %s",
                        sv_client_fault(ctl->client)->text);
        return SV_VERDICT_DONE;
    }
    if (json_unpack(result, "{s:s,s:s}", "version", &before, "new_version", &wanted) < 0)
        before = wanted = "?";
    after = await_version(ctl);
    if (json_is_string(after))
        say_outcome(ctl, before, wanted, json_string_value(after));
    else
        sv_complain(ctl, SV_EXIT_GENERIC,
                    "ERROR: svisord %s does not answer (%s); its programs run on", wanted,
                    sv_client_error(ctl->client));
    json_decref(after);
    json_decref(result);
    return SV_VERDICT_DONE;
}
