/*
 * `@` and `#`: one instance for each process of a program (Supvisors 0.19: application.py,
 * HomogeneousGroup).
 *
 * It is done when an application is started, over the processes that are known then, in the order
 * of their numbers; what has an instance keeps it. config/identifiers.h has the two rules.
 */
#include <stdlib.h>
#include <string.h>

#include "core/cluster/internal.h"
#include "core/cluster/load.h"

static const struct sv_mesh_process *any_row(const struct sv_member *member)
{
    return &member->copies[0].row;
}

static bool has_sign(const struct sv_member *member)
{
    return member->rules.places.at_identifiers.count > 0 ||
           member->rules.places.hash_identifiers.count > 0;
}

/* The processes of the member's program that have a sign, by number. */
static size_t find_group(const struct sv_application *application, const struct sv_member *member,
                         struct sv_member **ret_group)
{
    size_t count = 0;
    for (size_t i = 0; i < application->member_count; i++) {
        struct sv_member *other = application->members[i];
        if (!has_sign(other) ||
            strcmp(any_row(other)->program_name, any_row(member)->program_name) != 0)
            continue;
        size_t at = count++;
        for (; at > 0 && any_row(ret_group[at - 1])->process_index > any_row(other)->process_index;
             at--)
            ret_group[at] = ret_group[at - 1];
        ret_group[at] = other;
    }
    return count;
}

static void assign_group(const struct sv_rule_places *rule, const struct sv_sites *sites,
                         struct sv_member **group, size_t count)
{
    bool is_at = rule->at_identifiers.count > 0;
    uint32_t *places = sv_allocate(sites->count, sizeof(*places));
    uint32_t *counts = sv_allocate(sites->count, sizeof(*counts));
    uint32_t *assigned = sv_allocate(count, sizeof(*assigned));
    for (size_t i = 0; i < count; i++)
        assigned[i] = group[i]->assigned;
    const struct sv_assignment assignment = {
        .places = places,
        .place_count = sv_identifiers_find(is_at ? &rule->at_identifiers : &rule->hash_identifiers,
                                           sites->names, sites->count, places),
        .assigned = assigned,
        .process_count = (uint32_t)count,
        .counts = counts,
    };
    if (is_at)
        sv_identifiers_assign_at(&assignment);
    else
        sv_identifiers_assign_hash(&assignment);
    for (size_t i = 0; i < count; i++)
        group[i]->assigned = assigned[i];
    free(places);
    free(counts);
    free(assigned);
}

void sv_application_assign(struct sv_application *application, const struct sv_sites *sites)
{
    struct sv_member **group = sv_allocate(application->member_count, sizeof(struct sv_member *));
    for (size_t i = 0; i < application->member_count; i++) {
        struct sv_member *member = application->members[i];
        if (!has_sign(member) || member->assigned != SV_INSTANCE_NONE)
            continue;
        size_t count = find_group(application, member, group);
        /* Once for each program: at its first process. */
        if (group[0] == member || group[0]->assigned != SV_INSTANCE_NONE)
            assign_group(&member->rules.places, sites, group, count);
    }
    free(group);
}
