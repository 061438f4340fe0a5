/* A machine in memory, for the tests and the fuzzer of the loader: no file system, two users. */
#ifndef SV_CONFIG_MEMORY_HOST_TEST_H
#define SV_CONFIG_MEMORY_HOST_TEST_H

#include <errno.h>
#include <string.h>

#include "config/load.h"

struct memory_file {
    const char *path;
    const char *text; /* NULL: a directory */
    size_t length;    /* 0: strlen(text) */
};

struct memory_machine {
    struct memory_file files[8];
};

static inline int memory_read_file(void *user, const char *path, struct sv_str *ret_text)
{
    const struct memory_machine *machine = user;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(machine->files) && machine->files[i].path; i++) {
        const struct memory_file *file = &machine->files[i];
        if (strcmp(file->path, path) != 0)
            continue;
        if (!file->text)
            return -EISDIR;
        sv_str_append(ret_text, file->text, file->length ? file->length : strlen(file->text));
        return 0;
    }
    return -ENOENT;
}

/* A pattern is a path, or a beginning and a star. */
static inline int memory_glob(void *user, const char *pattern,
                              void (*found)(void *found_user, const char *path), void *found_user)
{
    const struct memory_machine *machine = user;
    const char *star = strchr(pattern, '*');
    for (size_t i = 0; i < SV_ARRAY_LENGTH(machine->files) && machine->files[i].path; i++) {
        const char *path = machine->files[i].path;
        if (star ? strncmp(path, pattern, (size_t)(star - pattern)) == 0
                 : strcmp(path, pattern) == 0)
            found(found_user, path);
    }
    return 0;
}

static inline bool memory_is_directory(void *user, const char *path)
{
    (void)user;
    return strcmp(path, "/tmp") == 0 || strcmp(path, "/etc") == 0 || strcmp(path, "/") == 0;
}

static inline bool memory_find_user(void *user, const char *name, uint32_t *ret_uid,
                                    uint32_t *ret_gid)
{
    (void)user;
    bool is_root = strcmp(name, "root") == 0 || strcmp(name, "0") == 0;
    if (!is_root && strcmp(name, "web") != 0)
        return false;
    *ret_uid = is_root ? 0 : 33;
    *ret_gid = is_root ? 0 : 34;
    return true;
}

static inline bool memory_find_group(void *user, const char *name, uint32_t *ret_gid)
{
    (void)user;
    *ret_gid = 34;
    return strcmp(name, "web") == 0;
}

static inline struct sv_config_host memory_host(struct memory_machine *machine)
{
    static const char *const variables[] = {"HOME=/root", "LANG=C", NULL};
    return (struct sv_config_host){.user = machine,
                                   .read_file = memory_read_file,
                                   .glob = memory_glob,
                                   .is_directory = memory_is_directory,
                                   .find_user = memory_find_user,
                                   .find_group = memory_find_group,
                                   .environ = variables,
                                   .host_name = "node1",
                                   .directory = "/tmp",
                                   .temporary_directory = "/tmp",
                                   .home_directory = "/root"};
}

#endif
