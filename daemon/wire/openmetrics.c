/*
 * OpenMetrics 1.0 (https://openmetrics.io): families, each with its type, its unit and a sentence
 * of help, all samples of one behind one another, and "# EOF" at the end. The unit is the end of
 * the name of a family, and the samples of a counter are called <name>_total; a strict parser
 * refuses the whole answer over one line that breaks this.
 *
 * Values of labels are UTF-8: a byte that is none is written as U+FFFD.
 */
#include "wire/openmetrics.h"

#include <math.h>
#include <string.h>

#include "wire/utf8.h"

static const struct {
    const char *word;
    const char *suffix; /* of the samples */
} kinds[] = {
    [SV_METRIC_COUNTER] = {"counter", "_total"},
    [SV_METRIC_GAUGE] = {"gauge", ""},
    [SV_METRIC_INFO] = {"info", "_info"},
};

/* Backslash, quote and newline are escaped, in help as in values. */
static void add_escaped(const char *text, struct sv_str *out)
{
    size_t left = strlen(text);
    if (text[strcspn(text, "\"\\\n")] == '\0' && sv_utf8_is_valid(text, left)) {
        sv_str_append(out, text, left);
        return;
    }
    while (left > 0) {
        uint32_t code;
        size_t length = sv_utf8_decode(text, left, &code);
        if (length == 0)
            sv_str_add(out, "\xef\xbf\xbd");
        else if (*text == '\n')
            sv_str_add(out, "\\n");
        else if (*text == '"' || *text == '\\')
            sv_str_addf(out, "\\%c", *text);
        else
            sv_str_append(out, text, length);
        text += length ? length : 1;
        left -= length ? length : 1;
    }
}

void sv_openmetrics_family(const struct sv_metric_family *family, struct sv_str *out)
{
    sv_str_addf(out, "# TYPE %s %s\n", family->name, kinds[family->kind].word);
    if (*family->unit)
        sv_str_addf(out, "# UNIT %s %s\n", family->name, family->unit);
    sv_str_addf(out, "# HELP %s ", family->name);
    add_escaped(family->help, out);
    sv_str_add_char(out, '\n');
}

/* Nearly all values are whole, and an answer has ten thousand of them: printf takes four times as
 * long. */
static void add_whole(uint64_t number, struct sv_str *out)
{
    char digits[24];
    char *at = digits + sizeof(digits);
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    sv_str_append(out, at, (size_t)(digits + sizeof(digits) - at));
}

static void add_value(double value, struct sv_str *out)
{
    sv_str_add_char(out, ' ');
    if (value >= 0 && value < 0x1p53 && floor(value) >= value)
        add_whole((uint64_t)value, out);
    else
        sv_str_addf(out, "%.17g", value);
    sv_str_add_char(out, '\n');
}

void sv_openmetrics_sample(const struct sv_metric_family *family,
                           const struct sv_metric_label *labels, double value, struct sv_str *out)
{
    sv_str_add(out, family->name);
    sv_str_add(out, kinds[family->kind].suffix);
    for (const struct sv_metric_label *label = labels; label->name; label++) {
        sv_str_add_char(out, label == labels ? '{' : ',');
        sv_str_add(out, label->name);
        sv_str_add(out, "=\"");
        add_escaped(label->value, out);
        sv_str_add_char(out, '"');
    }
    if (labels->name)
        sv_str_add_char(out, '}');
    add_value(value, out);
}

void sv_openmetrics_end(struct sv_str *out)
{
    sv_str_add(out, "# EOF\n");
}
