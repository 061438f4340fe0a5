/* datatypes.list_of_strings(), and list(OrderedDict.fromkeys(filter(None, names))). */
#include "config/names.h"

#include <errno.h>
#include <string.h>

#include "base/map.h"
#include "config/pytext.h"

int sv_names_split(const char *text, struct sv_arena *arena, struct sv_name_list *ret)
{
    size_t count = *text != '\0';
    for (const char *c = text; *c; c++)
        count += *c == ',';
    const char **items = sv_arena_array(arena, const char *, count + 1);
    if (!items)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        size_t length = strcspn(text, ",");
        struct sv_span name = sv_py_strip(text, length);
        items[i] = sv_arena_strndup(arena, name.data, name.length);
        if (!items[i])
            return -ENOMEM;
        text += length + (text[length] == ',');
    }
    *ret = (struct sv_name_list){items, count};
    return 0;
}

int sv_names_unique(const struct sv_name_list *names, struct sv_arena *arena,
                    struct sv_name_list *ret)
{
    struct sv_map seen SV_CLEANUP(sv_map_done) = {0};
    const char **items = sv_arena_array(arena, const char *, names->count + 1);
    if (!items)
        return -ENOMEM;
    size_t count = 0;
    for (size_t i = 0; i < names->count; i++) {
        if (*names->items[i] == '\0' || sv_map_has(&seen, names->items[i]))
            continue;
        if (sv_map_put(&seen, names->items[i], NULL) < 0)
            return -ENOMEM;
        items[count++] = names->items[i];
    }
    *ret = (struct sv_name_list){items, count};
    return 0;
}

int sv_names_split_unique(const char *text, struct sv_arena *arena, struct sv_name_list *ret)
{
    struct sv_name_list all;
    int r = sv_names_split(text, arena, &all);
    return r < 0 ? r : sv_names_unique(&all, arena, ret);
}

bool sv_names_has(const struct sv_name_list *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return false;
}
