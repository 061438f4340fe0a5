/*
 * Kernel assistance for the driver: the eBPF programs, their ring in the loop, and the report.
 *
 * The ring has the highest priority of the loop, and sv_kernel_drain() is called before a pidfd's
 * exit is handled, so the reason of a death is always known before the death itself. The kernel
 * writes an EXIT record 0.1 to 129 ms before the process can be waited for; until then it still
 * owns its sockets and its memory. So EXIT means "dying, and why", and only the pidfd means "dead,
 * may start again".
 */
#include "io/kernel.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"
#include "base/log.h"
#include "io/bpf.h"
#include "io/facilities.h"
#include "io/traffic.h"

struct sv_kernel {
    const struct sv_cgroup_tree *tree;
    sv_kernel_function function;
    void *user;
    struct sv_bpf *bpf; /* NULL: not tried, `bpf_reason` says why */
    const char *bpf_reason;
    char *cgroup_reason;
    struct sv_traffic *traffic; /* NULL: nobody has asked, or traffic_error says why */
    int traffic_error;          /* negative errno; 0: it was not tried */
    struct sv_source *source;
    void (*loss)(void *user); /* NULL: nobody wants to know */
    uint64_t lost_count;      /* as far as it was told */
};

const char *sv_kernel_kind_word(unsigned kind)
{
    static const char *const words[SV_BPF_KIND_COUNT] = {
        [SV_BPF_FORK] = "fork",     [SV_BPF_EXEC] = "exec", [SV_BPF_EXIT] = "exit",
        [SV_BPF_SIGNAL] = "signal", [SV_BPF_OOM] = "oom",   [SV_BPF_FORK_RATE] = "fork rate",
    };
    assert(kind < SV_BPF_KIND_COUNT);
    return words[kind];
}

static void on_ring(void *user, int fd, uint32_t events)
{
    (void)fd;
    (void)events;
    sv_kernel_drain(user);
}

static int start_bpf(struct sv_kernel *kernel, struct sv_loop *loop)
{
    struct sv_bpf_root root = {.id = sv_cgroup_tree_id(kernel->tree),
                               .level = sv_cgroup_tree_level(kernel->tree)};
    int r = sv_bpf_new(&root, kernel->function, kernel->user, &kernel->bpf);
    int fd = r < 0 ? -1 : sv_bpf_fd(kernel->bpf);
    if (fd >= 0)
        r = sv_loop_add_io(loop, fd, EPOLLIN, SV_PRIORITY_KERNEL, on_ring, kernel, &kernel->source);
    return r;
}

int sv_kernel_new(struct sv_loop *loop, const struct sv_cgroup_tree *tree, bool is_bpf_wanted,
                  sv_kernel_function function, void *user, struct sv_kernel **ret_kernel)
{
    struct sv_kernel *kernel = calloc(1, sizeof(*kernel));
    if (!kernel)
        return -ENOMEM;
    *kernel =
        (struct sv_kernel){.tree = tree, .function = function, .user = user, .bpf_reason = ""};
    int r = 0;
    if (!is_bpf_wanted)
        kernel->bpf_reason = SV_BPF_SWITCHED_OFF;
    else if (!tree)
        kernel->bpf_reason = "there is no cgroup2";
    else
        r = start_bpf(kernel, loop);
    if (r < 0) {
        sv_kernel_free(kernel);
        return error_trace(r);
    }
    *ret_kernel = kernel;
    return 0;
}

void sv_kernel_free(struct sv_kernel *kernel)
{
    if (!kernel)
        return;
    sv_source_free(kernel->source);
    sv_bpf_free(kernel->bpf);
    sv_traffic_free(kernel->traffic);
    free(kernel->cgroup_reason);
    free(kernel);
}

int sv_kernel_note_cgroup(struct sv_kernel *kernel, const char *reason)
{
    char *copy = reason ? strdup(reason) : NULL;
    if (reason && !copy)
        return -ENOMEM;
    free(kernel->cgroup_reason);
    kernel->cgroup_reason = copy;
    return 0;
}

const char *sv_kernel_bpf_missing(const struct sv_kernel *kernel)
{
    if (!kernel->bpf)
        return kernel->bpf_reason;
    bool is_there = sv_bpf_way(kernel->bpf, SV_BPF_PROGRAM_SIGNAL) != SV_BPF_WAY_NONE;
    return is_there ? NULL : sv_bpf_reason(kernel->bpf, SV_BPF_PROGRAM_SIGNAL);
}

