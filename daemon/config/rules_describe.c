/* Rules as `svisord --check` prints them: what was understood, one line for each rule. */
#include "base/choice.h"
#include "config/rules_private.h"

static void add_names(struct sv_str *text, const char *key, const struct sv_name_list *names)
{
    sv_str_addf(text, "%s=", key);
    for (size_t i = 0; i < names->count; i++)
        sv_str_addf(text, "%s%s", i == 0 ? "" : ",", names->items[i]);
    sv_str_add_char(text, '\n');
}

static void add_places(struct sv_str *text, const struct sv_rule_places *places)
{
    add_names(text, "identifiers", &places->identifiers);
    if (places->at_identifiers.count > 0)
        add_names(text, "at_identifiers", &places->at_identifiers);
    if (places->hash_identifiers.count > 0)
        add_names(text, "hash_identifiers", &places->hash_identifiers);
}

static void add_failures(struct sv_str *text, enum sv_starting_failure_strategy starting,
                         enum sv_running_failure_strategy running)
{
    sv_str_addf(text, "starting_failure_strategy=%s\nrunning_failure_strategy=%s\n",
                sv_choice_name(SV_CHOICE_STARTING_FAILURE_STRATEGY, (int)starting),
                sv_choice_name(SV_CHOICE_RUNNING_FAILURE_STRATEGY, (int)running));
}

static void add_place(struct sv_str *text, const struct sv_place *place)
{
    if (place->file)
        sv_str_addf(text, ", from %s:%u\n", place->file, place->line);
    else
        sv_str_add(text, ", from nowhere: defaults\n");
}

static const char *word(bool value)
{
    return value ? "true" : "false";
}

void sv_rules_describe(const struct sv_rules *rules, struct sv_str *ret_text)
{
    if (!rules)
        sv_str_add(ret_text, "\n; no rules_files: no application is managed\n");
    else
        sv_str_addf(ret_text,
                    "\n; rules: %zu files, %zu applications, %zu programs, %zu models, %zu "
                    "aliases\n",
                    rules->file_count, rules->application_count, rules->program_count,
                    rules->model_count, rules->alias_count);
}

void sv_rules_describe_application(const struct sv_application_rules *rules, const char *name,
                                   struct sv_str *ret_text)
{
    sv_str_addf(ret_text, "\n; rules of application %s", name);
    add_place(ret_text, &rules->place);
    sv_str_addf(ret_text, "managed=%s\n", word(rules->is_managed));
    sv_str_addf(ret_text, "distribution=%s\n",
                sv_choice_name(SV_CHOICE_DISTRIBUTION, (int)rules->distribution));
    add_places(ret_text, &rules->places);
    if (rules->places.hash_identifiers.count > 0 && rules->hash_number == 0)
        sv_str_add(ret_text,
                   "; # needs a name that ends in -N or _N: it is not started by itself\n");
    else if (rules->places.hash_identifiers.count > 0)
        sv_str_addf(ret_text, "hash_number=%llu\n", (unsigned long long)rules->hash_number);
    sv_str_addf(ret_text, "start_sequence=%d\nstop_sequence=%d\n", rules->start_sequence,
                rules->stop_sequence);
    sv_str_addf(ret_text, "starting_strategy=%s\n",
                sv_choice_name(SV_CHOICE_STARTING_STRATEGY, (int)rules->starting_strategy));
    add_failures(ret_text, rules->starting_failure_strategy, rules->running_failure_strategy);
    if (!rules->operational_status)
        return;
    sv_str_add(ret_text, "operational_status=");
    for (const char *c = sv_formula_text(rules->operational_status); *c; c++)
        sv_str_add_char(ret_text, *c == '\n' ? ' ' : *c);
    sv_str_add_char(ret_text, '\n');
}

void sv_rules_describe_process(const struct sv_process_rules *rules, const char *application,
                               const char *process, struct sv_str *ret_text)
{
    sv_str_addf(ret_text, "\n; rules of process %s:%s", application, process);
    add_place(ret_text, &rules->place);
    add_places(ret_text, &rules->places);
    sv_str_addf(ret_text, "start_sequence=%d\nstop_sequence=%d\n", rules->start_sequence,
                rules->stop_sequence);
    sv_str_addf(ret_text, "required=%s\nwait_exit=%s\nexpected_loading=%u\n", word(rules->required),
                word(rules->wait_exit), rules->expected_loading);
    add_failures(ret_text, rules->starting_failure_strategy, rules->running_failure_strategy);
    if (rules->place.file && sv_rules_stops_autorestart(rules))
        sv_str_addf(ret_text, "; autorestart is off: running_failure_strategy does it\n");
}
