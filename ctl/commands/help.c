/* help: the list of commands in columns, as Python's cmd module sets it, and the text of one. */
#include <string.h>

#include "base/str.h"
#include "ctl.h"

#define LIST_COLUMNS 79 /* Python: cmd.py, print_topics(…, 80), columnize(…, 79) */
#define NAMES_MAX    64

struct layout {
    size_t rows;
    size_t columns;
    size_t widths[NAMES_MAX];
};

/* Does the list fit into this many rows? Names go down the columns; two spaces between them. */
static bool fits(const char *const *names, size_t count, size_t rows, struct layout *ret_layout)
{
    struct layout layout = {.rows = rows, .columns = (count + rows - 1) / rows};
    size_t total = 0;

    for (size_t i = 0; i < count; i++) {
        size_t *width = &layout.widths[i / rows];
        size_t length = strlen(names[i]);

        if (length > *width)
            *width = length;
    }
    for (size_t column = 0; column < layout.columns; column++)
        total += layout.widths[column] + 2;
    *ret_layout = layout;
    return total - 2 <= LIST_COLUMNS;
}

static void say_columns(const char *const *names, size_t count)
{
    struct layout layout;
    size_t rows = 1;

    while (!fits(names, count, rows, &layout) && rows < count)
        rows++;
    for (size_t row = 0; row < layout.rows; row++) {
        struct sv_str line = {0};

        for (size_t column = 0; column < layout.columns; column++) {
            size_t i = column * layout.rows + row;

            /* A short last column is left out of its last rows; a full cell keeps its padding. */
            if (i < count)
                sv_str_addf(&line, "%s%-*s", column ? "  " : "", (int)layout.widths[column],
                            names[i]);
        }
        sv_say("%s", sv_str_text(&line));
        sv_str_done(&line);
    }
}

static void say_list(const char *title, enum sv_origin origin)
{
    static const char ruler[] = "============================================================";
    const char *names[NAMES_MAX];
    size_t count = 0;

    for (size_t i = 0; i < sv_command_count && count < NAMES_MAX; i++)
        if (sv_commands[i].origin == origin)
            names[count++] = sv_commands[i].name;
    sv_say("%s", "");
    sv_say("%s commands (type help <topic>):", title);
    sv_say("%.*s", (int)(strlen(title) + strlen(" commands (type help <topic>):")), ruler);
    say_columns(names, count);
    sv_say("%s", "");
}

static void say_help(const char *command_name)
{
    const struct sv_command *command = sv_command_find(command_name);

    if (!command || command->origin == SV_ORIGIN_HIDDEN) {
        sv_say("*** No help on %s", command_name);
        return;
    }
    if (command->help)
        sv_say("%s", command->help);
    if (command->extra_help)
        sv_say("%s", command->extra_help);
}

enum sv_verdict sv_command_help(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    (void)ctl;
    if (*arguments->text) {
        say_help(arguments->text);
        return SV_VERDICT_DONE;
    }
    say_list("default", SV_ORIGIN_SUPERVISOR);
    say_list("supvisors", SV_ORIGIN_SUPVISORS);
    say_list("svisor", SV_ORIGIN_SVISOR);
    return SV_VERDICT_DONE;
}
