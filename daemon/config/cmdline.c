/*
 * supervisord takes its command line through Python's getopt: short options can be bundled ("-nc
 * FILE"), a long one may be shortened to any unique beginning ("--conf=FILE"), "--" ends the
 * options, and the first word that is no option ends them, too; words that are left over are an
 * error. The same here, in the same words.
 *
 * Values are not looked at: they go through the rows of options.def with the file's.
 */
#include "config/cmdline.h"

#include <errno.h>
#include <string.h>

#include "config/path.h"

/* What an option does beyond overriding a value. */
enum action { RUN, CHECK, HELP, VERSION };

static const struct row {
    const char *letter; /* "-c/", or "" */
    const char *name;
    bool has_argument;
    enum sv_override override; /* SV_OVERRIDE_COUNT: none */
    enum action action;
} rows[] = {
#define CMDLINE(letter_, name_, argument_, override_, action_, help_)                              \
    {letter_, name_, sizeof(argument_) > 1, SV_OVERRIDE_##override_, action_},
#include "config/cmdline.def"
#undef CMDLINE
};

static const char help_text[] = "svisord -- run a set of applications as daemons.\n"
                                "\n"
                                "Usage: svisord [options]\n"
                                "\n"
                                "Options:\n"
#define CMDLINE(letter_, name_, argument_, override_, action_, help_)                              \
    letter_ "--" name_ argument_ " -- " help_ "\n"
#include "config/cmdline.def"
#undef CMDLINE
    ;

struct parser {
    struct sv_cmdline *cmdline;
    struct sv_str *problem;
};

static int apply(struct parser *parser, const struct row *row, const char *argument,
                 const char *written)
{
    struct sv_cmdline *cmdline = parser->cmdline;
    bool is_file = strcmp(row->name, "configuration") == 0;
    const char **slot = is_file ? &cmdline->config_file
                        : row->override < SV_OVERRIDE_COUNT
                            ? &cmdline->overrides.values[row->override]
                            : NULL;
    if (slot && *slot) {
        sv_str_addf(parser->problem, "conflicting command line option '%s'", written);
        return -EINVAL;
    }
    if (slot)
        *slot = argument ? argument : "true";
    cmdline->is_check = cmdline->is_check || row->action == CHECK;
    cmdline->wants_help = cmdline->wants_help || row->action == HELP;
    cmdline->wants_version = cmdline->wants_version || row->action == VERSION;
    return 0;
}

/* The row of a long option, which may be shortened while it is unique; NULL: reported. */
static const struct row *find_long(struct parser *parser, const char *name, size_t length)
{
    const struct row *found = NULL;
    size_t count = 0;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(rows); i++) {
        if (strncmp(rows[i].name, name, length) != 0)
            continue;
        if (strlen(rows[i].name) == length)
            return &rows[i];
        found = &rows[i];
        count++;
    }
    if (count == 1)
        return found;
    sv_str_addf(parser->problem, "option --%.*s %s", (int)length, name,
                count == 0 ? "not recognized" : "not a unique prefix");
    return NULL;
}

static int parse_long(struct parser *parser, char *const *argv, int *index)
{
    const char *name = argv[*index] + 2;
    const char *equals = strchr(name, '=');
    size_t length = equals ? (size_t)(equals - name) : strlen(name);
    const struct row *row = find_long(parser, name, length);
    if (!row)
        return -EINVAL;
    const char *argument = equals ? equals + 1 : NULL;
    if (row->has_argument && !argument)
        argument = argv[*index + 1] ? argv[++*index] : NULL;
    if (row->has_argument == (argument != NULL)) {
        struct sv_str written SV_CLEANUP(sv_str_done) = {0};
        sv_str_addf(&written, "--%s", row->name);
        return apply(parser, row, argument, sv_str_text(&written));
    }
    sv_str_addf(parser->problem, "option --%s %s", row->name,
                argument ? "must not have an argument" : "requires argument");
    return -EINVAL;
}

static const struct row *find_short(char letter)
{
    if (letter == '?')
        letter = 'h';
    for (size_t i = 0; i < SV_ARRAY_LENGTH(rows); i++)
        if (rows[i].letter[0] && rows[i].letter[1] == letter)
            return &rows[i];
    return NULL;
}

static int parse_short(struct parser *parser, char *const *argv, int *index)
{
    for (const char *letter = argv[*index] + 1; *letter; letter++) {
        const struct row *row = find_short(*letter);
        if (!row) {
            sv_str_addf(parser->problem, "option -%c not recognized", *letter);
            return -EINVAL;
        }
        const char written[] = {'-', *letter, '\0'};
        if (!row->has_argument) {
            int r = apply(parser, row, NULL, written);
            if (r < 0)
                return r;
            continue;
        }
        const char *argument = letter[1] ? letter + 1 : argv[*index + 1];
        if (!argument) {
            sv_str_addf(parser->problem, "option -%c requires argument", *letter);
            return -EINVAL;
        }
        *index += letter[1] == '\0';
        return apply(parser, row, argument, written);
    }
    return 0;
}

int sv_cmdline_parse(int argc, char *const *argv, struct sv_cmdline *ret,
                     struct sv_str *ret_problem)
{
    struct sv_cmdline cmdline = {0};
    struct parser parser = {&cmdline, ret_problem};
    int i = 1;
    for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
        if (strcmp(argv[i], "--") == 0) {
            i++;
            break;
        }
        int r = argv[i][1] == '-' ? parse_long(&parser, argv, &i) : parse_short(&parser, argv, &i);
        if (r < 0)
            return r;
    }
    if (i < argc) {
        sv_str_addf(ret_problem, "positional arguments are not supported: ['%s']", argv[i]);
        return -EINVAL;
    }
    *ret = cmdline;
    return 0;
}

const char *sv_cmdline_help(void)
{
    return help_text;
}

const char *const *sv_cmdline_search_path(struct sv_arena *arena, const char *program)
{
    /* "Beside" is the parent of the program's directory: /opt/x for /opt/x/bin/svisord. */
    static const struct {
        bool is_beside;
        const char *directory;
    } places[] = {{true, "etc/"},  {true, ""},       {false, ""},
                  {false, "etc/"}, {false, "/etc/"}, {false, "/etc/supervisor/"}};
    static const char *const names[] = {"svisord.conf", "supervisord.conf"};
    size_t count = SV_ARRAY_LENGTH(places) * SV_ARRAY_LENGTH(names);
    const char **paths = sv_arena_array(arena, const char *, count + 2);
    char *directory = sv_path_directory(arena, program);
    char *here = directory ? sv_path_directory(arena, directory) : NULL;
    if (!paths || !here)
        return NULL;
    size_t filled = 0;
    for (size_t name = 0; name < SV_ARRAY_LENGTH(names); name++) {
        for (size_t i = 0; i < SV_ARRAY_LENGTH(places); i++) {
            char *file = sv_arena_printf(arena, "%s%s", places[i].directory, names[name]);
            if (file && places[i].is_beside)
                file = sv_path_join(arena, here, file);
            if (!file)
                return NULL;
            paths[filled++] = file;
        }
    }
    return paths;
}
