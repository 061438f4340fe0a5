/* A ring of records, each with its texts in one piece of memory. */
#include "wire/timeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "base/attr.h"
#include "base/str.h"
#include "wire/xmlrpc.h"

enum { TEXT_COUNT = 4, NS_PER_US = 1000 };
#define SECONDS_MAX 9e9 /* of the wall clock, in int64_t nanoseconds */

struct entry {
    struct sv_timeline_record record;
    char texts[];
};

struct sv_timeline {
    struct entry *entries[SV_TIMELINE_RECORDS_MAX];
    size_t first, count;
    uint64_t next_serial;
};

struct sv_timeline *sv_timeline_new(uint64_t first_serial)
{
    struct sv_timeline *timeline = calloc(1, sizeof(*timeline));
    if (timeline)
        timeline->next_serial = first_serial;
    return timeline;
}

void sv_timeline_free(struct sv_timeline *timeline)
{
    if (!timeline)
        return;
    for (size_t i = 0; i < SV_TIMELINE_RECORDS_MAX; i++)
        free(timeline->entries[i]);
    free(timeline);
}

/* Not inside a character of UTF-8. */
static size_t cut_length(const char *text, size_t bytes_max)
{
    size_t length = strnlen(text, bytes_max + 1);
    if (length <= bytes_max)
        return length;
    length = bytes_max;
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    return length;
}

static struct entry *entry_new(const struct sv_timeline_record *record)
{
    const char *texts[TEXT_COUNT] = {record->identifier, record->application, record->process,
                                     record->text};
    size_t lengths[TEXT_COUNT], total = 0;
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        lengths[i] = cut_length(texts[i], i == TEXT_COUNT - 1 ? SV_TIMELINE_TEXT_BYTES_MAX
                                                              : SV_TIMELINE_NAME_BYTES_MAX);
        total += lengths[i] + 1;
    }
    struct entry *entry = malloc(sizeof(*entry) + total);
    if (!entry)
        return NULL;
    char *end = entry->texts;
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        memcpy(end, texts[i], lengths[i]);
        end[lengths[i]] = '\0';
        texts[i] = end;
        end += lengths[i] + 1;
    }
    entry->record = *record;
    entry->record.identifier = texts[0];
    entry->record.application = texts[1];
    entry->record.process = texts[2];
    entry->record.text = texts[3];
    return entry;
}

const struct sv_timeline_record *sv_timeline_add(struct sv_timeline *timeline,
                                                 const struct sv_timeline_record *record)
{
    struct entry *entry = entry_new(record);
    if (!entry)
        return NULL;
    bool has_own =
        record->serial > 0 && (timeline->count == 0 || record->serial >= timeline->next_serial);
    if (!has_own)
        entry->record.serial = timeline->next_serial;
    timeline->next_serial = entry->record.serial + 1;
    size_t place = (timeline->first + timeline->count) % SV_TIMELINE_RECORDS_MAX;
    if (timeline->count == SV_TIMELINE_RECORDS_MAX) {
        free(timeline->entries[place]); /* the oldest one */
        timeline->first = (timeline->first + 1) % SV_TIMELINE_RECORDS_MAX;
    } else {
        timeline->count++;
    }
    timeline->entries[place] = entry;
    return &entry->record;
}

size_t sv_timeline_count(const struct sv_timeline *timeline)
{
    return timeline->count;
}

const struct sv_timeline_record *sv_timeline_at(const struct sv_timeline *timeline, size_t index)
{
    return &timeline->entries[(timeline->first + index) % SV_TIMELINE_RECORDS_MAX]->record;
}

size_t sv_timeline_after(const struct sv_timeline *timeline, uint64_t after, size_t limit)
{
    size_t known = 0, above = after < timeline->next_serial ? timeline->count : 0;
    while (known < above) {
        size_t middle = known + (above - known) / 2;
        if (sv_timeline_at(timeline, middle)->serial <= after)
            known = middle + 1;
        else
            above = middle;
    }
    size_t wanted = timeline->count - known;
    return wanted > limit ? timeline->count - limit : known;
}

