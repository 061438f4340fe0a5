/*
 * all_start, all_start_args: the same start on every instance that runs, asked of each over its own
 * HTTP port with the user and password of this connection. An instance that cannot be reached is
 * told, and the next one is asked; supervisorctl breaks off there.
 */
#include <string.h>

#include "cluster.h"
#include "namespec.h"
#include "python.h"

static bool is_running(const json_t *info)
{
    const char *state = sv_text_of(info, "statename");

    return strcmp(state, "CHECKED") == 0 || strcmp(state, "RUNNING") == 0;
}

static void start_there(struct sv_ctl *ctl, const json_t *info, const char *namespec,
                        json_t *extra_arguments)
{
    SV_CLEANUP(sv_str_done) struct sv_str text = {0};
    struct sv_client *client;
    json_t *result = NULL;
    enum sv_call outcome = SV_CALL_BROKEN;

    sv_str_addf(&text, "http://%s:%lld", sv_text_of(info, "node_name"),
                (long long)sv_integer_of(info, "port"));
    client = sv_client_new_beside(ctl->client, sv_str_text(&text));
    if (!client) {
        sv_complain(ctl, SV_EXIT_GENERIC, "error: out of memory");
        return;
    }
    outcome = extra_arguments ? sv_client_call(client, "supvisors.start_args", &result, "[s,O,b]",
                                               namespec, extra_arguments, 0)
                              : sv_client_call(client, "supervisor.startProcess", &result, "[s,b]",
                                               namespec, 0);
    if (outcome == SV_CALL_OK) {
        sv_str_clear(&text);
        sv_add_python(&text, result);
        sv_say("%s started on %s: %s", namespec, sv_text_of(info, "identifier"),
               sv_str_text(&text));
    } else {
        sv_complain(ctl, SV_EXIT_GENERIC, "%s: ERROR (%s)", namespec,
                    outcome == SV_CALL_FAULT ? sv_client_fault(client)->text
                                             : sv_client_error(client));
    }
    json_decref(result);
    sv_client_free(client);
}

enum sv_verdict sv_command_cluster_on_all(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    bool with_arguments = strcmp(arguments->command->name, "all_start_args") == 0;
    json_t *extra_arguments = NULL;
    json_t *infos = NULL;
    json_t *info;
    size_t running_count = 0;
    size_t i;
    enum sv_verdict verdict;

    if (arguments->word_count < (with_arguments ? 2 : 1)) {
        sv_complain_usage(ctl, arguments, "ERROR: %s requires a process name%s",
                          arguments->command->name, with_arguments ? " and extra arguments" : "");
        return SV_VERDICT_DONE;
    }
    verdict = sv_ask_cluster(ctl, "supvisors.get_all_instances_info", &infos);
    if (verdict)
        return verdict;
    if (with_arguments)
        extra_arguments = sv_joined_words(arguments, 1);
    json_array_foreach(infos, i, info)
    {
        if (!is_running(info))
            continue;
        running_count++;
        start_there(ctl, info, arguments->words[0], extra_arguments);
    }
    if (running_count == 0)
        sv_say("ERROR: no running Supvisors instance"); /* and the exit code stays */
    json_decref(extra_arguments);
    json_decref(infos);
    return SV_VERDICT_DONE;
}
