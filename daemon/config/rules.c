/*
 * The rules of a cluster: loading them, and asking for those of one application or process.
 *
 *     files -> trees that the schema accepts -> aliases, models, applications, programs -> look-ups
 *
 * Loading is all or nothing: one file with an error, and there are no new rules. A look-up is the
 * end of Supvisors' load_application_rules() and load_program_rules(): find the element by name, or
 * else by the pattern with the longest match; take what it says over what the application says over
 * the defaults; then mend what does not fit together (process.py and application.py,
 * check_dependencies). Nothing is told then: everything was told when the rules were loaded.
 */
#include "config/rules.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/pytext.h"
#include "config/rules_document.h"
#include "config/rules_private.h"

static const char *const anywhere_items[] = {"*"};
static const struct sv_name_list anywhere = {anywhere_items, 1};

/* ---- Loading ---- */

static struct sv_rules *rules_new(void)
{
    struct sv_rules *rules = calloc(1, sizeof(*rules));
    if (!rules)
        return NULL;
    rules->reference_count = 1;
    rules->match = sv_pattern_match_new();
    if (rules->match)
        return rules;
    free(rules);
    return NULL;
}

struct sv_rules *sv_rules_ref(struct sv_rules *rules)
{
    rules->reference_count++;
    return rules;
}

void sv_rules_unref(struct sv_rules *rules)
{
    if (!rules)
        return;
    assert(rules->reference_count > 0);
    if (--rules->reference_count > 0)
        return;
    for (struct sv_application_entry *entry = rules->entries; entry; entry = entry->next) {
        sv_map_done(&entry->programs);
        sv_map_done(&entry->program_patterns);
    }
    sv_map_done(&rules->applications);
    sv_map_done(&rules->patterns);
    sv_pattern_match_free(rules->match);
    sv_arena_done(&rules->arena);
    free(rules);
}

/* All files are read, so that all their faults are told. False: one cannot be used. */
static bool read_documents(const struct sv_name_list *files, const struct sv_config_host *host,
                           struct sv_rules_builder *builder, xmlDoc **ret_docs)
{
    struct sv_rules_schema *schema = sv_rules_check(builder, sv_rules_schema_new());
    bool is_good = schema != NULL;
    for (size_t i = 0; schema && i < files->count; i++) {
        ret_docs[i] = sv_rules_document_read(files->items[i], host, schema, builder->diag);
        is_good = is_good && ret_docs[i];
        if (ret_docs[i])
            ret_docs[i]->_private =
                sv_rules_check(builder, sv_arena_strdup(&builder->rules->arena, files->items[i]));
    }
    sv_rules_schema_free(schema);
    return is_good;
}

static void builder_done(struct sv_rules_builder *builder)
{
    sv_map_done(&builder->aliases);
    sv_map_done(&builder->models);
    sv_map_done(&builder->lists);
    sv_arena_done(&builder->scratch);
}

int sv_rules_load(const struct sv_name_list *files, const struct sv_config_host *host,
                  struct sv_diag *diag, struct sv_rules **ret)
{
    struct sv_rules_builder builder = {.rules = rules_new(), .diag = diag};
    xmlDoc **docs = calloc(files->count + 1, sizeof(*docs));
    if (!builder.rules || !docs) {
        sv_rules_unref(builder.rules);
        free(docs);
        return -ENOMEM;
    }
    size_t errors_before = diag->error_count;
    if (read_documents(files, host, &builder, docs) && !builder.is_out_of_memory)
        sv_rules_build(&builder, docs, files->count);
    for (size_t i = 0; i < files->count; i++)
        if (docs[i])
            xmlFreeDoc(docs[i]);
    free(docs);
    builder_done(&builder);
    bool is_broken = diag->error_count > errors_before;
    if (is_broken || builder.is_out_of_memory) {
        sv_rules_unref(builder.rules);
        return builder.is_out_of_memory ? -ENOMEM : SV_RULES_E_BROKEN;
    }
    *ret = builder.rules;
    return 0;
}

/* ---- Looking up ---- */

/* The longest match of the pattern, in characters; -1: it is not found in the name. */
static int64_t match_length(const struct sv_rules *rules, const struct sv_pattern *pattern,
                            const char *name)
{
    struct sv_span span;
    if (sv_pattern_find_span(pattern, rules->match, name, strlen(name), &span) != SV_PATTERN_YES)
        return -1;
    return (int64_t)sv_py_length(span.data, span.length);
}

