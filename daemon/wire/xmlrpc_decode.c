/*
 * Reading XML-RPC with libxml2's SAX interface: no tree is built, so a document costs its own size.
 *
 * The grammar is one table: which element may stand in which, and how many children it may have.
 * The open elements are a stack of frames; a frame collects the value that its children made.
 * Whoever breaks the grammar stops the parser at that place, with the line.
 *
 *     <value><array><data> <value>a</value> </data></array></value>
 *       frames: value -> array -> data -> value; "a" goes up into the list, the list into value
 *
 * As liberal as Supervisor is: <params> may be missing, a <value> without a type is a string, white
 * space stands anywhere between elements, a repeated member replaces the first, an unknown
 * attribute is ignored. As strict as a port to the outside must be: no document type (so no
 * entities, no bombs, nothing to fetch), no text where none belongs, numbers that are numbers, and
 * the bounds of limits.h.
 *
 * Traps of libxml2 2.9: a callback cannot return an error, xmlStopParser() is the way; characters()
 * comes in pieces. libxml2's bound of 10 MB for a text counts for trees alone, so a log of 50 MB
 * is a legal answer; its depth of 256 elements is above ours, three for each level of values.
 */
#include <assert.h>
#include <errno.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "wire/xmlrpc.h"
#include "wire/xmlrpc_scalar.h"

enum element {
    ELEMENT_NONE, /* what the root element stands in */
    ELEMENT_METHOD_CALL,
    ELEMENT_METHOD_NAME,
    ELEMENT_METHOD_RESPONSE,
    ELEMENT_PARAMS,
    ELEMENT_PARAM,
    ELEMENT_FAULT,
    ELEMENT_VALUE,
    ELEMENT_ARRAY,
    ELEMENT_DATA,
    ELEMENT_STRUCT,
    ELEMENT_MEMBER,
    ELEMENT_NAME,
    ELEMENT_STRING,
    ELEMENT_INT,
    ELEMENT_I4,
    ELEMENT_I8,
    ELEMENT_BOOLEAN,
    ELEMENT_DOUBLE,
    ELEMENT_DATETIME,
    ELEMENT_BASE64,
    ELEMENT_NIL,
    ELEMENT_COUNT,
};

enum {
    ELEMENTS_PER_VALUE_MAX = 3, /* struct, member, value */
    FRAMES_MAX = SV_XMLRPC_DEPTH_MAX * ELEMENTS_PER_VALUE_MAX + 8,
    METHOD_NAME_BYTES_MAX = 1024,
};

struct frame {
    enum element element;
    size_t child_count;
    json_t
        *value; /* of params, data, struct: what is collected; of the others: what a child gave */
    char *name; /* of member */
};

struct decoder {
    xmlParserCtxt *xml;
    enum element root;
    struct frame frames[FRAMES_MAX];
    size_t frame_count;
    size_t depth; /* open arrays and structs */
    size_t value_count;
    size_t value_count_max;
    struct sv_str text; /* since the last tag */

    int outcome;
    struct sv_str *error; /* may be NULL */

    char *method;
    json_t *params;
    json_t *fault;
};

/* ---- Failure ---- */

SV_PRINTF(3, 4) static void fail(struct decoder *decoder, int outcome, const char *format, ...)
{
    if (decoder->outcome)
        return;
    decoder->outcome = outcome;
    if (decoder->error) {
        sv_str_addf(decoder->error, "line %d: ", xmlSAX2GetLineNumber(decoder->xml));
        va_list arguments;
        va_start(arguments, format);
        sv_str_addv(decoder->error, format, arguments);
        va_end(arguments);
    }
    xmlStopParser(decoder->xml);
}

/* ---- What the end of an element means ---- */

static struct frame *parent_of(struct decoder *decoder)
{
    return &decoder->frames[decoder->frame_count - 2];
}

static void fail_errno(struct decoder *decoder, int r)
{
    fail(decoder, r, "out of memory");
}

