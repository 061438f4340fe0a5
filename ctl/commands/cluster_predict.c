/* test_start_application, test_start_process: where processes would start, and nothing is started.
 */
#include "cluster.h"
#include "table.h"

static const struct sv_column columns[] = {
    {"Application", "application_name", SV_COLUMN_FITS, NULL},
    {"Process", "process_name", SV_COLUMN_FITS, NULL},
    {"State", "state", 12, NULL},
    {"Supervisor", "running_identifiers", SV_COLUMN_FITS, NULL},
    {"Reason", "forced_reason", SV_COLUMN_LAST, NULL},
};

/* Reads strategy and name. False: it is said what is wrong. */
static bool read_words(struct sv_ctl *ctl, const struct sv_arguments *arguments, const char *what,
                       int *ret_strategy)
{
    if (arguments->word_count != 2) {
        sv_complain_usage(ctl, arguments, "ERROR: %s requires one strategy and one %s",
                          arguments->command->name, what);
        return false;
    }
    return sv_read_choice(ctl, arguments, SV_CHOICE_STARTING_STRATEGY, arguments->words[0],
                          ret_strategy);
}

static enum sv_verdict predict(struct sv_ctl *ctl, const struct sv_arguments *arguments,
                               const char *method, int strategy)
{
    const char *name = arguments->words[1];
    json_t *rows = NULL;
    enum sv_call outcome = sv_client_call(ctl->client, method, &rows, "[i,s]", strategy, name);

    if (outcome == SV_CALL_FAULT)
        sv_complain_fault(ctl, name);
    if (outcome == SV_CALL_OK && arguments->options & SV_OPTION_JSON) {
        sv_say_json(ctl, rows);
    } else if (outcome == SV_CALL_OK) {
        sv_say_table(columns, SV_ARRAY_LENGTH(columns), rows, rows);
        json_decref(rows);
    }
    return outcome == SV_CALL_BROKEN ? SV_VERDICT_ABORTED : SV_VERDICT_DONE;
}

enum sv_verdict sv_command_cluster_test_start_application(struct sv_ctl *ctl,
                                                          const struct sv_arguments *arguments)
{
    json_t *info = NULL;
    bool is_managed;
    int strategy;
    enum sv_call outcome;

    if (!read_words(ctl, arguments, "application name", &strategy))
        return SV_VERDICT_DONE;
    outcome = sv_client_call(ctl->client, "supvisors.get_application_info", &info, "[s]",
                             arguments->words[1]);
    if (outcome == SV_CALL_BROKEN)
        return SV_VERDICT_ABORTED;
    if (outcome == SV_CALL_FAULT) {
        sv_complain(ctl, SV_EXIT_INVALID_ARGUMENTS, "ERROR: unknown application \"%s\"",
                    arguments->words[1]);
        return SV_VERDICT_DONE;
    }
    is_managed = json_is_true(json_object_get(info, "managed"));
    json_decref(info);
    if (is_managed)
        return predict(ctl, arguments, "supvisors.test_start_application", strategy);
    sv_say("ERROR: %s unmanaged", arguments->words[1]); /* and the exit code stays 0 */
    sv_say_usage(arguments->command->name);
    return SV_VERDICT_DONE;
}

enum sv_verdict sv_command_cluster_test_start_process(struct sv_ctl *ctl,
                                                      const struct sv_arguments *arguments)
{
    int strategy;

    if (!read_words(ctl, arguments, "namespec", &strategy))
        return SV_VERDICT_DONE;
    return predict(ctl, arguments, "supvisors.test_start_process", strategy);
}
