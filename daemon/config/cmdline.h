/* The command line of svisord: supervisord's options, and --check. */
#ifndef SV_CONFIG_CMDLINE_H
#define SV_CONFIG_CMDLINE_H

#include "base/arena.h"
#include "base/str.h"
#include "config/load.h"

struct sv_cmdline {
    const char *config_file; /* -c; NULL: search. Borrowed from argv, like the values below */
    struct sv_config_overrides overrides;
    bool is_check; /* --check */
    bool wants_help;
    bool wants_version;
};

/* 0, or -EINVAL with what is wrong in `ret_problem`; then say so, and exit 2. */
int sv_cmdline_parse(int argc, char *const *argv, struct sv_cmdline *ret,
                     struct sv_str *ret_problem);

/* The text of --help. */
const char *sv_cmdline_help(void);

/*
 * The files to look for when there is no -c, in order, NULL-terminated, in the arena: svisord.conf
 * in each place of Supervisor's list, then supervisord.conf in each. NULL: out of memory. `program`
 * is argv[0]: the first places are beside it.
 */
const char *const *sv_cmdline_search_path(struct sv_arena *arena, const char *program);

#endif
