/*
 * The local syslog protocol, spoken directly: one datagram "<14>Nov 22 15:04:05 tag: text" per
 * line.
 *
 * glibc's syslog() would do the same, but it waits when the service is slow, it tells nobody when
 * nothing was delivered, and its one tag belongs to the whole process. Here a full or absent socket
 * costs the line, which is counted.
 *
 * The socket is connected at the first line and again after an error, at most once a second: the
 * service may be started after us, or restarted.
 */
#include "io/syslog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "io/loop.h"

#define RECONNECT_PAUSE_NS UINT64_C(1000000000)

enum { HEADER_BYTES_MAX = 256 };

struct sv_syslog {
    int fd; /* -1: not connected */
    uint64_t connect_after_ns;
    uint64_t lost_bytes;
    char *tag;
    struct sockaddr_un address;
};

struct sv_syslog *sv_syslog_new(const char *path, const char *tag)
{
    struct sv_syslog *syslog = calloc(1, sizeof(*syslog));
    if (!syslog)
        return NULL;
    syslog->fd = -1;
    syslog->tag = strdup(tag);
    if (!syslog->tag) {
        free(syslog);
        return NULL;
    }
    syslog->address.sun_family = AF_UNIX;
    snprintf(syslog->address.sun_path, sizeof(syslog->address.sun_path), "%s",
             path ? path : "/dev/log");
    return syslog;
}

void sv_syslog_free(struct sv_syslog *syslog)
{
    if (!syslog)
        return;
    if (syslog->fd >= 0)
        close(syslog->fd);
    free(syslog->tag);
    free(syslog);
}

static void disconnect(struct sv_syslog *syslog)
{
    close(syslog->fd);
    syslog->fd = -1;
}

static int connected_fd(struct sv_syslog *syslog)
{
    if (syslog->fd >= 0 || sv_now_ns() < syslog->connect_after_ns)
        return syslog->fd;
    syslog->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (syslog->fd >= 0 &&
        connect(syslog->fd, (const struct sockaddr *)&syslog->address, sizeof(syslog->address)) < 0)
        disconnect(syslog);
    if (syslog->fd < 0)
        syslog->connect_after_ns = sv_now_ns() + RECONNECT_PAUSE_NS;
    return syslog->fd;
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
    int fd = connected_fd(syslog);
    if (fd < 0) {
        syslog->lost_bytes += length;
        return;
    }
    char header[HEADER_BYTES_MAX];
    struct iovec parts[] = {
        {.iov_base = header, .iov_len = format_header(syslog, header, sizeof(header))},
        {.iov_base = (void *)(uintptr_t)prefix, .iov_len = strlen(prefix)},
        {.iov_base = (void *)(uintptr_t)line, .iov_len = length},
    };
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
    if (sendmsg(fd, &message, MSG_NOSIGNAL) >= 0)
        return;
    syslog->lost_bytes += length;
    if (errno != EAGAIN && errno != EINTR) /* ECONNREFUSED: the service was restarted */
        disconnect(syslog);
}

uint64_t sv_syslog_lost_bytes(const struct sv_syslog *syslog)
{
    return syslog->lost_bytes;
}
