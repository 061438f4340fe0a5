/*
 * docs [--check] FILE...: writes the generated sections of the manual in place, or with --check
 * leaves with 1 when one of them is stale. A section lies between two comments of its file:
 *
 *     .\" generated: options program:         <!-- generated: methods -->
 *     .\" end of generated                    <!-- end of generated -->
 *
 * The text comes from the .def tables that the programs are built from, by the same X-macros, so a
 * row that is added, changed or removed cannot be forgotten here.
 */
#include "docs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK     "generated: "
#define END_MARK "end of generated"

static const struct {
    const char *name; /* a section is named by this word, and an argument */
    bool (*render)(const char *argument, struct sv_str *ret_text);
} sections[] = {
    {"options", sv_docs_options},     {"command-line", sv_docs_command_line},
    {"methods", sv_docs_methods},     {"faults", sv_docs_faults},
    {"commands", sv_docs_commands},   {"deaths", sv_docs_deaths},
    {"resources", sv_docs_resources},
};

static void add_man_char(struct sv_str *text, char c, bool is_line_start)
{
    if (is_line_start && (c == '.' || c == '\''))
        sv_str_add(text, "\\&");
    if (c == '\\')
        sv_str_add(text, "\\e");
    else if (c == '-')
        sv_str_add(text, "\\-");
    else
        sv_str_add_char(text, c);
}

void sv_docs_add_man(struct sv_str *text, const char *plain)
{
    bool is_line_start = true;
    for (const char *c = plain; *c; c++) {
        if (c[0] == ' ' && c > plain && c[-1] == '.') {
            sv_str_add_char(text, '\n');
            is_line_start = true;
            continue;
        }
        add_man_char(text, *c, is_line_start);
        is_line_start = *c == '\n';
    }
    sv_str_add_char(text, '\n');
}

void sv_docs_add_man_words(struct sv_str *text, const char *plain)
{
    for (const char *c = plain; *c; c++)
        add_man_char(text, *c, false);
}

void sv_docs_add_markdown(struct sv_str *text, const char *plain)
{
    for (const char *c = plain; *c; c++) {
        if (strchr("*_<[|`", *c))
            sv_str_add_char(text, '\\');
        sv_str_add_char(text, *c);
    }
}

/* The name of the section that this line opens, cut off at the end of its comment; false: none. */
static bool opens(const char *line, size_t length, char *ret_name, size_t size)
{
    const char *mark = memmem(line, length, MARK, strlen(MARK));
    if (!mark || (strncmp(line, ".\\\"", 3) != 0 && strncmp(line, "<!--", 4) != 0))
        return false;
    const char *name = mark + strlen(MARK);
    size_t name_length = (size_t)(line + length - name);
    const char *end = memmem(name, name_length, " -->", 4);
    if (end)
        name_length = (size_t)(end - name);
    if (name_length >= size)
        return false;
    memcpy(ret_name, name, name_length);
    ret_name[name_length] = '\0';
    return true;
}

static bool render(const char *name, struct sv_str *text)
{
    size_t length = strcspn(name, " ");
    const char *argument = name[length] ? name + length + 1 : "";
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
        if (strlen(sections[i].name) == length && strncmp(sections[i].name, name, length) == 0)
            return sections[i].render(argument, text);
    return false;
}

/* The file with its sections written anew. False: told on stderr. */
static bool refresh(const char *path, const char *old, struct sv_str *text)
{
    const char *line = old;
    while (*line) {
        size_t length = strcspn(line, "\n");
        size_t whole = length + (line[length] == '\n');
        char name[64];
        bool is_section = opens(line, length, name, sizeof(name));
        sv_str_append(text, line, whole);
        line += whole;
        if (!is_section)
            continue;
        const char *end = strstr(line, END_MARK);
        if (!end || !render(name, text)) {
            fprintf(stderr, "%s: section \"%s\" %s\n", path, name,
                    end ? "is not known" : "has no end");
            return false;
        }
        while (end > line && end[-1] != '\n')
            end--;
        line = end;
    }
    return sv_str_ok(text);
}

static bool read_file(const char *path, struct sv_str *text)
{
    FILE *file = fopen(path, "r");
    char piece[8192];
    size_t length;
    while (file && (length = fread(piece, 1, sizeof(piece), file)) > 0)
        sv_str_append(text, piece, length);
    bool is_good = file && !ferror(file) && sv_str_ok(text);
    if (file)
        fclose(file);
    return is_good;
}

static bool write_file(const char *path, const struct sv_str *text)
{
    FILE *file = fopen(path, "w");
    bool is_good = file && fwrite(text->data, 1, text->length, file) == text->length;
    return file && fclose(file) == 0 && is_good;
}

static bool handle(const char *path, bool is_check)
{
    struct sv_str old SV_CLEANUP(sv_str_done) = {0};
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    if (!read_file(path, &old)) {
        perror(path);
        return false;
    }
    if (!refresh(path, sv_str_text(&old), &text))
        return false;
    if (strcmp(sv_str_text(&old), sv_str_text(&text)) == 0)
        return true;
    if (is_check) {
        printf("%s is older than the tables: make docs\n", path);
        return false;
    }
    if (write_file(path, &text))
        return true;
    perror(path);
    return false;
}

int main(int argc, char **argv)
{
    bool is_check = argc > 1 && strcmp(argv[1], "--check") == 0;
    bool is_good = argc > 1 + is_check;
    for (int i = 1 + is_check; i < argc; i++)
        is_good = handle(argv[i], is_check) && is_good;
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
