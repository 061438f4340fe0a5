/*
 * The choice of an instance.
 *
 * Candidates keep the order of the rule (as written, stereotypes and `*` in the order of the
 * instances). Of these the running ones whose node can carry the load are valid:
 *
 *     CONFIG            the first
 *     LESS_LOADED       the least (instance load, node load); of equals the first
 *     MOST_LOADED       the greatest (instance load, node load); of equals the last
 *     LESS_LOADED_NODE  the least (node load, instance load); of equals the first
 *     MOST_LOADED_NODE  the greatest (node load, instance load); of equals the last
 *     LOCAL             the instance that decides, if it is among them
 *
 * "The last" is what Supvisors' sorted()[-1] gives; users who rely on it rely on their order of
 * instances.
 */
#include "core/cluster/placement.h"

#include <assert.h>
#include <stdlib.h>
#include <svisor/limits.h>

#include "base/choice.h"
#include "core/cluster/internal.h"

void sv_places_done(struct sv_places *places)
{
    free(places->items);
    *places = (struct sv_places){0};
}

/* ---- Words ---- */

static void comma(struct sv_str *why)
{
    if (why->length > 0)
        sv_str_add(why, "; ");
}

/* At most so many are told, "and 990 more" stands for the rest. */
struct refusals {
    struct sv_str *why;
    uint32_t count;
};

static bool tells(struct refusals *refusals, const char *name)
{
    if (++refusals->count > SV_REFUSALS_TOLD_MAX)
        return false;
    comma(refusals->why);
    sv_str_addf(refusals->why, "%s refused: ", name);
    return true;
}

static void tell_rest(const struct refusals *refusals)
{
    if (refusals->count > SV_REFUSALS_TOLD_MAX)
        sv_str_addf(refusals->why, "; and %u more", refusals->count - SV_REFUSALS_TOLD_MAX);
}

/* ---- Candidates ---- */

static struct sv_places places_new(const struct sv_sites *sites)
{
    return (struct sv_places){
        .items = sv_allocate(sites->count, sizeof(sv_instance_place)),
    };
}

/* The places of the rule; what `@` and `#` assigned comes first. */
static struct sv_places places_of_rule(const struct sv_member *member, const struct sv_sites *sites,
                                       struct sv_str *why)
{
    const struct sv_rule_places *rule = &member->rules.places;
    struct sv_places places = places_new(sites);
    if (member->assigned != SV_INSTANCE_NONE)
        places.items[places.count++] = member->assigned;
    else if (rule->at_identifiers.count == 0 && rule->hash_identifiers.count == 0)
        places.count =
            sv_identifiers_find(&rule->identifiers, sites->names, sites->count, places.items);
    if (places.count == 0) {
        comma(why);
        sv_str_add(why, rule->at_identifiers.count > 0 || rule->hash_identifiers.count > 0
                            ? "`@` or `#` has given it no instance"
                            : "no known instance is named in its identifiers");
    }
    return places;
}

void sv_placement_of_member(const struct sv_member *member, const struct sv_sites *sites,
                            struct sv_places *ret_places, struct sv_str *ret_why)
{
    struct sv_places places = places_of_rule(member, sites, ret_why);
    struct refusals refusals = {.why = ret_why};
    uint32_t kept = 0;
    for (uint32_t i = 0; i < places.count; i++) {
        sv_instance_place place = places.items[i];
        const struct sv_copy *copy = sv_member_copy(member, place);
        if (copy && !copy->row.is_disabled)
            places.items[kept++] = place;
        else if (tells(&refusals, sv_site_name(sites, place)))
            sv_str_add(ret_why, copy ? "disabled there" : "no such program there");
    }
    tell_rest(&refusals);
    places.count = kept;
    *ret_places = places;
}

static bool can_run(const struct sv_member *member, sv_instance_place place)
{
    const struct sv_copy *copy = sv_member_copy(member, place);
    return copy && !copy->row.is_disabled;
}

/* The first process that cannot run there; NULL: all can. */
static const struct sv_member *missing_at(const struct sv_application *application,
                                          sv_instance_place place)
{
    for (size_t i = 0; i < application->member_count; i++)
        if (!can_run(application->members[i], place))
            return application->members[i];
    return NULL;
}

static struct sv_places places_of_application(const struct sv_application *application,
                                              const struct sv_sites *sites, struct sv_str *why)
{
    const struct sv_application_rules *rules = &application->rules;
    struct sv_places places = places_new(sites);
    struct sv_name_list names = rules->places.identifiers;
    const char **all = sv_allocate(sites->count, sizeof(*all));
    for (sv_instance_place i = 0; i < sites->count; i++)
        all[i] = sites->names[i].identifier;
    const struct sv_name_list instances = {all, sites->count};
    const char *hash = rules->places.hash_identifiers.count > 0
                           ? sv_rules_hash_identifier(rules, &instances)
                           : NULL;
    if (hash)
        names = (struct sv_name_list){&hash, 1};
    places.count = sv_identifiers_find(&names, sites->names, sites->count, places.items);
    free(all);
    if (places.count == 0) {
        comma(why);
        sv_str_add(why, "no known instance is named in the identifiers of the application");
    }
    return places;
}

void sv_placement_of_application(const struct sv_application *application,
                                 const struct sv_sites *sites, struct sv_places *ret_places,
                                 struct sv_str *ret_why)
{
    struct sv_places places = places_of_application(application, sites, ret_why);
    struct refusals refusals = {.why = ret_why};
    uint32_t kept = 0;
    for (uint32_t i = 0; i < places.count; i++) {
        const struct sv_member *missing = missing_at(application, places.items[i]);
        if (!missing)
            places.items[kept++] = places.items[i];
        else if (tells(&refusals, sv_site_name(sites, places.items[i])))
            sv_str_addf(ret_why, "it cannot run %s", missing->name);
    }
    tell_rest(&refusals);
    places.count = kept;
    *ret_places = places;
}

