/*
 * What nobody reads. Supervisor says nothing about a misspelt key or section, and its users lose
 * hours to "autorestat=true". An unknown key is a warning with the nearest known one; an unknown
 * section only where it is nearly one that we know, for other programs keep their own sections in
 * the file.
 */
#include <string.h>

#include "config/loader.h"

static bool takes_any_key(enum sv_section_kind kind)
{
    return kind == SV_SECTION_RPCINTERFACE || kind == SV_SECTION_CTLPLUGIN;
}

static void check_keys(struct sv_loader *loader, const struct sv_ini_section *section,
                       enum sv_section_kind kind)
{
    sv_map_foreach (entry, &section->keys) {
        const struct sv_ini_key *key = entry->value;
        bool is_factory = kind == SV_SECTION_SUPVISORS &&
                          strcmp(key->name, "supervisor.rpcinterface_factory") == 0;
        if (is_factory || sv_option_find(kind, key->name))
            continue;
        const char *nearest = sv_option_nearest(kind, key->name);
        if (nearest)
            sv_loader_report(loader, SV_SEVERITY_WARNING, &key->place,
                             "is not an option of this section; did you mean %s?", nearest);
        else
            sv_loader_report(loader, SV_SEVERITY_WARNING, &key->place,
                             "is not an option of this section; it is ignored");
    }
}

static void check_section(struct sv_loader *loader, const struct sv_ini_section *section)
{
    const char *nearest = sv_section_nearest(section->name);
    if (!nearest)
        return;
    bool needs_name = nearest[strlen(nearest) - 1] == ':';
    sv_loader_report(loader, SV_SEVERITY_WARNING, &section->place,
                     "[%s] is ignored; did you mean [%s%s]?", section->name, nearest,
                     needs_name ? "NAME" : "");
}

void sv_load_unknown(struct sv_loader *loader)
{
    sv_map_foreach (entry, &loader->ini.sections) {
        const struct sv_ini_section *section = entry->value;
        int kind = sv_section_kind_of(section->name);
        if (kind < 0)
            check_section(loader, section);
        else if (!takes_any_key((enum sv_section_kind)kind))
            check_keys(loader, section, (enum sv_section_kind)kind);
    }
}
