/*
 * Supvisors 0.19: internal_com/mapper.py, filter(), and application.py, HomogeneousGroup.
 *
 * A name is looked for among the identifiers first, then the nicknames, then the stereotypes; the
 * first kind that knows it counts.
 */
#include "config/identifiers.h"

#include <string.h>

/* Adds the place unless it is there. */
static uint32_t add_place(uint32_t place, uint32_t *places, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (places[i] == place)
            return count;
    places[count] = place;
    return count + 1;
}

static uint32_t find_one(const char *name, const struct sv_instance_names *instances,
                         uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(instances[i].identifier, name) == 0)
            return i;
    /* Of two with one nickname the later one has it. */
    for (uint32_t i = count; i-- > 0;)
        if (strcmp(instances[i].nick, name) == 0)
            return i;
    return SV_INSTANCE_NONE;
}

uint32_t sv_identifiers_find(const struct sv_name_list *names,
                             const struct sv_instance_names *instances, uint32_t count,
                             uint32_t *ret_places)
{
    uint32_t found = 0;
    if (sv_names_has(names, "*")) {
        for (uint32_t i = 0; i < count; i++)
            ret_places[i] = i;
        return count;
    }
    for (size_t n = 0; n < names->count && found < count; n++) {
        uint32_t one = find_one(names->items[n], instances, count);
        if (one != SV_INSTANCE_NONE) {
            found = add_place(one, ret_places, found);
            continue;
        }
        for (uint32_t i = 0; i < count && found < count; i++)
            if (instances[i].stereotypes && sv_names_has(instances[i].stereotypes, names->items[n]))
                found = add_place(i, ret_places, found);
    }
    return found;
}

/* How many processes each place has. */
static void count_all(const struct sv_assignment *assignment)
{
    memset(assignment->counts, 0, assignment->place_count * sizeof(*assignment->counts));
    for (uint32_t i = 0; i < assignment->process_count; i++)
        for (uint32_t p = 0;
             assignment->assigned[i] != SV_INSTANCE_NONE && p < assignment->place_count; p++)
            assignment->counts[p] += assignment->places[p] == assignment->assigned[i];
}

void sv_identifiers_assign_at(const struct sv_assignment *assignment)
{
    uint32_t next = 0;
    count_all(assignment);
    for (uint32_t i = 0; i < assignment->process_count; i++) {
        if (assignment->assigned[i] != SV_INSTANCE_NONE)
            continue;
        while (next < assignment->place_count && assignment->counts[next] > 0)
            next++;
        if (next == assignment->place_count)
            return;
        assignment->assigned[i] = assignment->places[next++];
    }
}

void sv_identifiers_assign_hash(const struct sv_assignment *assignment)
{
    count_all(assignment);
    for (uint32_t i = 0; i < assignment->process_count && assignment->place_count > 0; i++) {
        if (assignment->assigned[i] != SV_INSTANCE_NONE)
            continue;
        uint32_t best = 0;
        for (uint32_t p = 1; p < assignment->place_count; p++)
            if (assignment->counts[p] < assignment->counts[best])
                best = p;
        assignment->counts[best]++;
        assignment->assigned[i] = assignment->places[best];
    }
}
