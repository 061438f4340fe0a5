/*
 * A death certificate in plain words:
 *
 *     Run 3 of web (pid 812) was ended by a process that is not svisord's: SIGKILL, sent with
 * kill() by pid 4711 (bash, user alice) in user.slice. It lived 2 min 3 s and used 0.31 s of CPU
 * and at most 12.3 MiB of memory. It left 2 processes behind, which svisord stopped.
 *
 * What a field does not say is not said. Every number that a person may doubt has its unit.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <svisor/bpf_abi.h>
#include <svisor/reasons.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/names.h"
#include "base/wait_status.h"
#include "wire/death.h"

enum { SHELL_SIGNAL = 128, MS_PER_SECOND = 1000 };

static const struct {
    int64_t cause;
    const char *name;
    const char *text;
} causes[] = {
#define DEATH_CAUSE(name_, code_, text_) {.cause = (code_), .name = #name_, .text = (text_)},
#include "svisor/death_causes.def"
#undef DEATH_CAUSE
};

const char *sv_death_cause_name(int64_t cause)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(causes); i++)
        if (causes[i].cause == cause)
            return causes[i].name;
    return "UNKNOWN";
}

const char *sv_death_cause_text(int64_t cause)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(causes); i++)
        if (causes[i].cause == cause)
            return causes[i].text;
    return causes[0].text;
}

/* What the kernel says with a fault: sigaction(2). `signal` 0: the code means it for every signal.
 */
static const struct {
    int signal;
    int code;
    const char *text;
} codes[] = {
    {0, SV_BPF_CODE_NO_INFO, "from inside the kernel"},
    {0, SI_USER, "with kill()"},
    {0, SI_TKILL, "with tgkill()"},
    {0, SI_QUEUE, "with sigqueue()"},
    {0, SI_TIMER, "a timer of its own"},
    {0, SI_MESGQ, "a message queue"},
    {0, SI_ASYNCIO, "asynchronous input or output"},
    {0, SI_SIGIO, "a descriptor that became ready"},
    {0, SI_KERNEL, "the kernel"},
    {SIGSEGV, SEGV_MAPERR, "an address that is not mapped (SEGV_MAPERR)"},
    {SIGSEGV, SEGV_ACCERR, "an access that the mapping does not allow (SEGV_ACCERR)"},
    {SIGSEGV, SEGV_BNDERR, "a failed address bound check (SEGV_BNDERR)"},
    {SIGSEGV, SEGV_PKUERR, "a memory protection key (SEGV_PKUERR)"},
    {SIGBUS, BUS_ADRALN, "an address that is not aligned (BUS_ADRALN)"},
    {SIGBUS, BUS_ADRERR,
     "an address that does not exist, as beyond the end of a file (BUS_ADRERR)"},
    {SIGBUS, BUS_OBJERR, "a hardware error (BUS_OBJERR)"},
    {SIGILL, ILL_ILLOPC, "an illegal instruction (ILL_ILLOPC)"},
    {SIGILL, ILL_ILLOPN, "an illegal operand (ILL_ILLOPN)"},
    {SIGILL, ILL_PRVOPC, "a privileged instruction (ILL_PRVOPC)"},
    {SIGFPE, FPE_INTDIV, "an integer division by zero (FPE_INTDIV)"},
    {SIGFPE, FPE_INTOVF, "an integer overflow (FPE_INTOVF)"},
    {SIGFPE, FPE_FLTDIV, "a division by zero (FPE_FLTDIV)"},
    {SIGTRAP, TRAP_BRKPT, "a breakpoint (TRAP_BRKPT)"},
    {SIGTRAP, TRAP_TRACE, "a trace step (TRAP_TRACE)"},
    {SIGSYS, 1, "a system call that seccomp forbids (SYS_SECCOMP)"},
};

/* What a signal means that the kernel sends for a reason of its own. */
static const struct {
    int signal;
    const char *text;
} kernel_signals[] = {
    {SIGPIPE, "it wrote to a pipe or socket that nobody reads"},
    {SIGXCPU, "it had used the CPU time that RLIMIT_CPU allows"},
    {SIGXFSZ, "it wrote beyond the file size that RLIMIT_FSIZE allows"},
    {SIGALRM, "its alarm clock"},
    {SIGVTALRM, "its virtual timer"},
    {SIGPROF, "its profiling timer"},
    {SIGHUP, "its terminal was closed, or its session ended"},
    {SIGINT, "its terminal"},
    {SIGQUIT, "its terminal"},
    {SIGKILL, "RLIMIT_CPU, or the end of its pid namespace"},
};

