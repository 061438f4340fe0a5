/* Values as Python prints them: Supvisors' commands show lists, booleans and absences so, and
 * scripts read them. */
#ifndef SV_CTL_PYTHON_H
#define SV_CTL_PYTHON_H

#include <jansson.h>

#include "base/choice.h"
#include "base/str.h"

/* str(value): "True", "['a', 'b']", "5.0", text as it is; "None" for NULL and null. */
void sv_add_python(struct sv_str *text, const json_t *value);
/* "['CONFIG', 'LESS_LOADED', …]" */
void sv_add_python_names(struct sv_str *text, enum sv_choice_kind kind);

#endif
