/*
 * svctl(1): commands.def as mdoc. The texts are those of `help`, which are laid out for a terminal:
 * what is typed, tabs, what it does; a line that begins with a tab goes on with the one before.
 */
#include <string.h>

#include "docs.h"

enum { USAGE_BYTES = 128 };

static const struct {
    const char *name, *origin, *help, *extra_help;
} commands[] = {
#define SV_COMMAND(name_, function_, takes_, check_, options_, completion_, exit_class_, origin_,  \
                   help_, extra_help_)                                                             \
    {name_, #origin_, help_, extra_help_},
#include "commands.def"
#undef SV_COMMAND
};

struct page {
    struct sv_str *text;
    bool is_list; /* a list is open */
};

static void open_list(struct page *page, bool is_list)
{
    if (page->is_list != is_list)
        sv_str_add(page->text, is_list ? ".Bl -tag -width Ds -compact\n" : ".El\n");
    page->is_list = is_list;
}

static void add_usage(struct page *page, const char *line, size_t length)
{
    char usage[USAGE_BYTES] = {0};
    while (length > 0 && line[length - 1] == ' ')
        length--;
    memcpy(usage, line, length < sizeof(usage) ? length : sizeof(usage) - 1);
    open_list(page, true);
    sv_str_add(page->text, ".It Li \"");
    sv_docs_add_man_words(page->text, usage);
    sv_str_add(page->text, "\"\n");
}

/* A line without a tab is a remark between two lists, unless the next line goes on with it. */
static void add_line(struct page *page, const char *line, size_t length)
{
    size_t usage_length = strcspn(line, "\t\n");
    bool is_remark = usage_length >= length && strncmp(line + length, "\n\t", 2) != 0;
    size_t start = is_remark ? 0 : usage_length + strspn(line + usage_length, "\t");
    if (usage_length == 0 && line[start] >= 'A' && line[start] <= 'Z')
        sv_str_add(page->text, ".br\n");
    if (is_remark) {
        open_list(page, false);
        sv_str_add(page->text, ".Pp\n");
    } else if (usage_length > 0) {
        add_usage(page, line, usage_length);
    }
    if (start >= length)
        return;
    struct sv_str words SV_CLEANUP(sv_str_done) = {0};
    sv_str_append(&words, line + start, length - start);
    sv_docs_add_man(page->text, sv_str_text(&words));
}

static void add_help(struct page *page, const char *help)
{
    for (const char *line = help ? help : ""; *line; line += strspn(line, "\n")) {
        size_t length = strcspn(line, "\n");
        add_line(page, line, length);
        line += length;
    }
}

bool sv_docs_commands(const char *argument, struct sv_str *ret_text)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].origin, "SV_ORIGIN_HIDDEN") == 0)
            continue;
        bool is_ours = strcmp(commands[i].origin, "SV_ORIGIN_SVISOR") == 0;
        sv_str_addf(ret_text, ".Ss %s\n", commands[i].name);
        if (is_ours)
            sv_str_add(ret_text, "Only svctl has it.\n");
        if (strcmp(commands[i].origin, "SV_ORIGIN_SUPVISORS") == 0)
            sv_str_add(ret_text, "About the cluster; as Supvisors has it.\n");
        struct page page = {.text = ret_text};
        add_help(&page, commands[i].help);
        add_help(&page, commands[i].extra_help);
        open_list(&page, false);
    }
    return *argument == '\0';
}
