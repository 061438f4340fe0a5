/*
 * The verdict: from what eBPF has seen, what waitid() has said, what svisord has done and what the
 * files of the cgroup tell, who or what ended a run.
 *
 * A signal has a sender only where a process has sent it. The kernel makes signals of its own, and
 * who happened to be running then is no sender:
 *
 *     si_code > 0          a fault (SEGV_MAPERR …) or SI_KERNEL: alarm(), RLIMIT_CPU, a terminal
 *     SI_TIMER and below   timers, queues, descriptors: what the program has set up itself
 *     no siginfo           SIGPIPE and SIGXFSZ, "sent" by the victim; but also cgroup.kill and
 *                          PR_SET_PDEATHSIG, where the sender is the one who wrote, or died
 *     SI_USER, SI_TKILL …  kill() and its sisters: the sender is the sender
 *
 * The record that counts is the one of the signal in the wait status; that a program was sent
 * SIGTERM and crashed while it handled it is a crash. Without eBPF the same certificate is made,
 * and its field `unknown` says what could not be told and why.
 */
#include "driver/deaths/deaths.h"
#include "driver/internal.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/names.h"
#include "base/wait_status.h"
#include "io/account.h"
#include "io/cgroup_usage.h"
#include "io/why_exec.h"

enum { NS_PER_MS = 1000000, US_PER_SECOND = 1000000, KILOBYTE = 1024 };

/* A request to end that is older than this has nothing to do with an exit. */
#define REQUEST_NS (UINT64_C(60) * 1000000000)

static void set_text(struct sv_death *death, enum sv_death_text text, const char *value)
{
    sv_death_set_text(death, text, value, strlen(value));
}

static void set_known(struct sv_death *death, enum sv_death_number number, int64_t value)
{
    if (value >= 0)
        sv_death_set(death, number, value);
}

/* ---- Who sent it ---- */

static const struct sv_sender *sender_of(const struct sv_run *run, int number)
{
    for (size_t i = 0; i < SV_DEATH_SIGNALS_MAX; i++)
        if (run->facts.senders[i].number == number)
            return &run->facts.senders[i];
    return NULL;
}

static bool is_in(int number, const int *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == number)
            return true;
    return false;
}

static bool is_fault(int number)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
    return is_in(number, faults, SV_ARRAY_LENGTH(faults));
}

/* Programs end by these in an orderly way, with an exit code. */
static bool is_request(int number)
{
    static const int requests[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP};
    return is_in(number, requests, SV_ARRAY_LENGTH(requests));
}

static bool is_of_kernel(const struct sv_sender *sender, const struct sv_run *run)
{
    if (sender->code == SV_BPF_CODE_NO_INFO)
        return sender->pid == run->pid;
    return sender->code > 0 ||
           (sender->code < 0 && sender->code != SI_TKILL && sender->code != SI_QUEUE);
}

/* The last word of the path that is the name of a unit: "/system.slice/ssh.service" -> ssh.service
 */
static void set_unit(struct sv_death *death, const char *path)
{
    static const char *const endings[] = {".service", ".scope", ".socket", ".mount"};
    for (const char *at = path; *at;) {
        at += *at == '/';
        size_t length = strcspn(at, "/");
        for (size_t i = 0; i < SV_ARRAY_LENGTH(endings); i++) {
            size_t ending = strlen(endings[i]);
            if (length > ending && memcmp(at + length - ending, endings[i], ending) == 0)
                sv_death_set_text(death, SV_DEATH_TEXT_sender_unit, at, length);
        }
        at += length;
    }
}

