/* One function for each kind of action of the core. */
#include "driver/internal.h"

#include "base/log.h"

static void spawn(struct sv_driver *driver, const struct sv_action *action)
{
    struct sv_unit *unit = sv_driver_unit(driver, action->process);
    if (unit)
        sv_launch(unit, action->run);
}

static void send_signal(struct sv_driver *driver, const struct sv_action *action)
{
    struct sv_unit *unit = sv_driver_unit(driver, action->process);
    if (unit)
        sv_unit_signal(unit, action);
}

static void kill_cgroup(struct sv_driver *driver, const struct sv_action *action)
{
    struct sv_unit *unit = sv_driver_unit(driver, action->process);
    if (unit)
        sv_unit_kill_cgroup(unit, action->run);
}

static void start_probe(struct sv_driver *driver, const struct sv_action *action)
{
    struct sv_unit *unit = sv_driver_unit(driver, action->process);
    if (unit)
        sv_checks_probe(unit, action);
}

static void stop_probe(struct sv_driver *driver, const struct sv_action *action)
{
    struct sv_unit *unit = sv_driver_unit(driver, action->process);
    if (unit)
        sv_checks_give_up(unit, action->run);
}

static void release(struct sv_driver *driver, const struct sv_action *action)
{
    sv_unit_groups_release(driver, action->process);
    sv_api_process_changed(driver->api, action->process);
}

static void quit(struct sv_driver *driver, const struct sv_action *action)
{
    sv_driver_quit(driver, action->is_restart);
}

/* Taken out of the list before: feed.c. */
static void do_nothing(struct sv_driver *driver, const struct sv_action *action)
{
    (void)driver;
    (void)action;
}

typedef void (*perform_function)(struct sv_driver *driver, const struct sv_action *action);

static const perform_function performers[SV_ACTION_COUNT] = {
    [SV_ACTION_SPAWN] = spawn,
    [SV_ACTION_SIGNAL] = send_signal,
    [SV_ACTION_KILL_CGROUP] = kill_cgroup,
    [SV_ACTION_PROBE_START] = start_probe,
    [SV_ACTION_PROBE_STOP] = stop_probe,
    [SV_ACTION_NOTICE] = sv_notice_tell,
    [SV_ACTION_SHORTAGE] = sv_resources_tell,
    [SV_ACTION_DELIVER] = sv_listener_deliver,
    [SV_ACTION_REMEMBER] = do_nothing,
    [SV_ACTION_FORGET] = do_nothing,
    [SV_ACTION_FORGET_POOL] = do_nothing,
    [SV_ACTION_RELEASE] = release,
    [SV_ACTION_QUIT] = quit,
};

void sv_driver_perform(struct sv_driver *driver, const struct sv_action *action)
{
    performers[action->kind](driver, action);
}
