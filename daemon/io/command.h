/* Looks up a program's file in PATH and says, in Supervisor's words, why it cannot run. See
 * command.c. */
#ifndef SV_IO_COMMAND_H
#define SV_IO_COMMAND_H

#include "base/str.h"

/* What options.py calls BadCommand, NotFound, NotExecutable and NoPermission. */
enum sv_command_outcome {
    SV_COMMAND_OK,
    SV_COMMAND_EMPTY,
    SV_COMMAND_NOT_FOUND,
    SV_COMMAND_NOT_EXECUTABLE, /* also: a directory */
    SV_COMMAND_NO_PERMISSION,
    SV_COMMAND_NO_MEMORY,
};

/*
 * `path_variable` is PATH of the program's own environment=, NULL when that has none: then the
 * daemon's counts, and without it /bin:/usr/bin:/usr/local/bin. `ret_path` gets the file to execute
 * (only with SV_COMMAND_OK), `ret_text` the reason for spawnerr (with all others). Both are
 * appended to.
 */
enum sv_command_outcome sv_command_find(const char *const *argv, const char *path_variable,
                                        struct sv_str *ret_path, struct sv_str *ret_text);

#endif
