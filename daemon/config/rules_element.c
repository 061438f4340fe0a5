/*
 * From the XML of one <application>, <program> or <model> to a struct. Supvisors 0.19, sparser.py,
 * is the model: a value that it logs and leaves out is a warning here, and left out as well.
 *
 * By now the schema holds, so that an element stands once, a number is one, and a word is known.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "base/choice.h"
#include "config/pytext.h"
#include "config/rules_private.h"

#define ANYWHERE "*"
#define AT       "@"
#define HASH     "#"

void *sv_rules_check(struct sv_rules_builder *builder, void *pointer)
{
    builder->is_out_of_memory = builder->is_out_of_memory || !pointer;
    return pointer;
}

void sv_rules_report(struct sv_rules_builder *builder, enum sv_severity severity,
                     const struct sv_place *place, const char *format, ...)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    va_list arguments;
    va_start(arguments, format);
    sv_str_addv(&text, format, arguments);
    va_end(arguments);
    sv_diag_add(builder->diag, severity, place, "%s", sv_str_text(&text));
}

struct sv_place sv_rules_place(const xmlNode *node, const char *key)
{
    long line = xmlGetLineNo(node);
    return (struct sv_place){
        .file = node->doc->_private, .line = line > 0 ? (unsigned)line : 0, .key = key};
}

const char *sv_rules_text(struct sv_rules_builder *builder, const xmlNode *node)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    const xmlNode *child = node->children;
    for (; child && (child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE);
         child = child->next)
        sv_str_add(&text, child->content ? (const char *)child->content : "");
    struct sv_place place = sv_rules_place(node, (const char *)node->name);
    if (child && child->type != XML_ELEMENT_NODE)
        sv_rules_report(builder, SV_SEVERITY_WARNING, &place,
                        "has a comment in it; only what stands before that is read");
    char *copy = sv_rules_check(builder, sv_arena_strdup(&builder->scratch, sv_str_text(&text)));
    return copy ? copy : "";
}

const char *sv_rules_attribute(struct sv_rules_builder *builder, const xmlNode *node,
                               const char *name)
{
    xmlChar *value = xmlGetNoNsProp(node, (const xmlChar *)name);
    if (!value)
        return NULL;
    char *copy = sv_rules_check(builder, sv_arena_strdup(&builder->scratch, (const char *)value));
    xmlFree(value);
    return copy;
}

/* ---- Identifiers ---- */

static size_t find_name(const struct sv_name_list *names, const char *name)
{
    size_t i = 0;
    while (i < names->count && strcmp(names->items[i], name) != 0)
        i++;
    return i;
}

/* The list with the names of the alias in the place of its own first one. */
static struct sv_name_list replace(struct sv_rules_builder *builder,
                                   const struct sv_name_list *names, size_t place,
                                   const struct sv_name_list *alias)
{
    size_t count = names->count - 1 + alias->count;
    const char **items =
        sv_rules_check(builder, sv_arena_array(&builder->scratch, const char *, count + 1));
    if (!items)
        return *names;
    if (place > 0)
        memcpy(items, names->items, place * sizeof(*items));
    if (alias->count > 0)
        memcpy(items + place, alias->items, alias->count * sizeof(*items));
    size_t rest = names->count - place - 1;
    if (rest > 0)
        memcpy(items + place + alias->count, names->items + place + 1, rest * sizeof(*items));
    return (struct sv_name_list){items, count};
}

/* Each alias once, in the order of the files: one that names another works when it stands before.
 */
static struct sv_name_list resolve_aliases(struct sv_rules_builder *builder,
                                           const struct sv_place *place, struct sv_name_list names)
{
    bool has_alias = false;
    for (size_t i = 0; i < names.count && !has_alias; i++)
        has_alias = sv_map_has(&builder->aliases, names.items[i]);
    if (!has_alias)
        return names;
    sv_map_foreach (entry, &builder->aliases) {
        size_t found = find_name(&names, entry->key);
        if (found < names.count && names.count < SV_RULES_NAMES_MAX)
            names = replace(builder, &names, found, entry->value);
    }
    for (size_t i = 0; i < names.count; i++)
        if (sv_map_has(&builder->aliases, names.items[i]))
            sv_rules_report(builder, SV_SEVERITY_WARNING, place,
                            "the alias %s stays unresolved; write it once, and behind the aliases "
                            "that name it",
                            names.items[i]);
    return names;
}

