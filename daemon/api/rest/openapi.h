/* The description of REST that programs read: OpenAPI 3.1, made from the rows of methods.def. */
#ifndef SV_API_REST_OPENAPI_H
#define SV_API_REST_OPENAPI_H

#include <stdbool.h>

#include "base/str.h"

/* Appends the document as JSON. Methods of a cluster are in it only if there is one. */
void sv_rest_openapi(bool has_cluster, struct sv_str *ret_body);

#endif
