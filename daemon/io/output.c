/*
 * The reading end of one channel of one run.
 *
 *     pipe --read--> strip_ansi? --> capture? --> sink (log file, syslog, journal)
 *                                             \-> callbacks (events, listeners)
 *
 * Surviving. A byte that was read and not yet written would die with the daemon. So where it goes
 * to the log file as it is, it is only looked at (tee), and then moved by the kernel from the pipe
 * to the file (splice): at every moment it is in one of the two. With strip_ansi or capture mode
 * the log is not what was written, and a piece of up to 128 KB can be lost in the moment of the
 * daemon's death.
 *
 * An event listener is heard before its bytes leave the pipe (`is_heard_first`): who hears it
 * writes down what it has said, and a daemon that dies in between leaves it to be heard again. The
 * moment of leaving is the owner's: sv_output_settle().
 *
 * Fairness. A turn reads at most SV_OUTPUT_TURN_BYTES_MAX, in pieces of at most READ_BYTES
 * (Supervisor's own 128 KB: a piece is also one PROCESS_LOG event and the unit by which a log file
 * turns over), and runs at SV_PRIORITY_OUTPUT, behind exits, timers and requests. A program that
 * never stops writing costs the others one turn, never more. Where each line is a datagram (syslog,
 * the journal) a turn is shorter, and so is the pipe: 256 KB of empty lines took 200 ms.
 *
 * Memory. The buffer is on the stack of the callback: one for all programs, and none between turns.
 * With thousands of programs a buffer for each would be the daemon's largest part.
 *
 * The pipe is made larger (SV_OUTPUT_PIPE_BYTES) when a turn finds as much in it as a default pipe
 * holds, not before: the kernel allocates 10 KB of slots for a pipe of 1 MB, which quiet programs
 * do not need.
 *
 * The child's end of the pipe is open for reading too (see pipes.c), so the end of file comes when
 * the last process that inherited it is gone, which may be long after the program itself.
 *
 * Capture. As in Supervisor's code, `data` also sees what is between the tokens (its documentation
 * says otherwise); only the log file, syslog and journal do not.
 */
#include "io/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <svisor/limits.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "io/ansi.h"
#include "io/capture.h"
#include "io/sink.h"

enum { READ_BYTES = 128 << 10, DEFAULT_PIPE_BYTES = 64 << 10 };

struct sv_output {
    struct sv_loop *loop;
    int fd;
    bool is_pipe_large;
    struct sv_ansi ansi;
    struct sv_sink *sink;
    struct sv_source *source;   /* NULL after the end of file */
    struct sv_capture *capture; /* NULL: no capture mode */
    struct sv_str captured;
    struct sv_output_callbacks callbacks;
    const char *heard; /* told, and still in the pipe; NULL: nothing */
    size_t heard_length;
};

enum reading { READ_SOME, READ_NOTHING_NOW, READ_END };

static void log_to_main(const struct sv_output *output, const char *data, size_t length)
{
    if (!sv_log_enabled(SV_LOG_DEBUG))
        return;
    int shown = length > SV_SYSLOG_LINE_BYTES_MAX ? SV_SYSLOG_LINE_BYTES_MAX : (int)length;
    sv_log_debug("'%s' %s output:\n%.*s", sv_sink_process_name(output->sink),
                 sv_sink_channel(output->sink) == SV_STDOUT ? "stdout" : "stderr", shown, data);
}

static void tell(struct sv_output *output, const char *data, size_t length)
{
    log_to_main(output, data, length);
    if (output->callbacks.data)
        output->callbacks.data(output->callbacks.user, sv_sink_channel(output->sink), data, length);
}

static void on_piece(void *user, const char *data, size_t length, bool is_captured)
{
    struct sv_output *output = user;
    if (is_captured)
        sv_capture_bound_append(&output->captured, sv_sink_config(output->sink)->capture_maxbytes,
                                data, length);
    else
        sv_sink_write(output->sink, data, length);
    tell(output, data, length);
}

