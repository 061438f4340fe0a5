/*
 * Writing XML-RPC, byte for byte as Python's xmlrpc.client does, since that is what Supervisor
 * sends:
 *
 *     <?xml
 * version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><int>5</int></value>\n</param>…
 *
 * An answer about a thousand processes is half a megabyte of small pieces, so text goes straight
 * into the string: whole runs of plain characters, tags joined with their neighbours, and digits
 * without printf. Nesting is a stack of iterators, not recursion; a value nested deeper than
 * SV_XMLRPC_DEPTH_MAX fails the string, as no reader of ours would take it.
 *
 * Two things differ from Python on purpose. What XML cannot carry (control characters, broken
 * UTF-8) is replaced by U+FFFD, where Python sends a document that no client can read. And a
 * carriage return is written "&#13;", because a bare one reaches the reader as a line feed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "wire/utf8.h"
#include "wire/xmlrpc.h"

#define ADD(out, literal) add((out), "" literal, sizeof(literal) - 1)
#define REPLACEMENT       "\xef\xbf\xbd" /* U+FFFD */

/* sv_str_append() where the room is there already: inlined, a tag is a few moves. Twice as fast. */
static inline void add(struct sv_str *out, const char *data, size_t length)
{
    if (out->has_failed || out->capacity - out->length <= length) {
        sv_str_append(out, data, length);
        return;
    }
    memcpy(out->data + out->length, data, length);
    out->length += length;
    out->data[out->length] = '\0';
}

static bool is_xml_character(uint32_t code)
{
    if (code < 0x20)
        return code == '\t' || code == '\n' || code == '\r';
    return code != 0xfffe && code != 0xffff;
}

/* ---- Text ---- */

static inline bool is_plain(unsigned char c)
{
    if (c < 0x20)
        return c == '\n' || c == '\t';
    return c < 0x80 && c != '&' && c != '<' && c != '>';
}

/* One character that is not plain. Returns its length in bytes. */
static size_t add_special(struct sv_str *out, const char *data, size_t length)
{
    switch (data[0]) {
    case '&':
        ADD(out, "&amp;");
        return 1;
    case '<':
        ADD(out, "&lt;");
        return 1;
    case '>':
        ADD(out, "&gt;");
        return 1;
    case '\r':
        ADD(out, "&#13;");
        return 1;
    default:
        break;
    }
    uint32_t code;
    size_t size = sv_utf8_decode(data, length, &code);
    if (size == 0 || !is_xml_character(code)) {
        ADD(out, REPLACEMENT);
        return size ? size : 1;
    }
    add(out, data, size);
    return size;
}

static void add_text(struct sv_str *out, const char *data, size_t length)
{
    size_t start = 0; /* of the run of plain characters */
    for (size_t i = 0; i < length;) {
        if (is_plain((unsigned char)data[i])) {
            i++;
            continue;
        }
        add(out, data + start, i - start);
        i += add_special(out, data + i, length - i);
        start = i;
    }
    add(out, data + start, length - start);
}

json_t *sv_wire_string(const char *data, size_t length)
{
    struct sv_str text = {0};
    size_t start = 0; /* of what was not copied yet */
    for (size_t i = 0; i < length;) {
        uint32_t code = 0;
        size_t size = sv_utf8_decode(data + i, length - i, &code);
        if (size == 0 || !is_xml_character(code)) {
            add(&text, data + start, i - start);
            ADD(&text, REPLACEMENT);
            start = i + (size ? size : 1);
        }
        i += size ? size : 1;
    }
    json_t *string = NULL;
    if (start == 0) {
        string = json_stringn_nocheck(data, length);
    } else {
        add(&text, data + start, length - start);
        if (sv_str_ok(&text))
            string = json_stringn_nocheck(text.data, text.length);
    }
    sv_str_done(&text);
    return string;
}

/* ---- Scalars ---- */

static void add_digits(struct sv_str *out, json_int_t value)
{
    char digits[24];
    char *at = digits + sizeof(digits);
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (value < 0)
        *--at = '-';
    add(out, at, (size_t)(digits + sizeof(digits) - at));
}

static void add_integer(struct sv_str *out, json_int_t value)
{
    if (value < INT32_MIN || value > INT32_MAX) {
        ADD(out, "<value><i8>");
        add_digits(out, value);
        ADD(out, "</i8></value>\n");
    } else {
        ADD(out, "<value><int>");
        add_digits(out, value);
        ADD(out, "</int></value>\n");
    }
}

/* As Python's repr(): the fewest digits that read back as the same number, and never a bare
 * integer. */
static void add_real(struct sv_str *out, double value)
{
    char digits[40];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof(digits), "%.*g", precision, value);
        if (memcmp(&(double){strtod(digits, NULL)}, &value, sizeof(value)) == 0)
            break;
    }
    ADD(out, "<value><double>");
    sv_str_add(out, digits);
    if (!strpbrk(digits, ".e"))
        ADD(out, ".0");
    ADD(out, "</double></value>\n");
}