/* Copies the names into the rules, without the signs; anywhere is anywhere. */
static struct sv_name_list keep_names(struct sv_rules_builder *builder,
                                      const struct sv_name_list *names,
                                      const struct sv_rule_element *element)
{
    static const char *const anywhere[] = {ANYWHERE};
    const char **items = sv_rules_check(
        builder, sv_arena_array(&builder->rules->arena, const char *, names->count + 1));
    size_t count = 0;
    for (size_t i = 0; items && i < names->count; i++) {
        if (strcmp(names->items[i], AT) == 0 || strcmp(names->items[i], HASH) == 0)
            continue;
        items[count] =
            sv_rules_check(builder, sv_arena_strdup(&builder->rules->arena, names->items[i]));
        count += items[count] != NULL;
    }
    bool is_anywhere =
        sv_names_has(names, ANYWHERE) || (count == 0 && (element->has_at || element->has_hash));
    if (is_anywhere)
        return (struct sv_name_list){anywhere, 1};
    return (struct sv_name_list){items, count};
}

static void read_identifiers(struct sv_rules_builder *builder, const char *text,
                             const struct sv_place *place, struct sv_rule_element *ret)
{
    struct sv_name_list names;
    if (sv_names_split(text, &builder->scratch, &names) < 0) {
        builder->is_out_of_memory = true;
        return;
    }
    names = resolve_aliases(builder, place, names);
    if (sv_names_unique(&names, &builder->scratch, &names) < 0) {
        builder->is_out_of_memory = true;
        return;
    }
    builder->name_count += names.count;
    if (builder->name_count > SV_RULES_NAMES_MAX) {
        sv_rules_report(builder, SV_SEVERITY_ERROR, place,
                        "all lists together have more than %d names; write stereotypes",
                        SV_RULES_NAMES_MAX);
        return;
    }
    ret->set |= SV_RULE_IDENTIFIERS;
    ret->has_at = sv_names_has(&names, AT);
    ret->has_hash = sv_names_has(&names, HASH);
    ret->names = keep_names(builder, &names, ret);
    if (ret->names.count == 0)
        sv_rules_report(builder, SV_SEVERITY_WARNING, place,
                        "names nobody: there is no place to start it; write *, or names");
}

/* ---- The other values ---- */

static void read_sequence(struct sv_rules_builder *builder, const char *text,
                          const struct sv_place *place, unsigned bit, struct sv_rule_element *ret)
{
    int64_t number = -1;
    bool is_number = sv_py_int(text, strlen(text), 10, &number) == SV_PY_INT_OK;
    if (!is_number || number < 0 || number > INT8_MAX) {
        sv_rules_report(builder, SV_SEVERITY_WARNING, place,
                        "'%s' is less than 0 and not used; write a number from 0 to 127", text);
        return;
    }
    *(bit == SV_RULE_START_SEQUENCE ? &ret->start_sequence : &ret->stop_sequence) = (int32_t)number;
    ret->set |= bit;
}

static void read_start_sequence(struct sv_rules_builder *builder, const char *text,
                                const struct sv_place *place, struct sv_rule_element *ret)
{
    read_sequence(builder, text, place, SV_RULE_START_SEQUENCE, ret);
}

static void read_stop_sequence(struct sv_rules_builder *builder, const char *text,
                               const struct sv_place *place, struct sv_rule_element *ret)
{
    read_sequence(builder, text, place, SV_RULE_STOP_SEQUENCE, ret);
}

/* The schema lets blanks pass around the word, strtobool() does not. */
static void read_boolean(struct sv_rules_builder *builder, const char *text,
                         const struct sv_place *place, unsigned bit, struct sv_rule_element *ret)
{
    bool is_true = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    if (!is_true && strcmp(text, "false") != 0 && strcmp(text, "0") != 0) {
        sv_rules_report(builder, SV_SEVERITY_WARNING, place,
                        "'%s' is not used, for the blanks around it; write true or false without "
                        "them",
                        text);
        return;
    }
    *(bit == SV_RULE_REQUIRED ? &ret->required : &ret->wait_exit) = is_true;
    ret->set |= bit;
}

static void read_required(struct sv_rules_builder *builder, const char *text,
                          const struct sv_place *place, struct sv_rule_element *ret)
{
    read_boolean(builder, text, place, SV_RULE_REQUIRED, ret);
}

static void read_wait_exit(struct sv_rules_builder *builder, const char *text,
                           const struct sv_place *place, struct sv_rule_element *ret)
{
    read_boolean(builder, text, place, SV_RULE_WAIT_EXIT, ret);
}

