/*
 * From the XML of one <application>, <program> or <model> to a struct. Supvisors 0.19, sparser.py,
 * is the model: a value that it logs and leaves out is a warning here, and left out as well.
 *
 * By now the schema holds, so that an element stands once, a number is one, and a word is known.
 */
#include <stdarg.h>
#include <stddef.h>
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
                                      const struct sv_name_list *names, bool has_sign)
{
    static const char *const anywhere[] = {ANYWHERE};
    struct sv_arena *arena = &builder->rules->arena;
    const char **items =
        sv_rules_check(builder, sv_arena_array(arena, const char *, names->count + 1));
    size_t count = 0;
    for (size_t i = 0; items && i < names->count; i++) {
        if (strcmp(names->items[i], AT) == 0 || strcmp(names->items[i], HASH) == 0)
            continue;
        items[count] = sv_rules_check(builder, sv_arena_strdup(arena, names->items[i]));
        count += items[count] != NULL;
    }
    if (sv_names_has(names, ANYWHERE) || (count == 0 && has_sign))
        return (struct sv_name_list){anywhere, 1};
    return (struct sv_name_list){items, count};
}

/* NULL: too many names, or no memory. */
static const struct sv_rule_names *resolve(struct sv_rules_builder *builder, const char *text,
                                           const struct sv_place *place)
{
    struct sv_name_list names;
    struct sv_rule_names *resolved =
        sv_rules_check(builder, sv_arena_new(&builder->rules->arena, struct sv_rule_names));
    bool has_memory = sv_names_split(text, &builder->scratch, &names) == 0;
    if (has_memory) {
        names = resolve_aliases(builder, place, names);
        has_memory = sv_names_unique(&names, &builder->scratch, &names) == 0;
    }
    builder->is_out_of_memory = builder->is_out_of_memory || !has_memory;
    if (builder->is_out_of_memory)
        return NULL;
    bool had_room = builder->name_count <= SV_RULES_NAMES_MAX;
    builder->name_count += names.count;
    if (builder->name_count > SV_RULES_NAMES_MAX) {
        if (had_room)
            sv_rules_report(builder, SV_SEVERITY_ERROR, place,
                            "all different lists together have more than %d names; write "
                            "stereotypes",
                            SV_RULES_NAMES_MAX);
        return NULL;
    }
    resolved->has_at = sv_names_has(&names, AT);
    resolved->has_hash = sv_names_has(&names, HASH);
    resolved->names = keep_names(builder, &names, resolved->has_at || resolved->has_hash);
    return resolved;
}

static void read_identifiers(struct sv_rules_builder *builder, const char *text,
                             const struct sv_place *place, struct sv_rule_element *ret)
{
    const struct sv_rule_names *known = sv_map_get(&builder->lists, text);
    ret->identifiers = known ? known : resolve(builder, text, place);
    if (!ret->identifiers)
        return;
    ret->set |= SV_RULE_IDENTIFIERS;
    if (!known && sv_map_put(&builder->lists, text, (void *)(uintptr_t)ret->identifiers) < 0)
        builder->is_out_of_memory = true;
    if (ret->identifiers->names.count == 0)
        sv_rules_report(builder, SV_SEVERITY_WARNING, place,
                        "names nobody: there is no place to start it; write *, or names");
}

/* ---- The other values ---- */

enum form {
    FORM_SEQUENCE,
    FORM_BOOLEAN,
    FORM_LOADING,
    FORM_CHOICE,
};

/* What an element of plain values is called, how it is written, and where it goes. */
struct field {
    const char *element;
    enum form form;
    enum sv_choice_kind kind; /* of FORM_CHOICE */
    unsigned bit;
    size_t offset; /* of an int in struct sv_rule_element */
};

#define FIELD(element_, form_, bit_)                                                               \
    {                                                                                              \
        .element = #element_, .form = (form_), .bit = (bit_),                                      \
        .offset = offsetof(struct sv_rule_element, element_)                                       \
    }
