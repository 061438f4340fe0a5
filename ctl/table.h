/* Tables whose columns are rows: title, key of the struct, width. */
#ifndef SV_CTL_TABLE_H
#define SV_CTL_TABLE_H

#include <jansson.h>
#include <stddef.h>

#include "base/str.h"

enum {
    SV_COLUMN_FITS = 0, /* as wide as its widest cell or its title, and two blanks */
    SV_COLUMN_LAST = -1 /* not padded */
};

struct sv_column {
    const char *title;
    const char *key;
    int width; /* fixed, or one of the above */
    /* NULL: the value as Python prints it, "n/a" where there is none */
    void (*add)(struct sv_str *text, const json_t *row, const char *key);
};

/* Prints the titles and the `shown` rows; columns are as wide as all `rows` need, shown or not. */
void sv_say_table(const struct sv_column *columns, size_t column_count, const json_t *rows,
                  const json_t *shown);

/* Characters, as Python counts: bytes of UTF-8 that do not continue one. */
size_t sv_text_columns(const char *text);

#endif
