/* Any text is a pressure_warn or a fork_rate_warn: no crash, a reason for every refusal, and one
 * form for all texts of one meaning. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config/warn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_again(const struct sv_pressure_bounds *bounds)
{
    struct sv_str once = {0}, twice = {0}, problem = {0};
    struct sv_pressure_bounds again;
    sv_pressure_render(bounds, &once);
    bool is_good = sv_pressure_parse(sv_str_text(&once), &again, &problem);
    assert(is_good);
    sv_pressure_render(&again, &twice);
    assert(strcmp(sv_str_text(&once), sv_str_text(&twice)) == 0);
    sv_str_done(&once);
    sv_str_done(&twice);
    sv_str_done(&problem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    struct sv_str problem = {0};
    struct sv_pressure_bounds bounds;
    bool is_good = sv_pressure_parse(text, &bounds, &problem);
    assert(is_good == (problem.length == 0));
    if (is_good)
        try_again(&bounds);
    uint64_t count = 0, window_ms = 0;
    bool is_rate = sv_fork_rate_parse(text, &count, &window_ms);
    assert(!is_rate || window_ms == 1000 || window_ms == 60000);
    sv_str_done(&problem);
    free(text);
    return 0;
}
