/*
 * logs: the last lines of several programs, and on with what they write, each line behind its
 * program's name.
 *
 * The daemon counts in bytes and follows with the last 1,024 of them: the answer of /logtail begins
 * with those, in the middle of a line. So the lines are read first, by bytes, and what the stream
 * repeats of them is recognised: the longest end of what was read that is the beginning of the
 * stream.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "base/str.h"
#include "ctl.h"
#include "faults.h"
#include "namespec.h"
#include "processes.h"
#include "stream.h"
#include "terminal.h"

#define LINES_DEFAULT 10
#define BYTES_FIRST   (16 << 10) /* a hundred long lines; when that is not enough, twice as much */
#define STREAM_HEAD   1024       /* Supervisor 4.2.5, http.py, tail_f_producer */

struct log {
    char *name; /* as people write it */
    struct sv_str path;
    struct sv_str seen;    /* the end of what was read before the stream began */
    struct sv_str pending; /* a line that has no end yet */
    bool has_begun;        /* the stream has sent its head */
    int name_columns;
    const char *colour;
};

struct request {
    bool is_followed;
    const char *channel;
    size_t line_count;
};

static const char *const colours[] = {"\033[36m", "\033[33m", "\033[32m",
                                      "\033[35m", "\033[34m", "\033[31m"};

static void say_line(const struct log *log, const char *line, size_t length)
{
    sv_say("%s%-*s |%s %.*s", log->colour, log->name_columns, log->name,
           *log->colour ? "\033[0m" : "", (int)length, line);
}

/* Prints whole lines; the rest waits for its end, within a bound. */
static void say_lines(struct log *log)
{
    const char *newline;

    while ((newline = memchr(sv_str_text(&log->pending), '\n', log->pending.length)) ||
           log->pending.length > SV_CTL_LOG_LINE_BYTES_MAX) {
        const char *text = sv_str_text(&log->pending);
        size_t length = newline ? (size_t)(newline - text) : log->pending.length;

        say_line(log, text, length);
        sv_str_drop_front(&log->pending, newline ? length + 1 : length);
    }
}

/* How many of the first bytes of the stream were shown already. */
static size_t overlap(const struct sv_str *seen, const char *data, size_t length)
{
    size_t longest = length < seen->length ? length : seen->length;

    for (size_t n = longest; n > 0; n--)
        if (memcmp(seen->data + seen->length - n, data, n) == 0)
            return n;
    return 0;
}

/* A sv_stream's `take`. */
static void take_piece(void *user, const char *data, size_t length)
{
    struct log *log = user;

    if (!log->has_begun) {
        size_t skipped = overlap(&log->seen, data, length);

        log->has_begun = true;
        data += skipped;
        length -= skipped;
    }
    sv_str_append(&log->pending, data, length);
    say_lines(log);
}

static size_t count_lines(const char *text, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += text[i] == '\n';
    return count + (length && text[length - 1] != '\n');
}

/* Where the last `line_count` lines begin. */
static const char *last_lines(const char *text, size_t length, size_t line_count)
{
    const char *start = text + length;
    size_t found = 0;

    if (line_count == 0)
        return start;
    if (length && start[-1] == '\n')
        start--;
    while (start > text && !(start[-1] == '\n' && ++found == line_count))
        start--;
    return start;
}

/* Reads the end of the log, twice as much each time, until the lines are there or the log is all
 * read. */
static enum sv_call read_end(struct sv_ctl *ctl, const struct log *log,
                             const struct request *request, json_t **ret_text)
{
    const char *method = strcmp(request->channel, "stdout") == 0
                             ? "supervisor.readProcessStdoutLog"
                             : "supervisor.readProcessStderrLog";

    for (json_int_t bytes = BYTES_FIRST;; bytes *= 2) {
        json_t *text = NULL;
        enum sv_call outcome =
            sv_client_call(ctl->client, method, &text, "[sIi]", log->name, -bytes, 0);
        size_t length = json_string_length(text);

        if (outcome != SV_CALL_OK)
            return outcome;
        if ((json_int_t)length < bytes / 2 || bytes >= SV_CTL_ANSWER_BYTES_MAX / 4 ||
            count_lines(json_string_value(text), length) > request->line_count) {
            *ret_text = text;
            return SV_CALL_OK;
        }
        json_decref(text);
    }
}

/* Prints the last lines and keeps what is needed to go on. */
static enum sv_verdict show_end(struct sv_ctl *ctl, struct log *log, const struct request *request)
{
    json_t *value = NULL;
    enum sv_call outcome = read_end(ctl, log, request, &value);
    int fault = sv_client_fault(ctl->client)->code;
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    size_t length = json_string_length(value);
    size_t kept = length < STREAM_HEAD ? length : STREAM_HEAD;
    const char *start = last_lines(text, length, request->line_count);

