/*
 * What one program writes to one descriptor: read in bounded turns, and sent where the user wants
 * it.
 *
 * A `struct sv_sink` is where the bytes of one channel of one process go, run after run: log file,
 * syslog, journal. A `struct sv_output` is the reading end of the pipe of one run; it feeds the
 * sink, takes capture mode out of the stream, and calls back for events and for listeners. See
 * output.c.
 */
#ifndef SV_IO_OUTPUT_H
#define SV_IO_OUTPUT_H

#include <stdbool.h>

#include "config/config.h"
#include "io/logfile.h"
#include "io/loop.h"

struct sv_sink;
struct sv_output;

struct sv_sink_options {
    const struct sv_channel_config *channel; /* kept until sv_sink_free() */
    enum sv_channel which;
    const char *process_name; /* "x" or "group:x": identifier in syslog and journal; copied */
    const char *identifier;   /* the daemon's: for AUTO names; copied */
    const char *childlogdir;  /* for AUTO; copied */
    bool strip_ansi;
};

/* Makes the AUTO file; opens nothing else before the first sv_output or sv_sink_open(). */
int sv_sink_new(const struct sv_sink_options *options, struct sv_sink **ret_sink);
/*
 * Opens the log file unless it is open: call it before the spawn. A negative errno is Supervisor's
 * "unknown error making dispatchers for 'x': EACCES" (EMFILE: "too many open files to spawn 'x'").
 */
int sv_sink_open(struct sv_sink *sink);
/* `is_removing_auto`: an AUTO file and its backups go too (the group was removed). */
void sv_sink_free(struct sv_sink *sink, bool is_removing_auto);
/* NULL: this channel has no file. Borrowed until sv_sink_free(). */
const char *sv_sink_path(const struct sv_sink *sink);
/* Goes on with the file of an earlier daemon: `path` in place of the automatic name. */
int sv_sink_continue(struct sv_sink *sink, const char *path);
int sv_sink_reopen(struct sv_sink *sink);
int sv_sink_clear(struct sv_sink *sink);
uint64_t sv_sink_lost_bytes(const struct sv_sink *sink);
/* How many bytes it was given, ever: what one run has written is a difference of two. */
uint64_t sv_sink_taken_bytes(const struct sv_sink *sink);

struct sv_output_callbacks {
    void *user;
    /* Every piece, tokens taken out; for PROCESS_LOG events and for the protocol of listeners. Also
     * what is in capture mode: so does Supervisor's code, against its documentation. May be NULL.
     */
    void (*data)(void *user, enum sv_channel which, const char *data, size_t length);
    /* What stood between the capture tokens: PROCESS_COMMUNICATION. May be NULL. */
    void (*captured)(void *user, enum sv_channel which, const char *data, size_t length);
    /* The pipe has no writer any more; nothing comes after this. May be NULL. The output may be
     * freed in it, and only in it. */
    void (*closed)(void *user, enum sv_channel which);
    /* `data` is told of bytes that are still in the pipe, where neither capture mode nor strip_ansi
     * changes them: sv_output_settle(). */
    bool is_heard_first;
};

/* Owns `fd` (the reading end, non-blocking) once it has succeeded. `callbacks` is copied. Opens the
 * sink. */
int sv_output_new(struct sv_loop *loop, int fd, struct sv_sink *sink,
                  const struct sv_output_callbacks *callbacks, struct sv_output **ret_output);
/* Borrowed. -1: the pipe is at its end. */
int sv_output_fd(const struct sv_output *output);
/* What `data` was told of leaves the pipe, from within it; else it does when `data` returns. */
void sv_output_settle(struct sv_output *output);
/* Reads all that is in the pipe now, up to a bound: before an exit is reported. May call `closed`;
 * the output may be gone then, if `closed` frees it. */
void sv_output_drain(struct sv_output *output);
/* Drains, flushes what is held back, frees. Does not call `closed`. NULL is allowed. */
void sv_output_free(struct sv_output *output);

/* The last bytes of the channel, for `svctl why`: up to `length_max`, oldest first. */
void sv_sink_last_bytes(const struct sv_sink *sink, size_t length_max, struct sv_str *ret_text);

/* Removes files of AUTO names of this identifier that an earlier daemon left (unless nocleanup). */
void sv_sink_clean_auto_files(const char *childlogdir, const char *identifier);

#endif
