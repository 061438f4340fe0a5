/* What the output of a program says when it could not be started. */
#ifndef SV_IO_SPAWN_WORDS_H
#define SV_IO_SPAWN_WORDS_H

#include "io/spawn.h"

/*
 * Supervisor's child writes these words to its descriptor 2. Here the parent writes them, into the
 * same file: it may use the library. Nothing to do about a failed write: the caller has the
 * failure.
 */
void sv_spawn_write_words(const struct sv_spawn_plan *plan, const struct sv_spawn_failure *failure);

#endif
