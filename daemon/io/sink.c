/*
 * Where the output of one channel of one process goes, run after run: its log file, syslog, the
 * journal, all of them or none. What the destinations could not take is counted, never waited for.
 *
 * The log file is opened by the first run and stays open between runs. AUTO names are made when the
 * process is added (options.py, get_autochildlog_name): NAME-CHANNEL---IDENTIFIER-xxxxxxxx.log,
 * mode 0600. An earlier daemon's are removed at the start by their pattern (clear_autochildlogdir).
 *
 * `svctl why` shows the last bytes of a channel. They are read from the end of the log file, and of
 * its first backup when it has just turned over: this costs no memory and is still there after a
 * restart of the daemon. A channel without a readable file keeps SV_LAST_BYTES_MAX in a ring, which
 * is allocated with the first output, so that a silent program costs nothing.
 */
#include "io/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/log.h"
#include "io/journal.h"
#include "io/lines.h"
#include "io/syslog.h"

static const char AUTO_SUFFIX[] = ".log";
static const char SYSLOG_TAG[] = "svisord";

static const struct {
    const char *name;
    int priority; /* in the journal */
} channels[] = {
    [SV_STDOUT] = {"stdout", LOG_INFO},
    [SV_STDERR] = {"stderr", LOG_WARNING},
};

enum { AUTO_RANDOM = 8, AUTO_TRIES_MAX = 100 };

struct ring {
    size_t written; /* bytes ever, modulo SV_LAST_BYTES_MAX the next place */
    char data[SV_LAST_BYTES_MAX];
};

struct sv_sink {
    const struct sv_channel_config *config;
    enum sv_channel channel;
    bool strip_ansi;
    char *group;
    char *process;
    char *path; /* NULL: no file */
    struct sv_logfile *file;
    struct sv_syslog *syslog;
    struct sv_journal *journal;
    struct sv_lines lines;
    struct ring *ring;
    uint64_t taken_bytes;
};

/*
 * Eight characters as Python's tempfile draws them, because clean-up scripts match them: mkstemp(3)
 * would use six, of both cases.
 */
static void random_name(char ret_name[AUTO_RANDOM + 1])
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
    unsigned char bytes[AUTO_RANDOM];
    if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
        memset(bytes, 0, sizeof(bytes)); /* then O_EXCL finds a clash, and the error is told */
    for (size_t i = 0; i < AUTO_RANDOM; i++)
        ret_name[i] = alphabet[bytes[i] % (sizeof(alphabet) - 1)];
    ret_name[AUTO_RANDOM] = '\0';
}

static int try_auto_file(const struct sv_sink_options *options, struct sv_sink *sink)
{
    char random[AUTO_RANDOM + 1];
    random_name(random);
    struct sv_str name = {0};
    sv_str_addf(&name, "%s/%s-%s---%s-%s%s", options->childlogdir, sink->process,
                channels[options->which].name, options->identifier, random, AUTO_SUFFIX);
    char *path = sv_str_take(&name);
    if (!path)
        return -ENOMEM;
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        int error = errno;
        free(path);
        return -error;
    }
    close(fd);
    sink->path = path;
    return 0;
}

static int make_auto_file(const struct sv_sink_options *options, struct sv_sink *sink)
{
    int r = -EEXIST;
    for (int i = 0; i < AUTO_TRIES_MAX && r == -EEXIST; i++)
        r = try_auto_file(options, sink);
    if (r < 0 && r != -ENOMEM)
        sv_log_error(
            "cannot make a log file for the %s of %s in %s: %s; set childlogdir or %s_logfile",
            channels[options->which].name, sink->process, options->childlogdir, sv_errno_text(r),
            channels[options->which].name);
    return r;
}

static int name_file(const struct sv_sink_options *options, struct sv_sink *sink)
{
    switch (options->channel->logfile_kind) {
    case SV_LOGFILE_NONE:
        return 0;
    case SV_LOGFILE_AUTO:
        return make_auto_file(options, sink);
    case SV_LOGFILE_FILE:
        sink->path = strdup(options->channel->logfile);
        return sink->path ? 0 : -ENOMEM;
    }
    return -EINVAL;
}

