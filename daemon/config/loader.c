/*
 * From "key = text" to a value: look up, expand, convert. Every reader of a section goes through
 * here, so that every bad value is reported in the same words and a reader never has to stop: after
 * the report the option's default stands in, and the next problem can be found. A configuration
 * with a reported error is thrown away as a whole at the end.
 */
#include "config/loader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "base/error.h"
#include "config/datatype.h"
#include "config/path.h"
#include "config/pytext.h"

void sv_loader_done(struct sv_loader *loader)
{
    sv_ini_done(&loader->ini);
    sv_scope_done(&loader->environment);
    sv_map_done(&loader->daemon_variables);
    sv_map_done(&loader->grouped);
    free(loader->groups.items);
    sv_arena_done(&loader->scratch);
    *loader = (struct sv_loader){0};
}

void *sv_loader_check(struct sv_loader *loader, void *pointer)
{
    loader->is_out_of_memory = loader->is_out_of_memory || !pointer;
    return pointer;
}

void sv_loader_push(struct sv_loader *loader, struct sv_list *list, void *item)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        void **items = realloc(list->items, capacity * sizeof(*items));
        if (!sv_loader_check(loader, items))
            return;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Two readers may look at one option (the user of a fcgi-program): one report is enough. */
static bool is_reported(const struct sv_diag *diag, const struct sv_place *place, const char *text)
{
    for (const struct sv_diag_row *row = diag->first; row; row = row->next)
        if (row->place.line == place->line && same(row->place.key, place->key) &&
            same(row->place.section, place->section) && same(row->place.file, place->file) &&
            same(row->text, text))
            return true;
    return false;
}

void sv_loader_report(struct sv_loader *loader, enum sv_severity severity,
                      const struct sv_place *place, const char *format, ...)
{
    if (loader->is_muted && severity != SV_SEVERITY_ERROR)
        return;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    va_list arguments;
    va_start(arguments, format);
    sv_str_addv(&text, format, arguments);
    va_end(arguments);
    if (!is_reported(loader->diag, place, sv_str_text(&text)))
        sv_diag_add(loader->diag, severity, place, "%s", sv_str_text(&text));
}

void sv_loader_init_environment(struct sv_loader *loader)
{
    loader->environment.arena = &loader->scratch;
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    for (const char *const *item = loader->host->environ; item && *item; item++) {
        const char *equals = strchr(*item, '=');
        if (!equals)
            continue;
        sv_str_clear(&name);
        sv_str_add(&name, "ENV_");
        sv_str_append(&name, *item, (size_t)(equals - *item));
        if (!sv_str_ok(&name) ||
            sv_scope_put_text(&loader->environment, sv_str_text(&name), equals + 1) < 0)
            loader->is_out_of_memory = true;
    }
}

bool sv_loader_read(struct sv_loader *loader, const char *path, enum sv_severity severity)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    struct sv_place place = {.file = path};
    int r = loader->host->read_file(loader->host->user, path, &text);
    if (r == -ENOENT && severity == SV_SEVERITY_ERROR) {
        sv_loader_report(loader, severity, &place, "could not find config file %s", path);
        return false;
    }
    if (r == -EFBIG) {
        sv_loader_report(loader, SV_SEVERITY_ERROR, &place,
                         "is larger than %u bytes; this is not a configuration file",
                         SV_CONFIG_FILE_BYTES_MAX);
        return false;
    }
    if (r ==
        -EINVAL) { /* the host's word for a device, a socket, a FIFO: reading it might never end */
        sv_loader_report(loader, SV_SEVERITY_ERROR, &place,
                         "is not a regular file; a configuration is read from nothing else");
        return false;
    }
    if (r < 0) {
        sv_loader_report(loader, severity, &place, "could not read config file %s: %s%s", path,
                         sv_errno_text(r), severity == SV_SEVERITY_ERROR ? "" : "; it is left out");
        return false;
    }
    r = sv_ini_parse(&loader->ini, path, sv_str_text(&text), text.length, loader->diag);
    loader->is_out_of_memory = loader->is_out_of_memory || r < 0;
    return r == 0;
}

struct sv_value sv_loader_raw(struct sv_loader *loader, const struct sv_ini_section *section,
                              enum sv_option_id id)
{
    const struct sv_option *option = sv_option(id);
    const struct sv_ini_key *key = sv_ini_key(&loader->ini, section, option->key);
    struct sv_value value = {.is_given = key, .owner = {SV_ID_NONE, SV_ID_NONE}};
    if (key)
        value.place = key->place;
    else if (section)
        value.place = section->place;
    if (section)
        value.place.section = section->name;
    value.place.key = option->key;
    value.text = key ? key->value : option->default_text;
    return value;
}

