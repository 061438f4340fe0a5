#include "port/cluster.h"

#include <stdlib.h>

#include "base/grow.h"

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
    actions->items =
        sv_grow(actions->items, &actions->capacity, actions->count + 1, sizeof(*actions->items));
    struct sv_cluster_action *action = &actions->items[actions->count++];
    *action = (struct sv_cluster_action){.kind = kind};
    return action;
}