/* The first process that none of the places on the node can run. */
static const struct sv_member *missing_on(const struct sv_application *application,
                                          const struct sv_sites *sites,
                                          const struct sv_places *places, sv_instance_place node)
{
    for (size_t m = 0; m < application->member_count; m++) {
        bool has_place = false;
        for (uint32_t i = 0; i < places->count && !has_place; i++)
            has_place = sites->items[places->items[i]].node == node &&
                        can_run(application->members[m], places->items[i]);
        if (!has_place)
            return application->members[m];
    }
    return NULL;
}

static bool can_run_any(const struct sv_application *application, sv_instance_place place)
{
    for (size_t i = 0; i < application->member_count; i++)
        if (can_run(application->members[i], place))
            return true;
    return false;
}

void sv_placement_of_nodes(const struct sv_application *application, const struct sv_sites *sites,
                           struct sv_places *ret_places, struct sv_str *ret_why)
{
    struct sv_places places = places_of_application(application, sites, ret_why);
    struct sv_places kept = places_new(sites);
    struct refusals refusals = {.why = ret_why};
    for (uint32_t i = 0; i < places.count; i++) {
        sv_instance_place place = places.items[i];
        const struct sv_member *missing =
            missing_on(application, sites, &places, sites->items[place].node);
        if (!missing && can_run_any(application, place))
            kept.items[kept.count++] = place;
        else if (missing && tells(&refusals, sv_site_name(sites, place)))
            sv_str_addf(ret_why, "nothing on its node can run %s", missing->name);
    }
    tell_rest(&refusals);
    sv_places_done(&places);
    *ret_places = kept;
}

/* ---- The choice ---- */

/* How a strategy compares: which load first, and which end is wanted. */
static const struct {
    bool is_first; /* the first that is valid */
    bool is_local;
    bool is_by_node; /* else by instance */
    bool is_most;    /* the greatest, of equals the last; else the least, of equals the first */
} strategies[] = {
    [SV_STARTING_STRATEGY_CONFIG] = {.is_first = true},
    [SV_STARTING_STRATEGY_LESS_LOADED] = {0},
    [SV_STARTING_STRATEGY_MOST_LOADED] = {.is_most = true},
    [SV_STARTING_STRATEGY_LOCAL] = {.is_first = true, .is_local = true},
    [SV_STARTING_STRATEGY_LESS_LOADED_NODE] = {.is_by_node = true},
    [SV_STARTING_STRATEGY_MOST_LOADED_NODE] = {.is_by_node = true, .is_most = true},
};

static bool is_better(enum sv_starting_strategy strategy, const struct sv_sites *sites,
                      const struct sv_loads *loads, sv_instance_place place, sv_instance_place best)
{
    if (best == SV_INSTANCE_NONE)
        return true;
    if (strategies[strategy].is_first)
        return false;
    uint64_t instance = loads->instance[place], best_instance = loads->instance[best];
    uint64_t node = loads->node[sites->items[place].node];
    uint64_t best_node = loads->node[sites->items[best].node];
    bool is_by_node = strategies[strategy].is_by_node;
    uint64_t key = is_by_node ? node << 32 | instance : instance << 32 | node;
    uint64_t best_key =
        is_by_node ? best_node << 32 | best_instance : best_instance << 32 | best_node;
    return strategies[strategy].is_most ? key >= best_key : key < best_key;
}

static bool is_valid(const struct sv_placement *placement, const struct sv_sites *sites,
                     const struct sv_loads *loads, sv_instance_place place,
                     struct refusals *refusals)
{
    const char *name = sv_site_name(sites, place);
    uint32_t load = loads->node[sites->items[place].node];
    if (strategies[placement->strategy].is_local && place != sites->local) {
        if (tells(refusals, name))
            sv_str_add(refusals->why, "LOCAL wants the one that decides");
        return false;
    }
    if (sites->items[place].state != SV_INSTANCE_STATE_RUNNING) {
        if (tells(refusals, name))
            sv_str_addf(refusals->why, "it is %s",
                        sv_choice_name(SV_CHOICE_INSTANCE_STATE, (int)sites->items[place].state));
        return false;
    }
    if (load + placement->percent <= SV_NODE_LOAD_MAX)
        return true;
    if (tells(refusals, name))
        sv_str_addf(refusals->why, "load%s %u + %u > %u",
                    load > loads->instance[place] ? " of its node" : "", load, placement->percent,
                    SV_NODE_LOAD_MAX);
    return false;
}

sv_instance_place sv_placement_choose(const struct sv_placement *placement,
                                      const struct sv_sites *sites, const struct sv_loads *loads,
                                      struct sv_str *ret_why)
{
    assert(placement->strategy < sizeof(strategies) / sizeof(strategies[0]));
    sv_instance_place best = SV_INSTANCE_NONE;
    struct refusals refusals = {.why = ret_why};
    for (uint32_t i = 0; i < placement->places->count; i++) {
        sv_instance_place place = placement->places->items[i];
        if (is_valid(placement, sites, loads, place, &refusals) &&
            is_better(placement->strategy, sites, loads, place, best))
            best = place;
    }
    tell_rest(&refusals);
    if (best == SV_INSTANCE_NONE)
        return best;
    comma(ret_why);
    sv_str_addf(ret_why, "%s chose %s: load %u, of its node %u",
                sv_choice_name(SV_CHOICE_STARTING_STRATEGY, (int)placement->strategy),
                sv_site_name(sites, best), loads->instance[best],
                loads->node[sites->items[best].node]);
    return best;
}
