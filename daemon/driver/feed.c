/*
 * The one path that every event takes:
 *
 *     something happens -> sv_driver_feed() -> sv_core_step() -> actions -> sv_driver_perform()
 *
 * Performing an action may feed further events (a spawn answers at once). They only append to the
 * same list, which the outermost call works off, so nothing recurses. The order is the core's, but
 * what is only told goes before what is done. Spawning is the one slow action: after
 * SV_SPAWNS_PER_TURN_MAX of them the rest waits for the next turn of the loop, so that a thousand
 * programs that start do not silence the API. They are counted over all events, because a thousand
 * requests may arrive in one turn.
 */
#include "driver/internal.h"
#include "driver/outlive/outlive.h"

#include <svisor/limits.h>

/* Above this the list of actions gives its memory back when it is empty: it grows once, at the
 * start. */
enum { ACTIONS_KEPT_MAX = 256 };

/* Deadlines are seconds for people; 1 ms lets the kernel join wake-ups and is never noticed. */
enum { TIMER_ACCURACY_NS = 1000000 };

/*
 * What is to be written down about the events of listeners is, here and now.
 *
 * What is told (log, API, listeners) does not wait behind spawns of other programs: it is taken out
 * of the actions of the step, and told before anything more is done. So an end is written down with
 * all that it led to, and told in the same breath: a daemon that dies between the two leaves a line
 * of the log unsaid, and none that the next one says again.
 */
static void sort_out(struct sv_driver *driver, size_t first)
{
    struct sv_actions *actions = &driver->actions;
    size_t kept = first;
    for (size_t i = first; i < actions->count; i++) {
        struct sv_action action = actions->items[i];
        struct sv_unit *unit =
            action.kind == SV_ACTION_DELIVER ? sv_driver_unit(driver, action.process) : NULL;
        if (unit)
            unit->undelivered_count++;
        if (action.kind == SV_ACTION_NOTICE || action.kind == SV_ACTION_SHORTAGE)
            *sv_actions_add(&driver->tellings, action.kind) = action;
        else if (!sv_backlog_note(driver, &action))
            actions->items[kept++] = action;
    }
    actions->count = kept;
    sv_handover_shorten(driver);
}

/* Whatever the world sees of a step, the journal has it before. Once is enough for the actions of
 * one process that follow each other. */
static void note_before(struct sv_driver *driver, const struct sv_action *action)
{
    if (action->process == driver->noted)
        return;
    driver->noted = action->process;
    sv_handover_note(driver, action->process);
}

/* Then its record is written before that is done: pump(). */
static bool is_something_done(const struct sv_actions *actions, size_t first, sv_process_id process)
{
    for (size_t i = first; i < actions->count; i++)
        if (actions->items[i].process == process)
            return true;
    return false;
}

static void trim(struct sv_actions *actions)
{
    actions->count = 0; /* the blobs of DELIVER actions went with their performing */
    if (actions->capacity > ACTIONS_KEPT_MAX)
        sv_actions_done(actions);
}

/* What is told of the process that is being launched waits for the answer, as all that is done. */
static void tell(struct sv_driver *driver)
{
    struct sv_actions *tellings = &driver->tellings;
    while (driver->told_count < tellings->count) {
        struct sv_action telling = tellings->items[driver->told_count++];
        if (sv_launch_concerns(driver, telling.process))
            sv_launch_finish(driver);
        note_before(driver, &telling);
        sv_driver_perform(driver, &telling);
    }
    driver->told_count = 0;
    trim(tellings);
}

static bool is_spawning(const struct sv_action *action)
{
    return action->kind == SV_ACTION_SPAWN ||
           (action->kind == SV_ACTION_PROBE_START && action->probe.config->kind == SV_PROBE_EXEC);
}

/* False: nothing is left to be done now. What is asked of the process that is being launched waits
 * for the answer, which may be followed by more to do. */
static bool has_action(struct sv_driver *driver)
{
    const struct sv_actions *actions = &driver->actions;
    size_t next = driver->performed_count;
    tell(driver);
    if (next >= actions->count || sv_launch_concerns(driver, actions->items[next].process)) {
        sv_launch_finish(driver);
        tell(driver);
    }
    return next < actions->count;
}

static void pump(struct sv_driver *driver)
{
    if (driver->is_performing)
        return;
    driver->is_performing = true;
    struct sv_actions *actions = &driver->actions;
    while (has_action(driver)) {
        struct sv_action action = actions->items[driver->performed_count];
        if (is_spawning(&action)) {
            if (driver->spawn_count >= SV_SPAWNS_PER_TURN_MAX)
                break;
            driver->spawn_count++;
        }
        driver->performed_count++;
        note_before(driver, &action);
        sv_driver_perform(driver, &action);
    }
    sv_launch_finish(driver);
    tell(driver);
    driver->is_performing = false;
    sv_keeper_flush(driver->keeper);
    if (driver->performed_count < actions->count) {
        sv_source_enable(driver->pump, true);
    } else {
        if (driver->is_adopting && driver->has_begun) {
            driver->is_adopting = false;
            sv_handover_begin(driver);
        }
        driver->performed_count = 0;
        trim(actions);
        sv_core_settle(driver->core);
    }
    sv_source_arm(driver->timer, sv_core_deadline_ns(driver->core));
}

void sv_driver_feed(struct sv_driver *driver, struct sv_event event)
{
    event.now_ns = sv_now_ns();
    event.wall_ns = sv_wall_ns();
    size_t action_count = driver->actions.count;
    driver->noted = 0;
    sv_core_step(driver->core, &event, &driver->actions);
    bool is_news =
        event.kind != SV_EVENT_RESTORE; /* the journal has it, with the run that follows */
    bool is_noted_later = is_something_done(&driver->actions, action_count, event.process);
    sort_out(driver, action_count); /* an event that a listener has settled is, before it goes on */
    if (event.process != 0 && is_news && !is_noted_later)
        sv_handover_note(driver, event.process);
    pump(driver);
}

/* ---- The loop ---- */

static void on_deadline(void *user)
{
    struct sv_driver *driver = user;
    if (driver->notify_socket)
        sv_notify_socket_drain(driver->notify_socket); /* a word that has come in time counts */
    sv_driver_feed(driver, (struct sv_event){.kind = SV_EVENT_TIME});
}

static void on_pump(void *user)
{
    struct sv_driver *driver = user;
    driver->spawn_count = 0;
    pump(driver);
}

int sv_driver_feed_begin(struct sv_driver *driver)
{
    int r = sv_loop_add_timer(driver->loop, TIMER_ACCURACY_NS, on_deadline, driver, &driver->timer);
    if (r < 0)
        return r;
    return sv_loop_add_defer(driver->loop, SV_PRIORITY_OUTPUT, on_pump, driver, &driver->pump);
}
