/* "Did you mean": the known word that is nearest to a mistyped one. */
#ifndef SV_CONFIG_NEAREST_H
#define SV_CONFIG_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

/* Single-character edits (insert, delete, change, swap neighbours) between the two; capped at 64.
 */
size_t sv_edit_distance(const char *a, const char *b);
/* True when `distance` edits of `word` are a slip of the finger and not another word. */
bool sv_is_near(const char *word, size_t distance);

#endif
