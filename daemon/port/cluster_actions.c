#include <stdlib.h>

#include "port/cluster.h"

enum { FIRST_CAPACITY = 64 };

void sv_cluster_actions_done(struct sv_cluster_actions *actions)
{
    free(actions->items);
    *actions = (struct sv_cluster_actions){0};
}

void sv_cluster_actions_clear(struct sv_cluster_actions *actions)
{
    actions->count = 0;
}

struct sv_cluster_action *sv_cluster_actions_add(struct sv_cluster_actions *actions,
                                                 enum sv_cluster_action_kind kind)
{
    if (actions->count == actions->capacity) {
        size_t capacity = actions->capacity ? actions->capacity * 2 : FIRST_CAPACITY;
        struct sv_cluster_action *items = capacity <= SIZE_MAX / sizeof(*items)
                                              ? realloc(actions->items, capacity * sizeof(*items))
                                              : NULL;
        if (!items)
            abort();
        actions->items = items;
        actions->capacity = capacity;
    }
    struct sv_cluster_action *action = &actions->items[actions->count++];
    *action = (struct sv_cluster_action){.kind = kind};
    return action;
}