const char *sv_death_code_text(int signal, int code)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(codes); i++)
        if (codes[i].code == code && (codes[i].signal == signal || codes[i].signal == 0))
            return codes[i].text;
    return "";
}

static const char *kernel_signal_text(int signal)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(kernel_signals); i++)
        if (kernel_signals[i].signal == signal)
            return kernel_signals[i].text;
    return "";
}

static void add_lived(struct sv_str *out, int64_t ms)
{
    int64_t seconds = ms / MS_PER_SECOND;
    if (ms < MS_PER_SECOND)
        sv_str_addf(out, "%" PRId64 " ms", ms);
    else if (seconds < 60)
        sv_str_addf(out, "%.1f s", (double)ms / MS_PER_SECOND);
    else if (seconds < 3600)
        sv_str_addf(out, "%" PRId64 " min %" PRId64 " s", seconds / 60, seconds % 60);
    else if (seconds < 86400)
        sv_str_addf(out, "%" PRId64 " h %" PRId64 " min", seconds / 3600, seconds / 60 % 60);
    else
        sv_str_addf(out, "%" PRId64 " d %" PRId64 " h", seconds / 86400, seconds / 3600 % 24);
}

/* "pid 4711 (bash, user alice) in ssh.service" */
static void add_sender(const struct sv_death *death, struct sv_str *out)
{
    int64_t pid = sv_death_get(death, SV_DEATH_sender_pid);
    if (pid != 0)
        sv_str_addf(out, "pid %" PRId64 " (", pid);
    else
        sv_str_add(out, "a process outside of this pid namespace (");
    sv_str_add(out, sv_death_text(death, SV_DEATH_TEXT_sender_command));
    const char *user = sv_death_text(death, SV_DEATH_TEXT_sender_user);
    if (user[0])
        sv_str_addf(out, ", user %s)", user);
    else
        sv_str_addf(out, ", uid %" PRId64 ")", sv_death_get(death, SV_DEATH_sender_uid));
    static const enum sv_death_text homes[] = {
        SV_DEATH_TEXT_sender_program, SV_DEATH_TEXT_sender_unit, SV_DEATH_TEXT_sender_cgroup};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(homes); i++) {
        const char *home = sv_death_text(death, homes[i]);
        if (!home[0])
            continue;
        sv_str_addf(out, " %s%s", homes[i] == SV_DEATH_TEXT_sender_program ? "of " : "in ", home);
        return;
    }
}

/* "SIGKILL, sent with kill() by pid …" */
static void add_sent(const struct sv_death *death, struct sv_str *out)
{
    int number = (int)sv_death_get(death, SV_DEATH_sender_signal);
    int code = (int)sv_death_get(death, SV_DEATH_sender_code);
    const char *way = sv_death_code_text(number, code);
    if (code == SV_BPF_CODE_NO_INFO)
        way = number == SIGKILL ? "through cgroup.kill" : "at its end (PR_SET_PDEATHSIG)";
    sv_str_addf(out, ", sent %s%sby ", way, way[0] ? " " : "");
    add_sender(death, out);
}

static void add_status(const struct sv_death *death, struct sv_str *out)
{
    if (sv_death_has(death, SV_DEATH_exit_code)) {
        sv_str_addf(out, "exit code %" PRId64, sv_death_get(death, SV_DEATH_exit_code));
        return;
    }
    sv_signal_name((int)sv_death_get(death, SV_DEATH_signal), out);
    if (sv_death_get(death, SV_DEATH_core_dumped))
        sv_str_add(out, " (core dumped)");
}

static void add_exited(const struct sv_death *death, struct sv_str *out)
{
    int64_t code = sv_death_get(death, SV_DEATH_exit_code);
    sv_str_addf(out, " with exit code %" PRId64, code);
    if (code > SHELL_SIGNAL && code < SHELL_SIGNAL + NSIG) {
        sv_str_addf(out, ", as a shell does when ");
        sv_signal_name((int)code - SHELL_SIGNAL, out);
        sv_str_add(out, " has ended its child");
    }
    if (!sv_death_has(death, SV_DEATH_sender_signal))
        return;
    sv_str_add(out, "; ");
    sv_signal_name((int)sv_death_get(death, SV_DEATH_sender_signal), out);
    sv_str_add(out, " had been sent to ");
    if (sv_death_has(death, SV_DEATH_sender_target))
        sv_str_addf(out, "its process %" PRId64, sv_death_get(death, SV_DEATH_sender_target));
    else
        sv_str_add(out, "it");
    sv_str_add(out, " by ");
    add_sender(death, out);
    sv_str_add(out, " ");
    add_lived(out, sv_death_get(death, SV_DEATH_sender_before_ms));
    sv_str_add(out, " before");
}

