/*
 * Supervisor reads its files with Python's RawConfigParser, so this is that parser's `_read()`,
 * with the same corners:
 *
 *   key = value ; note     an inline comment needs white space before its ; or #
 *   key = a#b #c ;d        when both marks occur, the two searches advance in step, and the first
 * hit ends them: here the comment starts at ";d", not at "#c" key = one              a line that is
 * indented deeper than its key's line goes on with the value, two                also when it looks
 * like a key or a section [a]b]                  the name of a section ends at the last bracket of
 * the line [DEFAULT]              answers for every section
 *
 * An empty line inside a value stays in it; at its end it goes. Two things differ on purpose: a
 * byte order mark is skipped, and a NUL byte is refused (no value of ours may hold one).
 *
 * Lines that mean nothing are all reported, up to a number that a person can read.
 */
#include "config/ini.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <svisor/limits.h>

#include "base/str.h"
#include "config/pytext.h"

enum { BAD_LINES_SHOWN = 20, EXCERPT_BYTES = 60 };

struct reader {
    struct sv_ini *ini;
    struct sv_diag *diag;
    struct sv_place place; /* of the current line */
    struct sv_ini_section *section;
    struct sv_ini_key *key; /* the value that a deeper indented line goes on with */
    struct sv_str value;    /* of that key, so far */
    size_t indent;          /* of the line of that key or section */
    size_t bad_line_count;
    bool is_headless; /* text before the first section was seen and reported */
    int error;
};

void sv_ini_done(struct sv_ini *ini)
{
    sv_map_foreach (entry, &ini->sections)
        sv_map_done(&((struct sv_ini_section *)entry->value)->keys);
    sv_map_done(&ini->defaults.keys);
    sv_map_done(&ini->sections);
    sv_arena_done(&ini->arena);
    *ini = (struct sv_ini){0};
}

struct sv_ini_section *sv_ini_section(const struct sv_ini *ini, const char *name)
{
    return sv_map_get(&ini->sections, name);
}

struct sv_ini_key *sv_ini_key(const struct sv_ini *ini, const struct sv_ini_section *section,
                              const char *name)
{
    struct sv_ini_key *key = section ? sv_map_get(&section->keys, name) : NULL;
    return key ? key : sv_map_get(&ini->defaults.keys, name);
}

static void fail(struct reader *reader, int error)
{
    if (reader->error == 0)
        reader->error = error;
}

/* Where the inline comment of the line starts, or SIZE_MAX. */
static size_t inline_comment(const char *line, size_t length)
{
    const char *next[2] = {line, line}; /* where the search for ; and for # goes on; NULL: over */
    const char *end = line + length;
    while (next[0] || next[1]) {
        size_t start = SIZE_MAX;
        for (size_t i = 0; i < 2; i++) {
            const char *hit =
                next[i] && next[i] < end ? memchr(next[i], ";#"[i], (size_t)(end - next[i])) : NULL;
            next[i] = hit ? hit + 1 : NULL;
            size_t at = hit ? (size_t)(hit - line) : 0;
            if (hit && (at == 0 || sv_py_space_before(line, at) > 0) && at < start)
                start = at;
        }
        if (start != SIZE_MAX)
            return start;
    }
    return SIZE_MAX;
}

/* Python counts the indentation in characters. */
static size_t indentation(const char *line, size_t length)
{
    size_t count = 0;
    for (size_t at = 0, bytes; (bytes = sv_py_space_at(line + at, length - at)) > 0; at += bytes)
        count++;
    return count;
}

static void end_key(struct reader *reader)
{
    struct sv_ini_key *key = reader->key;
    reader->key = NULL;
    if (!key)
        return;
    size_t length = reader->value.length;
    const char *text = sv_str_text(&reader->value);
    for (size_t bytes; (bytes = sv_py_space_before(text, length)) > 0;)
        length -= bytes;
    key->value = sv_arena_strndup(&reader->ini->arena, text, length);
    if (!key->value || !sv_str_ok(&reader->value)) {
        key->value = "";
        fail(reader, -ENOMEM);
    }
}

static void begin_section(struct reader *reader, struct sv_span name)
{
    struct sv_ini *ini = reader->ini;
    end_key(reader);
    char *copy = sv_arena_strndup(&ini->arena, name.data, name.length);
    if (!copy) {
        fail(reader, -ENOMEM);
        return;
    }
    if (strcmp(copy, "DEFAULT") == 0) {
        reader->section = &ini->defaults;
        ini->defaults.name = copy;
        return;
    }
    reader->section = sv_map_get(&ini->sections, copy);
    if (reader->section)
        return;
    if (ini->sections.count >= SV_CONFIG_SECTIONS_MAX) {
        sv_diag_add(reader->diag, SV_SEVERITY_ERROR, &reader->place,
                    "more than %d sections; the rest is not read", SV_CONFIG_SECTIONS_MAX);
        fail(reader, -E2BIG);
        return;
    }
    struct sv_ini_section *section = sv_arena_new(&ini->arena, struct sv_ini_section);
    if (!section || sv_map_put(&ini->sections, copy, section) < 0) {
        fail(reader, -ENOMEM);
        return;
    }
    section->name = copy;
    section->place = reader->place;
    section->place.section = copy;
    reader->section = section;
}

static struct sv_ini_key *add_key(struct reader *reader, char *name)
{
    struct sv_map *keys = &reader->section->keys;
    if (keys->count >= SV_CONFIG_KEYS_MAX) {
        sv_diag_add(reader->diag, SV_SEVERITY_ERROR, &reader->place,
                    "more than %d keys in [%s]; the rest is not read", SV_CONFIG_KEYS_MAX,
                    reader->section->name);
        fail(reader, -E2BIG);
        return NULL;
    }
    struct sv_ini_key *key = sv_arena_new(&reader->ini->arena, struct sv_ini_key);
    if (!key || sv_map_put(keys, name, key) < 0) {
        fail(reader, -ENOMEM);
        return NULL;
    }
    key->name = name;
    key->value = "";
    return key;
}

