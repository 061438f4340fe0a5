/*
 * A run: one life of one process, from its spawn until nothing is left of it.
 *
 *     spawned -> over (main process reaped) -> empty (cgroup) and silent (pipes) -> freed
 *
 * The main process is dead when its pidfd says so and waitid() has its status; the EXIT record of
 * eBPF, which comes first, says only that it is dying and why (its sockets and memory are still
 * there: docs/kernel.md). The record is kept to cross-check the status, and to stand in for it
 * should somebody else have reaped the process.
 *
 * A run of which strays are left, or whose pipes somebody still holds, lingers: its output goes on
 * to the log files, its cgroup is watched. Invariants: unit->run is the run that the core calls the
 * current one and is not over; a run that is over is in driver->lingering, or freed.
 */
#include "driver/deaths/deaths.h"
#include "driver/internal.h"
#include "driver/outlive/outlive.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/wait_status.h"
#include "io/cgroup_usage.h"
#include "io/proc.h"

struct sv_run *sv_run_new(struct sv_unit *unit, uint32_t number)
{
    struct sv_run *run = calloc(1, sizeof(*run));
    if (!run)
        return NULL;
    run->unit = unit;
    run->number = number;
    run->pidfd = -1;
    run->started_ns = sv_now_ns();
    run->started_wall_ns = sv_wall_ns();
    for (int c = 0; c < 2; c++)
        run->sink_start_bytes[c] = unit->sinks[c] ? sv_sink_taken_bytes(unit->sinks[c]) : 0;
    return run;
}

static void forget_ids(struct sv_run *run)
{
    struct sv_driver *driver = run->unit->driver;
    if (run->pid > 0 && sv_idmap_get(&driver->runs_by_pid, (uint64_t)run->pid) == run)
        sv_idmap_remove(&driver->runs_by_pid, (uint64_t)run->pid);
    if (run->leaf && sv_idmap_get(&driver->runs_by_cgroup, sv_cgroup_leaf_id(run->leaf)) == run)
        sv_idmap_remove(&driver->runs_by_cgroup, sv_cgroup_leaf_id(run->leaf));
}

void sv_run_free(struct sv_run *run)
{
    if (!run)
        return;
    forget_ids(run);
    sv_checks_end(run);
    sv_source_free(run->exit_source);
    sv_source_free(run->empty_source);
    sv_resources_leave_run(run);
    sv_network_leave_run(run);
    if (run->pidfd >= 0)
        close(run->pidfd);
    for (int i = 0; i < 2; i++)
        sv_output_free(run->outputs[i]);
    sv_input_free(run->input);
    sv_cgroup_leaf_free(run->leaf);
    if (run->keeper_key && !run->unit->driver->is_leaving)
        sv_keeper_drop(run->unit->driver->keeper, run->keeper_key);
    free(run);
}

static bool has_something_left(const struct sv_run *run)
{
    return run->empty_source || run->open_outputs > 0;
}

/* Not done where the last thing of a run goes: that is often inside a callback of that very thing.
 */
void sv_runs_sweep(void *user)
{
    struct sv_driver *driver = user;
    if (driver->performed_count < driver->actions.count) {
        /* The keeper gives a run up when it is freed: not before its end is told and written down.
         */
        sv_source_enable(driver->sweep, true);
        return;
    }
    sv_deaths_settle(driver);
    for (struct sv_run **link = &driver->lingering; *link;) {
        struct sv_run *run = *link;
        if (has_something_left(run)) {
            link = &run->next;
        } else {
            *link = run->next;
            sv_run_free(run);
        }
    }
    sv_runs_tidy(driver);
}

void sv_runs_tidy(void *user)
{
    struct sv_driver *driver = user;
    if (driver->tree && sv_cgroup_tree_sweep(driver->tree) > 0)
        sv_source_arm(driver->tidy_timer, sv_now_ns() + SV_TIDY_AGAIN_NS);
}

