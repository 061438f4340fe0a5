/*
 * mesh: the keys of the connections between instances. They are files of this machine, so no daemon
 * is asked; svisord reads a change of the trusted keys by itself.
 *
 * libzmq, which can make a key, is loaded for that alone: linked, it would cost every svctl some
 * milliseconds and megabytes.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/str.h"
#include "ctl.h"
#include "wire/mesh_keys.h"

#define LIBZMQ "libzmq.so.5"

typedef int (*keypair_function)(char *public_key, char *secret_key);

static bool make_pair(struct sv_ctl *ctl, struct sv_mesh_key_pair *ret_pair)
{
    void *library = dlopen(LIBZMQ, RTLD_NOW | RTLD_LOCAL);
    void *symbol = library ? dlsym(library, "zmq_curve_keypair") : NULL;
    keypair_function keypair;
    _Static_assert(sizeof(keypair) == sizeof(symbol), "POSIX: a function fits into a pointer");
    memcpy(&keypair, &symbol, sizeof(keypair));
    bool is_made = symbol && keypair(ret_pair->public_key.text, ret_pair->secret_key.text) == 0;
    if (!library)
        sv_complain(ctl, SV_EXIT_NOT_INSTALLED, "error: cannot make a key without libzmq: %s",
                    dlerror());
    else if (!is_made)
        sv_complain(ctl, SV_EXIT_NOT_INSTALLED,
                    "error: this libzmq has no CURVE, and cannot make a key");
    if (library)
        dlclose(library);
    return is_made;
}

/* The directory of the file, if only that is missing. */
static void make_directory_of(const char *path)
{
    char *copy = strdup(path);
    char *slash = copy ? strrchr(copy, '/') : NULL;
    if (slash && slash != copy) {
        *slash = '\0';
        (void)mkdir(copy, 0755); /* what is wrong, opening the file will say */
    }
    free(copy);
}

/* 0 or negative errno. */
static int write_file(const char *path, int flags, mode_t mode, const struct sv_str *text)
{
    if (!sv_str_ok(text))
        return -ENOMEM;
    make_directory_of(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | flags, mode);
    if (fd < 0)
        return -errno;
    ssize_t n = write(fd, text->data, text->length);
    int r = n < 0 ? -errno : (size_t)n < text->length ? -ENOSPC : fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return r;
}

/* 0 or negative errno. */
static int read_file(const char *path, struct sv_str *ret_text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    int r = 0;
    for (;;) {
        char *end = sv_str_reserve(ret_text, 4096);
        ssize_t n = end ? read(fd, end, 4096) : -1;
        r = !end                                            ? -ENOMEM
            : n < 0                                         ? -errno
            : ret_text->length > SV_MESH_KEY_FILE_BYTES_MAX ? -EFBIG
                                                            : 0;
        if (r < 0 || n == 0)
            break;
        sv_str_grew(ret_text, (size_t)n);
    }
    close(fd);
    return r;
}

static void say_key(const struct sv_mesh_key_pair *pair, const char *path, const char *public_path)
{
    sv_say("%s: a new key; keep it secret", path);
    sv_say("%s: its public half: %s", public_path, pair->public_key.text);
    sv_say("%s", "");
    sv_say("One key for the whole cluster: copy %s to all instances.", path);
    sv_say("Or a key for each: say `svctl mesh keygen` there, too, and on every other instance");
    sv_say("    svctl mesh trust '%s' NAME", pair->public_key.text);
}

static void keygen(struct sv_ctl *ctl, const char *path)
{
    struct sv_mesh_key_pair pair = {0};
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    struct sv_str public_text SV_CLEANUP(sv_str_done) = {0};
    struct sv_str public_path SV_CLEANUP(sv_str_done) = {0};
    if (!make_pair(ctl, &pair))
        return;
    sv_mesh_key_pair_format(&pair, true, &text);
    sv_mesh_key_pair_format(&pair, false, &public_text);
    sv_str_addf(&public_path, "%s.pub", path);
    int r = write_file(path, O_EXCL, 0600, &text);
    explicit_bzero(text.data, text.length);
    if (r == -EEXIST)
        sv_complain(ctl, SV_EXIT_GENERIC,
                    "error: %s is there already; move it away first, if all instances are to get "
                    "another key",
                    path);
    else if (r < 0)
        sv_complain(ctl, SV_EXIT_GENERIC, "error: cannot write %s: %s", path, sv_errno_text(r));
    if (r < 0)
        return;
    r = write_file(sv_str_text(&public_path), O_TRUNC, 0644, &public_text);
    if (r < 0)
        sv_complain(ctl, SV_EXIT_GENERIC, "error: cannot write %s: %s", sv_str_text(&public_path),
                    sv_errno_text(r));
    say_key(&pair, path, sv_str_text(&public_path));
    explicit_bzero(&pair, sizeof(pair));
}

/* The public key in a file that keygen or another tool of ZeroMQ wrote. Says what is wrong. */
static bool read_pair(struct sv_ctl *ctl, const char *path, struct sv_mesh_key_pair *ret_pair)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    struct sv_mesh_key_fault fault;
    int r = read_file(path, &text);
    if (r == 0)
        r = sv_mesh_key_pair_parse(sv_str_text(&text), text.length, ret_pair, &fault);
    if (r < 0)
        sv_complain(ctl, SV_EXIT_GENERIC, "error: %s is no key (40 characters), nor a file: %s",
                    path, sv_errno_text(r));
    else if (r > 0)
        sv_complain(ctl, SV_EXIT_GENERIC, "error: %s, line %u: %s", path, fault.line, fault.why);
    return r == 0;
}

