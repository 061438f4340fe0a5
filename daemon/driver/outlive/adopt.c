/*
 * Adoption: a daemon takes over the programs of the one that died, left, or became this one.
 *
 *     for each process of the journal:  RESTORE the core's memory of it
 *     for each event of the journal:    likewise (backlog.c)
 *     for each process of the journal:  answer what was open
 *
 * What may be open: the main process lives (it is watched again), or has ended meanwhile (EXITED,
 * with its exact status if anybody kept it), or its spawn was asked for and the daemon died in the
 * middle (whoever leads the cgroup of that run is it; nobody there: it is spawned now), or strays
 * were being waited for (they are again, or EMPTIED). All of this is fed before BEGIN, so that the
 * core sees it as events that came while it slept.
 *
 * Nobody is taken for ours by his number alone. The keeper's pidfd cannot be mistaken; without it a
 * pid counts if it stands in the cgroup of that very run, and where there are no cgroups, if it
 * started at the very tick that was written down. Another boot: nothing of it is true any more.
 *
 * A process that the files no longer configure is left alone, with a line in the log.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "driver/deaths/deaths.h"
#include "driver/internal.h"
#include "driver/outlive/outlive.h"
#include "io/proc.h"
#include "wire/journal.h"

/* Of draining the notify socket: a queue holds 512 messages at most where systemd made it that
 * long. */
enum { HEARD_TURNS = 512 / SV_NOTIFY_TURN_MESSAGES_MAX };

/* One process of the journal: its last record, and the texts that it points to. */
struct former {
    struct sv_journal_entry entry;
    struct sv_str texts;
};

static void free_former(struct former *former)
{
    if (!former)
        return;
    sv_str_done(&former->texts);
    free(former);
}

/* --- reading the journal --- */

/* The header must be of this boot. */
static bool read_header(const struct sv_str *bytes, size_t *offset, struct sv_str *texts,
                        struct sv_journal_entry *ret_header)
{
    if (bytes->length == 0 ||
        sv_journal_decode(bytes->data, bytes->length, offset, texts, ret_header) != 0 ||
        ret_header->kind != SV_JOURNAL_HEADER)
        return false;
    struct sv_str boot SV_CLEANUP(sv_str_done) = {0};
    sv_boot_id(&boot);
    return boot.length > 0 && strcmp(sv_str_text(&boot), ret_header->boot_id) == 0;
}

bool sv_adopt_is_foreign(const struct sv_str *bytes, uint32_t *ret_version)
{
    struct sv_str written SV_CLEANUP(sv_str_done) = {0};
    struct sv_str boot SV_CLEANUP(sv_str_done) = {0};
    sv_boot_id(&boot);
    return sv_journal_version(bytes->data, bytes->length, ret_version, &written) &&
           *ret_version != SV_JOURNAL_VERSION &&
           strcmp(sv_str_text(&written), sv_str_text(&boot)) == 0;
}

bool sv_adopt_former_tree(const struct sv_str *bytes, struct sv_str *ret_path)
{
    struct sv_str texts SV_CLEANUP(sv_str_done) = {0};
    struct sv_journal_entry header = {0};
    size_t offset = 0;
    if (!read_header(bytes, &offset, &texts, &header))
        return false;
    sv_str_add(ret_path, header.tree);
    return offset < bytes->length;
}

/* The pid of the daemon that wrote it; 0: it is not known. */
static pid_t read_former_pid(const struct sv_str *bytes)
{
    struct sv_str texts SV_CLEANUP(sv_str_done) = {0};
    struct sv_journal_entry header = {0};
    size_t offset = 0;
    return read_header(bytes, &offset, &texts, &header) ? (pid_t)header.daemon_pid : 0;
}

static void remember(struct sv_map *formers, struct former *former)
{
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&name, "%s:%s", former->entry.group, former->entry.process);
    struct former *old = sv_map_get(formers, sv_str_text(&name));
    if (former->entry.kind == SV_JOURNAL_FORGET) {
        sv_map_remove(formers, sv_str_text(&name));
        free_former(former);
    } else if (!sv_str_ok(&name) || sv_map_put(formers, sv_str_text(&name), former) < 0) {
        free_former(former);
        return;
    }
    free_former(old);
}

