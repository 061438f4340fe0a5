/*
 * syslog and the journal store lines, a pipe delivers pieces. A line that is whole within its piece
 * is handed out from where it lies; only the last, unfinished one is copied, and waits for its
 * newline. Its memory goes when the line is complete, so that a thousand quiet programs hold
 * nothing.
 *
 * A line over the bound is cut there, the cut is noted at its end, and the rest up to the newline
 * is dropped: a program that writes megabytes without a newline would otherwise fill the service's
 * store.
 */
#include "io/lines.h"

#include <string.h>
#include <svisor/limits.h>

#include "base/attr.h"

static const char CUT_NOTE[] = " [cut]";

enum { KEPT_BYTES_MAX = SV_SYSLOG_LINE_BYTES_MAX - (sizeof(CUT_NOTE) - 1) };

static void hand_out_cut(const char *line, sv_line_function function, void *user)
{
    char cut[SV_SYSLOG_LINE_BYTES_MAX];
    memcpy(cut, line, KEPT_BYTES_MAX);
    memcpy(cut + KEPT_BYTES_MAX, CUT_NOTE, sizeof(CUT_NOTE) - 1);
    function(user, cut, sizeof(cut));
}

static void hand_out(const char *line, size_t length, sv_line_function function, void *user)
{
    if (length > SV_SYSLOG_LINE_BYTES_MAX)
        hand_out_cut(line, function, user);
    else
        function(user, line, length);
}

/* `is_whole`: the newline followed. */
static void take(struct sv_lines *lines, const char *data, size_t length, bool is_whole,
                 sv_line_function function, void *user)
{
    if (is_whole && lines->partial.length == 0) {
        hand_out(data, length, function, user);
        return;
    }
    sv_str_append(&lines->partial, data, length);
    bool is_over = lines->partial.length > SV_SYSLOG_LINE_BYTES_MAX;
    if (!is_whole && !is_over && sv_str_ok(&lines->partial))
        return;
    hand_out(sv_str_text(&lines->partial), lines->partial.length, function, user);
    lines->is_skipping = !is_whole;
    sv_str_done(&lines->partial);
}

void sv_lines_feed(struct sv_lines *lines, const char *data, size_t length,
                   sv_line_function function, void *user)
{
    while (length > 0) {
        const char *newline = memchr(data, '\n', length);
        size_t line = newline ? (size_t)(newline - data) : length;
        size_t used = newline ? line + 1 : line;
        if (lines->is_skipping)
            lines->is_skipping = !newline;
        else
            take(lines, data, line, newline, function, user);
        data += used;
        length -= used;
    }
}

void sv_lines_finish(struct sv_lines *lines, sv_line_function function, void *user)
{
    if (lines->partial.length > 0)
        hand_out(sv_str_text(&lines->partial), lines->partial.length, function, user);
    sv_str_done(&lines->partial);
    lines->is_skipping = false;
}
