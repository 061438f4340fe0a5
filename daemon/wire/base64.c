/* Base64: four characters of six bits make three bytes; what is left of the last four is padded
 * with "=". */
#include "wire/base64.h"

#include <stdint.h>
#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool sv_base64_decode(const char *text, size_t length, struct sv_str *ret_bytes)
{
    size_t start = ret_bytes->length;
    uint32_t bits = 0;
    size_t digit_count = 0;
    size_t padding_count = 0;
    for (size_t i = 0; i < length; i++) {
        if (is_space(text[i]))
            continue;
        if (text[i] == '=') {
            padding_count++;
            continue;
        }
        int value = value_of(text[i]);
        if (value < 0 || padding_count > 0)
            goto wrong;
        bits = bits << 6 | (uint32_t)value;
        size_t missing = (4 - ++digit_count % 4) % 4; /* digits, until three bytes are whole */
        if (missing < 3)
            sv_str_add_char(ret_bytes, (char)(bits >> missing * 2));
    }
    if (digit_count % 4 == 1 || padding_count > 2)
        goto wrong;
    return true;
wrong:
    sv_str_truncate(ret_bytes, start);
    return false;
}

void sv_base64_encode(const char *bytes, size_t length, struct sv_str *ret_text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < length; i += 3) {
        size_t count = length - i < 3 ? length - i : 3;
        uint32_t bits = 0;
        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (j < count ? (unsigned char)bytes[i + j] : 0);
        char *out = sv_str_reserve(ret_text, 4);
        if (!out)
            return;
        for (size_t j = 0; j < 4; j++)
            out[j] = j <= count ? digits[bits >> (18 - 6 * j) & 63] : '=';
        sv_str_grew(ret_text, 4);
    }
}
