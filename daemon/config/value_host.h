/* Conversions of the values that the machine has to know; rows of the table in value.c. */
#ifndef SV_CONFIG_VALUE_HOST_H
#define SV_CONFIG_VALUE_HOST_H

#include "config/value.h"

/* A path in a directory that exists. */
bool sv_convert_file(const struct sv_option *option, struct sv_value_context *context,
                     struct sv_value *value);
bool sv_convert_directory(const struct sv_option *option, struct sv_value_context *context,
                          struct sv_value *value);
/* By name or number; with the group of that user. */
bool sv_convert_user(const struct sv_option *option, struct sv_value_context *context,
                     struct sv_value *value);
/* "user", "user:group"; without a group it is SV_ID_NONE */
bool sv_convert_owner(const struct sv_option *option, struct sv_value_context *context,
                      struct sv_value *value);

#endif
