/*
 * The disabilities_file of Supvisors: one JSON object, {"program": true if it is disabled, …}, of
 * all programs that were ever configured. Supvisors reads and writes the same file.
 *
 * It is replaced as a whole, so that no crash leaves half of it: Supvisors, which writes in place,
 * would not start again with that. Its directory is made if it is missing.
 *
 * jansson: an object keeps the order in which keys came, and json_object_set() of a present key
 * does not change it. So a file that nobody changed is written with the same bytes.
 */
#include "io/disabilities.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/log.h"
#include "io/append_file.h"

struct sv_disabilities {
    struct sv_append_file *file; /* NULL: none is configured */
    json_t *programs;
    bool is_dirty;
};

static int broken(const struct sv_disabilities *disabilities, const char *why,
                  struct sv_str *ret_problem)
{
    sv_str_addf(ret_problem,
                "disabilities_file %s cannot be read: %s; repair it, or remove it to have all "
                "programs enabled",
                sv_append_file_path(disabilities->file), why);
    return SV_DISABILITIES_E_BROKEN;
}

static int parse(struct sv_disabilities *disabilities, const struct sv_str *text,
                 struct sv_str *ret_problem)
{
    json_error_t error;
    json_t *read = json_loadb(sv_str_text(text), text->length, JSON_DECODE_ANY, &error);
    if (!read) {
        struct sv_str why SV_CLEANUP(sv_str_done) = {0};
        sv_str_addf(&why, "line %d: %s", error.line, error.text);
        return broken(disabilities, sv_str_text(&why), ret_problem);
    }
    if (json_is_object(read)) {
        json_decref(disabilities->programs);
        disabilities->programs = read;
        return 0;
    }
    sv_log_warn("disabilities_file %s has no JSON object and is not regarded",
                sv_append_file_path(disabilities->file));
    json_decref(read);
    return 0;
}

static int read_file(struct sv_disabilities *disabilities, struct sv_str *ret_problem)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    int r = sv_append_file_read(disabilities->file, SV_DISABILITIES_BYTES_MAX, &text);
    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return broken(disabilities, sv_errno_text(r), ret_problem);
    if (sv_append_file_length(disabilities->file) > SV_DISABILITIES_BYTES_MAX)
        return broken(disabilities, "it is too long", ret_problem);
    return text.length > 0 ? parse(disabilities, &text, ret_problem) : 0;
}

int sv_disabilities_open(const char *path, struct sv_str *ret_problem,
                         struct sv_disabilities **ret_disabilities)
{
    struct sv_disabilities *disabilities = calloc(1, sizeof(*disabilities));
    if (!disabilities)
        return -ENOMEM;
    disabilities->programs = json_object();
    int r = disabilities->programs ? 0 : -ENOMEM;
    if (r == 0 && path)
        r = sv_append_file_new(path, &disabilities->file);
    if (r == 0 && path)
        r = read_file(disabilities, ret_problem);
    if (r != 0) {
        sv_disabilities_free(disabilities);
        return r;
    }
    *ret_disabilities = disabilities;
    return 0;
}

void sv_disabilities_free(struct sv_disabilities *disabilities)
{
    if (!disabilities)
        return;
    sv_append_file_free(disabilities->file);
    json_decref(disabilities->programs);
    free(disabilities);
}

bool sv_disabilities_has(const struct sv_disabilities *disabilities, const char *program)
{
    return json_is_true(json_object_get(disabilities->programs, program));
}

void sv_disabilities_tell(const struct sv_disabilities *disabilities,
                          void (*function)(void *user, const char *program), void *user)
{
    const char *program;
    json_t *value;
    json_object_foreach(disabilities->programs, program, value) if (json_is_true(value))
        function(user, program);
}

int sv_disabilities_know(struct sv_disabilities *disabilities, const char *program)
{
    if (json_object_get(disabilities->programs, program))
        return 0;
    return sv_disabilities_put(disabilities, program, false);
}

int sv_disabilities_put(struct sv_disabilities *disabilities, const char *program, bool is_disabled)
{
    json_t *value = json_boolean(is_disabled);
    if (json_equal(json_object_get(disabilities->programs, program), value))
        return 0;
    if (json_object_set_new(disabilities->programs, program, value) < 0)
        return -ENOMEM;
    disabilities->is_dirty = true;
    return 0;
}

static void make_directories(const char *path)
{
    struct sv_str directory SV_CLEANUP(sv_str_done) = {0};
    for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        sv_str_clear(&directory);
        sv_str_append(&directory, path, (size_t)(slash - path));
        (void)mkdir(sv_str_text(&directory), 0777); /* if it failed, the file cannot be written */
    }
}

int sv_disabilities_save(struct sv_disabilities *disabilities)
{
    if (!disabilities->file || !disabilities->is_dirty)
        return 0;
    char *text = json_dumps(disabilities->programs, JSON_ENSURE_ASCII);
    if (!text)
        return -ENOMEM;
    int r = sv_append_file_replace(disabilities->file, text, strlen(text));
    if (r == -ENOENT) {
        make_directories(sv_append_file_path(disabilities->file));
        r = sv_append_file_replace(disabilities->file, text, strlen(text));
    }
    free(text);
    disabilities->is_dirty = r < 0;
    return r;
}
