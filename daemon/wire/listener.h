/*
 * The protocol between the daemon and an event listener (Supervisor docs/events.rst, "Event
 * Listener States" and "Event Listener Notification Protocol").
 *
 * Reading: the listener's stdout is fed piece by piece; READY and RESULT tokens come out. Writing:
 * the header line and payload of an event. The payloads of all event types are rendered here too.
 */
#ifndef SV_WIRE_LISTENER_H
#define SV_WIRE_LISTENER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <svisor/states.h>

#include "base/str.h"

enum sv_listener_token {
    SV_TOKEN_MORE,   /* nothing whole yet */
    SV_TOKEN_READY,  /* "READY\n" while ACKNOWLEDGED */
    SV_TOKEN_RESULT, /* "RESULT n\n" and n bytes while BUSY: the bytes are in `result` */
    SV_TOKEN_BROKEN, /* anything else: the listener goes UNKNOWN */
};

/* The zero value is a parser of a fresh listener. */
struct sv_listener_parser {
    struct sv_str input;
    struct sv_str result;
    int64_t result_length; /* of the result that is being read, -1 before its header */
    bool has_result_header;
};

void sv_listener_parser_done(struct sv_listener_parser *parser);
/* Bounded: more than SV_LISTENER_RESULT_BYTES_MAX waiting is BROKEN at the next token. */
void sv_listener_parser_feed(struct sv_listener_parser *parser, const char *data, size_t length);
/* What the next token is, if it is one: READY, RESULT, or MORE when that cannot be told yet;
 * BROKEN: it is neither. Takes nothing. */
enum sv_listener_token sv_listener_parser_foresee(const struct sv_listener_parser *parser);
/* Takes the next token given the listener's present state. Call until SV_TOKEN_MORE. */
enum sv_listener_token sv_listener_parser_next(struct sv_listener_parser *parser,
                                               enum sv_listener_state state);

/* "ver:3.0 server:… serial:… pool:… poolserial:… eventname:… len:…\n" and the payload. `len` counts
 * characters, not bytes, as Supervisor does and childutils expects. */
struct sv_envelope {
    const char *server; /* the daemon's identifier */
    uint64_t serial;
    const char *pool;
    uint64_t pool_serial;
    enum sv_notice_type type;
    const char *payload;
    size_t payload_length;
};
void sv_envelope_encode(const struct sv_envelope *envelope, struct sv_str *ret_bytes);

/* The payloads of events.py, byte for byte. */
struct sv_state_notice {
    enum sv_notice_type type;
    const char *process_name;
    const char *group_name;
    enum sv_process_state from;
    int32_t pid;
    uint32_t tries;
    bool is_expected;
};
void sv_payload_process_state(const struct sv_state_notice *notice, struct sv_str *ret_payload);
void sv_payload_process_log(const char *process_name, const char *group_name, int32_t pid,
                            const char *channel, const char *data, size_t length,
                            struct sv_str *ret_payload);
void sv_payload_process_communication(const char *process_name, const char *group_name, int32_t pid,
                                      const char *data, size_t length, struct sv_str *ret_payload);
void sv_payload_remote_communication(const char *type, const char *data,
                                     struct sv_str *ret_payload);
void sv_payload_group(const char *group_name, struct sv_str *ret_payload);
void sv_payload_tick(int64_t when_seconds, struct sv_str *ret_payload);
/* Our own have the words of Supervisor's in their first line, and all of it in the second. Takes
 * `body`; NULL: memory is short, and the payload has failed. */
void sv_payload_add_json(struct sv_str *payload, json_t *body);

#endif
