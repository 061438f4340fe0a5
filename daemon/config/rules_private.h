/* How rules are kept, and how they are put together. Private to rules*.c. */
#ifndef SV_CONFIG_RULES_PRIVATE_H
#define SV_CONFIG_RULES_PRIVATE_H

#include <libxml/tree.h>

#include "base/map.h"
#include "config/rules.h"

/* What an element says, as a set. */
enum {
    SV_RULE_IDENTIFIERS = 1 << 0,
    SV_RULE_START_SEQUENCE = 1 << 1,
    SV_RULE_STOP_SEQUENCE = 1 << 2,
    SV_RULE_REQUIRED = 1 << 3,
    SV_RULE_WAIT_EXIT = 1 << 4,
    SV_RULE_EXPECTED_LOADING = 1 << 5,
    SV_RULE_STARTING_STRATEGY = 1 << 6,
    SV_RULE_STARTING_FAILURE = 1 << 7,
    SV_RULE_RUNNING_FAILURE = 1 << 8,
};

/* What <identifiers> says: equal texts share one. */
struct sv_rule_names {
    struct sv_name_list names; /* without the signs */
    bool has_at, has_hash;     /* the signs */
};

/* One <application>, <program> or <model> as it is written, with aliases resolved. */
struct sv_rule_element {
    struct sv_place place;
    unsigned set;
    const struct sv_rule_names *identifiers; /* of SV_RULE_IDENTIFIERS */
    int start_sequence, stop_sequence;
    int required, wait_exit; /* 0 or 1 */
    int expected_loading;
    int starting_failure_strategy, running_failure_strategy; /* numbers of svisor/choices.def */
    int distribution, starting_strategy;
    const char *reference;                       /* of a model; NULL: none */
    const struct sv_formula *operational_status; /* NULL: none */
};

struct sv_program_entry {
    const struct sv_pattern *pattern; /* NULL: by name only */
    struct sv_process_rules rules;    /* before what depends on the application and the name */
    unsigned set;                     /* of the strategies that it says itself */
};

struct sv_application_entry {
    const struct sv_pattern *pattern;
    struct sv_application_rules rules;
    unsigned set;
    struct sv_map programs;         /* name -> struct sv_program_entry *; the first of a name */
    struct sv_map program_patterns; /* pattern -> the last of it, in the place of the first */
    struct sv_application_entry *next;
};

struct sv_rules {
    struct sv_arena arena;
    uint32_t reference_count;
    struct sv_map applications; /* name -> struct sv_application_entry *; the first of a name */
    struct sv_map patterns;     /* pattern -> the last of it, in the place of the first */
    struct sv_application_entry *entries; /* all of them, to be freed */
    struct sv_pattern_match *match;       /* scratch of the look-ups */
    size_t file_count, alias_count, model_count, application_count, program_count;
};

/* What is known while rules are put together. */
struct sv_rules_builder {
    struct sv_rules *rules;
    struct sv_diag *diag;
    struct sv_arena scratch;
    struct sv_map aliases; /* name -> struct sv_name_list *, some of them empty */
    struct sv_map models;  /* name -> struct sv_rule_element * */
    struct sv_map lists; /* text of <identifiers> -> struct sv_rule_names *, in the rules' arena */
    size_t element_count;
    size_t name_count;
    bool is_out_of_memory;
};

/* Notes that memory is short when `pointer` is NULL. Returns it. */
void *sv_rules_check(struct sv_rules_builder *builder, void *pointer);
void sv_rules_report(struct sv_rules_builder *builder, enum sv_severity severity,
                     const struct sv_place *place, const char *format, ...) SV_PRINTF(4, 5);
/* Where the node is; `key` may be NULL. The document's _private is the name of the file, in the
 * arena of the rules. */
struct sv_place sv_rules_place(const xmlNode *node, const char *key);
/* The text in front of the first child that is none, as lxml has it; in the scratch. */
const char *sv_rules_text(struct sv_rules_builder *builder, const xmlNode *node);
/* In the scratch; NULL: not there. */
const char *sv_rules_attribute(struct sv_rules_builder *builder, const xmlNode *node,
                               const char *name);
/* Reads an <application>, <program> or <model>. Faults are reported. */
void sv_rules_read_element(struct sv_rules_builder *builder, const xmlNode *node,
                           struct sv_rule_element *ret);
/* Adds what the files say to builder->rules. */
void sv_rules_build(struct sv_rules_builder *builder, xmlDoc *const *docs, size_t count);

#endif
