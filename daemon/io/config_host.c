/*
 * The real sv_config_host. Traps of the calls below:
 *
 * - A configuration may name a directory, a FIFO or /dev/zero. open() of a FIFO without a writer
 * blocks, so files are opened with O_NONBLOCK and only regular ones are read; a pipe in
 * /proc/self/fd (shell's
 *   "-c <(…)") is let through, for its writer exists.
 * - st_size is a hint: files of /proc say 0, and a file may grow. The bound is on what is read.
 * - glob() sorts with strcoll(); Supervisor sorts by code point, so this sorts by itself.
 * GLOB_NOESCAPE: Python's glob knows no backslash.
 * - getpwnam_r() wants a buffer of unknown size: it grows on ERANGE, up to a megabyte (an LDAP
 * group with ten thousand members needs several hundred kilobytes).
 */
#include "io/config_host.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "config/cmdline.h"
#include "config/pytext.h"

enum { READ_BYTES = 65536, RECORD_BYTES_FIRST = 4096, RECORD_BYTES_MAX = 1 << 20 };

struct machine {
    struct utsname names;
    char *directory;
    char *home;
    char **environ;
    struct sv_arena arena; /* of what the search found */
};

static void close_file(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static int read_all(int fd, struct sv_str *ret_text)
{
    size_t start = ret_text->length;
    for (;;) {
        char *end = sv_str_reserve(ret_text, READ_BYTES);
        if (!end)
            return -ENOMEM;
        ssize_t bytes = read(fd, end, READ_BYTES);
        if (bytes < 0 && errno == EINTR)
            continue;
        if (bytes < 0)
            return -errno;
        if (bytes == 0)
            return 0;
        sv_str_grew(ret_text, (size_t)bytes);
        if (ret_text->length - start > SV_CONFIG_FILE_BYTES_MAX)
            return -EFBIG;
    }
}

static int read_file(void *user, const char *path, struct sv_str *ret_text)
{
    (void)user;
    int fd SV_CLEANUP(close_file) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    struct stat status;
    if (fstat(fd, &status) < 0)
        return -errno;
    if (S_ISDIR(status.st_mode))
        return -EISDIR;
    bool is_pipe = S_ISFIFO(status.st_mode) && strncmp(path, "/dev/fd/", 8) == 0;
    if (!S_ISREG(status.st_mode) && !is_pipe)
        return -EINVAL;
    if (is_pipe && fcntl(fd, F_SETFL, O_RDONLY) < 0)
        return -errno;
    size_t start = ret_text->length;
    int r = read_all(fd, ret_text);
    if (r < 0 && sv_str_ok(ret_text))
        sv_str_truncate(ret_text, start);
    return r;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int find_files(void *user, const char *pattern,
                      void (*found)(void *found_user, const char *path), void *found_user)
{
    (void)user;
    glob_t files = {0};
    int r = glob(pattern, GLOB_NOSORT | GLOB_NOESCAPE, NULL, &files);
    if (r == 0) {
        qsort(files.gl_pathv, files.gl_pathc, sizeof(*files.gl_pathv), compare_paths);
        for (size_t i = 0; i < files.gl_pathc; i++)
            found(found_user, files.gl_pathv[i]);
    }
    globfree(&files);
    if (r == 0 || r == GLOB_NOMATCH)
        return 0;
    return r == GLOB_NOSPACE ? -ENOMEM : -EIO;
}

static bool is_directory(void *user, const char *path)
{
    (void)user;
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* A number as Python's int() reads it; false: a name, or a number that is no id. */
static bool parse_id(const char *text, bool *ret_is_number, uint32_t *ret_id)
{
    int64_t number;
    *ret_is_number = sv_py_int(text, strlen(text), 10, &number) != SV_PY_INT_E_FORM;
    if (!*ret_is_number || number < 0 || number >= SV_ID_NONE)
        return false;
    *ret_id = (uint32_t)number;
    return true;
}

static bool find_user(void *user, const char *name, uint32_t *ret_uid, uint32_t *ret_gid)
{
    (void)user;
    uint32_t id;
    bool is_number;
    bool is_id = parse_id(name, &is_number, &id);
    for (size_t bytes = RECORD_BYTES_FIRST; bytes <= RECORD_BYTES_MAX; bytes *= 4) {
        struct passwd record;
        struct passwd *found = NULL;
        char *buffer = malloc(bytes);
        if (!buffer || (is_number && !is_id)) {
            free(buffer);
            return false;
        }
        int r = is_id ? getpwuid_r(id, &record, buffer, bytes, &found)
                      : getpwnam_r(name, &record, buffer, bytes, &found);
        if (found) {
            *ret_uid = found->pw_uid;
            *ret_gid = found->pw_gid;
        }
        free(buffer);
        if (r != ERANGE)
            return found != NULL;
    }
    return false;
}

static bool find_group(void *user, const char *name, uint32_t *ret_gid)
{
    (void)user;
    uint32_t id;
    bool is_number;
    bool is_id = parse_id(name, &is_number, &id);
    for (size_t bytes = RECORD_BYTES_FIRST; bytes <= RECORD_BYTES_MAX; bytes *= 4) {
        struct group record;
        struct group *found = NULL;
        char *buffer = malloc(bytes);
        if (!buffer || (is_number && !is_id)) {
            free(buffer);
            return false;
        }
        int r = is_id ? getgrgid_r(id, &record, buffer, bytes, &found)
                      : getgrnam_r(name, &record, buffer, bytes, &found);
        if (found)
            *ret_gid = found->gr_gid;
        free(buffer);
        if (r != ERANGE)
            return found != NULL;
    }
    return false;
}

/* $HOME, or else what the user database says, as Python's expanduser() does. */
static char *home_directory(void)
{
    const char *home = getenv("HOME");
    if (home)
        return strdup(home);
    char buffer[RECORD_BYTES_FIRST];
    struct passwd record;
    struct passwd *found = NULL;
    if (getpwuid_r(getuid(), &record, buffer, sizeof(buffer), &found) != 0 || !found)
        return NULL;
    return strdup(found->pw_dir);
}

static char **copy_environ(void)
{
    size_t count = 0;
    while (environ && environ[count])
        count++;
    char **copy = calloc(count + 1, sizeof(*copy));
    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = strdup(environ[i]);
        if (copy[i])
            continue;
        while (i > 0)
            free(copy[--i]);
        free(copy);
        return NULL;
    }
    return copy;
}

/* The first of Python's tempfile.gettempdir() that is a directory this process may write to. */
static const char *temporary_directory(const char *current)
{
    const char *candidates[] = {getenv("TMPDIR"), getenv("TEMP"), getenv("TMP"),
                                "/tmp",           "/var/tmp",     "/usr/tmp"};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(candidates); i++)
        if (candidates[i] && *candidates[i] && is_directory(NULL, candidates[i]) &&
            access(candidates[i], W_OK | X_OK) == 0)
            return candidates[i];
    return current;
}

static void free_machine(struct machine *machine)
{
    for (size_t i = 0; machine->environ && machine->environ[i]; i++)
        free(machine->environ[i]);
    free(machine->environ);
    free(machine->directory);
    free(machine->home);
    sv_arena_done(&machine->arena);
    free(machine);
}

int sv_config_host_open(struct sv_config_host *ret_host)
{
    struct machine *machine = calloc(1, sizeof(*machine));
    if (!machine)
        return -ENOMEM;
    machine->directory = getcwd(NULL, 0);
    machine->environ = machine->directory ? copy_environ() : NULL;
    if (!machine->environ) {
        int error = errno;
        free_machine(machine);
        return -error;
    }
    uname(&machine->names); /* cannot fail: the pointer is good */
    machine->home = home_directory();
    *ret_host = (struct sv_config_host){
        .user = machine,
        .read_file = read_file,
        .glob = find_files,
        .is_directory = is_directory,
        .find_user = find_user,
        .find_group = find_group,
        .environ = (const char *const *)machine->environ,
        .host_name = machine->names.nodename,
        .directory = machine->directory,
        .temporary_directory = temporary_directory(machine->directory),
        .home_directory = machine->home,
        .uid = getuid(),
    };
    return 0;
}

void sv_config_host_close(struct sv_config_host *host)
{
    if (host->user)
        free_machine(host->user);
    *host = (struct sv_config_host){0};
}

const char *sv_config_host_search(struct sv_config_host *host, const char *program,
                                  struct sv_str *ret_problem)
{
    struct machine *machine = host->user;
    const char *const *paths = sv_cmdline_search_path(&machine->arena, program);
    for (size_t i = 0; paths && paths[i]; i++)
        if (access(paths[i], F_OK) == 0)
            return paths[i];
    sv_str_add(ret_problem, "No config file found at default paths (");
    for (size_t i = 0; paths && paths[i]; i++)
        sv_str_addf(ret_problem, "%s%s", i == 0 ? "" : ", ", paths[i]);
    sv_str_add(ret_problem, "); use the -c option to specify a config file at a different path");
    return NULL;
}
