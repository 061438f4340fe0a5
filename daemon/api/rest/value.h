/* One argument of REST: text of a path or a query, or a value of a JSON body, as its type wants it.
 */
#ifndef SV_API_REST_VALUE_H
#define SV_API_REST_VALUE_H

#include "api/method.h"

/* New reference; NULL: the text is not of that type. */
json_t *sv_rest_value_of_text(enum sv_value_type type, const char *text, size_t length);
bool sv_rest_value_fits(enum sv_value_type type, const json_t *value);
/* Completes "must be". */
const char *sv_rest_value_expected(enum sv_value_type type);

/* The type in JSON Schema, as results have it, and arguments in paths and queries. NULL: any. */
const char *sv_rest_value_schema(enum sv_value_type type);

#endif
