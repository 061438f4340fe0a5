/*
 * Kernel assistance: the eBPF programs of bpf/, one ring buffer, and the report of what is active.
 *
 * Facts only. A record says that something happened in our subtree; who decides is the core.
 */
#ifndef SV_IO_KERNEL_H
#define SV_IO_KERNEL_H

#include <jansson.h>
#include <stdint.h>
#include <svisor/bpf_abi.h>

#include "io/cgroup.h"
#include "io/keeper.h"
#include "io/loop.h"

struct sv_kernel;

/* Called for each record, in order, from the loop or from sv_kernel_drain(). */
typedef void (*sv_kernel_function)(void *user, const struct sv_bpf_record *record);

/*
 * Loads and attaches what this machine allows. Always succeeds unless memory is short: without any
 * BPF the object exists, delivers nothing, and its report says why. `tree` may be NULL (no cgroup).
 * `is_bpf_wanted` false: do not even try (valgrind, tests of the fallback).
 */
int sv_kernel_new(struct sv_loop *loop, const struct sv_cgroup_tree *tree, bool is_bpf_wanted,
                  sv_kernel_function function, void *user, struct sv_kernel **ret_kernel);
void sv_kernel_free(struct sv_kernel *kernel);
/* Why there is no tree: the words of sv_cgroup_tree_open(), for the report. Copied; NULL: forget
 * them. */
int sv_kernel_note_cgroup(struct sv_kernel *kernel, const char *reason);
/* Why nobody tells who sent a signal: the words for the log. NULL: eBPF tells. Borrowed. */
const char *sv_kernel_bpf_missing(const struct sv_kernel *kernel);
/* An OOM kill in a cgroup of ours becomes a record. */
bool sv_kernel_tells_oom(const struct sv_kernel *kernel);
/* Reads what is in the ring now: before a pidfd's exit is handled, so that its record comes first.
 */
void sv_kernel_drain(struct sv_kernel *kernel);
/* Gives the keeper what goes on recording deaths when no daemon runs. */
void sv_kernel_keep(const struct sv_kernel *kernel, struct sv_keeper *keeper);
/* Calls `function` for what was recorded since the daemon before stopped reading. */
void sv_kernel_recall(struct sv_keeper *keeper, sv_kernel_function function, void *user);
/* Calls `function` with the user of sv_kernel_new() when a drain finds that records were lost. */
void sv_kernel_on_loss(struct sv_kernel *kernel, void (*function)(void *user));
/* "fork", "exec" …: of enum sv_bpf_kind. */
const char *sv_kernel_kind_word(unsigned kind);
/* More than `bound` forks of that cgroup in a window become one record, SV_BPF_FORK_RATE. Again:
 * with other numbers. Negative errno: -ENOENT when nobody sees forks. */
int sv_kernel_watch_forks(struct sv_kernel *kernel, uint64_t cgroup_id, uint32_t bound,
                          uint64_t window_ns);
void sv_kernel_forget_forks(struct sv_kernel *kernel, uint64_t cgroup_id);
/*
 * Counts the bytes and packets of that cgroup from now on; what was counted for it already, also
 * under an earlier daemon, stays. The first call loads what is needed, or takes it from the keeper,
 * which goes on counting without us. NULL, or why that cannot be; borrowed.
 */
const char *sv_kernel_count_traffic(struct sv_kernel *kernel, struct sv_keeper *keeper,
                                    uint64_t cgroup_id);
void sv_kernel_forget_traffic(struct sv_kernel *kernel, uint64_t cgroup_id);
/* False: it is not counted. */
bool sv_kernel_traffic(const struct sv_kernel *kernel, uint64_t cgroup_id,
                       struct sv_bpf_traffic *ret_sum);
/* Records lost since the start, by kind (enum sv_bpf_kind). */
uint64_t sv_kernel_lost(const struct sv_kernel *kernel, unsigned kind);

/*
 * Every facility as a row: {"name","active","gives","missing","remedy","detail"}: cgroup2, each
 * controller, clone3, pidfd, each BPF program, ring buffer, libcgroup's view, RLIMIT_NOFILE …
 * "active" is a boolean, the others are strings; "missing" and "remedy" are empty when it is
 * active. A new reference. NULL without memory. Asks libcgroup anew, about 1 ms: not for a hot
 * path.
 */
json_t *sv_kernel_report(const struct sv_kernel *kernel);

#endif
