/*
 * socket_manager.py and datatypes.py (SocketConfig) of Supervisor 4.2.5: a listening socket that
 * exists as long as a process of its group runs. Each process inherits it as descriptor 0 and
 * accepts from it.
 *
 * Better than the original in three points. The file of a unix socket is removed with the socket;
 * Supervisor leaves it, and clients then get ECONNREFUSED instead of ENOENT. A file of that name
 * that is no socket is an error, not removed. And the file has its final mode from birth: bind()
 * takes the mode of the socket's inode, less the umask (net/unix/af_unix.c, unix_bind_bsd()), so
 * that no one can connect in between.
 */
#include "io/fcgi_socket.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/log.h"

struct sv_fcgi_listener {
    const struct sv_fcgi_socket *config;
    int fd; /* -1: not open */
    uint32_t user_count;
    dev_t device; /* of the unix socket's file: it is removed only if it is still ours */
    ino_t inode;
};

int sv_fcgi_listener_new(const struct sv_fcgi_socket *config,
                         struct sv_fcgi_listener **ret_listener)
{
    struct sv_fcgi_listener *listener = calloc(1, sizeof(*listener));
    if (!listener)
        return -ENOMEM;
    listener->config = config;
    listener->fd = -1;
    *ret_listener = listener;
    return 0;
}

static int remove_old_socket(const char *path)
{
    struct stat status;
    if (lstat(path, &status) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(status.st_mode))
        return -ENOTSOCK;
    return unlink(path) < 0 ? -errno : 0;
}

/* After bind(): owner and mode, and by what to know the file again. */
static int dress_file(struct sv_fcgi_listener *listener)
{
    const struct sv_fcgi_socket *config = listener->config;
    bool has_owner = config->owner_uid != SV_ID_NONE || config->owner_gid != SV_ID_NONE;
    struct stat status;
    /* (uid_t)-1 is SV_ID_NONE: leave as it is. */
    if ((has_owner && chown(config->path, config->owner_uid, config->owner_gid) < 0) ||
        (config->mode != SV_ID_NONE && chmod(config->path, config->mode) < 0) ||
        lstat(config->path, &status) < 0)
        return -errno;
    listener->device = status.st_dev;
    listener->inode = status.st_ino;
    return 0;
}

static int open_unix(struct sv_fcgi_listener *listener)
{
    const struct sv_fcgi_socket *config = listener->config;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(config->path);
    if (length >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, config->path, length);
    int r = remove_old_socket(config->path);
    if (r < 0)
        return r;
    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener->fd < 0 ||
        (config->mode != SV_ID_NONE && fchmod(listener->fd, config->mode) < 0) ||
        bind(listener->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return -errno;
    r = dress_file(listener);
    if (r < 0)
        unlink(config->path);
    return r;
}

/* IPv4 as Supervisor; IPv6 where the host has no other address. NULL: not to be resolved. */
static struct addrinfo *resolve(const struct sv_fcgi_socket *config)
{
    static const int families[] = {AF_INET, AF_INET6};
    char port[16];
    snprintf(port, sizeof(port), "%u", (unsigned)config->port);
    bool is_any = !config->host || !*config->host || strcmp(config->host, "*") == 0;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(families); i++) {
        struct addrinfo hints = {.ai_family = families[i],
                                 .ai_socktype = SOCK_STREAM,
                                 .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
        struct addrinfo *found;
        if (getaddrinfo(is_any ? NULL : config->host, port, &hints, &found) == 0)
            return found;
    }
    return NULL;
}

static int open_tcp(struct sv_fcgi_listener *listener)
{
    struct addrinfo *address = resolve(listener->config);
    if (!address)
        return -EADDRNOTAVAIL;
    int r = 0;
    int on = 1;
    listener->fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener->fd < 0 ||
        setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(listener->fd, address->ai_addr, address->ai_addrlen) < 0)
        r = -errno;
    freeaddrinfo(address);
    return r;
}

static void close_socket(struct sv_fcgi_listener *listener)
{
    if (listener->fd >= 0)
        close(listener->fd);
    listener->fd = -1;
    struct stat status;
    const char *path = listener->config->path;
    if (path && listener->inode && lstat(path, &status) == 0 && status.st_dev == listener->device &&
        status.st_ino == listener->inode)
        unlink(path);
    listener->inode = 0;
}

static int open_socket(struct sv_fcgi_listener *listener)
{
    const struct sv_fcgi_socket *config = listener->config;
    sv_log_info("Creating socket %s", config->url);
    int r = config->path ? open_unix(listener) : open_tcp(listener);
    uint32_t backlog = config->backlog;
    if (r == 0 &&
        listen(listener->fd, backlog > 0 && backlog < INT32_MAX ? (int)backlog : SOMAXCONN) < 0)
        r = -errno;
    if (r < 0)
        close_socket(listener);
    return r;
}

int sv_fcgi_listener_acquire(struct sv_fcgi_listener *listener, int *ret_fd)
{
    if (listener->fd < 0) {
        int r = open_socket(listener);
        if (r < 0)
            return error_trace(r);
    }
    listener->user_count++;
    *ret_fd = listener->fd;
    return 0;
}

void sv_fcgi_listener_adopt(struct sv_fcgi_listener *listener, int fd)
{
    struct stat status;
    if (listener->fd >= 0) {
        close(fd);
    } else {
        listener->fd = fd;
        if (listener->config->path && lstat(listener->config->path, &status) == 0) {
            listener->device = status.st_dev;
            listener->inode = status.st_ino;
        }
    }
    listener->user_count++;
}

void sv_fcgi_listener_leave(struct sv_fcgi_listener *listener)
{
    listener->inode = 0;
}

void sv_fcgi_listener_release(struct sv_fcgi_listener *listener)
{
    assert(listener->user_count > 0);
    if (--listener->user_count > 0)
        return;
    sv_log_info("Closing socket %s", listener->config->url);
    close_socket(listener);
}

void sv_fcgi_listener_free(struct sv_fcgi_listener *listener)
{
    if (!listener)
        return;
    close_socket(listener);
    free(listener);
}
