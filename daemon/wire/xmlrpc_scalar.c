/* Scalars of XML-RPC: each function is strict about its type, and forgives white space around
 * numbers. */
#include "wire/xmlrpc_scalar.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "wire/base64.h"
#include "wire/xmlrpc.h"

#define SPACE " \t\r\n"

static int give(json_t *value, json_t **ret_value)
{
    if (!value)
        return -ENOMEM;
    *ret_value = value;
    return 0;
}

/* Whether nothing but white space follows. */
static bool is_end(const char *text)
{
    return text[strspn(text, SPACE)] == '\0';
}

int sv_xmlrpc_scalar_string(const char *text, size_t length, json_t **ret_value)
{
    return give(sv_wire_string(text, length), ret_value);
}

int sv_xmlrpc_scalar_integer(const char *text, size_t length, json_t **ret_value)
{
    (void)length;
    const char *start = text + strspn(text, SPACE);
    size_t sign = *start == '-' || *start == '+';
    size_t digits = strspn(start + sign, "0123456789");
    if (digits == 0 || !is_end(start + sign + digits))
        return SV_XMLRPC_SCALAR_WRONG;
    errno = 0;
    long long number = strtoll(start, NULL, 10);
    if (errno == ERANGE)
        return SV_XMLRPC_SCALAR_WRONG;
    return give(json_integer(number), ret_value);
}

int sv_xmlrpc_scalar_boolean(const char *text, size_t length, json_t **ret_value)
{
    (void)length;
    const char *start = text + strspn(text, SPACE);
    if ((*start != '0' && *start != '1') || !is_end(start + 1))
        return SV_XMLRPC_SCALAR_WRONG;
    return give(json_boolean(*start == '1'), ret_value);
}

int sv_xmlrpc_scalar_double(const char *text, size_t length, json_t **ret_value)
{
    (void)length;
    const char *start = text + strspn(text, SPACE);
    size_t size = strspn(start, "0123456789+-.eE"); /* no "inf", no "nan", no "0x1p3" */
    char *end;
    double number = strtod(start, &end);
    if (end == start || end != start + size || !is_end(end) || !isfinite(number))
        return SV_XMLRPC_SCALAR_WRONG;
    return give(json_real(number), ret_value);
}

/* 19980717T14:08:55, with or without dashes, a fraction and a zone; kept as it was written. */
int sv_xmlrpc_scalar_datetime(const char *text, size_t length, json_t **ret_value)
{
    (void)length;
    const char *start = text + strspn(text, SPACE);
    size_t size = strspn(start, "0123456789-:T.,+Z");
    const char *date_end = memchr(start, 'T', size);
    if (!date_end || date_end - start < 8 || size > 40 || !is_end(start + size))
        return SV_XMLRPC_SCALAR_WRONG;
    return give(json_stringn_nocheck(start, size), ret_value);
}

int sv_xmlrpc_scalar_base64(const char *text, size_t length, json_t **ret_value)
{
    struct sv_str bytes = {0};
    int r = SV_XMLRPC_SCALAR_WRONG;
    if (sv_base64_decode(text, length, &bytes))
        r = sv_str_ok(&bytes) ? give(sv_wire_string(sv_str_text(&bytes), bytes.length), ret_value)
                              : -ENOMEM;
    sv_str_done(&bytes);
    return r;
}

int sv_xmlrpc_scalar_nil(const char *text, size_t length, json_t **ret_value)
{
    (void)length;
    return is_end(text) ? give(json_null(), ret_value) : SV_XMLRPC_SCALAR_WRONG;
}
