/* The enumerations of choices.def. Their names and numbers are Supvisors'; base/choice.h has both
 * as text. */
#ifndef SVISOR_CHOICES_H
#define SVISOR_CHOICES_H

enum sv_starting_strategy {
#define STARTING_STRATEGY(name, number, help) SV_STARTING_STRATEGY_##name = (number),
#include "svisor/choices.def"
};

enum sv_conciliation_strategy {
#define CONCILIATION_STRATEGY(name, number, help) SV_CONCILIATION_STRATEGY_##name = (number),
#include "svisor/choices.def"
};

enum sv_starting_failure_strategy {
#define STARTING_FAILURE_STRATEGY(name, number, help)                                              \
    SV_STARTING_FAILURE_STRATEGY_##name = (number),
#include "svisor/choices.def"
};

enum sv_running_failure_strategy {
#define RUNNING_FAILURE_STRATEGY(name, number, help) SV_RUNNING_FAILURE_STRATEGY_##name = (number),
#include "svisor/choices.def"
};

enum sv_supvisors_failure_strategy {
#define SUPVISORS_FAILURE_STRATEGY(name, number, help)                                             \
    SV_SUPVISORS_FAILURE_STRATEGY_##name = (number),
#include "svisor/choices.def"
};

enum sv_distribution {
#define DISTRIBUTION(name, number, help) SV_DISTRIBUTION_##name = (number),
#include "svisor/choices.def"
};

enum sv_event_link {
#define EVENT_LINK(name, number, help) SV_EVENT_LINK_##name = (number),
#include "svisor/choices.def"
};

enum sv_synchro_option {
#define SYNCHRO_OPTION(name, number, help) SV_SYNCHRO_OPTION_##name = (number),
#include "svisor/choices.def"
};

enum sv_statistics_type {
#define STATISTICS_TYPE(name, number, help) SV_STATISTICS_TYPE_##name = (number),
#include "svisor/choices.def"
};

enum sv_supvisors_state {
#define SUPVISORS_STATE(name, number, help) SV_SUPVISORS_STATE_##name = (number),
#include "svisor/choices.def"
};

enum sv_instance_state {
#define INSTANCE_STATE(name, number, help) SV_INSTANCE_STATE_##name = (number),
#include "svisor/choices.def"
};

enum sv_application_state {
#define APPLICATION_STATE(name, number, help) SV_APPLICATION_STATE_##name = (number),
#include "svisor/choices.def"
};

enum sv_choice_kind {
    SV_CHOICE_STARTING_STRATEGY,
    SV_CHOICE_CONCILIATION_STRATEGY,
    SV_CHOICE_STARTING_FAILURE_STRATEGY,
    SV_CHOICE_RUNNING_FAILURE_STRATEGY,
    SV_CHOICE_SUPVISORS_FAILURE_STRATEGY,
    SV_CHOICE_DISTRIBUTION,
    SV_CHOICE_EVENT_LINK,
    SV_CHOICE_SYNCHRO_OPTION,
    SV_CHOICE_STATISTICS_TYPE,
    SV_CHOICE_SUPVISORS_STATE,
    SV_CHOICE_INSTANCE_STATE,
    SV_CHOICE_APPLICATION_STATE,
    SV_CHOICE_KIND_COUNT
};

#endif
