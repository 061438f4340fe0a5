/*
 * [group:x] and the groups that every other program section makes by itself.
 *
 * The order of Supervisor's process_groups_from_parser(): heterogeneous groups first (they take
 * their programs away from the rest), then programs, listeners and fcgi-programs; then all are
 * sorted by priority and name. Where two groups have one name, the first in that order is used.
 * Where two processes of a group have one name, the last is used.
 *
 * A fcgi-program inside of a [group:x] is a plain program there: it gets no socket.
 */
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "base/names.h"
#include "config/loader.h"
#include "config/pytext.h"

#define DEFAULT_RESULT_HANDLER "supervisor.dispatchers:default_handler"

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Groups and processes sort alike: by priority, then name, then as they came. */
struct sortable {
    int32_t priority;
    const char *name;
    size_t index;
    void *item;
};

static int compare_sortable(const void *a, const void *b)
{
    const struct sortable *left = a;
    const struct sortable *right = b;
    if (left->priority != right->priority)
        return left->priority < right->priority ? -1 : 1;
    int order = strcmp(left->name, right->name);
    if (order != 0)
        return order;
    return left->index < right->index ? -1 : left->index > right->index;
}

/* Drops all but the last process of each name. */
static size_t unique_programs(struct sv_loader *loader, const struct sv_list *programs,
                              struct sortable *ret_items)
{
    struct sv_map last = {0};
    for (size_t i = 0; i < programs->count; i++) {
        struct sv_program_config *program = programs->items[i];
        struct sv_program_config *earlier = sv_map_get(&last, program->name);
        if (earlier)
            sv_loader_report(loader, SV_SEVERITY_WARNING, &program->place,
                             "has a process %s like [%s] of the same group; only the later one is "
                             "used",
                             program->name, earlier->place.section);
        if (sv_map_put(&last, program->name, program) < 0)
            loader->is_out_of_memory = true;
    }
    size_t count = 0;
    for (size_t i = 0; i < programs->count; i++) {
        struct sv_program_config *program = programs->items[i];
        if (sv_map_get(&last, program->name) == program)
            ret_items[count++] = (struct sortable){program->priority, program->name, i, program};
    }
    sv_map_done(&last);
    return count;
}

static void sort_programs(struct sv_loader *loader, const struct sv_list *programs,
                          struct sv_group_config *group)
{
    struct sortable *items = calloc(programs->count + 1, sizeof(*items));
    const struct sv_program_config **result =
        sv_arena_array(loader->arena, const struct sv_program_config *, programs->count + 1);
    if (!items || !result) {
        loader->is_out_of_memory = true;
        free(items);
        return;
    }
    size_t count = unique_programs(loader, programs, items);
    qsort(items, count, sizeof(*items), compare_sortable);
    for (size_t i = 0; i < count; i++)
        result[i] = items[i].item;
    free(items);
    group->programs = result;
    group->program_count = count;
}

static struct sv_group_config *add_group(struct sv_loader *loader, enum sv_group_kind kind,
                                         const char *name, const struct sv_ini_section *section)
{
    struct sv_group_config *group =
        sv_loader_check(loader, sv_arena_new(loader->arena, struct sv_group_config));
    if (!group)
        return NULL;
    group->kind = kind;
    group->name = name;
    group->place.line = section->place.line;
    group->place.file =
        sv_loader_check(loader, sv_arena_strdup(loader->arena, section->place.file));
    group->place.section = sv_loader_check(loader, sv_arena_strdup(loader->arena, section->name));
    sv_loader_push(loader, &loader->groups, group);
    return group;
}

struct group_reader {
    struct sv_loader *loader;
    const struct sv_ini_section *section;
    struct sv_scope scope; /* here, over the environment */
};

static struct sv_value get(struct group_reader *reader, enum sv_option_id id)
{
    return sv_loader_get(reader->loader, reader->section, id, &reader->scope);
}

/* The next piece of a list with commas, stripped. Advances `*cursor`, to NULL behind the last. */
static struct sv_span next_item(const char **cursor)
{
    const char *start = *cursor;
    size_t length = strcspn(start, ",");
    *cursor = start[length] == ',' ? start + length + 1 : NULL;
    return sv_py_strip(start, length);
}

