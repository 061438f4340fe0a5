/* The eBPF programs of bpf/: loaded, attached, read. See bpf.c. */
#ifndef SV_IO_BPF_H
#define SV_IO_BPF_H

#include <stdint.h>
#include <svisor/bpf_abi.h>

enum sv_bpf_program {
    SV_BPF_PROGRAM_EXIT,
    SV_BPF_PROGRAM_FORK,
    SV_BPF_PROGRAM_EXEC,
    SV_BPF_PROGRAM_SIGNAL,
    SV_BPF_PROGRAM_OOM,
    SV_BPF_PROGRAM_COUNT
};

/* How one of them runs. */
enum sv_bpf_way {
    SV_BPF_WAY_NONE,
    SV_BPF_WAY_TRACING, /* tp_btf */
    SV_BPF_WAY_RAW,     /* raw_tp: EXIT only */
};

struct sv_bpf;
typedef void (*sv_bpf_function)(void *user, const struct sv_bpf_record *record);

struct sv_bpf_root {
    uint64_t id;    /* cgroup below which everything is ours */
    uint32_t level; /* its depth, or SV_BPF_LEVEL_UNKNOWN */
};

/*
 * Loads and attaches what this machine allows; what it does not is in sv_bpf_reason(). 0 also when
 * nothing could be attached; negative errno: no memory.
 */
int sv_bpf_new(const struct sv_bpf_root *root, sv_bpf_function function, void *user,
               struct sv_bpf **ret_bpf);
void sv_bpf_free(struct sv_bpf *bpf); /* NULL is allowed */
enum sv_bpf_way sv_bpf_way(const struct sv_bpf *bpf, enum sv_bpf_program program);
/* Why a program is not attached: libbpf's last words. "" when it is. */
const char *sv_bpf_reason(const struct sv_bpf *bpf, enum sv_bpf_program program);
/* Polls EPOLLIN when the kernel wants to be read; -1: no ring. Owned by `bpf`. */
int sv_bpf_fd(const struct sv_bpf *bpf);
/* Calls the function for each record that is there. Does nothing inside that function. */
void sv_bpf_consume(struct sv_bpf *bpf);
/*
 * What must stay open for deaths to be recorded while no daemon runs: the ring, and the links of
 * EXIT, SIGNAL and OOM, which write into it. Owned by `bpf`; -1 where there is none.
 */
enum { SV_BPF_WITNESSES = 4 };
void sv_bpf_witnesses(const struct sv_bpf *bpf, int ret_fds[SV_BPF_WITNESSES]);
/* Reads what stands in the ring of an earlier daemon, and leaves it there: should this daemon die
 * before it has acted on it, the next one reads it again. Negative errno. */
int sv_bpf_read_ring(int ring_fd, sv_bpf_function function, void *user);
/* Of its memory. SVISOR_RING_BYTES in the environment (a power of two, whole pages) makes it
 * smaller, so that a test can fill it. */
uint32_t sv_bpf_ring_bytes(void);
/* From now on the forks of that cgroup are counted, and more than `bound` in a window become a
 * record. Again: with other numbers. Negative errno: -ENOENT when forks are not seen. */
int sv_bpf_watch_forks(struct sv_bpf *bpf, uint64_t cgroup_id, uint32_t bound, uint64_t window_ns);
void sv_bpf_forget_forks(struct sv_bpf *bpf, uint64_t cgroup_id);
uint64_t sv_bpf_lost(const struct sv_bpf *bpf, enum sv_bpf_kind kind);

#endif
