/*
 * GET /metrics: what Prometheus and its kind collect, in the text of OpenMetrics.
 *
 * The answer is a sample that is at most SV_STATISTICS_FRESH_NS old: a new one is taken if there is
 * none, also without [rpcinterface:supvisors], and whoever asks meanwhile gets the same. So many
 * readers cost no more than one, and nobody can make the daemon do nothing but measure.
 *
 * Labels are names of the configuration and of the machine, never pids or runs: a program that
 * restarts for ever stays one series, whose counters begin at 0 again, as counters may. What is not
 * told on this machine has no sample.
 */
#include <stdlib.h>
#include <string.h>

#include "driver/statistics/internal.h"
#include "driver/statistics/metrics.h"

/* A request that waits for the sample. */
struct sv_scrape {
    struct sv_statistics *statistics;
    struct sv_http_exchange *exchange;
    struct sv_scrape *next;
};

static void reply(struct sv_statistics *statistics, struct sv_http_exchange *exchange)
{
    struct sv_str body SV_CLEANUP(sv_str_done) = {0};
    sv_metrics_write(statistics, &body);
    if (sv_str_ok(&body))
        sv_http_reply(exchange, 200, SV_OPENMETRICS_TYPE, sv_str_text(&body), body.length);
    else
        sv_http_reply_text(exchange, 503, "out of memory\n");
}

static void on_reader_gone(void *user)
{
    struct sv_scrape *scrape = user;
    struct sv_statistics *statistics = scrape->statistics;
    struct sv_scrape **at = &statistics->scrapes;
    while (*at != scrape)
        at = &(*at)->next;
    *at = scrape->next;
    statistics->scrape_count--;
    free(scrape);
}

void sv_metrics_answer(struct sv_statistics *statistics)
{
    while (statistics->scrapes) {
        struct sv_scrape *scrape = statistics->scrapes;
        statistics->scrapes = scrape->next;
        statistics->scrape_count--;
        sv_http_on_closed(scrape->exchange, NULL, NULL);
        reply(statistics, scrape->exchange);
        free(scrape);
    }
}

static void wait_for_sample(struct sv_statistics *statistics, struct sv_http_exchange *exchange)
{
    struct sv_scrape *scrape =
        statistics->scrape_count < SV_STATISTICS_SCRAPES_MAX ? calloc(1, sizeof(*scrape)) : NULL;
    if (!scrape) {
        statistics->refused_count++;
        sv_http_reply_text(exchange, 503, "too many readers wait for the same measurement\n");
        return;
    }
    *scrape = (struct sv_scrape){statistics, exchange, statistics->scrapes};
    statistics->scrapes = scrape;
    statistics->scrape_count++;
    sv_http_on_closed(exchange, on_reader_gone, scrape);
    if (!statistics->sampling.is_under_way)
        sv_sampler_begin(statistics, false);
}

/* A periodic sample without the switches for both has not everything in it. */
void sv_metrics_handle(struct sv_driver *driver, struct sv_http_exchange *exchange)
{
    struct sv_statistics *statistics = driver->statistics;
    uint64_t age_ns = sv_now_ns() - statistics->complete_ns;
    const char *method = sv_http_method(exchange);
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) {
        sv_http_add_header(exchange, "Allow", "GET, HEAD");
        sv_http_reply_text(exchange, 405, "metrics are read with GET\n");
    } else if (statistics->complete_ns != 0 && age_ns <= SV_STATISTICS_FRESH_NS) {
        reply(statistics, exchange);
    } else {
        wait_for_sample(statistics, exchange);
    }
}
