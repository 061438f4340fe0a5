/* The table of commands, and the row of a name. */
#include <string.h>

#include "base/attr.h"
#include "ctl.h"

const struct sv_command sv_commands[] = {
#define SV_COMMAND(command_name, function, command_takes, command_check, command_options,          \
                   command_completion, command_exit_class, command_origin, help_text, extra_text)  \
    {.name = command_name,                                                                         \
     .run = function,                                                                              \
     .takes = command_takes,                                                                       \
     .check = command_check,                                                                       \
     .options = command_options,                                                                   \
     .completion = command_completion,                                                             \
     .exit_class = command_exit_class,                                                             \
     .origin = command_origin,                                                                     \
     .help = help_text,                                                                            \
     .extra_help = extra_text},
#include "commands.def"
#undef SV_COMMAND
};
const size_t sv_command_count = SV_ARRAY_LENGTH(sv_commands);

const struct sv_command *sv_command_find(const char *name)
{
    for (size_t i = 0; i < sv_command_count; i++)
        if (strcmp(sv_commands[i].name, name) == 0)
            return &sv_commands[i];
    return NULL;
}
