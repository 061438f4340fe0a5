/*
 * Listening sockets, TCP and unix.
 *
 * A unix socket appears under its name whole or not at all, as in Supervisor: it is bound to a name
 * with our pid, gets its mode, its owner and its queue there, and is then linked to the real name.
 * Of two daemons that start at once, one wins the link. If the name is taken, someone who answers
 * there is a living server, and we give up; a socket that refuses is stale and is removed. What is
 * not a socket is never removed (Supervisor does).
 *
 * Trap: until listen() a connection is refused, so nobody slips in before the mode is set.
 */
#include "io/http_listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"

enum { LINK_TRIES_MAX = 3 };

static const char in_use[] =
    "Another program is already listening on a port that one of our HTTP servers is configured to "
    "use.  Shut this program down first before starting supervisord.";

/* Says why a listener cannot be opened, unless that was said already. Returns `r`. */
static int explain(int r, const struct sv_http_config *config, const char *step,
                   struct sv_str *ret_error)
{
    if (ret_error->length > 0)
        return r;
    if (r == -EADDRINUSE) {
        sv_str_add(ret_error, in_use);
        return r;
    }
    sv_str_add(ret_error, "Cannot open an HTTP server on ");
    if (config->path)
        sv_str_addf(ret_error, "unix://%s", config->path);
    else
        sv_str_addf(ret_error, "%s:%u", config->host, config->port);
    sv_str_addf(ret_error, ": %s: %s (%s)", step, sv_errno_text(r), sv_errno_name(r));
    return r;
}

/* ---- TCP ---- */

/* "[::1]" as "::1"; "" means every IPv4 address. */
static int resolve(const struct sv_http_config *config, struct addrinfo **ret_addresses,
                   struct sv_str *ret_error)
{
    char host[NI_MAXHOST];
    const char *start = config->host + (config->host[0] == '[');
    size_t length = strcspn(start, "]");
    if (length >= sizeof(host))
        return -EINVAL;
    memcpy(host, start, length);
    host[length] = '\0';
    char port[8];
    snprintf(port, sizeof(port), "%u", config->port);
    struct addrinfo hints = {
        .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
        .ai_family = strchr(host, ':') ? AF_INET6 : AF_INET,
        .ai_socktype = SOCK_STREAM,
    };
    int failure = getaddrinfo(length ? host : NULL, port, &hints, ret_addresses);
    if (failure == 0)
        return 0;
    sv_str_addf(ret_error, "Cannot open an HTTP server: the host of port=%s:%u: %s", host,
                config->port, gai_strerror(failure));
    return failure == EAI_SYSTEM ? -errno : -EADDRNOTAVAIL;
}

static int open_tcp(const struct sv_http_config *config, int *ret_fd, struct sv_str *ret_error)
{
    struct addrinfo *address = NULL;
    int r = resolve(config, &address, ret_error);
    if (r < 0)
        return r;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, SOMAXCONN) < 0) {
        r = explain(-errno, config, "bind", ret_error);
        if (fd >= 0)
            close(fd);
    } else {
        *ret_fd = fd;
    }
    freeaddrinfo(address);
    return r;
}

/* ---- Unix ---- */

static int fill_address(const char *path, struct sockaddr_un *ret_address)
{
    size_t length = strlen(path);
    if (length >= sizeof(ret_address->sun_path))
        return -ENAMETOOLONG;
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(ret_address->sun_path, path, length + 1);
    return 0;
}

/* Whether somebody accepts connections there. A full queue (EAGAIN) is a living server, too. */
static bool is_answered(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return true; /* do not remove what cannot be asked */
    int r = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? errno : 0;
    close(fd);
    return r != ECONNREFUSED && r != ENOENT;
}

/* Gives the bound socket its real name. */
static int take_name(const char *temporary, const struct sockaddr_un *address,
                     struct sv_str *ret_error)
{
    for (unsigned i = 0; i < LINK_TRIES_MAX; i++) {
        if (link(temporary, address->sun_path) == 0)
            return 0;
        if (errno != EEXIST)
            return -errno;
        struct stat status;
        if (lstat(address->sun_path, &status) == 0 && !S_ISSOCK(status.st_mode)) {
            sv_str_addf(ret_error,
                        "Cannot open an HTTP server: %s exists and is not a socket; remove it or "
                        "name another file=",
                        address->sun_path);
            return -EEXIST;
        }
        if (is_answered(address))
            return -EADDRINUSE;
        if (unlink(address->sun_path) < 0 && errno != ENOENT)
            return -errno;
    }
    return -EADDRINUSE;
}

