/*
 * A log file with rotation: what Supervisor's RotatingFileHandler does (loggers.py), without its
 * stalls.
 *
 * The file is opened for appending. After a write that ends at `maxbytes` or beyond it turns over:
 * see logfile.c. A write that fails (disk full) never blocks and never ends the program: the bytes
 * are counted in `lost_bytes`, the first failure of a row is logged once.
 */
#ifndef SV_IO_LOGFILE_H
#define SV_IO_LOGFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "port/log_piece.h"

struct sv_logfile;

int sv_logfile_open(const char *path, uint64_t maxbytes, uint32_t backups,
                    struct sv_logfile **ret_file);
/* This process's standard output, for the daemon's own log: never rotated, reopened or cleared. */
int sv_logfile_open_stdout(struct sv_logfile **ret_file);
/* NULL is allowed. */
void sv_logfile_free(struct sv_logfile *file);
void sv_logfile_write(struct sv_logfile *file, const void *data, size_t length);
/*
 * The same for bytes that are still in a pipe, moved at once from there: at every moment they are
 * in the pipe or in the file. Returns how many were moved; the caller reads the rest and hands it
 * to sv_logfile_write(), which tells what is wrong.
 */
size_t sv_logfile_splice(struct sv_logfile *file, int pipe_fd, size_t length);
/* Closes and opens again under the same name (SIGUSR2, external rotation). */
int sv_logfile_reopen(struct sv_logfile *file);
/* Removes the file and opens a new one (clearProcessLogs, clearLog). */
int sv_logfile_clear(struct sv_logfile *file);
/* False: a FIFO, a terminal, a device. */
bool sv_logfile_is_regular(const struct sv_logfile *file);
const char *sv_logfile_path(const struct sv_logfile *file);
uint64_t sv_logfile_lost_bytes(const struct sv_logfile *file);

/* Outcomes of reading, besides 0 and negative errno. */
#define SV_LOGREAD_BAD_ARGUMENTS 1 /* Supervisor's BAD_ARGUMENTS */
#define SV_LOGREAD_FAILED        2 /* Supervisor's FAILED */
#define SV_LOGREAD_NO_FILE       3

/* Supervisor 4.2.5, options.py, readFile(): negative offset counts from the end, length 0 is "to
 * the end". */
int sv_logfile_read(const char *path, int64_t offset, int64_t length, struct sv_str *ret_text);
/* options.py, tailFile(): appends the bytes, and says the offset of the end and if bytes were
 * skipped. */
int sv_logfile_tail(const char *path, int64_t offset, int64_t length, struct sv_str *ret_text,
                    int64_t *ret_offset, int *ret_overflow);
/*
 * Follows a log over rotations: up to `limit` bytes behind the cursor that the last call gave. ""
 * is near the end: the last lines. Outcomes as above; SV_LOGREAD_BAD_ARGUMENTS: not a cursor.
 */
int sv_logfile_follow(const char *path, const char *cursor, int64_t limit,
                      struct sv_log_piece *ret_piece);

#endif
