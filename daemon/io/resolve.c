/*
 * getaddrinfo(3) may take ten seconds when no name server answers, and libzmq would call it in the
 * thread that moves all messages: one name that cannot be resolved, and every instance looks
 * silent. So names are resolved here, one after another, in a thread that does nothing else, and
 * the sockets are given addresses.
 *
 * What both threads see is the queue behind the mutex. The thread is born with the first question.
 * It may be inside getaddrinfo(3) when the daemon ends, so it is never waited for: the last of both
 * sides frees the queue.
 */
#include "io/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

struct question {
    struct question *next;
    uint32_t ticket;
    int error; /* of getaddrinfo() */
    char address[SV_ADDRESS_BYTES];
    char host[]; /* with a NUL */
};

struct queue {
    struct question *first;
    struct question **end;
};

struct shared {
    pthread_mutex_t mutex;
    pthread_cond_t asked;
    struct queue questions;
    struct queue answers;
    int answered_fd; /* eventfd */
    int owner_count; /* the resolver, the thread */
};

struct sv_resolver {
    struct shared *shared;
    struct sv_source *source;
    bool has_thread;
    sv_resolved_function function;
    void *user;
};

static void put(struct queue *queue, struct question *question)
{
    question->next = NULL;
    *queue->end = question;
    queue->end = &question->next;
}

static struct question *take(struct queue *queue)
{
    struct question *question = queue->first;
    if (!question)
        return NULL;
    queue->first = question->next;
    if (!queue->first)
        queue->end = &queue->first;
    return question;
}

static void free_all(struct queue *queue)
{
    for (struct question *question; (question = take(queue));)
        free(question);
}

/* With the mutex held, which is given back. */
static void leave(struct shared *shared)
{
    bool is_last = --shared->owner_count == 0;
    pthread_cond_signal(&shared->asked);
    pthread_mutex_unlock(&shared->mutex);
    if (!is_last)
        return;
    free_all(&shared->questions);
    free_all(&shared->answers);
    pthread_mutex_destroy(&shared->mutex);
    pthread_cond_destroy(&shared->asked);
    close(shared->answered_fd);
    free(shared);
}

static void resolve(struct question *question)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *found = NULL;
    question->error = getaddrinfo(question->host, NULL, &hints, &found);
    if (question->error == 0)
        question->error = getnameinfo(found->ai_addr, found->ai_addrlen, question->address,
                                      sizeof(question->address), NULL, 0, NI_NUMERICHOST);
    if (found)
        freeaddrinfo(found);
}

static void *run(void *user)
{
    struct shared *shared = user;
    pthread_mutex_lock(&shared->mutex);
    while (shared->owner_count == 2) {
        struct question *question = take(&shared->questions);
        if (!question) {
            pthread_cond_wait(&shared->asked, &shared->mutex);
            continue;
        }
        pthread_mutex_unlock(&shared->mutex);
        resolve(question);
        pthread_mutex_lock(&shared->mutex);
        put(&shared->answers, question);
        uint64_t one = 1;
        ssize_t n = write(shared->answered_fd, &one, sizeof(one));
        (void)n; /* the counter of an eventfd is never full of ones */
    }
    leave(shared);
    return NULL;
}

static void on_answered(void *user, int fd, uint32_t events)
{
    (void)events;
    struct sv_resolver *resolver = user;
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof(count));
    (void)n;
    for (;;) {
        pthread_mutex_lock(&resolver->shared->mutex);
        struct question *question = take(&resolver->shared->answers);
        pthread_mutex_unlock(&resolver->shared->mutex);
        if (!question)
            return;
        bool is_found = question->error == 0;
        resolver->function(resolver->user, question->ticket, is_found ? question->address : NULL,
                           is_found ? "" : gai_strerror(question->error));
        free(question);
    }
}

/* Signals are for the main thread alone. */
static int start_thread(struct sv_resolver *resolver)
{
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&thread, NULL, run, resolver->shared);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r != 0)
        return -r;
    pthread_detach(thread);
    resolver->has_thread = true;
    return 0;
}

int sv_resolver_new(struct sv_loop *loop, sv_resolved_function function, void *user,
                    struct sv_resolver **ret_resolver)
{
    struct sv_resolver *resolver = calloc(1, sizeof(*resolver));
    struct shared *shared = calloc(1, sizeof(*shared));
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = fd < 0 ? -errno : resolver && shared ? 0 : -ENOMEM;
    if (r == 0)
        r = sv_loop_add_io(loop, fd, EPOLLIN, SV_PRIORITY_NORMAL, on_answered, resolver,
                           &resolver->source);
    if (r < 0) {
        if (fd >= 0)
            close(fd);
        free(resolver);
        free(shared);
        return error_trace(r);
    }
    pthread_mutex_init(&shared->mutex, NULL);
    pthread_cond_init(&shared->asked, NULL);
    shared->questions.end = &shared->questions.first;
    shared->answers.end = &shared->answers.first;
    shared->answered_fd = fd;
    shared->owner_count = 1;
    resolver->shared = shared;
    resolver->function = function;
    resolver->user = user;
    *ret_resolver = resolver;
    return 0;
}

void sv_resolver_free(struct sv_resolver *resolver)
{
    if (!resolver)
        return;
    sv_source_free(resolver->source);
    pthread_mutex_lock(&resolver->shared->mutex);
    leave(resolver->shared);
    free(resolver);
}

int sv_resolver_ask(struct sv_resolver *resolver, const char *host, uint32_t ticket)
{
    size_t length = strlen(host);
    struct question *question = calloc(1, sizeof(*question) + length + 1);
    if (!question)
        return -ENOMEM;
    question->ticket = ticket;
    memcpy(question->host, host, length);
    struct shared *shared = resolver->shared;
    pthread_mutex_lock(&shared->mutex);
    put(&shared->questions, question);
    shared->owner_count = 2; /* also the one that is born below */
    pthread_cond_signal(&shared->asked);
    pthread_mutex_unlock(&shared->mutex);
    if (resolver->has_thread)
        return 0;
    int r = start_thread(resolver);
    if (r == 0)
        return 0;
    pthread_mutex_lock(&shared->mutex);
    shared->owner_count = 1;
    free_all(&shared->questions);
    shared->questions.end = &shared->questions.first;
    pthread_mutex_unlock(&shared->mutex);
    return error_trace(r);
}

bool sv_host_is_numeric(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}
