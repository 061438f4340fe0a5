/*
 * The run-time directory of one daemon, and the journal in it: what the next daemon must know.
 *
 * It lies in a file system that does not outlive the boot: /run/svisor for root, XDG_RUNTIME_DIR or
 * /tmp for others. Its name is made of the identifier and of the path of the configuration file, so
 * that a daemon finds the directory of its predecessor and of nobody else.
 */
#ifndef SV_IO_STATE_JOURNAL_H
#define SV_IO_STATE_JOURNAL_H

#include <stdbool.h>

#include "base/str.h"

struct sv_state_journal;

/*
 * Makes the directory (0700, ours) and locks it. `ret_bytes` gets what the predecessor left. 0;
 * -EWOULDBLOCK: a daemon of the same file and identifier lives; another negative errno.
 */
int sv_state_journal_open(const char *identifier, const char *config_file,
                          struct sv_state_journal **ret_journal, struct sv_str *ret_bytes);
/* What stands there now, without a lock: it may be torn while its owner writes. Negative errno;
 * -ENOENT: nothing. */
int sv_state_journal_peek(const char *identifier, const char *config_file,
                          struct sv_str *ret_bytes);
/* Leaves everything to the successor. NULL is allowed. */
void sv_state_journal_leave(struct sv_state_journal *journal);
/* Nothing is left to be remembered: removes the journal and the directory. NULL is allowed. */
void sv_state_journal_end(struct sv_state_journal *journal);
const char *sv_state_journal_directory(const struct sv_state_journal *journal);

/* Appends. A failure is told once and makes the journal unusable; the daemon goes on without. */
void sv_state_journal_append(struct sv_state_journal *journal, const struct sv_str *bytes);
/* True when it has grown enough to be written anew. */
bool sv_state_journal_is_long(const struct sv_state_journal *journal);
/* Replaces the whole content, in one step that cannot be torn. */
int sv_state_journal_rewrite(struct sv_state_journal *journal, const struct sv_str *bytes);

#endif
