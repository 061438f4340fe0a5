/* add, remove, update: which groups the daemon runs. */
#include <string.h>

#include "ctl.h"
#include "faults.h"
#include "namespec.h"

enum sv_verdict sv_command_add(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    for (size_t i = 0; i < arguments->word_count; i++) {
        const char *name = arguments->words[i];
        enum sv_call outcome =
            sv_client_call(ctl->client, "supervisor.addProcessGroup", NULL, "[s]", name);
        int fault = sv_client_fault(ctl->client)->code;

        if (outcome == SV_CALL_OK)
            sv_say("%s: added process group", name);
        else if (fault == SV_FAULT_SHUTDOWN_STATE)
            sv_complain(ctl, SV_EXIT_GENERIC, "ERROR: shutting down");
        else if (fault == SV_FAULT_ALREADY_ADDED)
            sv_say("ERROR: process group already active"); /* and the exit code stays 0 */
        else if (fault == SV_FAULT_BAD_NAME)
            sv_complain(ctl, SV_EXIT_GENERIC, "ERROR: no such process/group: %s", name);
        else
            return SV_VERDICT_ABORTED;
    }
    return SV_VERDICT_DONE;
}

enum sv_verdict sv_command_remove(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    for (size_t i = 0; i < arguments->word_count; i++) {
        const char *name = arguments->words[i];
        enum sv_call outcome =
            sv_client_call(ctl->client, "supervisor.removeProcessGroup", NULL, "[s]", name);
        int fault = sv_client_fault(ctl->client)->code;

        if (outcome == SV_CALL_OK)
            sv_say("%s: removed process group", name);
        else if (fault == SV_FAULT_STILL_RUNNING)
            sv_complain(ctl, SV_EXIT_GENERIC, "ERROR: process/group still running: %s", name);
        else if (fault == SV_FAULT_BAD_NAME)
            sv_complain(ctl, SV_EXIT_GENERIC, "ERROR: no such process/group: %s", name);
        else
            return SV_VERDICT_ABORTED;
    }
    return SV_VERDICT_DONE;
}

/* `update` without names, or with "all" among them, means every group. */
static bool is_wanted(const struct sv_arguments *arguments, const char *group)
{
    bool is_found = arguments->word_count == 0;

    for (size_t i = 0; i < arguments->word_count && !is_found; i++)
        is_found =
            strcmp(arguments->words[i], group) == 0 || strcmp(arguments->words[i], "all") == 0;
    return is_found;
}

static bool has_text(const json_t *names, const char *text)
{
    size_t i;
    json_t *name;

    json_array_foreach(names, i, name)
    {
        if (json_is_string(name) && strcmp(json_string_value(name), text) == 0)
            return true;
    }
    return false;
}

static bool has_group(const json_t *infos, const char *group)
{
    size_t i;
    json_t *info;

    json_array_foreach(infos, i, info)
    {
        if (strcmp(sv_text_of(info, "group"), group) == 0)
            return true;
    }
    return false;
}

static enum sv_verdict complain_of_unknown(struct sv_ctl *ctl, const struct sv_arguments *arguments,
                                           const json_t *added)
{
    json_t *infos = NULL;

    for (size_t i = 0; i < arguments->word_count; i++)
        if (strcmp(arguments->words[i], "all") == 0)
            return SV_VERDICT_DONE;
    if (arguments->word_count == 0)
        return SV_VERDICT_DONE;
    if (sv_client_call(ctl->client, "supervisor.getAllProcessInfo", &infos, "[]") != SV_CALL_OK)
        return SV_VERDICT_ABORTED;
    for (size_t i = 0; i < arguments->word_count; i++)
        if (!has_group(infos, arguments->words[i]) && !has_text(added, arguments->words[i]))
            sv_complain(ctl, SV_EXIT_GENERIC, "ERROR: no such group: %s", arguments->words[i]);
    json_decref(infos);
    return SV_VERDICT_DONE;
}

/* Says "GROUP: WHAT" when the call worked. */
static bool step(struct sv_ctl *ctl, const char *method, const char *group, const char *what)
{
    if (sv_client_call(ctl->client, method, NULL, "[s]", group) != SV_CALL_OK)
        return false;
    if (what)
        sv_say("%s: %s", group, what);
    return true;
}

static bool update_removed(struct sv_ctl *ctl, const char *group)
{
    json_t *results = NULL;
    json_t *result;
    size_t i;
    bool has_failed = false;

    if (sv_client_call(ctl->client, "supervisor.stopProcessGroup", &results, "[s]", group))
        return false;
    sv_say("%s: stopped", group);
    json_array_foreach(results, i, result) has_failed =
        has_failed || sv_integer_of(result, "status") == SV_FAULT_FAILED;
    json_decref(results);
    if (has_failed) {
        sv_complain(ctl, SV_EXIT_GENERIC, "%s: has problems; not removing", group);
        return true;
    }
    return step(ctl, "supervisor.removeProcessGroup", group, "removed process group");
}

static bool update_changed(struct sv_ctl *ctl, const char *group)
{
    return step(ctl, "supervisor.stopProcessGroup", group, "stopped") &&
           step(ctl, "supervisor.removeProcessGroup", group, NULL) &&
           step(ctl, "supervisor.addProcessGroup", group, "updated process group");
}

static bool update_added(struct sv_ctl *ctl, const char *group)
{
    return step(ctl, "supervisor.addProcessGroup", group, "added process group");
}

enum sv_verdict sv_command_update(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    /* In this order, and by their place in the answer of reloadConfig, [[added, changed, removed]].
     */
    static const struct {
        size_t place;
        bool (*update)(struct sv_ctl *ctl, const char *group);
    } kinds[] = {{2, update_removed}, {1, update_changed}, {0, update_added}};
    json_t *result = NULL;
    const json_t *lists;
    enum sv_verdict verdict;

    if (sv_client_call(ctl->client, "supervisor.reloadConfig", &result, "[]") != SV_CALL_OK) {
        if (sv_client_fault(ctl->client)->code != SV_FAULT_SHUTDOWN_STATE)
            return SV_VERDICT_ABORTED;
        sv_complain(ctl, SV_EXIT_GENERIC, "ERROR: already shutting down");
        return SV_VERDICT_DONE;
    }
    lists = json_array_get(result, 0);
    verdict = complain_of_unknown(ctl, arguments, json_array_get(lists, 0));
    for (size_t i = 0; i < SV_ARRAY_LENGTH(kinds) && !verdict; i++) {
        size_t j;
        json_t *group;

        json_array_foreach(json_array_get(lists, kinds[i].place), j, group)
        {
            const char *name = json_string_value(group);

            if (name && is_wanted(arguments, name) && !kinds[i].update(ctl, name)) {
                verdict = SV_VERDICT_ABORTED;
                break;
            }
        }
    }
    json_decref(result);
    return verdict;
}
