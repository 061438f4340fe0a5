/* svisord.conf(5) and svisord(8): options.def and cmdline.def as mdoc. */
#include <string.h>

#include "config/option.h"
#include "docs.h"

static bool is_bounded(const struct sv_option *option)
{
    return option->min != 0 || option->max != 0;
}

/* "1 to 65535", "0 or more"; nothing where every number will do. */
static void add_range(struct sv_str *text, const struct sv_option *option)
{
    bool is_octal = option->type == SV_TYPE_OCTAL;
    bool is_open = option->max >= INT32_MAX;
    if (!is_bounded(option) || (is_open && option->min <= INT32_MIN))
        return;
    sv_str_addf(text, is_octal ? ", %llo" : ", %lld", (long long)option->min);
    if (is_open)
        sv_str_add(text, " or more");
    else
        sv_str_addf(text, is_octal ? " to %llo" : " to %lld", (long long)option->max);
}

static void add_facts(struct sv_str *text, const struct sv_option *option)
{
    static const char *const changes[] = {[SV_RELOAD_START] = "restart",
                                          [SV_RELOAD_UPDATE] = "update",
                                          [SV_RELOAD_LIVE] = "reread",
                                          [SV_RELOAD_CTL] = "at once"};
    struct sv_str facts SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&facts, "Type: %s", sv_option_type_name(option->type));
    add_range(&facts, option);
    if (option->unit && option->type != SV_TYPE_ADDRESS)
        sv_str_addf(&facts, "%s %s", is_bounded(option) && option->max < INT32_MAX ? "" : ", in",
                    option->unit);
    const char *value = option->default_text;
    sv_str_addf(&facts, ". Default: %s.", !value ? "none" : *value ? value : "empty");
    sv_str_addf(&facts, " Change: %s.", changes[option->reload]);
    if (option->origin == SV_ORIGIN_SVISOR)
        sv_str_add(&facts, " Origin: svisor.");
    sv_docs_add_man_words(text, sv_str_text(&facts));
    sv_str_add_char(text, '\n');
}

bool sv_docs_options(const char *argument, struct sv_str *ret_text)
{
    size_t count = 0;
    for (int id = 0; id < SV_OPTION_COUNT; id++) {
        const struct sv_option *option = sv_option((enum sv_option_id)id);
        if (strcmp(sv_section_word(option->section), argument) != 0)
            continue;
        sv_str_add(ret_text, count++ == 0 ? ".Bl -tag -width Ds\n" : "");
        sv_str_addf(ret_text, ".It Cm %s\n", option->key);
        sv_docs_add_man(ret_text, option->help);
        sv_str_add(ret_text, ".br\n");
        add_facts(ret_text, option);
    }
    sv_str_add(ret_text, count > 0 ? ".El\n" : "");
    return count > 0;
}

static const struct {
    const char *letter, *name, *argument, *help;
} flags[] = {
#define CMDLINE(letter_, name_, argument_, override_, action_, help_)                              \
    {letter_, name_, argument_, help_},
#include "config/cmdline.def"
#undef CMDLINE
};

bool sv_docs_command_line(const char *argument, struct sv_str *ret_text)
{
    sv_str_add(ret_text, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        sv_str_add(ret_text, ".It");
        if (*flags[i].letter)
            sv_str_addf(ret_text, " Fl %c ,", flags[i].letter[1]);
        sv_str_addf(ret_text, " Fl -%s", flags[i].name);
        if (*flags[i].argument)
            sv_str_addf(ret_text, " Ar%s", flags[i].argument);
        sv_str_add_char(ret_text, '\n');
        sv_docs_add_man(ret_text, flags[i].help);
    }
    sv_str_add(ret_text, ".El\n");
    return *argument == '\0';
}
