/*
 * The listings that Supvisors adds: instances, applications, processes, their rules. A row of
 * `listings` says where the rows of a table come from and which of them the words mean; the columns
 * are tables of their own. With --json the rows are printed as the server gave them.
 */
#include <stdlib.h>
#include <string.h>
#include <svisor/states.h>
#include <time.h>

#include "cluster.h"
#include "namespec.h"
#include "python.h"
#include "table.h"

/* --- cells --- */

static void add_percent(struct sv_str *text, const json_t *row, const char *key)
{
    sv_str_addf(text, "%lld%%", (long long)sv_integer_of(row, key));
}

/* Supvisors: utils.py, simple_localtime(). */
static void add_clock(struct sv_str *text, const json_t *row, const char *key)
{
    time_t seconds = (time_t)sv_integer_of(row, key);
    char clock[16] = "";
    struct tm tm;

    if (localtime_r(&seconds, &tm))
        strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
    sv_str_add(text, clock);
}

static void add_clock_or_0(struct sv_str *text, const json_t *row, const char *key)
{
    if (sv_integer_of(row, key))
        add_clock(text, row, key);
    else
        sv_str_add(text, "0");
}

static void add_health(struct sv_str *text, const json_t *row, const char *key)
{
    sv_str_add(text, json_is_true(json_object_get(row, key)) ? "error" : "ok");
}

static void add_expected(struct sv_str *text, const json_t *row, const char *key)
{
    if (sv_integer_of(row, "statecode") == SV_PROCESS_EXITED)
        sv_add_python(text, json_object_get(row, key));
    else
        sv_str_add(text, "n/a");
}

/* --- columns --- */

static const struct sv_column state_columns[] = {
    {"Nickname", "nick_identifier", SV_COLUMN_FITS, NULL},
    {"Supvisors identifier", "identifier", SV_COLUMN_FITS, NULL},
    {"State", "fsm_statename", 16, NULL},
    {"Degraded", "degraded_mode", 10, NULL},
    {"Discovery", "discovery_mode", 11, NULL},
    {"Master", "master_identifier", SV_COLUMN_FITS, NULL},
    {"Starting", "starting_jobs", SV_COLUMN_FITS, NULL},
    {"Stopping", "stopping_jobs", SV_COLUMN_FITS, NULL},
};

static const struct sv_column instance_columns[] = {
    {"Nickname", "nick_identifier", SV_COLUMN_FITS, NULL},
    {"Supvisors identifier", "identifier", SV_COLUMN_FITS, NULL},
    {"Host", "node_name", SV_COLUMN_FITS, NULL},
    {"Port", "port", 7, NULL},
    {"State", "statename", 11, NULL},
    {"Load", "loading", 6, add_percent},
    {"Time", "local_time", 10, add_clock},
    {"Counter", "remote_sequence_counter", 9, NULL},
    {"Processes", "process_failure", 11, add_health},
};

static const struct sv_column application_columns[] = {
    {"Application", "application_name", SV_COLUMN_FITS, NULL},
    {"State", "statename", 10, NULL},
    {"Major", "major_failure", 7, NULL},
    {"Minor", "minor_failure", 7, NULL},
};

static const struct sv_column application_rules_columns[] = {
    {"Application", "application_name", SV_COLUMN_FITS, NULL},
    {"Managed", "managed", 9, NULL},
    {"Distribution", "distribution", 17, NULL},
    {"Supervisor", "identifiers", SV_COLUMN_FITS, NULL},
    {"Start", "start_sequence", 7, NULL},
    {"Stop", "stop_sequence", 7, NULL},
    {"Starting", "starting_strategy", 18, NULL},
    {"Starting_Failure", "starting_failure_strategy", 18, NULL},
    {"Running_Failure", "running_failure_strategy", SV_COLUMN_LAST, NULL},
};

static const struct sv_column process_columns[] = {
    {"Application", "application_name", SV_COLUMN_FITS, NULL},
    {"Process", "process_name", SV_COLUMN_FITS, NULL},
    {"State", "statename", 12, NULL},
    {"Expected", "expected_exit", 10, add_expected},
    {"Supervisor", "identifiers", SV_COLUMN_LAST, NULL},
};

static const struct sv_column local_columns[] = {
    {"Application", "group", SV_COLUMN_FITS, NULL},
    {"Process", "name", SV_COLUMN_FITS, NULL},
    {"Disabled", "disabled", 10, NULL},
    {"State", "statename", 12, NULL},
    {"Start", "start", 12, add_clock_or_0},
    {"Now", "now", 12, add_clock_or_0},
    {"PID", "pid", 8, NULL},
    {"Extra args", "extra_args", SV_COLUMN_LAST, NULL},
};

