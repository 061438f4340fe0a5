/*
 * The promise that this node gives to the other instances of its cluster, and who keeps it.
 *
 * Programs live on behind a daemon that is dead, stopped or starved, and nobody outside can see it.
 * So the keeper has a promise to keep (io/keeper_live.c): what the cluster manages is ended when no
 * daemon has come back within daemon_grace, or, under quorum, when svisord has not renewed its
 * right to run it in time. The others count the same seconds, and a margin, before they start it
 * elsewhere. A svisord without a cluster promises nothing: its programs live until one returns.
 *
 *     taken over -> GRACE, and with each renewal DEADLINE; each run that is managed is MANAGEd
 *
 * A run that the keeper has ended is not started again by itself: another node has it now, and it
 * is for the cluster to say when it comes back. Its certificate says what has happened.
 *
 * The keeper may die, too. Its socket tells us at once, and another one is given all that the first
 * one had: the descriptors are ours as well, and they keep their keys, which the journal knows. So
 * what is lost is only what has to be: if svisord dies in that moment, nobody holds the promise.
 */
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "driver/internal.h"
#include "driver/outlive/outlive.h"

/* Between two keepers, should somebody kill each of them. */
#define REVIVAL_PAUSE_NS UINT64_C(1000000000)

#define NS_PER_SECOND 1e9

/* As it was at the start: a cluster is not joined by a reread. */
static bool is_promising(const struct sv_driver *driver)
{
    return driver->options.config->supvisors != NULL;
}

static void promise_grace(struct sv_driver *driver)
{
    double seconds = driver->options.config->daemon.cluster.daemon_grace;
    sv_keeper_promise_grace(driver->keeper, (uint64_t)(seconds * NS_PER_SECOND));
}

/* --- what the keeper holds, given to another one --- */

static void put_run(struct sv_run *run)
{
    const struct sv_kept kept = {
        .pidfd = run->pidfd,
        .stdin_fd = run->input ? sv_input_fd(run->input) : -1,
        .stdout_fd = run->outputs[SV_STDOUT] ? sv_output_fd(run->outputs[SV_STDOUT]) : -1,
        .stderr_fd = run->outputs[SV_STDERR] ? sv_output_fd(run->outputs[SV_STDERR]) : -1};
    uint64_t key = run->keeper_key;
    sv_handover_keep(run, &kept);
    if (run->is_managed)
        sv_handover_manage(run, true);
    if (run->keeper_key != key)
        sv_handover_note(run->unit->driver, run->unit->id);
}

static void put_all(struct sv_driver *driver)
{
    sv_handover_settle_keeper(driver);
    if (is_promising(driver)) {
        promise_grace(driver);
        sv_keeper_promise_deadline(driver->keeper, driver->promised_deadline_ns);
    }
    for (size_t i = 0; i < driver->units.slot_count; i++) {
        const struct sv_unit *unit = driver->units.slots[i].value;
        if (unit && unit->run)
            put_run(unit->run);
    }
    for (struct sv_run *run = driver->lingering; run; run = run->next)
        put_run(run);
    if (driver->notify_socket) {
        struct sv_kept kept = SV_KEPT_NONE;
        kept.stdin_fd = sv_notify_socket_fd(driver->notify_socket);
        (void)sv_keeper_put(driver->keeper, SV_KEEPER_NOTIFY_KEY, &kept);
    }
    if (!driver->is_adopting) /* until then the old ring is the one that counts */
        sv_kernel_keep(driver->kernel, driver->keeper);
}

static int renew(struct sv_driver *driver)
{
    sv_source_free(sv_steal(&driver->keeper_source));
    int r = sv_keeper_renew(driver->keeper);
    if (r < 0)
        return r;
    put_all(driver);
    sv_promise_watch(driver);
    return 0;
}

/* --- its death --- */

static void revive(void *user)
{
    struct sv_driver *driver = user;
    driver->revived_ns = sv_now_ns();
    int r = renew(driver);
    if (r == 0) {
        sv_log_warn("the keeper had ended; another one holds the programs' descriptors now");
        return;
    }
    sv_log_error("there is no keeper, and another one cannot be started (%s): if svisord dies now, "
                 "output that is not read yet may be lost; retrying",
                 sv_errno_text(r));
    sv_source_arm(driver->keeper_timer, driver->revived_ns + REVIVAL_PAUSE_NS);
}

static void on_keeper_gone(void *user, int fd, uint32_t events)
{
    (void)fd;
    (void)events;
    struct sv_driver *driver = user;
    sv_source_free(sv_steal(&driver->keeper_source));
    uint64_t next_ns = driver->revived_ns ? driver->revived_ns + REVIVAL_PAUSE_NS : 0;
    sv_source_arm(driver->keeper_timer, next_ns);
}

void sv_promise_watch(struct sv_driver *driver)
{
    int r = 0;
    if (!driver->keeper_timer)
        r = sv_loop_add_timer(driver->loop, 0, revive, driver, &driver->keeper_timer);
    if (r == 0)
        r = sv_loop_add_io(driver->loop, sv_keeper_fd(driver->keeper), 0, SV_PRIORITY_NORMAL,
                           on_keeper_gone, driver, &driver->keeper_source);
    if (r < 0)
        sv_log_error("the end of the keeper would not be noticed: %s", sv_errno_text(r));
}

/* --- the promise --- */

/* Before the descriptors that nobody has asked for are given up: with that we have taken over. */
void sv_promise_begin(struct sv_driver *driver)
{
    if (!is_promising(driver))
        return;
    int r = 0;
    if (!sv_keeper_can_promise(driver->keeper))
        r = renew(driver);
    else
        promise_grace(driver);
    if (r < 0)
        sv_log_error("the programs of the cluster are not ended if svisord dies: the keeper of an "
                     "older svisord cannot be replaced: %s",
                     sv_errno_text(r));
}

void sv_handover_promise(struct sv_driver *driver, uint64_t deadline_ns)
{
    driver->promised_deadline_ns = deadline_ns;
    if (driver->keeper)
        sv_keeper_promise_deadline(driver->keeper, deadline_ns);
}

void sv_handover_manage(struct sv_run *run, bool is_managed)
{
    struct sv_driver *driver = run->unit->driver;
    run->is_managed = is_managed;
    if (!driver->keeper)
        return;
    if (!is_managed) {
        if (run->keeper_key)
            sv_keeper_release(driver->keeper, run->keeper_key);
        return;
    }
    uint64_t key = run->keeper_key ? run->keeper_key : sv_keeper_next_key(driver->keeper);
    int fd = run->leaf ? sv_cgroup_leaf_kill_fd(run->leaf) : -1;
    if (sv_keeper_manage(driver->keeper, key, fd) == 0)
        run->keeper_key = key;
    if (fd >= 0)
        close(fd);
}

enum sv_reason sv_promise_reason(const struct sv_run *run)
{
    static const enum sv_reason reasons[SV_KEEPER_CAUSES] = {
        [SV_KEEPER_DID_NOT] = SV_REASON_NONE,
        [SV_KEEPER_GRACE_PASSED] = SV_REASON_KEEPER_GRACE,
        [SV_KEEPER_DEADLINE_PASSED] = SV_REASON_KEEPER_DEADLINE,
    };
    struct sv_driver *driver = run->unit->driver;
    uint64_t time_ns;
    if (!driver->keeper || run->keeper_key == 0 || !(is_promising(driver) || driver->is_adopting))
        return SV_REASON_NONE;
    return reasons[sv_keeper_ask(driver->keeper, run->keeper_key, &time_ns)];
}
