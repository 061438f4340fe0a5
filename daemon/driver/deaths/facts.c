/*
 * What eBPF reports of our processes, kept with the run that it is about: who signalled it, that it
 * was chosen by the OOM killer, its wait status before anybody could wait, how much it forked.
 * certificate.c makes sense of it when the run has ended.
 *
 * A record that was lost may have been any. No state hangs on one: the pidfd says who is dead, and
 * cgroup.events what is empty. But that is the kernel's word twice, so after a loss every run is
 * looked at again, and the log says what the certificates may lack.
 */
#include "driver/deaths/deaths.h"
#include "driver/internal.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static struct sv_run *run_of_pid(struct sv_driver *driver, const struct sv_bpf_record *record)
{
    return sv_idmap_get(&driver->runs_by_pid, record->pid);
}

/* While adopting, the records are those of the daemon before. */
static bool is_svisord(const struct sv_driver *driver, pid_t pid)
{
    return pid == getpid() || (driver->is_adopting && pid == driver->former_pid);
}

/* What it forked, not that it was forked by us, which is seen or not by how it came into its
 * cgroup. */
static void on_fork(struct sv_driver *driver, const struct sv_bpf_record *record)
{
    struct sv_run *run = sv_idmap_get(&driver->runs_by_cgroup, record->cgroup_id);
    if (run && !is_svisord(driver, (pid_t)record->fork.parent_pid))
        run->facts.fork_count++;
}

static void on_exit_record(struct sv_driver *driver, const struct sv_bpf_record *record)
{
    struct sv_run *run = run_of_pid(driver, record);
    if (!run)
        return;
    run->facts.has_exit = true;
    run->facts.exit_status = (int)record->exit.wait_status;
    run->facts.exit_time_ns = record->time_ns;
}

/* The row of this signal, a free one, or the oldest. */
static struct sv_sender *row_for(struct sv_facts *facts, int number)
{
    struct sv_sender *chosen = &facts->senders[0];
    for (size_t i = 0; i < SV_DEATH_SIGNALS_MAX; i++) {
        struct sv_sender *row = &facts->senders[i];
        if (row->number == number)
            return row;
        if (row->time_ns < chosen->time_ns)
            chosen = row;
    }
    return chosen;
}

/* A handler may have caught the first SIGTERM, so the last one counts. Nothing survives the first
 * SIGKILL: whoever sends another comes too late. */
static void on_signal_record(struct sv_driver *driver, const struct sv_bpf_record *record)
{
    struct sv_run *run = run_of_pid(driver, record);
    bool is_main = run != NULL;
    if (!run)
        run = sv_idmap_get(&driver->runs_by_cgroup, record->cgroup_id);
    if (!run)
        return;
    int number = (int)record->signal.number;
    struct sv_sender *row = is_main ? row_for(&run->facts, number) : &run->facts.other;
    if (is_main && number == SIGKILL && row->number == SIGKILL)
        return;
    const struct sv_run *home =
        sv_idmap_get(&driver->runs_by_cgroup, record->signal.sender_cgroup_id);
    *row = (struct sv_sender){.number = number,
                              .code = record->signal.code,
                              .pid = (int32_t)record->signal.sender_pid,
                              .target = (int32_t)record->pid,
                              .is_ours = is_svisord(driver, (pid_t)record->signal.sender_pid),
                              .uid = record->signal.sender_uid,
                              .cgroup_id = record->signal.sender_cgroup_id,
                              .home = home ? home->unit->id : 0,
                              .time_ns = record->time_ns};
    memcpy(row->comm, record->sender_comm, sizeof(row->comm) - 1);
}

void sv_run_oom_kill(void *user)
{
    struct sv_run *run = user;
    sv_driver_feed(run->unit->driver,
                   (struct sv_event){.kind = SV_EVENT_OOM_KILL,
                                     .process = run->unit->id,
                                     .run = run->number,
                                     .oom_policy = sv_limits_oom_policy(run->unit->limits)});
}

static void on_oom_record(struct sv_driver *driver, const struct sv_bpf_record *record)
{
    struct sv_run *run = run_of_pid(driver, record);
    if (!run)
        run = sv_idmap_get(&driver->runs_by_cgroup, record->cgroup_id);
    if (!run || run->facts.oom_pid == run->pid)
        return;
    run->facts.oom_pid = (int32_t)record->pid;
    memcpy(run->facts.oom_comm, record->comm, sizeof(run->facts.oom_comm) - 1);
    sv_resources_oom_kill(run, run->facts.oom_pid);
    if (run->facts.oom_pid != run->pid) /* that one's end says the rest */
        sv_run_oom_kill(run);
}

typedef void (*record_function)(struct sv_driver *driver, const struct sv_bpf_record *record);

static const record_function handlers[SV_BPF_KIND_COUNT] = {
    [SV_BPF_FORK] = on_fork,
    [SV_BPF_EXIT] = on_exit_record,
    [SV_BPF_SIGNAL] = on_signal_record,
    [SV_BPF_OOM] = on_oom_record,
    [SV_BPF_FORK_RATE] = sv_resources_fork_rate,
};

void sv_facts_record(void *user, const struct sv_bpf_record *record)
{
    if (record->kind < SV_BPF_KIND_COUNT && handlers[record->kind])
        handlers[record->kind](user, record);
}

/* What is told is told again only when it has doubled: a storm is not also one of the log. */
void sv_facts_lost(void *user)
{
    struct sv_driver *driver = user;
    sv_source_arm(driver->rescan, sv_now_ns() + SV_RESCAN_PAUSE_NS);
    uint64_t sum = 0;
    struct sv_str kinds SV_CLEANUP(sv_str_done) = {0};
    for (unsigned kind = 0; kind < SV_BPF_KIND_COUNT; kind++) {
        uint64_t count = sv_kernel_lost(driver->kernel, kind);
        if (count > 0)
            sv_str_addf(&kinds, "%s%s %llu", sum > 0 ? ", " : "", sv_kernel_kind_word(kind),
                        (unsigned long long)count);
        sum += count;
    }
    if (sum < driver->lost_told * 2)
        return;
    driver->lost_told = sum;
    sv_log_warn("eBPF records lost since the start: %s; every process is looked at again, but a "
                "certificate may lack its sender",
                sv_str_text(&kinds));
}
