/*
 * start, stop, signal, restart, clear: what one does to processes.
 *
 * Supervisor's three calls (of one process, of a group, of all) answer in three ways: with a fault,
 * or with a list of results, each with a status that is a fault's code. Both become a line of text
 * by the same table, and an exit code by the same rule.
 *
 * `restart --rolling` is svctl's own: with `restart`, a broken release takes every process of a
 * group down before the first one fails; rolling leaves the rest alone.
 */
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "faults.h"
#include "namespec.h"
#include "processes.h"
#include "recover.h"

/* A verb of one process, of a group and of all, and what its answers mean. */
struct verb {
    const char *one;
    const char *group;
    const char *all;
    const char *success; /* "NAME: started" */
    int tolerated;       /* a fault that leaves the exit code alone */
    enum sv_exit bad_group;
    enum sv_wait_kind wait;
    struct {
        int code;
        const char *text; /* NULL: the server's own text, alone */
    } errors[7];
};

static const struct verb start_verb = {
    .one = "supervisor.startProcess",
    .group = "supervisor.startProcessGroup",
    .all = "supervisor.startAllProcesses",
    .success = "started",
    .tolerated = SV_FAULT_ALREADY_STARTED,
    .bad_group = SV_EXIT_INVALID_ARGUMENTS,
    .wait = SV_WAIT_START,
    .errors = {{SV_FAULT_BAD_NAME, "no such process"},
               {SV_FAULT_NO_FILE, "no such file"},
               {SV_FAULT_NOT_EXECUTABLE, "file is not executable"},
               {SV_FAULT_ALREADY_STARTED, "already started"},
               {SV_FAULT_SPAWN_ERROR, "spawn error"},
               {SV_FAULT_ABNORMAL_TERMINATION, "abnormal termination"},
               {SV_FAULT_DISABLED, NULL}},
};

#define SIGNAL_ERRORS                                                                              \
    {                                                                                              \
        {SV_FAULT_BAD_NAME, "no such process"}, {SV_FAULT_BAD_SIGNAL, "bad signal name"},          \
            {SV_FAULT_NOT_RUNNING, "not running"}, {SV_FAULT_FAILED, NULL},                        \
    }

static const struct verb stop_verb = {
    .one = "supervisor.stopProcess",
    .group = "supervisor.stopProcessGroup",
    .all = "supervisor.stopAllProcesses",
    .success = "stopped",
    .tolerated = SV_FAULT_NOT_RUNNING,
    .bad_group = SV_EXIT_GENERIC,
    .wait = SV_WAIT_STOP,
    .errors = SIGNAL_ERRORS,
};

static const struct verb signal_verb = {
    .one = "supervisor.signalProcess",
    .group = "supervisor.signalProcessGroup",
    .all = "supervisor.signalAllProcesses",
    .success = "signalled",
    .bad_group = SV_EXIT_GENERIC,
    .errors = SIGNAL_ERRORS,
};

/* There is no call that clears a group: "GROUP:*" goes to the call for one, which knows no such
 * name. */
static const struct verb clear_verb = {
    .one = "supervisor.clearProcessLogs",
    .all = "supervisor.clearAllProcessLogs",
    .success = "cleared",
    .errors = {{SV_FAULT_BAD_NAME, "no such process"}, {SV_FAULT_FAILED, "failed"}},
};

static void set_exit_from_fault(struct sv_ctl *ctl, int code, int tolerated)
{
    if (code == SV_FAULT_SUCCESS || code == tolerated)
        return;
    if (code == SV_FAULT_SPAWN_ERROR || code == SV_FAULT_ABNORMAL_TERMINATION ||
        code == SV_FAULT_NOT_RUNNING)
        ctl->exit_status = SV_EXIT_NOT_RUNNING;
    else
        ctl->exit_status = SV_EXIT_GENERIC;
}

static void say_error(const struct verb *verb, const char *name, int code, const char *description)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(verb->errors) && verb->errors[i].code; i++) {
        if (verb->errors[i].code != code)
            continue;
        if (code == SV_FAULT_DISABLED) /* Supvisors' words, without the brackets */
            sv_say("%s: ERROR disabled", name);
        else if (verb->errors[i].text)
            sv_say("%s: ERROR (%s)", name, verb->errors[i].text);
        else
            sv_say("%s", description);
        return;
    }
    /* supervisorctl has no text for other codes and prints where in its source it stopped. */
    sv_say("%s: ERROR (%s)", name, *description ? description : "unknown result of the server");
}

static void say_result(struct sv_ctl *ctl, const struct verb *verb, const char *name, int code,
                       const char *description)
{
    if (code == SV_FAULT_SUCCESS)
        sv_say("%s: %s", name, verb->success);
    else
        say_error(verb, name, code, description);
    set_exit_from_fault(ctl, code, verb->tolerated);
}

static void say_results(struct sv_ctl *ctl, const struct verb *verb, json_t *results)
{
    size_t i;
    json_t *result;

    json_array_foreach(results, i, result)
    {
        char *name = sv_namespec_of(result);

        say_result(ctl, verb, name ? name : sv_text_of(result, "name"),
                   (int)sv_integer_of(result, "status"), sv_text_of(result, "description"));
        free(name);
    }
    json_decref(results);
}