static void read_loading(struct sv_rules_builder *builder, const char *text,
                         const struct sv_place *place, struct sv_rule_element *ret)
{
    int64_t number = 0;
    (void)builder;
    (void)place;
    if (sv_py_int(text, strlen(text), 10, &number) != SV_PY_INT_OK || number < 0 || number > 100)
        return;
    ret->expected_loading = (uint8_t)number;
    ret->set |= SV_RULE_EXPECTED_LOADING;
}

static void read_distribution(struct sv_rules_builder *builder, const char *text,
                              const struct sv_place *place, struct sv_rule_element *ret)
{
    int number = 0;
    (void)builder;
    (void)place;
    if (sv_choice_parse(SV_CHOICE_DISTRIBUTION, text, false, &number))
        ret->distribution = (enum sv_distribution)number;
}

static void read_starting_strategy(struct sv_rules_builder *builder, const char *text,
                                   const struct sv_place *place, struct sv_rule_element *ret)
{
    int number = 0;
    (void)builder;
    (void)place;
    if (!sv_choice_parse(SV_CHOICE_STARTING_STRATEGY, text, false, &number))
        return;
    ret->starting_strategy = (enum sv_starting_strategy)number;
    ret->set |= SV_RULE_STARTING_STRATEGY;
}

static void read_starting_failure(struct sv_rules_builder *builder, const char *text,
                                  const struct sv_place *place, struct sv_rule_element *ret)
{
    int number = 0;
    (void)builder;
    (void)place;
    if (!sv_choice_parse(SV_CHOICE_STARTING_FAILURE_STRATEGY, text, false, &number))
        return;
    ret->starting_failure_strategy = (enum sv_starting_failure_strategy)number;
    ret->set |= SV_RULE_STARTING_FAILURE;
}

static void read_running_failure(struct sv_rules_builder *builder, const char *text,
                                 const struct sv_place *place, struct sv_rule_element *ret)
{
    int number = 0;
    (void)builder;
    (void)place;
    if (!sv_choice_parse(SV_CHOICE_RUNNING_FAILURE_STRATEGY, text, false, &number))
        return;
    ret->running_failure_strategy = (enum sv_running_failure_strategy)number;
    ret->set |= SV_RULE_RUNNING_FAILURE;
}

static void read_status(struct sv_rules_builder *builder, const char *text,
                        const struct sv_place *place, struct sv_rule_element *ret)
{
    struct sv_str problem SV_CLEANUP(sv_str_done) = {0};
    ret->operational_status = sv_formula_parse(text, &builder->rules->arena, &problem);
    if (problem.length > 0)
        sv_rules_report(builder, SV_SEVERITY_WARNING, place, "%s%s", sv_str_text(&problem),
                        ret->operational_status ? "" : "; the formula is not used");
}

static void read_reference(struct sv_rules_builder *builder, const char *text,
                           const struct sv_place *place, struct sv_rule_element *ret)
{
    (void)builder;
    (void)place;
    ret->reference = text;
}

static const struct {
    const char *element;
    void (*read)(struct sv_rules_builder *builder, const char *text, const struct sv_place *place,
                 struct sv_rule_element *ret);
} readers[] = {
    {"reference", read_reference},
    {"identifiers", read_identifiers},
    {"start_sequence", read_start_sequence},
    {"stop_sequence", read_stop_sequence},
    {"required", read_required},
    {"wait_exit", read_wait_exit},
    {"expected_loading", read_loading},
    {"distribution", read_distribution},
    {"starting_strategy", read_starting_strategy},
    {"starting_failure_strategy", read_starting_failure},
    {"running_failure_strategy", read_running_failure},
    {"operational_status", read_status},
};

void sv_rules_read_element(struct sv_rules_builder *builder, const xmlNode *node,
                           struct sv_rule_element *ret)
{
    *ret = (struct sv_rule_element){.place = sv_rules_place(node, NULL)};
    for (const xmlNode *child = node->children; child; child = child->next) {
        for (size_t i = 0; child->type == XML_ELEMENT_NODE && i < SV_ARRAY_LENGTH(readers); i++) {
            if (strcmp(readers[i].element, (const char *)child->name) != 0)
                continue;
            struct sv_place place = sv_rules_place(child, readers[i].element);
            const char *text = sv_rules_text(builder, child);
            if (*text != '\0')
                readers[i].read(builder, text, &place, ret);
        }
    }
}
