/*
 * libbpf (1.1): the programs of bpf/svisor.bpf.c through bpftool's skeleton.
 *
 * Traps:
 *   - A skeleton loads all of its programs or none. One that this kernel's verifier refuses would
 * cost the others; so when the whole does not load, each program is tried alone, and then those
 * that work are loaded together. Only kernels that lack something pay for that.
 *   - libbpf_probe_bpf_prog_type() says "no" for tracing programs even to root (1.1.2): nothing is
 *     asked, everything is tried.
 *   - libbpf prints to stderr unless told otherwise, through a callback without a user pointer. Its
 * last words are the only place where the reason stands in words, so they are kept here, in this
 * file's only variable.
 *   - ring_buffer__poll() would wait a second time for what epoll has already said: consume only.
 *   - Loading reads the kernel's whole BTF, five megabytes of heap, and gives it back in small
 * pieces; malloc_trim() returns them to the system.
 *   - A raw tracepoint's context is not typed, so its program runs where the tracing type is
 * missing; offsets come from the kernel's BTF all the same.
 */
#include "io/bpf.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/error.h"

/* bpftool's text, not ours: the object is one long string, and sizes are ints. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Woverlength-strings"
#include "gen/svisor.skel.h"
#pragma GCC diagnostic pop

enum { WORDS_BYTES = 256, REASON_BYTES = WORDS_BYTES + 32 };

/* A candidate to load: the second way to record exits is one of its own. */
enum candidate {
    CANDIDATE_EXIT,
    CANDIDATE_EXIT_RAW,
    CANDIDATE_FORK,
    CANDIDATE_EXEC,
    CANDIDATE_SIGNAL,
    CANDIDATE_OOM,
    CANDIDATE_COUNT
};

static const struct {
    const char *name;
    enum sv_bpf_program program;
    enum sv_bpf_way way;
} candidates[] = {
    [CANDIDATE_EXIT] = {"on_exit", SV_BPF_PROGRAM_EXIT, SV_BPF_WAY_TRACING},
    [CANDIDATE_EXIT_RAW] = {"on_exit_raw", SV_BPF_PROGRAM_EXIT, SV_BPF_WAY_RAW},
    [CANDIDATE_FORK] = {"on_fork", SV_BPF_PROGRAM_FORK, SV_BPF_WAY_TRACING},
    [CANDIDATE_EXEC] = {"on_exec", SV_BPF_PROGRAM_EXEC, SV_BPF_WAY_TRACING},
    [CANDIDATE_SIGNAL] = {"on_signal", SV_BPF_PROGRAM_SIGNAL, SV_BPF_WAY_TRACING},
    [CANDIDATE_OOM] = {"on_oom", SV_BPF_PROGRAM_OOM, SV_BPF_WAY_TRACING},
};
_Static_assert(SV_ARRAY_LENGTH(candidates) == CANDIDATE_COUNT, "every candidate has a row");

/* Which candidates to load: bit n is candidate n. */
typedef unsigned candidate_set;
#define ALL_BUT_RAW (((1u << CANDIDATE_COUNT) - 1) & ~(1u << CANDIDATE_EXIT_RAW))

struct sv_bpf {
    struct sv_bpf_root root;
    sv_bpf_function function;
    void *user;
    struct svisor_bpf *skeleton; /* NULL: nothing is loaded */
    struct ring_buffer *ring;
    bool is_consuming;
    enum sv_bpf_way ways[SV_BPF_PROGRAM_COUNT];
    char reasons[SV_BPF_PROGRAM_COUNT][REASON_BYTES];
};

static char last_words[WORDS_BYTES];

/* Keeps the first warning after last_words was emptied: the cause. What follows are its
 * consequences. */
static int keep_words(enum libbpf_print_level level, const char *format, va_list arguments)
{
    static const char prefix[] = "libbpf: ";
    if (level != LIBBPF_WARN || last_words[0])
        return 0;
    vsnprintf(last_words, sizeof(last_words), format, arguments);
    last_words[strcspn(last_words, "\n")] = '\0';
    if (strncmp(last_words, prefix, strlen(prefix)) == 0)
        memmove(last_words, last_words + strlen(prefix), strlen(last_words + strlen(prefix)) + 1);
    return 0;
}

/* Opens and loads exactly these. NULL with errno, and libbpf's words in last_words. */
static struct svisor_bpf *load(const struct sv_bpf *bpf, candidate_set set)
{
    last_words[0] = '\0';
    struct svisor_bpf *skeleton = svisor_bpf__open();
    if (!skeleton)
        return NULL;
    skeleton->rodata->root_id = bpf->root.id;
    skeleton->rodata->root_level = bpf->root.level;
    skeleton->rodata->page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
    uint32_t ring_bytes = sv_bpf_ring_bytes();
    skeleton->rodata->ring_bytes = ring_bytes;
    (void)bpf_map__set_max_entries(skeleton->maps.ring, ring_bytes);
    for (unsigned i = 0; i < CANDIDATE_COUNT; i++) {
        struct bpf_program *program =
            bpf_object__find_program_by_name(skeleton->obj, candidates[i].name);
        assert(program);
        bpf_program__set_autoload(program, set & (1u << i));
    }
    int r = svisor_bpf__load(skeleton);
    if (r < 0) {
        svisor_bpf__destroy(skeleton);
        errno = -r;
        return NULL;
    }
    return skeleton;
}

