/* Arguments from outside against the parameters of a method. */
#ifndef SV_API_PARAMS_H
#define SV_API_PARAMS_H

#include "api/method.h"

/* True when the array has a fitting number of members. */
bool sv_params_count_fits(const struct sv_method *method, const json_t *params);
/*
 * Fills `ret_arguments`, one for each parameter. False when one has the wrong type: then
 * `ret_error` says which and what is expected.
 */
bool sv_params_read(const struct sv_method *method, json_t *params,
                    struct sv_argument ret_arguments[SV_METHOD_PARAMETERS_MAX],
                    struct sv_str *ret_error);

#endif
