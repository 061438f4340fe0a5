/*
 * Any bytes are a configuration, with the same bytes as the file that it includes: no crash; what
 * is accepted can be described and equals itself.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "config/check.h"
#include "config/memory_host_test.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory_machine machine = {.files = {{"/etc/main.conf", (const char *)data, size},
                                               {"/etc/other.conf", (const char *)data, size},
                                               {"/etc/directory", NULL, 0}}};
    struct sv_config_host host = memory_host(&machine);
    struct sv_diag diag = {0};
    struct sv_str text = {0};
    struct sv_config *config =
        size > 0 ? sv_config_load("/etc/main.conf", &host, NULL, &diag) : NULL;
    assert(size == 0 || (config != NULL) == (diag.error_count == 0));
    if (config) {
        sv_config_describe(config, &text);
        for (size_t i = 0; i < config->group_count; i++) {
            assert(sv_group_config_equal(config->groups[i], config->groups[i]));
            assert(sv_config_group(config, config->groups[i]->name) == config->groups[i]);
        }
    }
    sv_diag_render(&diag, &text);
    sv_str_done(&text);
    sv_diag_done(&diag);
    sv_config_unref(config);
    return 0;
}
