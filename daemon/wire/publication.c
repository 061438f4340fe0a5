/*
 * What subscribers ask for, in the two ways in which they may say it. Both come from outside and
 * are only ever compared with the table: nothing of them is kept.
 */
#include "wire/publication.h"

#include <string.h>

#include "base/attr.h"

static const char *const names[] = {
#define PUBLICATION(tag, name, kind, doc) [SV_PUBLICATION_##tag] = name,
#include "svisor/publications.def"
};
_Static_assert(SV_ARRAY_LENGTH(names) == SV_PUBLICATION_COUNT, "a name for each header");
_Static_assert(SV_PUBLICATION_COUNT <= 32, "a bit for each header");

enum { CLASSIC = 1, OWN = 0 };

const char *sv_publication_name(enum sv_publication header)
{
    return names[header];
}

sv_publication_set sv_publication_classic(void)
{
    sv_publication_set set = 0;
#define PUBLICATION(tag, name, kind, doc) set |= (sv_publication_set)kind << SV_PUBLICATION_##tag;
#include "svisor/publications.def"
    return set;
}

static sv_publication_set of_word(const char *word, size_t length)
{
    static const char all[] = "all";
    if (length == sizeof(all) - 1 && memcmp(word, all, length) == 0)
        return sv_publication_classic();
    for (unsigned i = 0; i < SV_PUBLICATION_COUNT; i++)
        if (strlen(names[i]) == length && memcmp(names[i], word, length) == 0)
            return sv_publication_bit((enum sv_publication)i);
    return 0;
}

sv_publication_set sv_publication_of_path(const char *path)
{
    sv_publication_set set = 0;
    while (*path) {
        size_t length = strcspn(path, "/");
        set |= of_word(path, length);
        path += length + (path[length] == '/');
    }
    return set;
}

struct sv_subscription sv_publication_of_message(const void *bytes, size_t length)
{
    struct sv_subscription subscription = {.kind = SV_SUBSCRIPTION_NONE};
    const unsigned char *kind = bytes;
    if (length == 0 || *kind > 1)
        return subscription;
    const char *text = (const char *)bytes + 1;
    length--;
    subscription.kind = *kind ? SV_SUBSCRIPTION_BEGIN : SV_SUBSCRIPTION_END;
    subscription.headers = length == 0 ? sv_publication_classic() : 0;
    for (unsigned i = 0; length > 0 && i < SV_PUBLICATION_COUNT; i++)
        if (strlen(names[i]) >= length && memcmp(names[i], text, length) == 0)
            subscription.headers |= sv_publication_bit((enum sv_publication)i);
    return subscription;
}
