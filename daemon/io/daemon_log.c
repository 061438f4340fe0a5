/*
 * The daemon's log: file, standard output, syslog, as configured (options.py, make_logger).
 *
 *     2026-11-22 15:04:05,123 INFO spawned: 'web' with pid 4711
 *
 * Standard output gets the lines with nodaemon unless silent, beside the file. With syslog the line
 * there has the same format, time and all, as under Supervisor.
 *
 * Where standard output is the journal, a line is "<4>text": the journal has the time and, from the
 * prefix (sd-daemon(3)), the PRIORITY, so that `journalctl -u svisord -p warning` finds what it
 * should. With logfile=syslog it would have every line twice; then syslog has them alone.
 *
 * Lines are written at once, each with one write: a crash loses nothing, and two writers of one
 * file do not mix within a line. A line that cannot be written is counted by the logfile, which
 * tells about it through this same sink: see logfile.c for why that ends.
 */
#include "io/daemon_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/str.h"
#include "io/journal.h"
#include "io/logfile.h"
#include "io/loop.h"
#include "io/syslog.h"

static const char SYSLOG_TAG[] = "svisord";

struct sv_daemon_log {
    struct sv_logfile *file;    /* NULL: none */
    struct sv_logfile *stdout_; /* NULL: daemonized, or silent */
    bool is_stdout_journal;
    struct sv_syslog *syslog; /* NULL: none */
};

static void add_time(struct sv_str *line)
{
    int64_t now_ns = sv_wall_ns();
    time_t seconds = (time_t)(now_ns / 1000000000);
    int milliseconds = (int)(now_ns / 1000000 % 1000);
    struct tm local;
    char stamp[sizeof("2026-11-22 15:04:05") + 16];
    if (!localtime_r(&seconds, &local) ||
        strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M:%S", &local) == 0)
        sv_str_addf(line, "%lld", (long long)seconds);
    else
        sv_str_add(line, stamp);
    sv_str_addf(line, ",%03d", milliseconds);
}

static int priority_of(enum sv_log_level level)
{
    return level >= SV_LOG_CRITICAL ? LOG_CRIT
           : level >= SV_LOG_ERROR  ? LOG_ERR
           : level >= SV_LOG_WARN   ? LOG_WARNING
           : level >= SV_LOG_INFO   ? LOG_INFO
                                    : LOG_DEBUG;
}

static void write_to_journal(struct sv_daemon_log *log, enum sv_log_level level, const char *text,
                             size_t length)
{
    struct sv_str line SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&line, "<%d>", priority_of(level));
    sv_str_append(&line, text, length);
    sv_str_add_char(&line, '\n');
    if (sv_str_ok(&line))
        sv_logfile_write(log->stdout_, line.data, line.length);
}

static void on_line(void *user, enum sv_log_level level, const char *text, size_t length)
{
    struct sv_daemon_log *log = user;
    struct sv_str line SV_CLEANUP(sv_str_done) = {0};
    add_time(&line);
    sv_str_addf(&line, " %s ", sv_log_level_tag(level));
    sv_str_append(&line, text, length);
    sv_str_add_char(&line, '\n');
    if (!sv_str_ok(&line))
        return; /* no memory for a line: nothing could be said about it either */
    if (log->stdout_ && log->is_stdout_journal)
        write_to_journal(log, level, text, length);
    else if (log->stdout_)
        sv_logfile_write(log->stdout_, line.data, line.length);
    if (log->file)
        sv_logfile_write(log->file, line.data, line.length);
    if (log->syslog)
        sv_syslog_line(log->syslog, "", line.data, line.length - 1);
}

static int open_all(const struct sv_daemon_config *config, struct sv_daemon_log *log)
{
    log->is_stdout_journal = sv_journal_is_behind(STDOUT_FILENO);
    bool is_twice = log->is_stdout_journal && config->logfile_syslog;
    if (config->nodaemon && !config->silent && !is_twice) {
        int r = sv_logfile_open_stdout(&log->stdout_);
        if (r < 0 && r != -EBADF) /* started with descriptor 1 closed: nobody looks */
            return r;
    }
    if (config->logfile_syslog) {
        log->syslog = sv_syslog_new(NULL, SYSLOG_TAG);
        return log->syslog ? 0 : -ENOMEM;
    }
    if (!config->logfile)
        return 0;
    return sv_logfile_open(config->logfile, config->logfile_maxbytes, config->logfile_backups,
                           &log->file);
}

int sv_daemon_log_open(const struct sv_daemon_config *config, struct sv_daemon_log **ret_log)
{
    struct sv_daemon_log *log = calloc(1, sizeof(*log));
    if (!log)
        return -ENOMEM;
    int r = open_all(config, log);
    if (r < 0) {
        sv_logfile_free(log->stdout_);
        free(log);
        return error_trace(r);
    }
    sv_log_set_level(config->loglevel);
    sv_log_set_sink(on_line, log);
    *ret_log = log;
    return 0;
}

void sv_daemon_log_free(struct sv_daemon_log *log)
{
    if (!log)
        return;
    sv_log_set_sink(NULL, NULL);
    sv_logfile_free(log->file);
    sv_logfile_free(log->stdout_);
    sv_syslog_free(log->syslog);
    free(log);
}

int sv_daemon_log_reopen(struct sv_daemon_log *log)
{
    return log->file ? sv_logfile_reopen(log->file) : 0;
}

int sv_daemon_log_clear(struct sv_daemon_log *log)
{
    if (!log->file)
        return 0;
    /* Somebody has taken the file away: clients are told, and SIGUSR2 makes a new one. */
    if (access(sv_logfile_path(log->file), F_OK) < 0)
        return -errno;
    return sv_logfile_clear(log->file);
}

const char *sv_daemon_log_path(const struct sv_daemon_log *log)
{
    return log->file ? sv_logfile_path(log->file) : NULL;
}