static struct sv_lost lost_call(const struct verb *verb)
{
    return (struct sv_lost){.kind = verb->wait, .method = verb->one, .begun_ns = sv_recover_now()};
}

/* Those of `group` (NULL: of any) that the lost call may have been about. NULL without memory. */
static json_t *names_meant(const struct sv_lost *lost, const json_t *infos, const char *group)
{
    json_t *names = json_array();
    json_t *info;
    size_t i;

    json_array_foreach(infos, i, info)
    {
        bool is_meant = !group || strcmp(sv_text_of(info, "group"), group) == 0;
        char *name = is_meant && !sv_recover_is_untouched(lost, info) ? sv_namespec_of(info) : NULL;

        if (name)
            json_array_append_new(names, json_string(name));
        free(name);
    }
    return names;
}

/* The daemon died during a call about many processes: each of them is followed by itself. */
static enum sv_verdict recover_many(struct sv_ctl *ctl, const struct verb *verb,
                                    struct sv_lost *lost, const char *group)
{
    json_t *infos = NULL;
    json_t *names;
    enum sv_call outcome = sv_recover_infos(ctl, lost, &infos);

    if (outcome != SV_CALL_OK)
        return SV_VERDICT_ABORTED;
    names = names_meant(lost, infos, group);
    json_decref(infos);
    for (size_t i = 0; i < json_array_size(names) && outcome != SV_CALL_BROKEN; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        int fault = SV_FAULT_SUCCESS;

        outcome = sv_recover_one(ctl, lost, name, &fault);
        if (outcome != SV_CALL_BROKEN)
            say_result(ctl, verb, name, fault, "");
    }
    json_decref(names);
    return outcome == SV_CALL_BROKEN ? SV_VERDICT_ABORTED : SV_VERDICT_DONE;
}

static enum sv_verdict act_on_all(struct sv_ctl *ctl, const struct verb *verb, const char *signal)
{
    json_t *results = NULL;
    struct sv_lost lost = lost_call(verb);
    enum sv_call outcome =
        sv_client_call(ctl->client, verb->all, &results, signal ? "[s]" : "[]", signal);

    if (outcome == SV_CALL_BROKEN && verb->wait && sv_recover_is_lost(ctl))
        return recover_many(ctl, verb, &lost, NULL);
    if (outcome != SV_CALL_OK)
        return SV_VERDICT_ABORTED;
    say_results(ctl, verb, results);
    return SV_VERDICT_DONE;
}

static enum sv_verdict act_on_group(struct sv_ctl *ctl, const struct verb *verb,
                                    const struct sv_namespec *namespec, const char *signal)
{
    json_t *results = NULL;
    struct sv_lost lost = lost_call(verb);
    enum sv_call outcome = sv_client_call(ctl->client, verb->group, &results,
                                          signal ? "[ss]" : "[s]", namespec->group, signal);

    if (outcome == SV_CALL_FAULT && sv_client_fault(ctl->client)->code == SV_FAULT_BAD_NAME) {
        sv_complain(ctl, verb->bad_group, "%s: ERROR (no such group)", namespec->group);
        return SV_VERDICT_DONE;
    }
    if (outcome == SV_CALL_BROKEN && verb->wait && sv_recover_is_lost(ctl))
        return recover_many(ctl, verb, &lost, namespec->group);
    if (outcome != SV_CALL_OK)
        return SV_VERDICT_ABORTED;
    say_results(ctl, verb, results);
    return SV_VERDICT_DONE;
}

/* `name` is what was typed; the line says it in its short form ("a" for "a:a"). */
static enum sv_verdict act_on_one(struct sv_ctl *ctl, const struct verb *verb, const char *name,
                                  const char *signal)
{
    struct sv_namespec namespec;
    char *short_name = NULL;
    struct sv_lost lost = lost_call(verb);
    int code = SV_FAULT_SUCCESS;
    enum sv_call outcome =
        sv_client_call(ctl->client, verb->one, NULL, signal ? "[ss]" : "[s]", name, signal);

    if (outcome == SV_CALL_FAULT)
        code = sv_client_fault(ctl->client)->code;
    if (outcome == SV_CALL_BROKEN && verb->wait && sv_recover_is_lost(ctl))
        outcome = sv_recover_one(ctl, &lost, name, &code);
    if (outcome == SV_CALL_BROKEN)
        return SV_VERDICT_ABORTED;
    if (sv_namespec_split(name, &namespec) == 0) {
        short_name = sv_namespec_make(namespec.group, namespec.process);
        sv_namespec_done(&namespec);
    }
    say_result(ctl, verb, short_name ? short_name : name, code, sv_client_fault(ctl->client)->text);
    free(short_name);
    return SV_VERDICT_DONE;
}

