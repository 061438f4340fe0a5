/*
 * Requests of clients: the checks in Supvisors' order with its faults and texts (0.19:
 * rpcinterface.py), then the plan, then either the answer or somebody who waits for it.
 *
 * A request that led to nothing is refused at once, with the words of the decision in the log.
 */
#include <stdlib.h>
#include <string.h>

#include "base/choice.h"
#include "config/pattern.h"
#include "config/pytext.h"
#include "core/cluster/commander.h"

struct members {
    struct sv_member **items;
    size_t count;
};

struct asked { /* a request, and what its name means */
    struct sv_commander *commander;
    const struct sv_cluster_request *request;
    struct sv_application *application;
    struct members members;
};

static void refuse(const struct asked *asked, enum sv_cluster_fault fault, const char *text)
{
    sv_answer(asked->commander->cluster, asked->request->id, (int)fault, text, false);
}

static void accept(const struct asked *asked, bool value)
{
    sv_answer(asked->commander->cluster, asked->request->id, 0, "", value);
}

/* ---- Checks: false when they have refused ---- */

#define STATE_BIT(name) (1u << SV_SUPVISORS_STATE_##name)
enum {
    OPERATING = STATE_BIT(OPERATION),
    CONCILIATING = STATE_BIT(CONCILIATION),
};

static bool check_state(const struct asked *asked, unsigned allowed)
{
    enum sv_supvisors_state state = sv_machine_state(asked->commander->cluster);
    if (allowed & 1u << state)
        return true;
    struct sv_str text = {0};
    const char *comma = "";
    sv_str_addf(&text, "invalid Supvisors state=%s - state expected in [",
                sv_choice_name(SV_CHOICE_SUPVISORS_STATE, (int)state));
    for (int i = 0; i < (int)sv_choice_count(SV_CHOICE_SUPVISORS_STATE); i++) {
        if (!(allowed & 1u << i))
            continue;
        sv_str_addf(&text, "%s'%s'", comma, sv_choice_name(SV_CHOICE_SUPVISORS_STATE, i));
        comma = ", ";
    }
    sv_str_add(&text, "]");
    refuse(asked, SV_CLUSTER_FAULT_BAD_SUPVISORS_STATE, sv_str_text(&text));
    sv_str_done(&text);
    return false;
}

static bool find_application(struct asked *asked, const char *name)
{
    struct sv_cluster *cluster = asked->commander->cluster;
    asked->application = sv_model_application(asked->commander->model, name);
    if (asked->application) {
        sv_application_refresh(asked->commander->model, asked->application);
        return true;
    }
    refuse(asked, SV_CLUSTER_FAULT_BAD_NAME,
           sv_text(cluster, "application=%s unknown to Supvisors", name));
    return false;
}

/* "A:P", "P" for "P:P", "A:*" and "A:" for all. */
static bool find_processes(struct asked *asked, const char *namespec)
{
    struct sv_cluster *cluster = asked->commander->cluster;
    const char *colon = strchr(namespec, ':');
    size_t length = colon ? (size_t)(colon - namespec) : strlen(namespec);
    const char *name = colon ? colon + 1 : namespec;
    bool is_all = colon && (*name == '\0' || strcmp(name, "*") == 0);
    if (!find_application(asked, sv_text(cluster, "%.*s", (int)length, namespec)))
        return false;
    struct sv_application *application = asked->application;
    struct sv_member *one = is_all ? NULL : sv_application_member(application, name);
    if (!is_all && !one) {
        refuse(asked, SV_CLUSTER_FAULT_BAD_NAME,
               sv_text(cluster, "process=%s unknown in application=%s", name, application->name));
        return false;
    }
    asked->members.count = is_all ? application->member_count : 1;
    asked->members.items = sv_allocate(asked->members.count, sizeof(*asked->members.items));
    for (size_t i = 0; i < asked->members.count; i++)
        asked->members.items[i] = is_all ? application->members[i] : one;
    return true;
}

static bool check_managed(const struct asked *asked)
{
    if (asked->application->rules.is_managed)
        return true;
    refuse(asked, SV_CLUSTER_FAULT_NOT_MANAGED, asked->application->name);
    return false;
}

