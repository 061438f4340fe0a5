#include "io/spawn_words.h"

#include <errno.h>
#include <unistd.h>

#include "base/error.h"
#include "base/str.h"

/* Supervisor's texts for its own steps: options.py, drop_privileges(). */
static const char *user_text(int error)
{
    return error == EPERM && getuid() != 0 ? "Can't drop privilege as nonroot user"
                                           : "Could not set groups or ids of effective user";
}

void sv_spawn_write_words(const struct sv_spawn_plan *plan, const struct sv_spawn_failure *failure)
{
    struct sv_str text = {0};
    const char *name = sv_errno_name(failure->error);
    switch (failure->stage) {
    case SV_SPAWN_STAGE_USER:
        sv_str_addf(&text, "supervisor: couldn't setuid to %u: %s\n", plan->uid,
                    user_text(failure->error));
        break;
    case SV_SPAWN_STAGE_DIRECTORY:
        sv_str_addf(&text, "supervisor: couldn't chdir to %s: %s\n", plan->directory, name);
        break;
    case SV_SPAWN_STAGE_EXEC:
        sv_str_addf(&text, "supervisor: couldn't exec %s: %s\n", plan->argv[0], name);
        break;
    case SV_SPAWN_STAGE_CGROUP:
        sv_str_addf(&text, "supervisor: couldn't enter the cgroup: %s\n", name);
        break;
    case SV_SPAWN_STAGE_LIMIT:
        sv_str_addf(&text, "supervisor: couldn't set %s to %s: %s\n", sv_limit_key(failure->limit),
                    sv_limits_find(plan->limits, failure->limit)->text, name);
        break;
    case SV_SPAWN_STAGE_FORK:
        return; /* nobody was there to say anything */
    }
    sv_str_add(&text, "supervisor: child process was not spawned\n");
    if (sv_str_ok(&text)) {
        ssize_t ignored = write(plan->stderr_fd, text.data, text.length);
        (void)ignored;
    }
    sv_str_done(&text);
}