static const struct sv_column process_rules_columns[] = {
    {"Application", "application_name", SV_COLUMN_FITS, NULL},
    {"Process", "process_name", SV_COLUMN_FITS, NULL},
    {"Start", "start_sequence", 7, NULL},
    {"Stop", "stop_sequence", 7, NULL},
    {"Required", "required", 12, NULL},
    {"WaitExit", "wait_exit", 12, NULL},
    {"Loading", "expected_loading", 12, add_percent},
    {"Strategy", "running_failure_strategy", 22, NULL},
    {"Supervisor", "identifiers", SV_COLUMN_LAST, NULL},
};

static const struct sv_column conflict_columns[] = {
    {"Application", "application_name", SV_COLUMN_FITS, NULL},
    {"Process", "process_name", SV_COLUMN_FITS, NULL},
    {"State", "statename", 12, NULL},
    {"Supervisor", "identifiers", SV_COLUMN_LAST, NULL},
};

/* --- where rows come from --- */

struct listing {
    const char *command;
    const struct sv_column *columns;
    size_t column_count;
    const char *all_method; /* answers with the rows of all */
    const char
        *one_method;     /* answers with the row or the rows of one name; NULL: they are filtered */
    const char *keys[2]; /* of the names that the words may be */
    enum sv_verdict (*names_of_all)(struct sv_ctl *ctl, json_t **ret_names); /* for one_method */
    bool is_sorted;                                                          /* the names are */
    bool is_local;                                                           /* namespecs */
    bool has_titles_always; /* also above nothing, when the server answered */
};

static enum sv_verdict names_of_applications(struct sv_ctl *ctl, json_t **ret_names)
{
    json_t *infos = NULL;
    json_t *names;
    json_t *info;
    size_t i;
    enum sv_verdict verdict = sv_ask_cluster(ctl, "supvisors.get_all_applications_info", &infos);

    if (verdict)
        return verdict;
    names = json_array();
    json_array_foreach(infos, i, info)
        json_array_append_new(names, json_string(sv_text_of(info, "application_name")));
    json_decref(infos);
    *ret_names = names;
    return SV_VERDICT_DONE;
}

static enum sv_verdict names_of_processes(struct sv_ctl *ctl, json_t **ret_names)
{
    return sv_all_namespecs(ctl, false, ret_names);
}

#define COLUMNS(columns) columns, SV_ARRAY_LENGTH(columns)

static const struct listing listings[] = {
    {.command = "sstate",
     COLUMNS(state_columns),
     .all_method = "supvisors.get_all_instances_state_modes",
     .keys = {"identifier", "nick_identifier"}},
    {.command = "instance_status",
     COLUMNS(instance_columns),
     .all_method = "supvisors.get_all_instances_info",
     .keys = {"identifier", "nick_identifier"},
     .has_titles_always = true},
    {.command = "application_info",
     COLUMNS(application_columns),
     .all_method = "supvisors.get_all_applications_info",
     .keys = {"application_name"},
     .has_titles_always = true},
    {.command = "application_rules",
     COLUMNS(application_rules_columns),
     .one_method = "supvisors.get_application_rules",
     .names_of_all = names_of_applications},
    {.command = "sstatus",
     COLUMNS(process_columns),
     .all_method = "supvisors.get_all_process_info",
     .one_method = "supvisors.get_process_info"},
    {.command = "local_status",
     COLUMNS(local_columns),
     .all_method = "supvisors.get_all_local_process_info",
     .is_local = true},
    {.command = "process_rules",
     COLUMNS(process_rules_columns),
     .one_method = "supvisors.get_process_rules",
     .names_of_all = names_of_processes,
     .is_sorted = true},
    {.command = "conflicts", COLUMNS(conflict_columns), .all_method = "supvisors.get_conflicts"},
};

static const struct listing *listing_of(const struct sv_command *command)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(listings); i++)
        if (strcmp(listings[i].command, command->name) == 0)
            return &listings[i];
    return NULL;
}

