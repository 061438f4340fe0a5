/*
 * The keeper's side: a table, one socket that daemons connect to (one at a time), and a promise.
 *
 *     wait ---- a message -----> obey it
 *      |  \---- the daemon is gone, or a new one connects
 *      +------- the grace or the deadline has passed -> end every run that is managed
 *
 * It allocates nothing, calls no library but the C library's system calls, and has no memory that
 * could run out later. Once it has something to promise it asks for the lowest real-time priority
 * and for its pages to stay in memory; where that is refused, it goes on without.
 *
 * The promise. A run that is managed is ended
 *   - when the grace has passed since the connection of the last daemon that had taken over broke,
 *     and no daemon is connected. One that connects and dies before it has taken over does not
 *     begin the grace anew, so that daemons that die in a row hold nothing up;
 *   - when the deadline has passed, daemon or no daemon: one that is stopped or starved keeps its
 *     connection, and nothing else of a daemon's life can be relied on.
 * What has passed stays passed until a daemon connects (the grace) or gives a later deadline:
 * whatever is managed until then is ended as it comes, for a daemon that was stopped in the middle
 * of a spawn goes on with it when it is continued.
 *
 * A daemon that has taken over without a promise of its own takes its predecessor's back.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <svisor/limits.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "io/keeper.h"
#include "io/keeper_message.h"
#include "io/proc.h"

#define NS_PER_SECOND UINT64_C(1000000000)
#define LONELY_NS     (SV_KEEPER_LONELY_SECONDS * NS_PER_SECOND)

struct held {
    uint64_t key; /* 0: free */
    uint64_t ended_ns;
    int fds[SV_KEEPER_FDS];
    int kill_fd;      /* cgroup.kill of a run that is managed; -1: none */
    uint32_t session; /* of the last daemon that put it or asked for it */
    bool is_managed;
    enum sv_keeper_cause cause; /* why the keeper has ended it */
};

struct keeper {
    struct held *slots; /* open addressing; a page that is not used costs nothing */
    size_t slot_count;  /* a power of two */
    size_t managed_count;
    uint32_t session;  /* counts the daemons */
    int socket;        /* of the daemon; -1: none is connected */
    bool has_promised; /* this daemon */
    bool has_taken_over;
    bool is_urgent;
    uint64_t grace_ns;    /* SV_KEEPER_NEVER: no promise */
    uint64_t deadline_ns; /* likewise */
    uint64_t death_ns;    /* of the last daemon that had taken over; while none is connected */
    enum sv_keeper_cause passed; /* and what is managed is ended as it comes */
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

/* --- the table --- */

static size_t home_of(const struct keeper *keeper, uint64_t key)
{
    return (size_t)(key * 0x9e3779b97f4a7c15u >> 20) & (keeper->slot_count - 1);
}

/* The slot of that key, or the free one that it would have; NULL: the table is full. */
static struct held *slot_of(const struct keeper *keeper, uint64_t key)
{
    size_t mask = keeper->slot_count - 1;
    size_t i = home_of(keeper, key);
    for (size_t n = 0; key != 0 && n <= mask; n++, i = (i + 1) & mask)
        if (keeper->slots[i].key == key || keeper->slots[i].key == 0)
            return &keeper->slots[i];
    return NULL;
}

static struct held *find(const struct keeper *keeper, uint64_t key)
{
    struct held *slot = slot_of(keeper, key);
    return slot && slot->key == key ? slot : NULL;
}

static struct held *find_or_make(struct keeper *keeper, uint64_t key)
{
    struct held *slot = slot_of(keeper, key);
    if (slot && slot->key != key)
        *slot = (struct held){.key = key, .fds = {-1, -1, -1, -1}, .kill_fd = -1};
    if (slot)
        slot->session = keeper->session;
    return slot;
}

static void replace(int *fd, int other)
{
    if (*fd >= 0)
        close(*fd);
    *fd = other;
}

static void close_all(int fds[SV_KEEPER_FDS])
{
    for (int i = 0; i < SV_KEEPER_FDS; i++)
        replace(&fds[i], -1);
}

static void release(struct keeper *keeper, struct held *slot)
{
    replace(&slot->kill_fd, -1);
    keeper->managed_count -= slot->is_managed;
    slot->is_managed = false;
}

static void forget(struct keeper *keeper, struct held *slot)
{
    close_all(slot->fds);
    release(keeper, slot);
    size_t mask = keeper->slot_count - 1;
    size_t hole = (size_t)(slot - keeper->slots);
    for (size_t i = (hole + 1) & mask; keeper->slots[i].key != 0; i = (i + 1) & mask) {
        size_t home = home_of(keeper, keeper->slots[i].key);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            keeper->slots[hole] = keeper->slots[i];
            hole = i;
        }
    }
    keeper->slots[hole].key = 0;
}

