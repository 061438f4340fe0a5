/*
 * The daemon's side of the keeper. The keeper's own is keeper_live.c; how they talk,
 * keeper_message.c.
 *
 * The keeper is forked once, from a daemon that has just begun, and is orphaned on purpose: nothing
 * that happens to the daemon happens to it. Messages are of one size, in order:
 *
 *     PUT key (descriptors)      hold these, beside what it holds under that key already
 *     GET key                    -> key (descriptors), none when the key is unknown
 *     DROP key                   close them
 *     CLAIMED                    close all that was not asked for since the daemon connected: it
 *                                has taken over
 *     END                        close everything and end
 *     MOVE (descriptor)          write "0" to it: it is the cgroup.procs of another cgroup
 *     MANAGE key (cgroup.kill)   the promise is about this run; no descriptor: it has no cgroup
 *     RELEASE key                it is not
 *     GRACE ns                   what is managed is ended when no daemon has come for so long
 *     DEADLINE ns                ... and when this has passed, whoever is connected
 *     ASK key                    -> why and when the keeper has ended that run
 *
 * Only GET and ASK are answered, so that the others cost the daemon one system call each. It is the
 * waking of the keeper that costs (8 us of the 250 of a spawn), so a PUT that may wait a moment
 * goes out together with the next message. The keeper ends by itself when no daemon has come for
 * SV_KEEPER_LONELY_SECONDS: a host that gave svisor up is not to be haunted.
 *
 * Versions. A keeper that does not know a message passes over it, so each svisord can live with the
 * keeper of each other one, for what that one can do. One that keeps no promise is replaced when
 * there is something to promise (driver/outlive/promise.c), and one that was promised something by
 * a svisord that knew more forgets it when one that knows less has taken over.
 *
 * A keeper that is stopped (SIGSTOP, a debugger) would hold up the daemon with its next question.
 * So one that does not answer, or take a message, for SV_KEEPER_PATIENCE_MS is continued (SIGCONT),
 * and killed when that does not help: then it is a dead one.
 *
 * A dead keeper is noticed at the next message, or by its socket (sv_keeper_fd()); the daemon may
 * begin another one then, and give it everything anew.
 */
#include "io/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "io/keeper_message.h"

struct sv_keeper {
    int socket;
    int pidfd;        /* -1: not to be had */
    bool is_gone;     /* and it was told */
    uint64_t version; /* SV_KEEPER_VERSION of the svisord that has begun it */
    struct sockaddr_un address;
    uint64_t last_key;
    struct sv_parcel waiting;
    bool has_waiting;
};

static int address_of(const char *directory, struct sockaddr_un *ret_address)
{
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int n = snprintf(ret_address->sun_path, sizeof(ret_address->sun_path), "%s/keeper", directory);
    return n > 0 && (size_t)n < sizeof(ret_address->sun_path) ? 0 : -ENAMETOOLONG;
}

static bool is_keeper(pid_t pid)
{
    char path[32], name[sizeof(SV_KEEPER_NAME) + 1] = "";
    snprintf(path, sizeof(path), "/proc/%d/comm", pid);
    FILE *file = fopen(path, "re");
    bool is_read = file && fgets(name, sizeof(name), file);
    if (file)
        fclose(file);
    return is_read && strcmp(name, SV_KEEPER_NAME "\n") == 0;
}

/* Of who listens at the other end; -1: this kernel has none, or it is no keeper: before it called
 * listen() itself, that was the daemon which had begun it. */
static int pidfd_of_peer(int fd)
{
    struct ucred peer = {0};
    socklen_t length = sizeof(peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 || peer.pid <= 0)
        return -1;
    int pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
    if (pidfd >= 0 && is_keeper(peer.pid))
        return pidfd;
    if (pidfd >= 0)
        close(pidfd);
    return -1;
}

static int connect_to(struct sv_keeper *keeper)
{
    const struct sockaddr_un *address = &keeper->address;
    const struct timeval patience = {.tv_sec = SV_KEEPER_PATIENCE_MS / 1000,
                                     .tv_usec = SV_KEEPER_PATIENCE_MS % 1000 * 1000};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
        connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    keeper->socket = fd;
    keeper->pidfd = pidfd_of_peer(fd);
    return 0;
}

static void disconnect(struct sv_keeper *keeper)
{
    close(keeper->socket);
    if (keeper->pidfd >= 0)
        close(keeper->pidfd);
    keeper->pidfd = -1;
}

static void signal_keeper(const struct sv_keeper *keeper, int number)
{
    if (keeper->pidfd >= 0)
        (void)syscall(SYS_pidfd_send_signal, keeper->pidfd, number, NULL, 0);
}

/* It has not answered in time. True: it is worth to wait once more. A keeper that only starves on a
 * busy machine holds what nobody else has, so it is given much time. */
