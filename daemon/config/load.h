/*
 * From text to a `struct sv_config`, or to a list of everything that is wrong with the text.
 *
 * config is pure: it opens no file and asks the system for nothing. What it must know of the
 * machine it asks of a `struct sv_config_host`, which io/config_host.c answers from the real one
 * and a test or a fuzzer answers from memory.
 */
#ifndef SV_CONFIG_LOAD_H
#define SV_CONFIG_LOAD_H

#include "base/str.h"
#include "config/config.h"

struct sv_config_host {
    void *user;
    /* Appends the whole file. 0, -EFBIG above SV_CONFIG_FILE_BYTES_MAX, -EISDIR, or another errno.
     */
    int (*read_file)(void *user, const char *path, struct sv_str *ret_text);
    /* Calls `found` for every path that matches, sorted. 0 also when nothing matches. */
    int (*glob)(void *user, const char *pattern, void (*found)(void *found_user, const char *path),
                void *found_user);
    bool (*is_directory)(void *user, const char *path);
    /* A name or a number, as the user wrote it. False when there is no such user or group. */
    bool (*find_user)(void *user, const char *name, uint32_t *ret_uid, uint32_t *ret_gid);
    bool (*find_group)(void *user, const char *name, uint32_t *ret_gid);
    const char *const *environ; /* "KEY=value", NULL-terminated */
    const char *host_name;      /* %(host_node_name)s */
    const char *directory;      /* the current one, absolute; relative names start here */
    const char *temporary_directory;
    const char *home_directory; /* for ~; may be NULL */
    uint32_t uid; /* of the daemon: a fcgi socket of another user is given to that user */
};

/* What the command line says over the file: NULL or has_* false where it says nothing. Texts are
 * checked by the same rows of options.def as the file's values. */
struct sv_config_overrides {
    const char *values[32]; /* by enum sv_override */
    /* Of Supvisors' update_numprocs: the x of [program:x], and how many processes it has, whatever
     * its section says. NULL: none. */
    const char *counted_program;
    uint32_t numprocs;
};

enum sv_override {
    SV_OVERRIDE_NODAEMON, /* "true" */
    SV_OVERRIDE_SILENT,
    SV_OVERRIDE_USER,
    SV_OVERRIDE_UMASK,
    SV_OVERRIDE_DIRECTORY,
    SV_OVERRIDE_LOGFILE,
    SV_OVERRIDE_LOGFILE_MAXBYTES,
    SV_OVERRIDE_LOGFILE_BACKUPS,
    SV_OVERRIDE_LOGLEVEL,
    SV_OVERRIDE_PIDFILE,
    SV_OVERRIDE_IDENTIFIER,
    SV_OVERRIDE_CHILDLOGDIR,
    SV_OVERRIDE_MINFDS,
    SV_OVERRIDE_MINPROCS,
    SV_OVERRIDE_NOCLEANUP,
    SV_OVERRIDE_STRIP_ANSI,
    SV_OVERRIDE_COUNT
};

/*
 * Reads `file` and all that it includes. Problems go to `diag`, all of them. Returns the
 * configuration with one reference when no problem is an error, NULL otherwise.
 */
struct sv_config *sv_config_load(const char *file, const struct sv_config_host *host,
                                 const struct sv_config_overrides *overrides, struct sv_diag *diag);

/*
 * Reads only what svctl needs: [supervisorctl] and [ctlplugin:x] of `file`, without includes, as
 * supervisorctl does, and where [svisor] has the keys of the mesh. The strings are in `arena`. 0,
 * -EINVAL when a problem in `diag` is an error, or -ENOMEM.
 */
int sv_config_load_ctl(const char *file, const struct sv_config_host *host, struct sv_arena *arena,
                       struct sv_ctl_config *ret, struct sv_diag *diag);

#endif
