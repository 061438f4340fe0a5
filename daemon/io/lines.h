/* Cuts a stream into lines, for the log services that take one record per line. See lines.c. */
#ifndef SV_IO_LINES_H
#define SV_IO_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* `line` has no newline and at most SV_SYSLOG_LINE_BYTES_MAX bytes. */
typedef void (*sv_line_function)(void *user, const char *line, size_t length);

/* The zero value is an empty one. */
struct sv_lines {
    struct sv_str partial; /* the last line, not ended yet */
    bool is_skipping;      /* the rest of a line that was cut */
};

void sv_lines_feed(struct sv_lines *lines, const char *data, size_t length,
                   sv_line_function function, void *user);
/* Hands out the last line that has no newline, and frees the memory. */
void sv_lines_finish(struct sv_lines *lines, sv_line_function function, void *user);

#endif
