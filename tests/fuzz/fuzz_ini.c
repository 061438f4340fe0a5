/* Any bytes are an ini file: no crash, and every key has a value and a place. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "config/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sv_ini ini = {0};
    struct sv_diag diag = {0};
    /* Twice: the second reading merges into the first, as an included file does. */
    sv_ini_parse(&ini, "one", (const char *)data, size, &diag);
    sv_ini_parse(&ini, "two", (const char *)data, size, &diag);
    sv_map_foreach (section_entry, &ini.sections) {
        const struct sv_ini_section *section = section_entry->value;
        sv_map_foreach (entry, &section->keys) {
            const struct sv_ini_key *key = entry->value;
            assert(key->value && key->place.line > 0 && key->place.file);
        }
    }
    sv_ini_done(&ini);
    sv_diag_done(&diag);
    return 0;
}
