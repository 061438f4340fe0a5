/*
 * What is known of a remote method without calling it: a row of methods.def.
 *
 * The dispatcher checks the arguments against the row, system.methodHelp and system.methodSignature
 * read it out, and other faces of the same methods (routes, descriptions, completion) can be made
 * from it.
 */
#ifndef SV_API_METHOD_H
#define SV_API_METHOD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct sv_api_call;

/* Types of parameters and results. Several are "string" to the outside and differ in what they
 * accept. */
enum sv_value_type {
    SV_TYPE_STRING,  /* text without NUL */
    SV_TYPE_CHARS,   /* any bytes; the method itself refuses other types */
    SV_TYPE_SIGNAL,  /* the name or the number of a signal, as text or as a number */
    SV_TYPE_INT,     /* a number, or its decimal text */
    SV_TYPE_DOUBLE,  /* a number that is finite */
    SV_TYPE_BOOLEAN, /* anything, by Python's idea of truth */
    SV_TYPE_ARRAY,
    SV_TYPE_STRUCT,
    SV_TYPE_ANY, /* of a result: what another method returns */
    SV_TYPE_COUNT
};

/* "string", "int", "double", "boolean", "array", "struct", "any". */
const char *sv_value_type_name(enum sv_value_type type);

struct sv_parameter {
    enum sv_value_type type;
    const char *name;
    const char *fallback; /* what an absent argument means, as text; NULL: it must be given */
    const char *doc;
};

/* One argument after the check against its parameter. Borrowed from the call's params. */
struct sv_argument {
    json_t *value;    /* as it came; NULL: absent */
    const char *text; /* STRING, SIGNAL */
    int64_t integer;  /* INT */
    double real;      /* DOUBLE */
    bool boolean;     /* BOOLEAN */
    char digits[24];  /* backs `text` of a SIGNAL that came as a number */
};

enum sv_method_kind {
    SV_METHOD_QUERY,   /* looks, changes nothing */
    SV_METHOD_COMMAND, /* changes something */
};

#define SV_METHOD_WAITS          1u /* the answer may come later */
#define SV_METHOD_WHILE_STOPPING 2u /* answered also while the daemon stops: no SHUTDOWN_STATE */

#define SV_METHOD_OF_CLUSTER 4u /* there is none without [rpcinterface:supvisors] */

#define SV_METHOD_PARAMETERS_MAX 4

struct sv_method {
    const char *name; /* "supervisor.startProcess" */
    void (*handler)(struct sv_api_call *call, const struct sv_argument *arguments);
    enum sv_method_kind kind;
    unsigned flags;
    enum sv_value_type result;
    const char *result_doc;
    const char *help;   /* one line */
    const char *doc;    /* further lines; "" when the line says it all */
    const char *faults; /* names of faults.def with blanks, beside those of every method */
    struct sv_parameter parameters[SV_METHOD_PARAMETERS_MAX + 1]; /* ends with a nameless one */
};

/* The row behind position `index` of the names in the order of the file, aliases included; NULL:
 * end. */
const struct sv_method *sv_method_at(size_t index, const char **ret_name);

/*
 * A path of REST: the rows above under their names and aliases, and the rows PRESET. Its path is
 * "/supervisor/startProcess", and of Supvisors' methods "/supvisors/process_info": without "get_".
 */
struct sv_route {
    const char *name; /* of the method, the alias or the preset, with its dot */
    const struct sv_method *method;
    const char *preset, *preset_value; /* a parameter that the path gives by itself; NULL: none */
};

/* False: there are no more. */
bool sv_route_at(size_t index, struct sv_route *ret_route);
void sv_route_path(const struct sv_route *route, struct sv_str *ret_path);
size_t sv_method_parameter_count(const struct sv_method *method);
/* The text of system.methodHelp, in the form of epydoc (@param, @return). */
void sv_method_help(const struct sv_method *method, struct sv_str *ret_text);
/* [result, parameter, …] as type names. New reference; NULL without memory. */
json_t *sv_method_signature(const struct sv_method *method);

#endif
