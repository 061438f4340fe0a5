/*
 * [rpcinterface:x] and [ctlplugin:x] name Python functions. Two of each are understood; the words
 * of any other cannot be run by a program in C: one warning, and the section is left out.
 */
#include <string.h>

#include "config/loader.h"

#define RPC_FACTORY_KEY   "supervisor.rpcinterface_factory"
#define SUPVISORS_FACTORY "supvisors.plugin:make_supvisors_rpcinterface"
#define CTL_FACTORY_KEY   "supervisor.ctl_factory"

static const char *const rpc_factories[] = {
    "supervisor.rpcinterface:make_main_rpcinterface",
    SUPVISORS_FACTORY,
};

static const char *const ctl_factories[] = {
    "supvisors.supvisorsctl:make_supvisors_controller_plugin",
    "supvisors.plugin:make_supvisors_controller_plugin",
};

struct factories {
    const char *prefix; /* of the section */
    const char *key;
    const char *const *known;
    size_t known_count;
};

static const struct factories rpc = {"rpcinterface:", RPC_FACTORY_KEY, rpc_factories,
                                     SV_ARRAY_LENGTH(rpc_factories)};
static const struct factories ctl = {"ctlplugin:", CTL_FACTORY_KEY, ctl_factories,
                                     SV_ARRAY_LENGTH(ctl_factories)};

/* A key's value, expanded with ENV_* only, in the result's arena; NULL: bad, reported. */
static const char *expanded(struct sv_loader *loader, const struct sv_ini_section *section,
                            const struct sv_ini_key *key)
{
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    struct sv_str problem SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&name, "%s.%s", section->name, key->name);
    int r = sv_expand(key->value, sv_str_text(&name), &loader->environment, &text, &problem);
    if (r > 0)
        sv_loader_report(loader, loader->error, &key->place, "%s", sv_str_text(&problem));
    if (r != 0) {
        loader->is_out_of_memory = loader->is_out_of_memory || r < 0;
        return NULL;
    }
    return sv_loader_check(loader,
                           sv_arena_strndup(loader->arena, sv_str_text(&text), text.length));
}

/* The factory of the section when it is one that we know; NULL: left out, reported. */
static const char *find_factory(struct sv_loader *loader, const struct factories *factories,
                                const struct sv_ini_section *section)
{
    const struct sv_ini_key *key = sv_ini_key(&loader->ini, section, factories->key);
    if (!key) {
        sv_loader_report(loader, loader->error, &section->place,
                         "section [%s] does not specify a %s; write it, or remove the section",
                         section->name, factories->key);
        return NULL;
    }
    const char *factory = expanded(loader, section, key);
    for (size_t i = 0; factory && i < factories->known_count; i++)
        if (strcmp(factory, factories->known[i]) == 0)
            return factory;
    if (factory)
        sv_loader_report(loader, SV_SEVERITY_WARNING, &key->place,
                         "Python's %s cannot be run here; [%s] is left out", factory,
                         section->name);
    return NULL;
}

static void add_option(struct sv_loader *loader, const struct sv_ini_section *section,
                       const struct sv_ini_key *key, struct sv_plugin_config *plugin)
{
    const char **keys = (const char **)(uintptr_t)plugin->keys;
    const char **values = (const char **)(uintptr_t)plugin->values;
    keys[plugin->count] = sv_loader_check(loader, sv_arena_strdup(loader->arena, key->name));
    values[plugin->count] = expanded(loader, section, key);
    plugin->count += keys[plugin->count] && values[plugin->count];
}

static void read_options(struct sv_loader *loader, const struct sv_ini_section *section,
                         struct sv_plugin_config *plugin)
{
    const struct sv_map *own = &section->keys;
    const struct sv_map *defaults = &loader->ini.defaults.keys;
    size_t limit = own->count + defaults->count;
    plugin->keys = sv_loader_check(loader, sv_arena_array(loader->arena, const char *, limit + 1));
    plugin->values =
        sv_loader_check(loader, sv_arena_array(loader->arena, const char *, limit + 1));
    if (loader->is_out_of_memory)
        return;
    sv_map_foreach (entry, own)
        if (strcmp(entry->key, RPC_FACTORY_KEY) != 0)
            add_option(loader, section, entry->value, plugin);
    sv_map_foreach (entry, defaults)
        if (strcmp(entry->key, RPC_FACTORY_KEY) != 0 && !sv_map_has(own, entry->key))
            add_option(loader, section, entry->value, plugin);
}

void sv_load_rpcinterfaces(struct sv_loader *loader, struct sv_config *config)
{
    struct sv_plugin_config *plugins =
        sv_loader_check(loader, sv_arena_array(loader->arena, struct sv_plugin_config,
                                               loader->ini.sections.count + 1));
    if (!plugins)
        return;
    config->rpcinterfaces = plugins;
    sv_map_foreach (entry, &loader->ini.sections) {
        const struct sv_ini_section *section = entry->value;
        if (strncmp(section->name, rpc.prefix, strlen(rpc.prefix)) != 0)
            continue;
        const char *factory = find_factory(loader, &rpc, section);
        if (!factory)
            continue;
        struct sv_plugin_config *plugin = &plugins[config->rpcinterface_count++];
        plugin->factory = factory;
        plugin->name = sv_loader_check(
            loader, sv_arena_strdup(loader->arena, section->name + strlen(rpc.prefix)));
        plugin->place.line = section->place.line;
        plugin->place.file =
            sv_loader_check(loader, sv_arena_strdup(loader->arena, section->place.file));
        plugin->place.section =
            sv_loader_check(loader, sv_arena_strdup(loader->arena, section->name));
        plugin->is_supvisors = strcmp(factory, SUPVISORS_FACTORY) == 0;
        if (!plugin->is_supvisors)
            read_options(loader, section, plugin);
    }
}

void sv_load_ctlplugins(struct sv_loader *loader)
{
    sv_map_foreach (entry, &loader->ini.sections) {
        const struct sv_ini_section *section = entry->value;
        if (strncmp(section->name, ctl.prefix, strlen(ctl.prefix)) == 0)
            find_factory(loader, &ctl, section);
    }
}
