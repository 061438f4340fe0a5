/*
 * One datagram socket in the abstract name space. A file would have to be writable for every user
 * and every chroot; a name that begins with '@' is all that a program needs to know, and it goes
 * with the daemon and its keeper. The next daemon gets the very socket from the keeper, with what
 * was said meanwhile in its queue; where there is no keeper, it makes one of the same name, which
 * the programs find. If somebody sits on that name (another daemon, or a neighbour who wants to
 * listen), the kernel gives one that nobody has.
 *
 * Everybody may send. Who has sent a message the kernel says (SO_PASSCRED; SO_PASSPIDFD since 6.5),
 * and who may say what for whom is decided elsewhere, from that alone: a message names nobody.
 *
 * Descriptors that come along are closed when the message has been dealt with, also those of a
 * message that is refused: FDSTORE is not offered, and BARRIER=1 waits for just that.
 */
#include "io/notify_socket.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"

/* Linux 6.5; the headers of glibc 2.36 do not know them. */
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04
#endif

struct sv_notify_socket {
    int fd;
    struct sv_source *source;
    sv_notify_function function;
    void *user;
    char address[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1]; /* "@name" */
};

/* The room that the kernel may fill with what comes along. */
union control {
    struct cmsghdr alignment;
    char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int)) +
               CMSG_SPACE(SV_NOTIFY_DESCRIPTORS_MAX * sizeof(int))];
};

static void close_all(const struct cmsghdr *header)
{
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(fd));
        close(fd);
    }
}

static struct sv_notify_sender sender_of(struct msghdr *header)
{
    struct sv_notify_sender sender = {.pidfd = -1};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level != SOL_SOCKET)
            continue;
        if (c->cmsg_type == SCM_CREDENTIALS) {
            struct ucred credentials;
            memcpy(&credentials, CMSG_DATA(c), sizeof(credentials));
            sender.pid = credentials.pid;
            sender.uid = credentials.uid;
        } else if (c->cmsg_type == SCM_PIDFD) {
            memcpy(&sender.pidfd, CMSG_DATA(c), sizeof(sender.pidfd));
        }
    }
    return sender;
}

static void close_descriptors(struct msghdr *header)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
            close_all(c);
}

/* False: there is nothing to read now. */
static bool take_one(struct sv_notify_socket *notify)
{
    char data[SV_NOTIFY_MESSAGE_BYTES_MAX + 1];
    union control control;
    struct iovec part = {data, sizeof(data)};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(notify->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0)
        return errno != EAGAIN && errno != EINTR;
    struct sv_notify_sender sender = sender_of(&header);
    struct sv_notify_message message;
    bool is_good = !(header.msg_flags & MSG_TRUNC) && sv_notify_parse(data, (size_t)n, &message);
    notify->function(notify->user, &sender, is_good ? &message : NULL);
    if (sender.pidfd >= 0)
        close(sender.pidfd);
    close_descriptors(&header);
    return true;
}

int sv_notify_socket_fd(const struct sv_notify_socket *notify)
{
    return notify->fd;
}

void sv_notify_socket_drain(struct sv_notify_socket *notify)
{
    for (int i = 0; i < SV_NOTIFY_TURN_MESSAGES_MAX; i++)
        if (!take_one(notify))
            return;
}

static void on_readable(void *user, int fd, uint32_t events)
{
    (void)fd;
    (void)events;
    sv_notify_socket_drain(user);
}

static int bind_address(struct sv_notify_socket *notify, const char *identifier)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length;
    int name = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "svisor/%u/%s/notify",
                        geteuid(), identifier);
    bool fits = name > 0 && (size_t)name < sizeof(address.sun_path) - 1;
    length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)(fits ? name : 0));
    if (!fits || bind(notify->fd, (const struct sockaddr *)&address, length) < 0) {
        if (fits && errno != EADDRINUSE)
            return -errno;
        /* Only the family: the kernel chooses, see unix(7), "Autobind feature". */
        if (bind(notify->fd, (const struct sockaddr *)&address, sizeof(sa_family_t)) < 0)
            return -errno;
    }
    return 0;
}

static int read_address(struct sv_notify_socket *notify)
{
    struct sockaddr_un address = {0};
    socklen_t length = sizeof(address);
    if (getsockname(notify->fd, (struct sockaddr *)&address, &length) < 0)
        return -errno;
    snprintf(notify->address, sizeof(notify->address), "@%.*s",
             (int)(length - offsetof(struct sockaddr_un, sun_path) - 1), address.sun_path + 1);
    return 0;
}

static int open_socket(struct sv_notify_socket *notify, const char *identifier)
{
    notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (notify->fd < 0)
        return -errno;
    int on = 1;
    if (setsockopt(notify->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
        return -errno;
    /* An older kernel says ENOPROTOOPT: then a recycled pid cannot be told, see driver/notify.c. */
    (void)setsockopt(notify->fd, SOL_SOCKET, SO_PASSPIDFD, &on, sizeof(on));
    return bind_address(notify, identifier);
}

int sv_notify_socket_new(struct sv_loop *loop, const struct sv_notify_origin *origin,
                         sv_notify_function function, void *user,
                         struct sv_notify_socket **ret_socket)
{
    struct sv_notify_socket *notify = calloc(1, sizeof(*notify));
    if (!notify) {
        if (origin->fd >= 0)
            close(origin->fd);
        return -ENOMEM;
    }
    notify->function = function;
    notify->user = user;
    notify->fd = origin->fd;
    int r = notify->fd < 0 ? open_socket(notify, origin->identifier) : 0;
    if (r == 0)
        r = read_address(notify);
    if (r == 0)
        r = sv_loop_add_io(loop, notify->fd, EPOLLIN, SV_PRIORITY_NORMAL, on_readable, notify,
                           &notify->source);
    if (r < 0) {
        sv_notify_socket_free(notify);
        return error_trace(r);
    }
    *ret_socket = notify;
    return 0;
}

void sv_notify_socket_free(struct sv_notify_socket *notify)
{
    if (!notify)
        return;
    sv_source_free(notify->source);
    if (notify->fd >= 0)
        close(notify->fd);
    free(notify);
}

const char *sv_notify_socket_address(const struct sv_notify_socket *notify)
{
    return notify->address;
}
