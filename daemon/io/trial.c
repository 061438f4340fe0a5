/*
 * svisord runs a program of its own for a moment, and goes on meanwhile: the next svisord, asked
 * for its version and for what it thinks of the configuration, before anything is put into its
 * hands.
 *
 * The end of its output is its end: whoever closes it is killed, which changes nothing for one that
 * is exiting (its status is fixed before its descriptors are closed: do_exit()). So no pidfd and no
 * SIGCHLD is needed. A broken program may hang: after SV_TRIAL_SECONDS it is killed, too.
 */
#include "io/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <svisor/limits.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/str.h"
#include "base/wait_status.h"

enum { NS_PER_SECOND = 1000000000, DEADLINE_ACCURACY_NS = 100000000 };

struct sv_trial {
    sv_trial_function function;
    void *user;
    pid_t pid; /* 0: reaped */
    int output_fd;
    bool is_late;
    struct sv_source *output_source;
    struct sv_source *deadline;
    struct sv_str output;
};

/* Nobody else reaps a child whose number is not known to the driver, except where svisord is a
 * subreaper or PID 1; then the status may be lost, which is a problem like any other. */
static int reap(struct sv_trial *trial)
{
    int wait_status = 0;
    pid_t pid = trial->pid;
    trial->pid = 0;
    kill(pid, SIGKILL);
    while (waitpid(pid, &wait_status, 0) < 0)
        if (errno != EINTR)
            return SIGKILL;
    return wait_status;
}

static void finish(struct sv_trial *trial)
{
    sv_source_free(sv_steal(&trial->output_source));
    sv_source_free(sv_steal(&trial->deadline));
    int wait_status = reap(trial);
    struct sv_str problem SV_CLEANUP(sv_str_done) = {0};
    if (trial->is_late)
        sv_str_addf(&problem, "has not ended within %d s", SV_TRIAL_SECONDS);
    else if (wait_status != 0)
        sv_wait_describe(wait_status, &problem);
    trial->function(trial->user, problem.length > 0 ? sv_str_text(&problem) : NULL,
                    sv_str_text(&trial->output));
}

static void on_output(void *user, int fd, uint32_t events)
{
    (void)events;
    struct sv_trial *trial = user;
    char data[4096];
    ssize_t n = read(fd, data, sizeof(data));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    size_t room = SV_TRIAL_OUTPUT_BYTES_MAX - trial->output.length;
    if (n > 0)
        sv_str_append(&trial->output, data, (size_t)n < room ? (size_t)n : room);
    else
        finish(trial);
}

static void on_deadline(void *user)
{
    struct sv_trial *trial = user;
    trial->is_late = true;
    finish(trial);
}

/* Nothing of ours but the output: our descriptors are closed by the exec. */
static int spawn(struct sv_trial *trial, const struct sv_trial_command *command, int out)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    if (posix_spawnattr_init(&attributes) != 0)
        return -ENOMEM;
    if (posix_spawn_file_actions_init(&actions) != 0) {
        posix_spawnattr_destroy(&attributes);
        return -ENOMEM;
    }
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    int r = -posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (r == 0 && command->is_stderr_only)
        r = -posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    else if (r == 0)
        r = -posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    if (r == 0)
        r = -posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
    if (r == 0)
        r = -posix_spawn_file_actions_addchdir_np(&actions, command->directory);
    if (r == 0)
        r = -posix_spawn(&trial->pid, command->path, &actions, &attributes, command->arguments,
                         environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return r;
}

static int begin(struct sv_trial *trial, struct sv_loop *loop,
                 const struct sv_trial_command *command)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    trial->output_fd = fds[0];
    int r = fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
    if (r == 0)
        r = spawn(trial, command, fds[1]);
    close(fds[1]);
    if (r == 0)
        r = sv_loop_add_io(loop, fds[0], EPOLLIN, SV_PRIORITY_EXIT, on_output, trial,
                           &trial->output_source);
    if (r == 0)
        r = sv_loop_add_timer(loop, DEADLINE_ACCURACY_NS, on_deadline, trial, &trial->deadline);
    if (r == 0)
        r = sv_source_arm(trial->deadline,
                          sv_now_ns() + (uint64_t)SV_TRIAL_SECONDS * NS_PER_SECOND);
    return r;
}

int sv_trial_new(struct sv_loop *loop, const struct sv_trial_command *command,
                 sv_trial_function function, void *user, struct sv_trial **ret_trial)
{
    struct sv_trial *trial = calloc(1, sizeof(*trial));
    if (!trial)
        return -ENOMEM;
    *trial = (struct sv_trial){.function = function, .user = user, .output_fd = -1};
    int r = begin(trial, loop, command);
    if (r < 0) {
        sv_trial_free(trial);
        return r;
    }
    *ret_trial = trial;
    return 0;
}

void sv_trial_free(struct sv_trial *trial)
{
    if (!trial)
        return;
    sv_source_free(trial->output_source);
    sv_source_free(trial->deadline);
    if (trial->pid > 0)
        reap(trial);
    if (trial->output_fd >= 0)
        close(trial->output_fd);
    sv_str_done(&trial->output);
    free(trial);
}
