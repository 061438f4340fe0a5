/* Sends lines to the system's syslog socket, without waiting for it. See syslog.c. */
#ifndef SV_IO_SYSLOG_H
#define SV_IO_SYSLOG_H

#include <stddef.h>
#include <stdint.h>

struct sv_syslog;

/* `path` NULL: /dev/log. `tag` (copied) stands before each line, as "tag: ". NULL without memory.
 */
struct sv_syslog *sv_syslog_new(const char *path, const char *tag);
void sv_syslog_free(struct sv_syslog *syslog);
/* One line with priority LOG_USER|LOG_INFO, as Python's syslog(). `prefix` stands before it. */
void sv_syslog_line(struct sv_syslog *syslog, const char *prefix, const char *line, size_t length);
/* Bytes of lines that could not be delivered. */
uint64_t sv_syslog_lost_bytes(const struct sv_syslog *syslog);

#endif
