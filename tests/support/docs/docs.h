/* The generated sections of the manual: rows of the .def tables as mdoc or Markdown. */
#ifndef SV_TESTS_DOCS_H
#define SV_TESTS_DOCS_H

#include <stdbool.h>

#include "base/str.h"

/* Each is one section; `argument` is the rest of its name. False: there is no such section. */
bool sv_docs_options(const char *argument, struct sv_str *ret_text);
bool sv_docs_command_line(const char *argument, struct sv_str *ret_text);
bool sv_docs_methods(const char *argument, struct sv_str *ret_text);
bool sv_docs_faults(const char *argument, struct sv_str *ret_text);
bool sv_docs_commands(const char *argument, struct sv_str *ret_text);
bool sv_docs_resources(const char *argument, struct sv_str *ret_text);
bool sv_docs_deaths(const char *argument, struct sv_str *ret_text);

/* Text for mdoc: special characters escaped, every sentence on a line of its own. Ends the line. */
void sv_docs_add_man(struct sv_str *text, const char *plain);
/* The same without the line breaks, for the inside of a line. */
void sv_docs_add_man_words(struct sv_str *text, const char *plain);
/* Text for Markdown. */
void sv_docs_add_markdown(struct sv_str *text, const char *plain);

#endif