/* Hands the frame's value up: a list takes any number, the others one. */
static void close_giving(struct decoder *decoder, struct frame *frame)
{
    struct frame *parent = parent_of(decoder);
    json_t *value = sv_steal(&frame->value);
    bool is_list = parent->element == ELEMENT_PARAMS || parent->element == ELEMENT_DATA;
    if (is_list) {
        if (json_array_append_new(parent->value, value) < 0)
            fail_errno(decoder, -ENOMEM);
    } else if (parent->value) {
        json_decref(value);
        fail(decoder, SV_XMLRPC_MALFORMED, "a second value where one belongs");
    } else {
        parent->value = value;
    }
}

static void close_container(struct decoder *decoder, struct frame *frame)
{
    decoder->depth--;
    close_giving(decoder, frame);
}

static void close_scalar(struct decoder *decoder, struct frame *frame);

static void close_value(struct decoder *decoder, struct frame *frame)
{
    if (frame->child_count == 0)
        close_scalar(decoder, frame); /* without a type: a string */
    else
        close_giving(decoder, frame);
}

static void close_name(struct decoder *decoder, struct frame *frame)
{
    (void)frame;
    struct frame *member = parent_of(decoder);
    if (member->name)
        fail(decoder, SV_XMLRPC_MALFORMED, "a second <name> in one <member>");
    else if (!(member->name = strdup(sv_str_text(&decoder->text))))
        fail_errno(decoder, -ENOMEM);
}

static void close_member(struct decoder *decoder, struct frame *frame)
{
    json_t *members = parent_of(decoder)->value;
    if (!frame->name || !frame->value)
        fail(decoder, SV_XMLRPC_MALFORMED, "a <member> needs one <name> and one <value>");
    else if (json_object_set_new_nocheck(members, frame->name, sv_steal(&frame->value)) < 0)
        fail_errno(decoder, -ENOMEM);
}

static void close_method_name(struct decoder *decoder, struct frame *frame)
{
    (void)frame;
    if (decoder->method)
        fail(decoder, SV_XMLRPC_MALFORMED, "a second <methodName>");
    else if (decoder->text.length > METHOD_NAME_BYTES_MAX)
        fail(decoder, SV_XMLRPC_TOO_LARGE, "a <methodName> of %zu bytes", decoder->text.length);
    else if (!(decoder->method = strdup(sv_str_text(&decoder->text))))
        fail_errno(decoder, -ENOMEM);
}

static void close_params(struct decoder *decoder, struct frame *frame)
{
    if (decoder->params)
        fail(decoder, SV_XMLRPC_MALFORMED, "a second <params>");
    else
        decoder->params = sv_steal(&frame->value);
}

static void close_fault(struct decoder *decoder, struct frame *frame)
{
    decoder->fault = sv_steal(&frame->value);
}

static void close_nothing(struct decoder *decoder, struct frame *frame)
{
    (void)decoder;
    (void)frame;
}

/* ---- The grammar ---- */

#define IN(element) (1u << ELEMENT_##element)

