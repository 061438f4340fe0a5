/*
 * Reading a rules file with libxml2, and checking it against rules.xsd.
 *
 * The file is the user's own, but it may come from anywhere: so no document type (and with it no
 * entities, no bombs, nothing to fetch), a bound on its bytes, libxml2's bounds on its depth, and
 * no look at the network or another file. A schema that the file itself names (xsi:schemaLocation)
 * is not read: libxml2 does that only when it is given none.
 *
 * Each fault gets its own row. For one bad value libxml2 has two messages, about the facet and
 * about the type: the first one of a place is told, with what to write instead.
 */
#include "config/rules_document.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlschemas.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "base/choice.h"
#include "base/error.h"
#include "config/rules.h"

#if LIBXML_VERSION >= 21200
#define XML_ERROR const xmlError *
#else
#define XML_ERROR xmlError *
#endif

#pragma GCC diagnostic ignored "-Woverlength-strings"
static const char schema_text[] =
#include "gen/rules_xsd.h"
    ;

struct sv_rules_schema {
    xmlSchema *xml;
};

const char *sv_rules_schema(void)
{
    return schema_text;
}

/* What goes wrong in one file. */
struct reading {
    const char *file;
    struct sv_diag *diag;
    xmlParserCtxt *parser;
    const void *last_node; /* about which something was said */
    size_t fault_count;
};

static void ignore_error(void *user, XML_ERROR error)
{
    (void)user;
    (void)error;
}

struct sv_rules_schema *sv_rules_schema_new(void)
{
    struct sv_rules_schema *schema = calloc(1, sizeof(*schema));
    xmlSchemaParserCtxt *parser =
        xmlSchemaNewMemParserCtxt(schema_text, (int)sizeof(schema_text) - 1);
    if (schema && parser) {
        xmlSchemaSetParserStructuredErrors(parser, ignore_error, NULL);
        schema->xml = xmlSchemaParse(parser);
    }
    if (parser)
        xmlSchemaFreeParserCtxt(parser);
    if (schema && schema->xml)
        return schema;
    free(schema);
    return NULL;
}

void sv_rules_schema_free(struct sv_rules_schema *schema)
{
    if (!schema)
        return;
    xmlSchemaFree(schema->xml);
    free(schema);
}

static void add_fault(struct reading *reading, int line, const char *key, const char *text)
{
    if (reading->fault_count++ >= SV_RULES_FAULTS_MAX)
        return;
    struct sv_place place = {
        .file = reading->file, .line = line > 0 ? (unsigned)line : 0, .key = key};
    sv_diag_add(reading->diag, SV_SEVERITY_ERROR, &place, "%s", text);
}

/* libxml2's words, without the end of the line. */
static void add_words(struct sv_str *text, const char *message)
{
    size_t length = message ? strlen(message) : 0;
    while (length > 0 && (message[length - 1] == '\n' || message[length - 1] == '.'))
        length--;
    sv_str_append(text, message, length);
}

static void add_advice(struct sv_str *text, const char *element)
{
    static const struct {
        const char *element;
        const char *advice; /* NULL: a word of `kind` */
        enum sv_choice_kind kind;
    } rows[] = {
        {.element = "start_sequence", .advice = "a whole number from 0 to 127"},
        {.element = "stop_sequence", .advice = "a whole number from 0 to 127"},
        {.element = "expected_loading", .advice = "a whole number from 0 to 100"},
        {.element = "required", .advice = "true or false"},
        {.element = "wait_exit", .advice = "true or false"},
        {.element = "distribution", .kind = SV_CHOICE_DISTRIBUTION},
        {.element = "starting_strategy", .kind = SV_CHOICE_STARTING_STRATEGY},
        {.element = "starting_failure_strategy", .kind = SV_CHOICE_STARTING_FAILURE_STRATEGY},
        {.element = "running_failure_strategy", .kind = SV_CHOICE_RUNNING_FAILURE_STRATEGY},
        {.element = "alias", .advice = "<alias name=\"NAME\">instance,instance</alias>"},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(rows); i++) {
        if (strcmp(rows[i].element, element) != 0)
            continue;
        sv_str_add(text, "; write ");
        if (rows[i].advice)
            sv_str_add(text, rows[i].advice);
        else
            sv_choice_list(rows[i].kind, text);
    }
}