static void read_journal(const struct sv_str *bytes, struct sv_map *formers, struct sv_map *pools)
{
    struct sv_str texts SV_CLEANUP(sv_str_done) = {0};
    struct sv_journal_entry header;
    size_t offset = 0;
    if (!read_header(bytes, &offset, &texts, &header))
        return;
    int r = 0;
    unsigned unknown_count = 0;
    while (r != SV_JOURNAL_END) {
        struct former *former = calloc(1, sizeof(*former));
        r = former ? sv_journal_decode(bytes->data, bytes->length, &offset, &former->texts,
                                       &former->entry)
                   : SV_JOURNAL_END;
        bool is_process = r == 0 && former->entry.kind < SV_JOURNAL_EVENT;
        if (r == 0 && !is_process)
            sv_backlog_read(pools, &former->entry);
        if (is_process)
            remember(formers, former);
        else
            free_former(former);
        unknown_count += r == SV_JOURNAL_UNKNOWN;
        if (r < 0)
            break;
    }
    if (unknown_count > 0)
        sv_log_warn("%u records of the journal are passed over: a later svisord has written them",
                    unknown_count);
    if (offset < bytes->length)
        sv_log_info("the last %zu bytes of the journal were torn by the death of the daemon before",
                    bytes->length - offset);
}

/* --- what the kernel recorded meanwhile --- */

struct sv_adopt_records {
    struct sv_bpf_record *items;
    size_t count;
    size_t capacity;
};

uint64_t sv_adopt_cgroup_of(const struct sv_driver *driver, pid_t pid)
{
    const struct sv_adopt_records *records = driver->recalled;
    for (size_t i = records ? records->count : 0; i > 0; i--)
        if (records->items[i - 1].kind == SV_BPF_EXIT && (pid_t)records->items[i - 1].pid == pid)
            return records->items[i - 1].cgroup_id;
    return 0;
}

static void add_record(void *user, const struct sv_bpf_record *record)
{
    struct sv_adopt_records *records = user;
    if (records->count == records->capacity) {
        size_t capacity = records->capacity ? records->capacity * 2 : 64;
        struct sv_bpf_record *items = realloc(records->items, capacity * sizeof(*items));
        if (!items)
            return; /* then it is as if it was never recorded, and the status is asked for elsewhere
                     */
        records->items = items;
        records->capacity = capacity;
    }
    records->items[records->count++] = *record;
}

/* The run learns what happened to it: who signalled it, and how it ended. */
static void recall(const struct sv_adopt_records *records, const struct sv_run *run)
{
    uint64_t cgroup_id = run->leaf ? sv_cgroup_leaf_id(run->leaf) : 0;
    for (size_t i = 0; i < records->count; i++)
        if ((pid_t)records->items[i].pid == run->pid && records->items[i].cgroup_id == cgroup_id)
            sv_facts_record(run->unit->driver, &records->items[i]);
}

/*
 * The main process of a run of which nobody wrote the number down: the first one that was born in
 * its cgroup, else the last one that died there. 0: nobody was.
 */
static pid_t recorded_main(const struct sv_adopt_records *records, uint64_t cgroup_id)
{
    pid_t dead = 0;
    for (size_t i = 0; i < records->count && cgroup_id != 0; i++) {
        if (records->items[i].cgroup_id != cgroup_id)
            continue;
        if (records->items[i].kind == SV_BPF_FORK)
            return (pid_t)records->items[i].pid;
        if (records->items[i].kind == SV_BPF_EXIT)
            dead = (pid_t)records->items[i].pid;
    }
    return dead;
}

/* --- one run --- */

static void feed(struct sv_unit *unit, struct sv_event event)
{
    event.process = unit->id;
    sv_driver_feed(unit->driver, event);
}

static bool is_dead(int pidfd)
{
    struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
    return poll(&poll_fd, 1, 0) > 0;
}

