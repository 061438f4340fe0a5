/* Tables, as Supvisors' commands lay them out: every cell but the last is padded, also at the end
 * of a line. */
#include "table.h"

#include "ctl.h"
#include "python.h"

size_t sv_text_columns(const char *text)
{
    size_t count = 0;

    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static void add_cell(struct sv_str *text, const struct sv_column *column, const json_t *row)
{
    const json_t *value = json_object_get(row, column->key);

    if (column->add)
        column->add(text, row, column->key);
    else if (value)
        sv_add_python(text, value);
    else
        sv_str_add(text, "n/a");
}

static size_t width_of(const struct sv_column *column, const json_t *rows)
{
    enum { GAP = 2 };
    SV_CLEANUP(sv_str_done) struct sv_str text = {0};
    size_t widest = sv_text_columns(column->title);

    if (column->width != SV_COLUMN_FITS)
        return column->width > 0 ? (size_t)column->width : 0;
    for (size_t i = 0; i < json_array_size(rows); i++) {
        size_t width;

        sv_str_clear(&text);
        add_cell(&text, column, json_array_get(rows, i));
        width = sv_text_columns(sv_str_text(&text));
        widest = width > widest ? width : widest;
    }
    return widest + GAP;
}

static void pad(struct sv_str *line, const char *text, size_t width)
{
    size_t columns = sv_text_columns(text);

    sv_str_addf(line, "%s%*s", text, (int)(columns < width ? width - columns : 0), "");
}

/* One line: the titles without `row`. */
static void say_row(const struct sv_column *columns, size_t column_count, const size_t *widths,
                    const json_t *row)
{
    SV_CLEANUP(sv_str_done) struct sv_str line = {0};
    SV_CLEANUP(sv_str_done) struct sv_str cell = {0};

    for (size_t i = 0; i < column_count; i++) {
        sv_str_clear(&cell);
        if (row)
            add_cell(&cell, &columns[i], row);
        pad(&line, row ? sv_str_text(&cell) : columns[i].title, widths[i]);
    }
    sv_say("%s", sv_str_text(&line));
}

void sv_say_table(const struct sv_column *columns, size_t column_count, const json_t *rows,
                  const json_t *shown)
{
    enum { COLUMNS_MAX = 16 };
    size_t widths[COLUMNS_MAX];

    if (column_count > COLUMNS_MAX)
        column_count = COLUMNS_MAX;
    for (size_t i = 0; i < column_count; i++)
        widths[i] = width_of(&columns[i], rows);
    say_row(columns, column_count, widths, NULL);
    for (size_t i = 0; i < json_array_size(shown); i++)
        say_row(columns, column_count, widths, json_array_get(shown, i));
}
