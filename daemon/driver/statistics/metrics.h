/* metrics_write.c: the whole answer of /metrics. */
#ifndef SV_DRIVER_STATISTICS_METRICS_H
#define SV_DRIVER_STATISTICS_METRICS_H

#include "wire/openmetrics.h"

struct sv_statistics;

void sv_metrics_write(const struct sv_statistics *statistics, struct sv_str *out);

#endif
