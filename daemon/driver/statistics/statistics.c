/*
 * When samples are taken, and what becomes of them: the switches and the clock of
 * [rpcinterface:supvisors], and the histories of its stats_periods.
 *
 * stats_collecting_period is the least time between two samples, as for Supvisors: the next one is
 * due so long after the last one began, and never earlier. With both switches off the timer does
 * not run, and the daemon does not wake up.
 */
#include <errno.h>
#include <stdlib.h>

#include "driver/cluster/cluster.h"
#include "driver/statistics/internal.h"

enum { NS_PER_SECOND = 1000000000, ACCURACY_NS = 50000000 };

static void arm(struct sv_statistics *statistics, double seconds)
{
    bool is_wanted = statistics->config && (statistics->has_host || statistics->has_processes);
    sv_source_arm(statistics->timer,
                  is_wanted ? sv_now_ns() + (uint64_t)(seconds * NS_PER_SECOND) : SV_NEVER);
}

static void on_due(void *user)
{
    struct sv_statistics *statistics = user;
    sv_sampler_begin(statistics, true);
    arm(statistics, statistics->period);
}

static int init_histories(struct sv_statistics *statistics)
{
    const struct sv_supvisors_config *config = statistics->config;
    statistics->host_histories =
        calloc(config->stats_period_count, sizeof(*statistics->host_histories));
    if (!statistics->host_histories)
        return -ENOMEM;
    for (size_t i = 0; i < config->stats_period_count; i++)
        sv_host_history_init(&statistics->host_histories[i], config->stats_periods[i],
                             config->stats_histo);
    return 0;
}

int sv_statistics_open(struct sv_driver *driver)
{
    struct sv_statistics *statistics = calloc(1, sizeof(*statistics));
    if (!statistics)
        return -ENOMEM;
    driver->statistics = statistics;
    statistics->driver = driver;
    statistics->owner = sv_config_ref(driver->config);
    statistics->config = driver->config->supvisors;
    statistics->reader = sv_host_reader_new();
    if (!statistics->reader)
        return -ENOMEM;
    int r = sv_loop_add_timer(driver->loop, ACCURACY_NS, on_due, statistics, &statistics->timer);
    if (r == 0)
        r = sv_loop_add_defer(driver->loop, SV_PRIORITY_OUTPUT, sv_sampler_slice, statistics,
                              &statistics->slicer);
    if (r < 0 || !statistics->config)
        return r;
    statistics->has_host = statistics->config->host_stats_enabled;
    statistics->has_processes = statistics->config->process_stats_enabled;
    statistics->period = statistics->config->stats_collecting_period;
    return init_histories(statistics);
}

void sv_statistics_begin(struct sv_driver *driver)
{
    arm(driver->statistics, 0);
}

void sv_statistics_close(struct sv_driver *driver)
{
    struct sv_statistics *statistics = driver->statistics;
    if (!statistics)
        return;
    sv_sampler_forget_all(statistics);
    for (size_t i = 0; statistics->host_histories && i < statistics->config->stats_period_count;
         i++)
        sv_host_history_done(&statistics->host_histories[i]);
    free(statistics->host_histories);
    sv_host_reader_free(statistics->reader);
    sv_source_free(statistics->timer);
    sv_source_free(statistics->slicer);
    sv_config_unref(statistics->owner);
    free(statistics);
    driver->statistics = NULL;
}

void sv_statistics_listen(struct sv_driver *driver, const struct sv_statistics_hearer *hearer)
{
    driver->statistics->hearer = *hearer;
}

bool sv_statistics_has_host(const struct sv_driver *driver)
{
    return driver->statistics->has_host;
}

bool sv_statistics_has_processes(const struct sv_driver *driver)
{
    return driver->statistics->has_processes;
}

double sv_statistics_period(const struct sv_driver *driver)
{
    return driver->statistics->period;
}

/* What was not collected before begins at once. */
static void enable(struct sv_statistics *statistics, bool *flag, bool is_enabled)
{
    bool is_new = is_enabled && !*flag;
    *flag = is_enabled;
    arm(statistics, is_new ? 0 : statistics->period);
}

void sv_statistics_enable_host(struct sv_driver *driver, bool is_enabled)
{
    enable(driver->statistics, &driver->statistics->has_host, is_enabled);
}

void sv_statistics_enable_processes(struct sv_driver *driver, bool is_enabled)
{
    enable(driver->statistics, &driver->statistics->has_processes, is_enabled);
}

void sv_statistics_set_period(struct sv_driver *driver, double seconds)
{
    driver->statistics->period = seconds;
    arm(driver->statistics, seconds);
}

/* --- histories --- */

void sv_statistics_feed_host(struct sv_statistics *statistics)
{
    for (size_t i = 0; i < statistics->config->stats_period_count; i++) {
        struct sv_host_statistics ended;
        if (sv_host_history_push(&statistics->host_histories[i], &statistics->host, &ended) ==
                SV_HISTORY_GREW &&
            statistics->hearer.host)
            statistics->hearer.host(statistics->hearer.user, &ended);
    }
}

static struct sv_process_history *new_histories(const struct sv_supvisors_config *config)
{
    struct sv_process_history *histories = calloc(config->stats_period_count, sizeof(*histories));
    for (size_t i = 0; histories && i < config->stats_period_count; i++)
        sv_process_history_init(&histories[i], config->stats_periods[i], config->stats_histo);
    return histories;
}

void sv_statistics_feed(struct sv_statistics *statistics, struct sv_tracked *tracked,
                        const char *namespec)
{
    if (!tracked->histories)
        tracked->histories = new_histories(statistics->config);
    for (size_t i = 0; tracked->histories && i < statistics->config->stats_period_count; i++) {
        struct sv_process_statistics ended;
        if (sv_process_history_push(&tracked->histories[i], &tracked->last, &ended) ==
                SV_HISTORY_GREW &&
            statistics->hearer.process)
            statistics->hearer.process(statistics->hearer.user, namespec, &ended);
    }
}

void sv_statistics_forget_histories(struct sv_statistics *statistics, struct sv_tracked *tracked)
{
    for (size_t i = 0; tracked->histories && i < statistics->config->stats_period_count; i++)
        sv_process_history_done(&tracked->histories[i]);
    free(tracked->histories);
    tracked->histories = NULL;
}
