#include "base/blob.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct sv_blob *sv_blob_new(const void *data, size_t length)
{
    if (length > SIZE_MAX - sizeof(struct sv_blob) - 1)
        return NULL;
    struct sv_blob *blob = malloc(sizeof(*blob) + length + 1);
    if (!blob)
        return NULL;
    blob->reference_count = 1;
    blob->length = length;
    if (length > 0)
        memcpy(blob->data, data, length);
    blob->data[length] = '\0';
    return blob;
}

struct sv_blob *sv_blob_ref(struct sv_blob *blob)
{
    assert(blob->reference_count < UINT32_MAX);
    blob->reference_count++;
    return blob;
}

void sv_blob_unref(struct sv_blob *blob)
{
    if (!blob)
        return;
    assert(blob->reference_count > 0);
    if (--blob->reference_count == 0)
        free(blob);
}
