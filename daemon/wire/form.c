/*
 * Forms come from outside and are read leniently, as Python's urllib.parse.parse_qsl() reads them,
 * which Supervisor uses: a percent sign that no two hexadecimal digits follow is itself. %00, where
 * every text of ours would end and be another name, becomes a byte that no UTF-8 has (io/http.c).
 */
#include "wire/form.h"

#include <string.h>

static int digit_of(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *found = c ? strchr(digits, c) : NULL;
    return found ? (int)((found - digits) % 16) : -1;
}

static void add_decoded(struct sv_str *value, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        int high = text[i] == '%' && i + 2 < length ? digit_of(text[i + 1]) : -1;
        int low = high >= 0 ? digit_of(text[i + 2]) : -1;
        if (low >= 0) {
            int byte = high * 16 + low;
            sv_str_add_char(value, (char)(byte ? byte : 0xff));
            i += 2;
        } else {
            sv_str_add_char(value, text[i] == '+' ? ' ' : text[i]);
        }
    }
}

static size_t length_to(const char *text, size_t length, char mark)
{
    const char *found = length > 0 ? memchr(text, mark, length) : NULL;
    return found ? (size_t)(found - text) : length;
}

bool sv_form_find(const char *form, size_t length, const char *name, struct sv_str *ret_value)
{
    struct sv_str found_name SV_CLEANUP(sv_str_done) = {0};
    bool is_found = false;
    while (length > 0) {
        size_t field = length_to(form, length, '&');
        size_t split = length_to(form, field, '=');
        sv_str_clear(&found_name);
        add_decoded(&found_name, form, split);
        if (split < field && strcmp(sv_str_text(&found_name), name) == 0) {
            sv_str_clear(ret_value);
            add_decoded(ret_value, form + split + 1, field - split - 1);
            is_found = true;
        }
        size_t used = field < length ? field + 1 : field;
        form += used;
        length -= used;
    }
    return is_found;
}

void sv_form_add_escaped(struct sv_str *address, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (const char *c = text; *c; c++) {
        if (strchr(plain, *c))
            sv_str_add_char(address, *c);
        else
            sv_str_addf(address, "%%%02X", (unsigned char)*c);
    }
}
