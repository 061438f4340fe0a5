/*
 * The restart policy: Supervisor's, and the one that its users have asked for since.
 *
 * Without further options it is Supervisor's: after the n-th failed start in a row a pause of n
 * seconds, after an exit from RUNNING none; RUNNING forgets the failures; more than startretries
 * failures are FATAL. Supervisor's loop slows a program that ends at once (startsecs=0) down to one
 * restart a second; here the first SV_QUICK_ENDS_MAX are immediate, and from then on a pause of a
 * second keeps such a program from burning the machine.
 *
 * restart_delay replaces both pauses by min(restart_delay * 2^(n-1), restart_delay_max), give or
 * take restart_jitter. n is the number of failures remembered, at least 1: a program that always
 * reaches RUNNING and then exits waits restart_delay each time.
 *
 * restart_reset_after changes what a failure is. RUNNING no longer forgets at once but only when it
 * has lasted that long, and an unexpected exit from RUNNING counts like a failed start. So the
 * pauses of a crash loop grow, and more than startretries unexpected ends in a row are FATAL, where
 * Supervisor would restart such a program for ever. An expected exit (autorestart=true) never
 * counts: a worker that ends after each job is not failing.
 *
 * Example: restart_delay=1, restart_delay_max=10, restart_reset_after=60: pauses of 1, 2, 4, 8, 10,
 * 10 s … and 1 s again after a good minute.
 */
#include "core/local/restart.h"

#include <svisor/limits.h>

uint64_t sv_random_next(struct sv_random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t sv_seconds_to_ns(double seconds)
{
    if (!(seconds > 0))
        return 0;
    double ns = seconds * (double)SV_NS_PER_SECOND;
    return ns < (double)(UINT64_MAX / 2) ? (uint64_t)ns : UINT64_MAX / 2;
}

uint64_t sv_time_after(uint64_t now_ns, uint64_t pause_ns)
{
    return pause_ns < UINT64_MAX - now_ns ? now_ns + pause_ns : UINT64_MAX;
}

static double doubled(const struct sv_program_config *config, uint32_t failure_count)
{
    double delay = config->restart_delay;
    double cap = config->restart_delay_max;
    if (cap < 0)
        cap = delay > SV_RESTART_DELAY_SECONDS_MAX ? delay : SV_RESTART_DELAY_SECONDS_MAX;
    for (uint32_t n = 1; n < failure_count && delay < cap && delay > 0; n++)
        delay *= 2;
    return delay < cap ? delay : cap;
}

static uint64_t delay_ns(const struct sv_program_config *config, uint32_t failure_count,
                         struct sv_random *random)
{
    double delay = doubled(config, failure_count > 0 ? failure_count : 1);
    if (config->restart_jitter > 0) {
        double unit = (double)(sv_random_next(random) >> 11) * 0x1p-53; /* [0, 1) */
        delay *= 1 + config->restart_jitter * (2 * unit - 1);
    }
    return sv_seconds_to_ns(delay);
}

uint64_t sv_restart_pause_after_failed_start_ns(const struct sv_program_config *config,
                                                uint32_t failure_count, struct sv_random *random)
{
    if (config->restart_delay >= 0)
        return delay_ns(config, failure_count, random);
    return failure_count * SV_NS_PER_SECOND;
}

uint64_t sv_restart_pause_after_exit_ns(const struct sv_program_config *config,
                                        uint32_t failure_count, uint32_t quick_end_count,
                                        struct sv_random *random)
{
    if (config->restart_delay >= 0)
        return delay_ns(config, failure_count, random);
    return quick_end_count > SV_QUICK_ENDS_MAX ? SV_QUICK_END_SECONDS * SV_NS_PER_SECOND : 0;
}

bool sv_restart_is_exhausted(const struct sv_program_config *config, uint32_t failure_count)
{
    return config->startretries != SV_RETRIES_ENDLESS && failure_count > config->startretries;
}

bool sv_restart_remembers(const struct sv_program_config *config)
{
    return config->restart_reset_after >= 0;
}
