/* The timeline, as other instances and programs fill it: whatever their words are, each record is
 * JSON within its bounds, and whoever asks behind any serial gets what is newer, and no more than
 * asked for. The input: a serial, a limit, then a record for each line, its texts between tabs. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "wire/timeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIRST_SERIAL UINT64_C(1000)

static const char *next_of(char **rest, const char *ends)
{
    char *text = strsep(rest, ends);
    return text ? text : "";
}

static void add(struct sv_timeline *timeline, char *line)
{
    const struct sv_timeline_record record = {
        .kind = (enum sv_timeline_kind)(strlen(line) % SV_TIMELINE_KIND_COUNT),
        .level = (enum sv_timeline_level)(strlen(line) % SV_TIMELINE_LEVEL_COUNT),
        .identifier = next_of(&line, "\t"),
        .application = next_of(&line, "\t"),
        .process = next_of(&line, "\t"),
        .text = next_of(&line, "\t")};
    const struct sv_timeline_record *kept = sv_timeline_add(timeline, &record);
    if (!kept || strlen(kept->text) > SV_TIMELINE_TEXT_BYTES_MAX ||
        strlen(kept->process) > SV_TIMELINE_NAME_BYTES_MAX ||
        sv_timeline_find(timeline, kept->serial) != kept)
        abort();
}

static void ask(const struct sv_timeline *timeline, uint64_t after, size_t limit)
{
    size_t count = sv_timeline_count(timeline);
    size_t first = sv_timeline_after(timeline, after, limit);
    if (first > count || count - first > limit)
        abort();
    for (size_t i = first; i < count; i++) {
        const struct sv_timeline_record *record = sv_timeline_at(timeline, i);
        json_t *object = sv_timeline_json(record);
        char *text = json_dumps(object, 0); /* NULL: a text that is not UTF-8 */
        bool is_newer = record->serial > after || after >= FIRST_SERIAL + count;
        if (!text || !is_newer)
            abort();
        free(text);
        json_decref(object);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t numbers[2] = {0};
    size_t head = size < sizeof(numbers) ? size : sizeof(numbers);
    if (head > 0)
        memcpy(numbers, data, head);
    char *text = strndup((const char *)data + head, size - head);
    struct sv_timeline *timeline = sv_timeline_new(FIRST_SERIAL);
    if (!text || !timeline)
        abort();
    for (char *rest = text; rest;)
        add(timeline, strsep(&rest, "\n"));
    ask(timeline, numbers[0], numbers[1]);
    ask(timeline, FIRST_SERIAL + numbers[0] % 8, numbers[1] % 8);
    sv_timeline_free(timeline);
    free(text);
    return 0;
}
