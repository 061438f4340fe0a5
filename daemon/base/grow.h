/* Memory without which there is no going on. See grow.c. */
#ifndef SV_BASE_GROW_H
#define SV_BASE_GROW_H

#include <stddef.h>

/* Zeroed. Never NULL. */
void *sv_allocate(size_t count, size_t size);
/* The array with room for at least `count` items, the new ones zeroed; updates *capacity. */
void *sv_grow(void *items, size_t *capacity, size_t count, size_t size);

#endif
