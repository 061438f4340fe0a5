/*
 * The newest published events, numbered, for clients that come back and say which one they had
 * last. See event_history.c.
 */
#ifndef SV_WIRE_EVENT_HISTORY_H
#define SV_WIRE_EVENT_HISTORY_H

#include <stdbool.h>

#include "base/blob.h"
#include "base/str.h"
#include "wire/publication.h"

struct sv_event_history;

struct sv_past_event {
    enum sv_publication header;
    struct sv_blob
        *text; /* as it is sent: id, event and data, and an empty line; of a mark nothing */
};

/* Why a client that says it had an event cannot simply go on behind it. */
enum sv_resumption {
    SV_RESUMPTION_WHOLE,    /* it can */
    SV_RESUMPTION_GONE,     /* some of what came after it is no longer kept, or never was */
    SV_RESUMPTION_STRANGER, /* another svisord has said that id, or nobody */
};

/* `epoch` tells this history from every other one. NULL without memory. */
struct sv_event_history *sv_event_history_new(uint64_t epoch);
/* NULL is allowed. */
void sv_event_history_free(struct sv_event_history *history);

/* These headers are recorded from now on, besides those that are already. That takes a place as an
 * event does: -ENOMEM, and not when the history is full. */
int sv_event_history_record(struct sv_event_history *history, sv_publication_set headers);
sv_publication_set sv_event_history_recorded(const struct sv_event_history *history);

/* Whether the oldest one must go before one with a body of so many bytes may come. */
bool sv_event_history_is_full(const struct sv_event_history *history, size_t body_length);
/* Forgets the oldest one, and returns its number. There must be one. MISSED is a mark, which nobody
 * gets. */
uint64_t sv_event_history_drop(struct sv_event_history *history, enum sv_publication *ret_header);
/* -ENOMEM: it is not there. Not when the history is full. */
int sv_event_history_add(struct sv_event_history *history, enum sv_publication header,
                         const char *body, size_t body_length);

/* The number that the next one will have; the first one has 1. */
uint64_t sv_event_history_next(const struct sv_event_history *history);
/* NULL: it is no longer there, or not yet. */
const struct sv_past_event *sv_event_history_get(const struct sv_event_history *history,
                                                 uint64_t number);

/* Adds the id of the event with that number; of 0: of somebody who has come before the first. */
void sv_event_history_add_id(const struct sv_event_history *history, uint64_t number,
                             struct sv_str *text);
/* Where a client that has had the event with this id goes on: the number of the next one that it
 * may get, if it is WHOLE. */
enum sv_resumption sv_event_history_find(const struct sv_event_history *history, const char *id,
                                         sv_publication_set headers, uint64_t *ret_number);

#endif