static bool check_application_stopped(const struct asked *asked)
{
    if (asked->application->state == SV_APPLICATION_STATE_STOPPED)
        return true;
    refuse(asked, SV_CLUSTER_FAULT_ALREADY_STARTED, asked->application->name);
    return false;
}

static bool check_none_runs(const struct asked *asked)
{
    for (size_t i = 0; i < asked->members.count; i++) {
        struct sv_str name = {0};
        if (!sv_state_is_running(asked->members.items[i]->state))
            continue;
        sv_namespec(&name, asked->members.items[i]);
        refuse(asked, SV_CLUSTER_FAULT_ALREADY_STARTED, sv_str_text(&name));
        sv_str_done(&name);
        return false;
    }
    return true;
}

/* ---- Answers ---- */

static void wait_for(const struct asked *asked, enum sv_waiting_for what, const char *result)
{
    const struct sv_waiter_config config = {
        .request = asked->request->id,
        .what = what,
        .application = asked->application,
        .members = asked->members.items,
        .member_count = asked->members.count,
        .result = result,
    };
    sv_waiter_add(asked->commander, &config);
}

static bool is_busy(const struct asked *asked)
{
    for (size_t i = 0; i < asked->members.count; i++)
        if (asked->members.items[i]->command_count > 0)
            return true;
    return asked->members.count == 0 && asked->application->job_count > 0;
}

/* Something is under way now, or `verb` has failed. */
static void answer_plan(const struct asked *asked, enum sv_waiting_for what, const char *verb)
{
    struct sv_cluster *cluster = asked->commander->cluster;
    if (!is_busy(asked))
        refuse(asked, SV_CLUSTER_FAULT_ABNORMAL_TERMINATION,
               sv_text(cluster, "failed to %s %s", verb, asked->request->name));
    else if (asked->request->does_wait)
        wait_for(asked, what, NULL);
    else
        accept(asked, true);
}

/* ---- Requests about an application ---- */

static void start_application(struct asked *asked)
{
    struct sv_commander *commander = asked->commander;
    if (!check_state(asked, OPERATING) || !find_application(asked, asked->request->name) ||
        !check_managed(asked) || !check_application_stopped(asked))
        return;
    sv_start_application(commander, asked->application, asked->request->starting);
    sv_sequencer_next(commander, &commander->starts);
    answer_plan(asked, SV_WAIT_APPLICATION_RUNNING, "start");
}

static void test_start_application(struct asked *asked)
{
    if (check_state(asked, OPERATING) && find_application(asked, asked->request->name) &&
        check_managed(asked) && check_application_stopped(asked))
        sv_predict_application(asked->commander, asked->request, asked->application);
}

static void predict_application(struct asked *asked)
{
    if (check_state(asked, OPERATING | CONCILIATING) &&
        find_application(asked, asked->request->name) && check_managed(asked))
        sv_predict_application(asked->commander, asked->request, asked->application);
}

static void stop_application(struct asked *asked)
{
    struct sv_commander *commander = asked->commander;
    struct sv_cluster *cluster = commander->cluster;
    if (!check_state(asked, OPERATING | CONCILIATING) ||
        !find_application(asked, asked->request->name) || !check_managed(asked))
        return;
    if (!sv_application_has_running(asked->application)) {
        refuse(asked, SV_CLUSTER_FAULT_NOT_RUNNING,
               sv_text(cluster, "failed to stop %s", asked->request->name));
        return;
    }
    sv_stop_application(commander, asked->application);
    sv_sequencer_next(commander, &commander->stops);
    if (asked->request->does_wait && is_busy(asked))
        wait_for(asked, SV_WAIT_APPLICATION_STOPPED, NULL);
    else
        accept(asked, is_busy(asked));
}

static void restart_application(struct asked *asked)
{
    struct sv_commander *commander = asked->commander;
    if (!check_state(asked, OPERATING) || !find_application(asked, asked->request->name))
        return;
    sv_restart_application(commander, asked->application, asked->request->starting);
    sv_sequencer_next(commander, &commander->stops);
    sv_sequencer_next(commander, &commander->starts);
    answer_plan(asked, SV_WAIT_APPLICATION_STARTED, "restart");
}

/* ---- Requests about processes ---- */