void sv_runs_forget(struct sv_unit *unit)
{
    for (struct sv_run **link = &unit->driver->lingering; *link;) {
        struct sv_run *run = *link;
        if (run->unit != unit) {
            link = &run->next;
        } else {
            *link = run->next;
            sv_run_free(run);
        }
    }
}

static void linger(struct sv_run *run)
{
    struct sv_driver *driver = run->unit->driver;
    run->next = driver->lingering;
    driver->lingering = run;
    sv_source_enable(driver->coroner, true);
    if (!has_something_left(run))
        sv_source_enable(driver->sweep, true);
}

/* cgroup.events changed: tells the core when the last stray is gone. */
static void on_populated(void *user, int fd, uint32_t events)
{
    (void)fd;
    (void)events;
    struct sv_run *run = user;
    if (sv_cgroup_leaf_populated(run->leaf) > 0)
        return;
    struct sv_driver *driver = run->unit->driver;
    struct sv_event event = {
        .kind = SV_EVENT_EMPTIED, .process = run->unit->id, .run = run->number};
    sv_source_free(sv_steal(&run->empty_source));
    sv_deaths_strays_gone(run);
    if (!has_something_left(run))
        sv_source_enable(driver->sweep, true);
    sv_driver_feed(driver, event);
}

void sv_runs_rescan(void *user)
{
    struct sv_driver *driver = user;
    for (size_t i = 0; i < driver->units.slot_count; i++) {
        struct sv_unit *unit = driver->units.slots[i].value;
        if (unit && unit->run && unit->run->exit_source)
            sv_run_check_exit(unit->run);
    }
    for (struct sv_run *run = driver->lingering; run; run = run->next)
        if (run->empty_source)
            on_populated(run, -1, 0);
}

/* True when strays are left, and then watches for their end. */
static bool watch_strays(struct sv_run *run)
{
    if (!run->leaf)
        return false;
    /* The descriptor is opened before the first look, so that no change between the two is missed.
     */
    int fd = sv_cgroup_leaf_watch_fd(run->leaf);
    if (fd < 0 || sv_cgroup_leaf_populated(run->leaf) <= 0)
        return false;
    int r = sv_loop_add_io(run->unit->driver->loop, fd, EPOLLPRI, SV_PRIORITY_EXIT, on_populated,
                           run, &run->empty_source);
    if (r < 0)
        sv_log_error("%s: the processes left in its cgroup cannot be watched: %s",
                     run->unit->config->name, sv_errno_text(r));
    return r >= 0;
}

bool sv_run_linger_for_strays(struct sv_run *run)
{
    run->is_over = true;
    bool has_strays = watch_strays(run);
    linger(run);
    return has_strays;
}

/* The status is known and the process is reaped: reported exactly once. */
void sv_run_end(struct sv_run *run, int wait_status, bool is_unknown)
{
    struct sv_unit *unit = run->unit;
    if (run->keeper_reason == SV_REASON_NONE &&
        (is_unknown || sv_wait_signal(wait_status) == SIGKILL))
        run->keeper_reason = sv_promise_reason(run);
    if (run->keeper_reason != SV_REASON_NONE && is_unknown) { /* its word is enough */
        wait_status = SIGKILL;
        is_unknown = false;
        run->has_status = true;
    }
    for (int i = 0; i < 2; i++)
        if (run->outputs[i])
            sv_output_drain(run->outputs[i]);
    run->is_over = true;
    sv_checks_end(run);
    sv_source_free(sv_steal(&run->exit_source));
    sv_input_free(sv_steal(&run->input));
    if (run->meters)
        sv_meters_read(run->meters); /* told before the end is */
    if (run->pidfd >= 0)
        close(run->pidfd);
    run->pidfd = -1;
    run->ended_ns = sv_now_ns();
    run->ended_wall_ns = sv_wall_ns();
    run->wait_status = unit->last_wait_status = wait_status;
    bool has_strays = watch_strays(run);
    if (has_strays)
        run->stray_count = sv_cgroup_leaf_count(run->leaf, SV_DEATH_STRAYS_MAX);
    struct sv_driver *driver = unit->driver;
    struct sv_event event = {.kind = SV_EVENT_EXITED,
                             .process = unit->id,
                             .run = run->number,
                             .exited = {.wait_status = wait_status,
                                        .has_strays = has_strays,
                                        .is_unknown = is_unknown,
                                        .keeper_reason = run->keeper_reason}};
    if (unit->run == run)
        unit->run = NULL;
    if (run->has_socket)
        sv_fcgi_listener_release(unit->group->fcgi);
    linger(run);
    sv_driver_feed(driver, event);
}

