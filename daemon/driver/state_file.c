/* The name of a file of state, and what is said of one that does not work. */
#include "driver/state_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "driver/internal.h"
#include "io/append_file.h"

struct sv_state_file {
    struct sv_append_file *file;
    const char *contents;
    bool has_complained;
};

static int name_file(const struct sv_driver *driver, const char *suffix, struct sv_str *ret_path)
{
    const struct sv_daemon_config *daemon = &driver->config->daemon;
    const char *slash = strrchr(daemon->pidfile, '/');
    if (daemon->state_directory)
        sv_str_add(ret_path, daemon->state_directory);
    else
        sv_str_append(ret_path, daemon->pidfile, slash ? (size_t)(slash - daemon->pidfile) : 0);
    sv_str_add_char(ret_path, '/');
    for (const char *at = daemon->identifier; *at; at++)
        sv_str_add_char(ret_path, *at == '/' ? '_' : *at);
    sv_str_add(ret_path, suffix);
    return sv_str_ok(ret_path) ? 0 : -ENOMEM;
}

int sv_state_file_new(const struct sv_driver *driver, const char *suffix, const char *contents,
                      struct sv_state_file **ret_file)
{
    struct sv_str path SV_CLEANUP(sv_str_done) = {0};
    struct sv_state_file *file = calloc(1, sizeof(*file));
    if (!file)
        return -ENOMEM;
    file->contents = contents;
    int r = name_file(driver, suffix, &path);
    if (r == 0)
        r = sv_append_file_new(path.data, &file->file);
    if (r < 0) {
        sv_state_file_free(file);
        return r;
    }
    *ret_file = file;
    return 0;
}

void sv_state_file_free(struct sv_state_file *file)
{
    if (!file)
        return;
    sv_append_file_free(file->file);
    free(file);
}

/* `result` of what was done to it; true: it was done. */
static bool is_done(struct sv_state_file *file, int result)
{
    if (result < 0 && !file->has_complained) {
        sv_log_error("%s will not outlive this daemon: %s: %s; see state_directory in [svisor]",
                     file->contents, sv_append_file_path(file->file), sv_errno_text(result));
        file->has_complained = true;
    }
    return result >= 0;
}

void sv_state_file_read(struct sv_state_file *file, size_t bytes_max, struct sv_str *ret_bytes)
{
    is_done(file, sv_append_file_read(file->file, bytes_max, ret_bytes));
}

bool sv_state_file_add(struct sv_state_file *file, const struct sv_str *bytes)
{
    return is_done(file, sv_str_ok(bytes)
                             ? sv_append_file_add(file->file, bytes->data, bytes->length)
                             : -ENOMEM);
}

bool sv_state_file_replace(struct sv_state_file *file, const struct sv_str *bytes)
{
    return is_done(file, sv_str_ok(bytes)
                             ? sv_append_file_replace(file->file, sv_str_text(bytes), bytes->length)
                             : -ENOMEM);
}

uint64_t sv_state_file_length(const struct sv_state_file *file)
{
    return sv_append_file_length(file->file);
}