/* Without the keeper's word: is this number still the process that it was? */
static bool is_same_process(const struct sv_run *run, const struct sv_journal_entry *entry,
                            pid_t pid)
{
    if (run->leaf)
        return sv_cgroup_leaf_has(run->leaf, pid);
    return entry->start_ticks != 0 && sv_process_start_ticks(pid) == entry->start_ticks;
}

/*
 * Finds the main process: pid, and pidfd while there is something to open. False: there never was
 * one, the daemon died before it spawned it.
 */
static bool find_main(struct sv_run *run, const struct sv_journal_entry *entry,
                      const struct sv_adopt_records *records, struct sv_kept *kept)
{
    bool is_known = entry->record.main == SV_RECORD_ALIVE;
    run->pid = entry->record.pid;
    run->pidfd = sv_steal_fd(&kept->pidfd);
    if (!is_known && run->leaf) {
        run->pid = sv_cgroup_leaf_leader(run->leaf);
        if (run->pid == 0 && run->pidfd >= 0)
            run->pid = sv_pidfd_pid(run->pidfd);
        if (run->pid == 0)
            run->pid = recorded_main(records, sv_cgroup_leaf_id(run->leaf));
    }
    if (run->pidfd >= 0 || run->pid <= 0)
        return run->pidfd >= 0;
    /* Opened first, then compared: from here on the number cannot change its owner unseen. */
    int pidfd = (int)syscall(SYS_pidfd_open, run->pid, 0);
    int error = pidfd < 0 ? errno : 0;
    bool is_same = error != ESRCH && is_same_process(run, entry, run->pid);
    if (pidfd >= 0 && is_same) {
        run->pidfd = sv_steal_fd(&pidfd);
        struct sv_kept found = SV_KEPT_NONE;
        found.pidfd = run->pidfd;
        sv_handover_keep(run, &found); /* our own death may be the next one */
    }
    run->is_orphan = is_same && error != 0;
    if (run->is_orphan)
        run->start_ticks = sv_process_start_ticks(run->pid);
    if (pidfd >= 0)
        close(pidfd);
    return true;
}

static void reopen_missing_pipes(struct sv_run *run, struct sv_pipes *pipes)
{
    int *ends[] = {&pipes->stdin_fd, &pipes->stdout_fd, &pipes->stderr_fd};
    struct sv_kept found = SV_KEPT_NONE;
    int *found_ends[] = {&found.stdin_fd, &found.stdout_fd, &found.stderr_fd};
    bool is_one_found = false;
    for (int fd = 0; fd < 3; fd++) {
        bool is_wanted = fd == STDERR_FILENO  ? !run->unit->config->redirect_stderr
                         : fd == STDIN_FILENO ? !run->unit->group->fcgi
                                              : true;
        if (*ends[fd] >= 0 || !is_wanted)
            continue;
        (void)sv_pipes_reopen(run->pid, fd, ends[fd]);
        *found_ends[fd] = *ends[fd];
        is_one_found |= *ends[fd] >= 0;
    }
    if (is_one_found)
        sv_handover_keep(run, &found);
}

/* The listening socket of the group, out of the process that lives on with it: the keeper does not
 * hold it, because a socket that should be closed would then stay bound for a moment longer. */
static void adopt_socket(struct sv_run *run)
{
    int fd = (int)syscall(SYS_pidfd_getfd, run->pidfd, STDIN_FILENO, 0);
    run->has_socket = fd >= 0;
    if (fd >= 0)
        sv_fcgi_listener_adopt(run->unit->group->fcgi, fd);
    else
        sv_log_error("%s: the socket of its group cannot be taken over: %s",
                     run->unit->config->name, sv_errno_text(errno));
}

static void adopt_pipes(struct sv_run *run, struct sv_kept *kept, bool is_alive)
{
    struct sv_unit *unit = run->unit;
    struct sv_pipes pipes = SV_PIPES_NONE;
    if (unit->group->fcgi && is_alive)
        adopt_socket(run);
    pipes.stdin_fd = sv_steal_fd(&kept->stdin_fd);
    pipes.stdout_fd = sv_steal_fd(&kept->stdout_fd);
    pipes.stderr_fd = sv_steal_fd(&kept->stderr_fd);
    if (is_alive)
        reopen_missing_pipes(run, &pipes);
    if (sv_run_open_streams(run, &pipes) < 0 || !sv_checks_begin(run))
        sv_log_error("%s: its output cannot be read any more", unit->config->name);
    sv_pipes_close(&pipes);
}

