/*
 * Completion: a row of `kinds` for each column of commands.def says where the words of the first
 * and of the later places come from: a list that is known here, or an answer of the server.
 *
 * The server is asked once for all the completions of a line, because people press the key several
 * times.
 */
#include "complete.h"

#include <string.h>

#include "base/choice.h"
#include "base/log.h"
#include "base/str.h"
#include "namespec.h"

struct offering {
    struct sv_ctl *ctl;
    const char *start;
    json_t *words;
};

typedef void (*source)(struct offering *offering);

static void offer(struct offering *offering, const char *word)
{
    if (strncmp(word, offering->start, strlen(offering->start)) == 0)
        json_array_append_new(offering->words, json_string(word));
}

/* --- what is known here --- */

static void offer_actions(struct offering *offering)
{
    for (size_t i = 0; i < sv_command_count; i++)
        if (sv_commands[i].origin != SV_ORIGIN_HIDDEN)
            offer(offering, sv_commands[i].name);
}

static void offer_choices(struct offering *offering, enum sv_choice_kind kind)
{
    for (size_t i = 0; i < sv_choice_count(kind); i++)
        offer(offering, sv_choice_name(kind, (int)i));
}

static void offer_strategies(struct offering *offering)
{
    offer_choices(offering, SV_CHOICE_STARTING_STRATEGY);
}

static void offer_conciliations(struct offering *offering)
{
    offer_choices(offering, SV_CHOICE_CONCILIATION_STRATEGY);
}

static void offer_levels(struct offering *offering)
{
    static const enum sv_log_level levels[] = {SV_LOG_BLATHER, SV_LOG_TRACE, SV_LOG_DEBUG,
                                               SV_LOG_INFO,    SV_LOG_WARN,  SV_LOG_ERROR,
                                               SV_LOG_CRITICAL};

    for (size_t i = 0; i < SV_ARRAY_LENGTH(levels); i++)
        offer(offering, sv_log_level_name(levels[i]));
}

static void offer_statistics(struct offering *offering)
{
    offer(offering, "all");
    offer(offering, "host");
    offer(offering, "process");
}

/* --- what the server knows --- */

/* NULL: it does not answer. */
static const json_t *ask(struct sv_ctl *ctl, const char *method)
{
    if (ctl->completion && strcmp(ctl->completion_method, method) == 0)
        return ctl->completion;
    json_decref(ctl->completion);
    ctl->completion = NULL;
    ctl->completion_method = method;
    if (sv_client_call(ctl->client, method, &ctl->completion, "[]") != SV_CALL_OK)
        return NULL;
    return ctl->completion;
}

static void offer_key(struct offering *offering, const char *method, const char *key)
{
    const json_t *rows = ask(offering->ctl, method);
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row) offer(offering, sv_text_of(row, key));
}

/* "GROUP:NAME" and "GROUP:*" where they differ from the short name, or when a colon was typed. */
static void offer_process(struct offering *offering, const char *group, const char *name)
{
    struct sv_str word = {0};

    if (!strchr(offering->start, ':') && strcmp(group, name) == 0) {
        offer(offering, name);
        return;
    }
    sv_str_addf(&word, "%s:%s", group, name);
    offer(offering, sv_str_text(&word));
    sv_str_clear(&word);
    sv_str_addf(&word, "%s:*", group);
    offer(offering, sv_str_text(&word));
    sv_str_done(&word);
}

static void offer_groups(struct offering *offering)
{
    offer_key(offering, "supervisor.getAllProcessInfo", "group");
}

static void offer_processes(struct offering *offering)
{
    const json_t *rows = ask(offering->ctl, "supervisor.getAllProcessInfo");
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
        offer_process(offering, sv_text_of(row, "group"), sv_text_of(row, "name"));
}

static void offer_cluster_processes(struct offering *offering)
{
    const json_t *rows = ask(offering->ctl, "supvisors.get_all_process_info");
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row) offer_process(offering, sv_text_of(row, "application_name"),
                                                   sv_text_of(row, "process_name"));
}

static void offer_applications(struct offering *offering)
{
    offer_key(offering, "supvisors.get_all_applications_info", "application_name");
}

static void offer_instances(struct offering *offering)
{
    offer_key(offering, "supvisors.get_all_instances_info", "nick_identifier");
    offer_key(offering, "supvisors.get_all_instances_info", "identifier");
}

static const struct {
    source first; /* of the word behind the command */
    source later; /* NULL: nothing */
} kinds[] = {
    [SV_COMPLETE_NOTHING] = {NULL, NULL},
    [SV_COMPLETE_ACTION] = {offer_actions, offer_actions},
    [SV_COMPLETE_GROUP] = {offer_groups, offer_groups},
    [SV_COMPLETE_PROCESS] = {offer_processes, offer_processes},
    [SV_COMPLETE_INSTANCE] = {offer_instances, offer_instances},
    [SV_COMPLETE_APPLICATION] = {offer_applications, offer_applications},
    [SV_COMPLETE_CLUSTER_PROCESS] = {offer_cluster_processes, offer_cluster_processes},
    [SV_COMPLETE_STRATEGY] = {offer_strategies, NULL},
    [SV_COMPLETE_STRATEGY_APPLICATION] = {offer_strategies, offer_applications},
    [SV_COMPLETE_STRATEGY_PROCESS] = {offer_strategies, offer_cluster_processes},
    [SV_COMPLETE_CONCILIATION] = {offer_conciliations, NULL},
    [SV_COMPLETE_LEVEL] = {offer_levels, NULL},
    [SV_COMPLETE_STATISTICS] = {offer_statistics, offer_statistics},
};
_Static_assert(SV_ARRAY_LENGTH(kinds) == SV_COMPLETE_COUNT, "a row for each kind");

/* The same word only once, in the order of the server. */
static void drop_duplicates(json_t *words)
{
    for (size_t i = 0; i < json_array_size(words); i++)
        for (size_t j = json_array_size(words) - 1; j > i; j--)
            if (json_equal(json_array_get(words, i), json_array_get(words, j)))
                json_array_remove(words, j);
}

/* Where the words of this place come from; NULL: from nowhere. */
static source source_of(const char *line, size_t from)
{
    static const char blanks[] = " \t";
    char name[32];
    const char *begin = line + strspn(line, blanks);
    size_t length = strcspn(begin, blanks);
    const char *second = begin + length + strspn(begin + length, blanks);
    const struct sv_command *command;

    if ((size_t)(begin - line) >= from)
        return offer_actions;
    if (length >= sizeof(name))
        return NULL;
    memcpy(name, begin, length);
    name[length] = '\0';
    command = sv_command_find(name);
    if (!command)
        return NULL;
    return line + from <= second ? kinds[command->completion].first
                                 : kinds[command->completion].later;
}

json_t *sv_completions(struct sv_ctl *ctl, const char *line, size_t from, const char *start)
{
    struct offering offering = {.ctl = ctl, .start = start, .words = json_array()};
    source offer_words = source_of(line, from);

    if (offer_words)
        offer_words(&offering);
    drop_duplicates(offering.words);
    return offering.words;
}
