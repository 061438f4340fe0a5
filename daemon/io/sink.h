/* What output.c needs of a sink; everybody else uses io/output.h. See sink.c. */
#ifndef SV_IO_SINK_H
#define SV_IO_SINK_H

#include <stddef.h>

#include "io/output.h"

/* Bytes of the program, escapes already taken out, for log file, syslog and journal. */
void sv_sink_write(struct sv_sink *sink, const char *data, size_t length);
/* True when the bytes may go from the pipe to the log file as they are. */
bool sv_sink_takes_pipe(const struct sv_sink *sink);
/* The same as sv_sink_write() for bytes that were looked at and are still in the pipe. Takes all of
 * them out of it. */
void sv_sink_move(struct sv_sink *sink, int pipe_fd, const char *data, size_t length);
/* The run has ended: the last line goes out although no newline followed. */
void sv_sink_end_run(struct sv_sink *sink);
/* True when every line costs a system call: syslog or the journal takes them. */
bool sv_sink_has_lines(const struct sv_sink *sink);
enum sv_channel sv_sink_channel(const struct sv_sink *sink);
const struct sv_channel_config *sv_sink_config(const struct sv_sink *sink);
const char *sv_sink_process_name(const struct sv_sink *sink); /* without the group */
bool sv_sink_strips_ansi(const struct sv_sink *sink);

#endif
