/*
 * Statistics of the instance that is asked. The four methods of supvisors.* are the switches that
 * Supvisors 0.19 has; its numbers go out as events only. For whoever wants to ask for them there
 * are three of our own.
 *
 * update_collecting_period of Supvisors takes any value, tells it back, and goes on with the old
 * one (statscollector.py, statistics_collector_task: it assigns the wrong variable). Here it
 * counts, and so it is checked.
 */
#include <math.h>

#include "api/supvisors/cluster_call.h"
#include "api/target.h"

#include <svisor/limits.h>

/* A whole number of seconds is an integer, as Supvisors' default is. */
static json_t *seconds_json(double seconds)
{
    double whole = floor(seconds);
    return seconds > whole ? json_real(seconds) : json_integer((json_int_t)whole);
}

void sv_method_supvisors_get_statistics_status(struct sv_api_call *call,
                                               const struct sv_argument *arguments)
{
    (void)arguments;
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    struct sv_api_statistics status;
    cluster->statistics(cluster->user, &status);
    sv_call_return(call, json_pack("{s:b, s:b, s:o}", "host_stats", (int)status.has_host,
                                   "process_stats", (int)status.has_processes, "collecting_period",
                                   seconds_json(status.collecting_period)));
}

void sv_method_supvisors_enable_host_statistics(struct sv_api_call *call,
                                                const struct sv_argument *arguments)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    cluster->enable_host_statistics(cluster->user, arguments[0].boolean);
    sv_call_return(call, json_true());
}

void sv_method_supvisors_enable_process_statistics(struct sv_api_call *call,
                                                   const struct sv_argument *arguments)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    cluster->enable_process_statistics(cluster->user, arguments[0].boolean);
    sv_call_return(call, json_true());
}

void sv_method_supvisors_update_collecting_period(struct sv_api_call *call,
                                                  const struct sv_argument *arguments)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    double period = arguments[0].real;
    if (period < SV_STATISTICS_PERIOD_MIN || period > SV_STATISTICS_PERIOD_MAX) {
        struct sv_str text SV_CLEANUP(sv_str_done) = {0};
        sv_str_addf(&text, "collecting_period=%g - expected in [%g;%g] (seconds)", period,
                    SV_STATISTICS_PERIOD_MIN, SV_STATISTICS_PERIOD_MAX);
        sv_call_fault(call, SV_FAULT_INCORRECT_PARAMETERS, sv_str_text(&text));
        return;
    }
    cluster->set_collecting_period(cluster->user, period);
    sv_call_return(call, json_true());
}

/* Takes the answer of the driver. */
static void return_history(struct sv_api_call *call, double period, json_t *history)
{
    if (!json_is_null(history)) {
        sv_call_return(call, history);
        return;
    }
    const struct sv_supvisors_config *config = sv_cluster_of(call)->config;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&text, "period=%g is none of stats_periods", period);
    for (size_t i = 0; i < config->stats_period_count; i++)
        sv_str_addf(&text, "%s%g", i ? ", " : ": ", config->stats_periods[i]);
    sv_call_fault(call, SV_FAULT_INCORRECT_PARAMETERS, sv_str_text(&text));
}

void sv_method_get_host_statistics(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    return_history(call, arguments[0].real,
                   cluster->host_statistics(cluster->user, arguments[0].real));
}

void sv_method_get_process_statistics(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    struct sv_process_view view;
    if (sv_target_process(call, arguments[0].text, &view))
        return_history(call, arguments[1].real,
                       cluster->process_statistics(cluster->user, view.id, arguments[1].real));
}

void sv_method_get_usage(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    return_history(call, arguments[0].real, cluster->usage(cluster->user, arguments[0].real));
}
