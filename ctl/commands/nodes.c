/* nodes, apps: the cluster at a glance. */
#include <string.h>

#include "cluster.h"
#include "faults.h"
#include "namespec.h"
#include "python.h"
#include "table.h"

/* False: there is no answer, and what is to be said of it is said but for SV_VERDICT_ABORTED. */
static bool ask(struct sv_ctl *ctl, const char *method, json_t **ret_result,
                enum sv_verdict *ret_verdict)
{
    enum sv_call outcome = sv_client_call(ctl->client, method, ret_result, "[]");

    *ret_verdict = outcome == SV_CALL_BROKEN ? SV_VERDICT_ABORTED : SV_VERDICT_DONE;
    if (outcome == SV_CALL_FAULT && sv_client_fault(ctl->client)->code == SV_FAULT_UNKNOWN_METHOD)
        sv_complain(ctl, SV_EXIT_UNIMPLEMENTED, "error: %s does not know %s: it is not svisord",
                    sv_client_url(ctl->client), method);
    else if (outcome == SV_CALL_FAULT)
        sv_complain_fault(ctl, NULL);
    return outcome == SV_CALL_OK;
}

/* --- nodes --- */

static void add_mark(struct sv_str *text, const json_t *row, const char *key)
{
    sv_str_add(text, json_is_true(json_object_get(row, key)) ? "*" : "");
}

static void add_percent(struct sv_str *text, const json_t *row, const char *key)
{
    sv_str_addf(text, "%lld%%", (long long)sv_integer_of(row, key));
}

static void add_known(struct sv_str *text, const json_t *row, const char *key)
{
    const char *value = sv_text_of(row, key);

    sv_str_add(text, *value ? value : "-");
}

static const struct sv_column node_columns[] = {
    {"", "is_master", SV_COLUMN_FITS, add_mark},
    {"NODE", "nick_identifier", SV_COLUMN_FITS, NULL},
    {"IDENTIFIER", "identifier", SV_COLUMN_FITS, NULL},
    {"STATE", "statename", SV_COLUMN_FITS, NULL},
    {"CLUSTER", "fsm_statename", SV_COLUMN_FITS, add_known},
    {"LOAD", "loading", SV_COLUMN_FITS, add_percent},
    {"VERSION", "version", SV_COLUMN_LAST, add_known},
};

/* Of those only that are not there: of the others everybody knows. */
static void say_why(const json_t *nodes)
{
    json_t *node;
    size_t i;

    json_array_foreach(nodes, i, node)
    {
        const char *state = sv_text_of(node, "statename");

        if (strcmp(state, "RUNNING") != 0 && strcmp(state, "CHECKED") != 0 &&
            *sv_text_of(node, "why"))
            sv_say("%s: %s", sv_text_of(node, "nick_identifier"), sv_text_of(node, "why"));
    }
}

enum sv_verdict sv_command_nodes(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    json_t *nodes = NULL;
    enum sv_verdict verdict;

    if (!ask(ctl, "svisor.getNodes", &nodes, &verdict))
        return verdict;
    if (arguments->options & SV_OPTION_JSON) {
        sv_say_json(ctl, nodes);
        return verdict;
    }
    sv_say_table(node_columns, SV_ARRAY_LENGTH(node_columns), nodes, nodes);
    say_why(nodes);
    json_decref(nodes);
    return verdict;
}

/* --- apps --- */

static void add_failure(struct sv_str *text, const json_t *row, const char *key)
{
    (void)key;
    if (json_is_true(json_object_get(row, "major_failure")))
        sv_str_add(text, "major");
    else if (json_is_true(json_object_get(row, "minor_failure")))
        sv_str_add(text, "minor");
    else
        sv_str_add(text, "-");
}

static void add_yes(struct sv_str *text, const json_t *row, const char *key)
{
    sv_str_add(text, json_is_true(json_object_get(row, key)) ? "yes" : "no");
}