int sv_sink_new(const struct sv_sink_options *options, struct sv_sink **ret_sink)
{
    struct sv_sink *sink = calloc(1, sizeof(*sink));
    if (!sink)
        return -ENOMEM;
    sink->config = options->channel;
    sink->channel = options->which;
    sink->strip_ansi = options->strip_ansi;
    /* "x" is short for "x:x", as everywhere in Supervisor. */
    const char *colon = strchr(options->process_name, ':');
    const char *process = colon ? colon + 1 : options->process_name;
    size_t group = colon ? (size_t)(colon - options->process_name) : strlen(process);
    sink->process = strdup(process);
    sink->group = strndup(options->process_name, group);

    int r = sink->process && sink->group ? name_file(options, sink) : -ENOMEM;
    if (r == 0 && options->channel->syslog && !(sink->syslog = sv_syslog_new(NULL, SYSLOG_TAG)))
        r = -ENOMEM;
    if (r == 0 && options->channel->journal &&
        !(sink->journal =
              sv_journal_new(NULL, sink->group, sink->process, channels[options->which].priority)))
        r = -ENOMEM;
    if (r < 0) {
        sv_sink_free(sink, true);
        return error_trace(r);
    }
    *ret_sink = sink;
    return 0;
}

static void remove_auto_files(const struct sv_sink *sink)
{
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    unlink(sink->path);
    for (uint32_t i = 1; i <= sink->config->backups; i++) {
        sv_str_clear(&name);
        sv_str_addf(&name, "%s.%u", sink->path, (unsigned)i);
        /* Backups are made from .1 upwards without a hole. */
        if (!sv_str_ok(&name) || unlink(sv_str_text(&name)) < 0)
            break;
    }
}

void sv_sink_free(struct sv_sink *sink, bool is_removing_auto)
{
    if (!sink)
        return;
    sv_sink_end_run(sink);
    sv_logfile_free(sink->file);
    if (is_removing_auto && sink->path && sink->config->logfile_kind == SV_LOGFILE_AUTO)
        remove_auto_files(sink);
    sv_syslog_free(sink->syslog);
    sv_journal_free(sink->journal);
    free(sink->ring);
    free(sink->path);
    free(sink->group);
    free(sink->process);
    free(sink);
}

int sv_sink_open(struct sv_sink *sink)
{
    if (!sink->path || sink->file)
        return 0;
    return sv_logfile_open(sink->path, sink->config->maxbytes, sink->config->backups, &sink->file);
}

const char *sv_sink_path(const struct sv_sink *sink)
{
    return sink->path;
}

int sv_sink_continue(struct sv_sink *sink, const char *path)
{
    if (sink->config->logfile_kind != SV_LOGFILE_AUTO || !path[0] || sink->file)
        return 0;
    char *copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    (void)unlink(sink->path); /* the empty one that was just made */
    free(sink->path);
    sink->path = copy;
    return 0;
}

int sv_sink_reopen(struct sv_sink *sink)
{
    return sink->file ? sv_logfile_reopen(sink->file) : 0;
}

int sv_sink_clear(struct sv_sink *sink)
{
    return sink->file ? sv_logfile_clear(sink->file) : 0;
}

uint64_t sv_sink_lost_bytes(const struct sv_sink *sink)
{
    uint64_t lost = sink->file ? sv_logfile_lost_bytes(sink->file) : 0;
    lost += sink->syslog ? sv_syslog_lost_bytes(sink->syslog) : 0;
    return lost + (sink->journal ? sv_journal_lost_bytes(sink->journal) : 0);
}

uint64_t sv_sink_taken_bytes(const struct sv_sink *sink)
{
    return sink->taken_bytes;
}

static void on_line(void *user, const char *line, size_t length)
{
    struct sv_sink *sink = user;
    if (sink->syslog) { /* Supervisor's format: name, blank, line */
        struct sv_str prefix SV_CLEANUP(sv_str_done) = {0};
        sv_str_addf(&prefix, "%s ", sink->process);
        sv_syslog_line(sink->syslog, sv_str_text(&prefix), line, length);
    }
    if (sink->journal)
        sv_journal_line(sink->journal, line, length);
}

