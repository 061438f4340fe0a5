/*
 * syslog and the journal take their lines over datagram sockets. The libraries for them (syslog(3)
 * of glibc, sd_journal_sendv(3) of libsystemd 252) wait when the service does not read, which would
 * stop the supervisor with it (measured for sd_journal_send(): it hangs on a socket that nobody
 * reads), and do not tell when it is away. So the message is formed by us and sent here: what the
 * service does not take is lost, and the caller counts it.
 *
 * The socket is connected at the first message and again after an error, at most once a second: the
 * service may be started after us, or restarted.
 */
#include "io/datagram.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/loop.h"

#define RECONNECT_PAUSE_NS UINT64_C(1000000000)

void sv_datagram_init(struct sv_datagram *datagram, const char *path)
{
    *datagram = (struct sv_datagram){.path = path, .fd = -1};
}

void sv_datagram_done(struct sv_datagram *datagram)
{
    if (datagram->fd >= 0)
        close(datagram->fd);
    datagram->fd = -1;
}

static int connected_fd(struct sv_datagram *datagram)
{
    if (datagram->fd >= 0 || sv_now_ns() < datagram->connect_after_ns)
        return datagram->fd;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", datagram->path);
    datagram->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (datagram->fd >= 0 &&
        connect(datagram->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        sv_datagram_done(datagram);
    if (datagram->fd < 0)
        datagram->connect_after_ns = sv_now_ns() + RECONNECT_PAUSE_NS;
    return datagram->fd;
}

bool sv_datagram_send(struct sv_datagram *datagram, struct iovec *parts, size_t count)
{
    int fd = connected_fd(datagram);
    if (fd < 0)
        return false;
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    if (sendmsg(fd, &message, MSG_NOSIGNAL) >= 0)
        return true;
    if (errno != EAGAIN && errno != EINTR && errno != EMSGSIZE)
        sv_datagram_done(datagram); /* ECONNREFUSED: the service was restarted */
    return false;
}
