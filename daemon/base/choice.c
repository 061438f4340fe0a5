/* The rows of svisor/choices.def, for whoever has a word or a number and wants the other. */
#include "base/choice.h"

#include <string.h>
#include <strings.h>

#include "base/attr.h"

static const struct {
    enum sv_choice_kind kind;
    int number;
    const char *name;
    const char *help;
} choices[] = {
#define STARTING_STRATEGY(name_, number_, help_)                                                   \
    {SV_CHOICE_STARTING_STRATEGY, number_, #name_, help_},
#define CONCILIATION_STRATEGY(name_, number_, help_)                                               \
    {SV_CHOICE_CONCILIATION_STRATEGY, number_, #name_, help_},
#define STARTING_FAILURE_STRATEGY(name_, number_, help_)                                           \
    {SV_CHOICE_STARTING_FAILURE_STRATEGY, number_, #name_, help_},
#define RUNNING_FAILURE_STRATEGY(name_, number_, help_)                                            \
    {SV_CHOICE_RUNNING_FAILURE_STRATEGY, number_, #name_, help_},
#define SUPVISORS_FAILURE_STRATEGY(name_, number_, help_)                                          \
    {SV_CHOICE_SUPVISORS_FAILURE_STRATEGY, number_, #name_, help_},
#define DISTRIBUTION(name_, number_, help_)    {SV_CHOICE_DISTRIBUTION, number_, #name_, help_},
#define EVENT_LINK(name_, number_, help_)      {SV_CHOICE_EVENT_LINK, number_, #name_, help_},
#define SYNCHRO_OPTION(name_, number_, help_)  {SV_CHOICE_SYNCHRO_OPTION, number_, #name_, help_},
#define STATISTICS_TYPE(name_, number_, help_) {SV_CHOICE_STATISTICS_TYPE, number_, #name_, help_},
#define SUPVISORS_STATE(name_, number_, help_) {SV_CHOICE_SUPVISORS_STATE, number_, #name_, help_},
#define INSTANCE_STATE(name_, number_, help_)  {SV_CHOICE_INSTANCE_STATE, number_, #name_, help_},
#define APPLICATION_STATE(name_, number_, help_)                                                   \
    {SV_CHOICE_APPLICATION_STATE, number_, #name_, help_},
#include "svisor/choices.def"
};

const char *sv_choice_name(enum sv_choice_kind kind, int number)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(choices); i++)
        if (choices[i].kind == kind && choices[i].number == number)
            return choices[i].name;
    return NULL;
}

const char *sv_choice_help(enum sv_choice_kind kind, int number)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(choices); i++)
        if (choices[i].kind == kind && choices[i].number == number)
            return choices[i].help;
    return NULL;
}

static bool is_same(const char *a, const char *b, bool any_case)
{
    return (any_case ? strcasecmp(a, b) : strcmp(a, b)) == 0;
}

bool sv_choice_parse(enum sv_choice_kind kind, const char *name, bool any_case, int *ret_number)
{
    for (size_t i = 0; i < SV_ARRAY_LENGTH(choices); i++) {
        if (choices[i].kind == kind && is_same(choices[i].name, name, any_case)) {
            *ret_number = choices[i].number;
            return true;
        }
    }
    return false;
}

size_t sv_choice_count(enum sv_choice_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(choices); i++)
        count += choices[i].kind == kind;
    return count;
}

void sv_choice_list(enum sv_choice_kind kind, struct sv_str *ret_text)
{
    size_t left = sv_choice_count(kind);
    for (size_t i = 0; i < SV_ARRAY_LENGTH(choices); i++) {
        if (choices[i].kind != kind)
            continue;
        left--;
        sv_str_addf(ret_text, "%s%s", choices[i].name, left > 1 ? ", " : left == 1 ? " or " : "");
    }
}
