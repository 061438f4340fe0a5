/* tail, maintail: the end of a log, once or for ever. Counted in bytes, as Supervisor counts. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl.h"
#include "faults.h"
#include "stream.h"
#include "terminal.h"

#define TAIL_BYTES 1600 /* what a tail without a number shows: supervisorctl.py, do_tail */

static void print_piece(void *user, const char *data, size_t length)
{
    (void)user;
    fwrite(data, 1, length, stdout);
}

static enum sv_verdict follow(struct sv_ctl *ctl, const char *path)
{
    struct sv_stream stream = {.path = path, .take = print_piece};

    sv_say("==> Press Ctrl-C to exit <==");
    if (sv_streams_follow(ctl->client, &stream, 1, NULL, NULL) == SV_STREAM_INTERRUPTED) {
        sv_interrupt_clear(ctl->interrupt_fd);
        sv_say("%s", "");
    }
    return SV_VERDICT_DONE;
}

/* "-f" or "-100". False when it is neither; the complaint is made. Python's int() takes a sign,
 * too. */
static bool parse_modifier(struct sv_ctl *ctl, const char *word, bool *ret_follow,
                           json_int_t *ret_bytes)
{
    char *end;

    *ret_follow = strcmp(word, "-f") == 0;
    if (*ret_follow)
        return true;
    errno = 0;
    *ret_bytes = strtoll(word + 1, &end, 10);
    if (errno == 0 && end != word + 1 && *end == '\0')
        return true;
    sv_complain(ctl, SV_EXIT_GENERIC, "Error: bad argument %s", word);
    return false;
}

static enum sv_verdict say_log(struct sv_ctl *ctl, enum sv_call outcome, json_t *text,
                               const char *name)
{
    static const struct {
        int code;
        const char *text;
    } errors[] = {{SV_FAULT_NO_FILE, "no log file"},
                  {SV_FAULT_FAILED, "unknown error reading log"},
                  {SV_FAULT_BAD_NAME, "no such process name"}};

    if (outcome == SV_CALL_OK) {
        fwrite(json_is_string(text) ? json_string_value(text) : "", 1, json_string_length(text),
               stdout);
        sv_say("%s", "");
        json_decref(text);
        return SV_VERDICT_DONE;
    }
    for (size_t i = 0; i < SV_ARRAY_LENGTH(errors); i++) {
        if (sv_client_fault(ctl->client)->code != errors[i].code)
            continue;
        sv_complain(ctl, SV_EXIT_GENERIC, "%s: ERROR (%s)", name, errors[i].text);
        return SV_VERDICT_DONE;
    }
    return SV_VERDICT_ABORTED;
}

/* The second word after the modifier; supervisorctl takes it in any case of letters. */
static bool parse_channel(struct sv_ctl *ctl, const char *word, const char **ret_channel)
{
    struct sv_str lower = {0};

    if (strcasecmp(word, "stdout") == 0 || strcasecmp(word, "stderr") == 0) {
        *ret_channel = strcasecmp(word, "stdout") == 0 ? "stdout" : "stderr";
        return true;
    }
    for (const char *c = word; *c; c++)
        sv_str_add_char(&lower, (char)tolower((unsigned char)*c));
    sv_complain(ctl, SV_EXIT_GENERIC, "Error: bad channel '%s'", sv_str_text(&lower));
    sv_str_done(&lower);
    return false;
}

static enum sv_verdict tail_of(struct sv_ctl *ctl, const char *name, const char *channel,
                               json_int_t bytes)
{
    json_t *text = NULL;
    const char *method = strcmp(channel, "stdout") == 0 ? "supervisor.readProcessStdoutLog"
                                                        : "supervisor.readProcessStderrLog";
    enum sv_call outcome =
        sv_client_call(ctl->client, method, &text, "[sIi]", name, (json_int_t)-bytes, 0);

    return say_log(ctl, outcome, text, name);
}

enum sv_verdict sv_command_tail(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    const char *const *words = arguments->words;
    size_t count = arguments->word_count;
    const char *modifier = NULL;
    const char *channel = "stdout";
    json_int_t bytes = TAIL_BYTES;
    bool is_followed = false;

    if (count < 1 || count > 3) {
        sv_complain(ctl, SV_EXIT_GENERIC, "Error: too %s arguments", count < 1 ? "few" : "many");
        sv_say_usage("tail");
        return SV_VERDICT_DONE;
    }
    if (words[0][0] == '-') {
        modifier = *words++;
        count--;
    }
    if (count == 0) {
        sv_complain(ctl, SV_EXIT_GENERIC, "Error: tail requires process name");
        return SV_VERDICT_DONE;
    }
    if (count > 1 && !parse_channel(ctl, words[count - 1], &channel))
        return SV_VERDICT_DONE;
    if (modifier && !parse_modifier(ctl, modifier, &is_followed, &bytes))
        return SV_VERDICT_DONE;
    if (is_followed) {
        struct sv_str path = {0};
        enum sv_verdict verdict;

        sv_str_addf(&path, "/logtail/%s/%s", words[0], channel);
        verdict = follow(ctl, sv_str_text(&path));
        sv_str_done(&path);
        return verdict;
    }
    return tail_of(ctl, words[0], channel, bytes);
}

enum sv_verdict sv_command_maintail(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    json_int_t bytes = TAIL_BYTES;
    bool is_followed = false;
    json_t *text = NULL;
    enum sv_call outcome;

    if (arguments->word_count > 1) {
        sv_complain(ctl, SV_EXIT_GENERIC, "Error: too many arguments");
        sv_say_usage("maintail");
        return SV_VERDICT_DONE;
    }
    if (arguments->word_count == 1) {
        const char *word = arguments->words[0];

        if (word[0] != '-') {
            sv_complain(ctl, SV_EXIT_GENERIC, "Error: bad argument %s", word);
            return SV_VERDICT_DONE;
        }
        if (!parse_modifier(ctl, word, &is_followed, &bytes))
            return SV_VERDICT_DONE;
    }
    if (is_followed)
        return follow(ctl, "/mainlogtail");
    outcome =
        sv_client_call(ctl->client, "supervisor.readLog", &text, "[Ii]", (json_int_t)-bytes, 0);
    return say_log(ctl, outcome, text, "supervisord");
}
