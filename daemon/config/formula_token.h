/* The words of a formula, as Python would read them. Private to formula.c. */
#ifndef SV_CONFIG_FORMULA_TOKEN_H
#define SV_CONFIG_FORMULA_TOKEN_H

#include "base/str.h"

enum sv_token_kind {
    SV_TOKEN_END,
    SV_TOKEN_STRING, /* one or several literals behind one another; its value in `text` */
    SV_TOKEN_AND,
    SV_TOKEN_OR,
    SV_TOKEN_NOT,
    SV_TOKEN_NAME,         /* any other word or number; in `text` */
    SV_TOKEN_OTHER_STRING, /* bytes or a formatted one: nothing that can be a name */
    SV_TOKEN_OPEN,
    SV_TOKEN_CLOSE,
    SV_TOKEN_COMMA,
    SV_TOKEN_BAD, /* see `problem` */
};

struct sv_tokens {
    const char *rest;
    size_t depth; /* open parentheses: a line may end inside of them */
    struct sv_str text;
    const char *problem;
};

/* The text must not begin with a blank: Python takes it for a block. False: it does; see `problem`.
 */
bool sv_tokens_begin(struct sv_tokens *tokens, const char *text);
void sv_tokens_done(struct sv_tokens *tokens);
enum sv_token_kind sv_tokens_next(struct sv_tokens *tokens);

#endif
