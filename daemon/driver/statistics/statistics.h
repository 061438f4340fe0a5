/*
 * Statistics of the host and of every program that runs: taken each stats_collecting_period where
 * there is [rpcinterface:supvisors], else while somebody looks; and whenever /metrics is asked for.
 * See statistics.c, sampler.c.
 */
#ifndef SV_DRIVER_STATISTICS_H
#define SV_DRIVER_STATISTICS_H

#include <jansson.h>
#include <stdbool.h>

#include "io/http.h"
#include "port/event.h"
#include "port/statistics.h"

struct sv_driver;
struct sv_statistics;

/* Whoever publishes them. Each call is one period that has ended; borrowed until it returns. */
struct sv_statistics_hearer {
    void *user;
    void (*host)(void *user, const struct sv_host_statistics *statistics);
    /* svisord itself is "supervisord". */
    void (*process)(void *user, const char *namespec,
                    const struct sv_process_statistics *statistics);
};

/* After the cluster is open. 0 or -ENOMEM. */
int sv_statistics_open(struct sv_driver *driver);
/* The loop runs: the first sample is taken. */
void sv_statistics_begin(struct sv_driver *driver);
/* After the HTTP server was freed. */
void sv_statistics_close(struct sv_driver *driver);
void sv_statistics_listen(struct sv_driver *driver, const struct sv_statistics_hearer *hearer);

/* Somebody asks for a report: without [rpcinterface:supvisors] that is what begins to collect. */
void sv_statistics_look(struct sv_driver *driver);

/* What the methods of supvisors.* ask; until the end of this daemon. */
bool sv_statistics_has_host(const struct sv_driver *driver);
bool sv_statistics_has_processes(const struct sv_driver *driver);
double sv_statistics_period(const struct sv_driver *driver);
void sv_statistics_enable_host(struct sv_driver *driver, bool is_enabled);
void sv_statistics_enable_processes(struct sv_driver *driver, bool is_enabled);
void sv_statistics_set_period(struct sv_driver *driver, double seconds);

/* report.c. The history over one of the periods, 0 for the first. New references; NULL without
 * memory. The null of JSON: `period` is none of them. */
json_t *sv_statistics_host_report(const struct sv_driver *driver, double period);
json_t *sv_statistics_process_report(const struct sv_driver *driver, sv_process_id process,
                                     double period);
json_t *sv_statistics_usage_report(const struct sv_driver *driver, double period);

/* metrics.c: answers GET /metrics, perhaps later. */
void sv_metrics_handle(struct sv_driver *driver, struct sv_http_exchange *exchange);

#endif