/* A struct becomes an array of one; a fault is told and gives an empty array. */
static enum sv_verdict rows_of(struct sv_ctl *ctl, const char *method, const char *name,
                               json_t **ret_rows)
{
    json_t *result = NULL;
    json_t *rows;
    enum sv_call outcome = name ? sv_client_call(ctl->client, method, &result, "[s]", name)
                                : sv_client_call(ctl->client, method, &result, "[]");

    if (outcome == SV_CALL_BROKEN)
        return SV_VERDICT_ABORTED;
    if (outcome == SV_CALL_FAULT)
        sv_complain_fault(ctl, name);
    if (json_is_array(result)) {
        *ret_rows = result;
        return SV_VERDICT_DONE;
    }
    rows = json_array();
    if (result)
        json_array_append_new(rows, result);
    *ret_rows = rows;
    return SV_VERDICT_DONE;
}

static enum sv_verdict one_by_one(struct sv_ctl *ctl, const struct listing *listing,
                                  const struct sv_arguments *arguments, json_t *rows)
{
    json_t *names = NULL;
    json_t *name;
    size_t i;
    enum sv_verdict verdict = SV_VERDICT_DONE;

    if (sv_means_all(arguments->words, arguments->word_count))
        verdict = listing->names_of_all(ctl, &names);
    else
        names = sv_word_list(arguments, 0);
    if (listing->is_sorted && names)
        sv_sort_texts(names);
    json_array_foreach(names, i, name)
    {
        json_t *more = NULL;

        verdict = rows_of(ctl, listing->one_method, json_string_value(name), &more);
        json_array_extend(rows, more);
        json_decref(more);
        if (verdict)
            break;
    }
    json_decref(names);
    return verdict;
}

static bool is_named(const struct listing *listing, const struct sv_arguments *arguments,
                     const json_t *row)
{
    for (size_t i = 0; i < arguments->word_count; i++)
        for (size_t k = 0; k < SV_ARRAY_LENGTH(listing->keys) && listing->keys[k]; k++)
            if (strcmp(arguments->words[i], sv_text_of(row, listing->keys[k])) == 0)
                return true;
    return !listing->keys[0] || sv_means_all(arguments->words, arguments->word_count);
}

/* In the order of the words. */
static void filter_local(const struct sv_arguments *arguments, const json_t *rows, json_t *shown)
{
    json_t *row;
    size_t i;

    if (sv_means_all(arguments->words, arguments->word_count)) {
        json_array_extend(shown, (json_t *)rows);
        return;
    }
    for (size_t k = 0; k < arguments->word_count; k++) {
        struct sv_namespec namespec;

        if (sv_namespec_split(arguments->words[k], &namespec) < 0)
            return;
        json_array_foreach(rows, i, row)
        {
            if (sv_namespec_matches(&namespec, row))
                json_array_append(shown, row);
        }
        sv_namespec_done(&namespec);
    }
}

static void filter(const struct listing *listing, const struct sv_arguments *arguments,
                   const json_t *rows, json_t *shown)
{
    json_t *row;
    size_t i;

    if (listing->is_local) {
        filter_local(arguments, rows, shown);
        return;
    }
    json_array_foreach(rows, i, row)
    {
        if (listing->one_method || is_named(listing, arguments, row))
            json_array_append(shown, row);
    }
}

static enum sv_verdict collect(struct sv_ctl *ctl, const struct listing *listing,
                               const struct sv_arguments *arguments, json_t **rows)
{
    bool means_all = sv_means_all(arguments->words, arguments->word_count);

    /* Without words it is the state as this one instance sees it, with the jobs of all. */
    if (listing->columns == state_columns && arguments->word_count == 0)
        return rows_of(ctl, "supvisors.get_supvisors_state", NULL, rows);
    if (listing->one_method && (!means_all || !listing->all_method)) {
        *rows = json_array();
        return one_by_one(ctl, listing, arguments, *rows);
    }
    return rows_of(ctl, listing->all_method, NULL, rows);
}

enum sv_verdict sv_command_cluster_listing(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    const struct listing *listing = listing_of(arguments->command);
    json_t *rows = NULL;
    json_t *shown = json_array();
    enum sv_verdict verdict = collect(ctl, listing, arguments, &rows);

    filter(listing, arguments, rows, shown);
    if (verdict == SV_VERDICT_DONE && arguments->options & SV_OPTION_JSON) {
        sv_say_json(ctl, json_incref(shown));
    } else if (verdict == SV_VERDICT_DONE) {
        /* The local processes are filtered before the columns are measured, the others after. */
        const json_t *measured = listing->is_local ? shown : rows;
        bool has_answer = ctl->exit_status == SV_EXIT_SUCCESS;

        if (json_array_size(measured) || (listing->has_titles_always && has_answer))
            sv_say_table(listing->columns, listing->column_count, measured, shown);
    }
    json_decref(shown);
    json_decref(rows);
    return verdict;
}