static void add_signal(const struct sv_death *death, struct sv_str *out)
{
    int number = (int)sv_death_get(death, SV_DEATH_signal);
    int code = (int)sv_death_get(death, SV_DEATH_sender_code);
    int64_t cause = sv_death_get(death, SV_DEATH_cause);
    sv_str_add(out, ": ");
    add_status(death, out);
    const char *why = "";
    if (cause == SV_DEATH_CAUSE_CRASHED)
        why = sv_death_code_text(number, code);
    else if (cause == SV_DEATH_CAUSE_KERNEL)
        why = kernel_signal_text(number);
    if (why[0])
        sv_str_addf(out, ", %s", why);
    else if (cause == SV_DEATH_CAUSE_SIBLING || cause == SV_DEATH_CAUSE_PROGRAM ||
             cause == SV_DEATH_CAUSE_OUTSIDE)
        add_sent(death, out);
}

static const char *reason_text(const struct sv_death *death)
{
    const char *name = sv_death_text(death, SV_DEATH_TEXT_reason);
    for (int reason = 0; reason < SV_REASON_COUNT; reason++)
        if (strcmp(sv_reason_name((enum sv_reason)reason), name) == 0)
            return sv_reason_text((enum sv_reason)reason);
    return "";
}

static void add_svisord(const struct sv_death *death, struct sv_str *out)
{
    const char *reason = reason_text(death);
    if (reason[0])
        sv_str_addf(out, ", because it %s%s",
                    strncmp(reason, "stopped", strlen("stopped")) == 0 ? "was " : "", reason);
    sv_str_add(out, ": ");
    if (sv_death_get(death, SV_DEATH_escalated)) {
        sv_str_add(out, "it did not end within stopwaitsecs, so it was killed");
        return;
    }
    add_status(death, out);
    if (sv_death_has(death, SV_DEATH_exit_code) && sv_death_has(death, SV_DEATH_stop_signal)) {
        sv_str_add(out, " after ");
        sv_signal_name((int)sv_death_get(death, SV_DEATH_stop_signal), out);
    }
}

static void add_oom(const struct sv_death *death, struct sv_str *out)
{
    static const char *const scopes[] = {
        [SV_DEATH_OOM_OWN] = "its own memory limit was reached",
        [SV_DEATH_OOM_ANCESTOR] = "the memory limit of a cgroup above it was reached",
        [SV_DEATH_OOM_HOST] = "the machine had no memory left",
    };
    int64_t scope = sv_death_get(death, SV_DEATH_oom_scope);
    if (scope > 0 && scope < (int64_t)SV_ARRAY_LENGTH(scopes))
        sv_str_addf(out, ": %s", scopes[scope]);
    if (sv_death_has(death, SV_DEATH_oom_limit_bytes)) {
        sv_str_add(out, " (");
        sv_str_add_size(out, sv_death_get(death, SV_DEATH_oom_limit_bytes));
        if (scope == SV_DEATH_OOM_ANCESTOR)
            sv_str_addf(out, " of %s", sv_death_text(death, SV_DEATH_TEXT_oom_cgroup));
        sv_str_add(out, ")");
    }
}

static void add_failed_start(const struct sv_death *death, struct sv_str *out)
{
    const char *text = sv_death_text(death, SV_DEATH_TEXT_error_text);
    if (text[0])
        sv_str_addf(out, ": %s", text);
}

/* How each cause goes on; NULL: its text says it all. */
static void (*const details[])(const struct sv_death *death, struct sv_str *out) = {
    [SV_DEATH_CAUSE_UNKNOWN] = NULL,
    [SV_DEATH_CAUSE_EXITED] = add_exited,
    [SV_DEATH_CAUSE_CRASHED] = add_signal,
    [SV_DEATH_CAUSE_KERNEL] = add_signal,
    [SV_DEATH_CAUSE_SELF] = add_signal,
    [SV_DEATH_CAUSE_SIBLING] = add_signal,
    [SV_DEATH_CAUSE_PROGRAM] = add_signal,
    [SV_DEATH_CAUSE_OUTSIDE] = add_signal,
    [SV_DEATH_CAUSE_SVISORD] = add_svisord,
    [SV_DEATH_CAUSE_OOM] = add_oom,
    [SV_DEATH_CAUSE_SIGNAL] = add_signal,
    [SV_DEATH_CAUSE_NOT_STARTED] = add_failed_start,
    [SV_DEATH_CAUSE_KILLED_AT_BIRTH] = add_failed_start,
    [SV_DEATH_CAUSE_KEEPER_GRACE] = add_signal,
    [SV_DEATH_CAUSE_KEEPER_DEADLINE] = add_signal,
};
_Static_assert(SV_ARRAY_LENGTH(details) == SV_ARRAY_LENGTH(causes), "every cause goes on somehow");

