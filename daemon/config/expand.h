/* %(name)s: Python's `format % dictionary`, as Supervisor expands the values of its files. */
#ifndef SV_CONFIG_EXPAND_H
#define SV_CONFIG_EXPAND_H

#include <stdint.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/str.h"

/* Names that can be expanded; one that is not here is looked for in the parent. */
struct sv_scope {
    const struct sv_scope *parent;
    struct sv_arena *arena; /* of the values; set before the first put */
    struct sv_map names;
};

void sv_scope_done(struct sv_scope *scope);
/* Adds or replaces. `text` is borrowed for the life of the scope. 0 or -ENOMEM. */
int sv_scope_put_text(struct sv_scope *scope, const char *name, const char *text);
int sv_scope_put_number(struct sv_scope *scope, const char *name, int64_t number);

enum {
    SV_EXPAND_E_BAD =
        1, /* an unknown name or a bad format; `ret_problem` says it in Supervisor's words */
};

/*
 * Appends the expansion of `format` to `ret_text`. `name` is what the message calls the value, such
 * as "program:x.command". 0, SV_EXPAND_E_BAD or -ENOMEM. No result is longer than
 * SV_EXPANSION_BYTES_MAX.
 */
int sv_expand(const char *format, const char *name, const struct sv_scope *scope,
              struct sv_str *ret_text, struct sv_str *ret_problem);

#endif
