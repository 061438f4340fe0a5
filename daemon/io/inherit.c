/*
 * When svisord executes itself, its listening sockets stay open: a client that connects meanwhile
 * waits in their queues, and nobody is refused. Everything else begins anew, as after a death: the
 * state comes from the journal, the descriptors of the programs from the keeper.
 *
 * What the next image must know stands in one variable of its environment, a line for each socket,
 * in decimal:
 *
 *     SVISOR_REEXEC = "0.1.0\n7 26 4711 unix:/run/svisor.sock\n9 0 0 tcp:127.0.0.1:9001\n"
 *
 * The first line is the version that wrote it. A later version may add words to a line or lines of
 * another form; an older one does not understand those and opens a socket of its own instead. What
 * is written here is of svisord alone, but it is checked all the same: anybody can set a variable.
 */
#include "io/inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define VARIABLE "SVISOR_REEXEC"

static bool is_listening_socket(int fd)
{
    int is_listening = 0;
    socklen_t length = sizeof(is_listening);
    return fd > STDERR_FILENO &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &length) == 0 && is_listening;
}

static void close_socket(struct sv_inherited_socket *socket)
{
    close(socket->fd);
    free(socket->address);
}

int sv_inherited_add(struct sv_inherited *inherited, const struct sv_inherited_socket *socket)
{
    struct sv_inherited_socket *sockets =
        realloc(inherited->sockets, (inherited->socket_count + 1) * sizeof(*sockets));
    if (sockets) {
        inherited->sockets = sockets;
        sockets[inherited->socket_count++] = *socket;
        return 0;
    }
    struct sv_inherited_socket lost = *socket;
    close_socket(&lost);
    return -ENOMEM;
}

/* One line without its end. Nonsense is passed over. */
static int read_line(struct sv_inherited *inherited, const char *line)
{
    int fd, length = 0;
    uint64_t device, inode;
    if (sscanf(line, "%d %" SCNu64 " %" SCNu64 " %n", &fd, &device, &inode, &length) != 3 ||
        !line[length] || !is_listening_socket(fd))
        return 0;
    struct sv_inherited_socket socket = {
        .fd = fd, .device = (dev_t)device, .inode = (ino_t)inode, .address = strdup(line + length)};
    if (!socket.address)
        return -ENOMEM;
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    return sv_inherited_add(inherited, &socket);
}

int sv_inherited_read(struct sv_inherited *ret_inherited)
{
    const char *value = getenv(VARIABLE);
    if (!value)
        return 0;
    char *lines = strdup(value);
    unsetenv(VARIABLE);
    if (!lines)
        return -ENOMEM;
    int r = 0;
    char *rest = lines;
    char *version = strsep(&rest, "\n");
    ret_inherited->version = strdup(version);
    if (!ret_inherited->version)
        r = -ENOMEM;
    for (char *line; r == 0 && (line = strsep(&rest, "\n"));)
        r = read_line(ret_inherited, line);
    free(lines);
    return r;
}

int sv_inherited_write(const struct sv_inherited *inherited)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_add(&text, SV_VERSION "\n");
    for (size_t i = 0; i < inherited->socket_count; i++) {
        const struct sv_inherited_socket *socket = &inherited->sockets[i];
        sv_str_addf(&text, "%d %" PRIu64 " %" PRIu64 " %s\n", socket->fd, (uint64_t)socket->device,
                    (uint64_t)socket->inode, socket->address);
        if (fcntl(socket->fd, F_SETFD, 0) < 0)
            return error_trace(-errno);
    }
    if (!sv_str_ok(&text))
        return -ENOMEM;
    return setenv(VARIABLE, sv_str_text(&text), 1) < 0 ? -errno : 0;
}

void sv_inherited_unwrite(const struct sv_inherited *inherited)
{
    unsetenv(VARIABLE);
    for (size_t i = 0; i < inherited->socket_count; i++)
        (void)fcntl(inherited->sockets[i].fd, F_SETFD, FD_CLOEXEC);
}

bool sv_inherited_take(struct sv_inherited *inherited, const char *address,
                       struct sv_inherited_socket *ret_socket)
{
    for (size_t i = 0; i < inherited->socket_count; i++) {
        struct sv_inherited_socket *socket = &inherited->sockets[i];
        if (strcmp(socket->address, address) != 0)
            continue;
        free(sv_steal(&socket->address));
        *ret_socket = *socket;
        *socket = inherited->sockets[--inherited->socket_count];
        return true;
    }
    return false;
}

static void remove_file(const struct sv_inherited_socket *socket)
{
    static const char prefix[] = "unix:";
    struct stat status;
    const char *path = socket->address + sizeof(prefix) - 1;
    if (strncmp(socket->address, prefix, sizeof(prefix) - 1) == 0 && lstat(path, &status) == 0 &&
        status.st_dev == socket->device && status.st_ino == socket->inode)
        unlink(path);
}

void sv_inherited_done(struct sv_inherited *inherited)
{
    for (size_t i = 0; i < inherited->socket_count; i++) {
        remove_file(&inherited->sockets[i]);
        close_socket(&inherited->sockets[i]);
    }
    free(inherited->sockets);
    free(inherited->version);
    *inherited = (struct sv_inherited){0};
}