static void keep_reason(struct sv_bpf *bpf, enum sv_bpf_program program, int error)
{
    snprintf(bpf->reasons[program], REASON_BYTES, "%s%s%s", sv_errno_name(error),
             last_words[0] ? ": " : "", last_words);
}

/* What loads when tried alone. EPERM means that the next one will not either. */
static candidate_set find_working(struct sv_bpf *bpf)
{
    candidate_set working = 0;
    for (unsigned i = 0; i < CANDIDATE_COUNT; i++) {
        enum sv_bpf_program program = candidates[i].program;
        if (candidates[i].way == SV_BPF_WAY_RAW && (working & (1u << CANDIDATE_EXIT)))
            continue;
        struct svisor_bpf *skeleton = load(bpf, 1u << i);
        if (skeleton) {
            working |= 1u << i;
            svisor_bpf__destroy(skeleton);
            continue;
        }
        int error = errno;
        keep_reason(bpf, program, error);
        if (error == EPERM && i == 0) {
            for (unsigned other = 0; other < SV_BPF_PROGRAM_COUNT; other++)
                keep_reason(bpf, (enum sv_bpf_program)other, error);
            return 0;
        }
    }
    return working;
}

static void attach(struct sv_bpf *bpf, enum candidate candidate)
{
    last_words[0] = '\0';
    struct bpf_program *program =
        bpf_object__find_program_by_name(bpf->skeleton->obj, candidates[candidate].name);
    struct bpf_link *link = bpf_program__attach(program);
    if (!link) {
        keep_reason(bpf, candidates[candidate].program, errno);
        return;
    }
    /* The skeleton destroys its links with itself. */
    struct bpf_link **const places[] = {
        [CANDIDATE_EXIT] = &bpf->skeleton->links.on_exit,
        [CANDIDATE_EXIT_RAW] = &bpf->skeleton->links.on_exit_raw,
        [CANDIDATE_FORK] = &bpf->skeleton->links.on_fork,
        [CANDIDATE_EXEC] = &bpf->skeleton->links.on_exec,
        [CANDIDATE_SIGNAL] = &bpf->skeleton->links.on_signal,
        [CANDIDATE_OOM] = &bpf->skeleton->links.on_oom,
    };
    _Static_assert(SV_ARRAY_LENGTH(places) == CANDIDATE_COUNT, "every candidate has a link");
    *places[candidate] = link;
    bpf->ways[candidates[candidate].program] = candidates[candidate].way;
    bpf->reasons[candidates[candidate].program][0] = '\0';
}

/* Without it (the kernel cannot run it: before 5.10) numbers of the initial namespace are given. */
static void learn_namespace(const struct sv_bpf *bpf)
{
    LIBBPF_OPTS(bpf_test_run_opts, options);
    (void)bpf_prog_test_run_opts(bpf_program__fd(bpf->skeleton->progs.learn_namespace), &options);
}

static int on_record(void *user, void *data, size_t length)
{
    struct sv_bpf *bpf = user;
    const struct sv_bpf_record *record = data;
    if (length >= sizeof(*record) && record->kind < SV_BPF_KIND_COUNT)
        bpf->function(bpf->user, record);
    return 0;
}

static int load_and_attach(struct sv_bpf *bpf)
{
    candidate_set set = ALL_BUT_RAW;
    bpf->skeleton = load(bpf, set);
    if (!bpf->skeleton) {
        set = find_working(bpf);
        bpf->skeleton = set ? load(bpf, set) : NULL;
    }
    if (!bpf->skeleton)
        return 0;
    bpf->ring = ring_buffer__new(bpf_map__fd(bpf->skeleton->maps.ring), on_record, bpf, NULL);
    if (!bpf->ring)
        return error_trace(-errno);
    learn_namespace(bpf);
    for (unsigned i = 0; i < CANDIDATE_COUNT; i++)
        if (set & (1u << i))
            attach(bpf, (enum candidate)i);
    return 0;
}

int sv_bpf_new(const struct sv_bpf_root *root, sv_bpf_function function, void *user,
               struct sv_bpf **ret_bpf)
{
    struct sv_bpf *bpf = calloc(1, sizeof(*bpf));
    if (!bpf)
        return -ENOMEM;
    *bpf = (struct sv_bpf){.root = *root, .function = function, .user = user};
    libbpf_print_fn_t before = libbpf_set_print(keep_words);
    int r = load_and_attach(bpf);
    libbpf_set_print(before);
    malloc_trim(0);
    if (r < 0) {
        sv_bpf_free(bpf);
        return r;
    }
    *ret_bpf = bpf;
    return 0;
}

void sv_bpf_free(struct sv_bpf *bpf)
{
    if (!bpf)
        return;
    ring_buffer__free(bpf->ring);
    svisor_bpf__destroy(bpf->skeleton);
    free(bpf);
}

