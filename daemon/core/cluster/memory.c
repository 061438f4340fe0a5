/*
 * Memory for the cluster: grown in steps, because what there is to know grows with what others tell
 * (STYLE 24 is for what a configuration decides).
 */
#include <stdlib.h>
#include <string.h>

#include "core/cluster/internal.h"

enum { FIRST_CAPACITY = 4 };

void *sv_allocate(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        abort();
    return memory;
}

void *sv_grow(void *items, size_t *capacity, size_t count, size_t size)
{
    if (count <= *capacity)
        return items;
    size_t wanted = *capacity ? *capacity : FIRST_CAPACITY;
    while (wanted < count)
        wanted = wanted <= SIZE_MAX / 2 ? wanted * 2 : count;
    char *grown = wanted <= SIZE_MAX / size ? realloc(items, wanted * size) : NULL;
    if (!grown)
        abort();
    memset(grown + *capacity * size, 0, (wanted - *capacity) * size);
    *capacity = wanted;
    return grown;
}

void sv_row_copy(const struct sv_mesh_process *row, struct sv_mesh_process *ret_row,
                 char **ret_texts)
{
    struct sv_mesh_process copy = *row;
    const char **texts[] = {&copy.application,     &copy.name,
                            &copy.spawnerr,        &copy.description,
                            &copy.extra_arguments, &copy.program_name};
    enum { TEXT_COUNT = sizeof(texts) / sizeof(texts[0]) };
    size_t sizes[TEXT_COUNT];
    size_t bytes = 0;
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        if (!*texts[i])
            *texts[i] = "";
        sizes[i] = strlen(*texts[i]) + 1;
        bytes += sizes[i];
    }
    char *block = sv_allocate(bytes, 1);
    char *next = block;
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        memcpy(next, *texts[i], sizes[i]);
        *texts[i] = next;
        next += sizes[i];
    }
    *ret_row = copy;
    *ret_texts = block;
}
