/* One rules file as a checked XML tree. Private to the reader of the rules. */
#ifndef SV_CONFIG_RULES_DOCUMENT_H
#define SV_CONFIG_RULES_DOCUMENT_H

#include <libxml/tree.h>

#include "config/load.h"

/* The compiled schema. NULL without memory. */
struct sv_rules_schema *sv_rules_schema_new(void);
void sv_rules_schema_free(struct sv_rules_schema *schema);

/*
 * Reads the file and checks it against the schema. Everything that is wrong goes to `diag`. The
 * tree, for xmlFreeDoc(), or NULL.
 */
xmlDoc *sv_rules_document_read(const char *file, const struct sv_config_host *host,
                               const struct sv_rules_schema *schema, struct sv_diag *diag);

#endif