static void add_running(struct sv_str *text, const json_t *row, const char *key)
{
    sv_str_addf(text, "%lld/%lld", (long long)sv_integer_of(row, key),
                (long long)sv_integer_of(row, "process_count"));
}

/* "s1 (2), s2": the count only where there are several. */
static void add_places(struct sv_str *text, const json_t *row, const char *key)
{
    const char *nick;
    json_t *count;
    bool is_first = true;

    json_object_foreach(json_object_get(row, key), nick, count)
    {
        sv_str_addf(text, "%s%s", is_first ? "" : ", ", nick);
        if (json_integer_value(count) > 1)
            sv_str_addf(text, " (%lld)", (long long)json_integer_value(count));
        is_first = false;
    }
    if (is_first)
        sv_str_add(text, "-");
}

static const struct sv_column application_columns[] = {
    {"APPLICATION", "application_name", SV_COLUMN_FITS, NULL},
    {"STATE", "statename", SV_COLUMN_FITS, NULL},
    {"FAILURE", "", SV_COLUMN_FITS, add_failure},
    {"MANAGED", "managed", SV_COLUMN_FITS, add_yes},
    {"RUNNING", "running_count", SV_COLUMN_FITS, add_running},
    {"WHERE", "running_on", SV_COLUMN_LAST, add_places},
};

static const char *nick_of(const json_t *nodes, const char *identifier)
{
    json_t *node;
    size_t i;

    json_array_foreach(nodes, i, node)
    {
        if (strcmp(sv_text_of(node, "identifier"), identifier) == 0)
            return sv_text_of(node, "nick_identifier");
    }
    return identifier;
}

/* What the row of an application needs from its processes. */
static json_t *application_row(const json_t *info, const json_t *processes, const json_t *nodes)
{
    const char *name = sv_text_of(info, "application_name");
    json_t *places = json_object();
    json_int_t process_count = 0, running_count = 0;
    json_t *process;
    size_t i;

    json_array_foreach(processes, i, process)
    {
        const json_t *identifiers = json_object_get(process, "identifiers");

        if (strcmp(sv_text_of(process, "application_name"), name) != 0)
            continue;
        process_count++;
        running_count += json_array_size(identifiers) > 0;
        for (size_t k = 0; k < json_array_size(identifiers); k++) {
            const char *nick = nick_of(nodes, json_string_value(json_array_get(identifiers, k)));
            json_object_set_new(places, nick, json_integer(sv_integer_of(places, nick) + 1));
        }
    }
    return json_pack("{s:s, s:b, s:s, s:b, s:b, s:I, s:I, s:o}", "application_name", name,
                     "managed", json_is_true(json_object_get(info, "managed")), "statename",
                     sv_text_of(info, "statename"), "major_failure",
                     json_is_true(json_object_get(info, "major_failure")), "minor_failure",
                     json_is_true(json_object_get(info, "minor_failure")), "process_count",
                     process_count, "running_count", running_count, "running_on", places);
}

enum sv_verdict sv_command_apps(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    json_t *infos = NULL, *processes = NULL, *nodes = NULL;
    json_t *info;
    size_t i;
    enum sv_verdict verdict;

    if (ask(ctl, "supvisors.get_all_applications_info", &infos, &verdict) &&
        ask(ctl, "supvisors.get_all_process_info", &processes, &verdict) &&
        ask(ctl, "svisor.getNodes", &nodes, &verdict)) {
        json_t *rows = json_array();

        json_array_foreach(infos, i, info)
            json_array_append_new(rows, application_row(info, processes, nodes));
        if (arguments->options & SV_OPTION_JSON) {
            sv_say_json(ctl, rows);
        } else {
            sv_say_table(application_columns, SV_ARRAY_LENGTH(application_columns), rows, rows);
            json_decref(rows);
        }
    }
    json_decref(infos);
    json_decref(processes);
    json_decref(nodes);
    return verdict;
}
