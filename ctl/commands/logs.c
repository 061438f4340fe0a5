/*
 * logs: the last lines of several programs, and on with what they write, each line behind its
 * program's name.
 *
 * The daemon counts in bytes and follows with the last 1,024 of them: the answer of /logtail begins
 * with those, in the middle of a line. So the lines are read first, by bytes, and what the stream
 * repeats of them is recognised: the longest end of what was read that is the beginning of the
 * stream. A daemon that ends takes its streams with it, but not the programs, which write on: with
 * the next daemon, what stands in the log behind the last bytes shown comes first.
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
#define AWAIT_MS      250        /* between two questions whether the next daemon is there */

struct log {
    char *name; /* as people write it */
    struct sv_str path;
    struct sv_str seen;    /* the end of what was read, STREAM_HEAD bytes at most */
    struct sv_str pending; /* a line that has no end yet */
    bool is_shown;         /* the end of the log was read; what comes now is new */
    bool has_begun;        /* the stream has sent its head */
    bool is_gone;          /* there is nothing to follow any more */
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

static void see(struct log *log, const char *data, size_t length)
{
    sv_str_append(&log->seen, data, length);
    if (log->seen.length > STREAM_HEAD)
        sv_str_drop_front(&log->seen, log->seen.length - STREAM_HEAD);
}

static void show(struct log *log, const char *data, size_t length)
{
    see(log, data, length);
    sv_str_append(&log->pending, data, length);
    say_lines(log);
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
    show(log, data, length);
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

/* What stands behind the bytes that were shown last, or NULL. */
static const char *behind_seen(const struct sv_str *seen, const char *text, size_t length)
{
    for (size_t end = length; seen->length && end >= seen->length; end--)
        if (memcmp(text + end - seen->length, seen->data, seen->length) == 0)
            return text + end;
    return NULL;
}

static bool reaches_back(const struct log *log, const struct request *request, const char *text,
                         size_t length)
{
    return log->is_shown ? behind_seen(&log->seen, text, length) != NULL
                         : count_lines(text, length) > request->line_count;
}

/* Reads the end of the log, twice as much each time, until what is to be shown is there or the log
 * is all read. */
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
            reaches_back(log, request, json_string_value(text), length)) {
            *ret_text = text;
            return SV_CALL_OK;
        }
        json_decref(text);
    }
}

/* The first time the last lines, then what was written since. A log that has turned over is all
 * new, but for what its stream had sent of it. */
static const char *start_of_new(const struct log *log, const struct request *request,
                                const char *text, size_t length)
{
    const char *start;
    size_t shown;

    if (!log->is_shown)
        return last_lines(text, length, request->line_count);
    start = behind_seen(&log->seen, text, length);
    if (start)
        return start;
    shown = overlap(&log->seen, text, length);
    if (log->seen.length && shown == 0)
        fprintf(stderr, "svctl: %s: the log has turned over, lines may be missing\n", log->name);
    return text + shown;
}

/* Prints what is new and keeps what is needed to go on. */
static enum sv_verdict show_end(struct sv_ctl *ctl, struct log *log, const struct request *request)
{
    json_t *value = NULL;
    enum sv_call outcome = read_end(ctl, log, request, &value);
    int fault = sv_client_fault(ctl->client)->code;
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    size_t length = json_string_length(value);
    const char *start;

    log->is_gone = outcome == SV_CALL_FAULT;
    if (fault == SV_FAULT_NO_FILE || fault == SV_FAULT_BAD_NAME) {
        sv_complain(ctl, SV_EXIT_GENERIC, "%s: ERROR (%s)", log->name,
                    fault == SV_FAULT_NO_FILE ? "no log file" : "no such process");
        return SV_VERDICT_DONE;
    }
    if (outcome != SV_CALL_OK)
        return SV_VERDICT_ABORTED;
    start = start_of_new(log, request, text, length);
    see(log, text, (size_t)(start - text));
    show(log, start, (size_t)(text + length - start));
    log->is_shown = true;
    log->has_begun = false;
    if (!request->is_followed && log->pending.length) {
        say_line(log, sv_str_text(&log->pending), log->pending.length);
        sv_str_clear(&log->pending);
    }
    json_decref(value);
    return SV_VERDICT_DONE;
}

/* Follows the logs until all streams have ended. `streams` has room for all. */
static enum sv_stream_end stream(struct sv_ctl *ctl, struct log *logs, size_t count,
                                 struct sv_stream *streams)
{
    enum sv_stream_end end;
    size_t used = 0;

    for (size_t i = 0; i < count; i++)
        if (!logs[i].is_gone)
            streams[used++] = (struct sv_stream){
                .path = sv_str_text(&logs[i].path), .take = take_piece, .user = &logs[i]};
    end = sv_streams_follow(ctl->client, streams, used, NULL, NULL);
    for (size_t i = 0; i < used; i++)
        ((struct log *)streams[i].user)->is_gone = streams[i].is_refused;
    return end;
}

static bool are_gone(const struct log *logs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!logs[i].is_gone)
            return false;
    return true;
}

/* Shows what was written since the streams have ended, as soon as a daemon answers. */
static enum sv_verdict catch_up(struct sv_ctl *ctl, struct log *logs, size_t count,
                                const struct request *request, bool *ret_interrupted)
{
    bool is_told = false;
    enum sv_verdict verdict = SV_VERDICT_DONE;

    for (size_t i = 0; i < count && !*ret_interrupted && !verdict;) {
        verdict = logs[i].is_gone ? SV_VERDICT_DONE : show_end(ctl, &logs[i], request);
        if (!verdict) {
            i++;
        } else if (sv_say_away(ctl, &is_told)) {
            verdict = SV_VERDICT_DONE;
            *ret_interrupted = sv_interrupt_wait(ctl->interrupt_fd, AWAIT_MS);
        }
    }
    return verdict;
}

static enum sv_verdict follow(struct sv_ctl *ctl, struct log *logs, size_t count,
                              const struct request *request)
{
    struct sv_stream *streams = calloc(count ? count : 1, sizeof(*streams));
    enum sv_verdict verdict = SV_VERDICT_DONE;
    bool is_interrupted = false;

    if (!streams)
        sv_complain(ctl, SV_EXIT_GENERIC, "error: out of memory");
    while (streams && !verdict && !is_interrupted && !are_gone(logs, count)) {
        is_interrupted = stream(ctl, logs, count, streams) == SV_STREAM_INTERRUPTED;
        if (is_interrupted)
            sv_interrupt_clear(ctl->interrupt_fd);
        else
            is_interrupted = sv_interrupt_wait(ctl->interrupt_fd, AWAIT_MS);
        if (!is_interrupted)
            verdict = catch_up(ctl, logs, count, request, &is_interrupted);
    }
    free(streams);
    return verdict;
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
        verdict = follow(ctl, logs, count, &request);
    free_logs(logs, count);
    return verdict;
}
