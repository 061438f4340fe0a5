/*
 * When samples are taken, and what becomes of them: the switches and the clock of
 * [rpcinterface:supvisors], and the histories of its stats_periods.
 *
 * Without that section the switches are turned by whoever looks: on by the first question for a
 * report, off when SV_STATISTICS_LOOK_NS have gone by without one and no page is open. A page that
 * is hidden asks for nothing, but whoever comes back to it wants no gap in its charts, so it
 * counts. What was collected is forgotten then: an average over the time in which nobody looked is
 * no news.
 *
 * stats_collecting_period is the least time between two samples, as for Supvisors: the next one is
 * due so long after the last one began, and never earlier. With both switches off the timer does
 * not run, and the daemon does not wake up.
 */
#include <errno.h>
#include <stdlib.h>

#include "driver/live/live.h"
#include "driver/statistics/internal.h"

enum { NS_PER_SECOND = 1000000000, ACCURACY_NS = 50000000 };

/* The first averages are there two seconds after a page was opened, the last ones go back for three
 * hours. */
static const double look_periods[] = {2, 10, 60};
static const struct sv_statistics_config look_config = {
    .collecting_period = 2, .periods = look_periods, .period_count = 3, .histo = 200};

static void arm(struct sv_statistics *statistics, double seconds)
{
    bool is_wanted = statistics->has_host || statistics->has_processes;
    sv_source_arm(statistics->timer,
                  is_wanted ? sv_now_ns() + (uint64_t)(seconds * NS_PER_SECOND) : SV_NEVER);
}

static void init_host_histories(struct sv_statistics *statistics)
{
    const struct sv_statistics_config *config = statistics->config;
    for (size_t i = 0; i < config->period_count; i++)
        sv_host_history_init(&statistics->host_histories[i], config->periods[i], config->histo);
}

static void forget_host_histories(struct sv_statistics *statistics)
{
    for (size_t i = 0; statistics->host_histories && i < statistics->config->period_count; i++)
        sv_host_history_done(&statistics->host_histories[i]);
}

static bool is_looked_at(const struct sv_statistics *statistics)
{
    return sv_now_ns() - statistics->looked_ns <= SV_STATISTICS_LOOK_NS ||
           sv_live_has_pages(statistics->driver);
}

/* What /metrics would take for fresh is gone, too. */
static void rest(struct sv_statistics *statistics)
{
    statistics->has_host = statistics->has_processes = false;
    statistics->complete_ns = 0;
    forget_host_histories(statistics);
    init_host_histories(statistics);
    sv_sampler_forget_programs(statistics);
}

static void on_due(void *user)
{
    struct sv_statistics *statistics = user;
    bool is_sampling = statistics->sampling.is_under_way;
    if (statistics->is_for_looks && !is_looked_at(statistics) && !is_sampling)
        rest(statistics);
    else
        sv_sampler_begin(statistics, true);
    arm(statistics, statistics->period);
}

void sv_statistics_look(struct sv_driver *driver)
{
    struct sv_statistics *statistics = driver->statistics;
    statistics->looked_ns = sv_now_ns();
    if (!statistics->is_for_looks || statistics->has_host)
        return;
    statistics->has_host = statistics->has_processes = true;
    on_due(statistics);
}

int sv_statistics_open(struct sv_driver *driver)
{
    struct sv_statistics *statistics = calloc(1, sizeof(*statistics));
    if (!statistics)
        return -ENOMEM;
    driver->statistics = statistics;
    statistics->driver = driver;
    statistics->owner = sv_config_ref(driver->config);
    const struct sv_supvisors_config *section = driver->config->supvisors;
    statistics->is_for_looks = !section;
    statistics->config = section ? &section->stats : &look_config;
    statistics->has_host = statistics->config->has_host;
    statistics->has_processes = statistics->config->has_processes;
    statistics->period = statistics->config->collecting_period;
    statistics->reader = sv_host_reader_new();
    statistics->host_histories =
        calloc(statistics->config->period_count, sizeof(*statistics->host_histories));
    if (!statistics->reader || !statistics->host_histories)
        return -ENOMEM;
    init_host_histories(statistics);
    int r = sv_loop_add_timer(driver->loop, ACCURACY_NS, on_due, statistics, &statistics->timer);
    return r < 0 ? r
                 : sv_loop_add_defer(driver->loop, SV_PRIORITY_OUTPUT, sv_sampler_slice, statistics,
                                     &statistics->slicer);
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
    forget_host_histories(statistics);
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
    for (size_t i = 0; i < statistics->config->period_count; i++) {
        struct sv_host_statistics ended;
        if (sv_host_history_push(&statistics->host_histories[i], &statistics->host, &ended) ==
                SV_HISTORY_GREW &&
            statistics->hearer.host)
            statistics->hearer.host(statistics->hearer.user, &ended);
    }
}

static struct sv_process_history *new_histories(const struct sv_statistics_config *config)
{
    struct sv_process_history *histories = calloc(config->period_count, sizeof(*histories));
    for (size_t i = 0; histories && i < config->period_count; i++)
        sv_process_history_init(&histories[i], config->periods[i], config->histo);
    return histories;
}

void sv_statistics_feed(struct sv_statistics *statistics, struct sv_tracked *tracked,
                        const char *namespec)
{
    if (!tracked->histories)
        tracked->histories = new_histories(statistics->config);
    for (size_t i = 0; tracked->histories && i < statistics->config->period_count; i++) {
        struct sv_process_statistics ended;
        if (sv_process_history_push(&tracked->histories[i], &tracked->last, &ended) ==
                SV_HISTORY_GREW &&
            statistics->hearer.process)
            statistics->hearer.process(statistics->hearer.user, namespec, &ended);
    }
}

void sv_statistics_forget_histories(struct sv_statistics *statistics, struct sv_tracked *tracked)
{
    for (size_t i = 0; tracked->histories && i < statistics->config->period_count; i++)
        sv_process_history_done(&tracked->histories[i]);
    free(tracked->histories);
    tracked->histories = NULL;
}
