/*
 * The writing end of a program's stdin. What does not fit into the pipe waits here, up to
 * SV_STDIN_BUFFER_BYTES_MAX, and the descriptor is watched only while something waits.
 *
 * A write is taken whole or not at all: half a message of the event protocol would be worse than
 * none. So the bound is checked before the first byte goes out.
 *
 * What is sent with a cursor goes the other way round: not copied into the pipe by write(), but
 * moved there by splice() out of a file in memory that is made for it. So the kernel counts what
 * has gone, in the same call and where it outlives us, and the next daemon sends the rest: not a
 * byte more or less. A file for each, because the pipe goes on pointing to its pages. Where
 * splice() cannot be had, it is written and counted afterwards, and a SIGKILL in between sends it
 * twice.
 *
 * Invariant: `waiting` is empty and nothing is being sent, or the source is enabled. Needs SIGPIPE
 * to be ignored (daemonize.h).
 */
#include "io/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <svisor/limits.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/str.h"

struct sv_input {
    int fd;
    bool is_broken; /* nobody reads any more */
    struct sv_str waiting;
    size_t written;  /* of `waiting`; dropped from its front when it is worth the move */
    int file_fd;     /* what is being sent, before all that waits; -1: nothing */
    int64_t *cursor; /* how far it has come */
    int64_t file_bytes;
    struct sv_loop *loop;
    struct sv_source *source; /* made by the first write that has to wait */
};

/* The bytes that went out, or a negative errno other than EAGAIN. */
static ssize_t write_now(int fd, const char *data, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t n = write(fd, data + done, length - done);
        if (n >= 0)
            done += (size_t)n;
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            return -errno;
    }
    return (ssize_t)done;
}

static void end_file(struct sv_input *input)
{
    if (input->file_fd >= 0)
        close(input->file_fd);
    input->file_fd = -1;
}

static void forget(struct sv_input *input)
{
    end_file(input);
    sv_str_done(&input->waiting);
    input->written = 0;
    sv_source_free(input->source);
    input->source = NULL;
}

/* As much of the file as the pipe takes now. 0, or a negative errno. */
static int send_now(struct sv_input *input)
{
    while (*input->cursor < input->file_bytes) {
        ssize_t n = splice(input->file_fd, input->cursor, input->fd, NULL,
                           (size_t)(input->file_bytes - *input->cursor), SPLICE_F_NONBLOCK);
        if (n < 0 && errno == EAGAIN)
            return 0;
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            return -EIO;
    }
    end_file(input);
    return 0;
}

static void on_writable(void *user, int fd, uint32_t events)
{
    (void)events;
    struct sv_input *input = user;
    if (input->file_fd >= 0 && send_now(input) < 0) {
        input->is_broken = true;
        forget(input);
        return;
    }
    if (input->file_fd >= 0)
        return;
    ssize_t n =
        write_now(fd, input->waiting.data + input->written, input->waiting.length - input->written);
    if (n < 0)
        input->is_broken = true;
    else
        input->written += (size_t)n;
    if (n < 0 || input->written == input->waiting.length) {
        forget(input);
    } else if (input->written > input->waiting.length / 2) {
        sv_str_drop_front(&input->waiting, input->written);
        input->written = 0;
    }
}

int sv_input_new(struct sv_loop *loop, int fd, struct sv_input **ret_input)
{
    struct sv_input *input = calloc(1, sizeof(*input));
    if (!input) {
        close(fd);
        return -ENOMEM;
    }
    input->fd = fd;
    input->file_fd = -1;
    input->loop = loop;
    *ret_input = input;
    return 0;
}

int sv_input_fd(const struct sv_input *input)
{
    return input->fd;
}

void sv_input_free(struct sv_input *input)
{
    if (!input)
        return;
    forget(input);
    close(input->fd);
    free(input);
}

static int watch(struct sv_input *input)
{
    if (input->source)
        return 0;
    return sv_loop_add_io(input->loop, input->fd, EPOLLOUT, SV_PRIORITY_NORMAL, on_writable, input,
                          &input->source);
}

static int wait_with(struct sv_input *input, const char *data, size_t length)
{
    sv_str_append(&input->waiting, data, length);
    int r = sv_str_ok(&input->waiting) ? watch(input) : -ENOMEM;
    if (r < 0) {
        /* The stream has a hole now: nothing that follows would make sense to the reader. */
        input->is_broken = true;
        forget(input);
        return error_trace(r);
    }
    return 0;
}

int sv_input_write(struct sv_input *input, const void *data, size_t length)
{
    if (input->is_broken)
        return -EPIPE;
    size_t waiting = input->waiting.length - input->written;
    if (length > SV_STDIN_BUFFER_BYTES_MAX || waiting > SV_STDIN_BUFFER_BYTES_MAX - length)
        return -ENOBUFS;
    if (waiting > 0 || input->file_fd >= 0)
        return wait_with(input, data, length);
    ssize_t n = write_now(input->fd, data, length);
    if (n < 0) {
        input->is_broken = true;
        return (int)n;
    }
    if ((size_t)n == length)
        return 0;
    return wait_with(input, (const char *)data + n, length - (size_t)n);
}

/* A file in memory with these bytes, or a negative errno. */
static int make_file(const char *data, size_t length)
{
    int fd = memfd_create("svisor-event", MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = write_now(fd, data, length);
    if (n != (ssize_t)length) {
        close(fd);
        return n < 0 ? (int)n : -EIO;
    }
    return fd;
}

static int write_and_count(struct sv_input *input, const char *data, size_t length, int64_t *cursor)
{
    int r = sv_input_write(input, data + *cursor, length - (size_t)*cursor);
    if (r == 0)
        *cursor = (int64_t)length;
    return r;
}

int sv_input_send(struct sv_input *input, const void *data, size_t length, int64_t *cursor)
{
    if (input->is_broken)
        return -EPIPE;
    if (length > SV_STDIN_BUFFER_BYTES_MAX)
        return -ENOBUFS;
    if (*cursor < 0 || *cursor >= (int64_t)length)
        return *cursor == (int64_t)length ? 0 : -EINVAL;
    bool is_first = input->waiting.length == input->written && input->file_fd < 0;
    input->file_fd = is_first ? make_file(data, length) : input->file_fd;
    if (!is_first || input->file_fd < 0)
        return write_and_count(input, data, length, cursor);
    input->cursor = cursor;
    input->file_bytes = (int64_t)length;
    int r = send_now(input);
    if (r == -EINVAL || r == -ENOSYS) { /* no pipe, or no splice() from memory */
        end_file(input);
        return write_and_count(input, data, length, cursor);
    }
    if (r == 0 && input->file_fd >= 0)
        r = watch(input);
    if (r < 0) {
        input->is_broken = true;
        forget(input);
    }
    return r;
}
