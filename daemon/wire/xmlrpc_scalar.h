/* The texts of XML-RPC's scalar types, as values. For xmlrpc_decode.c. */
#ifndef SV_WIRE_XMLRPC_SCALAR_H
#define SV_WIRE_XMLRPC_SCALAR_H

#include <jansson.h>

/* Outcomes, besides 0 and -ENOMEM. */
#define SV_XMLRPC_SCALAR_WRONG 1 /* the text is no such value */

/* `text` is NUL-terminated; white space around a number is allowed. */
typedef int (*sv_xmlrpc_scalar)(const char *text, size_t length, json_t **ret_value);

int sv_xmlrpc_scalar_string(const char *text, size_t length, json_t **ret_value);
int sv_xmlrpc_scalar_integer(const char *text, size_t length, json_t **ret_value);
int sv_xmlrpc_scalar_boolean(const char *text, size_t length, json_t **ret_value);
int sv_xmlrpc_scalar_double(const char *text, size_t length, json_t **ret_value);
int sv_xmlrpc_scalar_datetime(const char *text, size_t length, json_t **ret_value);
int sv_xmlrpc_scalar_base64(const char *text, size_t length, json_t **ret_value);
int sv_xmlrpc_scalar_nil(const char *text, size_t length, json_t **ret_value);

#endif
