/*
 * From checked XML trees to the rules: first the aliases and models of all files, then the
 * applications with their programs.
 *
 * Of two elements with one name the first counts, among applications and programs; of two aliases,
 * models or patterns the last, in the place of the first. That is what lists and dictionaries do in
 * Supvisors; here each case is told.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "config/rules_private.h"

static const char *const anywhere[] = {"*"};

static void put(struct sv_rules_builder *builder, struct sv_map *map, const char *key, void *value)
{
    if (value && sv_map_put(map, key, value) < 0)
        builder->is_out_of_memory = true;
}

/* Puts the value under its name; of two the first or the last one stays, which is told. */
static void put_once(struct sv_rules_builder *builder, struct sv_map *map, const char *key,
                     void *value, const xmlNode *node, bool is_first_kept)
{
    struct sv_place place = sv_rules_place(node, (const char *)node->name);
    bool is_there = sv_map_has(map, key);
    if (is_there)
        sv_rules_report(builder, SV_SEVERITY_WARNING, &place,
                        is_first_kept ? "\"%s\" was there before: this one is not used"
                                      : "\"%s\" was there before: that one is not used any more",
                        key);
    if (!is_there || !is_first_kept)
        put(builder, map, key, value);
}

static bool is_element(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

/* Counts an element. False: there are too many, reported. */
static bool count_element(struct sv_rules_builder *builder, const xmlNode *node)
{
    struct sv_place place = sv_rules_place(node, NULL);
    if (++builder->element_count == SV_RULES_ELEMENTS_MAX + 1)
        sv_rules_report(builder, SV_SEVERITY_ERROR, &place,
                        "more than %d applications, programs, models and aliases; write patterns",
                        SV_RULES_ELEMENTS_MAX);
    return builder->element_count <= SV_RULES_ELEMENTS_MAX;
}

static void add_alias(struct sv_rules_builder *builder, const xmlNode *node)
{
    const char *name = sv_rules_attribute(builder, node, "name");
    const char *text = sv_rules_text(builder, node);
    struct sv_name_list *names =
        sv_rules_check(builder, sv_arena_new(&builder->scratch, struct sv_name_list));
    if (!name || !names || *text == '\0')
        return;
    if (sv_names_split(text, &builder->scratch, names) < 0)
        builder->is_out_of_memory = true;
    put_once(builder, &builder->aliases, name, names, node, false);
}

static void add_model(struct sv_rules_builder *builder, const xmlNode *node)
{
    const char *name = sv_rules_attribute(builder, node, "name");
    struct sv_place place = sv_rules_place(node, NULL);
    struct sv_rule_element *model =
        sv_rules_check(builder, sv_arena_new(&builder->scratch, struct sv_rule_element));
    if (!name)
        sv_rules_report(builder, SV_SEVERITY_WARNING, &place,
                        "<model> has no name: nobody can refer to it; write <model name=\"NAME\">");
    if (!name || !model)
        return;
    sv_rules_read_element(builder, node, model);
    put_once(builder, &builder->models, name, model, node, false);
}

/* ---- Programs ---- */

/* The lists that the element says go over those that are there, as Supvisors has it: a sign takes
 * the plain list away, and a plain list leaves the signs of a model alone. */
static void apply_places(const struct sv_rule_element *element, struct sv_rule_places *places)
{
    const struct sv_rule_names *said = element->identifiers;
    if (!(element->set & SV_RULE_IDENTIFIERS))
        return;
    bool has_sign = said->has_at || said->has_hash;
    places->identifiers = has_sign ? (struct sv_name_list){0} : said->names;
    if (said->has_at)
        places->at_identifiers = said->names;
    if (said->has_hash)
        places->hash_identifiers = said->names;
}

/* What the element says goes over what is there. */
static void apply(const struct sv_rule_element *element, struct sv_program_entry *program)
{
    struct sv_process_rules *rules = &program->rules;
    apply_places(element, &rules->places);
    if (element->set & SV_RULE_START_SEQUENCE)
        rules->start_sequence = element->start_sequence;
    if (element->set & SV_RULE_STOP_SEQUENCE)
        rules->stop_sequence = element->stop_sequence;
    if (element->set & SV_RULE_REQUIRED)
        rules->required = element->required;
    if (element->set & SV_RULE_WAIT_EXIT)
        rules->wait_exit = element->wait_exit;
    if (element->set & SV_RULE_EXPECTED_LOADING)
        rules->expected_loading = (uint8_t)element->expected_loading;
    if (element->set & SV_RULE_STARTING_FAILURE)
        rules->starting_failure_strategy =
            (enum sv_starting_failure_strategy)element->starting_failure_strategy;
    if (element->set & SV_RULE_RUNNING_FAILURE)
        rules->running_failure_strategy =
            (enum sv_running_failure_strategy)element->running_failure_strategy;
    program->set |= element->set;
}

enum { CHAIN_MAX = SV_RULES_MODELS_MAX + 1 };

/* The element and the models that it refers to, one behind the other. Returns how many. */
static size_t follow(struct sv_rules_builder *builder, const struct sv_rule_element *element,
                     const struct sv_rule_element **chain)
{
    struct sv_place place = element->place;
    size_t count = 0;
    place.key = "reference";
    while (element && count < CHAIN_MAX) {
        chain[count++] = element;
        const char *name = element->reference;
        element = name ? sv_map_get(&builder->models, name) : NULL;
        if (name && !element)
            sv_rules_report(builder, SV_SEVERITY_WARNING, &place,
                            "there is no model \"%s\"; write <model name=\"%s\">, or the name of "
                            "one that is there",
                            name, name);
    }
    bool is_loop = false;
    for (size_t i = 0; element && i < count; i++)
        is_loop = is_loop || chain[i] == element;
    if (element)
        sv_rules_report(builder, SV_SEVERITY_WARNING, &place,
                        is_loop ? "goes round in a circle; take one reference out of it"
                                : "leads to more than %d models behind one another: what is beyond "
                                  "is not read",
                        SV_RULES_MODELS_MAX);
    return count;
}

/* What Supvisors changes by itself, and logs. The look-up does it; here it is told. */
static void check_program(struct sv_rules_builder *builder, const struct sv_program_entry *program,
                          bool is_named)
{
    const struct sv_process_rules *rules = &program->rules;
    struct sv_place place = rules->place;
    bool has_at = rules->places.at_identifiers.count > 0;
    bool has_hash = rules->places.hash_identifiers.count > 0;
    place.key = "identifiers";
    if (is_named && (has_at || has_hash))
        sv_rules_report(builder, SV_SEVERITY_WARNING, &place,
                        "%s is for a program with a pattern: * is used; write pattern= for name=",
                        has_at ? "@" : "#");
    else if (has_at && has_hash)
        sv_rules_report(builder, SV_SEVERITY_WARNING, &place,
                        "has both @ and #: @ is used; write one of them");
    place.key = "required";
    if (rules->required && rules->start_sequence == 0)
        sv_rules_report(builder, SV_SEVERITY_WARNING, &place,
                        "false is used, because start_sequence is 0; write a start_sequence from "
                        "1 to 127");
}

static const struct sv_pattern *compile(struct sv_rules_builder *builder, const xmlNode *node,
                                        const char *text)
{
    struct sv_str problem SV_CLEANUP(sv_str_done) = {0};
    struct sv_place place = sv_rules_place(node, "pattern");
    const struct sv_pattern *pattern =
        sv_pattern_compile_name(text, false, &builder->rules->arena, &problem);
    if (!pattern)
        sv_rules_report(builder, SV_SEVERITY_ERROR, &place,
                        "'%s' is no regular expression: %s; write a name, or a pattern such as "
                        "web_\\d+",
                        text, sv_str_text(&problem));
    return pattern;
}

struct labels {
    const char *name, *pattern;
};

/* The name and the pattern of an element. False: it has neither, reported. */
static bool read_labels(struct sv_rules_builder *builder, const xmlNode *node, struct labels *ret)
{
    struct sv_place place = sv_rules_place(node, NULL);
    ret->name = sv_rules_attribute(builder, node, "name");
    ret->pattern = sv_rules_attribute(builder, node, "pattern");
    if (ret->name || ret->pattern)
        return true;
    sv_rules_report(builder, SV_SEVERITY_WARNING, &place,
                    "<%s> has neither name nor pattern: it is not used; write <%s name=\"NAME\">",
                    (const char *)node->name, (const char *)node->name);
    return false;
}

static void add_program(struct sv_rules_builder *builder, const xmlNode *node,
                        struct sv_application_entry *application)
{
    const struct sv_rule_element *chain[CHAIN_MAX];
    struct sv_rule_element own;
    struct labels labels;
    struct sv_program_entry *program =
        sv_rules_check(builder, sv_arena_new(&builder->rules->arena, struct sv_program_entry));
    if (!read_labels(builder, node, &labels) || !program)
        return;
    sv_rules_read_element(builder, node, &own);
    program->rules = (struct sv_process_rules){
        .place = sv_rules_place(node, NULL),
        .places.identifiers = {anywhere, 1},
        .stop_sequence = -1,
    };
    for (size_t i = follow(builder, &own, chain); i > 0; i--)
        apply(chain[i - 1], program);
    check_program(builder, program, labels.name != NULL);
    builder->rules->program_count++;
    if (labels.pattern)
        program->pattern = compile(builder, node, labels.pattern);
    if (labels.name)
        put_once(builder, &application->programs, labels.name, program, node, true);
    if (program->pattern)
        put_once(builder, &application->program_patterns, labels.pattern, program, node, false);
}

/* ---- Applications ---- */

static void apply_application(struct sv_rules_builder *builder,
                              const struct sv_rule_element *element,
                              struct sv_application_entry *application)
{
    struct sv_application_rules *rules = &application->rules;
    struct sv_place place = element->place;
    place.key = "identifiers";
    if (element->set & SV_RULE_IDENTIFIERS && element->identifiers->has_at)
        sv_rules_report(builder, SV_SEVERITY_WARNING, &place,
                        "@ means nothing for an application: it has no place to start; write #");
    application->set = element->set;
    rules->is_managed = true;
    apply_places(element, &rules->places);
    rules->distribution = (enum sv_distribution)element->distribution;
    rules->start_sequence = element->start_sequence;
    rules->stop_sequence =
        element->set & SV_RULE_STOP_SEQUENCE ? element->stop_sequence : element->start_sequence;
    rules->starting_strategy = (enum sv_starting_strategy)element->starting_strategy;
    rules->starting_failure_strategy =
        (enum sv_starting_failure_strategy)element->starting_failure_strategy;
    rules->running_failure_strategy =
        (enum sv_running_failure_strategy)element->running_failure_strategy;
    rules->operational_status = element->operational_status;
}

static void add_programs(struct sv_rules_builder *builder, const xmlNode *node,
                         struct sv_application_entry *application)
{
    for (const xmlNode *list = node->children; list; list = list->next) {
        for (const xmlNode *program = is_element(list, "programs") ? list->children : NULL;
             program && !builder->is_out_of_memory; program = program->next)
            if (is_element(program, "program") && count_element(builder, program))
                add_program(builder, program, application);
    }
}

static void add_application(struct sv_rules_builder *builder, const xmlNode *node)
{
    struct sv_rules *rules = builder->rules;
    struct sv_rule_element element;
    struct labels labels;
    struct sv_application_entry *application =
        sv_rules_check(builder, sv_arena_new(&rules->arena, struct sv_application_entry));
    if (!read_labels(builder, node, &labels) || !application)
        return;
    application->next = rules->entries;
    rules->entries = application;
    application->rules.place = sv_rules_place(node, NULL);
    application->rules.places.identifiers = (struct sv_name_list){anywhere, 1};
    sv_rules_read_element(builder, node, &element);
    apply_application(builder, &element, application);
    rules->application_count++;
    if (labels.pattern)
        application->pattern = compile(builder, node, labels.pattern);
    if (labels.name)
        put_once(builder, &rules->applications, labels.name, application, node, true);
    if (application->pattern)
        put_once(builder, &rules->patterns, labels.pattern, application, node, false);
    add_programs(builder, node, application);
}

/* Calls `add` for each such child of the root of each file. */
static void for_each(struct sv_rules_builder *builder, xmlDoc *const *docs, size_t count,
                     const char *name,
                     void (*add)(struct sv_rules_builder *builder, const xmlNode *node))
{
    for (size_t i = 0; i < count; i++) {
        const xmlNode *root = xmlDocGetRootElement(docs[i]);
        for (const xmlNode *node = root ? root->children : NULL; node && !builder->is_out_of_memory;
             node = node->next)
            if (is_element(node, name) && count_element(builder, node))
                add(builder, node);
    }
}

void sv_rules_build(struct sv_rules_builder *builder, xmlDoc *const *docs, size_t count)
{
    for_each(builder, docs, count, "alias", add_alias);
    for_each(builder, docs, count, "model", add_model);
    for_each(builder, docs, count, "application", add_application);
    builder->rules->file_count = count;
    builder->rules->alias_count = builder->aliases.count;
    builder->rules->model_count = builder->models.count;
}