/* The trusted keys; none if there is no file. Says what is wrong. */
static bool read_trust(struct sv_ctl *ctl, struct sv_str *ret_text, struct sv_arena *arena,
                       struct sv_mesh_trust *ret_trust)
{
    struct sv_mesh_key_fault fault;
    int r = read_file(ctl->mesh_trust, ret_text);
    if (r == 0)
        r = sv_mesh_trust_parse(sv_str_text(ret_text), ret_text->length, arena, ret_trust, &fault);
    if (r > 0)
        sv_complain(ctl, SV_EXIT_GENERIC, "error: %s, line %u: %s", ctl->mesh_trust, fault.line,
                    fault.why);
    else if (r < 0 && r != -ENOENT)
        sv_complain(ctl, SV_EXIT_GENERIC, "error: cannot read %s: %s", ctl->mesh_trust,
                    sv_errno_text(r));
    return r == 0 || r == -ENOENT;
}

static bool has_name(const struct sv_mesh_trusted *row, const char *name)
{
    for (size_t i = 0; i < row->name_count; i++)
        if (strcmp(row->names[i], name) == 0)
            return true;
    return false;
}

/* Is it there already, with all of these names? */
static bool is_trusted(const struct sv_mesh_trust *trust, const char *key, const char **names,
                       size_t name_count)
{
    for (size_t i = 0; i < trust->count; i++) {
        const struct sv_mesh_trusted *row = &trust->rows[i];
        size_t found = 0;
        while (found < name_count && has_name(row, names[found]))
            found++;
        if (strcmp(row->key.text, key) == 0 && found == name_count &&
            (name_count > 0 || row->name_count == 0))
            return true;
    }
    return false;
}

static void trust(struct sv_ctl *ctl, const char *word, const char **names, size_t name_count)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    struct sv_str line SV_CLEANUP(sv_str_done) = {0};
    struct sv_arena arena SV_CLEANUP(sv_arena_done) = {0};
    struct sv_mesh_trust trusted = {0};
    struct sv_mesh_key_pair pair = {0};
    if (!sv_mesh_key_parse(word, strlen(word), &pair.public_key) && !read_pair(ctl, word, &pair))
        return;
    if (!read_trust(ctl, &text, &arena, &trusted))
        return;
    if (is_trusted(&trusted, pair.public_key.text, names, name_count)) {
        sv_say("%s: trusted already", pair.public_key.text);
        return;
    }
    if (text.length > 0 && text.data[text.length - 1] != '\n')
        sv_str_add_char(&line, '\n');
    sv_str_add(&line, pair.public_key.text);
    for (size_t i = 0; i < name_count; i++)
        sv_str_addf(&line, " %s", names[i]);
    sv_str_add_char(&line, '\n');
    int r = write_file(ctl->mesh_trust, O_APPEND, 0644, &line);
    if (r < 0)
        sv_complain(ctl, SV_EXIT_GENERIC, "error: cannot write %s: %s", ctl->mesh_trust,
                    sv_errno_text(r));
    else
        sv_say("%s: trusted from now on, for %s", pair.public_key.text,
               name_count > 0 ? names[0] : "every instance that has no key of its own");
}

static json_t *json_of(const char *key, const struct sv_mesh_trusted *row)
{
    json_t *names = json_array();
    for (size_t i = 0; row && i < row->name_count; i++)
        json_array_append_new(names, json_string(row->names[i]));
    return json_pack("{s:s, s:o, s:b}", "key", key, "names", names, "own", !row);
}

static void list(struct sv_ctl *ctl, bool is_json)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    struct sv_arena arena SV_CLEANUP(sv_arena_done) = {0};
    struct sv_mesh_trust trusted = {0};
    struct sv_mesh_key_pair pair = {0};
    bool has_key = access(ctl->mesh_key, F_OK) == 0;
    if ((has_key && !read_pair(ctl, ctl->mesh_key, &pair)) ||
        !read_trust(ctl, &text, &arena, &trusted))
        return;
    if (is_json) {
        json_t *rows = json_array();
        if (has_key)
            json_array_append_new(rows, json_of(pair.public_key.text, NULL));
        for (size_t i = 0; i < trusted.count; i++)
            json_array_append_new(rows, json_of(trusted.rows[i].key.text, &trusted.rows[i]));
        sv_say_json(ctl, rows);
        return;
    }
    if (has_key)
        sv_say("%s  (own, %s)", pair.public_key.text, ctl->mesh_key);
    else
        sv_say("no own key in %s; `svctl mesh keygen` makes one", ctl->mesh_key);
    for (size_t i = 0; i < trusted.count; i++) {
        const struct sv_mesh_trusted *row = &trusted.rows[i];
        struct sv_str names SV_CLEANUP(sv_str_done) = {0};
        for (size_t j = 0; j < row->name_count; j++)
            sv_str_addf(&names, "%s%s", j > 0 ? " " : "", row->names[j]);
        sv_say("%s  %s", row->key.text, row->name_count > 0 ? sv_str_text(&names) : "(any)");
    }
}

enum sv_verdict sv_command_mesh(struct sv_ctl *ctl, const struct sv_arguments *arguments)
{
    const char **words = arguments->words;
    size_t count = arguments->word_count;
    const char *what = count > 0 ? words[0] : "";
    if (strcmp(what, "keygen") == 0 && count <= 2)
        keygen(ctl, count == 2 ? words[1] : ctl->mesh_key);
    else if (strcmp(what, "trust") == 0 && count >= 2)
        trust(ctl, words[1], words + 2, count - 2);
    else if (strcmp(what, "list") == 0 && count == 1)
        list(ctl, arguments->options & SV_OPTION_JSON);
    else {
        sv_complain(ctl, SV_EXIT_GENERIC, "Error: mesh wants keygen, trust or list");
        sv_say_usage("mesh");
    }
    return SV_VERDICT_DONE;
}
