/*
 * The daemon's side, and the keeper's.
 *
 * The keeper is forked once, from a daemon that has just begun, and is orphaned on purpose: nothing
 * that happens to the daemon happens to it. It has one socket that daemons connect to (one at a
 * time), a table, and no memory that could run out later. It allocates nothing, calls no library
 * but the C library's system calls, and sleeps in recvmsg() or accept().
 *
 * Messages are of one size, in order, one answer for each GET:
 *
 *     PUT key mask (descriptors)   hold these, beside what it holds under that key already
 *     GET key                      -> key mask (descriptors), mask 0 when the key is unknown
 *     DROP key                     close them
 *     CLAIMED                      close all that was not asked for since the daemon connected
 *     END                          close everything and end
 *     MOVE (descriptor)            write "0" to it: it is the cgroup.procs of another cgroup
 *
 * PUT and DROP are not answered, so that they cost the daemon one system call each. It is the
 * waking of the keeper that costs (8 us of the 250 of a spawn), so a PUT that may wait a moment
 * goes out together with the next message. The keeper ends by itself when no daemon has come for
 * SV_KEEPER_LONELY_SECONDS: a host that gave svisor up is not to be haunted.
 *
 * A dead keeper is noticed at the next message: the daemon goes on without, says so once, and the
 * promise of docs/kernel.md shrinks to what /proc/PID/fd gives.
 */
#include "io/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "io/proc.h"

enum {
    KEPT_FDS = 4,
    PARCELS_MAX = 2, /* one that waited, and the one that it waited for */
};

/* The keeper may be older than the daemon: an operation keeps its number, and one that the keeper
 * does not know is ignored. */
enum operation { OP_PUT, OP_GET, OP_DROP, OP_CLAIMED, OP_END, OP_MOVE };

struct message {
    uint64_t key;
    uint32_t operation;
    uint32_t mask; /* bit n: descriptor n of struct sv_kept is attached */
};

/* --- both sides: messages with their descriptors --- */

struct parcel {
    struct message message;
    int fds[KEPT_FDS]; /* those that the mask names */
};

static void put_in(struct parcel *parcel, int place, int fd)
{
    parcel->fds[place] = fd;
    if (fd >= 0)
        parcel->message.mask |= 1u << place;
}

/* A parcel as sendmmsg() wants it; points into itself and into the parcel. */
struct wrapping {
    struct iovec data;
    alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * KEPT_FDS)];
};

static void wrap(struct parcel *parcel, struct wrapping *wrapping, struct msghdr *ret_header)
{
    *wrapping = (struct wrapping){
        .data = {.iov_base = &parcel->message, .iov_len = sizeof(parcel->message)}};
    struct msghdr header = {.msg_iov = &wrapping->data, .msg_iovlen = 1};
    int attached[KEPT_FDS];
    size_t count = 0;
    for (int i = 0; i < KEPT_FDS; i++)
        if (parcel->message.mask >> i & 1)
            attached[count++] = parcel->fds[i];
    if (count > 0) {
        header.msg_control = wrapping->control;
        header.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(rights), attached, sizeof(int) * count);
    }
    *ret_header = header;
}

/* Up to PARCELS_MAX of them, in order. Negative errno: some or all were not sent. */
static int send_parcels(int socket, struct parcel *parcels, size_t count)
{
    struct wrapping wrappings[PARCELS_MAX];
    struct mmsghdr headers[PARCELS_MAX] = {0};
    for (size_t i = 0; i < count; i++)
        wrap(&parcels[i], &wrappings[i], &headers[i].msg_hdr);
    for (size_t sent = 0; sent < count;) {
        int n = sendmmsg(socket, headers + sent, (unsigned)(count - sent), MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return -errno;
        sent += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* 1: a message; 0: the other side is gone; negative errno. Descriptors that the mask does not name
 * are closed. */
static int receive_message(int socket, struct message *ret_message, int ret_fds[KEPT_FDS])
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int) * KEPT_FDS)];
    } control;
    struct iovec data = {.iov_base = ret_message, .iov_len = sizeof(*ret_message)};
    struct msghdr header = {.msg_iov = &data,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof(control.bytes)};
    ssize_t n;
    do
        n = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    int attached[KEPT_FDS];
    size_t count = 0;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    if (rights && rights->cmsg_type == SCM_RIGHTS) {
        count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(attached, CMSG_DATA(rights), sizeof(int) * count);
    }
    size_t used = 0;
    for (int i = 0; i < KEPT_FDS; i++)
        ret_fds[i] = n == sizeof(*ret_message) && ret_message->mask >> i & 1 && used < count
                         ? attached[used++]
                         : -1;
    while (used < count)
        close(attached[used++]);
    return n == sizeof(*ret_message) ? 1 : 0;
}

/* --- the keeper's side --- */

struct held {
    uint64_t key; /* 0: free */
    int fds[KEPT_FDS];
    uint32_t session; /* of the last daemon that put it or asked for it */
};

