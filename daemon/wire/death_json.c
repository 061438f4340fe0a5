/*
 * A death certificate for programs: one object, the same in JSON, in XML-RPC and in the event.
 *
 *     {"summary": "Run 3 of web …", "text": "was ended by …", "cause": "OUTSIDE", "run": 3, …}
 *
 * The keys are the names of svisor/deaths.def; a field that is not known has no key. Enums go by
 * name, the last output as an array of lines.
 */
#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/wait_status.h"
#include "wire/death.h"
#include "wire/listener.h"
#include "wire/xmlrpc.h"

static const char *const number_names[] = {
#define DEATH_NUMBER(tag, name, doc) [SV_DEATH_##name] = #name,
#define DEATH_TEXT(tag, name, bytes_max, doc)
#include "svisor/deaths.def"
#undef DEATH_NUMBER
#undef DEATH_TEXT
};

static const char *const text_names[] = {
#define DEATH_NUMBER(tag, name, doc)
#define DEATH_TEXT(tag, name, bytes_max, doc) [SV_DEATH_TEXT_##name] = #name,
#include "svisor/deaths.def"
#undef DEATH_NUMBER
#undef DEATH_TEXT
};

static const char *const oom_names[] = {
    [SV_DEATH_OOM_OWN] = "OWN", [SV_DEATH_OOM_ANCESTOR] = "ANCESTOR", [SV_DEATH_OOM_HOST] = "HOST"};
static const char *const stage_names[] = {
    [SV_DEATH_STAGE_COMMAND] = "COMMAND", [SV_DEATH_STAGE_PREPARE] = "PREPARE",
    [SV_DEATH_STAGE_FORK] = "FORK",       [SV_DEATH_STAGE_CGROUP] = "CGROUP",
    [SV_DEATH_STAGE_USER] = "USER",       [SV_DEATH_STAGE_DIRECTORY] = "DIRECTORY",
    [SV_DEATH_STAGE_EXEC] = "EXEC",       [SV_DEATH_STAGE_LIMIT] = "LIMIT",
};
static const char *const strays_names[] = {
    [SV_DEATH_STRAYS_ALIVE] = "ALIVE",   [SV_DEATH_STRAYS_LEFT] = "LEFT",
    [SV_DEATH_STRAYS_ENDED] = "ENDED",   [SV_DEATH_STRAYS_STOPPED] = "STOPPED",
    [SV_DEATH_STRAYS_KILLED] = "KILLED",
};

/* Numbers that stand for a word. */
static const struct {
    enum sv_death_number number;
    const char *const *names;
    size_t count;
} words[] = {
    {SV_DEATH_oom_scope, oom_names, SV_ARRAY_LENGTH(oom_names)},
    {SV_DEATH_stage, stage_names, SV_ARRAY_LENGTH(stage_names)},
    {SV_DEATH_strays_end, strays_names, SV_ARRAY_LENGTH(strays_names)},
};

static const enum sv_death_number booleans[] = {SV_DEATH_core_dumped, SV_DEATH_escalated};

/* Signals and errors, beside their numbers. */
static const struct {
    enum sv_death_number number;
    const char *key;
    bool is_error;
} named[] = {
    {SV_DEATH_signal, "signal_name", false},
    {SV_DEATH_stop_signal, "stop_signal_name", false},
    {SV_DEATH_sender_signal, "sender_signal_name", false},
    {SV_DEATH_error, "error_name", true},
};

static json_t *number_json(const struct sv_death *death, enum sv_death_number number)
{
    int64_t value = sv_death_get(death, number);
    if (number == SV_DEATH_cause)
        return json_string(sv_death_cause_name(value));
    for (size_t i = 0; i < SV_ARRAY_LENGTH(booleans); i++)
        if (booleans[i] == number)
            return json_boolean(value != 0);
    for (size_t i = 0; i < SV_ARRAY_LENGTH(words); i++)
        if (words[i].number == number)
            return json_string(value > 0 && value < (int64_t)words[i].count ? words[i].names[value]
                                                                            : "UNKNOWN");
    return json_integer(value);
}

static json_t *lines_of(const struct sv_str *bytes)
{
    json_t *lines = json_array();
    const char *data = sv_str_text(bytes);
    for (size_t at = 0; at < bytes->length;) {
        const char *newline = memchr(data + at, '\n', bytes->length - at);
        size_t length = newline ? (size_t)(newline - data) - at : bytes->length - at;
        json_array_append_new(lines, sv_wire_string(data + at, length));
        at += length + 1;
    }
    return lines;
}

static void set_words(json_t *object, const char *key, const struct sv_str *text)
{
    json_object_set_new(object, key, sv_wire_string(sv_str_text(text), text->length));
}

json_t *sv_death_json(const struct sv_death *death)
{
    json_t *object = json_object();
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_death_paragraph(death, &text);
    set_words(object, "summary", &text);
    sv_str_clear(&text);
    sv_death_sentence(death, &text);
    set_words(object, "text", &text);
    for (size_t i = 0; i < SV_DEATH_NUMBER_COUNT; i++)
        if (sv_death_has(death, (enum sv_death_number)i))
            json_object_set_new(object, number_names[i],
                                number_json(death, (enum sv_death_number)i));
    for (size_t i = 0; i < SV_ARRAY_LENGTH(named); i++) {
        if (!sv_death_has(death, named[i].number))
            continue;
        int value = (int)sv_death_get(death, named[i].number);
        sv_str_clear(&text);
        if (named[i].is_error)
            sv_str_add(&text, sv_errno_name(value));
        else
            sv_signal_name(value, &text);
        set_words(object, named[i].key, &text);
    }
    for (size_t i = 0; i < SV_DEATH_TEXT_COUNT; i++) {
        const struct sv_str *value = &death->texts[i];
        if (i == SV_DEATH_TEXT_tail && value->length > 0)
            json_object_set_new(object, text_names[i], lines_of(value));
        else if (value->length > 0)
            set_words(object, text_names[i], value);
    }
    return object;
}

void sv_death_payload(const struct sv_death *death, struct sv_str *ret_payload)
{
    sv_str_addf(ret_payload, "processname:%s groupname:%s run:%" PRId64 " pid:%" PRId64 " cause:%s",
                sv_death_text(death, SV_DEATH_TEXT_name), sv_death_text(death, SV_DEATH_TEXT_group),
                sv_death_get(death, SV_DEATH_run), sv_death_get(death, SV_DEATH_pid),
                sv_death_cause_name(sv_death_get(death, SV_DEATH_cause)));
    if (sv_death_has(death, SV_DEATH_exit_code))
        sv_str_addf(ret_payload, " exitcode:%" PRId64, sv_death_get(death, SV_DEATH_exit_code));
    if (sv_death_has(death, SV_DEATH_signal))
        sv_str_addf(ret_payload, " signal:%" PRId64, sv_death_get(death, SV_DEATH_signal));
    sv_payload_add_json(ret_payload, sv_death_json(death));
}
