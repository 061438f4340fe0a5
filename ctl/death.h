/* Death certificates on the terminal. */
#ifndef SV_CTL_DEATH_H
#define SV_CTL_DEATH_H

#include <jansson.h>

/* One line for each thing that is known, aligned; then the last lines of output. */
void sv_say_death(const json_t *death);

#endif