#define CHOICE(element_, kind_, bit_)                                                              \
    {                                                                                              \
        .element = #element_, .form = FORM_CHOICE, .kind = (kind_), .bit = (bit_),                 \
        .offset = offsetof(struct sv_rule_element, element_)                                       \
    }

static const struct field fields[] = {
    FIELD(start_sequence, FORM_SEQUENCE, SV_RULE_START_SEQUENCE),
    FIELD(stop_sequence, FORM_SEQUENCE, SV_RULE_STOP_SEQUENCE),
    FIELD(required, FORM_BOOLEAN, SV_RULE_REQUIRED),
    FIELD(wait_exit, FORM_BOOLEAN, SV_RULE_WAIT_EXIT),
    FIELD(expected_loading, FORM_LOADING, SV_RULE_EXPECTED_LOADING),
    CHOICE(distribution, SV_CHOICE_DISTRIBUTION, 0),
    CHOICE(starting_strategy, SV_CHOICE_STARTING_STRATEGY, SV_RULE_STARTING_STRATEGY),
    CHOICE(starting_failure_strategy, SV_CHOICE_STARTING_FAILURE_STRATEGY,
           SV_RULE_STARTING_FAILURE),
    CHOICE(running_failure_strategy, SV_CHOICE_RUNNING_FAILURE_STRATEGY, SV_RULE_RUNNING_FAILURE),
};

/* Whether the text is a value that counts. The schema has already seen that it is one of its kind.
 */
static bool read_value(const struct field *field, const char *text, int *ret_number)
{
    int64_t number = 0;
    bool is_number = sv_py_int(text, strlen(text), 10, &number) == SV_PY_INT_OK;
    int64_t max = field->form == FORM_SEQUENCE ? INT8_MAX : 100;
    switch (field->form) {
    case FORM_SEQUENCE:
    case FORM_LOADING:
        *ret_number = (int)number;
        return is_number && number >= 0 && number <= max;
    case FORM_BOOLEAN:
        *ret_number = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
        return *ret_number || strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
    case FORM_CHOICE:
        return sv_choice_parse(field->kind, text, false, ret_number);
    }
    return false;
}

static void read_field(struct sv_rules_builder *builder, const struct field *field,
                       const char *text, const struct sv_place *place, struct sv_rule_element *ret)
{
    /* The schema lets these two pass; Supvisors' int() and strtobool() do not. */
    static const char *const advice[] = {
        [FORM_SEQUENCE] = "is less than 0 and not used; write a number from 0 to 127",
        [FORM_BOOLEAN] = "is not used, for the blanks around it; write true or false without them",
        [FORM_LOADING] = "is not used; write a number from 0 to 100",
        [FORM_CHOICE] = "is not known and not used",
    };
    int number = 0;
    if (!read_value(field, text, &number)) {
        sv_rules_report(builder, SV_SEVERITY_WARNING, place, "'%s' %s", text, advice[field->form]);
        return;
    }
    memcpy((char *)ret + field->offset, &number, sizeof(number));
    ret->set |= field->bit;
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

static void read_child(struct sv_rules_builder *builder, const xmlNode *child,
                       struct sv_rule_element *ret)
{
    const char *name = (const char *)child->name;
    struct sv_place place = sv_rules_place(child, name);
    if (strcmp(name, "programs") == 0)
        return;
    const char *text = sv_rules_text(builder, child);
    if (*text == '\0')
        return;
    if (strcmp(name, "identifiers") == 0)
        read_identifiers(builder, text, &place, ret);
    else if (strcmp(name, "operational_status") == 0)
        read_status(builder, text, &place, ret);
    else if (strcmp(name, "reference") == 0)
        ret->reference = text;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(fields); i++)
        if (strcmp(name, fields[i].element) == 0)
            read_field(builder, &fields[i], text, &place, ret);
}

void sv_rules_read_element(struct sv_rules_builder *builder, const xmlNode *node,
                           struct sv_rule_element *ret)
{
    *ret = (struct sv_rule_element){.place = sv_rules_place(node, NULL)};
    for (const xmlNode *child = node->children; child; child = child->next)
        if (child->type == XML_ELEMENT_NODE)
            read_child(builder, child, ret);
}
