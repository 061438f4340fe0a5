/*
 * Requests that wait: each is answered when what *it* asked for is done.
 *
 * Applications and processes count the jobs and commands about them; at 0 there is nothing left to
 * wait for, and the answer is what they have become. Supvisors asks every half second, and only
 * answers when no job at all is left, its own or anybody else's.
 */
#include <stdlib.h>

#include "config/pytext.h"
#include "core/cluster/commander.h"

struct sv_waiter {
    uint64_t request;
    enum sv_waiting_for what;
    struct sv_application *application; /* NULL: gone */
    struct sv_member **members;
    size_t member_count;
    char *result;
};

static void waiter_free(struct sv_waiter *waiter)
{
    free(waiter->members);
    free(waiter->result);
    free(waiter);
}

void sv_waiter_add(struct sv_commander *commander, const struct sv_waiter_config *config)
{
    struct sv_waiter *waiter = sv_allocate(1, sizeof(*waiter));
    *waiter = (struct sv_waiter){
        .request = config->request,
        .what = config->what,
        .application = config->application,
        .members = sv_allocate(config->member_count, sizeof(*waiter->members)),
        .member_count = config->member_count,
        .result = sv_text_copy(config->result),
    };
    for (size_t i = 0; i < config->member_count; i++)
        waiter->members[i] = config->members[i];
    commander->waiters = sv_grow(commander->waiters, &commander->waiter_capacity,
                                 commander->waiter_count + 1, sizeof(*commander->waiters));
    commander->waiters[commander->waiter_count++] = waiter;
    commander->has_ended = true; /* it may have nothing to wait for */
}

static bool is_over(const struct sv_commander *commander, const struct sv_waiter *waiter)
{
    if (waiter->what == SV_WAIT_ALL)
        return commander->starts.job_count == 0;
    if (waiter->application && waiter->member_count == 0)
        return waiter->application->job_count == 0;
    for (size_t i = 0; i < waiter->member_count; i++)
        if (waiter->members[i]->command_count > 0)
            return false;
    return true;
}

/* ['a:p', 'a:q'], as Python writes a list. True: there is something in it. */
static bool list_bad(const struct sv_waiter *waiter, bool (*is_bad)(enum sv_process_state state),
                     struct sv_str *text)
{
    bool has_any = false;
    sv_str_add(text, "processes=[");
    for (size_t i = 0; i < waiter->member_count; i++) {
        struct sv_str name = {0};
        if (!is_bad(waiter->members[i]->state))
            continue;
        sv_namespec(&name, waiter->members[i]);
        sv_str_add(text, has_any ? ", " : "");
        sv_py_repr(text, sv_str_text(&name), name.length);
        sv_str_done(&name);
        has_any = true;
    }
    sv_str_add(text, "]");
    return has_any;
}

/* The fault, with its text appended; 0: none. */
static int judge(struct sv_commander *commander, const struct sv_waiter *waiter,
                 struct sv_str *text)
{
    struct sv_application *application = waiter->application;
    enum sv_application_state state = SV_APPLICATION_STATE_STOPPED;
    if (application) {
        sv_application_refresh(commander->model, application);
        state = application->state;
    }
    switch (waiter->what) {
    case SV_WAIT_APPLICATION_RUNNING:
        sv_str_add(text, application ? application->name : "");
        return state == SV_APPLICATION_STATE_RUNNING ? 0 : SV_CLUSTER_FAULT_NOT_RUNNING;
    case SV_WAIT_APPLICATION_STARTED:
        sv_str_add(text, application ? application->name : "");
        return state != SV_APPLICATION_STATE_STOPPED ? 0 : SV_CLUSTER_FAULT_NOT_RUNNING;
    case SV_WAIT_APPLICATION_STOPPED:
        sv_str_add(text, application ? application->name : "");
        return state == SV_APPLICATION_STATE_STOPPED ? 0 : SV_CLUSTER_FAULT_STILL_RUNNING;
    case SV_WAIT_PROCESSES_STARTED:
        return list_bad(waiter, sv_state_is_stopped, text) ? SV_CLUSTER_FAULT_NOT_RUNNING : 0;
    case SV_WAIT_PROCESSES_STOPPED:
        return list_bad(waiter, sv_state_is_running, text) ? SV_CLUSTER_FAULT_STILL_RUNNING : 0;
    case SV_WAIT_ALL:
        return 0;
    }
    return 0;
}

static bool is_about_stops(const struct sv_waiter *waiter)
{
    return waiter->what == SV_WAIT_APPLICATION_STOPPED || waiter->what == SV_WAIT_PROCESSES_STOPPED;
}

/* `is_given_up`: what was to be started may run, because its stop had only begun. */
static void answer(struct sv_commander *commander, const struct sv_waiter *waiter, bool is_given_up)
{
    struct sv_str text = {0};
    int fault = judge(commander, waiter, &text);
    if (is_given_up && fault == 0 && !is_about_stops(waiter)) {
        fault = SV_CLUSTER_FAULT_ABNORMAL_TERMINATION;
        sv_str_clear(&text);
        sv_str_add(&text, "given up half done: a Master is to be agreed on again");
    }
    const char *words = fault ? sv_str_text(&text) : waiter->result ? waiter->result : "";
    if (fault)
        sv_answer(commander->cluster, waiter->request, fault, words, false);
    else
        sv_confirm_answer(commander->cluster, waiter->request, words);
    sv_str_done(&text);
}

void sv_waiters_look(struct sv_commander *commander)
{
    size_t kept = 0;
    for (size_t i = 0; i < commander->waiter_count; i++) {
        struct sv_waiter *waiter = commander->waiters[i];
        if (!is_over(commander, waiter)) {
            commander->waiters[kept++] = waiter;
            continue;
        }
        answer(commander, waiter, false);
        waiter_free(waiter);
    }
    commander->waiter_count = kept;
}

void sv_waiters_abort(struct sv_commander *commander)
{
    sv_waiters_look(commander);
    for (size_t i = 0; i < commander->waiter_count; i++) {
        answer(commander, commander->waiters[i], true);
        waiter_free(commander->waiters[i]);
    }
    commander->waiter_count = 0;
}

void sv_waiters_forget_member(struct sv_commander *commander, const struct sv_member *member)
{
    for (size_t i = 0; i < commander->waiter_count; i++) {
        struct sv_waiter *waiter = commander->waiters[i];
        size_t kept = 0;
        for (size_t m = 0; m < waiter->member_count; m++)
            if (waiter->members[m] != member)
                waiter->members[kept++] = waiter->members[m];
        waiter->member_count = kept;
    }
}

void sv_waiters_forget_application(struct sv_commander *commander,
                                   const struct sv_application *application)
{
    for (size_t i = 0; i < commander->waiter_count; i++)
        if (commander->waiters[i]->application == application)
            commander->waiters[i]->application = NULL;
}

void sv_waiters_forget_request(struct sv_commander *commander, uint64_t request)
{
    size_t kept = 0;
    for (size_t i = 0; i < commander->waiter_count; i++) {
        struct sv_waiter *waiter = commander->waiters[i];
        if (waiter->request == request)
            waiter_free(waiter);
        else
            commander->waiters[kept++] = waiter;
    }
    commander->waiter_count = kept;
}

void sv_waiters_done(struct sv_commander *commander)
{
    for (size_t i = 0; i < commander->waiter_count; i++)
        waiter_free(commander->waiters[i]);
    free(commander->waiters);
}
