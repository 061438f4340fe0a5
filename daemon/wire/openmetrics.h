/* The text format OpenMetrics 1.0, as Prometheus and others read it. See openmetrics.c. */
#ifndef SV_WIRE_OPENMETRICS_H
#define SV_WIRE_OPENMETRICS_H

#include "base/str.h"

#define SV_OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

enum sv_metric_kind {
    SV_METRIC_COUNTER, /* its samples are called …_total */
    SV_METRIC_GAUGE,
    SV_METRIC_INFO, /* its one sample is 1, and called …_info */
};

struct sv_metric_family {
    const char *name; /* ends with the unit where it has one */
    enum sv_metric_kind kind;
    const char *unit; /* "seconds", "bytes"; "": none */
    const char *help; /* one sentence */
};

struct sv_metric_label {
    const char *name;  /* NULL ends a list */
    const char *value; /* any bytes */
};

/* The lines that come before the samples of a family. */
void sv_openmetrics_family(const struct sv_metric_family *family, struct sv_str *out);
/* One sample; `labels` ends with a nameless one. */
void sv_openmetrics_sample(const struct sv_metric_family *family,
                           const struct sv_metric_label *labels, double value, struct sv_str *out);
/* The last line. Without it a reader knows that the answer was cut off. */
void sv_openmetrics_end(struct sv_str *out);

#endif
