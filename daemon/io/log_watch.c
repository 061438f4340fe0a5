/*
 * ready=log: and liveness=log: look at whole lines, of stdout and stderr apart, each at most
 * SV_SYSLOG_LINE_BYTES_MAX long (the rest of a longer one is not looked at).
 *
 * A search is bounded (config/pattern.c), but a program can write thousands of lines that all need
 * as much as is allowed. So the watch gives up for the rest of the run after some lines that were
 * over the bound, or when a single piece of output took it longer than a tenth of a second: the
 * loop has others to serve. What that means, the deadline of the probe says.
 */
#include "io/log_watch.h"

#include <stdlib.h>
#include <svisor/limits.h>

#include "io/lines.h"
#include "io/loop.h"

enum { PIECE_NS_MAX = 100000000 };

struct sv_log_watch {
    const struct sv_pattern *pattern;
    struct sv_pattern_match *match;
    struct sv_lines lines[2];
    uint64_t until_ns; /* of the present piece */
    unsigned costly_count;
    bool is_found; /* in the present piece */
    bool has_given_up;
};

struct sv_log_watch *sv_log_watch_new(const struct sv_pattern *pattern)
{
    struct sv_log_watch *watch = calloc(1, sizeof(*watch));
    if (!watch)
        return NULL;
    watch->pattern = pattern;
    watch->match = sv_pattern_match_new();
    if (!watch->match) {
        free(watch);
        return NULL;
    }
    return watch;
}

static void ignore_line(void *user, const char *line, size_t length)
{
    (void)user;
    (void)line;
    (void)length;
}

void sv_log_watch_free(struct sv_log_watch *watch)
{
    if (!watch)
        return;
    for (int c = 0; c < 2; c++)
        sv_lines_finish(&watch->lines[c], ignore_line, NULL);
    sv_pattern_match_free(watch->match);
    free(watch);
}

static void on_line(void *user, const char *line, size_t length)
{
    struct sv_log_watch *watch = user;
    if (watch->is_found || watch->has_given_up)
        return;
    switch (sv_pattern_find(watch->pattern, watch->match, line, length)) {
    case SV_PATTERN_YES:
        watch->is_found = true;
        return;
    case SV_PATTERN_TOO_COSTLY:
        watch->costly_count++;
        break;
    case SV_PATTERN_NO:
        break;
    }
    watch->has_given_up =
        watch->costly_count >= SV_PATTERN_COSTLY_LINES_MAX || sv_now_ns() > watch->until_ns;
}

bool sv_log_watch_feed(struct sv_log_watch *watch, enum sv_channel which, const char *data,
                       size_t length)
{
    if (watch->has_given_up)
        return false;
    watch->is_found = false;
    watch->until_ns = sv_now_ns() + PIECE_NS_MAX;
    sv_lines_feed(&watch->lines[which], data, length, on_line, watch);
    return watch->is_found;
}

bool sv_log_watch_has_given_up(const struct sv_log_watch *watch)
{
    return watch->has_given_up;
}