/* --- ending what is managed --- */

/* All of its cgroup at once; and its main process by itself, for it may have no cgroup, or have
 * left it. Neither can hit a stranger: a descriptor means the same for ever. */
static void end_run(struct held *slot, enum sv_keeper_cause cause)
{
    if (slot->kill_fd >= 0)
        (void)!write(slot->kill_fd, "1", 1);
    if (slot->fds[0] >= 0)
        (void)syscall(SYS_pidfd_send_signal, slot->fds[0], SIGKILL, NULL, 0);
    if (slot->cause == SV_KEEPER_DID_NOT) {
        slot->cause = cause;
        slot->ended_ns = now_ns();
    }
}

static void end_managed(struct keeper *keeper, enum sv_keeper_cause cause)
{
    keeper->passed = cause;
    for (size_t i = 0; i < keeper->slot_count && keeper->managed_count > 0; i++)
        if (keeper->slots[i].key != 0 && keeper->slots[i].is_managed)
            end_run(&keeper->slots[i], cause);
}

static void end_if_passed(const struct keeper *keeper, struct held *slot)
{
    if (slot->is_managed && keeper->passed != SV_KEEPER_DID_NOT)
        end_run(slot, keeper->passed);
}

struct due {
    uint64_t time_ns; /* SV_KEEPER_NEVER: there is nothing to be done */
    enum sv_keeper_cause cause;
};

static struct due next_due(const struct keeper *keeper)
{
    struct due grace = {SV_KEEPER_NEVER, SV_KEEPER_GRACE_PASSED};
    const struct due deadline = {keeper->deadline_ns, SV_KEEPER_DEADLINE_PASSED};
    if (keeper->passed != SV_KEEPER_DID_NOT)
        return (struct due){SV_KEEPER_NEVER, SV_KEEPER_DID_NOT};
    if (keeper->socket < 0 && keeper->grace_ns < SV_KEEPER_NEVER - keeper->death_ns)
        grace.time_ns = keeper->death_ns + keeper->grace_ns;
    return grace.time_ns <= deadline.time_ns ? grace : deadline;
}

/* --- messages --- */

static void hold(struct keeper *keeper, struct sv_parcel *parcel)
{
    struct held *slot = find_or_make(keeper, parcel->message.key);
    if (!slot)
        return;
    for (int i = 0; i < SV_KEEPER_FDS; i++) {
        if (parcel->fds[i] >= 0)
            replace(&slot->fds[i], parcel->fds[i]);
        parcel->fds[i] = -1;
    }
    end_if_passed(keeper, slot);
}

static void manage(struct keeper *keeper, struct sv_parcel *parcel)
{
    struct held *slot = find_or_make(keeper, parcel->message.key);
    if (!slot)
        return;
    keeper->managed_count += !slot->is_managed;
    slot->is_managed = true;
    if (parcel->fds[0] >= 0)
        replace(&slot->kill_fd, parcel->fds[0]);
    parcel->fds[0] = -1;
    end_if_passed(keeper, slot);
}

/* A daemon waits for each answer, so there is always room for one. */
static void answer(const struct keeper *keeper, struct sv_parcel *parcel)
{
    (void)sv_parcels_send(keeper->socket, parcel, 1, MSG_DONTWAIT);
}