const struct sv_timeline_record *sv_timeline_find(const struct sv_timeline *timeline,
                                                  uint64_t serial)
{
    size_t index = sv_timeline_after(timeline, serial - 1, SIZE_MAX);
    const struct sv_timeline_record *record =
        index < timeline->count ? sv_timeline_at(timeline, index) : NULL;
    return record && record->serial == serial ? record : NULL;
}

/* ---- As JSON ---- */

static const char *const kinds[] = {
#define TIMELINE_KIND(name, text) text,
#include <svisor/timeline.def>
};

static const char *const levels[] = {
#define TIMELINE_LEVEL(name, text) text,
#include <svisor/timeline.def>
};

json_t *sv_timeline_json(const struct sv_timeline_record *record)
{
    json_t *object =
        json_pack("{s:I, s:f, s:s, s:s, s:o, s:o}", "serial", (json_int_t)record->serial, "at",
                  (double)(record->wall_ns / NS_PER_US) / 1e6, "level", levels[record->level],
                  "kind", kinds[record->kind], "identifier",
                  sv_wire_string(record->identifier, strlen(record->identifier)), "text",
                  sv_wire_string(record->text, strlen(record->text)));
    if (object && *record->application)
        json_object_set_new(object, "application_name",
                            sv_wire_string(record->application, strlen(record->application)));
    if (object && *record->process)
        json_object_set_new(object, "process_name",
                            sv_wire_string(record->process, strlen(record->process)));
    return object;
}

void sv_timeline_write_line(const struct sv_timeline_record *record, struct sv_str *out)
{
    json_t *object = sv_timeline_json(record);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    if (text) {
        sv_str_add(out, text);
        sv_str_add_char(out, '\n');
    }
    free(text);
    json_decref(object);
}

/* The count: it is none of them. */
static size_t index_of(const char *const *words, size_t count, const char *word)
{
    size_t i = 0;
    while (i < count && strcmp(words[i], word) != 0)
        i++;
    return i;
}

/* The texts are those of `object`. */
static bool read_record(const json_t *object, struct sv_timeline_record *ret_record)
{
    json_int_t serial;
    double at;
    const char *kind, *level;
    struct sv_timeline_record record = {.application = "", .process = ""};
    if (json_unpack((json_t *)object, "{s:I, s:F, s:s, s:s, s:s, s:s, s?s, s?s}", "serial", &serial,
                    "at", &at, "kind", &kind, "level", &level, "identifier", &record.identifier,
                    "text", &record.text, "application_name", &record.application, "process_name",
                    &record.process) < 0)
        return false;
    size_t kind_index = index_of(kinds, SV_ARRAY_LENGTH(kinds), kind);
    size_t level_index = index_of(levels, SV_ARRAY_LENGTH(levels), level);
    if (serial <= 0 || !(at >= 0 && at < SECONDS_MAX) || kind_index == SV_ARRAY_LENGTH(kinds) ||
        level_index == SV_ARRAY_LENGTH(levels))
        return false;
    record.serial = (uint64_t)serial;
    record.wall_ns = (int64_t)(at * 1e6 + 0.5) * NS_PER_US; /* exact: microseconds fit a double */
    record.kind = (enum sv_timeline_kind)kind_index;
    record.level = (enum sv_timeline_level)level_index;
    *ret_record = record;
    return true;
}

static int read_line(struct sv_timeline *timeline, const char *line, size_t length)
{
    json_t *object = json_loadb(line, length, 0, NULL);
    struct sv_timeline_record record;
    int r = 0;
    if (object && read_record(object, &record) && !sv_timeline_add(timeline, &record))
        r = -ENOMEM;
    json_decref(object);
    return r;
}

int sv_timeline_read_lines(struct sv_timeline *timeline, const char *lines, size_t length)
{
    size_t begin = length;
    for (int count = 0; begin > 0; begin--)
        if (lines[begin - 1] == '\n' && ++count > SV_TIMELINE_RECORDS_MAX)
            break;
    for (const char *line = lines + begin, *end = lines + length; line < end;) {
        const char *line_end = memchr(line, '\n', (size_t)(end - line));
        if (!line_end)
            line_end = end;
        if (read_line(timeline, line, (size_t)(line_end - line)) < 0)
            return -ENOMEM;
        line = line_end < end ? line_end + 1 : end;
    }
    return 0;
}
