/* Python's shlex, the two ways that Supervisor uses it. */
#ifndef SV_CONFIG_SHLEX_H
#define SV_CONFIG_SHLEX_H

#include "base/arena.h"

struct sv_words {
    const char *const *items; /* NULL-terminated, in the arena */
    size_t count;
};

enum {
    SV_SHLEX_E_QUOTATION = 1, /* an open quote */
    SV_SHLEX_E_ESCAPE,        /* a backslash at the end */
    SV_SHLEX_E_TOO_MANY,      /* more than SV_ARGV_MAX words */
};

/* shlex.split(text): words as a shell sees them, without expansion. 0, SV_SHLEX_E_* or -ENOMEM. */
int sv_shlex_split(const char *text, struct sv_arena *arena, struct sv_words *ret_words);

/*
 * list(shlex.shlex(text)) with "/.+-():" as further characters of a word: not POSIX, quotes stay in
 * the words, and any other character is a word by itself. The lexer of `environment=`.
 */
int sv_shlex_tokens(const char *text, struct sv_arena *arena, struct sv_words *ret_words);

/* Python's words for SV_SHLEX_E_*: "No closing quotation", "No escaped character". */
const char *sv_shlex_error_text(int error);

#endif
