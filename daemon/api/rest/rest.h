/*
 * REST: the remote methods as paths with JSON, from the same rows of methods.def.
 *
 * A request becomes a method and its arguments, as XML-RPC would give them; the call itself, its
 * answer and its faults are those of api.h. docs/rest.md is for users.
 */
#ifndef SV_API_REST_REST_H
#define SV_API_REST_REST_H

#include "api/fault.h"
#include "api/method.h"

/* One `name=value` of a query, decoded. */
struct sv_rest_field {
    const char *name, *value; /* each ends with a NUL that its length does not count */
    size_t name_length, value_length;
};

/* Everything is borrowed. */
struct sv_rest_request {
    const char *verb; /* "GET" */
    const char *path; /* decoded, without the query */
    const struct sv_rest_field *fields;
    size_t field_count;
    const char *content_type; /* of the body; NULL: it was not told */
    const char *body;
    size_t body_length;
    bool has_cluster; /* the methods of a cluster are there */
};

struct sv_rest_call {
    const struct sv_method *method; /* what is to be done, here or in another instance */
    const char *name;               /* what is called for it: the method, or svisor.relay */
    json_t *params;                 /* an array; the caller's to release */
};

/* Why a request is none. */
struct sv_rest_problem {
    unsigned status; /* of HTTP */
    enum sv_fault fault;
    struct sv_str text; /* "INCORRECT_PARAMETERS: …"; the caller's to free */
    const char *allow;  /* with 405: the verbs that may be used */
};

/* True for the paths of methods, whether there is such a method or not. */
bool sv_rest_is_path(const char *path);
/* False: `ret_problem` says what is wrong, and what to write instead. */
bool sv_rest_read(const struct sv_rest_request *request, struct sv_rest_call *ret_call,
                  struct sv_rest_problem *ret_problem);

/* The body of an answer with a fault: {"message", "code"}. */
void sv_rest_encode_fault(int code, const char *text, struct sv_str *ret_body);
/* The body of a result, of any type. */
void sv_rest_encode_result(const json_t *result, struct sv_str *ret_body);

#endif
