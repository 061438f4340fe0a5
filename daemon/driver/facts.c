/*
 * What eBPF reports of our processes, kept with the run that it is about: who signalled it, that it
 * was chosen by the OOM killer, its wait status before anybody could wait, how much it forked.
 */
#include "driver/internal.h"

#include <signal.h>
#include <string.h>

static bool ends_processes(uint32_t number)
{
    return number != SIGCHLD && number != SIGCONT && number != SIGURG && number != SIGWINCH;
}

static struct sv_run *run_of_pid(struct sv_driver *driver, const struct sv_bpf_record *record)
{
    return sv_idmap_get(&driver->runs_by_pid, record->pid);
}

static void on_fork(struct sv_driver *driver, const struct sv_bpf_record *record)
{
    struct sv_run *run = sv_idmap_get(&driver->runs_by_cgroup, record->cgroup_id);
    if (run)
        run->fork_count++;
}

static void on_exit_record(struct sv_driver *driver, const struct sv_bpf_record *record)
{
    struct sv_run *run = run_of_pid(driver, record);
    if (!run)
        return;
    run->has_kernel_status = true;
    run->kernel_status = (int)record->exit.wait_status;
}

static void on_signal_record(struct sv_driver *driver, const struct sv_bpf_record *record)
{
    struct sv_run *run = run_of_pid(driver, record);
    if (!run || !ends_processes(record->signal.number))
        return;
    run->sender = (struct sv_sender){.number = (int)record->signal.number,
                                     .pid = (int32_t)record->signal.sender_pid,
                                     .uid = record->signal.sender_uid};
    memcpy(run->sender.comm, record->sender_comm, sizeof(run->sender.comm));
    run->sender.comm[sizeof(run->sender.comm) - 1] = '\0';
}

static void on_oom_record(struct sv_driver *driver, const struct sv_bpf_record *record)
{
    struct sv_run *run = run_of_pid(driver, record);
    if (run)
        run->was_oom_victim = true;
}

typedef void (*record_function)(struct sv_driver *driver, const struct sv_bpf_record *record);

static const record_function handlers[SV_BPF_KIND_COUNT] = {
    [SV_BPF_FORK] = on_fork,
    [SV_BPF_EXIT] = on_exit_record,
    [SV_BPF_SIGNAL] = on_signal_record,
    [SV_BPF_OOM] = on_oom_record,
};

void sv_facts_record(void *user, const struct sv_bpf_record *record)
{
    if (record->kind < SV_BPF_KIND_COUNT && handlers[record->kind])
        handlers[record->kind](user, record);
}
