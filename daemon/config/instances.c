/*
 * supvisors_list: "<nick>host:http_port:event_port", of which only the host must be there.
 *
 * Supvisors 0.19 matches an item with ^(<([\w\-:.]+)>)?([\w\-.]+)(:(\d{4,5}))?$ and does not start
 * when one does not match (internal_com/mapper.py, SupvisorsInstanceId). Its documentation still
 * has the event port of older versions behind the HTTP port; that is taken here, too.
 */
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "config/loader.h"

/* Python's \w, where every letter beyond ASCII counts as one. */
static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static size_t span_of(const char *text, const char *others)
{
    size_t length = 0;
    while (text[length] && (is_word(text[length]) || strchr(others, text[length])))
        length++;
    return length;
}

/* ":60000" at *text; no port is 0. */
static enum sv_instance_item_result parse_port(const char **text, uint16_t *ret_port)
{
    if (**text != ':')
        return SV_INSTANCE_ITEM_OK;
    size_t length = strspn(*text + 1, "0123456789");
    unsigned long number = 0;
    for (size_t i = 0; i < length && number <= UINT16_MAX; i++)
        number = number * 10 + (unsigned long)((*text)[1 + i] - '0');
    *text += 1 + length;
    if (length == 0)
        return SV_INSTANCE_ITEM_E_FORM;
    if (number < 1 || number > UINT16_MAX)
        return SV_INSTANCE_ITEM_E_PORT;
    *ret_port = (uint16_t)number;
    return SV_INSTANCE_ITEM_OK;
}

enum sv_instance_item_result sv_instance_item_parse(const char *text, struct sv_arena *arena,
                                                    struct sv_instance_item *ret)
{
    struct sv_instance_item item = {0};
    if (*text == '<') {
        size_t length = span_of(text + 1, "-:.");
        if (length == 0 || text[1 + length] != '>')
            return SV_INSTANCE_ITEM_E_FORM;
        item.nick = sv_arena_strndup(arena, text + 1, length);
        if (!item.nick)
            return SV_INSTANCE_ITEM_E_MEMORY;
        text += length + 2;
    }
    size_t length = span_of(text, "-.");
    if (length == 0)
        return SV_INSTANCE_ITEM_E_FORM;
    item.host = sv_arena_strndup(arena, text, length);
    if (!item.host)
        return SV_INSTANCE_ITEM_E_MEMORY;
    text += length;
    enum sv_instance_item_result result = parse_port(&text, &item.http_port);
    if (result == SV_INSTANCE_ITEM_OK)
        result = parse_port(&text, &item.event_port);
    if (result == SV_INSTANCE_ITEM_OK && *text != '\0')
        result = SV_INSTANCE_ITEM_E_FORM;
    if (result == SV_INSTANCE_ITEM_OK)
        *ret = item;
    return result;
}

/* The names and ports that the item leaves out. */
static void complete(struct sv_loader *loader, const struct sv_instance_item *item,
                     uint16_t http_port, uint16_t event_port, struct sv_instance_config *ret)
{
    ret->http_port = item->http_port ? item->http_port : http_port;
    ret->event_port = item->event_port ? item->event_port
                      : event_port     ? event_port
                                       : (uint16_t)(ret->http_port + 1);
    ret->host = item->host;
    ret->identifier = sv_loader_check(
        loader, sv_arena_printf(loader->arena, "%s:%u", item->host, ret->http_port));
    bool has_nick = item->nick && strcmp(item->nick, "supervisor") != 0;
    ret->nick = has_nick ? item->nick : item->http_port ? ret->identifier : item->host;
}

/* Supvisors keeps instances by their identifier: a second one takes the place of the first. */
static void add_instance(struct sv_loader *loader, const struct sv_place *place,
                         const struct sv_instance_config *instance,
                         struct sv_instance_config *instances, size_t *count)
{
    size_t place_of = *count;
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(instances[i].identifier, instance->identifier) == 0)
            place_of = i;
        else if (strcmp(instances[i].nick, instance->nick) == 0)
            sv_loader_report(loader, SV_SEVERITY_WARNING, place,
                             "%s and %s have the same nickname %s; write <another> before one of "
                             "them",
                             instances[i].identifier, instance->identifier, instance->nick);
    }
    if (place_of < *count)
        sv_loader_report(loader, SV_SEVERITY_WARNING, place, "has %s twice; the second counts",
                         instance->identifier);
    instances[place_of] = *instance;
    *count += place_of == *count;
}

static void report_item(struct sv_loader *loader, const struct sv_place *place, const char *text,
                        enum sv_instance_item_result result)
{
    static const char *const problems[] = {
        [SV_INSTANCE_ITEM_E_FORM] = "is not an instance; write <nickname>host:http_port, such as "
                                    "<left>node1:9001, or only the host",
        [SV_INSTANCE_ITEM_E_PORT] = "has a port that is none; write one from 1 to 65535, such as "
                                    "node1:9001",
    };
    if (result == SV_INSTANCE_ITEM_E_MEMORY)
        loader->is_out_of_memory = true;
    else
        sv_loader_report(loader, SV_SEVERITY_ERROR, place, "'%s' %s", text, problems[result]);
}

/* What Supvisors takes when there is no list: itself. */
static void add_own(struct sv_loader *loader, const struct sv_config *config, uint16_t http_port,
                    uint16_t event_port, struct sv_instance_config *ret)
{
    struct sv_instance_item item = {.http_port = http_port};
    item.nick = sv_loader_check(loader, sv_arena_strdup(loader->arena, config->daemon.identifier));
    item.host = sv_loader_check(loader, sv_arena_strdup(loader->arena, loader->host->host_name));
    complete(loader, &item, http_port, event_port, ret);
}

void sv_load_instances(struct sv_loader *loader, const struct sv_config *config,
                       const struct sv_value *list, uint16_t http_port,
                       struct sv_supvisors_config *ret)
{
    struct sv_name_list items = {0};
    if (list->text && sv_names_split_unique(list->text, &loader->scratch, &items) < 0)
        loader->is_out_of_memory = true;
    if (items.count > SV_INSTANCES_MAX) {
        sv_loader_report(loader, SV_SEVERITY_ERROR, &list->place,
                         "has %zu instances; at most %d can be", items.count, SV_INSTANCES_MAX);
        return;
    }
    struct sv_instance_config *instances = sv_loader_check(
        loader, sv_arena_array(loader->arena, struct sv_instance_config, items.count + 1));
    if (!instances)
        return;
    size_t count = 0;
    for (size_t i = 0; i < items.count && !loader->is_out_of_memory; i++) {
        struct sv_instance_item item;
        struct sv_instance_config instance;
        enum sv_instance_item_result result =
            sv_instance_item_parse(items.items[i], loader->arena, &item);
        if (result != SV_INSTANCE_ITEM_OK) {
            report_item(loader, &list->place, items.items[i], result);
            continue;
        }
        complete(loader, &item, http_port, ret->event_port, &instance);
        if (instance.identifier)
            add_instance(loader, &list->place, &instance, instances, &count);
    }
    ret->has_list = items.count > 0;
    if (!ret->has_list)
        add_own(loader, config, http_port, ret->event_port, &instances[count++]);
    ret->instances = instances;
    ret->instance_count = count;
    if (ret->event_port == 0)
        ret->event_port = (uint16_t)(http_port + 1);
}