struct table {
    struct held *slots; /* open addressing; a page that is not used costs nothing */
    size_t slot_count;  /* a power of two */
    uint32_t session;   /* counts the daemons */
};

static size_t home_of(const struct table *table, uint64_t key)
{
    return (size_t)(key * 0x9e3779b97f4a7c15u >> 20) & (table->slot_count - 1);
}

static struct held *slot_of(const struct table *table, uint64_t key)
{
    size_t mask = table->slot_count - 1;
    size_t i = home_of(table, key);
    for (size_t n = 0; n <= mask; n++, i = (i + 1) & mask)
        if (table->slots[i].key == key || table->slots[i].key == 0)
            return &table->slots[i];
    return NULL;
}

static void close_all(const int fds[KEPT_FDS])
{
    for (int i = 0; i < KEPT_FDS; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

static void forget(struct table *table, struct held *slot)
{
    close_all(slot->fds);
    size_t mask = table->slot_count - 1;
    size_t hole = (size_t)(slot - table->slots);
    for (size_t i = (hole + 1) & mask; table->slots[i].key != 0; i = (i + 1) & mask) {
        size_t home = home_of(table, table->slots[i].key);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            table->slots[hole] = table->slots[i];
            hole = i;
        }
    }
    table->slots[hole].key = 0;
}

static void hold(struct table *table, uint64_t key, const int fds[KEPT_FDS])
{
    struct held *slot = key ? slot_of(table, key) : NULL;
    if (!slot) {
        close_all(fds);
        return;
    }
    bool is_new = slot->key != key;
    slot->key = key;
    slot->session = table->session;
    for (int i = 0; i < KEPT_FDS; i++) {
        if (!is_new && fds[i] >= 0 && slot->fds[i] >= 0)
            close(slot->fds[i]);
        if (is_new || fds[i] >= 0)
            slot->fds[i] = fds[i];
    }
}

static void answer(struct table *table, int socket, uint64_t key)
{
    struct held *slot = key ? slot_of(table, key) : NULL;
    struct parcel parcel = {.message = {.key = key, .operation = OP_GET}};
    bool is_known = slot && slot->key == key;
    for (int i = 0; is_known && i < KEPT_FDS; i++)
        put_in(&parcel, i, slot->fds[i]);
    if (is_known)
        slot->session = table->session;
    (void)send_parcels(socket, &parcel, 1);
}

static void drop_unclaimed(struct table *table)
{
    for (size_t i = 0; i < table->slot_count;) {
        if (table->slots[i].key != 0 && table->slots[i].session != table->session)
            forget(table, &table->slots[i]); /* may move another one into this slot */
        else
            i++;
    }
}

/* Serves one daemon until it is gone. True: it said that all is over. */
static bool serve(struct table *table, int socket)
{
    table->session++;
    struct message message;
    int fds[KEPT_FDS];
    while (receive_message(socket, &message, fds) == 1) {
        struct held *slot;
        switch ((enum operation)message.operation) {
        case OP_PUT:
            hold(table, message.key, fds);
            continue;
        case OP_GET:
            answer(table, socket, message.key);
            break;
        case OP_DROP:
            slot = message.key ? slot_of(table, message.key) : NULL;
            if (slot && slot->key == message.key)
                forget(table, slot);
            break;
        case OP_CLAIMED:
            drop_unclaimed(table);
            break;
        case OP_END:
            return true;
        case OP_MOVE:
            (void)!write(fds[0], "0", 1); /* refused: then it lives where it was born */
            break;
        }
        close_all(fds);
    }
    return false;
}

static size_t table_slots(void)
{
    size_t slots = 1024;
    while (slots < SV_PROCESSES_MAX * 2)
        slots *= 2;
    return slots;
}

/* The whole life of the keeper. Everything but 0, 1, 2 and the listening socket is closed. */
__attribute__((noreturn)) static void keep(int listener, const char *path)
{
    struct table table = {.slot_count = table_slots()};
    table.slots = mmap(NULL, table.slot_count * sizeof(*table.slots), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (table.slots == MAP_FAILED)
        _exit(EXIT_FAILURE);
    struct pollfd waiting = {.fd = listener, .events = POLLIN};
    while (poll(&waiting, 1, SV_KEEPER_LONELY_SECONDS * 1000) > 0 || errno == EINTR) {
        int socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (socket < 0)
            continue;
        bool is_over = serve(&table, socket);
        close(socket);
        if (is_over)
            _exit(EXIT_SUCCESS); /* the daemon has removed the socket, and a new one may stand there
                                  */
    }
    unlink(path);
    _exit(EXIT_SUCCESS);
}

static void become_keeper(int listener, const char *path)
{
    (void)setsid();
    (void)prctl(PR_SET_NAME, "svisor-keeper");
    sv_process_set_title("svisor-keeper");
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

/* --- the daemon's side --- */

struct sv_keeper {
    int socket;
    bool is_gone; /* and it was told */
    struct sockaddr_un address;
    uint64_t last_key;
    struct parcel waiting;
    bool has_waiting;
};

static int address_of(const char *directory, struct sockaddr_un *ret_address)
{
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    int n = snprintf(ret_address->sun_path, sizeof(ret_address->sun_path), "%s/keeper", directory);
    return n > 0 && (size_t)n < sizeof(ret_address->sun_path) ? 0 : -ENAMETOOLONG;
}

static int connect_to(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

/* Two forks: the keeper is nobody's child, so nobody but PID 1 ever waits for it. */
static int start(const struct sockaddr_un *address)
{
    (void)unlink(address->sun_path);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (listener < 0)
        return -errno;
    if (bind(listener, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
        listen(listener, 1) < 0) {
        int error = errno;
        close(listener);
        return -error;
    }
    pid_t pid = fork();
    if (pid == 0) {
        if (fork() == 0)
            become_keeper(listener, address->sun_path);
        _exit(EXIT_SUCCESS);
    }
    int error = pid < 0 ? errno : 0;
    close(listener);
    int wait_status;
    if (pid > 0)
        while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR)
            continue;
    return -error;
}

int sv_keeper_open(const char *directory, struct sv_keeper **ret_keeper)
{
    struct sockaddr_un address;
    int r = address_of(directory, &address);
    if (r < 0)
        return error_trace(r);
    int fd = connect_to(&address);
    if (fd < 0) {
        r = start(&address);
        if (r < 0)
            return error_trace(r);
        fd = connect_to(&address);
    }
    if (fd < 0)
        return error_trace(fd);
    struct sv_keeper *keeper = calloc(1, sizeof(*keeper));
    if (!keeper) {
        close(fd);
        return -ENOMEM;
    }
    keeper->socket = fd;
    keeper->address = address;
    /* Keys of former daemons are older than now, so they are never given again. */
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    keeper->last_key = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    *ret_keeper = keeper;
    return 0;
}

void sv_keeper_leave(struct sv_keeper *keeper)
{
    if (!keeper)
        return;
    sv_keeper_flush(keeper);
    close(keeper->socket);
    free(keeper);
}

/* Everything that waits, and then `parcel`, if there is one. */
static int tell(struct sv_keeper *keeper, const struct parcel *parcel)
{
    if (keeper->is_gone)
        return -EPIPE;
    struct parcel parcels[PARCELS_MAX];
    size_t count = 0;
    if (keeper->has_waiting)
        parcels[count++] = keeper->waiting;
    keeper->has_waiting = false;
    if (parcel)
        parcels[count++] = *parcel;
    int r = send_parcels(keeper->socket, parcels, count);
    if (r < 0) {
        keeper->is_gone = true;
        sv_log_error(
            "the keeper is gone (%s): if svisord dies now, output that is not read yet may be "
            "lost; restart svisord when that suits",
            sv_errno_text(r));
    }
    return r;
}

static int order(struct sv_keeper *keeper, enum operation operation, uint64_t key)
{
    return tell(keeper, &(struct parcel){.message = {.key = key, .operation = operation}});
}

void sv_keeper_end(struct sv_keeper *keeper)
{
    if (!keeper)
        return;
    (void)order(keeper, OP_END, 0);
    (void)unlink(keeper->address.sun_path); /* at once, so that its directory can go */
    sv_keeper_leave(keeper);
}

uint64_t sv_keeper_next_key(struct sv_keeper *keeper)
{
    return ++keeper->last_key;
}

static struct parcel put_parcel(uint64_t key, const struct sv_kept *kept)
{
    const int fds[KEPT_FDS] = {kept->pidfd, kept->stdin_fd, kept->stdout_fd, kept->stderr_fd};
    struct parcel parcel = {.message = {.key = key, .operation = OP_PUT}};
    for (int i = 0; i < KEPT_FDS; i++)
        put_in(&parcel, i, fds[i]);
    return parcel;
}

int sv_keeper_put(struct sv_keeper *keeper, uint64_t key, const struct sv_kept *kept)
{
    struct parcel parcel = put_parcel(key, kept);
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
    int r = order(keeper, OP_GET, key);
    if (r < 0)
        return r;
    struct message message;
    int fds[KEPT_FDS];
    r = receive_message(keeper->socket, &message, fds);
    if (r <= 0)
        return r < 0 ? r : -EPIPE;
    *ret_kept = (struct sv_kept){fds[0], fds[1], fds[2], fds[3]};
    return message.mask ? 0 : -ENOENT;
}

void sv_keeper_drop(struct sv_keeper *keeper, uint64_t key)
{
    (void)order(keeper, OP_DROP, key);
}

void sv_keeper_drop_unclaimed(struct sv_keeper *keeper)
{
    (void)order(keeper, OP_CLAIMED, 0);
}

void sv_keeper_move(struct sv_keeper *keeper, int procs_fd)
{
    struct parcel parcel = {.message = {.operation = OP_MOVE}};
    put_in(&parcel, 0, procs_fd);
    (void)tell(keeper, &parcel);
}