void sv_death_sentence(const struct sv_death *death, struct sv_str *ret_text)
{
    int64_t cause = sv_death_get(death, SV_DEATH_cause);
    sv_str_add(ret_text, sv_death_cause_text(cause));
    if (cause >= 0 && cause < (int64_t)SV_ARRAY_LENGTH(details) && details[cause])
        details[cause](death, ret_text);
    if (cause != SV_DEATH_CAUSE_OOM && sv_death_has(death, SV_DEATH_oom_victim)) {
        sv_str_addf(ret_text, "; before, the OOM killer had ended its process %" PRId64 " (%s)",
                    sv_death_get(death, SV_DEATH_oom_victim),
                    sv_death_text(death, SV_DEATH_TEXT_oom_command));
        add_oom(death, ret_text);
    }
}

static void add_use(const struct sv_death *death, struct sv_str *out)
{
    if (!sv_death_has(death, SV_DEATH_pid) || !sv_death_has(death, SV_DEATH_lived_ms))
        return;
    sv_str_add(out, " It lived ");
    add_lived(out, sv_death_get(death, SV_DEATH_lived_ms));
    int64_t cpu_us =
        sv_death_has(death, SV_DEATH_cpu_us)
            ? sv_death_get(death, SV_DEATH_cpu_us)
            : sv_death_get(death, SV_DEATH_user_us) + sv_death_get(death, SV_DEATH_system_us);
    enum sv_death_number memory = sv_death_has(death, SV_DEATH_memory_peak_bytes)
                                      ? SV_DEATH_memory_peak_bytes
                                      : SV_DEATH_max_rss_bytes;
    if (sv_death_has(death, SV_DEATH_cpu_us) || sv_death_has(death, SV_DEATH_user_us))
        sv_str_addf(out, " and used %.2f s of CPU", (double)cpu_us / 1e6);
    if (sv_death_has(death, memory)) {
        sv_str_add(out, " and at most ");
        sv_str_add_size(out, sv_death_get(death, memory));
        sv_str_add(out, " of memory");
    }
    sv_str_add_char(out, '.');
    if (sv_death_has(death, SV_DEATH_rx_bytes)) {
        sv_str_add(out, " It received ");
        sv_str_add_size(out, sv_death_get(death, SV_DEATH_rx_bytes));
        sv_str_add(out, " from the network and sent ");
        sv_str_add_size(out, sv_death_get(death, SV_DEATH_tx_bytes));
        sv_str_add_char(out, '.');
    }
}

static void add_strays(const struct sv_death *death, struct sv_str *out)
{
    static const char *const ends[] = {
        [SV_DEATH_STRAYS_ALIVE] = "still alive",
        [SV_DEATH_STRAYS_LEFT] = "left alone (kill_mode=process)",
        [SV_DEATH_STRAYS_ENDED] = "gone by themselves since",
        [SV_DEATH_STRAYS_STOPPED] = "then stopped by svisord",
        [SV_DEATH_STRAYS_KILLED] = "then killed by svisord",
    };
    int64_t count = sv_death_get(death, SV_DEATH_strays);
    int64_t end = sv_death_get(death, SV_DEATH_strays_end);
    if (count <= 0 || end <= 0 || end >= (int64_t)SV_ARRAY_LENGTH(ends))
        return;
    sv_str_addf(out, " It left %" PRId64 " %s behind, %s.", count,
                count == 1 ? "process" : "processes", ends[end]);
}

void sv_death_paragraph(const struct sv_death *death, struct sv_str *ret_text)
{
    sv_str_addf(ret_text, "Run %" PRId64 " of %s", sv_death_get(death, SV_DEATH_run),
                sv_death_text(death, SV_DEATH_TEXT_name));
    if (sv_death_has(death, SV_DEATH_pid))
        sv_str_addf(ret_text, " (pid %" PRId64 ")", sv_death_get(death, SV_DEATH_pid));
    sv_str_add_char(ret_text, ' ');
    sv_death_sentence(death, ret_text);
    sv_str_add_char(ret_text, '.');
    add_use(death, ret_text);
    add_strays(death, ret_text);
    const char *core = sv_death_text(death, SV_DEATH_TEXT_core_text);
    if (core[0])
        sv_str_addf(ret_text, " %s.", core);
    const char *unknown = sv_death_text(death, SV_DEATH_TEXT_unknown);
    if (unknown[0])
        sv_str_addf(ret_text, " Not known: %s.", unknown);
}
