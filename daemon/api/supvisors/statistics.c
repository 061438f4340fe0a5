/*
 * The switches for statistics that Supvisors 0.19 has. Its numbers go out as events only: whoever
 * wants to ask for them has the methods of api/statistics.c.
 *
 * update_collecting_period of Supvisors takes any value, tells it back, and goes on with the old
 * one (statscollector.py, statistics_collector_task: it assigns the wrong variable). Here it
 * counts, and so it is checked.
 */
#include <math.h>

#include "api/supvisors/cluster_call.h"

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
