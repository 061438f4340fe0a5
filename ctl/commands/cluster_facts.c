/* sversion, master, strategies, stats_status: one struct or one word about the whole cluster. */
#include <string.h>

#include "cluster.h"
#include "namespec.h"
#include "python.h"

struct fact {
    const char *label;
    const char *key;
};

struct facts {
    const char *method;
    const struct fact *items;
    size_t item_count;
    const char *nothing; /* what is said of an empty struct */
};

static const struct fact master_items[] = {
    {"Nick identifier: ", "nick_identifier"},
    {"Identifier:      ", "identifier"},
};
static const struct fact strategy_items[] = {
    {"Auto-fencing: ", "auto-fencing"},
    {"Failure:      ", "supvisors_failure"},
    {"Conciliation: ", "conciliation"},
    {"Starting:     ", "starting"},
};
static const struct fact statistics_items[] = {
    {"Collecting Host statistics:    ", "host_stats"},
    {"Collecting Process statistics: ", "process_stats"},
    {"Collecting statistics period:  ", "collecting_period"},
};

#define ITEMS(items) items, SV_ARRAY_LENGTH(items)

static const struct facts master = {"supvisors.get_master_identifier", ITEMS(master_items),
                                    "No Supvisors Master"};
static const struct facts strategies = {"supvisors.get_strategies", ITEMS(strategy_items), ""};
static const struct facts statistics = {"supvisors.get_statistics_status", ITEMS(statistics_items),
                                        ""};

static enum sv_verdict say_facts(struct sv_ctl *ctl, const struct sv_arguments *arguments,
                                 const struct facts *facts)
{
    json_t *result = NULL;
    enum sv_verdict verdict = sv_ask_cluster(ctl, facts->method, &result);

    if (!result)
        return verdict;
    if (arguments->options & SV_OPTION_JSON) {
        sv_say_json(ctl, result);
        return verdict;
    }
    if (json_object_size(result) == 0)
        sv_say("%s", facts->nothing);
    for (size_t i = 0; i < facts->item_count && json_object_size(result); i++) {
        SV_CLEANUP(sv_str_done) struct sv_str text = {0};

        sv_add_python(&text, json_object_get(result, facts->items[i].key));
        sv_say("%s%s", facts->items[i].label, sv_str_text(&text));
    }
    json_decref(result);
    return verdict;
}

enum sv_verdict sv_command_cluster_sversion(struct sv_ctl *ctl,
                                            const struct sv_arguments *arguments)
{
    json_t *version = NULL;
    enum sv_verdict verdict = sv_ask_cluster(ctl, "supvisors.get_api_version", &version);

    (void)arguments;
    if (json_is_string(version))
        sv_say("%s", json_string_value(version));
    json_decref(version);
    return verdict;
}

enum sv_verdict sv_command_cluster_master(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    return say_facts(ctl, arguments, &master);
}

enum sv_verdict sv_command_cluster_strategies(struct sv_ctl *ctl,
                                              const struct sv_arguments *arguments)
{
    return say_facts(ctl, arguments, &strategies);
}

enum sv_verdict sv_command_cluster_stats_status(struct sv_ctl *ctl,
                                                const struct sv_arguments *arguments)
{
    return say_facts(ctl, arguments, &statistics);
}
