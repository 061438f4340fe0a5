/* The sink of base/log: the daemon's log file, syslog, and standard output with nodaemon. */
#ifndef SV_IO_DAEMON_LOG_H
#define SV_IO_DAEMON_LOG_H

#include "config/config.h"

struct sv_daemon_log;

/* Lines: "2026-11-22 15:04:05,123 INFO text", as Supervisor 4.2.5 writes them. Installs itself. */
int sv_daemon_log_open(const struct sv_daemon_config *config, struct sv_daemon_log **ret_log);
/* Uninstalls itself. NULL is allowed. */
void sv_daemon_log_free(struct sv_daemon_log *log);
int sv_daemon_log_reopen(struct sv_daemon_log *log);
int sv_daemon_log_clear(struct sv_daemon_log *log);
/* NULL when the log is not a file. */
const char *sv_daemon_log_path(const struct sv_daemon_log *log);

#endif
