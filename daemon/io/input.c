/*
 * The writing end of a program's stdin. What does not fit into the pipe waits here, up to
 * SV_STDIN_BUFFER_BYTES_MAX, and the descriptor is watched only while something waits.
 *
 * A write is taken whole or not at all: half a message of the event protocol would be worse than
 * none. So the bound is checked before the first byte goes out.
 *
 * Invariant: `waiting` is empty or the source is enabled. Needs SIGPIPE to be ignored
 * (daemonize.h).
 */
#include "io/input.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <svisor/limits.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/error.h"
#include "base/str.h"

struct sv_input {
    int fd;
    bool is_broken; /* nobody reads any more */
    struct sv_str waiting;
    size_t written; /* of `waiting`; dropped from its front when it is worth the move */
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

static void forget(struct sv_input *input)
{
    sv_str_done(&input->waiting);
    input->written = 0;
    sv_source_free(input->source);
    input->source = NULL;
}

static void on_writable(void *user, int fd, uint32_t events)
{
    (void)events;
    struct sv_input *input = user;
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

static int wait_with(struct sv_input *input, const char *data, size_t length)
{
    sv_str_append(&input->waiting, data, length);
    int r = sv_str_ok(&input->waiting) ? 0 : -ENOMEM;
    if (r == 0 && !input->source)
        r = sv_loop_add_io(input->loop, input->fd, EPOLLOUT, SV_PRIORITY_NORMAL, on_writable, input,
                           &input->source);
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
    if (waiting > 0)
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