/* One after the other, as Supvisors: the first begins before the second is planned. */
static void start_members(const struct asked *asked)
{
    struct sv_commander *commander = asked->commander;
    for (size_t i = 0; i < asked->members.count; i++) {
        sv_start_process(commander, asked->members.items[i], asked->request->starting,
                         asked->request->extra_arguments);
        sv_sequencer_next(commander, &commander->starts);
    }
}

static void start_process(struct asked *asked)
{
    if (!check_state(asked, OPERATING) || !find_processes(asked, asked->request->name) ||
        !check_none_runs(asked))
        return;
    start_members(asked);
    answer_plan(asked, SV_WAIT_PROCESSES_STARTED, "start");
}

static void test_start_process(struct asked *asked)
{
    if (check_state(asked, OPERATING) && find_processes(asked, asked->request->name) &&
        check_none_runs(asked))
        sv_predict_processes(asked->commander, asked->request, asked->members.items,
                             asked->members.count);
}

static void predict_process(struct asked *asked)
{
    if (check_state(asked, OPERATING | CONCILIATING) && find_processes(asked, asked->request->name))
        sv_predict_processes(asked->commander, asked->request, asked->members.items,
                             asked->members.count);
}

static bool matches(const struct asked *asked, const struct sv_pattern *pattern,
                    const struct sv_member *member)
{
    struct sv_str name = {0};
    sv_namespec(&name, member);
    enum sv_pattern_result result =
        sv_pattern_find(pattern, asked->commander->model->match, sv_str_text(&name), name.length);
    sv_str_done(&name);
    return result == SV_PATTERN_YES;
}

/* The first that matches, does not run and has a place now. */
static struct sv_member *find_runnable(const struct asked *asked, const struct sv_pattern *pattern)
{
    const struct sv_model *model = asked->commander->model;
    for (size_t a = 0; a < model->application_count; a++) {
        const struct sv_application *application = model->applications[a];
        for (size_t i = 0; i < application->member_count; i++) {
            struct sv_member *member = application->members[i];
            struct sv_str why = {0};
            sv_instance_place place = SV_INSTANCE_NONE;
            if (!sv_state_is_running(member->state) && matches(asked, pattern, member))
                place =
                    sv_starter_find_place(asked->commander, member, asked->request->starting, &why);
            sv_str_done(&why);
            if (place != SV_INSTANCE_NONE)
                return member;
        }
    }
    return NULL;
}

static void start_any_process(struct asked *asked)
{
    struct sv_cluster *cluster = asked->commander->cluster;
    struct sv_str text = {0};
    if (!check_state(asked, OPERATING))
        return;
    const struct sv_pattern *pattern =
        sv_pattern_compile_name(asked->request->name, false, &cluster->texts, &text);
    struct sv_member *member = pattern ? find_runnable(asked, pattern) : NULL;
    if (!pattern) {
        refuse(asked, SV_CLUSTER_FAULT_INCORRECT_PARAMETERS, sv_str_text(&text));
    } else if (!member) {
        refuse(asked, SV_CLUSTER_FAULT_FAILED,
               sv_text(cluster, "no candidate process matching \"%s\"", asked->request->name));
    } else {
        sv_namespec(&text, member);
        asked->application = member->application;
        asked->members.items = sv_allocate(1, sizeof(*asked->members.items));
        asked->members.items[0] = member;
        asked->members.count = 1;
        start_members(asked);
        if (!is_busy(asked))
            refuse(asked, SV_CLUSTER_FAULT_ABNORMAL_TERMINATION,
                   sv_text(cluster, "failed to start %s", sv_str_text(&text)));
        else if (asked->request->does_wait)
            wait_for(asked, SV_WAIT_PROCESSES_STARTED, sv_str_text(&text));
        else
            sv_answer(cluster, asked->request->id, 0, sv_str_text(&text), true);
    }
    sv_str_done(&text);
}

