/*
 * The programs outlive their daemon, and a start or a stop that it has begun goes on with the next
 * one. Only the connection of the one who waits for it is gone. So svctl waits for the next daemon,
 * for SV_CTL_RECOVER_SECONDS at most, and then looks:
 *
 *     wanted    the process is …                  then
 *     start     STARTING                          look again
 *               RUNNING                           it was started
 *               down, with a start of its own     that is how it ended
 *               down, since before the call       nobody has read the call: it is made again
 *     stop      STOPPING                          look again
 *               down                              it was stopped
 *               up                                nobody has read the call: it is made again
 *
 * "Since before the call" compares two ages, that of the start by the daemon's clock and that of
 * the call by ours, so the clocks need not agree. The daemon counts in seconds, hence one of grace.
 *
 * A signal that was asked for is not sent again: twice may be worse than not at all.
 */
#include "recover.h"

#include <poll.h>
#include <string.h>
#include <svisor/limits.h>
#include <svisor/states.h>
#include <time.h>

#include "faults.h"
#include "namespec.h"

enum { AGAIN_MS = 50 };

#define NS_PER_SECOND UINT64_C(1000000000)

uint64_t sv_recover_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

/*
 * Refused and missing count: the command has asked for the version first, so there was a daemon a
 * moment ago; and curl makes a call anew by itself when a connection that it used again is broken.
 */
bool sv_recover_is_lost(const struct sv_ctl *ctl)
{
    static const enum sv_failure losses[] = {SV_FAILURE_LOST, SV_FAILURE_REFUSED,
                                             SV_FAILURE_NO_FILE};

    for (size_t i = 0; i < SV_ARRAY_LENGTH(losses); i++)
        if (sv_client_failure(ctl->client) == losses[i])
            return true;
    return false;
}

/* False: Ctrl-C. */
static bool pause_before_next(const struct sv_ctl *ctl)
{
    struct pollfd interrupt = {.fd = ctl->interrupt_fd, .events = POLLIN};

    return poll(&interrupt, 1, AGAIN_MS) == 0;
}

/* After a call that was not answered: is it to be made again? */
static bool may_try_again(const struct sv_ctl *ctl, struct sv_lost *lost)
{
    if (lost->answered_ns == 0)
        lost->answered_ns = sv_recover_now();
    return sv_recover_is_lost(ctl) &&
           sv_recover_now() - lost->answered_ns < SV_CTL_RECOVER_SECONDS * NS_PER_SECOND &&
           pause_before_next(ctl);
}

enum sv_call sv_recover_infos(struct sv_ctl *ctl, struct sv_lost *lost, json_t **ret_infos)
{
    enum sv_call outcome;

    do
        outcome = sv_client_call(ctl->client, "supervisor.getAllProcessInfo", ret_infos, "[]");
    while (outcome == SV_CALL_BROKEN && may_try_again(ctl, lost));
    if (outcome != SV_CALL_BROKEN)
        lost->answered_ns = sv_recover_now();
    return outcome;
}

/* True: what the server dates with `key` has happened since the call was made. */
static bool is_of_call(const struct sv_lost *lost, const json_t *info, const char *key)
{
    uint64_t waited = (sv_recover_now() - lost->begun_ns) / NS_PER_SECOND;
    json_int_t age = sv_integer_of(info, "now") - sv_integer_of(info, key);

    return sv_integer_of(info, key) > 0 && age <= (json_int_t)waited + 1;
}

static bool is_up(const char *state)
{
    return strcmp(state, "RUNNING") == 0 || strcmp(state, "STARTING") == 0 ||
           strcmp(state, "BACKOFF") == 0;
}

bool sv_recover_is_untouched(const struct sv_lost *lost, const json_t *info)
{
    const char *state = sv_text_of(info, "statename");

    if (lost->kind == SV_WAIT_START)
        return is_up(state) && !is_of_call(lost, info, "start");
    return !is_up(state) && strcmp(state, "STOPPING") != 0 && !is_of_call(lost, info, "stop");
}

enum judgement { LOOK_AGAIN, ASK_AGAIN, OVER };

/* OVER: `ret_fault` says how. The order of the questions is Supervisor's, rpcinterface.py,
 * startProcess(). */
static enum judgement judge_start(const struct sv_lost *lost, const json_t *info, int *ret_fault)
{
    const char *state = sv_text_of(info, "statename");

    *ret_fault = SV_FAULT_SUCCESS;
    if (strcmp(state, "STOPPING") == 0)
        return LOOK_AGAIN;
    if (sv_recover_is_untouched(lost, info))
        *ret_fault = SV_FAULT_ALREADY_STARTED;
    else if (strcmp(state, "STARTING") == 0)
        return LOOK_AGAIN;
    else if (strcmp(state, "RUNNING") == 0)
        *ret_fault = SV_FAULT_SUCCESS;
    else if (!is_of_call(lost, info, "start"))
        return ASK_AGAIN;
    else
        *ret_fault =
            *sv_text_of(info, "spawnerr") ? SV_FAULT_SPAWN_ERROR : SV_FAULT_ABNORMAL_TERMINATION;
    return OVER;
}

static enum judgement judge_stop(const struct sv_lost *lost, const json_t *info, int *ret_fault)
{
    const char *state = sv_text_of(info, "statename");

    if (strcmp(state, "STOPPING") == 0)
        return LOOK_AGAIN;
    if (is_up(state))
        return ASK_AGAIN;
    *ret_fault = sv_recover_is_untouched(lost, info) ? SV_FAULT_NOT_RUNNING : SV_FAULT_SUCCESS;
    return OVER;
}

enum sv_call sv_recover_one(struct sv_ctl *ctl, struct sv_lost *lost, const char *name,
                            int *ret_fault)
{
    for (;;) {
        json_t *info = NULL;
        enum judgement judgement = LOOK_AGAIN;
        enum sv_call outcome =
            sv_client_call(ctl->client, "supervisor.getProcessInfo", &info, "[s]", name);

        if (outcome == SV_CALL_OK) {
            lost->answered_ns = sv_recover_now();
            judgement = lost->kind == SV_WAIT_START ? judge_start(lost, info, ret_fault)
                                                    : judge_stop(lost, info, ret_fault);
            json_decref(info);
        }
        if (judgement == ASK_AGAIN) {
            outcome = sv_client_call(ctl->client, lost->method, NULL, "[s]", name);
            *ret_fault = SV_FAULT_SUCCESS;
            judgement = outcome == SV_CALL_OK ? OVER : LOOK_AGAIN;
        }
        if (outcome == SV_CALL_FAULT) {
            *ret_fault = sv_client_fault(ctl->client)->code;
            return SV_CALL_FAULT;
        }
        if (judgement == OVER)
            return *ret_fault == SV_FAULT_SUCCESS ? SV_CALL_OK : SV_CALL_FAULT;
        if (outcome == SV_CALL_BROKEN ? !may_try_again(ctl, lost) : !pause_before_next(ctl))
            return SV_CALL_BROKEN;
    }
}