static int set_owner(const char *temporary, const struct sv_http_config *config,
                     struct sv_str *ret_error)
{
    if (config->owner_uid == SV_ID_NONE && config->owner_gid == SV_ID_NONE)
        return 0;
    if (chown(temporary, config->owner_uid, config->owner_gid) == 0)
        return 0;
    int r = -errno;
    if (r == -EPERM)
        sv_str_addf(ret_error,
                    "Not permitted to chown %s to uid/gid (%d, %d); adjust \"sockchown\" value in "
                    "config file or on command line to values that the current user (uid %u) can "
                    "successfully chown",
                    config->path, (int)config->owner_uid, (int)config->owner_gid, geteuid());
    return r;
}

/* Makes the bound socket ready under its temporary name, and links it. */
static int publish(int fd, const char *temporary, const struct sv_http_config *config,
                   const struct sockaddr_un *address, struct sv_http_socket *ret_socket,
                   struct sv_str *ret_error)
{
    struct stat status;
    if (chmod(temporary, config->mode) < 0)
        return explain(-errno, config, "chmod", ret_error);
    int r = set_owner(temporary, config, ret_error);
    if (r < 0)
        return explain(r, config, "chown", ret_error);
    if (lstat(temporary, &status) < 0 || listen(fd, SOMAXCONN) < 0)
        return explain(-errno, config, "listen", ret_error);
    r = take_name(temporary, address, ret_error);
    if (r < 0)
        return explain(r, config, "link", ret_error);
    ret_socket->device = status.st_dev;
    ret_socket->inode = status.st_ino;
    return 0;
}

static int open_unix(const struct sv_http_config *config, struct sv_http_socket *ret_socket,
                     struct sv_str *ret_error)
{
    struct sv_str temporary = {0};
    struct sockaddr_un address;
    struct sockaddr_un temporary_address;
    sv_str_addf(&temporary, "%s.%d", config->path, getpid());
    char *path = strdup(config->path);
    int fd = -1;
    int r = path && sv_str_ok(&temporary) ? 0 : -ENOMEM;
    if (r == 0)
        r = fill_address(config->path, &address);
    if (r == 0)
        r = fill_address(temporary.data, &temporary_address);
    if (r < 0) {
        explain(r, config, "file", ret_error);
        goto out;
    }
    unlink(temporary.data); /* of a daemon that died here, with our pid */
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&temporary_address, sizeof(temporary_address)) < 0) {
        r = explain(-errno, config, "bind", ret_error);
        goto out;
    }
    r = publish(fd, temporary.data, config, &address, ret_socket, ret_error);
    unlink(temporary.data);
out:
    if (r < 0) {
        if (fd >= 0)
            close(fd);
        free(path);
    } else {
        ret_socket->fd = fd;
        ret_socket->path = path;
    }
    sv_str_done(&temporary);
    return r;
}

int sv_http_socket_open(const struct sv_http_config *config, struct sv_http_socket *ret_socket,
                        struct sv_str *ret_error)
{
    struct sv_http_socket opened = {.fd = -1};
    int r = config->path ? open_unix(config, &opened, ret_error)
                         : open_tcp(config, &opened.fd, ret_error);
    if (r < 0)
        return r;
    *ret_socket = opened;
    return 0;
}

char *sv_http_socket_address(const struct sv_http_config *config)
{
    struct sv_str address = {0};
    if (config->path)
        sv_str_addf(&address, "unix:%s", config->path);
    else
        sv_str_addf(&address, "tcp:%s:%u", config->host, config->port);
    return sv_str_take(&address);
}

/* Mode and owner may be other ones than those that the file was made with. */
static bool take_file_over(const struct sv_http_config *config,
                           const struct sv_inherited_socket *inherited)
{
    struct stat status;
    struct sv_str problem SV_CLEANUP(sv_str_done) = {0};
    return lstat(config->path, &status) == 0 && status.st_dev == inherited->device &&
           status.st_ino == inherited->inode && chmod(config->path, config->mode) == 0 &&
           set_owner(config->path, config, &problem) == 0;
}

bool sv_http_socket_inherit(const struct sv_http_config *config, const char *address,
                            struct sv_inherited *inherited, struct sv_http_socket *ret_socket)
{
    struct sv_inherited_socket taken;
    if (!inherited || !sv_inherited_take(inherited, address, &taken))
        return false;
    char *path = config->path ? strdup(config->path) : NULL;
    if (config->path && (!path || !take_file_over(config, &taken))) {
        free(path);
        close(taken.fd);
        return false;
    }
    *ret_socket = (struct sv_http_socket){
        .fd = taken.fd, .path = path, .device = taken.device, .inode = taken.inode};
    return true;
}

void sv_http_socket_done(struct sv_http_socket *socket)
{
    struct stat status;
    if (socket->path && lstat(socket->path, &status) == 0 && status.st_dev == socket->device &&
        status.st_ino == socket->inode)
        unlink(socket->path);
    free(socket->path);
    *socket = (struct sv_http_socket){.fd = -1};
}
