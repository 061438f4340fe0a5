/*
 * Starting, stopping and restarting over the cluster, by the rules and a strategy:
 * start_application and its sisters, start_process and its sisters, the forms with extra arguments,
 * and those that look for a process by a regular expression.
 */
#include <stdlib.h>
#include <string.h>

#include "cluster.h"
#include "namespec.h"
#include "python.h"

/* "SUBJECT VERB: True", or the fault of the subject. */
static enum sv_verdict settle(struct sv_ctl *ctl, enum sv_call outcome, const char *subject,
                              const char *verb, json_t *result)
{
    SV_CLEANUP(sv_str_done) struct sv_str text = {0};

    if (outcome == SV_CALL_FAULT)
        sv_complain_fault(ctl, subject);
    if (outcome == SV_CALL_OK) {
        sv_add_python(&text, result);
        sv_say("%s %s: %s", subject, verb, sv_str_text(&text));
        json_decref(result);
    }
    return outcome == SV_CALL_BROKEN ? SV_VERDICT_ABORTED : SV_VERDICT_DONE;
}

/* --- applications --- */

static const struct application_verb {
    const char *command;
    const char *method;
    const char *verb;
    const char *process_command; /* of supervisorctl, for what is not managed */
    bool takes_strategy;
} application_verbs[] = {
    {"start_application", "supvisors.start_application", "started", "start", true},
    {"restart_application", "supvisors.restart_application", "restarted", "restart", true},
    {"stop_application", "supvisors.stop_application", "stopped", "stop", false},
};

static const json_t *info_of(const json_t *infos, const char *application)
{
    size_t i;
    json_t *info;

    json_array_foreach(infos, i, info)
    {
        if (strcmp(sv_text_of(info, "application_name"), application) == 0)
            return info;
    }
    return NULL;
}

static json_t *managed_applications(const json_t *infos)
{
    json_t *names = json_array();
    size_t i;
    json_t *info;

    json_array_foreach(infos, i, info)
    {
        if (json_is_true(json_object_get(info, "managed")))
            json_array_append_new(names, json_string(sv_text_of(info, "application_name")));
    }
    sv_sort_texts(names);
    return names;
}

/* Those that the words mean; what cannot be meant is said. */
static json_t *matching_applications(struct sv_ctl *ctl, const struct application_verb *verb,
                                     const struct sv_arguments *arguments, const json_t *infos)
{
    size_t first = verb->takes_strategy;
    json_t *names;

    if (sv_means_all(arguments->words + first, arguments->word_count - first))
        return managed_applications(infos);
    names = json_array();
    for (size_t i = first; i < arguments->word_count; i++) {
        const char *name = arguments->words[i];
        const json_t *info = info_of(infos, name);

        if (!info)
            sv_complain(ctl, SV_EXIT_INVALID_ARGUMENTS, "%s: ERROR (no such application)", name);
        else if (!json_is_true(json_object_get(info, "managed")))
            sv_say("%s: IGNORED (unmanaged. use %s %s:*)", name, verb->process_command, name);
        else
            json_array_append_new(names, json_string(name));
    }
    return names;
}

enum sv_verdict sv_command_cluster_on_applications(struct sv_ctl *ctl,
                                                   const struct sv_arguments *arguments)
{
    const struct application_verb *verb = application_verbs;
    json_t *infos = NULL;
    json_t *names;
    json_t *name;
    size_t i;
    int strategy = 0;
    enum sv_verdict verdict = SV_VERDICT_DONE;
    enum sv_call outcome;

    while (strcmp(verb->command, arguments->command->name) != 0)
        verb++;
    if (verb->takes_strategy && arguments->word_count < 1) {
        sv_complain_usage(ctl, arguments, "ERROR: %s requires at least a strategy", verb->command);
        return SV_VERDICT_DONE;
    }
    if (verb->takes_strategy && !sv_read_choice(ctl, arguments, SV_CHOICE_STARTING_STRATEGY,
                                                arguments->words[0], &strategy))
        return SV_VERDICT_DONE;
    verdict = sv_ask_cluster(ctl, "supvisors.get_all_applications_info", &infos);
    if (!infos)
        return verdict;
    names = matching_applications(ctl, verb, arguments, infos);
    json_array_foreach(names, i, name)
    {
        const char *text = json_string_value(name);
        json_t *result = NULL;

        outcome = verb->takes_strategy
                      ? sv_client_call(ctl->client, verb->method, &result, "[i,s]", strategy, text)
                      : sv_client_call(ctl->client, verb->method, &result, "[s]", text);
        verdict = settle(ctl, outcome, text, verb->verb, result);
        if (verdict)
            break;
    }
    json_decref(names);
    json_decref(infos);
    return verdict;
}

/* --- processes --- */

static const struct process_verb {
    const char *command;
    const char *method;
    const char *verb;
    const char *requires; /* NULL: it takes no strategy */
} process_verbs[] = {
    {"start_process", "supvisors.start_process", "started", "at least a strategy"},
    {"restart_process", "supvisors.restart_process", "restarted", "a strategy and a program name"},
    {"stop_process", "supvisors.stop_process", "stopped", NULL},
};

static enum sv_verdict stop_one(struct sv_ctl *ctl, const char *method, const char *name)
{
    enum sv_call outcome = sv_client_call(ctl->client, method, NULL, "[s]", name);

