/* [svisor]: what Supervisor has no section for, and therefore leaves alone. */
#include <string.h>

#include "config/loader.h"
#include "config/path.h"

enum { TOKEN_LENGTH_MIN = 16 };

/* A period this short would only heat the machine. */
#define HEARTBEAT_SECONDS_MIN 0.01
/* Heartbeats that may be late or lost before an instance is. */
#define HEARTBEATS_PER_SUSPICION 3

static void read_cluster(struct sv_loader *loader, const struct sv_ini_section *section,
                         const struct sv_scope *scope, struct sv_cluster_config *ret)
{
    struct sv_value period =
        sv_loader_get(loader, section, SV_OPTION_SVISOR_heartbeat_period, scope);
    struct sv_value suspect = sv_loader_get(loader, section, SV_OPTION_SVISOR_suspect_after, scope);
    ret->heartbeat_period = period.real;
    ret->suspect_after = suspect.real;
    ret->daemon_grace = sv_loader_get(loader, section, SV_OPTION_SVISOR_daemon_grace, scope).real;
    ret->quorum = sv_loader_get(loader, section, SV_OPTION_SVISOR_quorum, scope).boolean;
    ret->quorum_stop_after =
        sv_loader_get(loader, section, SV_OPTION_SVISOR_quorum_stop_after, scope).real;
    if (period.real < HEARTBEAT_SECONDS_MIN)
        sv_loader_report(loader, loader->error, &period.place,
                         "is shorter than %g seconds; write a longer period, such as 0.2",
                         HEARTBEAT_SECONDS_MIN);
    else if (period.real * HEARTBEATS_PER_SUSPICION > suspect.real * (1 + 1e-9))
        sv_loader_report(
            loader, loader->error, suspect.is_given ? &suspect.place : &period.place,
            "suspect_after=%g is less than %d times heartbeat_period=%g: one late "
            "heartbeat would look like a lost instance; write suspect_after=%g or more",
            suspect.real, HEARTBEATS_PER_SUSPICION, period.real,
            period.real * HEARTBEATS_PER_SUSPICION);
}

void sv_load_mesh(struct sv_loader *loader, const struct sv_ini_section *section,
                  const struct sv_scope *scope, struct sv_cluster_config *ret)
{
    struct sv_value key = sv_loader_get(loader, section, SV_OPTION_SVISOR_mesh_key, scope);
    struct sv_value trust = sv_loader_get(loader, section, SV_OPTION_SVISOR_mesh_trust, scope);
    ret->mesh_port =
        (uint16_t)sv_loader_get(loader, section, SV_OPTION_SVISOR_mesh_port, scope).integer;
    ret->mesh_key = sv_loader_normalize(loader, key.text);
    ret->has_mesh_key = key.is_given;
    ret->mesh_trust = sv_loader_normalize(loader, trust.text);
    ret->mesh_plain = sv_loader_get(loader, section, SV_OPTION_SVISOR_mesh_plain, scope).boolean;
    ret->mesh_calls = sv_loader_get(loader, section, SV_OPTION_SVISOR_mesh_calls, scope).boolean;
    if (ret->mesh_plain && key.is_given)
        sv_loader_report(loader, loader->error, &key.place,
                         "mesh_key is not used with mesh_plain=true; write only one of them");
}

/* Whoever may use the port may try tokens: a short one would be found. */
static const char *read_token(struct sv_loader *loader, const struct sv_ini_section *section,
                              const struct sv_scope *scope)
{
    struct sv_value token = sv_loader_get(loader, section, SV_OPTION_SVISOR_action_token, scope);
    if (!token.text)
        return NULL;
    if (strlen(token.text) < TOKEN_LENGTH_MIN)
        sv_loader_report(loader, loader->error, &token.place,
                         "is shorter than %d characters; write a longer one, such as openssl rand "
                         "-hex 16 gives",
                         TOKEN_LENGTH_MIN);
    return sv_loader_check(loader, sv_arena_strdup(loader->arena, token.text));
}

void sv_load_svisor(struct sv_loader *loader, struct sv_daemon_config *ret)
{
    const struct sv_ini_section *section = sv_ini_section(&loader->ini, "svisor");
    struct sv_scope scope = {.parent = &loader->environment, .arena = &loader->scratch};
    if (sv_scope_put_text(&scope, "here", loader->here) < 0)
        loader->is_out_of_memory = true;
    ret->death_history =
        (uint32_t)sv_loader_get(loader, section, SV_OPTION_SVISOR_death_history, &scope).integer;
    ret->on_stop =
        (enum sv_on_stop)sv_loader_get(loader, section, SV_OPTION_SVISOR_on_stop, &scope).integer;
    struct sv_value directory =
        sv_loader_get(loader, section, SV_OPTION_SVISOR_state_directory, &scope);
    if (directory.path)
        ret->state_directory = sv_loader_check(
            loader, sv_path_join(loader->arena, loader->host->directory, directory.path));
    ret->action_token = read_token(loader, section, &scope);
    read_cluster(loader, section, &scope, &ret->cluster);
    sv_load_mesh(loader, section, &scope, &ret->cluster);
    sv_scope_done(&scope);
}