static void on_capture_ended(void *user)
{
    struct sv_output *output = user;
    if (!sv_str_ok(&output->captured))
        sv_log_error("%s: no memory for a captured event; it is dropped",
                     sv_sink_process_name(output->sink));
    else if (output->callbacks.captured)
        output->callbacks.captured(output->callbacks.user, sv_sink_channel(output->sink),
                                   sv_str_text(&output->captured), output->captured.length);
    sv_str_done(&output->captured);
}

static void take_plain(struct sv_output *output, const char *data, size_t length)
{
    if (output->capture)
        sv_capture_feed(output->capture, data, length);
    else if (length > 0)
        on_piece(output, data, length, false);
}

/* Apart, so that the second buffer is on the stack only where it is needed. */
__attribute__((noinline)) static void take_stripped(struct sv_output *output, const char *data,
                                                    size_t length)
{
    char text[READ_BYTES + 1];
    take_plain(output, text, sv_ansi_strip(&output->ansi, data, length, text));
}

/* The stream has ended: hands out everything that waited for more. */
static void finish_stream(struct sv_output *output)
{
    char escape;
    if (sv_sink_strips_ansi(output->sink))
        take_plain(output, &escape, sv_ansi_finish(&output->ansi, &escape));
    if (output->capture)
        sv_capture_finish(output->capture);
    sv_sink_end_run(output->sink);
}

static void enlarge_pipe(struct sv_output *output)
{
    output->is_pipe_large = true;
    /* EPERM: the user's quota of pipe memory is used up. The pipe works as it is. */
    (void)fcntl(output->fd, F_SETPIPE_SZ, (int)SV_OUTPUT_PIPE_BYTES);
}

/* What read(2) or tee(2) said, as a reading. */
static enum reading judge(const struct sv_output *output, ssize_t n)
{
    if (n > 0)
        return READ_SOME;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return READ_NOTHING_NOW;
    if (n < 0)
        sv_log_error("cannot read the output of %s: %s; it is read no more",
                     sv_sink_process_name(output->sink), sv_errno_text(errno));
    return READ_END;
}

static enum reading read_and_take(struct sv_output *output, size_t bytes_max, size_t *ret_length)
{
    char data[READ_BYTES];
    ssize_t n = read(output->fd, data, bytes_max < sizeof(data) ? bytes_max : sizeof(data));
    enum reading reading = judge(output, n);
    if (reading != READ_SOME)
        return reading;
    *ret_length = (size_t)n;
    if (sv_sink_strips_ansi(output->sink))
        take_stripped(output, data, (size_t)n);
    else
        take_plain(output, data, (size_t)n);
    return READ_SOME;
}

void sv_output_settle(struct sv_output *output)
{
    if (!output->heard)
        return;
    const char *data = output->heard;
    output->heard = NULL;
    sv_sink_move(output->sink, output->fd, data, output->heard_length);
}

/* Reads back all of what tee() has put into the scratch pipe: it must be left empty. */
static bool read_copy(int fd, char *data, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t n = read(fd, data + done, length - done);
        if (n <= 0 && errno != EINTR)
            return false;
        if (n > 0)
            done += (size_t)n;
    }
    return true;
}

/*
 * Looks at the bytes while they stay in the pipe, then moves them to the log file. A daemon that
 * dies anywhere in here leaves each byte in one of the two places, and the next one goes on.
 */
static enum reading look_and_move(struct sv_output *output, size_t bytes_max, size_t *ret_length)
{
    char data[READ_BYTES];
    int scratch[2];
    sv_output_settle(output); /* who is told of it may have had all of the rest read */
    if (sv_loop_scratch_pipe(output->loop, scratch) < 0)
        return read_and_take(output, bytes_max, ret_length);
    ssize_t n = tee(output->fd, scratch[1], bytes_max < sizeof(data) ? bytes_max : sizeof(data),
                    SPLICE_F_NONBLOCK);
    if (n < 0 && errno == EINVAL) /* no pipe: an adopted descriptor may be anything */
        return read_and_take(output, bytes_max, ret_length);
    enum reading reading = judge(output, n);
    if (reading != READ_SOME)
        return reading;
    *ret_length = (size_t)n;
    if (!read_copy(scratch[0], data, (size_t)n))
        return READ_END;
    output->heard = data;
    output->heard_length = (size_t)n;
    if (output->callbacks.is_heard_first)
        tell(output, data, (size_t)n);
    sv_output_settle(output);
    if (!output->callbacks.is_heard_first)
        tell(output, data, (size_t)n);
    return READ_SOME;
}

