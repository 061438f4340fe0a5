/* What svctl is told: by the command line, else by [supervisorctl] in the configuration file, else
 * a default. */
#ifndef SV_CTL_SETTINGS_H
#define SV_CTL_SETTINGS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"

/* Texts are borrowed from the command line, or live in the arena. NULL: not said. */
struct sv_settings {
    const char *file;
    const char *server_url;
    const char *username;
    const char *password;
    const char *prompt;
    const char *history_file; /* NULL also afterwards: none */
    const char *mesh_key;     /* of [svisor], or where svisord looks for it */
    const char *mesh_trust;
    bool is_interactive;
    struct sv_arena arena;
};

void sv_settings_done(struct sv_settings *settings);
/* Fills in what the command line left open. `program` is argv[0]. False with the reason in
 * `ret_problem`. */
bool sv_settings_load(struct sv_settings *settings, const char *program,
                      struct sv_str *ret_problem);

#endif