static enum sv_verdict act(struct sv_ctl *ctl, const struct verb *verb, const char *signal,
                           const struct sv_arguments *arguments)
{
    enum sv_verdict verdict = SV_VERDICT_DONE;

    /* With a signal, the first word is its name. */
    for (size_t i = signal ? 1 : 0; i < arguments->word_count; i++)
        if (strcmp(arguments->words[i], "all") == 0)
            return act_on_all(ctl, verb, signal);
    for (size_t i = signal ? 1 : 0; i < arguments->word_count && !verdict; i++) {
        struct sv_namespec namespec;

        if (sv_namespec_split(arguments->words[i], &namespec) < 0) {
            sv_complain(ctl, SV_EXIT_GENERIC, "error: out of memory");
            return SV_VERDICT_DONE;
        }
        if (verb->group && !namespec.process)
            verdict = act_on_group(ctl, verb, &namespec, signal);
        else
            verdict = act_on_one(ctl, verb, arguments->words[i], signal);
        sv_namespec_done(&namespec);
    }
    return verdict;
}

enum sv_verdict sv_command_start(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    if (arguments->word_count == 0) {
        sv_complain(ctl, SV_EXIT_INVALID_ARGUMENTS, "Error: start requires a process name");
        sv_say_usage("start");
        return SV_VERDICT_DONE;
    }
    return act(ctl, &start_verb, NULL, arguments);
}

enum sv_verdict sv_command_stop(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    if (arguments->word_count == 0) {
        sv_complain(ctl, SV_EXIT_GENERIC, "Error: stop requires a process name");
        sv_say_usage("stop");
        return SV_VERDICT_DONE;
    }
    return act(ctl, &stop_verb, NULL, arguments);
}

enum sv_verdict sv_command_signal(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    if (arguments->word_count < 2) {
        sv_complain(ctl, SV_EXIT_GENERIC,
                    "Error: signal requires a signal name and a process name");
        sv_say_usage("signal");
        return SV_VERDICT_DONE;
    }
    return act(ctl, &signal_verb, arguments->words[0], arguments);
}

enum sv_verdict sv_command_clear(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    if (arguments->word_count == 0) {
        sv_complain(ctl, SV_EXIT_GENERIC, "Error: clear requires a process name");
        sv_say_usage("clear");
        return SV_VERDICT_DONE;
    }
    return act(ctl, &clear_verb, NULL, arguments);
}

/* Stops and starts one process. `ret_is_running` says whether the next one may be touched. */
static enum sv_verdict roll(struct sv_ctl *ctl, const char *name, bool *ret_is_running)
{
    json_t *info = NULL;
    enum sv_verdict verdict = act_on_one(ctl, &stop_verb, name, NULL);

    if (verdict == SV_VERDICT_DONE)
        verdict = act_on_one(ctl, &start_verb, name, NULL);
    if (verdict != SV_VERDICT_DONE)
        return verdict;
    if (sv_client_call(ctl->client, "supervisor.getProcessInfo", &info, "[s]", name) != SV_CALL_OK)
        return SV_VERDICT_ABORTED;
    *ret_is_running = strcmp(sv_text_of(info, "statename"), "RUNNING") == 0;
    json_decref(info);
    return SV_VERDICT_DONE;
}

static void say_left_alone(struct sv_ctl *ctl, const json_t *infos, size_t failed)
{
    struct sv_str names = {0};
    char *failed_name = sv_namespec_of(json_array_get(infos, failed));

    for (size_t i = failed + 1; i < json_array_size(infos); i++) {
        char *name = sv_namespec_of(json_array_get(infos, i));
        sv_str_addf(&names, "%s%s", names.length ? ", " : "", name ? name : "?");
        free(name);
    }
    if (ctl->exit_status == SV_EXIT_SUCCESS)
        ctl->exit_status = SV_EXIT_NOT_RUNNING;
    sv_say("rolling restart ended at %s, which is not RUNNING; not restarted: %s",
           failed_name ? failed_name : "?", names.length ? sv_str_text(&names) : "none");
    free(failed_name);
    sv_str_done(&names);
}

static enum sv_verdict restart_rolling(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    json_t *infos = NULL;
    enum sv_verdict verdict = sv_processes_matching(ctl, arguments, SV_EXIT_GENERIC, &infos);
    bool is_running = true;

    /* A name that does not exist is a mistake in the command: nothing is restarted then. */
    if (ctl->exit_status != SV_EXIT_SUCCESS && !ctl->is_interactive)
        goto out;
    for (size_t i = 0; i < json_array_size(infos) && !verdict && is_running; i++) {
        char *name = sv_namespec_of(json_array_get(infos, i));

        if (!name)
            break;
        verdict = roll(ctl, name, &is_running);
        free(name);
        if (verdict || !is_running)
            say_left_alone(ctl, infos, i);
    }
out:
    json_decref(infos);
    return verdict;
}

enum sv_verdict sv_command_restart(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    enum sv_verdict verdict;

    if (arguments->word_count == 0) {
        sv_complain(ctl, SV_EXIT_GENERIC, "Error: restart requires a process name");
        sv_say_usage("restart");
        return SV_VERDICT_DONE;
    }
    if (arguments->options & SV_OPTION_ROLLING)
        return restart_rolling(ctl, arguments);
    verdict = act(ctl, &stop_verb, NULL, arguments);
    return verdict ? verdict : act(ctl, &start_verb, NULL, arguments);
}
