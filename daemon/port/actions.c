#include "port/action.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 64 };

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
    if (actions->count == actions->capacity) {
        size_t capacity = actions->capacity ? actions->capacity * 2 : FIRST_CAPACITY;
        struct sv_action *items = capacity <= SIZE_MAX / sizeof(*items)
                                      ? realloc(actions->items, capacity * sizeof(*items))
                                      : NULL;
        if (!items)
            abort();
        actions->items = items;
        actions->capacity = capacity;
    }
    struct sv_action *action = &actions->items[actions->count++];
    *action = (struct sv_action){.kind = kind};
    return action;
}
