/*
 * Any bytes as the file of deaths. Whatever is found in them can be put into words, and comes back
 * unchanged when it is written and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/death.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_true)
{
    if (!is_true)
        abort();
}

static void check_words(const struct sv_death *death)
{
    struct sv_str text = {0};
    sv_death_paragraph(death, &text);
    sv_death_payload(death, &text);
    check(sv_str_ok(&text));
    sv_str_done(&text);
}

static void check_again(const struct sv_death *death)
{
    struct sv_str bytes = {0};
    struct sv_death back;
    size_t offset = 0;
    sv_death_encode(death, &bytes);
    check(sv_str_ok(&bytes));
    check(sv_death_decode(bytes.data, bytes.length, &offset, &back) == 0);
    check(offset == bytes.length && back.known == death->known);
    check(memcmp(back.numbers, death->numbers, sizeof(back.numbers)) == 0);
    for (size_t i = 0; i < SV_DEATH_TEXT_COUNT; i++) {
        check(back.texts[i].length == death->texts[i].length);
        check(back.texts[i].length == 0 ||
              memcmp(back.texts[i].data, death->texts[i].data, back.texts[i].length) == 0);
    }
    sv_death_done(&back);
    sv_str_done(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t offset = 0, before = 0;
    struct sv_death death;
    while (sv_death_decode((const char *)data, size, &offset, &death) == 0) {
        check(offset > before && offset <= size);
        before = offset;
        check_words(&death);
        check_again(&death);
        sv_death_done(&death);
    }
    check(offset == size || size == 0);
    return 0;
}