/* 1: `ret_status` is the status and the process is reaped; 0: it lives; negative errno. The bare
 * system call, because it gives the resource usage as well, which the library's does not. */
static int reap(struct sv_run *run, int *ret_status)
{
    siginfo_t info = {0};
    bool has_pidfd = run->pidfd >= 0;
    long r = syscall(SYS_waitid, has_pidfd ? P_PIDFD : P_PID, has_pidfd ? run->pidfd : run->pid,
                     &info, WEXITED | WNOHANG, &run->usage);
    if (r < 0)
        return -errno;
    if (info.si_pid == 0)
        return 0;
    if (info.si_code == CLD_EXITED)
        *ret_status = (info.si_status & 0xff) << 8;
    else
        *ret_status = (info.si_status & 0x7f) | (info.si_code == CLD_DUMPED ? 0x80 : 0);
    return 1;
}

/*
 * It is dead, and its status is not ours to wait for: an earlier daemon was its parent, or somebody
 * took it. Who knows it, in this order: the EXIT record; the pidfd, once the parent it has now has
 * reaped it (PID 1 does at once; we give it some milliseconds); nobody.
 */
enum { FOREIGN_REAP_MS = 50 };

/* Asked for after the status was read: a number that is still ours now was ours then. */
static bool owns_number(const struct sv_run *run)
{
    if (run->pidfd >= 0)
        return sv_pidfd_pid(run->pidfd) == run->pid;
    return run->start_ticks == 0 || sv_process_start_ticks(run->pid) == run->start_ticks;
}

static void end_foreign(struct sv_run *run)
{
    int wait_status = run->facts.exit_status;
    bool is_known = run->facts.has_exit;
    if (!is_known && run->pid > 0)
        is_known = sv_zombie_wait_status(run->pid, &wait_status) > 0 && owns_number(run);
    if (!is_known && run->pidfd >= 0)
        is_known = sv_pidfd_await_status(run->pidfd, FOREIGN_REAP_MS, &wait_status) > 0;
    if (!is_known)
        sv_log_warn(
            "%s (pid %d): has ended, and its exit status is unknown: it was not our child, and "
            "this kernel does not tell (svctl kernel)",
            run->unit->config->name, (int)run->pid);
    run->has_status = is_known;
    sv_run_end(run, is_known ? wait_status : 0, !is_known);
}

void sv_run_check_exit(struct sv_run *run)
{
    if (run->is_over)
        return;
    struct sv_driver *driver = run->unit->driver;
    sv_kernel_drain(driver->kernel);
    int wait_status = 0;
    int r = reap(run, &wait_status);
    if (r == 0)
        return;
    if (r < 0 && run->is_orphan && sv_run_orphan_lives(run))
        return;
    const struct sv_facts *facts = &run->facts;
    run->has_status = r > 0 || facts->has_exit;
    if (r < 0) {
        end_foreign(run);
        return;
    }
    if (facts->has_exit && facts->exit_status != wait_status)
        sv_log_error("%s (pid %d): waitid() says status 0x%04x, the kernel's exit record 0x%04x",
                     run->unit->config->name, (int)run->pid, (unsigned)wait_status,
                     (unsigned)facts->exit_status);
    sv_run_end(run, wait_status, false);
}

