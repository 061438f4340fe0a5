/*
 * A core that cannot write down what it has decided has no error to return: whoever called it would
 * go on as if it had not been decided. So it ends here, and the next daemon takes over.
 *
 * Arrays double, so that adding one by one costs the same for each.
 */
#include "base/grow.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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
