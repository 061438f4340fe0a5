/*
 * A log file that turns over as Supervisor's does (loggers.py, RotatingFileHandler):
 *
 *   - A piece is written whole; *then*, if the position is at `maxbytes` or beyond, the file turns
 * over. So a file is never cut inside a piece, and may end above maxbytes by less than one piece.
 *   - x.log.(N-1) becomes x.log.N, … x.log becomes x.log.1, and a new, empty x.log is opened. With
 * no backups x.log is emptied. maxbytes 0: never.
 *   - The position is the kernel's, after an append: two channels that share one file
 * (stdout_logfile and stderr_logfile of one name) see each other's bytes, and the file turns over
 * in time.
 *   - What is not a regular file (a FIFO, a terminal, /dev/stdout, /dev/null) never turns over and
 * is never removed. Supervisor fails on the first write to such a file unless maxbytes is 0.
 *
 * Invariants. The path is never left without an attempt to open it again. A write never waits and
 * never fails for the caller: bytes that could not be written are counted. A row of failures is
 * told twice: when it begins, and, with the count of bytes, when it ends. The state is changed
 * before the line is logged: the line may come back here, since the daemon's own log is a logfile
 * too.
 *
 * A file that could not be opened (after a rotation, or because its directory went away) is tried
 * again once a second, at the next write.
 */
#include "io/logfile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/log.h"
#include "io/loop.h"
#include "io/stream.h"

#define REOPEN_PAUSE_NS UINT64_C(1000000000)

struct sv_logfile {
    struct sv_stream stream;
    char *path;
    uint64_t maxbytes;
    uint32_t backups;
    int failure;              /* positive errno of the first failure of a row; 0: writing */
    uint64_t failed_bytes;    /* lost in this row */
    uint64_t lost_bytes;      /* lost in all */
    uint64_t reopen_after_ns; /* while the stream is closed */
};

static struct sv_logfile *new_file(const char *path, uint64_t maxbytes, uint32_t backups)
{
    struct sv_logfile *file = calloc(1, sizeof(*file));
    if (!file)
        return NULL;
    file->stream = SV_STREAM_CLOSED;
    file->maxbytes = maxbytes;
    file->backups = backups;
    file->path = strdup(path);
    if (!file->path) {
        free(file);
        return NULL;
    }
    return file;
}

int sv_logfile_open(const char *path, uint64_t maxbytes, uint32_t backups,
                    struct sv_logfile **ret_file)
{
    struct sv_logfile *file = new_file(path, maxbytes, backups);
    if (!file)
        return -ENOMEM;
    int r = sv_stream_open(path, false, &file->stream);
    if (r < 0) {
        sv_logfile_free(file);
        return error_trace(r);
    }
    *ret_file = file;
    return 0;
}

int sv_logfile_open_stdout(struct sv_logfile **ret_file)
{
    struct sv_logfile *file = new_file("/dev/stdout", 0, 0);
    if (!file)
        return -ENOMEM;
    int r = sv_stream_open_stdout(&file->stream);
    if (r < 0) {
        sv_logfile_free(file);
        return error_trace(r);
    }
    *ret_file = file;
    return 0;
}

void sv_logfile_free(struct sv_logfile *file)
{
    if (!file)
        return;
    sv_stream_close(&file->stream);
    free(file->path);
    free(file);
}

/* `error` is positive. The first of a row is told. */
static void lose(struct sv_logfile *file, size_t length, int error)
{
    file->lost_bytes += length;
    file->failed_bytes += length;
    if (file->failure)
        return;
    file->failure = error;
    sv_log_error(
        "cannot write to %s: %s; output is dropped and counted until it can be written again",
        file->path, sv_errno_text(error));
}

static void recover(struct sv_logfile *file)
{
    int error = file->failure;
    uint64_t bytes = file->failed_bytes;
    file->failure = 0;
    file->failed_bytes = 0;
    sv_log_warn("%" PRIu64 " bytes could not be written to %s: %s; now writing again", bytes,
                file->path, sv_errno_text(error));
}

/* Opens the path again after its stream was closed. Says so when that fails. */
static int open_again(struct sv_logfile *file, bool is_truncating)
{
    sv_stream_close(&file->stream);
    int r = sv_stream_open(file->path, is_truncating, &file->stream);
    if (r < 0) {
        file->reopen_after_ns = sv_now_ns() + REOPEN_PAUSE_NS;
        lose(file, 0, -r);
    }
    return r;
}

static void rename_backup(const char *from, const char *to)
{
    /* Without the source there is nothing to keep; another failure is worth a line, not a stop. */
    if (rename(from, to) < 0 && errno != ENOENT)
        sv_log_warn("cannot rename the log file %s to %s: %s; it is not kept", from, to,
                    sv_errno_text(errno));
}

static void turn_over(struct sv_logfile *file)
{
    struct sv_str from SV_CLEANUP(sv_str_done) = {0};
    struct sv_str to SV_CLEANUP(sv_str_done) = {0};

    sv_stream_close(&file->stream);
    for (uint32_t i = file->backups; i > 0; i--) {
        sv_str_clear(&from);
        sv_str_clear(&to);
        sv_str_add(&from, file->path);
        if (i > 1)
            sv_str_addf(&from, ".%" PRIu32, i - 1);
        sv_str_addf(&to, "%s.%" PRIu32, file->path, i);
        if (sv_str_ok(&from) && sv_str_ok(&to))
            rename_backup(sv_str_text(&from), sv_str_text(&to));
    }
    (void)open_again(file, true); /* tells, and tries again, by itself */
}

static void turn_over_if_full(struct sv_logfile *file)
{
    if (file->maxbytes > 0 && file->stream.is_regular &&
        sv_stream_position(&file->stream) >= file->maxbytes)
        turn_over(file);
}

void sv_logfile_write(struct sv_logfile *file, const void *data, size_t length)
{
    if (length == 0)
        return;
    if (file->stream.fd < 0 &&
        (sv_now_ns() < file->reopen_after_ns || open_again(file, false) < 0)) {
        lose(file, length, EBADF);
        return;
    }
    int error;
    size_t done = sv_stream_write(&file->stream, data, length, &error);
    if (error)
        lose(file, length - done, error);
    else if (file->failure)
        recover(file);
    turn_over_if_full(file);
}

size_t sv_logfile_splice(struct sv_logfile *file, int pipe_fd, size_t length)
{
    if (file->stream.fd < 0 || file->failure)
        return 0;
    int error;
    size_t done = sv_stream_splice(&file->stream, pipe_fd, length, &error);
    if (done == length)
        turn_over_if_full(file); /* else the rest of the piece is written first */
    return done;
}

/* Standard output has no name to open it by, and whoever gave it to us rotates it. */
static bool is_ours_to_replace(const struct sv_logfile *file)
{
    return file->stream.fd < 0 || file->stream.is_regular;
}

int sv_logfile_reopen(struct sv_logfile *file)
{
    return is_ours_to_replace(file) ? open_again(file, false) : 0;
}

int sv_logfile_clear(struct sv_logfile *file)
{
    if (!is_ours_to_replace(file))
        return 0;
    int r = unlink(file->path) < 0 && errno != ENOENT ? -errno : 0;
    int opened = open_again(file, false);
    return r < 0 ? r : opened;
}

bool sv_logfile_is_regular(const struct sv_logfile *file)
{
    return file->stream.is_regular;
}

const char *sv_logfile_path(const struct sv_logfile *file)
{
    return file->path;
}

uint64_t sv_logfile_lost_bytes(const struct sv_logfile *file)
{
    return file->lost_bytes;
}
