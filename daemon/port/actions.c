#include "port/action.h"

#include <stdlib.h>

#include "base/grow.h"

void sv_actions_done(struct sv_actions *actions)
{
    sv_actions_clear(actions);
    free(actions->items);
    *actions = (struct sv_actions){0};
}

void sv_actions_clear(struct sv_actions *actions)
{
    for (size_t i = 0; i < actions->count; i++)
        if (actions->items[i].kind == SV_ACTION_DELIVER ||
            actions->items[i].kind == SV_ACTION_REMEMBER)
            sv_blob_unref(actions->items[i].deliver.blob);
    actions->count = 0;
}

struct sv_action *sv_actions_add(struct sv_actions *actions, enum sv_action_kind kind)
{
    actions->items =
        sv_grow(actions->items, &actions->capacity, actions->count + 1, sizeof(*actions->items));
    struct sv_action *action = &actions->items[actions->count++];
    *action = (struct sv_action){.kind = kind};
    return action;
}