static void adopt_leaf(struct sv_run *run, const struct sv_journal_entry *entry)
{
    struct sv_driver *driver = run->unit->driver;
    if (driver->tree && entry->leaf[0])
        (void)sv_cgroup_leaf_adopt(driver->tree, entry->leaf, &run->leaf);
}

/* Nobody was spawned: it is done as it was asked for, in its turn. */
static void spawn_later(const struct sv_unit *unit, uint32_t run_number)
{
    struct sv_action *action = sv_actions_add(&unit->driver->actions, SV_ACTION_SPAWN);
    action->process = unit->id;
    action->run = run_number;
}

/* The main process was alive, or on its way. */
static void adopt_main(struct sv_unit *unit, const struct sv_journal_entry *entry,
                       const struct sv_adopt_records *records)
{
    struct sv_driver *driver = unit->driver;
    struct sv_run *run = sv_run_new(unit, entry->record.run);
    if (!run)
        return;
    struct sv_kept kept = SV_KEPT_NONE;
    run->started_ns = entry->record.started_ns;
    run->started_wall_ns = entry->record.started_wall_ns;
    run->deeds = entry->deeds;
    run->is_adopted = true;
    if (entry->status[0])
        unit->status_text = strdup(entry->status);
    adopt_leaf(run, entry);
    if (driver->keeper && entry->keeper_key &&
        sv_keeper_get(driver->keeper, entry->keeper_key, &kept) == 0)
        run->keeper_key = entry->keeper_key;
    if (!find_main(run, entry, records, &kept)) {
        adopt_pipes(run, &kept, false);
        sv_run_free(run);
        spawn_later(unit, entry->record.run);
        return;
    }
    bool is_alive = run->pidfd >= 0 ? !is_dead(run->pidfd) : run->is_orphan;
    if (sv_health_wants_notify(unit->config->health) && sv_driver_open_notify(driver) < 0)
        sv_log_error("%s: what it says to sd_notify is not heard any more", unit->config->name);
    adopt_pipes(run, &kept, is_alive);
    unit->run = run;
    sv_log_info("adopted: '%s' with pid %d", unit->config->name, (int)run->pid);
    if (entry->record.main == SV_RECORD_SPAWNING)
        feed(unit,
             (struct sv_event){.kind = SV_EVENT_SPAWNED, .run = run->number, .pid = run->pid});
    if (sv_run_watch_exit(run) < 0)
        sv_log_critical("%s (pid %d): its end cannot be watched", unit->config->name,
                        (int)run->pid);
    recall(records, run);
    if (is_alive) {
        sv_unit_limits_adopt(unit, run, entry);
        if (unit->parser)
            sv_listener_adopt(unit, entry);
    } else {
        sv_network_watch(run);
        sv_run_check_exit(run);
    }
}

/* The main process was gone, and what it left behind was waited for. */
static void adopt_strays(struct sv_unit *unit, const struct sv_journal_entry *entry)
{
    struct sv_run *run = sv_run_new(unit, entry->record.run);
    if (!run)
        return;
    run->deeds = entry->deeds;
    adopt_leaf(run, entry);
    if (!sv_run_linger_for_strays(run))
        feed(unit, (struct sv_event){.kind = SV_EVENT_EMPTIED, .run = entry->record.run});
}

/* Why the main process has to go; NONE: it has not. */
static enum sv_reason reason_to_go(const struct sv_process_record *record)
{
    return record->state == SV_PROCESS_STOPPING ? record->stop_reason : record->end_reason;
}

static bool is_stop_noted(const struct sv_journal_entry *entry)
{
    return entry->deeds.stop_signal != 0 && entry->deeds.reason == reason_to_go(&entry->record);
}