static void remember(struct sv_sink *sink, const char *data, size_t length)
{
    if (!sink->ring && !(sink->ring = calloc(1, sizeof(*sink->ring))))
        return; /* `why` will have less to show */
    struct ring *ring = sink->ring;
    if (length > sizeof(ring->data)) {
        ring->written += length - sizeof(ring->data);
        data += length - sizeof(ring->data);
        length = sizeof(ring->data);
    }
    size_t place = ring->written % sizeof(ring->data);
    size_t first = sizeof(ring->data) - place;
    if (first > length)
        first = length;
    memcpy(ring->data + place, data, first);
    memcpy(ring->data, data + first, length - first);
    ring->written += length;
}

static bool has_readable_file(const struct sv_sink *sink)
{
    struct stat status;
    return sink->path && stat(sink->path, &status) == 0 && S_ISREG(status.st_mode);
}

void sv_sink_write(struct sv_sink *sink, const char *data, size_t length)
{
    sink->taken_bytes += length;
    if (sink->file)
        sv_logfile_write(sink->file, data, length);
    if (sink->syslog || sink->journal)
        sv_lines_feed(&sink->lines, data, length, on_line, sink);
    if (!sink->file || !sv_logfile_is_regular(sink->file))
        remember(sink, data, length);
}

bool sv_sink_takes_pipe(const struct sv_sink *sink)
{
    return sink->file && sv_logfile_is_regular(sink->file) && !sink->strip_ansi &&
           sink->config->capture_maxbytes == 0;
}

/* What could not be moved is read and thrown away: `data` has it. */
static void take_out(int pipe_fd, size_t length)
{
    char rest[4096];
    while (length > 0) {
        ssize_t n = read(pipe_fd, rest, length < sizeof(rest) ? length : sizeof(rest));
        if (n <= 0 && errno != EINTR)
            return;
        if (n > 0)
            length -= (size_t)n;
    }
}

void sv_sink_move(struct sv_sink *sink, int pipe_fd, const char *data, size_t length)
{
    if (!sink->file) {
        take_out(pipe_fd, length);
        sv_sink_write(sink, data, length);
        return;
    }
    sink->taken_bytes += length;
    size_t moved = sv_logfile_splice(sink->file, pipe_fd, length);
    if (moved < length) {
        take_out(pipe_fd, length - moved);
        sv_logfile_write(sink->file, data + moved, length - moved);
    }
    if (sink->syslog || sink->journal)
        sv_lines_feed(&sink->lines, data, length, on_line, sink);
}

void sv_sink_end_run(struct sv_sink *sink)
{
    sv_lines_finish(&sink->lines, on_line, sink);
}

static void ring_text(const struct ring *ring, size_t length_max, struct sv_str *ret_text)
{
    size_t length = ring->written < sizeof(ring->data) ? ring->written : sizeof(ring->data);
    if (length > length_max)
        length = length_max;
    for (size_t i = ring->written - length; i < ring->written; i++)
        sv_str_add_char(ret_text, ring->data[i % sizeof(ring->data)]);
}

void sv_sink_last_bytes(const struct sv_sink *sink, size_t length_max, struct sv_str *ret_text)
{
    if (length_max == 0 || length_max > INT32_MAX)
        return;
    if (!has_readable_file(sink)) {
        if (sink->ring)
            ring_text(sink->ring, length_max, ret_text);
        return;
    }
    struct stat status;
    size_t in_file = stat(sink->path, &status) == 0 ? (size_t)status.st_size : 0;
    if (in_file < length_max && sink->config->backups > 0) { /* it has just turned over */
        struct sv_str backup SV_CLEANUP(sv_str_done) = {0};
        sv_str_addf(&backup, "%s.1", sink->path);
        if (sv_str_ok(&backup))
            (void)sv_logfile_read(sv_str_text(&backup), -(int64_t)(length_max - in_file), 0,
                                  ret_text);
    }
    /* What cannot be read is not there: `why` says nothing about it. */
    (void)sv_logfile_read(sink->path, -(int64_t)length_max, 0, ret_text);
}

bool sv_sink_has_lines(const struct sv_sink *sink)
{
    return sink->syslog || sink->journal;
}

enum sv_channel sv_sink_channel(const struct sv_sink *sink)
{
    return sink->channel;
}

const struct sv_channel_config *sv_sink_config(const struct sv_sink *sink)
{
    return sink->config;
}

const char *sv_sink_process_name(const struct sv_sink *sink)
{
    return sink->process;
}

bool sv_sink_strips_ansi(const struct sv_sink *sink)
{
    return sink->strip_ansi;
}