static const struct {
    const char *name;
    uint32_t parents; /* IN(…) of the elements that it may stand in */
    size_t child_min;
    size_t child_max;
    void (*close)(struct decoder *decoder, struct frame *frame); /* while it is on the stack */
    sv_xmlrpc_scalar scalar; /* of those that are made of text */
} grammar[] = {
    [ELEMENT_NONE] = {"", 0, 1, 1, close_nothing, NULL},
    [ELEMENT_METHOD_CALL] = {"methodCall", IN(NONE), 1, 2, close_nothing, NULL},
    [ELEMENT_METHOD_RESPONSE] = {"methodResponse", IN(NONE), 1, 1, close_nothing, NULL},
    [ELEMENT_METHOD_NAME] = {"methodName", IN(METHOD_CALL), 0, 0, close_method_name, NULL},
    [ELEMENT_PARAMS] = {"params", IN(METHOD_CALL) | IN(METHOD_RESPONSE), 0, SIZE_MAX, close_params,
                        NULL},
    [ELEMENT_PARAM] = {"param", IN(PARAMS), 1, 1, close_giving, NULL},
    [ELEMENT_FAULT] = {"fault", IN(METHOD_RESPONSE), 1, 1, close_fault, NULL},
    [ELEMENT_VALUE] = {"value", IN(PARAM) | IN(FAULT) | IN(DATA) | IN(MEMBER), 0, 1, close_value,
                       sv_xmlrpc_scalar_string},
    [ELEMENT_ARRAY] = {"array", IN(VALUE), 1, 1, close_container, NULL},
    [ELEMENT_DATA] = {"data", IN(ARRAY), 0, SIZE_MAX, close_giving, NULL},
    [ELEMENT_STRUCT] = {"struct", IN(VALUE), 0, SIZE_MAX, close_container, NULL},
    [ELEMENT_MEMBER] = {"member", IN(STRUCT), 2, 2, close_member, NULL},
    [ELEMENT_NAME] = {"name", IN(MEMBER), 0, 0, close_name, NULL},
    [ELEMENT_STRING] = {"string", IN(VALUE), 0, 0, close_scalar, sv_xmlrpc_scalar_string},
    [ELEMENT_INT] = {"int", IN(VALUE), 0, 0, close_scalar, sv_xmlrpc_scalar_integer},
    [ELEMENT_I4] = {"i4", IN(VALUE), 0, 0, close_scalar, sv_xmlrpc_scalar_integer},
    [ELEMENT_I8] = {"i8", IN(VALUE), 0, 0, close_scalar, sv_xmlrpc_scalar_integer},
    [ELEMENT_BOOLEAN] = {"boolean", IN(VALUE), 0, 0, close_scalar, sv_xmlrpc_scalar_boolean},
    [ELEMENT_DOUBLE] = {"double", IN(VALUE), 0, 0, close_scalar, sv_xmlrpc_scalar_double},
    [ELEMENT_DATETIME] = {"dateTime.iso8601", IN(VALUE), 0, 0, close_scalar,
                          sv_xmlrpc_scalar_datetime},
    [ELEMENT_BASE64] = {"base64", IN(VALUE), 0, 0, close_scalar, sv_xmlrpc_scalar_base64},
    [ELEMENT_NIL] = {"nil", IN(VALUE), 0, 0, close_scalar, sv_xmlrpc_scalar_nil},
};
_Static_assert(SV_ARRAY_LENGTH(grammar) == ELEMENT_COUNT, "a row for each element");

static bool takes_text(const struct frame *frame)
{
    bool is_string = frame->element == ELEMENT_METHOD_NAME || frame->element == ELEMENT_NAME;
    return is_string || (grammar[frame->element].scalar && frame->child_count == 0);
}

static void close_scalar(struct decoder *decoder, struct frame *frame)
{
    const char *text = sv_str_text(&decoder->text);
    int r = grammar[frame->element].scalar(text, decoder->text.length, &frame->value);
    if (r < 0)
        fail_errno(decoder, r);
    else if (r > 0)
        fail(decoder, SV_XMLRPC_MALFORMED, "\"%.40s\" is no <%s>", text,
             grammar[frame->element].name);
    else
        close_giving(decoder, frame);
}

/* ---- SAX ---- */

/* Text that stands between two tags where only white space may. */
static bool check_no_text(struct decoder *decoder)
{
    const char *text = sv_str_text(&decoder->text);
    text += strspn(text, " \t\r\n");
    if (*text)
        fail(decoder, SV_XMLRPC_MALFORMED, "text where an element belongs: \"%.40s\"", text);
    return *text == '\0';
}

static enum element element_of(const char *name)
{
    for (unsigned i = ELEMENT_NONE + 1; i < ELEMENT_COUNT; i++)
        if (strcmp(grammar[i].name, name) == 0)
            return (enum element)i;
    return ELEMENT_NONE;
}

