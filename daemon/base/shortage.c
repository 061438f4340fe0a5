#include "base/shortage.h"

#include "base/attr.h"

enum merge { NEWEST, LARGEST, SUM };

static const struct {
    const char *name;
    const char *text;
    enum sv_notice_type notice;
} kinds[] = {
#define RESOURCE(name, notice, text) [SV_RESOURCE_##name] = {#name, text, SV_NOTICE_##notice},
#define RESOURCE_NUMBER(name, merge, doc)
#include "svisor/resources.def"
#undef RESOURCE
#undef RESOURCE_NUMBER
};
_Static_assert(SV_ARRAY_LENGTH(kinds) == SV_RESOURCE_COUNT, "every resource has a row");

static const struct {
    const char *name;
    enum merge merge;
} numbers[] = {
#define RESOURCE(name, notice, text)
#define RESOURCE_NUMBER(name, merge, doc) [SV_RESOURCE_NUMBER_##name] = {#name, merge},
#include "svisor/resources.def"
#undef RESOURCE
#undef RESOURCE_NUMBER
};
_Static_assert(SV_ARRAY_LENGTH(numbers) == SV_RESOURCE_NUMBER_COUNT, "every number has a row");

struct sv_shortage sv_shortage_of(enum sv_resource resource, uint64_t count)
{
    struct sv_shortage shortage = {.resource = resource, .count = count};
    for (unsigned i = 0; i < SV_RESOURCE_NUMBER_COUNT; i++)
        shortage.numbers[i] = SV_RESOURCE_UNKNOWN;
    return shortage;
}

static int64_t sum(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

void sv_shortage_merge(struct sv_shortage *shortage, const struct sv_shortage *later)
{
    shortage->count =
        later->count > UINT64_MAX - shortage->count ? UINT64_MAX : shortage->count + later->count;
    for (unsigned i = 0; i < SV_RESOURCE_NUMBER_COUNT; i++) {
        int64_t old = shortage->numbers[i];
        int64_t new = later->numbers[i];
        if (new == SV_RESOURCE_UNKNOWN)
            continue;
        if (old == SV_RESOURCE_UNKNOWN || numbers[i].merge == NEWEST)
            shortage->numbers[i] = new;
        else if (numbers[i].merge == SUM)
            shortage->numbers[i] = sum(old, new);
        else if (new > old)
            shortage->numbers[i] = new;
    }
}

const char *sv_resource_name(enum sv_resource resource)
{
    return kinds[resource].name;
}

const char *sv_resource_text(enum sv_resource resource)
{
    return kinds[resource].text;
}

enum sv_notice_type sv_resource_notice(enum sv_resource resource)
{
    return kinds[resource].notice;
}

const char *sv_resource_number_name(enum sv_resource_number number)
{
    return numbers[number].name;
}
