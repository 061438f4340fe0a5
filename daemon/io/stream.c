/*
 * A supervisor that waits for the reader of a log stops supervising. So every destination that can
 * make a writer wait is opened O_NONBLOCK, on an open file description of our own: the flag belongs
 * to the description, and setting it on the shared one behind descriptor 1 would surprise everybody
 * else who writes there (the shell that started us, for one).
 *
 * What open(2) does for the names that people write (Linux, fs/pipe.c fifo_open(), fs/proc/fd.c):
 *
 *   a file            a new description; O_NONBLOCK has no effect
 *   a FIFO            O_WRONLY|O_NONBLOCK fails with ENXIO while nobody reads, and a blocking open
 * would wait; O_RDWR always succeeds. What is written before a reader comes fills the pipe buffer
 * and waits for it there; the rest is lost, and counted by the logfile. /dev/stdout       leads to
 * /proc/self/fd/1: a pipe or terminal is opened anew, as wanted. A socket (standard output under
 * systemd) cannot be opened, ENXIO: the descriptor is duplicated, and MSG_DONTWAIT takes the place
 * of O_NONBLOCK.
 */
#include "io/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"

enum { LOG_FILE_MODE = 0666 /* less the umask, as open() of Python */ };

#define OPEN_FLAGS (O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

/* Names of descriptors that this process inherited. */
static const struct {
    const char *prefix;
    int fd; /* -1: the number follows */
} descriptor_names[] = {
    {"/dev/stdout", STDOUT_FILENO},
    {"/dev/stderr", STDERR_FILENO},
    {"/dev/fd/", -1},
    {"/proc/self/fd/", -1},
};

static int descriptor_of(const char *path)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(descriptor_names); i++) {
        size_t length = strlen(descriptor_names[i].prefix);
        if (strncmp(path, descriptor_names[i].prefix, length) != 0)
            continue;
        if (descriptor_names[i].fd >= 0)
            return path[length] == '\0' ? descriptor_names[i].fd : -1;
        char *end;
        unsigned long fd = strtoul(path + length, &end, 10);
        return end != path + length && *end == '\0' && fd < INT32_MAX ? (int)fd : -1;
    }
    return -1;
}

static int adopt(int fd, struct sv_stream *ret_stream)
{
    struct stat status;
    if (fstat(fd, &status) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    *ret_stream = (struct sv_stream){
        .fd = fd,
        .is_regular = S_ISREG(status.st_mode),
        .is_socket = S_ISSOCK(status.st_mode),
    };
    return 0;
}

int sv_stream_open(const char *path, bool is_truncating, struct sv_stream *ret_stream)
{
    int truncate = is_truncating ? O_TRUNC : 0;
    int fd = open(path, O_WRONLY | OPEN_FLAGS | truncate, LOG_FILE_MODE);
    if (fd < 0 && errno == ENXIO) {
        fd = open(path, O_RDWR | OPEN_FLAGS, LOG_FILE_MODE);
        if (fd < 0 && errno == ENXIO && descriptor_of(path) >= 0)
            fd = fcntl(descriptor_of(path), F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    }
    if (fd < 0)
        return -errno;
    int r = adopt(fd, ret_stream);
    if (r < 0 || !ret_stream->is_regular)
        return r;
    /* The position starts at the end, as Python's mode "a" has it: a full file turns over at once.
     */
    if (lseek(fd, 0, SEEK_END) < 0) {
        r = -errno;
        sv_stream_close(ret_stream);
    }
    return r;
}

int sv_stream_open_stdout(struct sv_stream *ret_stream)
{
    struct stat status;
    if (fstat(STDOUT_FILENO, &status) < 0)
        return -errno;
    int fd = -1;
    /* A file keeps its description: a second one would have a second position, and what others
     * print through the first would overwrite our lines. */
    if (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode))
        fd = open("/proc/self/fd/1", O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (fd < 0)
        return -errno;
    return adopt(fd, ret_stream);
}

void sv_stream_close(struct sv_stream *stream)
{
    if (stream->fd >= 0)
        close(stream->fd);
    *stream = SV_STREAM_CLOSED;
}

size_t sv_stream_write(const struct sv_stream *stream, const char *data, size_t length,
                       int *ret_error)
{
    size_t done = 0;
    *ret_error = 0;
    while (done < length) {
        ssize_t n = stream->is_socket
                        ? send(stream->fd, data + done, length - done, MSG_DONTWAIT | MSG_NOSIGNAL)
                        : write(stream->fd, data + done, length - done);
        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            *ret_error = n == 0 ? EIO : errno;
            break;
        }
    }
    return done;
}

/*
 * splice(2) refuses a file that is open for appending (fs/splice.c, do_splice_from(): EINVAL), so
 * the flag is off for the moment, and the position is set to the end by hand. That is the same
 * while nobody but this process appends, and whoever else does had the same problem with
 * Supervisor.
 */
size_t sv_stream_splice(const struct sv_stream *stream, int pipe_fd, size_t length, int *ret_error)
{
    *ret_error = EINVAL;
    int flags = stream->is_regular ? fcntl(stream->fd, F_GETFL) : -1;
    if (flags < 0 || fcntl(stream->fd, F_SETFL, flags & ~O_APPEND) < 0)
        return 0;
    size_t done = 0;
    *ret_error = lseek(stream->fd, 0, SEEK_END) < 0 ? errno : 0;
    while (done < length && *ret_error == 0) {
        ssize_t n = splice(pipe_fd, NULL, stream->fd, NULL, length - done, SPLICE_F_NONBLOCK);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            *ret_error = n == 0 ? EIO : errno;
    }
    (void)fcntl(stream->fd, F_SETFL, flags);
    return done;
}

uint64_t sv_stream_position(const struct sv_stream *stream)
{
    off_t position = lseek(stream->fd, 0, SEEK_CUR);
    return position < 0 ? 0 : (uint64_t)position;
}
