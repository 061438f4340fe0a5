/*
 * process.py, get_execv_args(), and options.py, check_execv_args() and get_path(), of
 * Supervisor 4.2.5.
 *
 * The first match in PATH counts, whatever it is: a directory or a file without the x bit in an
 * early directory is reported, although a good file may stand in a later one. execvp() would go on;
 * users see these messages in `status`, and expect the same ones. A relative name is looked up from
 * the daemon's directory, not from the program's.
 *
 * The answer may be wrong a moment later. It is for the message; exec itself has the last word.
 */
#include "io/command.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char DEFAULT_PATH[] = "/bin:/usr/bin:/usr/local/bin";

/* As Python prints a string in a message (%r). */
static void add_quoted(struct sv_str *text, const char *word)
{
    char quote = strchr(word, '\'') && !strchr(word, '"') ? '"' : '\'';
    sv_str_add_char(text, quote);
    for (const char *c = word; *c; c++) {
        if (*c == quote || *c == '\\')
            sv_str_addf(text, "\\%c", *c);
        else if (*c == '\n')
            sv_str_add(text, "\\n");
        else if (*c == '\t')
            sv_str_add(text, "\\t");
        else if (*c == '\r')
            sv_str_add(text, "\\r");
        else if ((unsigned char)*c < ' ' || *c == '\x7f')
            sv_str_addf(text, "\\x%02x", (unsigned char)*c);
        else
            sv_str_add_char(text, *c);
    }
    sv_str_add_char(text, quote);
}

static enum sv_command_outcome refuse(enum sv_command_outcome outcome, const char *before,
                                      const char *file, const char *after, struct sv_str *ret_text)
{
    sv_str_add(ret_text, before);
    add_quoted(ret_text, file);
    sv_str_add(ret_text, after);
    return outcome;
}

/* The first entry of PATH that has such a name. */
static bool find_in_path(const char *program, const char *path, struct sv_str *file,
                         struct stat *status)
{
    for (const char *start = path;; start++) {
        const char *end = strchrnul(start, ':');
        sv_str_clear(file);
        sv_str_append(file, start, (size_t)(end - start));
        if (end != start && end[-1] != '/')
            sv_str_add_char(file, '/');
        sv_str_add(file, program);
        if (sv_str_ok(file) && stat(sv_str_text(file), status) == 0)
            return true;
        if (!*end)
            return false;
        start = end;
    }
}

static const char *search_path(const char *path_variable)
{
    if (path_variable)
        return path_variable;
    const char *daemons = getenv("PATH");
    return daemons && *daemons ? daemons : DEFAULT_PATH;
}

enum sv_command_outcome sv_command_find(const char *const *argv, const char *path_variable,
                                        struct sv_str *ret_path, struct sv_str *ret_text)
{
    if (!argv || !argv[0]) {
        sv_str_add(ret_text, "command is empty");
        return SV_COMMAND_EMPTY;
    }
    const char *program = argv[0];
    struct sv_str found SV_CLEANUP(sv_str_done) = {0};
    const char *file = program;
    struct stat status;
    bool exists;
    if (strchr(program, '/')) {
        exists = stat(program, &status) == 0;
    } else {
        exists = find_in_path(program, search_path(path_variable), &found, &status);
        if (exists)
            file = sv_str_text(&found);
    }
    if (!exists)
        return refuse(SV_COMMAND_NOT_FOUND, "can't find command ", file, "", ret_text);
    if (S_ISDIR(status.st_mode))
        return refuse(SV_COMMAND_NOT_EXECUTABLE, "command at ", file, " is a directory", ret_text);
    if (!(status.st_mode & 0111))
        return refuse(SV_COMMAND_NOT_EXECUTABLE, "command at ", file, " is not executable",
                      ret_text);
    if (access(file, X_OK) < 0)
        return refuse(SV_COMMAND_NO_PERMISSION, "no permission to run command ", file, "",
                      ret_text);
    sv_str_add(ret_path, file);
    return sv_str_ok(ret_path) ? SV_COMMAND_OK : SV_COMMAND_NO_MEMORY;
}