static const struct sv_ini_section *find_program(struct group_reader *reader, const char *name,
                                                 const struct sv_place *place)
{
    struct sv_loader *loader = reader->loader;
    struct sv_str word SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&word, "program:%s", name);
    const struct sv_ini_section *plain = sv_ini_section(&loader->ini, sv_str_text(&word));
    sv_str_clear(&word);
    sv_str_addf(&word, "fcgi-program:%s", name);
    const struct sv_ini_section *fcgi = sv_ini_section(&loader->ini, sv_str_text(&word));
    if (!plain && !fcgi)
        sv_loader_report(loader, loader->error, place,
                         "[%s] names unknown program or fcgi-program %s; write a section "
                         "[program:%s], or remove the name",
                         reader->section->name, name, name);
    if (plain && fcgi)
        sv_loader_report(loader, loader->error, place,
                         "[%s] name %s is ambiguous (exists as program and fcgi-program)",
                         reader->section->name, name);
    return plain && fcgi ? NULL : plain ? plain : fcgi;
}

static void read_members(struct group_reader *reader, const struct sv_group_config *group,
                         struct sv_list *programs)
{
    struct sv_loader *loader = reader->loader;
    struct sv_value list = get(reader, SV_OPTION_GROUP_programs);
    const char *cursor = list.text && *list.text ? list.text : NULL;
    while (cursor) {
        struct sv_span item = next_item(&cursor);
        char *name =
            sv_loader_check(loader, sv_arena_strndup(&loader->scratch, item.data, item.length));
        if (!name)
            return;
        const struct sv_ini_section *section = find_program(reader, name, &list.place);
        if (!section)
            continue;
        if (sv_map_put(&loader->grouped, section->name, loader) < 0)
            loader->is_out_of_memory = true;
        sv_load_program(loader, section, SV_PROGRAM_PLAIN, group, programs);
    }
}

static void read_heterogeneous(struct group_reader *reader, const char *name)
{
    struct sv_loader *loader = reader->loader;
    struct sv_group_config *group =
        add_group(loader, SV_GROUP_HETEROGENEOUS, name, reader->section);
    if (!group)
        return;
    struct sv_list programs = {0};
    group->priority = (int32_t)get(reader, SV_OPTION_GROUP_priority).integer;
    group->limits = sv_load_limits(loader, reader->section, &reader->scope, true, NULL);
    read_members(reader, group, &programs);
    sort_programs(loader, &programs, group);
    free(programs.items);
}

static void read_events(struct group_reader *reader, struct sv_group_config *group)
{
    struct sv_loader *loader = reader->loader;
    struct sv_value events = get(reader, SV_OPTION_EVENTLISTENER_events);
    const char *cursor = events.text && *events.text ? events.text : NULL;
    if (!cursor)
        sv_loader_report(loader, loader->error, &events.place,
                         "[%s] section requires an \"events\" line; write events=EVENT, or the "
                         "types that it wants",
                         reader->section->name);
    while (cursor) {
        struct sv_span item = next_item(&cursor);
        char word[64] = {0};
        for (size_t i = 0; i < item.length && i + 1 < sizeof(word); i++) {
            char c = item.data[i];
            word[i] = c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
        }
        enum sv_notice_type type;
        if (item.length < sizeof(word) && sv_notice_parse(word, &type))
            group->events |= sv_notice_set_of(type);
        else
            sv_loader_report(loader, loader->error, &events.place,
                             "Unknown event type %s in [%s] events; write a type such as "
                             "PROCESS_STATE or TICK_60",
                             word, reader->section->name);
    }
}

static void read_listener(struct group_reader *reader, struct sv_group_config *group)
{
    struct sv_loader *loader = reader->loader;
    group->buffer_size = (uint32_t)get(reader, SV_OPTION_EVENTLISTENER_buffer_size).integer;
    struct sv_value handler = get(reader, SV_OPTION_EVENTLISTENER_result_handler);
    group->result_handler = sv_loader_check(loader, sv_arena_strdup(loader->arena, handler.text));
    if (strcmp(handler.text, DEFAULT_RESULT_HANDLER) != 0)
        sv_loader_report(loader, SV_SEVERITY_WARNING, &handler.place,
                         "Python's %s cannot be run here; the default handler is used: a result "
                         "of OK is success, anything else is a failure",
                         handler.text);
    read_events(reader, group);
    struct sv_value redirect = get(reader, SV_OPTION_PROGRAM_redirect_stderr);
    if (redirect.boolean)
        sv_loader_report(loader, loader->error, &redirect.place,
                         "[%s] section sets redirect_stderr=true but this is not allowed because "
                         "it will interfere with the eventlistener protocol",
                         reader->section->name);
}

/* How a section that makes a group of its own is read. */
static const struct own_group {
    const char *prefix;
    enum sv_group_kind group_kind;
    enum sv_program_kind program_kind;
    enum sv_option_id priority;
} own_groups[] = {
    {"program:", SV_GROUP_PROGRAM, SV_PROGRAM_PLAIN, SV_OPTION_PROGRAM_priority},
    {"eventlistener:", SV_GROUP_LISTENER, SV_PROGRAM_LISTENER, SV_OPTION_EVENTLISTENER_priority},
    {"fcgi-program:", SV_GROUP_FCGI, SV_PROGRAM_FCGI, SV_OPTION_PROGRAM_priority},
};

