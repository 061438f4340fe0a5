/* For tests that need real files: a directory of their own, and what is in its files. */
#ifndef SV_IO_SCRATCH_TEST_H
#define SV_IO_SCRATCH_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

struct scratch {
    char directory[64];
    char *path[6]; /* of scratch_path(): as many as a test uses at once */
    unsigned next;
};

static inline int scratch_setup(void **state)
{
    struct scratch *scratch = calloc(1, sizeof(*scratch));
    if (!scratch)
        return -1;
    snprintf(scratch->directory, sizeof(scratch->directory), "/tmp/svisor-test-XXXXXX");
    *state = scratch;
    return mkdtemp(scratch->directory) ? 0 : -1;
}

static inline int scratch_teardown(void **state)
{
    struct scratch *scratch = *state;
    DIR *directory = opendir(scratch->directory);
    for (struct dirent *entry = directory ? readdir(directory) : NULL; entry;
         entry = readdir(directory))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(dirfd(directory), entry->d_name, 0);
    if (directory)
        closedir(directory);
    rmdir(scratch->directory);
    for (size_t i = 0; i < 6; i++)
        free(scratch->path[i]);
    free(scratch);
    return 0;
}

static inline const char *scratch_path(struct scratch *scratch, const char *name)
{
    char *path;
    assert_true(asprintf(&path, "%s/%s", scratch->directory, name) > 0);
    char **slot = &scratch->path[scratch->next++ % 6];
    free(*slot);
    *slot = path;
    return path;
}

static inline void scratch_write(struct scratch *scratch, const char *name, const char *text)
{
    int fd = open(scratch_path(scratch, name), O_WRONLY | O_CREAT | O_APPEND, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static inline bool scratch_exists(struct scratch *scratch, const char *name)
{
    return access(scratch_path(scratch, name), F_OK) == 0;
}

static inline size_t scratch_size(struct scratch *scratch, const char *name)
{
    struct stat status;
    assert_int_equal(stat(scratch_path(scratch, name), &status), 0);
    return (size_t)status.st_size;
}

/* The text of a small file must be exactly this one. */
static inline void assert_file(struct scratch *scratch, const char *name, const char *expected)
{
    char text[4096];
    int fd = open(scratch_path(scratch, name), O_RDONLY);
    assert_true(fd >= 0);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    assert_true(n >= 0);
    text[n] = '\0';
    assert_string_equal(text, expected);
}

#endif
