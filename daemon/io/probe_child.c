/*
 * One run of a check command, in a cgroup of its own beside those of its program:
 *
 *     started -> ended by itself -> reaped, result told ----------> freed by its owner
 *            \-> given up by its owner: killed -> reaped, and freed here
 *
 * A child that was killed still has to be reaped, and nobody may wait for that, so a probe that is
 * given up lives on without an owner until its pidfd (or SIGCHLD) says that it is over. What the
 * command has left behind goes with its cgroup; without cgroups its process group is killed before
 * it is reaped, while the number cannot be another's.
 *
 * The last line that it wrote says why it failed.
 */
#include "io/probe_child.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/wait_status.h"

enum { UNKNOWN_STATUS = 255 << 8 };

struct sv_child_probe {
    struct sv_child_probes *probes;
    struct sv_child_probe *next;
    struct sv_probe_spawned spawned;
    struct sv_source *exit_source;
    struct sv_source *output_source;
    sv_probe_function function; /* NULL: given up */
    void *user;
    size_t read_bytes;
    size_t line_length; /* of what is in `line` */
    bool is_line_over;  /* its end was read: the next byte begins a new one */
    bool is_reaped;
    char line[SV_PROBE_WORDS_BYTES_MAX / 2];
};

struct sv_child_probes {
    struct sv_loop *loop;
    sv_function over;
    void *user;
    struct sv_child_probe *first;
    size_t count;
};

static void unlink_probe(struct sv_child_probe *probe)
{
    for (struct sv_child_probe **link = &probe->probes->first; *link; link = &(*link)->next) {
        if (*link == probe) {
            *link = probe->next;
            probe->probes->count--;
            return;
        }
    }
}

static void close_output(struct sv_child_probe *probe)
{
    sv_source_free(probe->output_source);
    probe->output_source = NULL;
    if (probe->spawned.output_fd >= 0)
        close(probe->spawned.output_fd);
    probe->spawned.output_fd = -1;
}

/* Everything but the process itself, which has been reaped. */
static void destroy(struct sv_child_probe *probe)
{
    assert(probe->is_reaped);
    unlink_probe(probe);
    close_output(probe);
    sv_source_free(probe->exit_source);
    if (probe->spawned.pidfd >= 0)
        close(probe->spawned.pidfd);
    probe->probes->over(probe->probes->user);
    sv_cgroup_leaf_free(probe->spawned.leaf);
    free(probe);
}

/* It made itself the leader of a group before it executed anything. */
static void kill_all(const struct sv_child_probe *probe)
{
    assert(probe->spawned.pid > 1 && !probe->is_reaped);
    kill(-probe->spawned.pid, SIGKILL);
    if (probe->spawned.leaf)
        sv_cgroup_leaf_kill(probe->spawned.leaf);
}

static void take_byte(struct sv_child_probe *probe, char c)
{
    if (c == '\n') {
        probe->is_line_over = true;
        return;
    }
    if (probe->is_line_over)
        probe->line_length = 0;
    probe->is_line_over = false;
    if (probe->line_length + 1 < sizeof(probe->line))
        probe->line[probe->line_length++] = (unsigned char)c < ' ' ? ' ' : c;
}

/* Reads what is there. A command that says more than the bound is not heard any more. */
static void hear(struct sv_child_probe *probe)
{
    char data[4096];
    while (probe->spawned.output_fd >= 0) {
        ssize_t n = read(probe->spawned.output_fd, data, sizeof(data));
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        for (ssize_t i = 0; i < n; i++)
            take_byte(probe, data[i]);
        probe->read_bytes += n > 0 ? (size_t)n : 0;
        if (n <= 0 || probe->read_bytes > SV_PROBE_OUTPUT_BYTES_MAX)
            close_output(probe);
    }
}

static void on_output(void *user, int fd, uint32_t events)
{
    (void)fd;
    (void)events;
    hear(user);
}

/* -1: it lives. Otherwise its wait status; a failure when somebody else has taken that. */
static int status_of(const struct sv_child_probe *probe, bool is_reaping)
{
    siginfo_t info = {0};
    int flags = WEXITED | WNOHANG | (is_reaping ? 0 : WNOWAIT);
    if (waitid(P_PID, (id_t)probe->spawned.pid, &info, flags) < 0)
        return UNKNOWN_STATUS;
    if (info.si_pid == 0)
        return -1;
    return info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8 : info.si_status & 0x7f;
}