static bool begins_with_path(const char *path, const char *directory)
{
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Where the sender lives: its cgroup, the unit, the program of ours. */
static void set_home(const struct sv_run *run, const struct sv_sender *sender,
                     struct sv_death *death)
{
    struct sv_driver *driver = run->unit->driver;
    const struct sv_unit *home = sender->home ? sv_driver_unit(driver, sender->home) : NULL;
    const struct sv_run *there = sv_idmap_get(&driver->runs_by_cgroup, sender->cgroup_id);
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    if (home) {
        sv_str_addf(&text, "%s:%s", home->group->config->name, home->config->name);
        set_text(death, SV_DEATH_TEXT_sender_program, sv_str_text(&text));
        sv_str_clear(&text);
    }
    if (there)
        sv_cgroup_leaf_kernel_path(there->leaf, &text);
    else if (driver
                 ->tree) /* unless it is gone already, as with a `kill` that was a program itself */
        (void)sv_cgroup_tree_path_of(driver->tree, sender->cgroup_id, &text);
    set_text(death, SV_DEATH_TEXT_sender_cgroup, sv_str_text(&text));
    set_unit(death, sv_str_text(&text));
}

static void set_sender(const struct sv_run *run, const struct sv_sender *sender,
                       struct sv_death *death)
{
    struct sv_str user SV_CLEANUP(sv_str_done) = {0};
    sv_death_set(death, SV_DEATH_sender_signal, sender->number);
    sv_death_set(death, SV_DEATH_sender_code, sender->code);
    sv_death_set(death, SV_DEATH_sender_pid, sender->pid);
    sv_death_set(death, SV_DEATH_sender_uid, sender->uid);
    if (sender->target != run->pid)
        sv_death_set(death, SV_DEATH_sender_target, sender->target);
    sv_account_local_name(sender->uid, &user);
    set_text(death, SV_DEATH_TEXT_sender_user, sv_str_text(&user));
    set_text(death, SV_DEATH_TEXT_sender_command, sender->comm);
    if (run->facts.has_exit && run->facts.exit_time_ns >= sender->time_ns)
        sv_death_set(death, SV_DEATH_sender_before_ms,
                     (int64_t)((run->facts.exit_time_ns - sender->time_ns) / NS_PER_MS));
    set_home(run, sender, death);
}

/* A process that sent a signal: of this run, of another program, or a stranger. */
static enum sv_death_cause relation(const struct sv_run *run, const struct sv_sender *sender,
                                    const struct sv_death *death)
{
    if (sender->pid == run->pid)
        return SV_DEATH_CAUSE_SELF;
    struct sv_str own SV_CLEANUP(sv_str_done) = {0};
    if (run->leaf)
        sv_cgroup_leaf_kernel_path(run->leaf, &own);
    const char *home = sv_death_text(death, SV_DEATH_TEXT_sender_cgroup);
    if (own.length > 0 && begins_with_path(home, sv_str_text(&own)))
        return SV_DEATH_CAUSE_SIBLING;
    return sv_death_text(death, SV_DEATH_TEXT_sender_program)[0] ? SV_DEATH_CAUSE_PROGRAM
                                                                 : SV_DEATH_CAUSE_OUTSIDE;
}

/* ---- Causes ---- */

static void say_unknown(const struct sv_run *run, struct sv_death *death)
{
    const char *missing = sv_kernel_bpf_missing(run->unit->driver->kernel);
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    if (missing)
        sv_str_addf(&text, "who sent the signal, because eBPF is not in use (%s)", missing);
    else if (!run->leaf)
        sv_str_add(&text, "who sent the signal, because the run had no cgroup of its own");
    else
        sv_str_add(&text, "who sent the signal, because its record did not reach svisord");
    set_text(death, SV_DEATH_TEXT_unknown, sv_str_text(&text));
}

static enum sv_death_cause cause_without_sender(const struct sv_run *run, int number,
                                                struct sv_death *death)
{
    const struct sv_deeds *deeds = &run->deeds;
    if (deeds->stop_signal == number || (deeds->is_escalated && number == SIGKILL))
        return SV_DEATH_CAUSE_SVISORD;
    say_unknown(run, death);
    return SV_DEATH_CAUSE_SIGNAL;
}

static enum sv_death_cause cause_of_signal(const struct sv_run *run, struct sv_death *death)
{
    int number = sv_wait_signal(run->wait_status);
    const struct sv_sender *sender = sender_of(run, number);
    if (run->keeper_reason != SV_REASON_NONE)
        return run->keeper_reason == SV_REASON_KEEPER_GRACE ? SV_DEATH_CAUSE_KEEPER_GRACE
                                                            : SV_DEATH_CAUSE_KEEPER_DEADLINE;
    if (number == SIGKILL && run->facts.oom_pid == run->pid)
        return SV_DEATH_CAUSE_OOM;
    if (number == SIGKILL && run->deeds.stop_signal != SIGKILL && !sender &&
        sv_death_has(death, SV_DEATH_oom_victim))
        return SV_DEATH_CAUSE_OOM; /* seen in memory.events */
    if (!sender)
        return cause_without_sender(run, number, death);
    /* First: an alarm may go off while svisord is running. */
    if (is_of_kernel(sender, run)) {
        sv_death_set(death, SV_DEATH_sender_signal, number);
        sv_death_set(death, SV_DEATH_sender_code, sender->code);
        return is_fault(number) ? SV_DEATH_CAUSE_CRASHED : SV_DEATH_CAUSE_KERNEL;
    }
    if (sender->is_ours)
        return SV_DEATH_CAUSE_SVISORD;
    set_sender(run, sender, death);
    return relation(run, sender, death);
}

/* The signal was not to end it: it was sent by request, or by liveness_action=signal:NAME. */
static bool is_message(const struct sv_run *run)
{
    enum sv_reason reason = run->deeds.reason;
    const struct sv_health_config *health = run->unit->config->health;
    bool is_of_health = reason == SV_REASON_LIVENESS_FAILED || reason == SV_REASON_WATCHDOG_EXPIRED;
    return reason == SV_REASON_REQUEST_SIGNAL ||
           (is_of_health && health && health->liveness_action > 0);
}

/* An exit that somebody had asked for by a signal shortly before, or that tells of a child's. */
static enum sv_death_cause cause_of_exit(const struct sv_run *run, struct sv_death *death)
{
    const struct sv_deeds *deeds = &run->deeds;
    bool is_stop = deeds->stop_signal != 0 && !is_message(run);
    if (is_stop || (is_request(deeds->stop_signal) && run->ended_ns - deeds->time_ns < REQUEST_NS))
        return SV_DEATH_CAUSE_SVISORD;
    const struct sv_facts *facts = &run->facts;
    const struct sv_sender *last = NULL;
    for (size_t i = 0; i < SV_DEATH_SIGNALS_MAX; i++) {
        const struct sv_sender *row = &facts->senders[i];
        if (is_request(row->number) && !is_of_kernel(row, run) &&
            facts->exit_time_ns - row->time_ns < REQUEST_NS &&
            (!last || row->time_ns > last->time_ns))
            last = row;
    }
    if (!last && facts->other.number != 0 &&
        WEXITSTATUS(run->wait_status) == 128 + facts->other.number)
        last = &facts->other;
    if (last && facts->has_exit)
        set_sender(run, last, death);
    return SV_DEATH_CAUSE_EXITED;
}

static void set_verdict(const struct sv_run *run, struct sv_death *death)
{
    enum sv_death_cause cause = SV_DEATH_CAUSE_UNKNOWN;
    if (!run->has_status) {
        set_text(death, SV_DEATH_TEXT_unknown,
                 "its exit status, because somebody else took it and eBPF saw nothing");
    } else if (WIFEXITED(run->wait_status)) {
        sv_death_set(death, SV_DEATH_exit_code, WEXITSTATUS(run->wait_status));
        cause = cause_of_exit(run, death);
    } else {
        sv_death_set(death, SV_DEATH_signal, sv_wait_signal(run->wait_status));
        sv_death_set(death, SV_DEATH_core_dumped, WCOREDUMP(run->wait_status) != 0);
        cause = cause_of_signal(run, death);
    }
    sv_death_set(death, SV_DEATH_cause, cause);
    if (run->has_status)
        sv_death_set(death, SV_DEATH_wait_status, run->wait_status);
    if (run->deeds.stop_signal != 0) {
        sv_death_set(death, SV_DEATH_stop_signal, run->deeds.stop_signal);
        set_text(death, SV_DEATH_TEXT_reason, sv_reason_name(run->deeds.reason));
    }
    if (run->deeds.is_escalated)
        sv_death_set(death, SV_DEATH_escalated, 1);
    if (run->has_status && WIFSIGNALED(run->wait_status) && WCOREDUMP(run->wait_status)) {
        struct sv_str text SV_CLEANUP(sv_str_done) = {0};
        sv_why_core(run->unit->config->directory, &text);
        set_text(death, SV_DEATH_TEXT_core_text, sv_str_text(&text));
    }
}

/* ---- What it used ---- */

static void set_oom(const struct sv_run *run, const struct sv_cgroup_usage *usage,
                    struct sv_death *death)
{
    const struct sv_facts *facts = &run->facts;
    if (facts->oom_pid == 0 && usage->oom_kill_count <= 0)
        return;
    sv_death_set(death, SV_DEATH_oom_victim, facts->oom_pid ? facts->oom_pid : run->pid);
    set_text(death, SV_DEATH_TEXT_oom_command, facts->oom_comm);
    struct sv_cgroup_oom oom = {.limit_bytes = SV_CGROUP_UNKNOWN, .peak_bytes = SV_CGROUP_UNKNOWN};
    sv_cgroup_leaf_oom(run->leaf, &oom);
    enum sv_death_oom scope = oom.is_own ? SV_DEATH_OOM_OWN : SV_DEATH_OOM_ANCESTOR;
    if (usage->memory_max_bytes != SV_CGROUP_UNKNOWN)
        sv_death_set(death, SV_DEATH_oom_scope, oom.path.length ? scope : SV_DEATH_OOM_HOST);
    set_text(death, SV_DEATH_TEXT_oom_cgroup, sv_str_text(&oom.path));
    set_known(death, SV_DEATH_oom_limit_bytes, oom.limit_bytes);
    set_known(death, SV_DEATH_oom_usage_bytes, oom.peak_bytes);
    sv_str_done(&oom.path);
}

static void set_cgroup_usage(const struct sv_run *run, struct sv_death *death)
{
    if (!run->leaf)
        return;
    struct sv_cgroup_usage usage;
    sv_cgroup_usage_read(sv_cgroup_leaf_fd(run->leaf), &usage);
    set_known(death, SV_DEATH_cpu_us, usage.cpu_us);
    set_known(death, SV_DEATH_memory_peak_bytes, usage.memory_peak_bytes);
    set_known(death, SV_DEATH_pids_peak, usage.pids_peak);
    set_known(death, SV_DEATH_cpu_pressure, usage.cpu_pressure);
    set_known(death, SV_DEATH_memory_pressure, usage.memory_pressure);
    set_known(death, SV_DEATH_io_pressure, usage.io_pressure);
    if (!sv_kernel_bpf_missing(run->unit->driver->kernel))
        sv_death_set(death, SV_DEATH_forks, run->facts.fork_count);
    set_oom(run, &usage, death);
}

static int64_t microseconds(struct timeval time)
{
    return (int64_t)time.tv_sec * US_PER_SECOND + time.tv_usec;
}

static void set_usage(const struct sv_run *run, struct sv_death *death)
{
    const struct rusage *usage = &run->usage;
    struct rusage own = {0};
    getrusage(RUSAGE_SELF, &own);
    /* Until its execve() the child has lived in our memory, and exec_mmap() of the kernel keeps the
     * peak of that: below ours, its own is not known. */
    if (usage->ru_maxrss > own.ru_maxrss)
        sv_death_set(death, SV_DEATH_max_rss_bytes, (int64_t)usage->ru_maxrss * KILOBYTE);
    if (usage->ru_maxrss > 0) { /* nobody lives without memory: zero says that nobody has told us */
        sv_death_set(death, SV_DEATH_user_us, microseconds(usage->ru_utime));
        sv_death_set(death, SV_DEATH_system_us, microseconds(usage->ru_stime));
        sv_death_set(death, SV_DEATH_minor_faults, usage->ru_minflt);
        sv_death_set(death, SV_DEATH_major_faults, usage->ru_majflt);
    }
    set_cgroup_usage(run, death);
}

/* ---- What it left ---- */

static void set_strays(const struct sv_run *run, struct sv_death *death)
{
    sv_death_set(death, SV_DEATH_strays, run->stray_count);
    if (run->stray_count > 0)
        sv_death_set(death, SV_DEATH_strays_end,
                     run->unit->config->kill_mode == SV_KILL_PROCESS ? SV_DEATH_STRAYS_LEFT
                                                                     : SV_DEATH_STRAYS_ALIVE);
}

/* Leaves the last lines of `bytes`, and of the first of them what the bound has left. */
static size_t tail_begin(const struct sv_str *bytes)
{
    const char *data = sv_str_text(bytes);
    size_t at = bytes->length;
    for (unsigned lines = 0; at > 0; at--) {
        if (data[at - 1] == '\n' && at < bytes->length && ++lines == SV_DEATH_TAIL_LINES_MAX)
            return at;
    }
    return 0;
}

/* What it said last, on stderr if it said anything there: but only what this run has said. */
static void set_tail(const struct sv_run *run, struct sv_death *death)
{
    static const char *const names[] = {[SV_STDOUT] = "stdout", [SV_STDERR] = "stderr"};
    for (int c = SV_STDERR; c >= SV_STDOUT; c--) {
        const struct sv_sink *sink = run->unit->sinks[c];
        uint64_t written = sink ? sv_sink_taken_bytes(sink) - run->sink_start_bytes[c] : 0;
        struct sv_str bytes SV_CLEANUP(sv_str_done) = {0};
        if (written > 0)
            sv_sink_last_bytes(
                sink, written < SV_DEATH_TAIL_BYTES_MAX ? (size_t)written : SV_DEATH_TAIL_BYTES_MAX,
                &bytes);
        size_t begin = tail_begin(&bytes);
        if (bytes.length == begin)
            continue;
        sv_death_set_text(death, SV_DEATH_TEXT_tail, bytes.data + begin, bytes.length - begin);
        set_text(death, SV_DEATH_TEXT_tail_channel, names[c]);
        return;
    }
}

static void set_names(const struct sv_unit *unit, uint32_t run, struct sv_death *death)
{
    set_text(death, SV_DEATH_TEXT_group, unit->group->config->name);
    set_text(death, SV_DEATH_TEXT_name, unit->config->name);
    sv_death_set(death, SV_DEATH_run, run);
}

void sv_certificate_of_run(const struct sv_run *run, struct sv_death *ret_death)
{
    *ret_death = (struct sv_death){0};
    set_names(run->unit, run->number, ret_death);
    sv_death_set(ret_death, SV_DEATH_pid, run->pid);
    sv_death_set(ret_death, SV_DEATH_started_ms, run->started_wall_ns / NS_PER_MS);
    sv_death_set(ret_death, SV_DEATH_ended_ms, run->ended_wall_ns / NS_PER_MS);
    sv_death_set(ret_death, SV_DEATH_lived_ms,
                 (int64_t)((run->ended_ns - run->started_ns) / NS_PER_MS));
    set_usage(run, ret_death);
    sv_network_certify(run, ret_death);
    set_verdict(run, ret_death);
    set_strays(run, ret_death);
    set_tail(run, ret_death);
}

void sv_certificate_of_stillbirth(const struct sv_stillbirth *birth, struct sv_death *ret_death)
{
    bool is_killed = birth->stage == SV_DEATH_STAGE_CGROUP && birth->error == ECANCELED;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    *ret_death = (struct sv_death){0};
    set_names(birth->unit, birth->run, ret_death);
    int64_t now_ms = sv_wall_ns() / NS_PER_MS;
    sv_death_set(ret_death, SV_DEATH_started_ms, now_ms);
    sv_death_set(ret_death, SV_DEATH_ended_ms, now_ms);
    sv_death_set(ret_death, SV_DEATH_cause,
                 is_killed ? SV_DEATH_CAUSE_KILLED_AT_BIRTH : SV_DEATH_CAUSE_NOT_STARTED);
    sv_death_set(ret_death, SV_DEATH_stage, birth->stage);
    if (birth->error != 0)
        sv_death_set(ret_death, SV_DEATH_error, birth->error);
    sv_str_add(&text, birth->text);
    if (birth->error != 0)
        sv_str_addf(&text, " (%s)", sv_errno_text(birth->error));
    if (birth->stage == SV_DEATH_STAGE_EXEC && birth->path) {
        size_t before = text.length;
        sv_str_add(&text, "; ");
        sv_why_exec(birth->path, birth->error, &text);
        if (text.length == before + 2)
            sv_str_truncate(&text, before);
    }
    set_text(ret_death, SV_DEATH_TEXT_error_text, sv_str_text(&text));
}
