/*
 * What programs say over NOTIFY_SOCKET becomes events.
 *
 * Who speaks is not in the message: the kernel says it. A message counts for the run in whose
 * cgroup the sender is (its main process or any other one: systemd's NotifyAccess=all), and without
 * cgroups for the run whose main process the sender is (NotifyAccess=main). So nobody can speak for
 * another program, and somebody from outside can say nothing. The cgroup is read by pid; where the
 * kernel gives a pidfd of the sender, it must still be alive after that, so that the pid was not
 * another's. A helper that spoke for a program while no daemon ran, and has ended, is known by its
 * EXIT record.
 */
#include "driver/internal.h"
#include "driver/outlive/outlive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "driver/live/live.h"

/* Everybody may send, and must not be able to fill the log. */
#define REFUSAL_PAUSE_NS UINT64_C(10000000000)

static bool is_still_that(const struct sv_notify_sender *sender)
{
    return sender->pidfd < 0 || syscall(SYS_pidfd_send_signal, sender->pidfd, 0, NULL, 0) == 0 ||
           errno == EPERM;
}

static struct sv_run *run_of(struct sv_driver *driver, const struct sv_notify_sender *sender)
{
    if (sender->pid <= 0)
        return NULL;
    struct sv_run *run = sv_idmap_get(&driver->runs_by_pid, (uint64_t)sender->pid);
    if (run)
        return run; /* not reaped, so the number is still its own */
    uint64_t id = 0;
    if (!driver->tree || sv_cgroup_leaf_id_of(driver->tree, sender->pid, &id) < 0 ||
        !is_still_that(sender))
        id = sv_adopt_cgroup_of(driver, sender->pid);
    return sv_idmap_get(&driver->runs_by_cgroup, id);
}

static void refuse(struct sv_driver *driver, const struct sv_notify_sender *sender,
                   const char *reason)
{
    uint64_t now_ns = sv_now_ns();
    if (driver->refusal_told_ns != 0 && now_ns < driver->refusal_told_ns + REFUSAL_PAUSE_NS)
        return;
    driver->refusal_told_ns = now_ns;
    sv_log_warn(
        "refused a notify message of pid %d (uid %u): %s; more of the kind are not told for "
        "%d s",
        (int)sender->pid, sender->uid, reason, (int)(REFUSAL_PAUSE_NS / 1000000000u));
}

static void feed(const struct sv_run *run, struct sv_event event)
{
    event.process = run->unit->id;
    event.run = run->number;
    sv_driver_feed(run->unit->driver, event);
}

static void keep_status(struct sv_unit *unit, const char *status)
{
    char *copy = strdup(status);
    if (!copy)
        return; /* the old words stay */
    free(unit->status_text);
    unit->status_text = copy;
    sv_live_process_changed(unit->driver, unit->id);
    sv_handover_note(unit->driver, unit->id);
}

static void obey(struct sv_run *run, const struct sv_notify_message *message)
{
    const struct sv_health_config *health = run->unit->config->health;
    if (message->has_status)
        keep_status(run->unit, message->status);
    if (message->is_stopping)
        sv_log_info("%s (pid %d) says that it is stopping", run->unit->config->name, (int)run->pid);
    if (message->has_extend)
        feed(run,
             (struct sv_event){.kind = SV_EVENT_EXTEND, .extend_ns = message->extend_us * 1000});
    if (message->is_ready && health->ready.kind == SV_PROBE_NOTIFY)
        feed(run, (struct sv_event){.kind = SV_EVENT_READY});
    if (message->is_alive)
        feed(run, (struct sv_event){.kind = SV_EVENT_WATCHDOG});
    if (message->is_trigger)
        feed(run, (struct sv_event){.kind = SV_EVENT_WATCHDOG_TRIGGER});
}

static void on_message(void *user, const struct sv_notify_sender *sender,
                       const struct sv_notify_message *message)
{
    struct sv_driver *driver = user;
    struct sv_run *run = run_of(driver, sender);
    if (!run)
        refuse(driver, sender, "it comes from no program that svisord runs");
    else if (!sv_health_wants_notify(run->unit->config->health))
        refuse(driver, sender, "its program has neither ready=notify nor a watchdog");
    else if (!message)
        refuse(driver, sender, "it is no message of sd_notify, or too long");
    else if (!run->is_over)
        obey(run, message);
}

/* What was said while no daemon ran has waited in the socket, which the keeper held. */
int sv_driver_open_notify(struct sv_driver *driver)
{
    if (driver->notify_socket)
        return 0;
    struct sv_kept kept = SV_KEPT_NONE;
    if (driver->keeper)
        (void)sv_keeper_get(driver->keeper, SV_KEEPER_NOTIFY_KEY, &kept);
    const struct sv_notify_origin origin = {.identifier = driver->options.config->daemon.identifier,
                                            .fd = kept.stdin_fd};
    int r = sv_notify_socket_new(driver->loop, &origin, on_message, driver, &driver->notify_socket);
    if (r < 0)
        return error_trace(r);
    kept.stdin_fd = sv_notify_socket_fd(driver->notify_socket);
    if (driver->keeper && origin.fd < 0)
        (void)sv_keeper_put(driver->keeper, SV_KEEPER_NOTIFY_KEY, &kept);
    return 0;
}
