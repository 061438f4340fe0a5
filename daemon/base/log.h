/*
 * The daemon's own log: levels as Supervisor names them, one sink.
 *
 * base is pure, so it formats a line and hands it to the sink that main installs (io/daemon_log.h).
 * Only io, driver, main and ctl log; the layers below return errors or decisions.
 */
#ifndef SV_BASE_LOG_H
#define SV_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

/* Numbers and names: Supervisor 4.2.5, loggers.py, LevelsByName. */
enum sv_log_level {
    SV_LOG_BLATHER = 3,
    SV_LOG_TRACE = 5,
    SV_LOG_DEBUG = 10,
    SV_LOG_INFO = 20,
    SV_LOG_WARN = 30,
    SV_LOG_ERROR = 40,
    SV_LOG_CRITICAL = 50,
};

/* `text` has no newline at its end and is borrowed for the call. */
typedef void (*sv_log_sink)(void *user, enum sv_log_level level, const char *text, size_t length);

/* sink NULL: lines are dropped. */
void sv_log_set_sink(sv_log_sink sink, void *user);
void sv_log_set_level(enum sv_log_level level);
enum sv_log_level sv_log_get_level(void);
bool sv_log_enabled(enum sv_log_level level);
void sv_log(enum sv_log_level level, const char *format, ...) SV_PRINTF(2, 3);
/* "blather", "trace", "debug", "info", "warn", "error", "critical"; these words are also the
 * option's. */
const char *sv_log_level_name(enum sv_log_level level);
/* "BLAT", "TRAC", "DEBG", "INFO", "WARN", "ERRO", "CRIT", as in Supervisor's log lines. */
const char *sv_log_level_tag(enum sv_log_level level);
/* Case does not matter. False when the word names no level. */
bool sv_log_level_parse(const char *text, enum sv_log_level *ret_level);

#define sv_log_debug(...)    sv_log(SV_LOG_DEBUG, __VA_ARGS__)
#define sv_log_info(...)     sv_log(SV_LOG_INFO, __VA_ARGS__)
#define sv_log_warn(...)     sv_log(SV_LOG_WARN, __VA_ARGS__)
#define sv_log_error(...)    sv_log(SV_LOG_ERROR, __VA_ARGS__)
#define sv_log_critical(...) sv_log(SV_LOG_CRITICAL, __VA_ARGS__)

#endif