static bool wake(const struct sv_keeper *keeper, unsigned *waits)
{
    if (++*waits == 1) {
        sv_log_warn(
            "the keeper does not answer; it is continued, for somebody may have stopped it");
        signal_keeper(keeper, SIGCONT);
    }
    if (*waits < SV_KEEPER_WAITS_MAX)
        return true;
    sv_log_error("the keeper does not answer; it is killed");
    signal_keeper(keeper, SIGKILL);
    return false;
}

/* Two forks: the keeper is nobody's child, so nobody but PID 1 ever waits for it. It listens
 * itself, so that the other end of the socket is known to be its own (SO_PEERCRED). */
static int start(const struct sockaddr_un *address)
{
    (void)unlink(address->sun_path);
    int birth[2]; /* its other end is closed once the keeper listens */
    if (pipe2(birth, O_CLOEXEC) < 0)
        return -errno;
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (const struct sockaddr *)address, sizeof(*address)) < 0) {
        int error = errno;
        if (listener >= 0)
            close(listener);
        close(birth[0]);
        close(birth[1]);
        return -error;
    }
    pid_t pid = fork();
    if (pid == 0) {
        if (fork() == 0)
            sv_keeper_live(listener, address->sun_path);
        _exit(EXIT_SUCCESS);
    }
    int error = pid < 0 ? errno : 0;
    close(listener);
    close(birth[1]);
    int wait_status;
    if (pid > 0)
        while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
            continue;
    char nothing;
    while (read(birth[0], &nothing, sizeof(nothing)) < 0 && errno == EINTR)
        continue;
    close(birth[0]);
    return -error;
}

/* Everything that waits, and then `parcel`, if there is one. */
static int tell(struct sv_keeper *keeper, const struct sv_parcel *parcel)
{
    if (keeper->is_gone)
        return -EPIPE;
    struct sv_parcel parcels[SV_PARCELS_MAX];
    size_t count = 0;
    if (keeper->has_waiting)
        parcels[count++] = keeper->waiting;
    keeper->has_waiting = false;
    if (parcel)
        parcels[count++] = *parcel;
    int r = 0;
    unsigned waits = 0;
    for (size_t sent = 0; sent < count && r >= 0; sent += r > 0 ? (size_t)r : 0) {
        r = sv_parcels_send(keeper->socket, parcels + sent, count - sent, 0);
        if (r == -EAGAIN && wake(keeper, &waits))
            r = 0;
    }
    if (r < 0) {
        keeper->is_gone = true;
        sv_log_error("the keeper is gone (%s): if svisord dies now, output that is not read yet "
                     "may be lost",
                     sv_errno_text(r));
    }
    return r < 0 ? r : 0;
}

static int order(struct sv_keeper *keeper, enum sv_keeper_operation operation, uint64_t key)
{
    return tell(keeper, &(struct sv_parcel){.message = {.key = key, .operation = operation}});
}

/* An order that is answered. Negative errno. */
static int ask(struct sv_keeper *keeper, enum sv_keeper_operation operation, uint64_t key,
               struct sv_parcel *ret_answer)
{
    int r = order(keeper, operation, key);
    if (r < 0)
        return r;
    unsigned waits = 0;
    do
        r = sv_parcel_receive(keeper->socket, ret_answer);
    while (r == -EAGAIN && wake(keeper, &waits));
    if (r <= 0)
        keeper->is_gone = true;
    return r > 0 ? 0 : r < 0 ? r : -EPIPE;
}

/* Negative errno: nobody lives there, or he ends just now. */
static int find(struct sv_keeper *keeper)
{
    struct sv_parcel answer;
    int r = connect_to(keeper);
    if (r < 0)
        return r;
    r = ask(keeper, SV_KEEPER_GET, SV_KEEPER_VERSION_KEY, &answer);
    if (r < 0)
        disconnect(keeper);
    else
        keeper->version = answer.message.key == SV_KEEPER_VERSION_KEY ? 1 : answer.message.key;
    return r;
}

static int begin(struct sv_keeper *keeper)
{
    int r = start(&keeper->address);
    if (r == 0)
        r = connect_to(keeper);
    if (r < 0)
        return error_trace(r);
    keeper->version = SV_KEEPER_VERSION;
    keeper->is_gone = false;
    return 0;
}

int sv_keeper_open(const char *directory, struct sv_keeper **ret_keeper)
{
    struct sv_keeper *keeper = calloc(1, sizeof(*keeper));
    if (!keeper)
        return -ENOMEM;
    int r = address_of(directory, &keeper->address);
    if (r == 0 && find(keeper) < 0)
        r = begin(keeper);
    if (r < 0) {
        free(keeper);
        return error_trace(r);
    }
    /* Keys of former daemons are older than now, so they are never given again. */
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    keeper->last_key = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    *ret_keeper = keeper;
    return 0;
}