bool sv_kernel_tells_oom(const struct sv_kernel *kernel)
{
    return kernel->bpf && sv_bpf_way(kernel->bpf, SV_BPF_PROGRAM_OOM) != SV_BPF_WAY_NONE;
}

void sv_kernel_drain(struct sv_kernel *kernel)
{
    if (!kernel->bpf)
        return;
    sv_bpf_consume(kernel->bpf);
    uint64_t lost_count = 0;
    for (unsigned kind = 0; kind < SV_BPF_KIND_COUNT; kind++)
        lost_count += sv_kernel_lost(kernel, kind);
    if (lost_count == kernel->lost_count || !kernel->loss)
        return;
    kernel->lost_count = lost_count;
    kernel->loss(kernel->user);
}

void sv_kernel_on_loss(struct sv_kernel *kernel, void (*function)(void *user))
{
    kernel->loss = function;
}

/* Of no run: runs have keys made of a time. The version keeps a daemon of another layout away from
 * it. */
#define WITNESS_KEY ((uint64_t)SV_BPF_ABI_VERSION)

void sv_kernel_keep(const struct sv_kernel *kernel, struct sv_keeper *keeper)
{
    if (kernel->traffic)
        sv_traffic_keep(kernel->traffic, keeper);
    if (!kernel->bpf) { /* those of an earlier daemon would write for nobody */
        sv_keeper_drop(keeper, WITNESS_KEY);
        return;
    }
    int fds[SV_BPF_WITNESSES];
    sv_bpf_witnesses(kernel->bpf, fds);
    (void)sv_keeper_put(keeper, WITNESS_KEY, &(struct sv_kept){fds[0], fds[1], fds[2], fds[3]});
}

void sv_kernel_recall(struct sv_keeper *keeper, sv_kernel_function function, void *user)
{
    struct sv_kept kept = SV_KEPT_NONE;
    if (sv_keeper_get(keeper, WITNESS_KEY, &kept) < 0)
        return;
    int fds[] = {kept.pidfd, kept.stdin_fd, kept.stdout_fd, kept.stderr_fd};
    int r = fds[0] >= 0 ? sv_bpf_read_ring(fds[0], function, user) : 0;
    if (r < 0)
        sv_log_warn("what the kernel recorded while no svisord ran cannot be read: %s",
                    sv_errno_text(r));
    for (size_t i = 0; i < SV_ARRAY_LENGTH(fds); i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

int sv_kernel_watch_forks(struct sv_kernel *kernel, uint64_t cgroup_id, uint32_t bound,
                          uint64_t window_ns)
{
    return kernel->bpf ? sv_bpf_watch_forks(kernel->bpf, cgroup_id, bound, window_ns) : -ENOENT;
}

void sv_kernel_forget_forks(struct sv_kernel *kernel, uint64_t cgroup_id)
{
    if (kernel->bpf)
        sv_bpf_forget_forks(kernel->bpf, cgroup_id);
}

const char *sv_kernel_count_traffic(struct sv_kernel *kernel, struct sv_keeper *keeper,
                                    uint64_t cgroup_id)
{
    if (!kernel->bpf)
        return kernel->bpf_reason;
    if (!kernel->traffic && kernel->traffic_error == 0)
        kernel->traffic_error = sv_traffic_new(kernel->tree, keeper, &kernel->traffic);
    int r = kernel->traffic ? sv_traffic_count(kernel->traffic, cgroup_id) : kernel->traffic_error;
    return r < 0 ? sv_errno_text(r) : NULL;
}

void sv_kernel_forget_traffic(struct sv_kernel *kernel, uint64_t cgroup_id)
{
    if (kernel->traffic)
        sv_traffic_forget(kernel->traffic, cgroup_id);
}

bool sv_kernel_traffic(const struct sv_kernel *kernel, uint64_t cgroup_id,
                       struct sv_bpf_traffic *ret_sum)
{
    return kernel->traffic && sv_traffic_read(kernel->traffic, cgroup_id, ret_sum) == 0;
}

uint64_t sv_kernel_lost(const struct sv_kernel *kernel, unsigned kind)
{
    return kernel->bpf && kind < SV_BPF_KIND_COUNT
               ? sv_bpf_lost(kernel->bpf, (enum sv_bpf_kind)kind)
               : 0;
}

json_t *sv_kernel_report(const struct sv_kernel *kernel)
{
    return sv_facilities_report(&(struct sv_facilities_input){
        .tree = kernel->tree,
        .cgroup_reason = kernel->cgroup_reason ? kernel->cgroup_reason : "it was not asked for",
        .bpf = kernel->bpf,
        .bpf_reason = kernel->bpf_reason,
    });
}
