/*
 * Supervisor splits `command` with shlex.split() and reads `environment` with a non-POSIX shlex
 * whose words may hold "/.+-():". The two differ in nearly everything: what a quote, a comment, a
 * backslash and a character beyond ASCII means. So these are two small machines, and not one with
 * eight flags.
 *
 *   split   a 'b c' "d\"e" f\ g      ->  a | b c | d"e | f g
 *   tokens  A="x, y",B=/p:q #note    ->  A | = | "x, y" | , | B | = | /p:q
 *
 * One corner of the second is easily missed: a comment that touches a word swallows the rest of the
 * line but does not end the word, so "b#note<newline>C" is the word bC. Files may depend on it.
 */
#include "config/shlex.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "base/str.h"
#include "config/pytext.h"

/* `environment` has up to four words for a variable; ten thousand variables exceed any ARG_MAX use.
 */
enum { TOKENS_MAX = 40000 };

struct list {
    struct sv_arena *arena;
    const char **items; /* heap, until finish() */
    size_t count;
    size_t capacity;
    size_t limit;
    int error;
};

static void push(struct list *list, const char *text, size_t length)
{
    if (list->count == list->limit)
        list->error = SV_SHLEX_E_TOO_MANY;
    if (list->error != 0)
        return;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        const char **items = realloc(list->items, capacity * sizeof(*items));
        if (!items) {
            list->error = -ENOMEM;
            return;
        }
        list->items = items;
        list->capacity = capacity;
    }
    char *copy = sv_arena_strndup(list->arena, text, length);
    if (!copy)
        list->error = -ENOMEM;
    else
        list->items[list->count++] = copy;
}

static int finish(struct list *list, struct sv_words *ret_words)
{
    const char **items =
        list->error == 0 ? sv_arena_array(list->arena, const char *, list->count + 1) : NULL;
    if (items && list->count > 0)
        memcpy(items, list->items, list->count * sizeof(*items));
    free(list->items);
    if (list->error != 0)
        return list->error;
    if (!items)
        return -ENOMEM;
    *ret_words = (struct sv_words){items, list->count};
    return 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A quoted part; `text` is behind the opening quote. Returns what is behind the closing one, or
 * NULL. */
static const char *split_quoted(const char *text, char quote, struct sv_str *word, int *ret_error)
{
    for (; *text && *text != quote; text++) {
        if (*text == '\\' && quote == '"') {
            text++;
            if (!*text) {
                *ret_error = SV_SHLEX_E_ESCAPE;
                return NULL;
            }
            if (*text != '"' && *text != '\\')
                sv_str_add_char(word, '\\');
        }
        sv_str_add_char(word, *text);
    }
    if (*text)
        return text + 1;
    *ret_error = SV_SHLEX_E_QUOTATION;
    return NULL;
}

int sv_shlex_split(const char *text, struct sv_arena *arena, struct sv_words *ret_words)
{
    struct list list = {.arena = arena, .limit = SV_ARGV_MAX};
    struct sv_str word SV_CLEANUP(sv_str_done) = {0};
    bool is_word = false; /* also true for '' */
    while (*text && list.error == 0) {
        char c = *text++;
        if (is_blank(c)) {
            if (is_word)
                push(&list, sv_str_text(&word), word.length);
            is_word = false;
            sv_str_clear(&word);
            continue;
        }
        is_word = true;
        if (c == '\'' || c == '"') {
            const char *behind = split_quoted(text, c, &word, &list.error);
            text = behind ? behind : "";
        } else if (c != '\\') {
            sv_str_add_char(&word, c);
        } else if (*text) {
            sv_str_add_char(&word, *text++);
        } else {
            list.error = SV_SHLEX_E_ESCAPE;
        }
    }
    if (is_word && list.error == 0)
        push(&list, sv_str_text(&word), word.length);
    if (!sv_str_ok(&word))
        list.error = -ENOMEM;
    return finish(&list, ret_words);
}

static bool is_word_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("_/.+-():", c));
}

static const char *skip_comment(const char *text)
{
    text += strcspn(text, "\n");
    return *text ? text + 1 : text;
}

/* A word that has begun, and the quotes and comments inside it. Returns what follows it. */
static const char *token_word(const char *text, struct sv_str *word)
{
    while (*text) {
        if (*text == '#')
            text = skip_comment(text);
        else if (is_word_character(*text) || *text == '\'' || *text == '"')
            sv_str_add_char(word, *text++);
        else
            break;
    }
    return text;
}

int sv_shlex_tokens(const char *text, struct sv_arena *arena, struct sv_words *ret_words)
{
    struct list list = {.arena = arena, .limit = TOKENS_MAX};
    struct sv_str word SV_CLEANUP(sv_str_done) = {0};
    while (*text && list.error == 0) {
        char c = *text;
        if (is_blank(c)) {
            text++;
        } else if (c == '#') {
            text = skip_comment(text);
        } else if (is_word_character(c)) {
            sv_str_clear(&word);
            text = token_word(text, &word);
            if (!sv_str_ok(&word))
                list.error = -ENOMEM;
            push(&list, sv_str_text(&word), word.length);
            /* What ended the word is white space, or a word by itself even where it is no comment.
             */
            if (*text && !is_blank(*text)) {
                size_t bytes = sv_py_char_bytes(text, strnlen(text, 4));
                push(&list, text, bytes);
                text += bytes;
            }
        } else if (c == '\'' || c == '"') {
            const char *end = strchr(text + 1, c);
            if (!end)
                list.error = SV_SHLEX_E_QUOTATION;
            else
                push(&list, text, (size_t)(end + 1 - text));
            text = end ? end + 1 : text;
        } else {
            size_t bytes = sv_py_char_bytes(text, strnlen(text, 4));
            push(&list, text, bytes);
            text += bytes;
        }
    }
    return finish(&list, ret_words);
}

const char *sv_shlex_error_text(int error)
{
    switch (error) {
    case SV_SHLEX_E_QUOTATION:
        return "No closing quotation";
    case SV_SHLEX_E_ESCAPE:
        return "No escaped character";
    case SV_SHLEX_E_TOO_MANY:
        return "too many words";
    default:
        return "out of memory";
    }
}