static void stop_process(struct asked *asked)
{
    struct sv_commander *commander = asked->commander;
    if (!check_state(asked, OPERATING | CONCILIATING) ||
        !find_processes(asked, asked->request->name))
        return;
    for (size_t i = 0; i < asked->members.count; i++)
        sv_stop_process(commander, asked->members.items[i], SV_INSTANCE_NONE);
    sv_sequencer_next(commander, &commander->stops);
    if (!is_busy(asked))
        refuse(asked, SV_CLUSTER_FAULT_NOT_RUNNING,
               sv_text(commander->cluster, "%s already stopped", asked->request->name));
    else if (asked->request->does_wait)
        wait_for(asked, SV_WAIT_PROCESSES_STOPPED, NULL);
    else
        accept(asked, true);
}

static void restart_process(struct asked *asked)
{
    struct sv_commander *commander = asked->commander;
    if (!check_state(asked, OPERATING) || !find_processes(asked, asked->request->name))
        return;
    for (size_t i = 0; i < asked->members.count; i++) {
        sv_restart_process(commander, asked->members.items[i], asked->request->starting,
                           asked->request->extra_arguments);
        sv_sequencer_next(commander, &commander->stops);
        sv_sequencer_next(commander, &commander->starts);
    }
    answer_plan(asked, SV_WAIT_PROCESSES_STARTED, "restart");
}

/* ---- Requests about the cluster ---- */

/* At least one of those that the name means. */
static bool find_conflict(struct asked *asked, const char *name)
{
    if (!find_processes(asked, name) || !check_managed(asked))
        return false;
    for (size_t i = 0; i < asked->members.count; i++)
        if (asked->members.items[i]->running_count > 1)
            return true;
    refuse(asked, SV_CLUSTER_FAULT_NOT_APPLICABLE,
           sv_text(asked->commander->cluster, "%s does not run more than once", name));
    return false;
}

/* All conflicts, or those that the name means. */
static void conciliate(struct asked *asked)
{
    enum sv_conciliation_strategy strategy = asked->request->conciliation;
    const char *name = asked->request->name;
    bool is_about_all = !name || *name == '\0';
    if (!check_state(asked, CONCILIATING) || (!is_about_all && !find_conflict(asked, name)))
        return;
    if (is_about_all)
        sv_conciliate(asked->commander, strategy);
    for (size_t i = 0; i < asked->members.count; i++)
        sv_conciliate_member(asked->commander, asked->members.items[i], strategy);
    accept(asked, strategy != SV_CONCILIATION_STRATEGY_USER);
}

static void restart_sequence(struct asked *asked)
{
    struct sv_commander *commander = asked->commander;
    if (!check_state(asked, OPERATING))
        return;
    if (sv_modes_have_jobs(commander->cluster)) {
        refuse(asked, SV_CLUSTER_FAULT_BAD_SUPVISORS_STATE, "jobs in progress");
        return;
    }
    sv_start_all(commander);
    sv_sequencer_next(commander, &commander->starts);
    if (commander->starts.job_count == 0)
        refuse(asked, SV_CLUSTER_FAULT_ABNORMAL_TERMINATION, "failed to trigger start sequence");
    else if (asked->request->does_wait)
        wait_for(asked, SV_WAIT_ALL, NULL);
    else
        accept(asked, true);
}

void sv_commander_request(struct sv_cluster *cluster, const struct sv_cluster_request *request)
{
    static void (*const handlers[])(struct asked * asked) = {
        [SV_REQUEST_START_APPLICATION] = start_application,
        [SV_REQUEST_STOP_APPLICATION] = stop_application,
        [SV_REQUEST_RESTART_APPLICATION] = restart_application,
        [SV_REQUEST_START_PROCESS] = start_process,
        [SV_REQUEST_START_ANY_PROCESS] = start_any_process,
        [SV_REQUEST_STOP_PROCESS] = stop_process,
        [SV_REQUEST_RESTART_PROCESS] = restart_process,
        [SV_REQUEST_TEST_START_APPLICATION] = test_start_application,
        [SV_REQUEST_TEST_START_PROCESS] = test_start_process,
        [SV_REQUEST_PREDICT_APPLICATION] = predict_application,
        [SV_REQUEST_PREDICT_PROCESS] = predict_process,
        [SV_REQUEST_CONCILIATE] = conciliate,
        [SV_REQUEST_RESTART_SEQUENCE] = restart_sequence,
    };
    struct asked asked = {.commander = cluster->commander, .request = request};
    handlers[request->kind](&asked);
    free(asked.members.items);
    sv_commander_settle(cluster->commander);
}
