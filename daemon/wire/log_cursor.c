/* Cursors come from outside: what is no such text is refused, and whatever else it says is only
 * compared with what the files are. */
#include "wire/log_cursor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void sv_log_cursor_add(const struct sv_log_cursor *cursor, struct sv_str *text)
{
    sv_str_addf(text, "%" PRIx64 "-%" PRIx64 "-%" PRIx32, cursor->inode, (uint64_t)cursor->offset,
                cursor->checksum);
}

/* What follows the number; NULL: there is none that ends with this character. */
static const char *read_number(const char *text, size_t digits_max, char end, uint64_t *ret_number)
{
    size_t length = strspn(text, "0123456789abcdef");
    if (length == 0 || length > digits_max || text[length] != end)
        return NULL;
    *ret_number = strtoull(text, NULL, 16);
    return text + length + (end != '\0');
}

bool sv_log_cursor_read(const char *text, struct sv_log_cursor *ret_cursor)
{
    uint64_t inode, offset, checksum;
    text = read_number(text, 16, '-', &inode);
    if (text)
        text = read_number(text, 16, '-', &offset);
    if (!text || !read_number(text, 8, '\0', &checksum) || offset > INT64_MAX)
        return false;
    *ret_cursor = (struct sv_log_cursor){
        .inode = inode, .offset = (int64_t)offset, .checksum = (uint32_t)checksum};
    return true;
}