static void tell(struct sv_child_probe *probe, int wait_status)
{
    struct sv_str words = {0};
    probe->line[probe->line_length] = '\0';
    if (wait_status != 0) {
        sv_str_add(&words, "the check ended: ");
        sv_wait_describe(wait_status, &words);
        if (probe->line_length > 0)
            sv_str_addf(&words, " (%s)", probe->line);
    }
    sv_probe_function function = probe->function;
    probe->function = NULL;
    function(probe->user, wait_status == 0, sv_str_text(&words));
    sv_str_done(&words);
}

/* The probe may be gone when this returns. */
static void check_exit(struct sv_child_probe *probe)
{
    int wait_status = status_of(probe, false);
    if (wait_status < 0)
        return;
    hear(probe);
    kill_all(probe);
    status_of(probe, true);
    probe->is_reaped = true;
    sv_source_free(probe->exit_source);
    probe->exit_source = NULL;
    close_output(probe);
    if (probe->function)
        tell(probe, wait_status);
    else
        destroy(probe);
}

static void on_exit_ready(void *user, int fd, uint32_t events)
{
    (void)fd;
    (void)events;
    check_exit(user);
}

int sv_child_probe_new(struct sv_child_probes *probes, const struct sv_probe_spawned *spawned,
                       sv_probe_function function, void *user, struct sv_child_probe **ret_probe)
{
    struct sv_child_probe *probe = calloc(1, sizeof(*probe));
    if (!probe)
        abort(); /* a child that nobody would ever reap; the next daemon does better */
    *probe = (struct sv_child_probe){.probes = probes,
                                     .next = probes->first,
                                     .spawned = *spawned,
                                     .function = function,
                                     .user = user};
    probes->first = probe;
    probes->count++;
    int r = sv_loop_add_io(probes->loop, spawned->output_fd, EPOLLIN, SV_PRIORITY_OUTPUT, on_output,
                           probe, &probe->output_source);
    if (r == 0 && spawned->pidfd >= 0)
        r = sv_loop_add_io(probes->loop, spawned->pidfd, EPOLLIN, SV_PRIORITY_EXIT, on_exit_ready,
                           probe, &probe->exit_source);
    if (r < 0) {
        sv_child_probe_free(probe);
        return error_trace(r);
    }
    *ret_probe = probe;
    return 0;
}

void sv_child_probe_free(struct sv_child_probe *probe)
{
    if (!probe)
        return;
    probe->function = NULL;
    if (probe->is_reaped) {
        destroy(probe);
        return;
    }
    kill_all(probe);
    close_output(probe);
}

int sv_child_probes_new(struct sv_loop *loop, sv_function over, void *user,
                        struct sv_child_probes **ret_probes)
{
    struct sv_child_probes *probes = calloc(1, sizeof(*probes));
    if (!probes)
        return -ENOMEM;
    *probes = (struct sv_child_probes){.loop = loop, .over = over, .user = user};
    *ret_probes = probes;
    return 0;
}

/* Whoever does not die of SIGKILL at once is left to be reaped by whoever inherits it. */
void sv_child_probes_free(struct sv_child_probes *probes)
{
    if (!probes)
        return;
    while (probes->first) {
        struct sv_child_probe *probe = probes->first;
        if (!probe->is_reaped) {
            kill_all(probe);
            status_of(probe, true);
        }
        probe->is_reaped = true;
        destroy(probe);
    }
    free(probes);
}

bool sv_child_probes_have_room(const struct sv_child_probes *probes)
{
    return probes->count < SV_PROBE_CHILDREN_MAX;
}

bool sv_child_probes_reap(struct sv_child_probes *probes, pid_t pid)
{
    for (struct sv_child_probe *probe = probes ? probes->first : NULL; probe; probe = probe->next) {
        if (probe->spawned.pid == pid && !probe->is_reaped) {
            check_exit(probe);
            return true;
        }
    }
    return false;
}
