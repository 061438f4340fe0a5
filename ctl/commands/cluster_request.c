/*
 * Requests to the cluster as a whole, and to the log of the local instance: one call each, whose
 * answer stands behind a word. `read` makes the parameters of the words, or complains.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cluster.h"
#include "python.h"

struct request {
    const char *command;
    const char *method;
    const char *done;
    json_t *(*read)(struct sv_ctl *ctl, const struct sv_arguments *arguments);
    bool names_program; /* the first word stands before `done` */
};

static json_t *read_nothing(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    (void)ctl;
    (void)arguments;
    return json_array();
}

static json_t *read_conciliation(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    int strategy;

    if (arguments->word_count < 1) {
        sv_complain_usage(ctl, arguments, "ERROR: conciliate requires a strategy");
        return NULL;
    }
    if (!sv_read_choice(ctl, arguments, SV_CHOICE_CONCILIATION_STRATEGY, arguments->words[0],
                        &strategy))
        return NULL;
    return json_pack("[i]", strategy);
}

static json_t *read_master(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    if (arguments->word_count > 1) {
        sv_complain_usage(ctl, arguments,
                          "ERROR: end_sync optionally takes one single Supvisors identifier");
        return NULL;
    }
    return json_pack("[s]", arguments->word_count ? arguments->words[0] : "");
}

/* The number is sent, not the name, and that in small letters only. */
static json_t *read_level(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    enum sv_log_level level;

    if (arguments->word_count < 1) {
        sv_complain_usage(ctl, arguments, "ERROR: loglevel requires a level");
        return NULL;
    }
    if (!sv_log_level_parse(arguments->words[0], &level) ||
        strcmp(arguments->words[0], sv_log_level_name(level)) != 0) {
        sv_complain_usage(ctl, arguments, "ERROR: unknown level for Logger");
        return NULL;
    }
    return json_pack("[i]", (int)level);
}

static json_t *read_program(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    if (arguments->word_count < 1) {
        sv_complain_usage(ctl, arguments, "ERROR: %s requires a program name",
                          arguments->command->name);
        return NULL;
    }
    return json_pack("[s]", arguments->words[0]);
}

/* The first one waits and is not lazy: that is what absent parameters mean. */
static json_t *read_numprocs(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    char *end = NULL;
    if (arguments->word_count < 2) {
        sv_complain_usage(ctl, arguments, "ERROR: %s requires a program name and a numprocs values",
                          arguments->command->name);
        return NULL;
    }
    long long count = strtoll(arguments->words[1], &end, 10);
    if (*end != '\0' || count <= 0 || count > INT32_MAX) {
        sv_complain_usage(ctl, arguments, "ERROR: numprocs must be a strictly positive integer");
        return NULL;
    }
    if (strncmp(arguments->command->name, "lazy", 4) == 0)
        return json_pack("[sIbb]", arguments->words[0], (json_int_t)count, 1, 1);
    return json_pack("[sI]", arguments->words[0], (json_int_t)count);
}

static const struct request requests[] = {
    {"conciliate", "supvisors.conciliate", "Conciliated", read_conciliation, false},
    {"disable", "supvisors.disable", "disabled", read_program, true},
    {"enable", "supvisors.enable", "enabled", read_program, true},
    {"end_sync", "supvisors.end_sync", "End of Synchronization phase requested", read_master,
     false},
    {"lazy_update_numprocs", "supvisors.update_numprocs", "numprocs updated", read_numprocs, true},
    {"loglevel", "supvisors.change_log_level", "Logger level changed", read_level, false},
    {"restart_sequence", "supvisors.restart_sequence", "Start sequence completed", read_nothing,
     false},
    {"sreload", "supvisors.restart", "Restarted", read_nothing, false},
    {"sshutdown", "supvisors.shutdown", "Shut down", read_nothing, false},
    {"update_numprocs", "supvisors.update_numprocs", "numprocs updated", read_numprocs, true},
};

enum sv_verdict sv_command_cluster_request(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    const struct request *request = requests;
    json_t *parameters;
    json_t *result = NULL;
    enum sv_call outcome;

    while (strcmp(request->command, arguments->command->name) != 0)
        request++;
    parameters = request->read(ctl, arguments);
    if (!parameters)
        return SV_VERDICT_DONE;
    outcome = sv_client_call(ctl->client, request->method, &result, "o", parameters);
    if (outcome == SV_CALL_FAULT)
        sv_complain_fault(ctl, NULL);
    if (outcome == SV_CALL_OK) {
        SV_CLEANUP(sv_str_done) struct sv_str text = {0};

        sv_add_python(&text, result);
        sv_say("%s%s%s: %s", request->names_program ? arguments->words[0] : "",
               request->names_program ? " " : "", request->done, sv_str_text(&text));
        json_decref(result);
    }
    return outcome == SV_CALL_BROKEN ? SV_VERDICT_ABORTED : SV_VERDICT_DONE;
}