enum sv_bpf_way sv_bpf_way(const struct sv_bpf *bpf, enum sv_bpf_program program)
{
    return bpf->ways[program];
}

const char *sv_bpf_reason(const struct sv_bpf *bpf, enum sv_bpf_program program)
{
    return bpf->reasons[program];
}

int sv_bpf_fd(const struct sv_bpf *bpf)
{
    return bpf->ring ? ring_buffer__epoll_fd(bpf->ring) : -1;
}

void sv_bpf_consume(struct sv_bpf *bpf)
{
    if (!bpf->ring || bpf->is_consuming)
        return;
    bpf->is_consuming = true;
    (void)ring_buffer__consume(bpf->ring); /* only our callback could fail, and it does not */
    bpf->is_consuming = false;
}

static int fd_of(const struct bpf_link *link)
{
    return link ? bpf_link__fd(link) : -1;
}

/* A link that somebody holds open stays attached, and writes into the ring that it was made for. So
 * no bpffs is needed, which is not mounted everywhere, and nothing of it is left behind when the
 * holder ends. */
void sv_bpf_witnesses(const struct sv_bpf *bpf, int ret_fds[SV_BPF_WITNESSES])
{
    for (int i = 0; i < SV_BPF_WITNESSES; i++)
        ret_fds[i] = -1;
    if (!bpf->skeleton)
        return;
    const struct bpf_link *exit_link = bpf->skeleton->links.on_exit;
    ret_fds[0] = bpf_map__fd(bpf->skeleton->maps.ring);
    ret_fds[1] = fd_of(exit_link ? exit_link : bpf->skeleton->links.on_exit_raw);
    ret_fds[2] = fd_of(bpf->skeleton->links.on_signal);
    ret_fds[3] = fd_of(bpf->skeleton->links.on_oom);
}

int sv_bpf_read_ring(int ring_fd, sv_bpf_function function, void *user)
{
    /* The first page of the map is the position of the reader (kernel/bpf/ringbuf.c). */
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    uint64_t *position = mmap(NULL, page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, 0);
    if (position == MAP_FAILED)
        return -errno;
    uint64_t start = __atomic_load_n(position, __ATOMIC_ACQUIRE);
    struct sv_bpf reader = {.function = function, .user = user};
    libbpf_print_fn_t before = libbpf_set_print(keep_words);
    struct ring_buffer *ring = ring_buffer__new(ring_fd, on_record, &reader, NULL);
    int r = ring ? ring_buffer__consume(ring) : -errno;
    ring_buffer__free(ring);
    libbpf_set_print(before);
    __atomic_store_n(position, start, __ATOMIC_RELEASE);
    munmap(position, page_bytes);
    return r < 0 ? r : 0;
}

uint32_t sv_bpf_ring_bytes(void)
{
    const char *text = getenv("SVISOR_RING_BYTES");
    unsigned long page_bytes = (unsigned long)sysconf(_SC_PAGESIZE);
    unsigned long bytes = text ? strtoul(text, NULL, 10) : 0;
    bool is_allowed = bytes >= page_bytes && bytes <= SV_BPF_RING_BYTES && !(bytes & (bytes - 1));
    return is_allowed ? (uint32_t)bytes : SV_BPF_RING_BYTES;
}

int sv_bpf_watch_forks(struct sv_bpf *bpf, uint64_t cgroup_id, uint32_t bound, uint64_t window_ns)
{
    if (bpf->ways[SV_BPF_PROGRAM_FORK] == SV_BPF_WAY_NONE)
        return -ENOENT;
    struct sv_bpf_fork_watch watch = {.window_ns = window_ns, .bound = bound};
    int map_fd = bpf_map__fd(bpf->skeleton->maps.fork_watches);
    int r = bpf_map_update_elem(map_fd, &cgroup_id, &watch, BPF_NOEXIST);
    if (r == 0)
        __atomic_add_fetch(&bpf->skeleton->bss->fork_watch_count, 1, __ATOMIC_RELAXED);
    else if (errno == EEXIST)
        r = bpf_map_update_elem(map_fd, &cgroup_id, &watch, BPF_EXIST);
    return r < 0 ? -errno : 0;
}

void sv_bpf_forget_forks(struct sv_bpf *bpf, uint64_t cgroup_id)
{
    if (bpf->ways[SV_BPF_PROGRAM_FORK] != SV_BPF_WAY_NONE &&
        bpf_map_delete_elem(bpf_map__fd(bpf->skeleton->maps.fork_watches), &cgroup_id) == 0)
        __atomic_sub_fetch(&bpf->skeleton->bss->fork_watch_count, 1, __ATOMIC_RELAXED);
}

uint64_t sv_bpf_lost(const struct sv_bpf *bpf, enum sv_bpf_kind kind)
{
    if (!bpf->skeleton || kind >= SV_BPF_KIND_COUNT)
        return 0;
    return __atomic_load_n(&bpf->skeleton->bss->lost_count[kind], __ATOMIC_RELAXED);
}
