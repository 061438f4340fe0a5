/* The lines of a timeline's file: what is read from them is written and read again as the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "wire/timeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sv_timeline *read_lines(const char *lines, size_t length, struct sv_str *ret_written)
{
    struct sv_timeline *timeline = sv_timeline_new(1);
    if (!timeline || sv_timeline_read_lines(timeline, lines, length) < 0) {
        sv_timeline_free(timeline);
        return NULL;
    }
    uint64_t last = 0;
    for (size_t i = 0; i < sv_timeline_count(timeline); i++) {
        const struct sv_timeline_record *record = sv_timeline_at(timeline, i);
        if (record->serial <= last || strlen(record->text) > SV_TIMELINE_TEXT_BYTES_MAX ||
            sv_timeline_after(timeline, record->serial, SIZE_MAX) != i + 1)
            abort();
        last = record->serial;
        sv_timeline_write_line(record, ret_written);
    }
    return timeline;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sv_str once = {0}, twice = {0};
    struct sv_timeline *timeline = read_lines((const char *)data, size, &once);
    struct sv_timeline *again = read_lines(sv_str_text(&once), once.length, &twice);
    if (timeline && again &&
        (sv_timeline_count(timeline) != sv_timeline_count(again) ||
         strcmp(sv_str_text(&once), sv_str_text(&twice)) != 0))
        abort();
    sv_timeline_free(timeline);
    sv_timeline_free(again);
    sv_str_done(&once);
    sv_str_done(&twice);
    return 0;
}
