/*
 * "READY=1\nSTATUS=Serving on 8080\n": lines of KEY=value, as sd_notify(3) sends them.
 *
 * What else systemd knows is read over on purpose. MAINPID: a program's main process is the one
 * that was started, whatever it says. FDSTORE, ERRNO, BUSERROR, RELOADING, MONOTONIC_USEC,
 * WATCHDOG_USEC, NOTIFYACCESS: no such feature. BARRIER=1: its descriptor is closed with all others
 * as soon as the message has been dealt with, which is just what the sender waits for.
 */
#include "wire/notify_message.h"

#include <string.h>

#include "base/attr.h"
#include "wire/utf8.h"

typedef void (*field_function)(struct sv_notify_message *message, const char *value, size_t length);

static bool is_text(const char *value, size_t length, const char *word)
{
    return length == strlen(word) && memcmp(value, word, length) == 0;
}

static void take_ready(struct sv_notify_message *message, const char *value, size_t length)
{
    message->is_ready |= is_text(value, length, "1");
}

static void take_stopping(struct sv_notify_message *message, const char *value, size_t length)
{
    message->is_stopping |= is_text(value, length, "1");
}

static void take_watchdog(struct sv_notify_message *message, const char *value, size_t length)
{
    message->is_alive |= is_text(value, length, "1");
    message->is_trigger |= is_text(value, length, "trigger");
}

/* Digits only, and not more than fit: a number that is none is as if it had not been said. */
static void take_extend(struct sv_notify_message *message, const char *value, size_t length)
{
    uint64_t number = 0;
    if (length == 0 || length > 18)
        return;
    for (size_t i = 0; i < length; i++) {
        if (value[i] < '0' || value[i] > '9')
            return;
        number = number * 10 + (uint64_t)(value[i] - '0');
    }
    message->has_extend = true;
    message->extend_us = number;
}

/* Control characters would move a cursor or end a line of the log. */
static bool is_shown(uint32_t code)
{
    return code >= ' ' && code != 0x7f && !(code >= 0x80 && code < 0xa0);
}

/* Cut between two characters; what is none of UTF-8, or is not to be shown, becomes '?'. */
static void take_status(struct sv_notify_message *message, const char *value, size_t length)
{
    size_t filled = 0;
    for (size_t at = 0; at < length;) {
        uint32_t code = 0;
        size_t bytes = sv_utf8_decode(value + at, length - at, &code);
        bool is_good = bytes > 0 && is_shown(code);
        size_t out = is_good ? bytes : 1;
        if (filled + out >= sizeof(message->status))
            break;
        if (is_good)
            memcpy(message->status + filled, value + at, out);
        else
            message->status[filled] = '?';
        filled += out;
        at += bytes > 0 ? bytes : 1;
    }
    message->status[filled] = '\0';
    message->has_status = true;
}

static const struct {
    const char *key;
    field_function take;
} fields[] = {
    {"READY", take_ready},       {"STOPPING", take_stopping},
    {"WATCHDOG", take_watchdog}, {"EXTEND_TIMEOUT_USEC", take_extend},
    {"STATUS", take_status},
};

static void take_line(struct sv_notify_message *message, const char *line, size_t length)
{
    const char *equals = memchr(line, '=', length);
    if (!equals)
        return;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(fields); i++)
        if (is_text(line, (size_t)(equals - line), fields[i].key))
            fields[i].take(message, equals + 1, length - (size_t)(equals - line) - 1);
}

bool sv_notify_parse(const char *data, size_t length, struct sv_notify_message *ret_message)
{
    if (length > 0 && data[length - 1] == '\0') /* some send their string with its end */
        length--;
    if (length == 0 || length > SV_NOTIFY_MESSAGE_BYTES_MAX || memchr(data, '\0', length))
        return false;
    struct sv_notify_message message = {0};
    size_t count = 0;
    while (length > 0) {
        const char *newline = memchr(data, '\n', length);
        size_t line = newline ? (size_t)(newline - data) : length;
        if (++count > SV_NOTIFY_FIELDS_MAX)
            return false;
        take_line(&message, data, line);
        size_t used = newline ? line + 1 : line;
        data += used;
        length -= used;
    }
    *ret_message = message;
    return true;
}