int sv_keeper_renew(struct sv_keeper *keeper)
{
    if (!keeper->is_gone)
        (void)order(keeper, SV_KEEPER_END, 0);
    keeper->is_gone = true;
    keeper->has_waiting = false;
    struct sv_keeper former = *keeper;
    int r = begin(keeper);
    if (r == 0)
        disconnect(&former);
    return r;
}

void sv_keeper_leave(struct sv_keeper *keeper)
{
    if (!keeper)
        return;
    sv_keeper_flush(keeper);
    disconnect(keeper);
    free(keeper);
}

void sv_keeper_end(struct sv_keeper *keeper)
{
    if (!keeper)
        return;
    (void)order(keeper, SV_KEEPER_END, 0);
    (void)unlink(keeper->address.sun_path); /* at once, so that its directory can go */
    sv_keeper_leave(keeper);
}

uint64_t sv_keeper_next_key(struct sv_keeper *keeper)
{
    return ++keeper->last_key;
}

static struct sv_parcel put_parcel(uint64_t key, const struct sv_kept *kept)
{
    const int fds[SV_KEEPER_FDS] = {kept->pidfd, kept->stdin_fd, kept->stdout_fd, kept->stderr_fd};
    struct sv_parcel parcel = {.message = {.key = key, .operation = SV_KEEPER_PUT}};
    for (int i = 0; i < SV_KEEPER_FDS; i++)
        sv_parcel_put(&parcel, i, fds[i]);
    return parcel;
}

int sv_keeper_put(struct sv_keeper *keeper, uint64_t key, const struct sv_kept *kept)
{
    struct sv_parcel parcel = put_parcel(key, kept);
    return tell(keeper, &parcel);
}

int sv_keeper_put_later(struct sv_keeper *keeper, uint64_t key, const struct sv_kept *kept)
{
    sv_keeper_flush(keeper);
    if (keeper->is_gone)
        return -EPIPE;
    keeper->waiting = put_parcel(key, kept);
    keeper->has_waiting = true;
    return 0;
}

void sv_keeper_flush(struct sv_keeper *keeper)
{
    if (keeper && keeper->has_waiting)
        (void)tell(keeper, NULL);
}

int sv_keeper_get(struct sv_keeper *keeper, uint64_t key, struct sv_kept *ret_kept)
{
    struct sv_parcel answer;
    int r = ask(keeper, SV_KEEPER_GET, key, &answer);
    if (r < 0)
        return r;
    *ret_kept = (struct sv_kept){answer.fds[0], answer.fds[1], answer.fds[2], answer.fds[3]};
    return answer.message.mask ? 0 : -ENOENT;
}

void sv_keeper_drop(struct sv_keeper *keeper, uint64_t key)
{
    (void)order(keeper, SV_KEEPER_DROP, key);
}

void sv_keeper_drop_unclaimed(struct sv_keeper *keeper)
{
    (void)order(keeper, SV_KEEPER_CLAIMED, 0);
}

void sv_keeper_move(struct sv_keeper *keeper, int procs_fd)
{
    struct sv_parcel parcel = {.message = {.operation = SV_KEEPER_MOVE}};
    sv_parcel_put(&parcel, 0, procs_fd);
    (void)tell(keeper, &parcel);
}

/* --- the promise --- */

bool sv_keeper_can_promise(const struct sv_keeper *keeper)
{
    return keeper->version >= 2;
}

int sv_keeper_fd(const struct sv_keeper *keeper)
{
    return keeper->socket;
}

int sv_keeper_manage(struct sv_keeper *keeper, uint64_t key, int kill_fd)
{
    struct sv_parcel parcel = {.message = {.key = key, .operation = SV_KEEPER_MANAGE}};
    sv_parcel_put(&parcel, 0, kill_fd);
    return tell(keeper, &parcel);
}

void sv_keeper_release(struct sv_keeper *keeper, uint64_t key)
{
    (void)order(keeper, SV_KEEPER_RELEASE, key);
}

void sv_keeper_promise_grace(struct sv_keeper *keeper, uint64_t grace_ns)
{
    (void)order(keeper, SV_KEEPER_GRACE, grace_ns);
}

void sv_keeper_promise_deadline(struct sv_keeper *keeper, uint64_t deadline_ns)
{
    (void)order(keeper, SV_KEEPER_DEADLINE, deadline_ns);
}

enum sv_keeper_cause sv_keeper_ask(struct sv_keeper *keeper, uint64_t key, uint64_t *ret_time_ns)
{
    struct sv_parcel answer;
    if (!sv_keeper_can_promise(keeper) || ask(keeper, SV_KEEPER_ASK, key, &answer) < 0 ||
        answer.message.operation >= SV_KEEPER_CAUSES)
        return SV_KEEPER_DID_NOT;
    *ret_time_ns = answer.message.key;
    return (enum sv_keeper_cause)answer.message.operation;
}
