/*
 * What the service manager hears of the daemon: ready, stopping, one line of status, and that the
 * loop turns.
 *
 *     14 processes: 12 running, 1 starting, 1 fatal
 *
 * The line follows the changes, at most one a second; the last change is always told. Without a
 * manager there is no timer, and an idle daemon does not wake up.
 */
#include "driver/internal.h"

#include <ctype.h>
#include <svisor/limits.h>

#include "base/names.h"
#include "io/notify.h"

enum { NS_PER_MS = 1000000, STATUS_ACCURACY_NS = 50000000, WATCHDOG_ACCURACY_NS = 100000000 };

/* In the order in which people want to read them. */
static const enum sv_process_state shown[] = {
    SV_PROCESS_RUNNING, SV_PROCESS_STARTING, SV_PROCESS_STOPPING, SV_PROCESS_BACKOFF,
    SV_PROCESS_FATAL,   SV_PROCESS_UNKNOWN,  SV_PROCESS_EXITED,   SV_PROCESS_STOPPED,
};

static void count_states(const struct sv_driver *driver, size_t *counts, size_t *ret_total)
{
    size_t total = 0;
    for (size_t i = 0; i < driver->units.slot_count; i++) {
        const struct sv_unit *unit = driver->units.slots[i].value;
        struct sv_process_view view;
        if (!unit || !sv_core_process(driver->core, unit->id, &view))
            continue;
        total++;
        for (size_t s = 0; s < SV_ARRAY_LENGTH(shown); s++)
            counts[s] += view.state == shown[s];
    }
    *ret_total = total;
}

static void describe(const struct sv_driver *driver, struct sv_str *text)
{
    size_t counts[SV_ARRAY_LENGTH(shown)] = {0}, total;
    count_states(driver, counts, &total);
    if (sv_core_state(driver->core) != SV_SUPERVISOR_RUNNING)
        sv_str_add(text, "Stopping; ");
    sv_str_addf(text, "%zu process%s", total, total == 1 ? "" : "es");
    const char *separator = ": ";
    for (size_t s = 0; s < SV_ARRAY_LENGTH(shown); s++) {
        if (counts[s] == 0)
            continue;
        sv_str_addf(text, "%s%zu ", separator, counts[s]);
        for (const char *at = sv_process_state_name(shown[s]); *at; at++)
            sv_str_add_char(text, (char)tolower((unsigned char)*at));
        separator = ", ";
    }
}

static void on_status(void *user)
{
    struct sv_driver *driver = user;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    describe(driver, &text);
    if (sv_str_ok(&text))
        sv_notify_status(driver->options.notify, text.data);
    driver->is_status_due = false;
    driver->next_status_ns = sv_now_ns() + (uint64_t)SV_STATUS_PERIOD_MS * NS_PER_MS;
}

static void on_watchdog(void *user)
{
    struct sv_driver *driver = user;
    sv_notify_watchdog(driver->options.notify);
    uint64_t period_ns = sv_notify_watchdog_ns(driver->options.notify) / 2;
    sv_source_arm(driver->watchdog_timer, sv_now_ns() + period_ns);
}

void sv_status_changed(struct sv_driver *driver, enum sv_notice_type type)
{
    if (!driver->status_timer)
        return;
    if (type == SV_NOTICE_SUPERVISOR_STATE_CHANGE_RUNNING)
        sv_notify_ready(driver->options.notify);
    if (type == SV_NOTICE_SUPERVISOR_STATE_CHANGE_STOPPING) {
        if (sv_core_state(driver->core) == SV_SUPERVISOR_RESTARTING)
            sv_notify_reloading(driver->options.notify);
        else
            sv_notify_stopping(driver->options.notify);
    }
    if (driver->is_status_due)
        return;
    driver->is_status_due = true;
    uint64_t now_ns = sv_now_ns();
    sv_source_arm(driver->status_timer,
                  driver->next_status_ns > now_ns ? driver->next_status_ns : now_ns);
}

int sv_status_begin(struct sv_driver *driver)
{
    if (!driver->options.notify)
        return 0;
    int r = sv_loop_add_timer(driver->loop, STATUS_ACCURACY_NS, on_status, driver,
                              &driver->status_timer);
    if (r == 0 && sv_notify_watchdog_ns(driver->options.notify) > 0) {
        r = sv_loop_add_timer(driver->loop, WATCHDOG_ACCURACY_NS, on_watchdog, driver,
                              &driver->watchdog_timer);
        if (r == 0)
            on_watchdog(driver);
    }
    return r;
}