static void check_element(struct decoder *decoder, enum element element, const char *name)
{
    struct frame *parent = &decoder->frames[decoder->frame_count - 1];
    if (element == ELEMENT_NONE)
        fail(decoder, SV_XMLRPC_MALFORMED, "<%.40s> is not an element of XML-RPC", name);
    else if (!(grammar[element].parents >> parent->element & 1))
        fail(decoder, SV_XMLRPC_MALFORMED, "<%s> may not stand in <%s>", name,
             grammar[parent->element].name);
    else if (parent->element == ELEMENT_NONE && element != decoder->root)
        fail(decoder, SV_XMLRPC_MALFORMED, "a <%s> where a <%s> is expected", name,
             grammar[decoder->root].name);
    else if (++parent->child_count > grammar[parent->element].child_max)
        fail(decoder, SV_XMLRPC_MALFORMED, "one element too many in <%s>: <%s>",
             grammar[parent->element].name, name);
    else if (element == ELEMENT_VALUE && ++decoder->value_count > decoder->value_count_max)
        fail(decoder, SV_XMLRPC_TOO_LARGE, "more than %zu values", decoder->value_count_max);
    else if ((element == ELEMENT_ARRAY || element == ELEMENT_STRUCT) &&
             ++decoder->depth > SV_XMLRPC_DEPTH_MAX)
        fail(decoder, SV_XMLRPC_TOO_LARGE, "values nested deeper than %d", SV_XMLRPC_DEPTH_MAX);
}

static void on_start(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int namespace_count, const xmlChar **namespaces, int attribute_count,
                     int defaulted_count, const xmlChar **attributes)
{
    (void)prefix;
    (void)uri;
    (void)namespace_count;
    (void)namespaces;
    (void)attribute_count;
    (void)defaulted_count;
    (void)attributes;
    struct decoder *decoder = user;
    if (decoder->outcome || !check_no_text(decoder))
        return;
    sv_str_clear(&decoder->text);
    enum element element = element_of((const char *)name);
    check_element(decoder, element, (const char *)name);
    if (decoder->outcome)
        return;
    assert(decoder->frame_count < FRAMES_MAX);
    struct frame *frame = &decoder->frames[decoder->frame_count++];
    *frame = (struct frame){.element = element};
    if (element == ELEMENT_PARAMS || element == ELEMENT_DATA)
        frame->value = json_array();
    else if (element == ELEMENT_STRUCT)
        frame->value = json_object();
    else
        return;
    if (!frame->value)
        fail_errno(decoder, -ENOMEM);
}

static void on_end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    (void)name;
    (void)prefix;
    (void)uri;
    struct decoder *decoder = user;
    if (decoder->outcome)
        return;
    struct frame *frame = &decoder->frames[decoder->frame_count - 1];
    if (!sv_str_ok(&decoder->text))
        fail_errno(decoder, -ENOMEM);
    else if (frame->child_count < grammar[frame->element].child_min)
        fail(decoder, SV_XMLRPC_MALFORMED, "something is missing in <%s>",
             grammar[frame->element].name);
    else if (takes_text(frame) || check_no_text(decoder))
        grammar[frame->element].close(decoder, frame);
    sv_str_clear(&decoder->text);
    json_decref(frame->value);
    free(frame->name);
    decoder->frame_count--;
}

static void on_text(void *user, const xmlChar *text, int length)
{
    struct decoder *decoder = user;
    if (!decoder->outcome)
        sv_str_append(&decoder->text, text, (size_t)length);
}

static void on_document_type(void *user, const xmlChar *name, const xmlChar *external_id,
                             const xmlChar *system_id)
{
    (void)name;
    (void)external_id;
    (void)system_id;
    fail(user, SV_XMLRPC_MALFORMED, "a document type declaration, which XML-RPC does not have");
}

static void on_error(void *user, xmlErrorPtr error)
{
    (void)user; /* xmlCtxtGetLastError() has it */
    (void)error;
}

/* ---- Documents ---- */

static const xmlSAXHandler handler = {
    .initialized = XML_SAX2_MAGIC,
    .internalSubset = on_document_type,
    .startElementNs = on_start,
    .endElementNs = on_end,
    .characters = on_text,
    .ignorableWhitespace = on_text,
    .cdataBlock = on_text,
    .serror = on_error,
};

