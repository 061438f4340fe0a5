/*
 * [supervisorctl], and what svctl reads of a file: that section and [ctlplugin:x], without
 * includes.
 *
 * The daemon reads the section, too, for `--check`; there its problems are warnings, for the daemon
 * does not need it.
 */
#include <errno.h>
#include <string.h>

#include "config/loader.h"
#include "config/path.h"

static const char *copy_text(struct sv_loader *loader, const char *text)
{
    return text ? sv_loader_check(loader, sv_arena_strdup(loader->arena, text)) : NULL;
}

void sv_load_ctl(struct sv_loader *loader, struct sv_ctl_config *ret)
{
    const struct sv_ini_section *section = sv_ini_section(&loader->ini, "supervisorctl");
    struct sv_scope scope = {.parent = &loader->environment, .arena = &loader->scratch};
    if (sv_scope_put_text(&scope, "here", loader->here) < 0)
        loader->is_out_of_memory = true;
    const char *url =
        sv_loader_get(loader, section, SV_OPTION_SUPERVISORCTL_serverurl, &scope).text;
    if (strncmp(url, "unix://", 7) == 0)
        ret->serverurl =
            sv_loader_check(loader, sv_arena_printf(loader->arena, "unix://%s",
                                                    sv_loader_normalize(loader, url + 7)));
    else
        ret->serverurl = copy_text(loader, url);
    const struct sv_scope *plain = &loader->environment;
    ret->prompt = copy_text(
        loader, sv_loader_get(loader, section, SV_OPTION_SUPERVISORCTL_prompt, plain).text);
    ret->username = copy_text(
        loader, sv_loader_get(loader, section, SV_OPTION_SUPERVISORCTL_username, plain).text);
    ret->password = copy_text(
        loader, sv_loader_get(loader, section, SV_OPTION_SUPERVISORCTL_password, plain).text);
    const char *history =
        sv_loader_get(loader, section, SV_OPTION_SUPERVISORCTL_history_file, &scope).text;
    ret->history_file = history && *history ? sv_loader_normalize(loader, history) : NULL;
    sv_scope_done(&scope);
}

/* What is wrong there is the daemon's matter. */
static void load_mesh(struct sv_loader *loader, struct sv_ctl_config *ret)
{
    struct sv_cluster_config cluster = {0};
    struct sv_scope scope = {.parent = &loader->environment, .arena = &loader->scratch};
    if (sv_scope_put_text(&scope, "here", loader->here) < 0)
        loader->is_out_of_memory = true;
    enum sv_severity severity = loader->error;
    loader->error = SV_SEVERITY_WARNING;
    sv_load_mesh(loader, sv_ini_section(&loader->ini, "svisor"), &scope, &cluster);
    loader->error = severity;
    ret->mesh_key = cluster.mesh_key;
    ret->mesh_trust = cluster.mesh_trust;
    sv_scope_done(&scope);
}

int sv_config_load_ctl(const char *file, const struct sv_config_host *host, struct sv_arena *arena,
                       struct sv_ctl_config *ret, struct sv_diag *diag)
{
    struct sv_loader loader = {
        .host = host, .arena = arena, .diag = diag, .error = SV_SEVERITY_ERROR};
    size_t errors_before = diag->error_count;
    struct sv_ctl_config config = {0};
    sv_loader_init_environment(&loader);
    const char *path = sv_loader_normalize(&loader, file);
    loader.here = sv_loader_check(&loader, sv_path_directory(&loader.scratch, path));
    if (!loader.is_out_of_memory && sv_loader_read(&loader, path, SV_SEVERITY_ERROR)) {
        if (!sv_ini_section(&loader.ini, "supervisorctl"))
            sv_loader_report(&loader, SV_SEVERITY_ERROR, &(struct sv_place){.file = path},
                             ".ini file does not include supervisorctl section; write "
                             "[supervisorctl]");
        sv_load_ctl(&loader, &config);
        load_mesh(&loader, &config);
        sv_load_ctlplugins(&loader);
    }
    bool is_out_of_memory = loader.is_out_of_memory;
    sv_loader_done(&loader);
    if (is_out_of_memory)
        return -ENOMEM;
    if (diag->error_count > errors_before)
        return -EINVAL;
    *ret = config;
    return 0;
}