static void on_xml_error(void *user, XML_ERROR error)
{
    const xmlParserCtxt *parser = user;
    struct reading *reading = parser->_private;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_add(&text, "is no XML: ");
    add_words(&text, error->message);
    if (error->level >= XML_ERR_ERROR)
        add_fault(reading, error->line, NULL, sv_str_text(&text));
}

static void on_schema_error(void *user, XML_ERROR error)
{
    struct reading *reading = user;
    const xmlNode *node = error->node;
    if (error->level < XML_ERR_ERROR || (node && node == reading->last_node))
        return;
    reading->last_node = node;
    const char *name = node && node->name ? (const char *)node->name : NULL;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    add_words(&text, error->message);
    if (name)
        add_advice(&text, name);
    add_fault(reading, node ? (int)xmlGetLineNo(node) : error->line, name, sv_str_text(&text));
}

static void on_document_type(void *user, const xmlChar *name, const xmlChar *public_id,
                             const xmlChar *system_id)
{
    xmlParserCtxt *parser = user;
    (void)name;
    (void)public_id;
    (void)system_id;
    add_fault(parser->_private, xmlSAX2GetLineNumber(parser), NULL,
              "has a <!DOCTYPE>; remove it: document types and entities are not read");
    xmlStopParser(parser);
}

static xmlDoc *parse(struct reading *reading, const struct sv_str *text)
{
    xmlParserCtxt *parser = xmlNewParserCtxt();
    if (!parser)
        return NULL;
    reading->parser = parser;
    parser->_private = reading;
    parser->sax->serror = on_xml_error;
    parser->sax->internalSubset = on_document_type;
    xmlDoc *doc = xmlCtxtReadMemory(parser, sv_str_text(text), (int)text->length, NULL, NULL,
                                    XML_PARSE_NONET | XML_PARSE_BIG_LINES);
    xmlFreeParserCtxt(parser);
    if (doc && reading->fault_count > 0) {
        xmlFreeDoc(doc);
        return NULL;
    }
    return doc;
}

/* False: no memory. Faults are counted. */
static bool validate(struct reading *reading, const struct sv_rules_schema *schema, xmlDoc *doc)
{
    xmlSchemaValidCtxt *context = xmlSchemaNewValidCtxt(schema->xml);
    if (!context)
        return false;
    xmlSchemaSetValidStructuredErrors(context, on_schema_error, reading);
    int r = xmlSchemaValidateDoc(context, doc);
    xmlSchemaFreeValidCtxt(context);
    if (r != 0 && reading->fault_count == 0)
        add_fault(reading, 0, NULL, "could not be checked");
    return true;
}

static void report_unreadable(struct reading *reading, int r)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    if (r == -EINVAL || r == -EISDIR)
        sv_str_add(&text, "is not a regular file; write the name of an XML file in rules_files");
    else if (r == -EFBIG)
        sv_str_addf(&text, "is larger than %u bytes; split it into several files",
                    SV_RULES_FILE_BYTES_MAX);
    else
        sv_str_addf(&text, "cannot be read: %s", sv_errno_text(r));
    add_fault(reading, 0, NULL, sv_str_text(&text));
}

xmlDoc *sv_rules_document_read(const char *file, const struct sv_config_host *host,
                               const struct sv_rules_schema *schema, struct sv_diag *diag)
{
    struct reading reading = {.file = file, .diag = diag};
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    int r = host->read_file(host->user, file, &text);
    if (r == 0 && text.length > SV_RULES_FILE_BYTES_MAX)
        r = -EFBIG;
    if (r < 0) {
        report_unreadable(&reading, r);
        return NULL;
    }
    xmlDoc *doc = parse(&reading, &text);
    bool has_memory = doc && validate(&reading, schema, doc);
    if (!has_memory && reading.fault_count == 0)
        add_fault(&reading, 0, NULL,
                  text.length == 0 ? "is empty; write <root></root>" : "out of memory");
    if (doc && reading.fault_count == 0)
        return doc;
    if (reading.fault_count > SV_RULES_FAULTS_MAX)
        sv_diag_add(diag, SV_SEVERITY_ERROR, &(struct sv_place){.file = file},
                    "%zu more faults are not shown", reading.fault_count - SV_RULES_FAULTS_MAX);
    if (doc)
        xmlFreeDoc(doc);
    return NULL;
}
