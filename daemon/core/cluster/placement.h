/*
 * Where something may run, and which of these places it gets (Supvisors 0.19: strategy.py and the
 * possible_identifiers() of process.py and application.py).
 *
 * Every answer is also said in words: "supv-02 refused: load 95 + 20 > 100".
 */
#ifndef SV_CORE_PLACEMENT_H
#define SV_CORE_PLACEMENT_H

#include "base/str.h"
#include "core/cluster/load.h"

/* Places in the order in which strategies look at them. */
struct sv_places {
    sv_instance_place *items;
    uint32_t count;
};
void sv_places_done(struct sv_places *places);

/* Where the rule lets the process run and the program is known and enabled. */
void sv_placement_of_member(const struct sv_member *member, const struct sv_sites *sites,
                            struct sv_places *ret_places, struct sv_str *ret_why);
/* SINGLE_INSTANCE: where the application may run and has all of its programs. */
void sv_placement_of_application(const struct sv_application *application,
                                 const struct sv_sites *sites, struct sv_places *ret_places,
                                 struct sv_str *ret_why);
/* SINGLE_NODE: where it may run, on nodes that have all of its programs. */
void sv_placement_of_nodes(const struct sv_application *application, const struct sv_sites *sites,
                           struct sv_places *ret_places, struct sv_str *ret_why);

struct sv_placement {
    enum sv_starting_strategy strategy;
    const struct sv_places *places;
    uint32_t percent; /* what is to be carried there */
};
/* SV_INSTANCE_NONE: none of them is running and can carry it. Appends the words. */
sv_instance_place sv_placement_choose(const struct sv_placement *placement,
                                      const struct sv_sites *sites, const struct sv_loads *loads,
                                      struct sv_str *ret_why);

#endif