static void give(struct keeper *keeper, uint64_t key)
{
    struct held *slot = find(keeper, key);
    struct sv_parcel parcel = {.message = {.key = key, .operation = SV_KEEPER_GET}};
    for (int i = 0; slot && i < SV_KEEPER_FDS; i++)
        sv_parcel_put(&parcel, i, slot->fds[i]);
    if (slot)
        slot->session = keeper->session;
    if (key == SV_KEEPER_VERSION_KEY)
        parcel.message.key = SV_KEEPER_VERSION;
    answer(keeper, &parcel);
}

static void tell_cause(const struct keeper *keeper, uint64_t key)
{
    const struct held *slot = find(keeper, key);
    struct sv_parcel parcel = {
        .message = {.key = slot ? slot->ended_ns : 0,
                    .operation = slot ? (uint32_t)slot->cause : SV_KEEPER_DID_NOT}};
    answer(keeper, &parcel);
}

/* In time when it matters, and not paged out by the very shortage that has stopped the daemon. */
static void become_urgent(struct keeper *keeper)
{
    if (keeper->is_urgent)
        return;
    keeper->is_urgent = true;
    const struct sched_param lowest = {.sched_priority = sched_get_priority_min(SCHED_FIFO)};
    (void)sched_setscheduler(0, SCHED_FIFO, &lowest);
    (void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

static void promise_grace(struct keeper *keeper, uint64_t grace_ns)
{
    keeper->has_promised = true;
    keeper->grace_ns = grace_ns;
    if (grace_ns != SV_KEEPER_NEVER)
        become_urgent(keeper);
}

static void promise_deadline(struct keeper *keeper, uint64_t deadline_ns)
{
    keeper->deadline_ns = deadline_ns;
    if (deadline_ns != SV_KEEPER_NEVER)
        become_urgent(keeper);
    if (deadline_ns > now_ns())
        keeper->passed = SV_KEEPER_DID_NOT;
}

static void take_over(struct keeper *keeper)
{
    keeper->has_taken_over = true;
    if (!keeper->has_promised) {
        keeper->grace_ns = keeper->deadline_ns = SV_KEEPER_NEVER;
        keeper->passed = SV_KEEPER_DID_NOT;
    }
    for (size_t i = 0; i < keeper->slot_count;) {
        if (keeper->slots[i].key != 0 && keeper->slots[i].session != keeper->session)
            forget(keeper, &keeper->slots[i]); /* may move another one into this slot */
        else
            i++;
    }
}

/* False: all is over. */
static bool obey(struct keeper *keeper, struct sv_parcel *parcel)
{
    const uint64_t key = parcel->message.key;
    struct held *slot;
    switch ((enum sv_keeper_operation)parcel->message.operation) {
    case SV_KEEPER_PUT:
        hold(keeper, parcel);
        break;
    case SV_KEEPER_GET:
        give(keeper, key);
        break;
    case SV_KEEPER_DROP:
        slot = find(keeper, key);
        if (slot)
            forget(keeper, slot);
        break;
    case SV_KEEPER_CLAIMED:
        take_over(keeper);
        break;
    case SV_KEEPER_END:
        return false;
    case SV_KEEPER_MOVE:
        (void)!write(parcel->fds[0], "0", 1); /* refused: then it lives where it was born */
        break;
    case SV_KEEPER_MANAGE:
        manage(keeper, parcel);
        break;
    case SV_KEEPER_RELEASE:
        slot = find(keeper, key);
        if (slot)
            release(keeper, slot);
        break;
    case SV_KEEPER_GRACE:
        promise_grace(keeper, key);
        break;
    case SV_KEEPER_DEADLINE:
        promise_deadline(keeper, key);
        break;
    case SV_KEEPER_ASK:
        tell_cause(keeper, key);
        break;
    }
    close_all(parcel->fds);
    return true;
}

/* --- its life --- */

static void welcome(struct keeper *keeper, int listener)
{
    keeper->socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (keeper->socket < 0)
        return;
    keeper->session++;
    keeper->has_promised = keeper->has_taken_over = false;
    if (keeper->passed == SV_KEEPER_GRACE_PASSED)
        keeper->passed = SV_KEEPER_DID_NOT;
}

static void mourn(struct keeper *keeper)
{
    close(keeper->socket);
    keeper->socket = -1;
    if (keeper->has_taken_over || keeper->has_promised)
        keeper->death_ns = now_ns();
}

/* True: somebody has come, or says something. False: it is `until_ns`. */
static bool await(const struct keeper *keeper, int listener, uint64_t until_ns)
{
    bool is_alone = keeper->socket < 0;
    if (!is_alone && until_ns == SV_KEEPER_NEVER)
        return true; /* the receiving waits */
    uint64_t now = now_ns();
    uint64_t left_ns = until_ns > now ? until_ns - now : 0;
    struct pollfd waiting = {.fd = is_alone ? listener : keeper->socket, .events = POLLIN};
    const struct timespec timeout = {.tv_sec = (time_t)(left_ns / NS_PER_SECOND),
                                     .tv_nsec = (long)(left_ns % NS_PER_SECOND)};
    return ppoll(&waiting, 1, &timeout, NULL) > 0;
}

/* False: all is over. */
static bool serve(struct keeper *keeper, int listener)
{
    struct sv_parcel parcel;
    if (keeper->socket < 0)
        welcome(keeper, listener);
    else if (sv_parcel_receive(keeper->socket, &parcel) == 1)
        return obey(keeper, &parcel);
    else
        mourn(keeper);
    return true;
}

/* What is due goes before what is asked: whoever counts the same seconds elsewhere does not know
 * that somebody came a moment too late. */
static void live(struct keeper *keeper, int listener, const char *path)
{
    for (;;) {
        const struct due due = next_due(keeper);
        uint64_t lonely_ns = keeper->socket < 0 ? now_ns() + LONELY_NS : SV_KEEPER_NEVER;
        bool has_news = await(keeper, listener, due.time_ns < lonely_ns ? due.time_ns : lonely_ns);
        if (due.time_ns <= now_ns())
            end_managed(keeper, due.cause);
        if (has_news && !serve(keeper, listener))
            return; /* the daemon has removed the socket, and a new one may stand there */
        if (!has_news && lonely_ns <= now_ns()) {
            unlink(path);
            return;
        }
    }
}

static size_t table_slots(void)
{
    size_t slots = 1024;
    while (slots < SV_PROCESSES_MAX * 2)
        slots *= 2;
    return slots;
}

__attribute__((noreturn)) static void keep(int listener, const char *path)
{
    struct keeper keeper = {.slot_count = table_slots(),
                            .socket = -1,
                            .grace_ns = SV_KEEPER_NEVER,
                            .deadline_ns = SV_KEEPER_NEVER};
    keeper.slots = mmap(NULL, keeper.slot_count * sizeof(*keeper.slots), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (keeper.slots == MAP_FAILED)
        _exit(EXIT_FAILURE);
    live(&keeper, listener, path);
    _exit(EXIT_SUCCESS);
}

/* Everything but 0, 1, 2 and the listening socket is closed. */
void sv_keeper_live(int listener, const char *path)
{
    (void)setsid();
    (void)prctl(PR_SET_NAME, SV_KEEPER_NAME);
    sv_process_set_title(SV_KEEPER_NAME);
    if (listen(listener, 1) < 0)
        _exit(EXIT_FAILURE);
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd <= STDERR_FILENO && null >= 0; fd++)
        (void)dup2(null, fd);
    if (dup2(listener, STDERR_FILENO + 1) < 0)
        _exit(EXIT_FAILURE);
    (void)close_range(STDERR_FILENO + 2, ~0U, 0);
    if (chdir("/") < 0)
        _exit(EXIT_FAILURE);
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, number == SIGTERM ? SIG_DFL : SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    keep(STDERR_FILENO + 1, path);
}
