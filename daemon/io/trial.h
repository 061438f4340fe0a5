/* One run of a command of our own, beside the loop: what it printed, and how it ended. See trial.c.
 */
#ifndef SV_IO_TRIAL_H
#define SV_IO_TRIAL_H

#include <stdbool.h>

#include "io/loop.h"

struct sv_trial;

/* `output` is what it wrote to stdout and stderr, or to the latter alone, cut at
 * SV_TRIAL_OUTPUT_BYTES_MAX; `problem` is NULL when it has exited with 0, else how it ended. Called
 * once; free the trial in there or later.
 */
typedef void (*sv_trial_function)(void *user, const char *problem, const char *output);

struct sv_trial_command {
    const char *path;
    char *const *arguments; /* NULL-terminated, [0] is what it is called by */
    const char *directory;  /* where it runs */
    bool is_stderr_only;    /* what it writes to stdout is not wanted */
};

/* Nothing of the command is needed any more when this returns. Negative errno: it could not be
 * executed. */
int sv_trial_new(struct sv_loop *loop, const struct sv_trial_command *command,
                 sv_trial_function function, void *user, struct sv_trial **ret_trial);
/* Kills it if it runs. NULL is allowed. */
void sv_trial_free(struct sv_trial *trial);

#endif
