/*
 * The timeline: what has happened, in words, the newest SV_TIMELINE_RECORDS_MAX of it.
 *
 * Records have serials that grow by one; where some were lost with a file, by more. Texts are cut
 * to bounds, between two characters. In a file each record is a line, its JSON.
 */
#ifndef SV_WIRE_TIMELINE_H
#define SV_WIRE_TIMELINE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <svisor/timeline.h>

#include "base/str.h"

struct sv_timeline;

struct sv_timeline_record {
    uint64_t serial; /* 0: sv_timeline_add() gives it the next one */
    int64_t wall_ns;
    enum sv_timeline_kind kind;
    enum sv_timeline_level level;
    const char *identifier;  /* of the instance that it has happened to */
    const char *application; /* "": it is about none; likewise the process */
    const char *process;
    const char *text;
};

/* NULL without memory. */
struct sv_timeline *sv_timeline_new(uint64_t first_serial);
/* NULL is allowed. */
void sv_timeline_free(struct sv_timeline *timeline);

/* Copies it; the oldest record goes if need be. A serial of its own (of a daemon before) must be
 * above all others, or it gets the next one. What is kept, until the next call; NULL without
 * memory: nothing has changed. */
const struct sv_timeline_record *sv_timeline_add(struct sv_timeline *timeline,
                                                 const struct sv_timeline_record *record);
size_t sv_timeline_count(const struct sv_timeline *timeline);
/* NULL: it is no longer there, or was never given. */
const struct sv_timeline_record *sv_timeline_find(const struct sv_timeline *timeline,
                                                  uint64_t serial);
/* 0 is the oldest. */
const struct sv_timeline_record *sv_timeline_at(const struct sv_timeline *timeline, size_t index);
/* The first one of the newest `limit` records with a serial above `after`; the count: none. A
 * serial that was never given is another daemon's, and means all. */
size_t sv_timeline_after(const struct sv_timeline *timeline, uint64_t after, size_t limit);

/* A new reference; NULL without memory. */
json_t *sv_timeline_json(const struct sv_timeline_record *record);

/* Its JSON, and the end of the line. */
void sv_timeline_write_line(const struct sv_timeline_record *record, struct sv_str *out);
/* Adds the records of the last lines, as many as are kept. A line that is none (torn, or of another
 * version) is left out. 0, -ENOMEM. */
int sv_timeline_read_lines(struct sv_timeline *timeline, const char *lines, size_t length);

#endif