/* The first of the applications whose pattern matches the most of the name. */
static const struct sv_application_entry *find_application(const struct sv_rules *rules,
                                                           const char *name)
{
    const struct sv_application_entry *best = sv_map_get(&rules->applications, name);
    int64_t most = -1;
    if (best)
        return best;
    sv_map_foreach (entry, &rules->patterns) {
        const struct sv_application_entry *application = entry->value;
        int64_t length = match_length(rules, application->pattern, name);
        if (length > most) {
            most = length;
            best = application;
        }
    }
    return best;
}

static const struct sv_program_entry *find_program(const struct sv_rules *rules,
                                                   const struct sv_application_entry *application,
                                                   const char *name, bool *ret_is_pattern)
{
    const struct sv_program_entry *best = sv_map_get(&application->programs, name);
    int64_t most = -1;
    *ret_is_pattern = !best;
    if (best)
        return best;
    sv_map_foreach (entry, &application->program_patterns) {
        const struct sv_program_entry *program = entry->value;
        int64_t length = match_length(rules, program->pattern, name);
        if (length > most) {
            most = length;
            best = program;
        }
    }
    return best;
}

/* The N of NAME-N or NAME_N; 0: the name is another. */
static uint64_t number_of(const char *name)
{
    size_t length = strlen(name);
    size_t begin = length;
    uint64_t number = 0;
    while (begin > 0 && name[begin - 1] >= '0' && name[begin - 1] <= '9')
        begin--;
    if (begin == length || begin == 0 || !strchr("-_", name[begin - 1]))
        return 0;
    for (size_t i = begin; i < length; i++) {
        uint64_t digit = (uint64_t)(name[i] - '0');
        number = number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : number * 10 + digit;
    }
    return number;
}

void sv_rules_application(const struct sv_rules *rules, const char *application,
                          enum sv_starting_strategy strategy, struct sv_application_rules *ret)
{
    const struct sv_application_entry *entry = rules ? find_application(rules, application) : NULL;
    *ret = (struct sv_application_rules){
        .places.identifiers = anywhere,
        .stop_sequence = rules ? 0 : -1,
        .starting_strategy = rules ? strategy : SV_STARTING_STRATEGY_CONFIG,
    };
    if (!entry)
        return;
    *ret = entry->rules;
    if (!(entry->set & SV_RULE_STARTING_STRATEGY))
        ret->starting_strategy = strategy;
    if (ret->places.hash_identifiers.count == 0)
        return;
    ret->hash_number = number_of(application);
    if (ret->hash_number == 0)
        ret->start_sequence = 0;
}

/* Supvisors: check_dependencies() of ProcessRules. */
static void mend(struct sv_process_rules *rules, bool is_pattern)
{
    struct sv_rule_places *places = &rules->places;
    bool has_sign = places->at_identifiers.count > 0 || places->hash_identifiers.count > 0;
    if (has_sign && !is_pattern)
        *places = (struct sv_rule_places){.identifiers = anywhere};
    if (places->at_identifiers.count > 0)
        places->hash_identifiers = (struct sv_name_list){0};
    if (rules->start_sequence == 0)
        rules->required = false;
    if (rules->stop_sequence < 0)
        rules->stop_sequence = rules->start_sequence;
}

void sv_rules_process(const struct sv_rules *rules, const char *application, const char *process,
                      struct sv_process_rules *ret)
{
    const struct sv_application_entry *of = rules ? find_application(rules, application) : NULL;
    bool is_pattern = false;
    const struct sv_program_entry *entry =
        of ? find_program(rules, of, process, &is_pattern) : NULL;
    *ret = (struct sv_process_rules){.places.identifiers = anywhere, .stop_sequence = -1};
    if (entry)
        *ret = entry->rules;
    if (of && !(entry && entry->set & SV_RULE_STARTING_FAILURE))
        ret->starting_failure_strategy = of->rules.starting_failure_strategy;
    if (of && !(entry && entry->set & SV_RULE_RUNNING_FAILURE))
        ret->running_failure_strategy = of->rules.running_failure_strategy;
    if (rules)
        mend(ret, is_pattern && entry);
}

bool sv_rules_stops_autorestart(const struct sv_process_rules *rules)
{
    return rules->running_failure_strategy == SV_RUNNING_FAILURE_STRATEGY_STOP_APPLICATION ||
           rules->running_failure_strategy == SV_RUNNING_FAILURE_STRATEGY_RESTART_APPLICATION;
}

const char *sv_rules_hash_identifier(const struct sv_application_rules *rules,
                                     const struct sv_name_list *instances)
{
    const struct sv_name_list *names = &rules->places.hash_identifiers;
    if (names->count > 0 && sv_names_has(names, "*"))
        names = instances;
    if (rules->hash_number == 0 || names->count == 0)
        return NULL;
    return names->items[(rules->hash_number - 1) % names->count];
}