static void read_own(struct group_reader *reader, const char *name, const struct own_group *kind)
{
    struct sv_loader *loader = reader->loader;
    if (sv_map_has(&loader->grouped, reader->section->name))
        return;
    struct sv_group_config *group = add_group(loader, kind->group_kind, name, reader->section);
    if (!group)
        return;
    struct sv_list programs = {0};
    group->priority = (int32_t)get(reader, kind->priority).integer;
    if (kind->group_kind == SV_GROUP_LISTENER)
        read_listener(reader, group);
    if (kind->group_kind == SV_GROUP_FCGI)
        sv_load_fcgi_socket(loader, reader->section, name, &group->fcgi);
    sv_load_program(loader, reader->section, kind->program_kind, group, &programs);
    sort_programs(loader, &programs, group);
    if (group->program_count > 0)
        group->limits = sv_load_shares(loader, group->programs[0]->limits);
    free(programs.items);
}

/* Every section of that prefix; `kind` NULL: [group:x]. */
static void read_sections(struct sv_loader *loader, const char *prefix,
                          const struct own_group *kind)
{
    sv_map_foreach (entry, &loader->ini.sections) {
        const struct sv_ini_section *section = entry->value;
        const char *name =
            has_prefix(section->name, prefix) ? sv_loader_section_name(loader, section) : NULL;
        if (!name || loader->is_out_of_memory)
            continue;
        struct group_reader reader = {
            .loader = loader,
            .section = section,
            .scope = {.parent = &loader->environment, .arena = &loader->scratch}};
        if (sv_scope_put_text(&reader.scope, "here", loader->here) < 0)
            loader->is_out_of_memory = true;
        if (kind)
            read_own(&reader, name, kind);
        else
            read_heterogeneous(&reader, name);
        sv_scope_done(&reader.scope);
    }
}

static const struct sv_group_config **sorted_by_name(struct sv_loader *loader,
                                                     const struct sv_group_config *const *groups,
                                                     size_t count, struct sortable *items)
{
    const struct sv_group_config **result = sv_loader_check(
        loader, sv_arena_array(loader->arena, const struct sv_group_config *, count + 1));
    if (!result)
        return NULL;
    for (size_t i = 0; i < count; i++)
        items[i] = (struct sortable){0, groups[i]->name, i, (void *)(uintptr_t)groups[i]};
    qsort(items, count, sizeof(*items), compare_sortable);
    for (size_t i = 0; i < count; i++)
        result[i] = items[i].item;
    return result;
}

static void finish_groups(struct sv_loader *loader, struct sv_config *config)
{
    struct sv_list *groups = &loader->groups;
    struct sortable *items = calloc(groups->count + 1, sizeof(*items));
    const struct sv_group_config **result =
        sv_arena_array(loader->arena, const struct sv_group_config *, groups->count + 1);
    struct sv_map names = {0};
    if (!items || !result) {
        loader->is_out_of_memory = true;
        free(items);
        return;
    }
    for (size_t i = 0; i < groups->count; i++) {
        struct sv_group_config *group = groups->items[i];
        items[i] = (struct sortable){group->priority, group->name, i, group};
    }
    qsort(items, groups->count, sizeof(*items), compare_sortable);
    for (size_t i = 0; i < groups->count; i++) {
        struct sv_group_config *group = items[i].item;
        const struct sv_group_config *earlier = sv_map_get(&names, group->name);
        if (earlier)
            sv_loader_report(loader, SV_SEVERITY_WARNING, &group->place,
                             "[%s] makes a group %s like [%s]; only the latter is used, for its "
                             "priority is lower or it was made first",
                             group->place.section, group->name, earlier->place.section);
        else if (sv_map_put(&names, group->name, group) < 0)
            loader->is_out_of_memory = true;
        else
            result[config->group_count++] = group;
    }
    config->groups = result;
    config->groups_by_name = sorted_by_name(loader, result, config->group_count, items);
    sv_map_done(&names);
    free(items);
}

void sv_load_groups(struct sv_loader *loader, struct sv_config *config)
{
    read_sections(loader, "group:", NULL);
    for (size_t i = 0; i < SV_ARRAY_LENGTH(own_groups); i++)
        read_sections(loader, own_groups[i].prefix, &own_groups[i]);
    finish_groups(loader, config);
}
