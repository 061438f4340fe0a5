/*
 * Numbers that outlive the daemon, to be changed in place: how far a delivery has come.
 *
 * Each is one number in a file beside the journal, mapped into memory. The kernel itself writes it:
 * splice(2) takes the offset of its source from there and puts the new one back in the same call
 * that moves the bytes, and no SIGKILL comes between the two.
 */
#ifndef SV_IO_CURSORS_H
#define SV_IO_CURSORS_H

#include <stdbool.h>
#include <stdint.h>

#define SV_CURSORS_FILE "cursors"

struct sv_cursors;

/* In the run-time directory of the journal; what an earlier daemon left is kept. Negative errno. */
int sv_cursors_open(const char *directory, struct sv_cursors **ret_cursors);
/* The file stays: sv_state_journal_end() removes it. NULL is allowed. */
void sv_cursors_free(struct sv_cursors *cursors);
/* A cursor that nobody has, from 1; 0: all SV_CURSORS_MAX of them are taken. */
uint32_t sv_cursors_take(struct sv_cursors *cursors);
/* Takes the one that an earlier daemon had given. False: there is none of that number, or it is
 * taken. */
bool sv_cursors_adopt(struct sv_cursors *cursors, uint32_t cursor);
/* Gives it up. 0 is allowed. */
void sv_cursors_release(struct sv_cursors *cursors, uint32_t cursor);
/* Where the number is, until the cursors are freed. */
int64_t *sv_cursors_at(struct sv_cursors *cursors, uint32_t cursor);

#endif
