#include "wire/mesh_keys.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "wire/utf8.h"

static const char z85[] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

bool sv_mesh_key_parse(const char *text, size_t length, struct sv_mesh_key *ret_key)
{
    if (length != SV_MESH_KEY_LENGTH)
        return false;
    for (size_t group = 0; group < length; group += 5) {
        uint64_t value = 0;
        for (size_t i = group; i < group + 5; i++) {
            const char *digit = text[i] ? strchr(z85, text[i]) : NULL;
            if (!digit)
                return false;
            value = value * 85 + (uint64_t)(digit - z85);
        }
        if (value > UINT32_MAX)
            return false;
    }
    memcpy(ret_key->text, text, length);
    ret_key->text[length] = '\0';
    return true;
}

/* The lines of a text, blanks around them removed. */
struct lines {
    const char *at;
    const char *end;
    const char *line;
    size_t length;
    unsigned number;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool next_line(struct lines *lines)
{
    if (lines->at == lines->end)
        return false;
    size_t left = (size_t)(lines->end - lines->at);
    const char *newline = memchr(lines->at, '\n', left);
    const char *line_end = newline ? newline : lines->end;
    lines->line = lines->at;
    lines->at = newline ? newline + 1 : lines->end;
    while (lines->line < line_end && is_blank(*lines->line))
        lines->line++;
    while (lines->line < line_end && is_blank(line_end[-1]))
        line_end--;
    lines->length = (size_t)(line_end - lines->line);
    lines->number++;
    return true;
}

static bool is_comment(const struct lines *lines)
{
    return lines->length == 0 || lines->line[0] == '#';
}

static int fail(struct sv_mesh_key_fault *ret_fault, unsigned line, const char *why)
{
    *ret_fault = (struct sv_mesh_key_fault){.line = line, .why = why};
    return SV_MESH_KEYS_E_MALFORMED;
}

/* The text in quotes behind `name =`, if the line is of that form. */
static const char *value_of(const struct lines *lines, const char *name, size_t *ret_length)
{
    const char *end = lines->line + lines->length;
    size_t name_length = strlen(name);
    if (lines->length < name_length || memcmp(lines->line, name, name_length) != 0)
        return NULL;
    const char *at = lines->line + name_length;
    while (at < end && is_blank(*at))
        at++;
    if (at == end || *at++ != '=')
        return NULL;
    while (at < end && is_blank(*at))
        at++;
    if (end - at < 2 || *at != '"' || end[-1] != '"')
        return NULL;
    *ret_length = (size_t)(end - at) - 2;
    return at + 1;
}

int sv_mesh_key_pair_parse(const char *text, size_t length, struct sv_mesh_key_pair *ret_pair,
                           struct sv_mesh_key_fault *ret_fault)
{
    struct sv_mesh_key_pair pair = {0};
    struct {
        const char *name;
        struct sv_mesh_key *key;
    } fields[] = {{"public-key", &pair.public_key}, {"secret-key", &pair.secret_key}};
    struct lines lines = {.at = text, .end = text + length};
    while (next_line(&lines)) {
        for (size_t i = 0; i < SV_ARRAY_LENGTH(fields); i++) {
            size_t value_length;
            const char *value = value_of(&lines, fields[i].name, &value_length);
            if (value && !sv_mesh_key_parse(value, value_length, fields[i].key))
                return fail(ret_fault, lines.number, "this is not a key: 40 characters of Z85");
        }
    }
    if (pair.public_key.text[0] == '\0')
        return fail(ret_fault, 0, "it has no line public-key = \"...\"");
    *ret_pair = pair;
    return 0;
}

void sv_mesh_key_pair_format(const struct sv_mesh_key_pair *pair, bool has_secret,
                             struct sv_str *ret_text)
{
    sv_str_add(ret_text, has_secret
                             ? "# The key of this instance in the mesh of svisor. Keep it secret.\n"
                             : "# The public key of an instance in the mesh of svisor.\n");
    sv_str_addf(ret_text, "curve\n    public-key = \"%s\"\n", pair->public_key.text);
    if (has_secret)
        sv_str_addf(ret_text, "    secret-key = \"%s\"\n", pair->secret_key.text);
}

/* The words behind the key. 0 or -ENOMEM. */
static int read_names(const struct lines *lines, struct sv_arena *arena,
                      struct sv_mesh_trusted *row)
{
    const char *end = lines->line + lines->length;
    const char **names = sv_arena_array(arena, const char *, lines->length / 2 + 1);
    if (!names)
        return -ENOMEM;
    row->names = names;
    for (const char *at = lines->line + SV_MESH_KEY_LENGTH; at < end;) {
        const char *word = at;
        while (at < end && !is_blank(*at))
            at++;
        if (at > word) {
            names[row->name_count] = sv_arena_strndup(arena, word, (size_t)(at - word));
            if (!names[row->name_count++])
                return -ENOMEM;
        }
        at += at < end;
    }
    return 0;
}

int sv_mesh_trust_parse(const char *text, size_t length, struct sv_arena *arena,
                        struct sv_mesh_trust *ret_trust, struct sv_mesh_key_fault *ret_fault)
{
    if (memchr(text, '\0', length) || !sv_utf8_is_valid(text, length))
        return fail(ret_fault, 0, "it is not a text");
    size_t capacity = length / SV_MESH_KEY_LENGTH + 1;
    struct sv_mesh_trusted *rows = sv_arena_array(arena, struct sv_mesh_trusted, capacity);
    if (!rows)
        return -ENOMEM;
    size_t count = 0;
    struct lines lines = {.at = text, .end = text + length};
    while (next_line(&lines)) {
        size_t key_length = 0;
        if (is_comment(&lines))
            continue;
        while (key_length < lines.length && !is_blank(lines.line[key_length]))
            key_length++;
        if (!sv_mesh_key_parse(lines.line, key_length, &rows[count].key))
            return fail(ret_fault, lines.number,
                        "the line does not begin with a key: 40 characters of Z85");
        int r = read_names(&lines, arena, &rows[count++]);
        if (r < 0)
            return r;
    }
    *ret_trust = (struct sv_mesh_trust){.rows = rows, .count = count};
    return 0;
}
