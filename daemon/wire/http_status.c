/* RFC 9112, status-line: "HTTP/1.0 200", one blank, three digits, then a blank or the line's end.
 */
#include "wire/http_status.h"

#include <stdbool.h>

#include "base/attr.h"

/* '9' is any digit, '.' the blank or end of line behind the code; the rest is meant literally. */
static const char form[] = "HTTP/1.9 999.";

static bool fits(char wanted, char c)
{
    if (wanted == '9')
        return c >= '0' && c <= '9';
    if (wanted == '.')
        return c == ' ' || c == '\r' || c == '\n';
    return c == wanted;
}

int sv_http_status(const char *data, size_t length)
{
    enum { CODE = 9, DOT = 6, LENGTH = sizeof(form) - 1 };
    for (size_t i = 0; i < length && i < LENGTH; i++)
        if (i == DOT ? data[i] != '.' : !fits(form[i], data[i]))
            return SV_HTTP_STATUS_NONE;
    if (length < LENGTH)
        return SV_HTTP_STATUS_MORE;
    return (data[CODE] - '0') * 100 + (data[CODE + 1] - '0') * 10 + (data[CODE + 2] - '0');
}
