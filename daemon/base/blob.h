/* A shared, immutable piece of bytes: written once, referred to by several queues, freed by the
 * last. */
#ifndef SV_BASE_BLOB_H
#define SV_BASE_BLOB_H

#include <stddef.h>
#include <stdint.h>

struct sv_blob {
    uint32_t reference_count;
    size_t length; /* bytes in data, a NUL follows */
    char data[];
};

/* One reference, held by the caller. NULL without memory. */
struct sv_blob *sv_blob_new(const void *data, size_t length);
struct sv_blob *sv_blob_ref(struct sv_blob *blob);
/* NULL is allowed. */
void sv_blob_unref(struct sv_blob *blob);

#endif
