/* A row that is kept: with texts of its own. */
#include <string.h>

#include "core/cluster/internal.h"

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
