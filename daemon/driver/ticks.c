/*
 * TICK_5, TICK_60 and TICK_3600: events at the wall clock's multiples of their periods.
 *
 * The timer runs only while a listener subscribes to one of them, so that an idle daemon never
 * wakes up. A tick is due when the wall clock has entered another slice of its period since the
 * last look, as in supervisord.py, tick(): a clock that is set back or far ahead gives one event,
 * not a flood.
 */
#include "driver/internal.h"

#include <svisor/states.h>

static const struct {
    enum sv_notice_type type;
    int64_t period_seconds;
} ticks[] = {
    {SV_NOTICE_TICK_5, 5},
    {SV_NOTICE_TICK_60, 60},
    {SV_NOTICE_TICK_3600, 3600},
};

enum { NS_PER_SECOND = 1000000000, ACCURACY_NS = 10000000 };

static const sv_notice_set tick_types = (sv_notice_set)1 << SV_NOTICE_TICK_5 |
                                        (sv_notice_set)1 << SV_NOTICE_TICK_60 |
                                        (sv_notice_set)1 << SV_NOTICE_TICK_3600;

static int64_t slice_of(int64_t wall_seconds, int64_t period_seconds)
{
    return wall_seconds - wall_seconds % period_seconds;
}

static void remember_slices(struct sv_driver *driver)
{
    int64_t now_seconds = sv_wall_ns() / NS_PER_SECOND;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(ticks); i++)
        driver->last_ticks[i] = slice_of(now_seconds, ticks[i].period_seconds);
}

/* To the next multiple of the smallest period; looked at anew each time, so a set clock heals
 * itself. */
static void arm(struct sv_driver *driver)
{
    int64_t period_ns = ticks[0].period_seconds * NS_PER_SECOND;
    int64_t left_ns = period_ns - sv_wall_ns() % period_ns;
    sv_source_arm(driver->tick_timer, sv_now_ns() + (uint64_t)left_ns);
}

static void on_tick(void *user)
{
    struct sv_driver *driver = user;
    int64_t now_seconds = sv_wall_ns() / NS_PER_SECOND;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(ticks); i++) {
        int64_t slice = slice_of(now_seconds, ticks[i].period_seconds);
        if (slice == driver->last_ticks[i])
            continue;
        driver->last_ticks[i] = slice;
        struct sv_str payload SV_CLEANUP(sv_str_done) = {0};
        sv_payload_tick(slice, &payload);
        sv_notice_publish(driver, ticks[i].type, &payload);
    }
    arm(driver);
}

int sv_ticks_begin(struct sv_driver *driver)
{
    int r = sv_loop_add_timer(driver->loop, ACCURACY_NS, on_tick, driver, &driver->tick_timer);
    if (r == 0)
        sv_ticks_rearm(driver);
    return r;
}

void sv_ticks_rearm(struct sv_driver *driver)
{
    if (!driver->tick_timer)
        return; /* groups are added before the ticks begin */
    if ((sv_core_wanted_notices(driver->core) & tick_types) == 0) {
        sv_source_arm(driver->tick_timer, SV_NEVER);
        return;
    }
    remember_slices(driver);
    arm(driver);
}
