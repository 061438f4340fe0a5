/* Lists of names as Supvisors writes them: with commas, and blanks around each. */
#ifndef SV_CONFIG_NAMES_H
#define SV_CONFIG_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct sv_name_list {
    const char *const *items;
    size_t count;
};

/* Every name between commas, stripped; some may be empty. Nothing for "". 0 or -ENOMEM. */
int sv_names_split(const char *text, struct sv_arena *arena, struct sv_name_list *ret);
/* The same without empty and repeated names. */
int sv_names_split_unique(const char *text, struct sv_arena *arena, struct sv_name_list *ret);
/* The names without empty and repeated ones, in the order of their first places. */
int sv_names_unique(const struct sv_name_list *names, struct sv_arena *arena,
                    struct sv_name_list *ret);
bool sv_names_has(const struct sv_name_list *names, const char *name);

#endif
