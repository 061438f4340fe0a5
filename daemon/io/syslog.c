/*
 * The local syslog protocol, spoken directly: one datagram "<14>Nov 22 15:04:05 tag: text" per
 * line.
 *
 * glibc's syslog() would form the same, but has one tag for the whole process, and waits: see
 * datagram.c.
 */
#include "io/syslog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "io/datagram.h"
#include "io/loop.h"

enum { HEADER_BYTES_MAX = 256 };

struct sv_syslog {
    struct sv_datagram socket;
    uint64_t lost_bytes;
    char *path;
    char *tag;
};

struct sv_syslog *sv_syslog_new(const char *path, const char *tag)
{
    struct sv_syslog *syslog = calloc(1, sizeof(*syslog));
    if (!syslog)
        return NULL;
    syslog->path = strdup(path ? path : "/dev/log");
    syslog->tag = strdup(tag);
    sv_datagram_init(&syslog->socket, syslog->path);
    if (!syslog->path || !syslog->tag) {
        sv_syslog_free(syslog);
        return NULL;
    }
    return syslog;
}

void sv_syslog_free(struct sv_syslog *syslog)
{
    if (!syslog)
        return;
    sv_datagram_done(&syslog->socket);
    free(syslog->path);
    free(syslog->tag);
    free(syslog);
}

static size_t format_header(const struct sv_syslog *syslog, char *header, size_t size)
{
    time_t now = (time_t)(sv_wall_ns() / 1000000000);
    struct tm local;
    char stamp[32] = "Jan  1 00:00:00";
    if (localtime_r(&now, &local)) {
        /* English month names, whatever the locale: the format is RFC 3164's. */
        static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        snprintf(stamp, sizeof(stamp), "%s %2d %02d:%02d:%02d", months[local.tm_mon % 12],
                 local.tm_mday % 32, local.tm_hour % 24, local.tm_min % 60, local.tm_sec % 61);
    }
    int n = snprintf(header, size, "<%d>%s %s: ", LOG_USER | LOG_INFO, stamp, syslog->tag);
    return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

void sv_syslog_line(struct sv_syslog *syslog, const char *prefix, const char *line, size_t length)
{
    char header[HEADER_BYTES_MAX];
    struct iovec parts[] = {
        {.iov_base = header, .iov_len = format_header(syslog, header, sizeof(header))},
        {.iov_base = (void *)(uintptr_t)prefix, .iov_len = strlen(prefix)},
        {.iov_base = (void *)(uintptr_t)line, .iov_len = length},
    };
    if (!sv_datagram_send(&syslog->socket, parts, 3))
        syslog->lost_bytes += length;
}

uint64_t sv_syslog_lost_bytes(const struct sv_syslog *syslog)
{
    return syslog->lost_bytes;
}