static void add_scalar(struct sv_str *out, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        ADD(out, "<value><string>");
        add_text(out, json_string_value(value), json_string_length(value));
        ADD(out, "</string></value>\n");
        return;
    case JSON_INTEGER:
        add_integer(out, json_integer_value(value));
        return;
    case JSON_REAL:
        add_real(out, json_real_value(value));
        return;
    case JSON_TRUE:
        ADD(out, "<value><boolean>1</boolean></value>\n");
        return;
    case JSON_FALSE:
        ADD(out, "<value><boolean>0</boolean></value>\n");
        return;
    case JSON_NULL:
        ADD(out, "<value><nil/></value>\n");
        return;
    case JSON_OBJECT:
    case JSON_ARRAY:
        break;
    }
    out->has_failed = true;
}

/* ---- Arrays and structs ---- */

struct frame {
    json_t *container;
    size_t index;   /* of the next element of an array */
    void *iterator; /* at the next member of a struct */
};

static bool is_container(const json_t *value)
{
    return json_is_array(value) || json_is_object(value);
}

static struct frame open_container(struct sv_str *out, json_t *container)
{
    if (json_is_array(container)) {
        ADD(out, "<value><array><data>\n");
        return (struct frame){.container = container};
    }
    ADD(out, "<value><struct>\n");
    return (struct frame){.container = container, .iterator = json_object_iter(container)};
}

static void close_container(struct sv_str *out, const json_t *container)
{
    if (json_is_array(container))
        ADD(out, "</data></array></value>\n");
    else
        ADD(out, "</struct></value>\n");
}

/* The next value inside the frame, with the head of its member written; NULL after the last. */
static json_t *next_value(struct sv_str *out, struct frame *frame)
{
    if (json_is_array(frame->container))
        return json_array_get(frame->container, frame->index++);
    if (!frame->iterator)
        return NULL;
    const char *name = json_object_iter_key(frame->iterator);
    json_t *value = json_object_iter_value(frame->iterator);
    frame->iterator = json_object_iter_next(frame->container, frame->iterator);
    ADD(out, "<member>\n<name>");
    add_text(out, name, strlen(name));
    ADD(out, "</name>\n");
    return value;
}

static void end_value(struct sv_str *out, const struct frame *parent)
{
    if (json_is_object(parent->container))
        ADD(out, "</member>\n");
}

static void add_value(struct sv_str *out, const json_t *value)
{
    if (!is_container(value)) {
        add_scalar(out, value);
        return;
    }
    struct frame frames[SV_XMLRPC_DEPTH_MAX];
    size_t depth = 1;
    frames[0] = open_container(out, (json_t *)value); /* jansson's iterators want it so */
    while (depth > 0 && sv_str_ok(out)) {
        struct frame *top = &frames[depth - 1];
        json_t *next = next_value(out, top);
        if (!next) {
            close_container(out, top->container);
            if (--depth > 0)
                end_value(out, &frames[depth - 1]);
        } else if (!is_container(next)) {
            add_scalar(out, next);
            end_value(out, top);
        } else if (depth == SV_XMLRPC_DEPTH_MAX) {
            out->has_failed = true;
        } else {
            frames[depth++] = open_container(out, next);
        }
    }
}

/* ---- Documents ---- */

void sv_xmlrpc_encode_call(const char *method, const json_t *params, struct sv_str *ret_body)
{
    ADD(ret_body, "<?xml version='1.0'?>\n<methodCall>\n<methodName>");
    add_text(ret_body, method, strlen(method));
    ADD(ret_body, "</methodName>\n<params>\n");
    for (size_t i = 0; i < json_array_size(params); i++) {
        ADD(ret_body, "<param>\n");
        add_value(ret_body, json_array_get(params, i));
        ADD(ret_body, "</param>\n");
    }
    ADD(ret_body, "</params>\n</methodCall>\n");
}

void sv_xmlrpc_encode_response(const json_t *result, struct sv_str *ret_body)
{
    ADD(ret_body, "<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n");
    add_value(ret_body, result);
    ADD(ret_body, "</param>\n</params>\n</methodResponse>\n");
}

void sv_xmlrpc_encode_fault(int code, const char *text, struct sv_str *ret_body)
{
    ADD(ret_body, "<?xml version='1.0'?>\n<methodResponse>\n<fault>\n<value><struct>\n"
                  "<member>\n<name>faultCode</name>\n");
    add_integer(ret_body, code);
    ADD(ret_body, "</member>\n<member>\n<name>faultString</name>\n<value><string>");
    add_text(ret_body, text, strlen(text));
    ADD(ret_body, "</string></value>\n</member>\n</struct></value>\n</fault>\n</methodResponse>\n");
}
