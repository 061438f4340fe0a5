/*
 * The timeline outlives svisord: its records go to the end of `<identifier>.timeline`, a line of
 * JSON each, with one write at the end of the turn; the next daemon begins with the newest of them.
 *
 * A file that has grown too long keeps its end: the lines are copied as they are. More lines than
 * records are kept in it, so that this happens once in several thousand records.
 */
#include <string.h>
#include <svisor/limits.h>

#include "base/error.h"
#include "driver/live/internal.h"
#include "driver/state_file.h"

/* The last lines of the file, from the begin of one. */
static void read_end(struct sv_live *live, struct sv_str *ret_lines)
{
    sv_state_file_read(live->file, SV_TIMELINE_FILE_BYTES_KEPT, ret_lines);
    const char *newline = sv_state_file_length(live->file) > SV_TIMELINE_FILE_BYTES_KEPT
                              ? memchr(ret_lines->data, '\n', ret_lines->length)
                              : NULL;
    if (newline)
        sv_str_drop_front(ret_lines, (size_t)(newline - ret_lines->data) + 1);
}

int sv_live_take_back(struct sv_live *live)
{
    struct sv_str lines SV_CLEANUP(sv_str_done) = {0};
    int r =
        sv_state_file_new(live->driver, ".timeline", "the records of the timeline", &live->file);
    if (r < 0)
        return r;
    read_end(live, &lines);
    if (lines.length > 0 && lines.data[lines.length - 1] != '\n')
        sv_str_add_char(&live->unwritten, '\n'); /* a torn line ends here */
    return sv_timeline_read_lines(live->timeline, sv_str_text(&lines), lines.length);
}

static void shorten(struct sv_live *live)
{
    struct sv_str lines SV_CLEANUP(sv_str_done) = {0};
    read_end(live, &lines);
    sv_state_file_replace(live->file, &lines);
}

void sv_live_keep(struct sv_live *live, const struct sv_timeline_record *record)
{
    sv_timeline_write_line(record, &live->unwritten);
    sv_source_enable(live->settle, true);
}

void sv_live_write(struct sv_live *live)
{
    if (live->unwritten.length == 0 && sv_str_ok(&live->unwritten))
        return;
    bool is_written = sv_state_file_add(live->file, &live->unwritten);
    sv_str_done(&live->unwritten);
    if (is_written && sv_state_file_length(live->file) > SV_TIMELINE_FILE_BYTES_MAX)
        shorten(live);
}
