/*
 * Formulas of <operational_status>: and, or, not, any, all, parentheses, and operands in quotes.
 *
 *     all('web_\d+') and (any("db.*") or not 'backup')
 *
 * An operand is the name of a process, or else a regular expression that a whole name must match.
 * It means the processes of one application: sv_formula_bind() finds them, once, when they are
 * known; sv_formula_evaluate() then only combines booleans, as often as one of them changes.
 */
#ifndef SV_CONFIG_FORMULA_H
#define SV_CONFIG_FORMULA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "config/pattern.h"

/* Parsed; lives in the arena that it was made in. */
struct sv_formula;
struct sv_formula_binding;

/*
 * NULL: Supvisors would not use such a text either, and `problem` says why. A formula with a
 * `problem` is used, and tells something of itself: it can never be resolved.
 */
const struct sv_formula *sv_formula_parse(const char *text, struct sv_arena *arena,
                                          struct sv_str *problem);
const char *sv_formula_text(const struct sv_formula *formula);

/* NULL without memory. `names` may go afterwards; their places are what evaluate() is asked with.
 */
const struct sv_formula_binding *sv_formula_bind(const struct sv_formula *formula,
                                                 const char *const *names, size_t count,
                                                 struct sv_pattern_match *match,
                                                 struct sv_arena *arena);

enum sv_formula_result {
    SV_FORMULA_FALSE,
    SV_FORMULA_TRUE,
    /* The others are the failure of the application, as false is. */
    SV_FORMULA_E_NOBODY,      /* an operand means no process */
    SV_FORMULA_E_SEVERAL,     /* an operand means several, and no any() or all() is around it */
    SV_FORMULA_E_UNSUPPORTED, /* something that is no operand */
};

/* `is_good`: by the place of each name. `ret_operand`, which may be NULL, is what an error is
 * about. */
enum sv_formula_result sv_formula_evaluate(const struct sv_formula_binding *binding,
                                           const bool *is_good, const char **ret_operand);

#endif
