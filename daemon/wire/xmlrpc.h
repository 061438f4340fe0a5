/*
 * XML-RPC: bytes <-> jansson values.
 *
 * jansson is the value model of every remote interface (XML-RPC, REST, svctl --json), so that a
 * method is written once. XML-RPC's types map one to one: int/i4/i8 integer, boolean, string,
 * double real, array, struct object (in order), nil null, base64 string of the decoded bytes,
 * dateTime.iso8601 string. Strings are UTF-8 in both directions; bytes that are not, and control
 * characters that XML 1.0 forbids, are replaced when encoding, so that a client can always parse an
 * answer.
 */
#ifndef SV_WIRE_XMLRPC_H
#define SV_WIRE_XMLRPC_H

#include <jansson.h>

#include "base/str.h"

struct sv_xmlrpc_fault {
    int code; /* 0: no fault */
    char text[512];
};

/* Outcomes of decoding, besides 0 and -ENOMEM. `ret_error` (may be NULL) says what is wrong and
 * where. */
#define SV_XMLRPC_MALFORMED 1 /* not XML, or not XML-RPC */
#define SV_XMLRPC_TOO_LARGE 2 /* deeper or longer than limits.h allows */

int sv_xmlrpc_decode_call(const char *body, size_t length, char **ret_method, json_t **ret_params,
                          struct sv_str *ret_error);
/* Either *ret_result (new reference) or a fault with code != 0. */
int sv_xmlrpc_decode_response(const char *body, size_t length, json_t **ret_result,
                              struct sv_xmlrpc_fault *ret_fault, struct sv_str *ret_error);

/* Append a whole document. Integers outside 32 bits are <i8>. */
void sv_xmlrpc_encode_call(const char *method, const json_t *params, struct sv_str *ret_body);
void sv_xmlrpc_encode_response(const json_t *result, struct sv_str *ret_body);
void sv_xmlrpc_encode_fault(int code, const char *text, struct sv_str *ret_body);

/* The text as valid UTF-8 that XML can carry; what is not is replaced by U+FFFD. New reference. */
json_t *sv_wire_string(const char *data, size_t length);

#endif
