/*
 * From the names of a rule to instances: identifiers, nicknames, stereotypes, `*`, `@` and `#`.
 *
 * Instances are told by their places in the order in which they are known: that of supvisors_list,
 * and behind it the discovered ones in the order of their arrival. Nothing here allocates.
 */
#ifndef SV_CONFIG_IDENTIFIERS_H
#define SV_CONFIG_IDENTIFIERS_H

#include <stdint.h>

#include "config/names.h"

#define SV_INSTANCE_NONE UINT32_MAX

/* What an instance is called. */
struct sv_instance_names {
    const char *identifier;
    const char *nick;
    const struct sv_name_list *stereotypes; /* NULL: not known yet */
};

/*
 * The places that the names mean, each once, in the order of the names; those of a stereotype in
 * the order of the instances. `*` is all of them. Names that nobody has are left out. `ret_places`
 * has room for `count`. Returns how many there are.
 */
uint32_t sv_identifiers_find(const struct sv_name_list *names,
                             const struct sv_instance_names *instances, uint32_t count,
                             uint32_t *ret_places);

/*
 * `@` and `#`: the processes of one program of one application, in the order of their numbers, get
 * one instance each. `assigned[i]` is where process i belongs already, or SV_INSTANCE_NONE; those
 * are filled and never changed again. With `@` no instance gets two, and processes in excess stay
 * without; with `#` each goes to the first of the instances that have the fewest.
 */
struct sv_assignment {
    const uint32_t *places; /* of sv_identifiers_find() */
    uint32_t place_count;
    uint32_t *assigned;
    uint32_t process_count;
    uint32_t *counts; /* room for `place_count` numbers; what is in it does not matter */
};
void sv_identifiers_assign_at(const struct sv_assignment *assignment);
void sv_identifiers_assign_hash(const struct sv_assignment *assignment);

#endif
