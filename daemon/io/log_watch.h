/* Waits for a line that matches in what a program writes. See log_watch.c. */
#ifndef SV_IO_LOG_WATCH_H
#define SV_IO_LOG_WATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

struct sv_log_watch;

/* `pattern` is kept. NULL without memory. */
struct sv_log_watch *sv_log_watch_new(const struct sv_pattern *pattern);
/* NULL is allowed. */
void sv_log_watch_free(struct sv_log_watch *watch);
/* A piece of a channel. True when a line that has ended in it matches. */
bool sv_log_watch_feed(struct sv_log_watch *watch, enum sv_channel which, const char *data,
                       size_t length);
/* The pattern costs too much for what the program writes: nothing is looked for any more. */
bool sv_log_watch_has_given_up(const struct sv_log_watch *watch);

#endif
