/* Conversions of the values that only [rpcinterface:supvisors] has; rows of the table in value.c.
 */
#ifndef SV_CONFIG_VALUE_SUPVISORS_H
#define SV_CONFIG_VALUE_SUPVISORS_H

#include "config/value.h"

/* "239.0.0.1:1234" */
bool sv_convert_multicast_group(const struct sv_option *option, struct sv_value_context *context,
                                struct sv_value *value);
/* host NULL: every address */
bool sv_convert_ipv4_address(const struct sv_option *option, struct sv_value_context *context,
                             struct sv_value *value);
/* A word of svisor/choices.def, in either case. */
bool sv_convert_choice(const struct sv_option *option, struct sv_value_context *context,
                       struct sv_value *value);
/* "STRICT,TIMEOUT": a bit for each enum sv_synchro_option */
bool sv_convert_synchro_options(const struct sv_option *option, struct sv_value_context *context,
                                struct sv_value *value);
/* "HOST", "true": the union of enum sv_statistics_type */
bool sv_convert_statistics(const struct sv_option *option, struct sv_value_context *context,
                           struct sv_value *value);
/* "5,60,600" */
bool sv_convert_periods(const struct sv_option *option, struct sv_value_context *context,
                        struct sv_value *value);

#endif
