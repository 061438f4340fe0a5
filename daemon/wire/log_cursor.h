/* A place in a log, as svisor.followLog gives it out and gets it back: "8e03-1f40-92ac51d3", the
 * three numbers in hexadecimal. */
#ifndef SV_WIRE_LOG_CURSOR_H
#define SV_WIRE_LOG_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct sv_log_cursor {
    uint64_t inode;
    int64_t offset;    /* never negative */
    uint32_t checksum; /* of the last bytes before it */
};

void sv_log_cursor_add(const struct sv_log_cursor *cursor, struct sv_str *text);
/* False: it is none. */
bool sv_log_cursor_read(const char *text, struct sv_log_cursor *ret_cursor);

#endif
