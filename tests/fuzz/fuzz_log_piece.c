/* What somebody who follows a log says and is told: a cursor that is none is refused, one that is
 * goes there and back, and bytes survive base64. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/base64.h"
#include "wire/log_cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const char *text)
{
    struct sv_str again = {0};
    struct sv_log_cursor cursor, back;
    if (sv_log_cursor_read(text, &cursor)) {
        sv_log_cursor_add(&cursor, &again);
        if (cursor.offset < 0 || !sv_log_cursor_read(sv_str_text(&again), &back) ||
            cursor.inode != back.inode || cursor.offset != back.offset ||
            cursor.checksum != back.checksum || again.length > strlen(text))
            abort();
    }
    sv_str_done(&again);
}

static void there_and_back(const char *bytes, size_t size)
{
    struct sv_str text = {0}, back = {0};
    sv_base64_encode(bytes, size, &text);
    if (!sv_base64_decode(sv_str_text(&text), text.length, &back) || back.length != size ||
        memcmp(sv_str_text(&back), bytes, size) != 0)
        abort();
    sv_str_done(&text);
    sv_str_done(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1); /* so that a byte too far is seen */
    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    look(text);
    there_and_back(text, size);
    free(text);
    return 0;
}
