/* Any text is a supvisors_list: no crash; what is accepted reads the same when it is written out.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/supvisors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text, struct sv_arena *arena)
{
    struct sv_instance_item item;
    if (sv_instance_item_parse(text, arena, &item) != SV_INSTANCE_ITEM_OK)
        return;
    char *again = sv_arena_printf(arena, "%s%s%s%s", item.nick ? "<" : "",
                                  item.nick ? item.nick : "", item.nick ? ">" : "", item.host);
    if (item.http_port)
        again = sv_arena_printf(arena, "%s:%u", again, item.http_port);
    if (item.event_port)
        again = sv_arena_printf(arena, "%s:%u", again, item.event_port);
    struct sv_instance_item other;
    assert(sv_instance_item_parse(again, arena, &other) == SV_INSTANCE_ITEM_OK);
    assert(strcmp(item.host, other.host) == 0 && !item.nick == !other.nick);
    assert(!item.nick || strcmp(item.nick, other.nick) == 0);
    assert(item.http_port == other.http_port && item.event_port == other.event_port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    struct sv_arena arena = {0};
    struct sv_name_list items = {0};
    if (sv_names_split_unique(text, &arena, &items) < 0)
        abort();
    for (size_t i = 0; i < items.count; i++)
        check(items.items[i], &arena);
    sv_arena_done(&arena);
    free(text);
    return 0;
}