/* What is not told as it is written cannot be. */
static bool is_heard_in_pipe(const struct sv_output *output)
{
    return output->callbacks.is_heard_first && !output->capture &&
           !sv_sink_strips_ansi(output->sink);
}

static enum reading read_once(struct sv_output *output, size_t bytes_max, size_t *ret_length)
{
    enum reading reading = sv_sink_takes_pipe(output->sink) || is_heard_in_pipe(output)
                               ? look_and_move(output, bytes_max, ret_length)
                               : read_and_take(output, bytes_max, ret_length);
    if (reading == READ_SOME && *ret_length >= DEFAULT_PIPE_BYTES && !output->is_pipe_large &&
        !sv_sink_has_lines(output->sink))
        enlarge_pipe(output);
    return reading;
}

/* Reads up to about `bytes_max`; to the last byte only if nobody comes back for the rest. True at
 * the end of the file. */
static bool read_bounded(struct sv_output *output, size_t bytes_max, bool is_last)
{
    size_t total = 0;
    while (total < bytes_max) {
        size_t length = 0;
        enum reading reading = read_once(output, bytes_max - total, &length);
        if (reading != READ_SOME)
            return reading == READ_END;
        total += length;
        /* Less than a piece: most likely the pipe was emptied, and the next call would only say
         * EAGAIN. What is left wakes the loop by itself (a pipe is full of pages, and in each of
         * them there may be room for less than a line). */
        if (length < DEFAULT_PIPE_BYTES && !is_last)
            return false;
    }
    return false;
}

/* The output may be gone when this returns: its owner frees it in `closed`. */
static void end(struct sv_output *output)
{
    sv_source_free(output->source);
    output->source = NULL;
    finish_stream(output);
    if (output->callbacks.closed)
        output->callbacks.closed(output->callbacks.user, sv_sink_channel(output->sink));
}

static void on_readable(void *user, int fd, uint32_t events)
{
    (void)fd;
    (void)events;
    struct sv_output *output = user;
    bool has_lines = sv_sink_has_lines(output->sink);
    if (read_bounded(output, has_lines ? SV_OUTPUT_LINES_TURN_BYTES_MAX : SV_OUTPUT_TURN_BYTES_MAX,
                     false))
        end(output);
}

static int start(struct sv_output *output, struct sv_loop *loop)
{
    int r = sv_sink_open(output->sink);
    if (r < 0)
        return r;
    if (sv_sink_config(output->sink)->capture_maxbytes > 0) {
        struct sv_capture_callbacks capture = {output, on_piece, on_capture_ended};
        output->capture = sv_capture_new(&capture);
        if (!output->capture)
            return -ENOMEM;
    }
    return sv_loop_add_io(loop, output->fd, EPOLLIN, SV_PRIORITY_OUTPUT, on_readable, output,
                          &output->source);
}

int sv_output_new(struct sv_loop *loop, int fd, struct sv_sink *sink,
                  const struct sv_output_callbacks *callbacks, struct sv_output **ret_output)
{
    struct sv_output *output = calloc(1, sizeof(*output));
    if (!output) {
        close(fd);
        return -ENOMEM;
    }
    output->loop = loop;
    output->fd = fd;
    output->sink = sink;
    output->callbacks = *callbacks;
    int r = start(output, loop);
    if (r < 0) {
        sv_output_free(output);
        return error_trace(r);
    }
    *ret_output = output;
    return 0;
}

int sv_output_fd(const struct sv_output *output)
{
    return output->source ? output->fd : -1;
}

void sv_output_drain(struct sv_output *output)
{
    if (output->source && read_bounded(output, SV_OUTPUT_PIPE_BYTES, true))
        end(output);
}

void sv_output_free(struct sv_output *output)
{
    if (!output)
        return;
    if (output->source) {
        (void)read_bounded(output, SV_OUTPUT_PIPE_BYTES, true);
        sv_source_free(output->source);
        finish_stream(output);
    }
    sv_capture_free(output->capture);
    sv_str_done(&output->captured);
    close(output->fd);
    free(output);
}
