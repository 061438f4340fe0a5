/* Words for the completion in the shell. */
#ifndef SV_CTL_COMPLETE_H
#define SV_CTL_COMPLETE_H

#include "ctl.h"

/* The words that begin with `start` and may stand there: `line` is what is typed, `from` where the
 * word begins in it. A new reference to an array of strings, each once. */
json_t *sv_completions(struct sv_ctl *ctl, const char *line, size_t from, const char *start);

#endif
