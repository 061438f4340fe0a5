/* Takes terminal escape sequences out of a stream, as Supervisor's strip_ansi. See ansi.c. */
#ifndef SV_IO_ANSI_H
#define SV_IO_ANSI_H

#include <stddef.h>

/* Where in a sequence the last piece ended. The zero value is "outside". */
struct sv_ansi {
    enum { SV_ANSI_TEXT, SV_ANSI_ESCAPE, SV_ANSI_SEQUENCE } state;
};

/* Writes what remains of `in` to `out`, which has room for length + 1 bytes. Returns how many. */
size_t sv_ansi_strip(struct sv_ansi *ansi, const char *in, size_t length, char *out);
/* At the end of the stream: an escape character that nothing followed. 0 or 1 byte. */
size_t sv_ansi_finish(struct sv_ansi *ansi, char *out);

#endif