static void say_xml_error(struct decoder *decoder)
{
    const xmlError *error = xmlCtxtGetLastError(decoder->xml);
    const char *text = error && error->message ? error->message : "not XML\n";
    if (error && error->code == XML_ERR_NO_MEMORY)
        fail_errno(decoder, -ENOMEM);
    else
        fail(decoder, SV_XMLRPC_MALFORMED, "%.*s", (int)strcspn(text, "\n"), text);
}

/* Parses into `decoder`, which decoder_done() empties in any case. Returns its outcome. */
static int decode(struct decoder *decoder, const char *body, size_t length)
{
    decoder->frame_count = 1;
    if (length == 0 || length > INT_MAX) {
        if (decoder->error)
            sv_str_add(decoder->error, length ? "the document is too long" : "no document");
        return length ? SV_XMLRPC_TOO_LARGE : SV_XMLRPC_MALFORMED;
    }
    decoder->xml = xmlCreateMemoryParserCtxt(body, (int)length);
    if (!decoder->xml)
        return -ENOMEM;
    xmlCtxtUseOptions(decoder->xml, XML_PARSE_NONET);
    *decoder->xml->sax = handler;
    decoder->xml->userData = decoder;
    xmlParseDocument(decoder->xml);
    if (!decoder->outcome && !decoder->xml->wellFormed)
        say_xml_error(decoder);
    return decoder->outcome;
}

static void decoder_done(struct decoder *decoder)
{
    for (size_t i = 0; i < decoder->frame_count; i++) {
        json_decref(decoder->frames[i].value);
        free(decoder->frames[i].name);
    }
    sv_str_done(&decoder->text);
    free(decoder->method);
    json_decref(decoder->params);
    json_decref(decoder->fault);
    xmlFreeParserCtxt(decoder->xml);
}

int sv_xmlrpc_decode_call(const char *body, size_t length, char **ret_method, json_t **ret_params,
                          struct sv_str *ret_error)
{
    SV_CLEANUP(decoder_done)
    struct decoder decoder = {
        .root = ELEMENT_METHOD_CALL, .value_count_max = SV_XMLRPC_VALUES_MAX, .error = ret_error};
    int r = decode(&decoder, body, length);
    if (r)
        return r;
    if (!decoder.method) {
        fail(&decoder, SV_XMLRPC_MALFORMED, "<methodCall> has no <methodName>");
        return decoder.outcome;
    }
    if (!decoder.params && !(decoder.params = json_array()))
        return -ENOMEM;
    *ret_method = sv_steal(&decoder.method);
    *ret_params = sv_steal(&decoder.params);
    return 0;
}

/* False if the struct is not a fault's. */
static bool read_fault(const json_t *value, struct sv_xmlrpc_fault *ret_fault)
{
    const json_t *code = json_object_get(value, "faultCode");
    const char *text = json_string_value(json_object_get(value, "faultString"));
    json_int_t number = json_integer_value(code);
    if (!json_is_integer(code) || !text || number < INT_MIN || number > INT_MAX)
        return false;
    /* 0 means "no fault" to our callers; some servers do send it. */
    ret_fault->code = number ? (int)number : -1;
    snprintf(ret_fault->text, sizeof(ret_fault->text), "%s", text);
    return true;
}

int sv_xmlrpc_decode_response(const char *body, size_t length, json_t **ret_result,
                              struct sv_xmlrpc_fault *ret_fault, struct sv_str *ret_error)
{
    SV_CLEANUP(decoder_done)
    struct decoder decoder = {.root = ELEMENT_METHOD_RESPONSE,
                              .value_count_max = SV_XMLRPC_RESPONSE_VALUES_MAX,
                              .error = ret_error};
    int r = decode(&decoder, body, length);
    if (r)
        return r;
    if (json_array_size(decoder.params) == 1) {
        *ret_fault = (struct sv_xmlrpc_fault){0};
        *ret_result = json_incref(json_array_get(decoder.params, 0));
    } else if (!decoder.fault || !read_fault(decoder.fault, ret_fault)) {
        fail(&decoder, SV_XMLRPC_MALFORMED, "<methodResponse> has neither one value nor a fault");
    } else {
        *ret_result = NULL;
    }
    return decoder.outcome;
}
