/*
 * supvisors.*: the programs of the instance that is asked: whether they may run, and how many
 * processes they have.
 *
 * A program has processes in one group, or in several. The methods end when the last process has
 * done what it was asked to; those that did not are told in Supvisors' words.
 */
#include <stdlib.h>
#include <string.h>

#include "api/supvisors/cluster_call.h"
#include "api/text.h"
#include "base/names.h"

static bool check_program(struct sv_api_call *call, const char *program)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    if (!sv_cluster_check_operating(call))
        return false;
    if (cluster->knows_program(cluster->user, program))
        return true;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&text, "program=%s unknown to Supvisors", program);
    sv_call_fault(call, SV_FAULT_BAD_NAME, sv_str_text(&text));
    return false;
}

/* The processes of the program in all groups, or of these only the retired ones; to be freed. NULL
 * without memory. */
static sv_process_id *processes_of(const struct sv_api_host *host, const char *program,
                                   bool is_retired, size_t *ret_count)
{
    size_t group_count, room = 1, count = 0;
    const struct sv_group_view *groups = host->groups(host->user, &group_count);
    for (size_t g = 0; g < group_count; g++)
        room += groups[g].process_count;
    sv_process_id *processes = calloc(room, sizeof(*processes));
    for (size_t g = 0; processes && g < group_count; g++)
        for (size_t i = 0; i < groups[g].process_count; i++) {
            struct sv_process_view view;
            if (host->process(host->user, groups[g].processes[i], &view) &&
                strcmp(view.config->program, program) == 0 && (view.is_retired || !is_retired))
                processes[count++] = view.id;
        }
    *ret_count = count;
    return processes;
}

static bool is_any(const struct sv_process_view *view)
{
    (void)view;
    return true;
}

/* A stop of one in EXITED ends the wait for its delayed restart. */
static void stop(struct sv_member *member, const struct sv_process_view *view, bool does_wait,
                 enum sv_wait wait)
{
    const struct sv_api_host *host = sv_call_host(member->call);
    bool was_alive = sv_process_state_is_running(view->state);
    member->run = view->run;
    if (view->state != SV_PROCESS_STOPPING)
        host->stop(host->user, member->process);
    struct sv_process_view after;
    bool exists = host->process(host->user, member->process, &after);
    if (was_alive && exists && after.state == SV_PROCESS_UNKNOWN)
        sv_member_settle(member, SV_FAULT_STILL_RUNNING, member->name);
    else if (does_wait)
        sv_member_wait(member, wait);
    else
        sv_member_settle(member, SV_FAULT_SUCCESS, NULL);
}

static void put_down(struct sv_member *member, const struct sv_process_view *view,
                     const struct sv_argument *rest)
{
    stop(member, view, rest[0].boolean, SV_WAIT_STOPPED);
}

static void put_away(struct sv_member *member, const struct sv_process_view *view,
                     const struct sv_argument *rest)
{
    stop(member, view, rest[0].boolean, SV_WAIT_GONE);
}

/* True, or the fault with those that have it: "processes=['web:web_1']". */
static void finish(struct sv_api_call *call)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    json_int_t fault = SV_FAULT_NONE;
    size_t i;
    json_t *entry;
    json_array_foreach(call->entries, i, entry)
    {
        json_int_t status = json_integer_value(json_object_get(entry, "status"));
        const char *group = json_string_value(json_object_get(entry, "group"));
        const char *name = json_string_value(json_object_get(entry, "name"));
        if (status == SV_FAULT_SUCCESS)
            continue;
        fault = fault ? fault : status;
        bool is_alone = strcmp(group, name) == 0;
        sv_str_addf(&text, "%s'%s%s%s'", text.length > 0 ? ", " : "processes=[",
                    is_alone ? "" : group, is_alone ? "" : ":", name);
    }
    sv_str_add(&text, "]");
    if (fault)
        sv_call_fault(call, (enum sv_fault)fault, sv_str_text(&text));
    else
        sv_call_return(call, json_true());
}

static bool set_disabled(struct sv_api_call *call, const char *program, bool is_disabled)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    if (!check_program(call, program))
        return false;
    if (cluster->set_disabled(cluster->user, program, is_disabled) == 0)
        return true;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&text, "disabilities_file of program=%s cannot be written, see the log", program);
    sv_call_fault(call, SV_FAULT_FAILED, sv_str_text(&text));
    return false;
}

void sv_method_supvisors_enable(struct sv_api_call *call, const struct sv_argument *arguments)
{
    if (set_disabled(call, arguments[0].text, false))
        sv_call_return(call, json_true());
}

static void stop_all(struct sv_api_call *call, const char *program, bool is_retired,
                     const struct sv_argument *wait)
{
    static const struct sv_verb verbs[] = {{is_any, put_down}, {is_any, put_away}};
    size_t count;
    sv_process_id *processes = processes_of(sv_call_host(call), program, is_retired, &count);
    if (!processes) {
        sv_call_fault(call, SV_FAULT_FAILED, "out of memory");
        return;
    }
    call->finish = finish;
    sv_call_on_these(call, processes, count, &verbs[is_retired], wait);
    free(processes);
}

void sv_method_supvisors_disable(struct sv_api_call *call, const struct sv_argument *arguments)
{
    if (set_disabled(call, arguments[0].text, true))
        stop_all(call, arguments[0].text, false, &arguments[1]);
}

/* --- how many processes --- */

/* Python's int(value), and how it prints the value. */
static bool read_count(const json_t *value, uint32_t *ret_count, struct sv_str *ret_words)
{
    double number = json_number_value(value);
    if (json_is_boolean(value)) {
        number = json_is_true(value);
        sv_str_add(ret_words, json_is_true(value) ? "True" : "False");
    } else if (json_is_string(value)) {
        char *end;
        sv_str_add(ret_words, json_string_value(value));
        number = (double)strtoll(json_string_value(value), &end, 10);
        number = *end == '\0' ? number : 0;
    } else if (json_is_integer(value)) {
        sv_str_addf(ret_words, "%lld", (long long)json_integer_value(value));
    } else {
        sv_str_addf(ret_words, "%g", number);
    }
    if (!(number >= 1 && number <= UINT32_MAX))
        return false;
    *ret_count = (uint32_t)number;
    return true;
}

static void refuse_count(struct sv_api_call *call, int result, const char *program)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&text, "numprocs not applicable to program=%s", program);
    if (result == SV_NUMPROCS_E_NOT_APPLICABLE)
        sv_call_fault(call, SV_FAULT_NOT_APPLICABLE, sv_str_text(&text));
    else
        sv_call_fault(call, SV_FAULT_FAILED, "out of memory");
}

void sv_method_supvisors_update_numprocs(struct sv_api_call *call,
                                         const struct sv_argument *arguments)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    const char *program = arguments[0].text;
    struct sv_str words SV_CLEANUP(sv_str_done) = {0};
    uint32_t count;
    if (!check_program(call, program))
        return;
    if (!read_count(arguments[1].value, &count, &words)) {
        struct sv_str text SV_CLEANUP(sv_str_done) = {0};
        sv_str_addf(&text, "program=%s incorrect numprocs=%s - integer > 0 expected", program,
                    sv_str_text(&words));
        sv_call_fault(call, SV_FAULT_INCORRECT_PARAMETERS, sv_str_text(&text));
        return;
    }
    int result = cluster->set_numprocs(cluster->user, program, count);
    if (result != 0)
        refuse_count(call, result, program);
    else if (arguments[3].boolean)
        sv_call_return(call, json_true());
    else
        stop_all(call, program, true, &arguments[2]);
}