    if (outcome == SV_CALL_OK)
        sv_say("%s stopped", name);
    return outcome == SV_CALL_OK ? SV_VERDICT_DONE : settle(ctl, outcome, name, "stopped", NULL);
}

enum sv_verdict sv_command_cluster_on_processes(struct sv_ctl *ctl,
                                                const struct sv_arguments *arguments)
{
    const struct process_verb *verb = process_verbs;
    json_t *names = NULL;
    json_t *name;
    size_t i;
    int strategy = 0;
    enum sv_verdict verdict;

    while (strcmp(verb->command, arguments->command->name) != 0)
        verb++;
    if (verb->requires && arguments->word_count < 1) {
        sv_complain_usage(ctl, arguments, "ERROR: %s requires %s", verb->command, verb->requires);
        return SV_VERDICT_DONE;
    }
    if (verb->requires && !sv_read_choice(ctl, arguments, SV_CHOICE_STARTING_STRATEGY,
                                          arguments->words[0], &strategy))
        return SV_VERDICT_DONE;
    verdict = sv_named_processes(ctl, arguments, verb->requires ? 1 : 0, !verb->requires, &names);
    json_array_foreach(names, i, name)
    {
        const char *text = json_string_value(name);
        json_t *result = NULL;

        if (verb->requires) {
            enum sv_call outcome =
                sv_client_call(ctl->client, verb->method, &result, "[i,s]", strategy, text);
            verdict = settle(ctl, outcome, text, verb->verb, result);
        } else {
            verdict = stop_one(ctl, verb->method, text);
        }
        if (verdict)
            break;
    }
    json_decref(names);
    return verdict;
}

/* --- by a regular expression, with extra arguments --- */

/* The server answers with the namespec that it chose. */
static enum sv_verdict start_any(struct sv_ctl *ctl, int strategy, const char *regex,
                                 json_t *extra_arguments)
{
    SV_CLEANUP(sv_str_done) struct sv_str subject = {0};
    json_t *result = NULL;
    enum sv_call outcome = extra_arguments
                               ? sv_client_call(ctl->client, "supvisors.start_any_process", &result,
                                                "[i,s,o]", strategy, regex, extra_arguments)
                               : sv_client_call(ctl->client, "supvisors.start_any_process", &result,
                                                "[i,s]", strategy, regex);

    sv_str_addf(&subject, "\"%s\"", regex);
    if (outcome == SV_CALL_FAULT)
        sv_complain_fault(ctl, sv_str_text(&subject));
    if (outcome == SV_CALL_OK && json_is_string(result))
        sv_say("%s started", json_string_value(result));
    json_decref(result);
    return outcome == SV_CALL_BROKEN ? SV_VERDICT_ABORTED : SV_VERDICT_DONE;
}

enum sv_verdict sv_command_cluster_start_any_process(struct sv_ctl *ctl,
                                                     const struct sv_arguments *arguments)
{
    json_t *regexes;
    json_t *regex;
    size_t i;
    int strategy;
    enum sv_verdict verdict = SV_VERDICT_DONE;

    if (arguments->word_count < 2) {
        sv_complain_usage(ctl, arguments,
                          "ERROR: start_any_process requires a strategy and at least a regular "
                          "expression");
        return SV_VERDICT_DONE;
    }
    if (!sv_read_choice(ctl, arguments, SV_CHOICE_STARTING_STRATEGY, arguments->words[0],
                        &strategy))
        return SV_VERDICT_DONE;
    regexes = sv_word_list(arguments, 1);
    sv_sort_texts(regexes);
    json_array_foreach(regexes, i, regex)
    {
        verdict = start_any(ctl, strategy, json_string_value(regex), NULL);
        if (verdict)
            break;
    }
    json_decref(regexes);
    return verdict;
}

enum sv_verdict sv_command_cluster_start_with(struct sv_ctl *ctl,
                                              const struct sv_arguments *arguments)
{
    bool is_any = strcmp(arguments->command->name, "start_any_process_args") == 0;
    json_t *result = NULL;
    enum sv_call outcome;
    int strategy;

    if (arguments->word_count < 3) {
        sv_complain_usage(ctl, arguments, "ERROR: %s requires a strategy, a %s and extra arguments",
                          arguments->command->name,
                          is_any ? "regular expression" : "program namespec");
        return SV_VERDICT_DONE;
    }
    if (!sv_read_choice(ctl, arguments, SV_CHOICE_STARTING_STRATEGY, arguments->words[0],
                        &strategy))
        return SV_VERDICT_DONE;
    if (is_any)
        return start_any(ctl, strategy, arguments->words[1], sv_joined_words(arguments, 2));
    outcome = sv_client_call(ctl->client, "supvisors.start_process", &result, "[i,s,o]", strategy,
                             arguments->words[1], sv_joined_words(arguments, 2));
    return settle(ctl, outcome, arguments->words[1], "started", result);
}

enum sv_verdict sv_command_cluster_start_args(struct sv_ctl *ctl,
                                              const struct sv_arguments *arguments)
{
    json_t *result = NULL;
    enum sv_call outcome;

    if (arguments->word_count < 2) {
        sv_complain_usage(ctl, arguments,
                          "ERROR: start_args requires a process name and extra arguments");
        return SV_VERDICT_DONE;
    }
    outcome = sv_client_call(ctl->client, "supvisors.start_args", &result, "[s,o]",
                             arguments->words[0], sv_joined_words(arguments, 1));
    return settle(ctl, outcome, arguments->words[0], "started", result);
}
