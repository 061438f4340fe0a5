/*
 * The command line wins over the file, the file over the defaults of supervisorctl. A file that was
 * named must be there; one that was only looked for need not.
 */
#include "settings.h"

#include <errno.h>

#include "base/diag.h"
#include "base/error.h"
#include "config/load.h"
#include "io/config_host.h"

void sv_settings_done(struct sv_settings *settings)
{
    sv_arena_done(&settings->arena);
}

/* The first problem that is an error: supervisorctl names one, too. */
static void say_problem(const struct sv_diag *diag, struct sv_str *ret_problem)
{
    for (const struct sv_diag_row *row = diag->first; row; row = row->next) {
        if (row->severity != SV_SEVERITY_ERROR)
            continue;
        sv_str_add(ret_problem, row->text);
        if (row->place.file && row->place.line)
            sv_str_addf(ret_problem, " (%s, line %u)", row->place.file, row->place.line);
        return;
    }
}

/* Fills `ret` from the file, or leaves it empty when there is none. */
static bool read_file(struct sv_settings *settings, const char *program, struct sv_ctl_config *ret,
                      struct sv_str *ret_problem)
{
    struct sv_config_host host = {0};
    struct sv_diag diag = {0};
    struct sv_str not_found = {0};
    int r = sv_config_host_open(&host);

    if (r < 0) {
        sv_str_addf(ret_problem, "cannot look for a config file: %s", sv_errno_text(r));
        return false;
    }
    if (!settings->file)
        settings->file = sv_config_host_search(&host, program, &not_found);
    if (settings->file)
        r = sv_config_load_ctl(settings->file, &host, &settings->arena, ret, &diag);
    if (r == -EINVAL)
        say_problem(&diag, ret_problem);
    else if (r < 0)
        sv_str_addf(ret_problem, "cannot read %s: %s", settings->file, sv_errno_text(r));
    sv_str_done(&not_found);
    sv_diag_done(&diag);
    sv_config_host_close(&host);
    return r == 0;
}

bool sv_settings_load(struct sv_settings *settings, const char *program, struct sv_str *ret_problem)
{
    struct sv_ctl_config config = {0};

    if (!read_file(settings, program, &config, ret_problem))
        return false;
    const struct {
        const char **place;
        const char *from_file;
        const char *fallback;
    } rows[] = {
        {&settings->server_url, config.serverurl, "http://localhost:9001"},
        {&settings->username, config.username, NULL},
        {&settings->password, config.password, NULL},
        {&settings->prompt, config.prompt, "supervisor"},
        {&settings->history_file, config.history_file, NULL},
        {&settings->mesh_key, config.mesh_key, "/etc/svisor/mesh.key"},
        {&settings->mesh_trust, config.mesh_trust, "/etc/svisor/mesh.trust"},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(rows); i++) {
        if (!*rows[i].place)
            *rows[i].place = rows[i].from_file;
        if (!*rows[i].place)
            *rows[i].place = rows[i].fallback;
    }
    return true;
}
