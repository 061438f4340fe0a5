/* What a command says to its user. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl.h"

void sv_say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

void sv_complain(struct sv_ctl *ctl, enum sv_exit exit_status, const char *format, ...)
{
    va_list arguments;

    ctl->exit_status = exit_status;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

bool sv_say_away(const struct sv_ctl *ctl, bool *is_told)
{
    bool is_away = sv_client_is_away(ctl->client);

    if (is_away && !*is_told)
        fprintf(stderr, "svctl: %s; waiting for the next daemon\n", sv_client_error(ctl->client));
    *is_told = is_away;
    return is_away;
}

void sv_say_json(struct sv_ctl *ctl, json_t *value)
{
    char *text = value ? json_dumps(value, JSON_INDENT(2)) : NULL;

    if (text)
        sv_say("%s", text);
    else
        sv_complain(ctl, SV_EXIT_GENERIC, "error: out of memory");
    free(text);
    json_decref(value);
}

void sv_say_usage(const char *command_name)
{
    const struct sv_command *command = sv_command_find(command_name);

    if (command && (command->help || command->extra_help))
        sv_say("%s", command->help ? command->help : command->extra_help);
}
