/*
 * timeline: what has happened lately, in words; with -f also what happens from now on.
 *
 * The daemon is asked every second for what is newer than the last record shown. The daemon that
 * takes its place goes on with the next serial; -f waits for it.
 */
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "explain.h"
#include "faults.h"
#include "namespec.h"
#include "terminal.h"

enum { RECORDS_DEFAULT = 20, RECORDS_MAX = 100000, FOLLOW_MS = 1000 };

struct request {
    bool is_followed;
    bool is_json;
    long record_count;
};

static bool parse_request(struct sv_ctl *ctl, const struct sv_arguments *arguments,
                          struct request *ret_request)
{
    *ret_request = (struct request){.is_json = arguments->options & SV_OPTION_JSON,
                                    .record_count = RECORDS_DEFAULT};
    for (size_t i = 0; i < arguments->word_count; i++) {
        const char *word = arguments->words[i];
        const char *number = NULL;
        char *end = NULL;

        if (strcmp(word, "-f") == 0) {
            ret_request->is_followed = true;
            continue;
        }
        if (strcmp(word, "-n") == 0 && i + 1 < arguments->word_count)
            number = arguments->words[++i];
        ret_request->record_count = number ? strtol(number, &end, 10) : -1;
        if (!number || end == number || *end || ret_request->record_count < 0 ||
            ret_request->record_count > RECORDS_MAX) {
            sv_complain(ctl, SV_EXIT_INVALID_ARGUMENTS, "Error: timeline takes -f and -n NUMBER");
            sv_say_usage("timeline");
            return false;
        }
    }
    return true;
}

static void say_record(const struct sv_ctl *ctl, const json_t *record)
{
    const char *level = sv_text_of(record, "level");
    const char *application = sv_text_of(record, "application_name");
    const char *process = sv_text_of(record, "process_name");
    const char *colour = !ctl->is_coloured             ? ""
                         : strcmp(level, "error") == 0 ? "\033[31m"
                         : strcmp(level, "info") == 0  ? ""
                                                       : "\033[33m";
    bool is_alone = !*application || !*process || strcmp(application, process) == 0;
    struct sv_str line = {0};

    sv_add_time(&line, (json_int_t)json_number_value(json_object_get(record, "at")));
    sv_str_addf(&line, " %s%-7s%s %s  ", colour, level, *colour ? "\033[0m" : "",
                sv_text_of(record, "identifier"));
    if (*application || *process)
        sv_str_addf(&line, "%s%s%s ", is_alone ? "" : application, is_alone ? "" : ":",
                    *process ? process : application);
    sv_str_add(&line, sv_text_of(record, "text"));
    sv_say("%s", sv_str_text(&line));
    sv_str_done(&line);
}

/* With -f, a JSON object in each line. */
static void say_records(const struct sv_ctl *ctl, const struct request *request,
                        const json_t *records)
{
    json_t *record;
    size_t i;

    json_array_foreach(records, i, record)
    {
        char *text = request->is_json ? json_dumps(record, JSON_COMPACT) : NULL;

        if (text)
            sv_say("%s", text);
        else
            say_record(ctl, record);
        free(text);
    }
    fflush(stdout);
}

static enum sv_call ask(struct sv_ctl *ctl, json_int_t after, long limit, json_t **ret_records)
{
    return sv_client_call(ctl->client, "svisor.getTimeline", ret_records, "[II]", after,
                          (json_int_t)limit);
}

static json_int_t last_serial(const json_t *records, json_int_t before)
{
    size_t count = json_array_size(records);

    return count ? sv_integer_of(json_array_get(records, count - 1), "serial") : before;
}

static enum sv_verdict follow(struct sv_ctl *ctl, const struct request *request, json_int_t after)
{
    for (bool is_told = false;;) {
        json_t *records = NULL;

        if (sv_interrupt_wait(ctl->interrupt_fd, FOLLOW_MS))
            return SV_VERDICT_DONE;
        if (ask(ctl, after, RECORDS_MAX, &records) == SV_CALL_OK) {
            is_told = false;
            say_records(ctl, request, records);
            after = last_serial(records, after);
            json_decref(records);
        } else if (!sv_say_away(ctl, &is_told)) {
            return SV_VERDICT_ABORTED;
        }
    }
}

enum sv_verdict sv_command_timeline(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    struct request request;
    json_t *records = NULL;
    enum sv_verdict verdict = SV_VERDICT_DONE;
    enum sv_call outcome;
    json_int_t after;

    if (!parse_request(ctl, arguments, &request))
        return SV_VERDICT_DONE;
    /* At least the last one: what is followed comes after it. */
    outcome = ask(ctl, 0, request.record_count ? request.record_count : 1, &records);
    if (outcome == SV_CALL_FAULT && sv_client_fault(ctl->client)->code == SV_FAULT_UNKNOWN_METHOD) {
        sv_complain(ctl, SV_EXIT_UNIMPLEMENTED,
                    "error: %s does not know svisor.getTimeline: it is not svisord",
                    sv_client_url(ctl->client));
        return SV_VERDICT_DONE;
    }
    if (outcome != SV_CALL_OK)
        return SV_VERDICT_ABORTED;
    after = last_serial(records, 0);
    if (request.record_count == 0)
        json_array_clear(records);
    if (request.is_json && !request.is_followed) {
        sv_say_json(ctl, records);
        return verdict;
    }
    say_records(ctl, &request, records);
    json_decref(records);
    return request.is_followed ? follow(ctl, &request, after) : verdict;
}
