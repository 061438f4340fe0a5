/* What a form sends: found, decoded, never longer than it came; and any text as part of an address.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A text that was made part of an address is found again as it was. */
static void there_and_back(const char *text)
{
    struct sv_str form = {0}, value = {0};
    sv_str_add(&form, "a=");
    sv_form_add_escaped(&form, text);
    if (sv_str_ok(&form) && (!sv_form_find(sv_str_text(&form), form.length, "a", &value) ||
                             strcmp(sv_str_text(&value), text) != 0))
        abort();
    sv_str_done(&form);
    sv_str_done(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sv_str value = {0};
    char *form = malloc(size + 1); /* so that a byte too far is seen */
    if (!form)
        return 0;
    if (size > 0)
        memcpy(form, data, size);
    form[size] = '\0';
    if (sv_form_find(form, size, "action", &value) && value.length >= size)
        abort();
    there_and_back(form);
    free(form);
    sv_str_done(&value);
    return 0;
}
