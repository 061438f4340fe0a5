/*
 * From a file to a configuration, in the order of Supervisor's read_config():
 *
 *   the main file, its [include]d files, [supervisord], [rpcinterface:x], the groups and their
 *   programs, the HTTP servers
 *
 * and then what Supervisor does not look at: [supervisorctl], [ctlplugin:x], and what nobody reads.
 *
 * The order matters, for [supervisord] environment= adds to the ENV_* names that everything behind
 * it can expand. An [include] in the main file also changes how `here` works: then, and only then,
 * "%(here)s" is replaced in every value of every section, and in an included file it is the
 * directory of that file. An [include] in an included file is not followed.
 *
 * Every reader goes on after an error, so that all problems are listed; a configuration with an
 * error is thrown away at the end.
 */
#include "config/load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "config/loader.h"
#include "config/path.h"
#include "config/pytext.h"

static const char here_name[] = "%(here)s";

/* Replaces %(here)s in the values of one section. */
static void expand_here(struct sv_loader *loader, const struct sv_map *keys, const char *here)
{
    sv_map_foreach (entry, keys) {
        struct sv_ini_key *key = entry->value;
        const char *rest = key->value;
        const char *hit = strstr(rest, here_name);
        if (!hit)
            continue;
        struct sv_str text SV_CLEANUP(sv_str_done) = {0};
        for (; hit; hit = strstr(rest, here_name)) {
            sv_str_append(&text, rest, (size_t)(hit - rest));
            sv_str_add(&text, here);
            rest = hit + strlen(here_name);
            if (text.length > SV_EXPANSION_BYTES_MAX) {
                sv_loader_report(loader, SV_SEVERITY_ERROR, &key->place,
                                 "the result is longer than %u bytes", SV_EXPANSION_BYTES_MAX);
                return;
            }
        }
        sv_str_add(&text, rest);
        const char *value =
            sv_str_ok(&text) ? sv_arena_strndup(&loader->ini.arena, sv_str_text(&text), text.length)
                             : NULL;
        if (sv_loader_check(loader, (void *)(uintptr_t)value))
            key->value = value;
    }
}

static void expand_here_everywhere(struct sv_loader *loader, const char *here)
{
    sv_map_foreach (entry, &loader->ini.sections)
        expand_here(loader, &((struct sv_ini_section *)entry->value)->keys, here);
    expand_here(loader, &loader->ini.defaults.keys, here);
}

struct found_files {
    struct sv_loader *loader;
    struct sv_list paths;
};

static void add_path(void *user, const char *path)
{
    struct found_files *files = user;
    struct sv_loader *loader = files->loader;
    char *copy = sv_loader_check(loader, sv_arena_strdup(&loader->scratch, path));
    if (copy && files->paths.count <= SV_CONFIG_FILES_MAX)
        sv_loader_push(loader, &files->paths, copy);
}

static void include_file(struct sv_loader *loader, const char *path, const struct sv_place *place)
{
    sv_loader_report(loader, SV_SEVERITY_INFO, place, "Included extra file \"%s\" during parsing",
                     path);
    if (!sv_loader_read(loader, path, SV_SEVERITY_WARNING))
        return;
    char *joined = sv_path_join(&loader->scratch, loader->host->directory, path);
    char *normal = joined ? sv_path_normalize(&loader->scratch, joined) : NULL;
    char *directory = normal ? sv_path_directory(&loader->scratch, normal) : NULL;
    if (sv_loader_check(loader, directory))
        expand_here_everywhere(loader, directory);
}

static void include_pattern(struct sv_loader *loader, const char *pattern,
                            const struct sv_place *place, size_t *file_count)
{
    struct found_files files = {.loader = loader};
    char *path = sv_loader_check(loader, sv_path_join(&loader->scratch, loader->here, pattern));
    if (!path)
        return;
    int r = loader->host->glob(loader->host->user, path, add_path, &files);
    if (r < 0)
        sv_loader_report(loader, SV_SEVERITY_WARNING, place, "\"%s\" could not be searched", path);
    else if (files.paths.count == 0)
        sv_loader_report(loader, SV_SEVERITY_WARNING, place, "No file matches via include \"%s\"",
                         path);
    for (size_t i = 0; i < files.paths.count && !loader->is_out_of_memory; i++) {
        if (++*file_count > SV_CONFIG_FILES_MAX) {
            sv_loader_report(loader, SV_SEVERITY_ERROR, place,
                             "matches more than %d files; write a narrower pattern",
                             SV_CONFIG_FILES_MAX);
            break;
        }
        include_file(loader, files.paths.items[i], place);
    }
    free(files.paths.items);
}

