/*
 * The end of the loop, when every program has stopped.
 *
 * Whoever has asked for that end, or waits for the stop of the last program, has been answered by
 * then, and the answer may still be on its way into the socket: it is let out first, for a bounded
 * time, for a client may never read it.
 */
#include "driver/internal.h"

#include "base/log.h"

enum { POLL_NS = 1000000, NS_PER_MS = 1000000 };

static void look(void *user)
{
    struct sv_driver *driver = user;
    uint64_t now_ns = sv_now_ns();
    if (driver->http && sv_http_is_answering(driver->http) && now_ns < driver->quit_deadline_ns)
        sv_source_arm(driver->quit_timer, now_ns + POLL_NS);
    else
        sv_loop_quit(driver->loop, driver->is_restart ? SV_DRIVER_RESTART : SV_DRIVER_STOPPED);
}

void sv_driver_quit(struct sv_driver *driver, bool is_restart)
{
    driver->is_restart = is_restart;
    driver->quit_deadline_ns = sv_now_ns() + (uint64_t)SV_QUIT_ANSWER_MS * NS_PER_MS;
    if (!driver->quit_timer &&
        sv_loop_add_timer(driver->loop, POLL_NS, look, driver, &driver->quit_timer) < 0) {
        sv_log_error("out of memory at the end: the last answers may not be sent");
        driver->quit_deadline_ns = 0;
    }
    look(driver);
}