/*
 * A program of an earlier daemon on a kernel without pidfds (before 5.3, or a sandbox that refuses
 * them): nothing tells of its end, so it is looked at every second, and before it is signalled.
 */
enum { ORPHAN_PERIOD_NS = 1000000000, ORPHAN_ACCURACY_NS = 100000000 };

bool sv_run_orphan_lives(const struct sv_run *run)
{
    int wait_status;
    return sv_process_start_ticks(run->pid) == run->start_ticks &&
           sv_zombie_wait_status(run->pid, &wait_status) <= 0;
}

static void look_at_orphans(void *user)
{
    struct sv_driver *driver = user;
    bool is_one_left = false;
    for (size_t i = 0; i < driver->units.slot_count; i++) {
        const struct sv_unit *unit = driver->units.slots[i].value;
        if (unit && unit->run && unit->run->is_orphan)
            sv_run_check_exit(unit->run);
        is_one_left |= unit && unit->run && unit->run->is_orphan;
    }
    if (is_one_left)
        sv_source_arm(driver->orphan_timer, sv_now_ns() + ORPHAN_PERIOD_NS);
}

static int watch_orphan(struct sv_driver *driver)
{
    int r = 0;
    if (!driver->orphan_timer)
        r = sv_loop_add_timer(driver->loop, ORPHAN_ACCURACY_NS, look_at_orphans, driver,
                              &driver->orphan_timer);
    return r < 0 ? r : sv_source_arm(driver->orphan_timer, sv_now_ns() + ORPHAN_PERIOD_NS);
}

static void on_pidfd(void *user, int fd, uint32_t events)
{
    (void)fd;
    (void)events;
    sv_run_check_exit(user);
}

int sv_run_watch_exit(struct sv_run *run)
{
    struct sv_driver *driver = run->unit->driver;
    /* The number of an adopted run that is dead may be known to nobody any more; its pidfd is
     * enough. */
    int r = run->pid > 0 ? sv_idmap_put(&driver->runs_by_pid, (uint64_t)run->pid, run) : 0;
    if (r < 0)
        return error_trace(r);
    if (run->leaf) {
        r = sv_idmap_put(&driver->runs_by_cgroup, sv_cgroup_leaf_id(run->leaf), run);
        if (r < 0)
            return error_trace(r);
    }
    if (run->pidfd < 0 && run->is_orphan) {
        r = watch_orphan(driver);
        if (r < 0)
            return error_trace(r);
    }
    if (run->pidfd < 0) /* after a reexec it is our child all the same */
        return sv_signals_watch_children(driver);
    return sv_loop_add_io(driver->loop, run->pidfd, EPOLLIN, SV_PRIORITY_EXIT, on_pidfd, run,
                          &run->exit_source);
}

/*
 * Every child that has ended: ours (where there is no pidfd), and orphans that were reparented to
 * us as PID 1 or subreaper. WNOWAIT looks first, so that a status of ours is taken by
 * sv_run_check_exit() alone.
 */
void sv_runs_reap(struct sv_driver *driver)
{
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
            return;
        struct sv_run *run = sv_idmap_get(&driver->runs_by_pid, (uint64_t)info.si_pid);
        if (run && !run->is_over) {
            sv_run_check_exit(run);
            continue;
        }
        if (sv_child_probes_reap(driver->child_probes, info.si_pid))
            continue;
        int wait_status = 0;
        if (waitpid(info.si_pid, &wait_status, WNOHANG) != info.si_pid)
            return;
        struct sv_str text SV_CLEANUP(sv_str_done) = {0};
        sv_wait_describe(wait_status, &text);
        sv_log_info("reaped unknown pid %d (%s)", (int)info.si_pid, sv_str_text(&text));
    }
}

void sv_run_output_closed(struct sv_run *run)
{
    run->open_outputs--;
    if (run->is_over && !has_something_left(run))
        sv_source_enable(run->unit->driver->sweep, true);
}
