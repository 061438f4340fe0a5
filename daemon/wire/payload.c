/*
 * The payloads of events, byte for byte those of Supervisor's events.py.
 *
 * Output of a program that is not UTF-8 is sent as Python would print it, because the listener
 * reads text:
 *
 *     processname:cat groupname:cat pid:7 channel:stdout
 *     Undecodable: b'\xff\xfe'
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "wire/listener.h"
#include "wire/utf8.h"

/* Python's repr() of bytes: double quotes only if there are single quotes and no double ones
 * inside. */
static void add_repr(struct sv_str *out, const char *data, size_t length)
{
    bool has_single = memchr(data, '\'', length) != NULL;
    bool has_double = memchr(data, '"', length) != NULL;
    char quote = has_single && !has_double ? '"' : '\'';
    sv_str_addf(out, "b%c", quote);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c == (unsigned char)quote || c == '\\')
            sv_str_addf(out, "\\%c", c);
        else if (c == '\t')
            sv_str_add(out, "\\t");
        else if (c == '\n')
            sv_str_add(out, "\\n");
        else if (c == '\r')
            sv_str_add(out, "\\r");
        else if (c < 0x20 || c >= 0x7f)
            sv_str_addf(out, "\\x%02x", c);
        else
            sv_str_add_char(out, (char)c);
    }
    sv_str_add_char(out, quote);
}

static void add_data(struct sv_str *out, const char *data, size_t length)
{
    if (sv_utf8_is_valid(data, length)) {
        sv_str_append(out, data, length);
    } else {
        sv_str_add(out, "Undecodable: ");
        add_repr(out, data, length);
    }
}

/* Which further words a state change has. What is not listed has none: FATAL and UNKNOWN. */
enum {
    HAS_TRIES = 1,
    HAS_EXPECTED = 2,
    HAS_PID = 4,
};

static const uint8_t words_of[SV_NOTICE_COUNT] = {
    [SV_NOTICE_PROCESS_STATE_STARTING] = HAS_TRIES,
    [SV_NOTICE_PROCESS_STATE_BACKOFF] = HAS_TRIES,
    [SV_NOTICE_PROCESS_STATE_RUNNING] = HAS_PID,
    [SV_NOTICE_PROCESS_STATE_STOPPING] = HAS_PID,
    [SV_NOTICE_PROCESS_STATE_STOPPED] = HAS_PID,
    [SV_NOTICE_PROCESS_STATE_EXITED] = HAS_EXPECTED | HAS_PID,
};

void sv_payload_process_state(const struct sv_state_notice *notice, struct sv_str *ret_payload)
{
    unsigned words = words_of[notice->type];
    sv_str_addf(ret_payload, "processname:%s groupname:%s from_state:%s", notice->process_name,
                notice->group_name, sv_process_state_name(notice->from));
    if (words & HAS_TRIES)
        sv_str_addf(ret_payload, " tries:%" PRIu32, notice->tries);
    if (words & HAS_EXPECTED)
        sv_str_addf(ret_payload, " expected:%d", notice->is_expected);
    if (words & HAS_PID)
        sv_str_addf(ret_payload, " pid:%" PRId32, notice->pid);
}

void sv_payload_process_log(const char *process_name, const char *group_name, int32_t pid,
                            const char *channel, const char *data, size_t length,
                            struct sv_str *ret_payload)
{
    sv_str_addf(ret_payload, "processname:%s groupname:%s pid:%" PRId32 " channel:%s\n",
                process_name, group_name, pid, channel);
    add_data(ret_payload, data, length);
}

void sv_payload_process_communication(const char *process_name, const char *group_name, int32_t pid,
                                      const char *data, size_t length, struct sv_str *ret_payload)
{
    sv_str_addf(ret_payload, "processname:%s groupname:%s pid:%" PRId32 "\n", process_name,
                group_name, pid);
    add_data(ret_payload, data, length);
}

void sv_payload_remote_communication(const char *type, const char *data, struct sv_str *ret_payload)
{
    sv_str_addf(ret_payload, "type:%s\n%s", type, data);
}

void sv_payload_group(const char *group_name, struct sv_str *ret_payload)
{
    sv_str_addf(ret_payload, "groupname:%s\n", group_name);
}

void sv_payload_tick(int64_t when_seconds, struct sv_str *ret_payload)
{
    sv_str_addf(ret_payload, "when:%" PRId64, when_seconds);
}

void sv_payload_add_json(struct sv_str *payload, json_t *body)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    if (text)
        sv_str_addf(payload, "\n%s", text);
    else
        payload->has_failed = true;
    json_decref(body);
    free(text);
}
