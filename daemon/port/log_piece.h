/* What one look at a growing log gives: see sv_logfile_follow(). */
#ifndef SV_PORT_LOG_PIECE_H
#define SV_PORT_LOG_PIECE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct sv_log_piece {
    struct sv_str bytes;
    struct sv_str cursor;  /* for the next look */
    uint64_t behind_bytes; /* what is there already, behind these bytes */
    bool is_gap; /* what the cursor stood at is gone: this begins at the start of the new log */
};

static inline void sv_log_piece_done(struct sv_log_piece *piece)
{
    sv_str_done(&piece->bytes);
    sv_str_done(&piece->cursor);
}

#endif
