/* A program of tests: what Supervisor has where a file says nothing, and nothing that svisor adds.
 */
#ifndef SV_CORE_PROGRAM_FOR_TEST_H
#define SV_CORE_PROGRAM_FOR_TEST_H

#include <signal.h>

#include "config/load.h"

static inline struct sv_program_config program_named(const char *name)
{
    return (struct sv_program_config){
        .name = name,
        .program = name,
        .autostart = true,
        .autorestart = SV_AUTORESTART_UNEXPECTED,
        .startsecs = 1,
        .startretries = 3,
        .stopsignal = SIGTERM,
        .stopwaitsecs = 10,
        .restart_delay = -1,
        .restart_delay_max = -1,
        .restart_reset_after = -1,
    };
}

#endif