    if (outcome == SV_CALL_FAULT && fault == SV_FAULT_NO_FILE) {
        sv_complain(ctl, SV_EXIT_GENERIC, "%s: ERROR (no log file)", log->name);
        return SV_VERDICT_DONE;
    }
    if (outcome != SV_CALL_OK)
        return SV_VERDICT_ABORTED;
    sv_str_append(&log->seen, text + length - kept, kept);
    sv_str_append(&log->pending, start, (size_t)(text + length - start));
    say_lines(log);
    if (!request->is_followed && log->pending.length) {
        say_line(log, sv_str_text(&log->pending), log->pending.length);
        sv_str_clear(&log->pending);
    }
    json_decref(value);
    return SV_VERDICT_DONE;
}

static enum sv_verdict follow(struct sv_ctl *ctl, struct log *logs, size_t count)
{
    struct sv_stream *streams = calloc(count ? count : 1, sizeof(*streams));

    if (!streams) {
        sv_complain(ctl, SV_EXIT_GENERIC, "error: out of memory");
        return SV_VERDICT_DONE;
    }
    for (size_t i = 0; i < count; i++)
        streams[i] = (struct sv_stream){
            .path = sv_str_text(&logs[i].path), .take = take_piece, .user = &logs[i]};
    if (sv_streams_follow(ctl->client, streams, count, NULL, NULL) == SV_STREAM_INTERRUPTED)
        sv_interrupt_clear(ctl->interrupt_fd);
    else
        sv_complain(ctl, SV_EXIT_GENERIC, "error: %s closed the connection",
                    sv_client_url(ctl->client));
    free(streams);
    return SV_VERDICT_DONE;
}

static struct log *new_logs(const struct sv_ctl *ctl, const json_t *infos, const char *channel)
{
    size_t count = json_array_size(infos);
    struct log *logs = calloc(count ? count : 1, sizeof(*logs));
    int widest = 0;

    for (size_t i = 0; i < count && logs; i++) {
        logs[i].name = sv_namespec_of(json_array_get(infos, i));
        logs[i].colour = ctl->is_coloured ? colours[i % SV_ARRAY_LENGTH(colours)] : "";
        if (!logs[i].name)
            continue;
        sv_str_addf(&logs[i].path, "/logtail/%s/%s", logs[i].name, channel);
        if ((int)strlen(logs[i].name) > widest)
            widest = (int)strlen(logs[i].name);
    }
    for (size_t i = 0; i < count && logs; i++)
        logs[i].name_columns = widest;
    return logs;
}

static void free_logs(struct log *logs, size_t count)
{
    for (size_t i = 0; i < count && logs; i++) {
        free(logs[i].name);
        sv_str_done(&logs[i].path);
        sv_str_done(&logs[i].seen);
        sv_str_done(&logs[i].pending);
    }
    free(logs);
}

/* Takes the options out of the words. False: the complaint is made. */
static bool parse_request(struct sv_ctl *ctl, const struct sv_arguments *arguments,
                          struct request *request, struct sv_arguments *ret_names)
{
    *request = (struct request){.channel = "stdout", .line_count = LINES_DEFAULT};
    *ret_names = (struct sv_arguments){.words = arguments->words};
    for (size_t i = 0; i < arguments->word_count; i++) {
        const char *word = arguments->words[i];

        if (strcmp(word, "-f") == 0) {
            request->is_followed = true;
        } else if (strcmp(word, "--stderr") == 0) {
            request->channel = "stderr";
        } else if (strcmp(word, "-n") == 0) {
            const char *number = ++i < arguments->word_count ? arguments->words[i] : "";
            char *end;

            request->line_count = (size_t)strtoull(number, &end, 10);
            if (end == number || *end || *number == '-') {
                sv_complain(ctl, SV_EXIT_INVALID_ARGUMENTS,
                            "Error: -n takes a number of lines, as in logs -n 100 NAME");
                return false;
            }
        } else {
            ret_names->words[ret_names->word_count++] = word;
        }
    }
    if (ret_names->word_count && ret_names->word_count <= SV_CTL_STREAMS_MAX)
        return true;
    sv_complain(ctl, SV_EXIT_INVALID_ARGUMENTS, "Error: logs requires a process name");
    sv_say_usage("logs");
    return false;
}

enum sv_verdict sv_command_logs(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    struct request request;
    struct sv_arguments names;
    json_t *infos = NULL;
    struct log *logs;
    enum sv_verdict verdict;
    size_t count;

    if (!parse_request(ctl, arguments, &request, &names))
        return SV_VERDICT_DONE;
    verdict = sv_processes_matching(ctl, &names, SV_EXIT_GENERIC, &infos);
    if (verdict)
        return verdict;
    count = json_array_size(infos);
    if (count > SV_CTL_STREAMS_MAX) {
        sv_complain(ctl, SV_EXIT_INVALID_ARGUMENTS,
                    "Error: logs shows at most %u processes at once", SV_CTL_STREAMS_MAX);
        json_decref(infos);
        return SV_VERDICT_DONE;
    }
    logs = new_logs(ctl, infos, request.channel);
    json_decref(infos);
    for (size_t i = 0; i < count && logs && !verdict; i++)
        verdict = show_end(ctl, &logs[i], &request);
    if (logs && !verdict && request.is_followed && count)
        verdict = follow(ctl, logs, count);
    free_logs(logs, count);
    return verdict;
}