bool sv_loader_expand(struct sv_loader *loader, enum sv_option_id id, const char *name,
                      const struct sv_scope *scope, struct sv_value *value)
{
    if (!value->text || !strchr(value->text, '%'))
        return true;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    struct sv_str problem SV_CLEANUP(sv_str_done) = {0};
    int r = sv_expand(value->text, name, scope, &text, &problem);
    if (r == 0) {
        value->text = sv_arena_strndup(&loader->scratch, sv_str_text(&text), text.length);
        if (sv_loader_check(loader, (void *)(uintptr_t)value->text))
            return true;
    } else if (r > 0) {
        sv_loader_report(loader, loader->error, &value->place, "%s", sv_str_text(&problem));
    } else {
        loader->is_out_of_memory = true;
    }
    value->text = sv_option(id)->default_text;
    return false;
}

bool sv_loader_convert(struct sv_loader *loader, enum sv_option_id id, struct sv_value *value)
{
    if (!value->text)
        return true;
    const struct sv_option *option = sv_option(id);
    struct sv_str problem SV_CLEANUP(sv_str_done) = {0};
    struct sv_value_context context = {
        .arena = loader->arena, .host = loader->host, .problem = &problem};
    bool is_good = sv_value_convert(option, &context, value);
    if (is_good && !context.is_only_a_warning)
        return true;
    if (!is_good && loader->error == SV_SEVERITY_WARNING && option->default_text)
        sv_str_addf(&problem, "; %s is used", option->default_text);
    else if (!is_good && loader->error == SV_SEVERITY_WARNING)
        sv_str_add(&problem, "; it is as if the line were not there");
    sv_loader_report(loader, is_good ? SV_SEVERITY_WARNING : loader->error, &value->place, "%s",
                     sv_str_text(&problem));
    if (is_good)
        return true;
    struct sv_place place = value->place;
    *value = (struct sv_value){
        .text = option->default_text, .place = place, .owner = {SV_ID_NONE, SV_ID_NONE}};
    sv_str_clear(&problem);
    if (value->text && !sv_value_convert(option, &context, value))
        value->text = NULL;
    return false;
}

struct sv_value sv_loader_get(struct sv_loader *loader, const struct sv_ini_section *section,
                              enum sv_option_id id, const struct sv_scope *scope)
{
    struct sv_value value = sv_loader_raw(loader, section, id);
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    if (value.text && strchr(value.text, '%'))
        sv_str_addf(&name, "%s.%s", section ? section->name : "", sv_option(id)->key);
    sv_loader_expand(loader, id, sv_str_text(&name), scope, &value);
    sv_loader_convert(loader, id, &value);
    return value;
}

struct pair_target {
    struct sv_loader *loader;
    struct sv_map *variables;
};

static void add_variable(void *user, const char *key, const char *value)
{
    struct pair_target *target = user;
    char *copy = sv_loader_check(target->loader, sv_arena_strdup(target->loader->arena, value));
    if (copy && sv_map_put(target->variables, key, copy) < 0)
        target->loader->is_out_of_memory = true;
}

bool sv_loader_pairs(struct sv_loader *loader, const struct sv_value *value,
                     struct sv_map *variables)
{
    struct sv_str problem SV_CLEANUP(sv_str_done) = {0};
    struct pair_target target = {loader, variables};
    if (!value->text ||
        sv_value_pairs(value->text, &loader->scratch, add_variable, &target, &problem))
        return true;
    sv_loader_report(loader, loader->error, &value->place, "%s", sv_str_text(&problem));
    return false;
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *const *sv_loader_environment(struct sv_loader *loader, const struct sv_map *variables)
{
    static const char *const nothing[] = {NULL};
    const char **items =
        sv_loader_check(loader, sv_arena_array(loader->arena, const char *, variables->count + 1));
    if (!items)
        return nothing;
    size_t count = 0;
    sv_map_foreach (entry, variables) {
        const char *item =
            sv_arena_printf(loader->arena, "%s=%s", entry->key, (const char *)entry->value);
        items[count] = item;
        count += item != NULL;
        loader->is_out_of_memory = loader->is_out_of_memory || !item;
    }
    qsort(items, count, sizeof(*items), compare_strings);
    return items;
}

const char *sv_loader_normalize(struct sv_loader *loader, const char *path)
{
    const struct sv_config_host *host = loader->host;
    const char *result = sv_path_expand_user(&loader->scratch, path, host->home_directory);
    if (result)
        result = sv_path_join(&loader->scratch, host->directory, result);
    if (result)
        result = sv_path_normalize(loader->arena, result);
    return sv_loader_check(loader, (void *)(uintptr_t)result) ? result : "/";
}

const char *sv_loader_section_name(struct sv_loader *loader, const struct sv_ini_section *section)
{
    const char *colon = strchr(section->name, ':');
    const char *text = colon ? colon + 1 : "";
    struct sv_span name = sv_py_strip(text, strlen(text));
    if (!sv_value_is_name(text)) {
        sv_loader_report(loader, loader->error, &section->place,
                         name.length == 0
                             ? "has no name; write a name behind the colon"
                             : "Invalid name: it must not contain a blank, a colon or a slash");
        return NULL;
    }
    return sv_loader_check(loader, sv_arena_strndup(loader->arena, name.data, name.length));
}
