#include "base/wait_status.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

int sv_wait_exitstatus(int wait_status)
{
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1;
}

int sv_wait_signal(int wait_status)
{
    return WIFSIGNALED(wait_status) ? WTERMSIG(wait_status) : 0;
}

void sv_wait_describe(int wait_status, struct sv_str *ret_text)
{
    if (WIFEXITED(wait_status)) {
        sv_str_addf(ret_text, "exit status %d", WEXITSTATUS(wait_status));
    } else if (WIFSIGNALED(wait_status)) {
        sv_str_add(ret_text, "terminated by ");
        sv_signal_name(WTERMSIG(wait_status), ret_text);
        if (WCOREDUMP(wait_status))
            sv_str_add(ret_text, " (core dumped)");
    } else {
        sv_str_addf(ret_text, "unknown termination cause 0x%04x", (unsigned)wait_status);
    }
}

void sv_signal_name(int number, struct sv_str *ret_text)
{
    const char *name = sigabbrev_np(number);
    if (name)
        sv_str_addf(ret_text, "SIG%s", name);
    else if (number >= SIGRTMIN && number <= SIGRTMAX)
        sv_str_addf(ret_text, "SIGRTMIN+%d", number - SIGRTMIN);
    else
        sv_str_addf(ret_text, "signal %d", number);
}