/* The value of [include] files, expanded, in the scratch arena; NULL: bad, reported. */
static char *include_list(struct sv_loader *loader, const struct sv_ini_section *section,
                          struct sv_value *ret_value)
{
    struct sv_scope scope = {.parent = &loader->environment, .arena = &loader->scratch};
    if (sv_scope_put_text(&scope, "here", loader->here) < 0 ||
        sv_scope_put_text(&scope, "host_node_name", loader->host->host_name) < 0)
        loader->is_out_of_memory = true;
    struct sv_value files = sv_loader_raw(loader, section, SV_OPTION_INCLUDE_files);
    if (!files.text)
        sv_loader_report(loader, SV_SEVERITY_ERROR, &section->place,
                         ".ini file has [include] section, but no files setting; write files=…, or "
                         "remove the section");
    sv_loader_expand(loader, SV_OPTION_INCLUDE_files, "include.files", &scope, &files);
    sv_scope_done(&scope);
    *ret_value = files;
    return files.text ? sv_loader_check(loader, sv_arena_strdup(&loader->scratch, files.text))
                      : NULL;
}

static void include_all(struct sv_loader *loader)
{
    struct sv_ini_section *section = sv_ini_section(&loader->ini, "include");
    if (!section)
        return;
    expand_here_everywhere(loader, loader->here);
    struct sv_value value;
    const char *list = include_list(loader, section, &value);
    if (!list)
        return;
    /* The place is copied: an included file may write its own [include] files over this key. */
    struct sv_place place = value.place;
    size_t file_count = 0;
    for (size_t length = strlen(list); length > 0 && !loader->is_out_of_memory;) {
        struct sv_span rest = sv_py_strip(list, length);
        size_t bytes = 0;
        while (bytes < rest.length && !sv_py_space_at(rest.data + bytes, rest.length - bytes))
            bytes++;
        if (bytes == 0)
            break;
        char *pattern =
            sv_loader_check(loader, sv_arena_strndup(&loader->scratch, rest.data, bytes));
        if (pattern)
            include_pattern(loader, pattern, &place, &file_count);
        list = rest.data + bytes;
        length = rest.length - bytes;
    }
    const struct sv_ini_key *key = sv_map_get(&section->keys, "files");
    if (key && (key->place.line != place.line || strcmp(key->place.file, place.file) != 0))
        sv_loader_report(loader, SV_SEVERITY_WARNING, &key->place,
                         "[include] in an included file is not followed");
}

static void read_sections(struct sv_loader *loader, const struct sv_config_overrides *overrides,
                          struct sv_config *config)
{
    if (!sv_ini_section(&loader->ini, "supervisord"))
        sv_loader_report(loader, SV_SEVERITY_ERROR, &(struct sv_place){.file = config->file},
                         ".ini file does not include supervisord section; write [supervisord]");
    sv_load_daemon(loader, overrides, &config->daemon);
    sv_load_svisor(loader, &config->daemon);
    sv_load_rpcinterfaces(loader, config);
    sv_load_groups(loader, config);
    sv_load_http_servers(loader, config);
    sv_load_supvisors(loader, config);
    loader->error = SV_SEVERITY_WARNING;
    sv_load_ctl(loader, &config->ctl);
    sv_load_ctlplugins(loader);
    sv_load_unknown(loader);
}

struct sv_config *sv_config_load(const char *file, const struct sv_config_host *host,
                                 const struct sv_config_overrides *overrides, struct sv_diag *diag)
{
    struct sv_config *config = calloc(1, sizeof(*config));
    if (!config) {
        sv_diag_add(diag, SV_SEVERITY_ERROR, &(struct sv_place){.file = file}, "out of memory");
        return NULL;
    }
    config->reference_count = 1;
    struct sv_loader loader = {.host = host,
                               .overrides = overrides,
                               .arena = &config->arena,
                               .diag = diag,
                               .error = SV_SEVERITY_ERROR};
    size_t errors_before = diag->error_count;
    sv_loader_init_environment(&loader);
    char *joined = sv_loader_check(&loader, sv_path_join(&loader.scratch, host->directory, file));
    config->file =
        joined ? sv_loader_check(&loader, sv_path_normalize(&config->arena, joined)) : NULL;
    config->here = config->file
                       ? sv_loader_check(&loader, sv_path_directory(&config->arena, config->file))
                       : NULL;
    loader.here = config->here;
    if (config->here && sv_loader_read(&loader, config->file, SV_SEVERITY_ERROR)) {
        include_all(&loader);
        read_sections(&loader, overrides, config);
    }
    if (loader.is_out_of_memory)
        sv_diag_add(diag, SV_SEVERITY_ERROR, &(struct sv_place){.file = file}, "out of memory");
    sv_loader_done(&loader);
    if (diag->error_count == errors_before)
        return config;
    sv_config_unref(config);
    return NULL;
}
