/* Conversions of the values that only limits have; rows of the table in value.c. */
#ifndef SV_CONFIG_VALUE_LIMITS_H
#define SV_CONFIG_VALUE_LIMITS_H

#include "config/value.h"

/* "100MB" or "max" */
bool sv_convert_size_or_max(const struct sv_option *option, struct sv_value_context *context,
                            struct sv_value *value);
bool sv_convert_number_or_max(const struct sv_option *option, struct sv_value_context *context,
                              struct sv_value *value);
/* "150%" or "max": microseconds of processor time in 100 ms */
bool sv_convert_percent(const struct sv_option *option, struct sv_value_context *context,
                        struct sv_value *value);
/* "0-3,5" */
bool sv_convert_cpu_list(const struct sv_option *option, struct sv_value_context *context,
                         struct sv_value *value);
/* "/dev/sda rbps=10MB wiops=100, 8:16 wbps=max": sizes become bytes, one blank between words */
bool sv_convert_io_max(const struct sv_option *option, struct sv_value_context *context,
                       struct sv_value *value);
bool sv_convert_oom_policy(const struct sv_option *option, struct sv_value_context *context,
                           struct sv_value *value);
/* "memory:some 20% over 10s": in the form of sv_pressure_render() */
bool sv_convert_pressure(const struct sv_option *option, struct sv_value_context *context,
                         struct sv_value *value);
/* "1000/s", "30/min": the number, and as the hard one milliseconds */
bool sv_convert_fork_rate(const struct sv_option *option, struct sv_value_context *context,
                          struct sv_value *value);
/* "SOFT", "SOFT:HARD"; one number is both */
bool sv_convert_rlimit(const struct sv_option *option, struct sv_value_context *context,
                       struct sv_value *value);

#endif
