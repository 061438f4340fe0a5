/*
 * The rules of applications and processes: what the XML files of rules_files say, with models,
 * aliases and defaults already resolved.
 *
 * `struct sv_rules` never changes after it was loaded. What the look-ups fill is plain data that
 * points into it: valid as long as the caller holds a reference.
 */
#ifndef SV_CONFIG_RULES_H
#define SV_CONFIG_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <svisor/choices.h>

#include "base/diag.h"
#include "base/str.h"
#include "config/formula.h"
#include "config/load.h"
#include "config/names.h"

struct sv_rules;

/* Where a rule lets something run. Names are identifiers, nicknames or stereotypes; ["*"]:
 * anywhere. */
struct sv_rule_places {
    struct sv_name_list identifiers;      /* empty: nowhere, unless one of the others is resolved */
    struct sv_name_list at_identifiers;   /* `@`: one process to each; identifiers.h assigns */
    struct sv_name_list hash_identifiers; /* `#`: the processes by turns */
};

struct sv_application_rules {
    struct sv_place place; /* of the element; file NULL: there is none */
    bool is_managed;
    enum sv_distribution distribution;
    struct sv_rule_places places; /* used unless the distribution is ALL_INSTANCES */
    /* With `#`: the N of an application called NAME-N or NAME_N, from 1. 0: it has no such name,
     * and start_sequence is 0 for that reason. */
    uint64_t hash_number;
    int32_t start_sequence; /* 0: not started by itself */
    int32_t stop_sequence;  /* -1: there are no rules at all */
    enum sv_starting_strategy starting_strategy;
    enum sv_starting_failure_strategy starting_failure_strategy;
    enum sv_running_failure_strategy running_failure_strategy;
    const struct sv_formula *operational_status; /* NULL: by what is `required` */
};

struct sv_process_rules {
    struct sv_place place; /* of the <program>; file NULL: there is none */
    struct sv_rule_places places;
    int32_t start_sequence;
    int32_t stop_sequence;
    bool required;
    bool wait_exit;
    uint8_t expected_loading; /* per cent */
    enum sv_starting_failure_strategy starting_failure_strategy;
    enum sv_running_failure_strategy running_failure_strategy;
};

enum { SV_RULES_E_BROKEN = 1 };

/*
 * Reads the files, in this order. 0 with one reference in *ret; SV_RULES_E_BROKEN when one of them
 * has an error: everything that is wrong is in `diag`, and the caller keeps the rules that it has;
 * -ENOMEM.
 */
int sv_rules_load(const struct sv_name_list *files, const struct sv_config_host *host,
                  struct sv_diag *diag, struct sv_rules **ret);
struct sv_rules *sv_rules_ref(struct sv_rules *rules);
/* NULL is allowed. */
void sv_rules_unref(struct sv_rules *rules);

/* `rules` may be NULL: no rules_files was written. `strategy`: the option starting_strategy. */
void sv_rules_application(const struct sv_rules *rules, const char *application,
                          enum sv_starting_strategy strategy, struct sv_application_rules *ret);
void sv_rules_process(const struct sv_rules *rules, const char *application, const char *process,
                      struct sv_process_rules *ret);

/* With such a strategy the cluster restarts the process, and its own autorestart is off. */
bool sv_rules_stops_autorestart(const struct sv_process_rules *rules);
struct sv_config;
/* Where it is so, autorestart of a configuration that was just loaded is turned off. NULL: nothing.
 */
void sv_rules_apply(const struct sv_rules *rules, const struct sv_config *config);
/* The one of `instances` that `#` gives to the application; NULL: none. */
const char *sv_rules_hash_identifier(const struct sv_application_rules *rules,
                                     const struct sv_name_list *instances);

/* As `svisord --check` prints them. */
void sv_rules_describe(const struct sv_rules *rules, struct sv_str *ret_text);
void sv_rules_describe_application(const struct sv_application_rules *rules, const char *name,
                                   struct sv_str *ret_text);
void sv_rules_describe_process(const struct sv_process_rules *rules, const char *application,
                               const char *process, struct sv_str *ret_text);

/* The schema that the files are checked against, as XML. */
const char *sv_rules_schema(void);

#endif
