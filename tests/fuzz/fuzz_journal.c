/* The journal that an earlier daemon left: whatever stands in the file, reading it ends and stays
 * in bounds. */
#include <stddef.h>
#include <stdint.h>

#include "wire/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sv_str texts = {0}, again = {0};
    struct sv_journal_entry entry = {0};
    size_t offset = 0;
    uint32_t version;
    (void)sv_journal_version((const char *)data, size, &version, &again);
    int r;
    while ((r = sv_journal_decode((const char *)data, size, &offset, &texts, &entry)) == 0 ||
           r == SV_JOURNAL_UNKNOWN) {
        sv_str_clear(&again);
        if (r == 0)
            sv_journal_encode(&entry, &again);
    }
    sv_str_done(&texts);
    sv_str_done(&again);
    return 0;
}
