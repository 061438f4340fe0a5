/*
 * A ring of at most SV_EVENTS_WAITING_MAX events and SV_EVENTS_WAITING_BYTES_MAX bytes.
 *
 *     id: 6f1d0c3a9be2475d-1207      epoch, in 16 hexadecimal digits, and number
 *     event: process
 *     data: {"application_name": …}
 *
 * Numbers go up by one over all headers, so one number says where a client is, whatever it asks
 * for. It has missed something if an event under one of *its* headers was dropped after that, or if
 * one of them was not recorded yet: hence two numbers for each header. A client of a quiet header
 * comes back whole however much happened under the others. The beginning of a record takes a number
 * of its own, a mark: what happened between the event before and the mark is not known.
 *
 * Ids come from outside: they are only ever compared.
 */
#include "wire/event_history.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

enum {
    EPOCH_DIGITS = 16,
    NUMBER_DIGITS_MAX = 19, /* so that it always fits */
    TEXT_BYTES = 128,       /* around a body, with room to spare */
};

struct sv_event_history {
    uint64_t epoch;
    uint64_t first, next; /* numbers: of the oldest one that is there, and of the one to come */
    size_t bytes;
    sv_publication_set recorded;
    uint64_t recorded_after[SV_PUBLICATION_COUNT]; /* the mark */
    uint64_t dropped[SV_PUBLICATION_COUNT];        /* the newest one that was; 0: none */
    struct sv_past_event events[SV_EVENTS_WAITING_MAX];
};

struct sv_event_history *sv_event_history_new(uint64_t epoch)
{
    struct sv_event_history *history = calloc(1, sizeof(*history));
    if (!history)
        return NULL;
    history->epoch = epoch;
    history->first = history->next = 1;
    return history;
}

void sv_event_history_free(struct sv_event_history *history)
{
    enum sv_publication header;
    while (history && history->first < history->next)
        sv_event_history_drop(history, &header);
    free(history);
}

sv_publication_set sv_event_history_recorded(const struct sv_event_history *history)
{
    return history->recorded;
}

static struct sv_past_event *place_of(struct sv_event_history *history, uint64_t number)
{
    return &history->events[number % SV_EVENTS_WAITING_MAX];
}

bool sv_event_history_is_full(const struct sv_event_history *history, size_t body_length)
{
    uint64_t count = history->next - history->first;
    size_t length = body_length + TEXT_BYTES;
    return count > 0 && (count == SV_EVENTS_WAITING_MAX || length > SV_EVENTS_WAITING_BYTES_MAX ||
                         history->bytes > SV_EVENTS_WAITING_BYTES_MAX - length);
}

uint64_t sv_event_history_drop(struct sv_event_history *history, enum sv_publication *ret_header)
{
    assert(history->first < history->next);
    struct sv_past_event *event = place_of(history, history->first);
    history->bytes -= event->text->length;
    history->dropped[event->header] = history->first;
    sv_blob_unref(event->text);
    *ret_header = event->header;
    return history->first++;
}

static int append(struct sv_event_history *history, enum sv_publication header,
                  const struct sv_str *text)
{
    struct sv_blob *blob = sv_str_ok(text) ? sv_blob_new(sv_str_text(text), text->length) : NULL;
    if (!blob)
        return -ENOMEM;
    *place_of(history, history->next++) = (struct sv_past_event){.header = header, .text = blob};
    history->bytes += blob->length;
    return 0;
}

int sv_event_history_record(struct sv_event_history *history, sv_publication_set headers)
{
    static const struct sv_str nothing;
    sv_publication_set more = headers & ~history->recorded;
    int r = more ? append(history, SV_PUBLICATION_MISSED, &nothing) : 0;
    if (r < 0)
        return r;
    for (unsigned i = 0; i < SV_PUBLICATION_COUNT; i++)
        if (more >> i & 1)
            history->recorded_after[i] = history->next - 1;
    history->recorded |= more;
    return 0;
}

int sv_event_history_add(struct sv_event_history *history, enum sv_publication header,
                         const char *body, size_t body_length)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_add(&text, "id: ");
    sv_event_history_add_id(history, history->next, &text);
    sv_str_addf(&text, "\nevent: %s\ndata: ", sv_publication_name(header));
    sv_str_append(&text, body, body_length);
    sv_str_add(&text, "\n\n");
    return append(history, header, &text);
}

uint64_t sv_event_history_next(const struct sv_event_history *history)
{
    return history->next;
}

const struct sv_past_event *sv_event_history_get(const struct sv_event_history *history,
                                                 uint64_t number)
{
    bool is_there = number >= history->first && number < history->next;
    return is_there ? &history->events[number % SV_EVENTS_WAITING_MAX] : NULL;
}

/* ---- Ids ---- */

void sv_event_history_add_id(const struct sv_event_history *history, uint64_t number,
                             struct sv_str *text)
{
    sv_str_addf(text, "%016" PRIx64 "-%" PRIu64, history->epoch, number);
}

/* The number of an id of this history. */
static bool read_id(const struct sv_event_history *history, const char *id, uint64_t *ret_number)
{
    char epoch[EPOCH_DIGITS + 2];
    snprintf(epoch, sizeof(epoch), "%016" PRIx64 "-", history->epoch);
    if (strncmp(id, epoch, EPOCH_DIGITS + 1) != 0)
        return false;
    const char *digits = id + EPOCH_DIGITS + 1;
    size_t length = strspn(digits, "0123456789");
    if (length == 0 || length > NUMBER_DIGITS_MAX || digits[length] != '\0')
        return false;
    *ret_number = strtoull(digits, NULL, 10);
    return *ret_number < history->next;
}

enum sv_resumption sv_event_history_find(const struct sv_event_history *history, const char *id,
                                         sv_publication_set headers, uint64_t *ret_number)
{
    uint64_t last;
    if (!read_id(history, id, &last))
        return SV_RESUMPTION_STRANGER;
    for (unsigned i = 0; i < SV_PUBLICATION_COUNT; i++) {
        bool is_asked = headers >> i & 1, is_recorded = history->recorded >> i & 1;
        if (is_asked &&
            (!is_recorded || history->recorded_after[i] > last || history->dropped[i] > last))
            return SV_RESUMPTION_GONE;
    }
    /* What went since was of others. */
    *ret_number = last + 1 < history->first ? history->first : last + 1;
    return SV_RESUMPTION_WHOLE;
}
