/*
 * The limits of one section: read as rows of options.def like every option, kept as a short sorted
 * list.
 *
 * A [group:x] takes the same keys. What is a file of a cgroup bounds the programs of the group
 * together, and each program may have its own beside it. What a process carries (nice, rlimit_*,
 * oom_score_adjust) has no sense for a directory: there the group's value is what its programs get
 * that do not say otherwise. oom_policy is both: "kill" is a file, "stop" a default.
 *
 * The kernel weighs a directory against those beside it. A program of no [group:x] is alone in the
 * directory of its own group, and its weights would be compared with nobody's: so they are that
 * group's, too.
 */
#include "config/limits.h"

#include <assert.h>
#include <string.h>

#include "base/attr.h"
#include "config/loader.h"

static const struct {
    const char *key;
    enum sv_option_id program;
    enum sv_option_id group;
} rows[] = {
#define LIMIT(name, key_)                                                                          \
    [SV_LIMIT_##name] = {                                                                          \
        .key = #key_, .program = SV_OPTION_PROGRAM_##key_, .group = SV_OPTION_GROUP_##key_},
#include "config/limits.def"
#undef LIMIT
};
_Static_assert(SV_ARRAY_LENGTH(rows) == SV_LIMIT_COUNT, "a row for every limit");

const char *sv_limit_key(enum sv_limit limit)
{
    return rows[limit].key;
}

bool sv_limit_is_of_process(enum sv_limit limit)
{
    return limit >= SV_LIMIT_OOM_SCORE_ADJUST;
}

const struct sv_limit_entry *sv_limits_find(const struct sv_limits *limits, enum sv_limit limit)
{
    for (size_t i = 0; limits && i < limits->count; i++)
        if (limits->items[i].limit == limit)
            return &limits->items[i];
    return NULL;
}

bool sv_limit_entry_equal(const struct sv_limit_entry *a, const struct sv_limit_entry *b)
{
    if (!a || !b)
        return a == b;
    bool is_text = a->limit == SV_LIMIT_IO_MAX || a->limit == SV_LIMIT_CPUSET ||
                   a->limit == SV_LIMIT_PRESSURE_WARN;
    return a->limit == b->limit && a->number == b->number && a->hard == b->hard &&
           (!is_text || strcmp(a->text, b->text) == 0);
}

bool sv_limits_equal(const struct sv_limits *a, const struct sv_limits *b)
{
    for (unsigned i = 0; a != b && i < SV_LIMIT_COUNT; i++)
        if (!sv_limit_entry_equal(sv_limits_find(a, (enum sv_limit)i),
                                  sv_limits_find(b, (enum sv_limit)i)))
            return false;
    return true;
}

enum sv_oom_policy sv_limits_oom_policy(const struct sv_limits *limits)
{
    const struct sv_limit_entry *entry = sv_limits_find(limits, SV_LIMIT_OOM_POLICY);
    return entry ? (enum sv_oom_policy)entry->number : SV_OOM_CONTINUE;
}

/* --- reading --- */

/* What a program takes over from its group where it says nothing. */
static const struct sv_limit_entry *default_of(const struct sv_limits *group, enum sv_limit limit)
{
    const struct sv_limit_entry *entry = sv_limits_find(group, limit);
    if (!entry || sv_limit_is_of_process(limit))
        return entry;
    bool is_stop = limit == SV_LIMIT_OOM_POLICY && entry->number == SV_OOM_STOP;
    return is_stop ? entry : NULL;
}

/* "150%" is what everybody writes: a per cent sign means an expansion only before a parenthesis. */
static struct sv_value get(struct sv_loader *loader, const struct sv_ini_section *section,
                           enum sv_option_id id, const struct sv_scope *scope)
{
    struct sv_value value = sv_loader_raw(loader, section, id);
    enum sv_option_type type = sv_option(id)->type;
    bool is_percent = type == SV_TYPE_PERCENT || type == SV_TYPE_PRESSURE;
    if (!is_percent || !value.text || strstr(value.text, "%("))
        return sv_loader_get(loader, section, id, scope);
    sv_loader_convert(loader, id, &value);
    return value;
}

/* False: nothing is set, or out of memory, which the loader knows. */
static bool read_one(struct sv_loader *loader, enum sv_option_id id, const struct sv_value *value,
                     struct sv_limit_entry *ret_entry)
{
    if (!value->text)
        return false;
    enum sv_option_type type = sv_option(id)->type;
    bool is_integer = type == SV_TYPE_INTEGER, is_boolean = type == SV_TYPE_BOOLEAN;
    ret_entry->number = is_integer   ? (uint64_t)value->integer
                        : is_boolean ? value->boolean
                                     : value->limit.number;
    ret_entry->hard = is_integer || is_boolean ? 0 : value->limit.hard;
    /* An integer may have been brought into its range. */
    ret_entry->text = is_integer ? sv_arena_printf(loader->arena, "%lld", (long long)value->integer)
                                 : sv_arena_strdup(loader->arena, value->text);
    return sv_loader_check(loader, (void *)(uintptr_t)ret_entry->text) != NULL;
}

static void check_together(struct sv_loader *loader, const struct sv_limits *limits,
                           const struct sv_place places[SV_LIMIT_COUNT])
{
    const struct sv_limit_entry *max = sv_limits_find(limits, SV_LIMIT_MEMORY_MAX);
    const struct sv_limit_entry *high = sv_limits_find(limits, SV_LIMIT_MEMORY_HIGH);
    if (max && high && high->number != SV_LIMIT_NONE && high->number >= max->number)
        sv_loader_report(loader, SV_SEVERITY_WARNING, &places[SV_LIMIT_MEMORY_HIGH],
                         "is not below memory_max (%s) and never has an effect", max->text);
}

const struct sv_limits *sv_load_limits(struct sv_loader *loader,
                                       const struct sv_ini_section *section,
                                       const struct sv_scope *scope, bool is_group,
                                       const struct sv_limits *defaults)
{
    struct sv_limit_entry entries[SV_LIMIT_COUNT];
    struct sv_place places[SV_LIMIT_COUNT] = {0};
    size_t count = 0;
    for (unsigned i = 0; i < SV_LIMIT_COUNT; i++) {
        enum sv_option_id id = is_group ? rows[i].group : rows[i].program;
        struct sv_value value = get(loader, section, id, scope);
        places[i] = value.place;
        entries[count].limit = (enum sv_limit)i;
        const struct sv_limit_entry *inherited = default_of(defaults, (enum sv_limit)i);
        if (read_one(loader, id, &value, &entries[count]))
            count++;
        else if (inherited)
            entries[count++] = *inherited;
    }
    if (count == 0)
        return NULL;
    struct sv_limits *limits = sv_loader_check(
        loader, sv_arena_alloc(loader->arena, 1, sizeof(*limits) + count * sizeof(entries[0])));
    if (!limits)
        return NULL;
    limits->count = count;
    memcpy(limits->items, entries, count * sizeof(entries[0]));
    check_together(loader, limits, places);
    return limits;
}

const struct sv_limits *sv_load_shares(struct sv_loader *loader, const struct sv_limits *limits)
{
    static const enum sv_limit shares[] = {SV_LIMIT_CPU_WEIGHT, SV_LIMIT_IO_WEIGHT};
    size_t bytes = SV_ARRAY_LENGTH(shares) * sizeof(limits->items[0]);
    struct sv_limits *result = NULL;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(shares); i++) {
        const struct sv_limit_entry *entry = sv_limits_find(limits, shares[i]);
        if (entry && !result)
            result =
                sv_loader_check(loader, sv_arena_alloc(loader->arena, 1, sizeof(*result) + bytes));
        if (entry && result)
            result->items[result->count++] = *entry;
    }
    return result;
}
