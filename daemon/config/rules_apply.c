#include "config/rules.h"

#include "config/config.h"

/* A configuration that nobody uses yet may be changed in place: the loader made it so. */
static void apply_to(const struct sv_rules *rules, const char *application,
                     const struct sv_program_config *program)
{
    struct sv_process_rules process;
    sv_rules_process(rules, application, program->name, &process);
    if (sv_rules_stops_autorestart(&process))
        ((struct sv_program_config *)(uintptr_t)program)->autorestart = SV_AUTORESTART_NEVER;
}

void sv_rules_apply(const struct sv_rules *rules, const struct sv_config *config)
{
    for (size_t i = 0; i < config->group_count && rules; i++) {
        const struct sv_group_config *group = config->groups[i];
        for (size_t k = 0; k < group->program_count; k++)
            apply_to(rules, group->name, group->programs[k]);
    }
}
