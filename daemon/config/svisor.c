/* [svisor]: what Supervisor has no section for, and therefore leaves alone. */
#include "config/loader.h"
#include "config/path.h"

void sv_load_svisor(struct sv_loader *loader, struct sv_daemon_config *ret)
{
    const struct sv_ini_section *section = sv_ini_section(&loader->ini, "svisor");
    struct sv_scope scope = {.parent = &loader->environment, .arena = &loader->scratch};
    if (sv_scope_put_text(&scope, "here", loader->here) < 0)
        loader->is_out_of_memory = true;
    ret->death_history =
        (uint32_t)sv_loader_get(loader, section, SV_OPTION_SVISOR_death_history, &scope).integer;
    struct sv_value directory =
        sv_loader_get(loader, section, SV_OPTION_SVISOR_state_directory, &scope);
    if (directory.path)
        ret->state_directory = sv_loader_check(
            loader, sv_path_join(loader->arena, loader->host->directory, directory.path));
    sv_scope_done(&scope);
}