/*
 * The stop signal was asked for, and the daemon died before it had written down that it was sent:
 * if the kernel saw it, it was. Without eBPF it is sent twice, in some microseconds of a life.
 */
static void recall_deeds(const struct sv_unit *unit, const struct sv_adopt_records *records,
                         struct sv_journal_entry *entry)
{
    enum sv_reason reason = reason_to_go(&entry->record);
    int stop_signal = reason == SV_REASON_WATCHDOG_EXPIRED ? SIGABRT : unit->config->stopsignal;
    if (entry->record.main != SV_RECORD_ALIVE || reason == SV_REASON_NONE || is_stop_noted(entry))
        return;
    for (size_t i = 0; i < records->count; i++) {
        const struct sv_bpf_record *record = &records->items[i];
        if (record->kind == SV_BPF_SIGNAL && (pid_t)record->pid == entry->record.pid &&
            (pid_t)record->signal.sender_pid == unit->driver->former_pid &&
            (int)record->signal.number == stop_signal)
            entry->deeds = (struct sv_deeds){
                .stop_signal = stop_signal, .reason = reason, .time_ns = sv_now_ns()};
    }
}

static void restore(struct sv_unit *unit, const struct sv_journal_entry *entry)
{
    struct sv_process_record record = entry->record;
    record.is_stop_sent = is_stop_noted(entry);
    record.are_strays_signalled = entry->deeds.are_strays_signalled;
    feed(unit, (struct sv_event){.kind = SV_EVENT_RESTORE, .record = &record});
}

static void remind(struct sv_driver *driver, struct sv_journal_entry *entry,
                   const struct sv_adopt_records *records)
{
    struct sv_unit *unit = sv_unit_named(driver, entry->group, entry->process);
    if (!unit) {
        sv_log_warn("%s:%s (pid %d) is configured no more; it is left alone", entry->group,
                    entry->process, (int)entry->record.pid);
        return;
    }
    for (int c = 0; c < 2; c++)
        if (unit->sinks[c] && sv_sink_continue(unit->sinks[c], entry->logs[c]) < 0)
            sv_log_error("%s: out of memory for the name of its log", unit->config->name);
    recall_deeds(unit, records, entry);
    restore(unit, entry);
}

static void adopt(struct sv_driver *driver, const struct sv_journal_entry *entry,
                  const struct sv_adopt_records *records)
{
    struct sv_unit *unit = sv_unit_named(driver, entry->group, entry->process);
    if (!unit)
        return;
    if (entry->record.main == SV_RECORD_ALIVE || entry->record.main == SV_RECORD_SPAWNING)
        adopt_main(unit, entry, records);
    else if (entry->record.strays != SV_RECORD_STRAYS_NONE)
        adopt_strays(unit, entry);
}

/* Before BEGIN: a program that said READY=1 in time was in time. */
static void hear_what_was_said(struct sv_driver *driver, const struct sv_adopt_records *records)
{
    driver->recalled = records;
    for (int i = 0; driver->notify_socket && i < HEARD_TURNS; i++)
        sv_notify_socket_drain(driver->notify_socket);
    driver->recalled = NULL;
}

void sv_adopt_all(struct sv_driver *driver, const struct sv_str *bytes)
{
    struct sv_map formers = {0};
    struct sv_adopt_records records = {0};
    struct sv_map pools = {0};
    read_journal(bytes, &formers, &pools);
    driver->former_pid = read_former_pid(bytes);
    if (driver->keeper)
        sv_kernel_recall(driver->keeper, add_record, &records);
    bool was_performing = driver->is_performing;
    driver->is_performing = true; /* what follows from it waits until all of it is known */
    sv_map_foreach (item, &formers)
        remind(driver, &((struct former *)item->value)->entry, &records);
    sv_backlog_restore(driver, &pools); /* before an answer to one of them is read */
    sv_backlog_done(&pools);
    sv_map_foreach (item, &formers) {
        struct former *former = item->value;
        adopt(driver, &former->entry, &records);
        free_former(former);
    }
    hear_what_was_said(driver, &records);
    driver->is_performing = was_performing;
    sv_map_done(&formers);
    free(records.items);
}
