/* A ring of records, each with its texts in one piece of memory. */
#include "wire/timeline.h"

#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "base/str.h"
#include "wire/xmlrpc.h"

enum { TEXT_COUNT = 4 };

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
    entry->record.serial = timeline->next_serial++;
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
    uint64_t oldest = timeline->next_serial - timeline->count;
    size_t known =
        after < oldest || after >= timeline->next_serial ? 0 : (size_t)(after - oldest) + 1;
    size_t wanted = timeline->count - known;
    return wanted > limit ? timeline->count - limit : known;
}

json_t *sv_timeline_json(const struct sv_timeline_record *record)
{
    static const char *const kinds[] = {
#define TIMELINE_KIND(name, text) text,
#include <svisor/timeline.def>
    };
    static const char *const levels[] = {
#define TIMELINE_LEVEL(name, text) text,
#include <svisor/timeline.def>
    };
    json_t *object = json_pack(
        "{s:I, s:f, s:s, s:s, s:o, s:o}", "serial", (json_int_t)record->serial, "at",
        (double)record->wall_ns / 1e9, "level", levels[record->level], "kind", kinds[record->kind],
        "identifier", sv_wire_string(record->identifier, strlen(record->identifier)), "text",
        sv_wire_string(record->text, strlen(record->text)));
    if (object && *record->application)
        json_object_set_new(object, "application_name",
                            sv_wire_string(record->application, strlen(record->application)));
    if (object && *record->process)
        json_object_set_new(object, "process_name",
                            sv_wire_string(record->process, strlen(record->process)));
    return object;
}
