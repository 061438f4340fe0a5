#include "io/cursors.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <svisor/limits.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/str.h"

enum { FILE_BYTES = SV_CURSORS_MAX * (int)sizeof(int64_t) };

struct sv_cursors {
    int64_t *numbers;
    bool is_taken[SV_CURSORS_MAX];
};

/* Allocated before it is mapped: a full disk is an error here and no SIGBUS later. */
static int map_file(const char *path, int64_t **ret_numbers)
{
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int r = -posix_fallocate(fd, 0, FILE_BYTES);
    void *numbers =
        r < 0 ? MAP_FAILED : mmap(NULL, FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (r == 0 && numbers == MAP_FAILED)
        r = -errno;
    close(fd);
    if (r == 0)
        *ret_numbers = numbers;
    return r;
}

int sv_cursors_open(const char *directory, struct sv_cursors **ret_cursors)
{
    struct sv_str path SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&path, "%s/" SV_CURSORS_FILE, directory);
    struct sv_cursors *cursors = calloc(1, sizeof(*cursors));
    int r = cursors && sv_str_ok(&path) ? map_file(sv_str_text(&path), &cursors->numbers) : -ENOMEM;
    if (r < 0) {
        free(cursors);
        return error_trace(r);
    }
    *ret_cursors = cursors;
    return 0;
}

void sv_cursors_free(struct sv_cursors *cursors)
{
    if (!cursors)
        return;
    munmap(cursors->numbers, FILE_BYTES);
    free(cursors);
}

uint32_t sv_cursors_take(struct sv_cursors *cursors)
{
    for (uint32_t cursor = 1; cursor <= SV_CURSORS_MAX; cursor++)
        if (sv_cursors_adopt(cursors, cursor))
            return cursor;
    return 0;
}

bool sv_cursors_adopt(struct sv_cursors *cursors, uint32_t cursor)
{
    if (cursor == 0 || cursor > SV_CURSORS_MAX || cursors->is_taken[cursor - 1])
        return false;
    cursors->is_taken[cursor - 1] = true;
    return true;
}

void sv_cursors_release(struct sv_cursors *cursors, uint32_t cursor)
{
    if (cursor != 0)
        cursors->is_taken[cursor - 1] = false;
}

int64_t *sv_cursors_at(struct sv_cursors *cursors, uint32_t cursor)
{
    assert(cursor >= 1 && cursor <= SV_CURSORS_MAX);
    return &cursors->numbers[cursor - 1];
}
