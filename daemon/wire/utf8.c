/*
 * UTF-8. One decoder; everything else is a loop around it, with a short cut for ASCII, which is
 * nearly all that ever comes.
 */
#include "wire/utf8.h"

/* By the number of leading ones of the first byte: the smallest code that needs so many bytes. */
static const uint32_t smallest_code[] = {[2] = 0x80, [3] = 0x800, [4] = 0x10000};

size_t sv_utf8_decode(const char *data, size_t length, uint32_t *ret_code)
{
    unsigned char first = (unsigned char)data[0];
    if (first < 0x80) {
        *ret_code = first;
        return 1;
    }
    size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || size > length)
        return 0;
    uint32_t code = first & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        unsigned char next = (unsigned char)data[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (next & 0x3fu);
    }
    bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
    if (code < smallest_code[size] || is_surrogate || code > 0x10ffff)
        return 0;
    *ret_code = code;
    return size;
}

bool sv_utf8_is_valid(const char *data, size_t length)
{
    for (size_t i = 0; i < length;) {
        uint32_t code;
        size_t size = sv_utf8_decode(data + i, length - i, &code);
        if (size == 0)
            return false;
        i += size;
    }
    return true;
}

size_t sv_utf8_count(const char *data, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; count++) {
        uint32_t code;
        size_t size = sv_utf8_decode(data + i, length - i, &code);
        i += size ? size : 1;
    }
    return count;
}
