/*
 * The key file is read once, at the start. The file of trusted keys is looked at whenever somebody
 * knocks, so that `svctl mesh trust` counts at once: one stat(2), and a read when it has changed.
 *
 * The own key is always trusted. So the simplest secure cluster is one key file, copied to all
 * nodes; with a key for each node, each trusts the others by name.
 */
#include "io/mesh_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

/* The whole file. 0, negative errno; -EFBIG: longer than a file of keys can be. */
static int read_file(const char *path, struct sv_str *ret_text, struct stat *ret_status)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    int r = fstat(fd, ret_status) < 0 ? -errno : 0;
    if (r == 0 && !S_ISREG(ret_status->st_mode))
        r = -EINVAL;
    while (r == 0) {
        char *end = sv_str_reserve(ret_text, 4096);
        ssize_t n = end ? read(fd, end, 4096) : 0;
        if (!end)
            r = -ENOMEM;
        else if (n < 0)
            r = -errno;
        else if (n == 0)
            break;
        else
            sv_str_grew(ret_text, (size_t)n);
        if (ret_text->length > SV_MESH_KEY_FILE_BYTES_MAX)
            r = -EFBIG;
    }
    close(fd);
    return r;
}

static int read_key(struct sv_mesh_keys *keys, struct sv_str *ret_problem)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    struct sv_mesh_key_fault fault;
    struct stat status;
    const char *path = keys->key_file;
    int r = read_file(path, &text, &status);
    if (r < 0) {
        sv_str_addf(ret_problem, "cannot read the key %s (mesh_key): %s", path, sv_errno_text(r));
        if (r == -ENOENT)
            sv_str_addf(ret_problem, "; `svctl mesh keygen %s` makes one", path);
        return r;
    }
    if (status.st_mode & (S_IRWXO | S_IWGRP)) {
        sv_str_addf(ret_problem,
                    "the key %s (mesh_key) is open to others (mode %04o); write `chmod 600 %s`",
                    path, status.st_mode & 07777, path);
        return -EPERM;
    }
    if (sv_mesh_key_pair_parse(sv_str_text(&text), text.length, &keys->pair, &fault) != 0) {
        sv_str_addf(ret_problem, "the key %s (mesh_key) cannot be used: line %u: %s", path,
                    fault.line, fault.why);
        return -EINVAL;
    }
    if (keys->pair.secret_key.text[0] == '\0') {
        sv_str_addf(ret_problem,
                    "%s (mesh_key) has only a public key; the daemon needs the file that "
                    "`svctl mesh keygen` wrote, with both",
                    path);
        return -EINVAL;
    }
    explicit_bzero(text.data, text.length);
    return 0;
}

static int64_t changed_ns(const struct stat *status)
{
    return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
}

/* 0 or negative errno, with the problem. A file that is not there trusts nobody. */
static int read_trust(struct sv_mesh_keys *keys, struct sv_str *ret_problem)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    struct sv_mesh_key_fault fault;
    struct sv_arena arena = {0};
    struct sv_mesh_trust trust = {0};
    struct stat status = {0};
    const char *path = keys->trust_file;
    int r = read_file(path, &text, &status);
    if (r < 0 && r != -ENOENT) {
        sv_str_addf(ret_problem, "cannot read the trusted keys in %s (mesh_trust): %s", path,
                    sv_errno_text(r));
        return r;
    }
    if (r == 0)
        r = sv_mesh_trust_parse(sv_str_text(&text), text.length, &arena, &trust, &fault);
    if (r == SV_MESH_KEYS_E_MALFORMED)
        sv_str_addf(ret_problem, "the trusted keys in %s (mesh_trust) cannot be used: line %u: %s",
                    path, fault.line, fault.why);
    if (r > 0 || r == -ENOMEM) {
        sv_arena_done(&arena);
        return r > 0 ? -EINVAL : r;
    }
    sv_arena_done(&keys->arena);
    keys->arena = arena;
    keys->trust = trust;
    keys->trust_changed_ns = changed_ns(&status);
    keys->trust_size = status.st_size;
    return 0;
}

int sv_mesh_keys_open(const char *key_file, const char *trust_file, struct sv_str *ret_problem,
                      struct sv_mesh_keys *ret_keys)
{
    struct sv_mesh_keys keys = {.key_file = key_file, .trust_file = trust_file};
    int r = read_key(&keys, ret_problem);
    if (r == 0 && trust_file)
        r = read_trust(&keys, ret_problem);
    if (r == 0)
        *ret_keys = keys;
    return r;
}

void sv_mesh_keys_close(struct sv_mesh_keys *keys)
{
    explicit_bzero(&keys->pair, sizeof(keys->pair));
    sv_arena_done(&keys->arena);
    keys->trust = (struct sv_mesh_trust){0};
}

bool sv_mesh_keys_refresh(struct sv_mesh_keys *keys)
{
    struct stat status = {0};
    if (!keys->trust_file || (stat(keys->trust_file, &status) < 0 && errno != ENOENT))
        return false;
    if (changed_ns(&status) == keys->trust_changed_ns && status.st_size == keys->trust_size) {
        keys->is_trust_broken = false;
        return false;
    }
    struct sv_str problem SV_CLEANUP(sv_str_done) = {0};
    if (read_trust(keys, &problem) == 0) {
        sv_log_info("mesh: read the trusted keys in %s again: %zu", keys->trust_file,
                    keys->trust.count);
        keys->is_trust_broken = false;
        return true;
    }
    if (!keys->is_trust_broken)
        sv_log_error("mesh: %s; the former ones stay", sv_str_text(&problem));
    keys->is_trust_broken = true;
    return false;
}

static bool has_name(const struct sv_mesh_trusted *row, const struct sv_instance_config *instance)
{
    for (size_t i = 0; i < row->name_count; i++)
        if (strcmp(row->names[i], instance->identifier) == 0 ||
            strcmp(row->names[i], instance->nick) == 0 ||
            strcmp(row->names[i], instance->host) == 0)
            return true;
    return false;
}

bool sv_mesh_keys_trust(const struct sv_mesh_keys *keys, const char *key)
{
    if (strcmp(key, keys->pair.public_key.text) == 0)
        return true;
    for (size_t i = 0; i < keys->trust.count; i++)
        if (strcmp(keys->trust.rows[i].key.text, key) == 0)
            return true;
    return false;
}

/* An instance that has keys of its own name speaks with none but those. */
const char *sv_mesh_keys_candidate(const struct sv_mesh_keys *keys,
                                   const struct sv_instance_config *instance, size_t number)
{
    const struct sv_mesh_trust *trust = &keys->trust;
    bool is_named = false;
    for (size_t i = 0; i < trust->count; i++)
        is_named |= has_name(&trust->rows[i], instance);
    if (!is_named && number == 0)
        return keys->pair.public_key.text;
    size_t left = is_named ? number : number - 1;
    for (size_t i = 0; i < trust->count; i++) {
        const struct sv_mesh_trusted *row = &trust->rows[i];
        if (is_named ? has_name(row, instance) : row->name_count == 0)
            if (left-- == 0)
                return row->key.text;
    }
    return NULL;
}

bool sv_mesh_keys_allow(const struct sv_mesh_keys *keys, const char *key,
                        const struct sv_instance_config *instance)
{
    const char *candidate;
    for (size_t i = 0; (candidate = sv_mesh_keys_candidate(keys, instance, i)); i++)
        if (strcmp(candidate, key) == 0)
            return true;
    return false;
}
