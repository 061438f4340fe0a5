/*
 * Where a log goes: a regular file, a FIFO, a terminal, /dev/null, or the socket behind
 * /dev/stdout.
 *
 * Opened for appending, close-on-exec, and written without ever waiting for a reader. See stream.c.
 */
#ifndef SV_IO_STREAM_H
#define SV_IO_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sv_stream {
    int fd; /* -1: closed; so the zero value is not an empty stream: use SV_STREAM_CLOSED */
    bool is_regular; /* it has a size: it can be rotated and cleared */
    bool is_socket;
};

#define SV_STREAM_CLOSED ((struct sv_stream){.fd = -1})

/* `is_truncating` empties a regular file. Returns 0 or a negative errno. */
int sv_stream_open(const char *path, bool is_truncating, struct sv_stream *ret_stream);
/* This process's standard output, on a description of its own where that keeps us from blocking. */
int sv_stream_open_stdout(struct sv_stream *ret_stream);
void sv_stream_close(struct sv_stream *stream);
/* Writes what can be written now. Returns the bytes written; less than `length`: ret_error has a
 * positive errno (EAGAIN: the reader is slow), otherwise it has 0. */
size_t sv_stream_write(const struct sv_stream *stream, const char *data, size_t length,
                       int *ret_error);
/* Moves bytes from a pipe to the end of a regular file, in one step that no death of ours can
 * halve: they are in the pipe, or in the file. Otherwise as sv_stream_write(). EINVAL: not this
 * file, or no pipe. */
size_t sv_stream_splice(const struct sv_stream *stream, int pipe_fd, size_t length, int *ret_error);
/* Where the last write ended, as Python's tell(): for a file that several streams append to, its
 * size. */
uint64_t sv_stream_position(const struct sv_stream *stream);

#endif