static void begin_key(struct reader *reader, struct sv_span name, struct sv_span value)
{
    end_key(reader);
    char *copy = sv_arena_strndup(&reader->ini->arena, name.data, name.length);
    if (!copy) {
        fail(reader, -ENOMEM);
        return;
    }
    for (char *c = copy; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c | 0x20);
    struct sv_place place = reader->place;
    place.section = reader->section->name;
    place.key = copy;
    struct sv_ini_key *key = sv_map_get(&reader->section->keys, copy);
    /* Of an [include] in an included file the loader has something better to say. */
    if (key && strcmp(reader->section->name, "include") == 0 &&
        strcmp(key->place.file, place.file) != 0)
        key->value = "";
    else if (key)
        sv_diag_add(reader->diag, SV_SEVERITY_WARNING, &place,
                    "is already set at %s:%u; the later value is used", key->place.file,
                    key->place.line);
    else
        key = add_key(reader, copy);
    if (!key)
        return;
    key->place = place;
    reader->key = key;
    sv_str_clear(&reader->value);
    sv_str_append(&reader->value, value.data, value.length);
}

static void report_line(struct reader *reader, const char *what, struct sv_span line)
{
    if (++reader->bad_line_count > BAD_LINES_SHOWN)
        return;
    struct sv_str excerpt SV_CLEANUP(sv_str_done) = {0};
    bool is_long = line.length > EXCERPT_BYTES;
    sv_py_repr(&excerpt, line.data, is_long ? EXCERPT_BYTES : line.length);
    sv_diag_add(reader->diag, SV_SEVERITY_ERROR, &reader->place, "%s%s %s", sv_str_text(&excerpt),
                is_long ? "..." : "", what);
}

static const char *find_last(struct sv_span text, char c)
{
    for (size_t i = text.length; i > 0; i--)
        if (text.data[i - 1] == c)
            return text.data + i - 1;
    return NULL;
}

/* A line that starts something: a section or a key. */
static void read_header(struct reader *reader, struct sv_span text)
{
    const char *bracket = text.data[0] == '[' ? find_last(text, ']') : NULL;
    if (bracket && bracket > text.data + 1) {
        begin_section(reader, (struct sv_span){text.data + 1, (size_t)(bracket - text.data - 1)});
        return;
    }
    if (!reader->section) {
        if (!reader->is_headless)
            report_line(reader, "stands before the first section; write [supervisord] above it",
                        text);
        reader->is_headless = true;
        return;
    }
    size_t at = 0;
    while (at < text.length && text.data[at] != '=' && text.data[at] != ':')
        at++;
    if (at == text.length) {
        report_line(reader, "is neither a [section] nor a key = value", text);
        return;
    }
    struct sv_span name = sv_py_strip(text.data, at);
    if (name.length == 0)
        report_line(reader, "has no key; write key = value", text);
    else
        begin_key(reader, name, sv_py_strip(text.data + at + 1, text.length - at - 1));
}

static void read_line(struct reader *reader, const char *line, size_t length)
{
    struct sv_span text = sv_py_strip(line, length);
    bool is_comment = text.length > 0 && (text.data[0] == ';' || text.data[0] == '#');
    size_t comment = is_comment ? 0 : inline_comment(line, length);
    if (comment != SIZE_MAX)
        text = sv_py_strip(line, comment);
    if (text.length == 0) {
        if (comment == SIZE_MAX && reader->key)
            sv_str_add_char(&reader->value, '\n');
        return;
    }
    size_t indent = indentation(line, length);
    if (reader->key && indent > reader->indent) {
        sv_str_add_char(&reader->value, '\n');
        sv_str_append(&reader->value, text.data, text.length);
        return;
    }
    reader->indent = indent;
    read_header(reader, text);
}

/* Lines end in \n, \r or \r\n, in one file also mixed. */
static void read_lines(struct reader *reader, const char *text, size_t length)
{
    size_t at = 0;
    while (at < length && reader->error == 0) {
        size_t start = at;
        while (at < length && text[at] != '\n' && text[at] != '\r')
            at++;
        reader->place.line++;
        read_line(reader, text + start, at - start);
        if (at + 1 < length && text[at] == '\r' && text[at + 1] == '\n')
            at++;
        at++;
    }
}

int sv_ini_parse(struct sv_ini *ini, const char *file, const char *text, size_t length,
                 struct sv_diag *diag)
{
    struct reader reader = {.ini = ini, .diag = diag};
    reader.place.file = sv_arena_strdup(&ini->arena, file);
    if (!reader.place.file)
        return -ENOMEM;
    const char *nul = length > 0 ? memchr(text, '\0', length) : NULL;
    if (nul) {
        for (const char *c = text; c < nul; c++)
            reader.place.line += *c == '\n';
        reader.place.line++;
        sv_diag_add(diag, SV_SEVERITY_ERROR, &reader.place,
                    "a NUL byte: this is not a text file; none of it is used");
        return 0;
    }
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        length -= 3;
    }
    read_lines(&reader, text, length);
    end_key(&reader);
    if (reader.bad_line_count > BAD_LINES_SHOWN)
        sv_diag_add(diag, SV_SEVERITY_ERROR, &(struct sv_place){.file = file},
                    "%zu more lines like these", reader.bad_line_count - BAD_LINES_SHOWN);
    sv_str_done(&reader.value);
    return reader.error == -E2BIG ? 0 : reader.error;
}
