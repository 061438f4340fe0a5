/* Sends lines to the systemd journal with fields of their own. See journal.c. */
#ifndef SV_IO_JOURNAL_H
#define SV_IO_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sv_journal;

/* True when what is written to this descriptor goes to the journal: systemd has said so in
 * JOURNAL_STREAM, and nobody has put another file in its place since. A line may then begin with
 * its priority, "<4>". */
bool sv_journal_is_behind(int fd);

/* `path` (kept) NULL: the system's journal. `priority` is one of syslog's, LOG_INFO and so on.
 * NULL: no memory. */
struct sv_journal *sv_journal_new(const char *path, const char *group, const char *process,
                                  int priority);
/* NULL is allowed. */
void sv_journal_free(struct sv_journal *journal);
/* `line` has no newline. */
void sv_journal_line(struct sv_journal *journal, const char *line, size_t length);
/* Bytes of lines that could not be delivered. */
uint64_t sv_journal_lost_bytes(const struct sv_journal *journal);

#endif
