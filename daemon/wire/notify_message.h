/* The datagrams of sd_notify(3): what a program says about itself. See notify_message.c. */
#ifndef SV_WIRE_NOTIFY_MESSAGE_H
#define SV_WIRE_NOTIFY_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <svisor/limits.h>

struct sv_notify_message {
    bool is_ready;    /* READY=1 */
    bool is_stopping; /* STOPPING=1 */
    bool is_alive;    /* WATCHDOG=1 */
    bool is_trigger;  /* WATCHDOG=trigger */
    bool has_status;  /* STATUS= */
    bool has_extend;  /* EXTEND_TIMEOUT_USEC= */
    uint64_t extend_us;
    char status[SV_NOTIFY_STATUS_BYTES_MAX]; /* one line of UTF-8, cut where it is too long */
};

/* False: no such message; nothing is written then. Keys that mean nothing to us are no error. */
bool sv_notify_parse(const char *data, size_t length, struct sv_notify_message *ret_message);

#endif
